/* Events of a stream, reading in bounded pieces, waiting and cancelling. */
#include "check.h"

static const char *ALWAYS_ON = "{ \"hop_seconds\": 0.5, \"events\": { \"on\": 0.0, \"min_on_seconds\": 0.5, \"deny\": [\"middle\"] } }";

static auricle_session *create_with(const auricle_model *model, const char *stream_json, uint32_t most)
{
    auricle_session_options options;
    auricle_session *session = NULL;
    auricle_session_options_init(&options);
    options.sample_rate = 48000;
    options.stream_json = stream_json;
    options.max_windows_per_read = most;
    options.ring_seconds = 5;
    OK(auricle_session_create(model, &options, &session));
    return session;
}

/* Every class but the denied one is on from the first window to the end of the stream. */
static void one_event_for_a_long_sound(const auricle_model *model, const float *samples)
{
    auricle_session *session = create_with(model, ALWAYS_ON, 0);
    auricle_result result;
    auricle_event event;
    int round;

    auricle_result_init(&result);
    auricle_event_init(&event);
    EXPECT(AURICLE_INVALID_ARGUMENT, "event is NULL", auricle_session_read_event(session, NULL));
    EXPECT(AURICLE_AGAIN, "", auricle_session_read_event(session, &event));
    OK(auricle_session_push_f32(session, samples, 3 * 48000));
    OK(auricle_session_finish(session));
    while (auricle_session_read(session, NULL, 0, &result) == AURICLE_OK) {
    }
    for (round = 0; round < 2; round++) {
        uint64_t k;
        for (k = 0; k < 2; k++) {
            OK(auricle_session_read_event(session, &event));
            CHECK(event.is_final == (uint32_t)round && event.id == k + 1 && event.class_index == 2 * k);
            CHECK(event.onset_frame == 24000 && event.decided_frame == (round ? 144000u : 72000u));
            CHECK(event.offset_frame == (round ? 120000u : 72000u));
            CHECK(event.peak_score >= event.mean_score && event.mean_score > 0 && event.lost_before == 0);
        }
    }
    EXPECT(AURICLE_AGAIN, "", auricle_session_read_event(session, &event));
    auricle_session_free(session);

    session = create_with(model, NULL, 0);
    EXPECT(AURICLE_INVALID_STATE, "no events", auricle_session_read_event(session, &event));
    auricle_session_free(session);
}

/* A loop that reads until AURICLE_AGAIN gets no more than two windows at a time, and all of them in the end. */
static void a_read_does_a_bounded_work(const auricle_model *model, const float *samples)
{
    auricle_session *session = create_with(model, "{ \"hop_seconds\": 0.5 }", 2);
    auricle_result result;
    uint64_t pending = 0;
    int count[3] = {0, 0, 0}, round;

    auricle_result_init(&result);
    OK(auricle_session_push_f32(session, samples, 3 * 48000));
    EXPECT(AURICLE_INVALID_ARGUMENT, "frames is NULL", auricle_session_pending(session, NULL));
    OK(auricle_session_pending(session, &pending));
    CHECK(pending == 3 * 48000);
    OK(auricle_session_finish(session));
    for (round = 0; round < 2; round++) {
        while (auricle_session_read(session, NULL, 0, &result) == AURICLE_OK)
            count[round]++;
    }
    while (auricle_session_read(session, NULL, 0, &result) == AURICLE_OK)
        count[2]++;
    CHECK(count[0] == 2 && count[1] == 2 && count[2] == 1);
    EXPECT(AURICLE_END, "", auricle_session_read(session, NULL, 0, &result));
    OK(auricle_session_pending(session, &pending));
    CHECK(pending == 0);
    auricle_session_free(session);
}

static void waiting_and_cancelling(const auricle_model *model, const float *samples)
{
    auricle_session *session = create_with(model, NULL, 0);
    auricle_result result;

    auricle_result_init(&result);
    EXPECT(AURICLE_AGAIN, "", auricle_session_wait(session, 0));
    EXPECT(AURICLE_AGAIN, "", auricle_session_wait(session, 5));
    OK(auricle_session_push_f32(session, samples, 48000 + 1000));
    OK(auricle_session_wait(session, UINT32_MAX));
    OK(auricle_session_read(session, NULL, 0, &result));
    OK(auricle_session_cancel(session));
    OK(auricle_session_cancel(session));
    EXPECT(AURICLE_CANCELLED, "", auricle_session_wait(session, UINT32_MAX));
    EXPECT(AURICLE_CANCELLED, "", auricle_session_read(session, NULL, 0, &result));
    OK(auricle_session_reset(session));
    OK(auricle_session_push_f32(session, samples, 100));
    OK(auricle_session_finish(session));
    OK(auricle_session_wait(session, UINT32_MAX));
    EXPECT(AURICLE_CLIP_TOO_SHORT, "100 frames", auricle_session_read(session, NULL, 0, &result));
    EXPECT(AURICLE_END, "", auricle_session_read(session, NULL, 0, &result));
    auricle_session_free(session);
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_wait(NULL, 0));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_cancel(NULL));
}

static void streams_that_are_refused(const auricle_model *model)
{
    static const char *const wrong[][2] = {
        {"", "EOF"},
        {"{ \"hop\": 1 }", "unknown field `hop`"},
        {"{ \"events\": { \"on\": 0.5, \"off\": 0.9 } }", "stream.events.off: 0.9; valid up to `on`, which is 0.5"},
        {"{ \"events\": { \"on\": 60 } }", "stream.events.on: 60; valid 0.0..=1.0"}, /* percent */
        {"{ \"events\": { \"off\": -0.1 } }", "stream.events.off: -0.1; valid 0.0..=1.0"},
        {"{ \"events\": { \"classes\": { \"high\": { \"on\": 1.5 } } } }", "stream.events.classes.high.on: 1.5; valid 0.0..=1.0"},
        {"{ \"\\u001b[31m\\n\": 1 }", "unknown field `\\u{1b}[31m\\n`"},
        {"{ \"events\": { \"deny\": [\"cat\"] } }", "stream.events.deny[0]: \"cat\" is no label of the model"},
        {"{ \"smoothing_seconds\": -1 }", "stream.smoothing_seconds: -1"},
        {"\xff", "stream_json is not UTF-8"},
    };
    auricle_session_options options;
    auricle_session *session = NULL;
    size_t i;

    auricle_session_options_init(&options);
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        options.stream_json = wrong[i][0];
        EXPECT(AURICLE_INVALID_ARGUMENT, wrong[i][1], auricle_session_create(model, &options, &session));
    }
    options.stream_json = NULL;
    options.overflow = 3;
    EXPECT(AURICLE_INVALID_ARGUMENT, "overflow is 3", auricle_session_create(model, &options, &session));
    CHECK(session == NULL);
}

/* The newest stay where that is asked for, in their place. */
static void dropping_the_oldest(const auricle_model *model, const float *samples)
{
    auricle_session_options options;
    auricle_session *session = NULL;
    auricle_result result;

    auricle_session_options_init(&options);
    options.sample_rate = 48000;
    options.overflow = AURICLE_DROP_OLDEST;
    options.ring_seconds = 1;
    options.hop_seconds = 1;
    OK(auricle_session_create(model, &options, &session));
    OK(auricle_session_push_f32(session, samples, 48000));
    EXPECT(AURICLE_DROPPED, "", auricle_session_push_f32(session, samples + 48000, 24000));
    OK(auricle_session_finish(session));
    auricle_result_init(&result);
    OK(auricle_session_read(session, NULL, 0, &result));
    CHECK(result.first_frame == 0 && result.dropped_frames == 24000);
    OK(auricle_session_read(session, NULL, 0, &result));
    CHECK(result.first_frame == 48000 && result.end_frame == 72000 && result.dropped_frames == 0);
    auricle_session_free(session);
}

int main(int argc, char **argv)
{
    auricle_model *model = load_tiny(argc > 1 ? argv[1] : ".");
    float *samples = noise(3 * 48000, 1);

    one_event_for_a_long_sound(model, samples);
    a_read_does_a_bounded_work(model, samples);
    waiting_and_cancelling(model, samples);
    streams_that_are_refused(model);
    dropping_the_oldest(model, samples);
    free(samples);
    auricle_model_free(model);
    return DONE();
}
