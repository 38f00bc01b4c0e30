/* What comes out of a stream: the same as of a clip, whatever the pieces, and never silently less. */
#include "check.h"

#include <math.h>

enum { RATE = 48000, CHANNELS = 2, FRAMES = 3 * RATE + 5234, MOST = 64 };

typedef struct {
    float scores[MOST][TINY_CLASSES];
    auricle_result results[MOST];
    int count;
} reading;

/* Reads what is there. */
static auricle_status read_all(auricle_session *session, reading *all)
{
    auricle_status status;
    while (all->count < MOST) {
        auricle_result_init(&all->results[all->count]);
        status = auricle_session_read(session, all->scores[all->count], TINY_CLASSES, &all->results[all->count]);
        if (status != AURICLE_OK)
            return status;
        all->count++;
    }
    return check_failed(__FILE__, __LINE__, "more windows than there can be");
}

static void push_in_pieces(auricle_session *session, const float *samples, size_t frames, uint32_t seed, reading *all)
{
    size_t at = 0;
    while (at < frames) {
        size_t piece = seed ? seed % 4000 : frames;
        if (piece > frames - at)
            piece = frames - at;
        seed = seed ? seed * 1664525u + 1013904223u : 0;
        OK(auricle_session_push_f32(session, samples + CHANNELS * at, piece));
        at += piece;
        if (piece % 3 != 1) /* not after every push */
            EXPECT(AURICLE_AGAIN, "", read_all(session, all));
    }
    OK(auricle_session_finish(session));
    EXPECT(AURICLE_END, "", read_all(session, all));
    EXPECT(AURICLE_END, "", read_all(session, all));
}

static void equals_clip(const auricle_model *model)
{
    static reading first, other;
    float *samples = noise(FRAMES, CHANNELS), clip[TINY_CLASSES], mean[TINY_CLASSES];
    auricle_session *session = create(model, RATE, CHANNELS);
    uint32_t seed;
    int i, k;

    first.count = 0;
    push_in_pieces(session, samples, FRAMES, 0, &first);
    CHECK(first.count >= 9);
    OK(auricle_classify_f32(model, samples, FRAMES, CHANNELS, RATE, clip, TINY_CLASSES));
    for (k = 0; k < TINY_CLASSES; k++) {
        double sum = 0;
        for (i = 0; i < first.count; i++)
            sum += (double)first.scores[i][k];
        mean[k] = (float)(sum / first.count);
    }
    CHECK(distance(clip, mean, TINY_CLASSES) <= 1e-6f);
    CHECK(distance(first.scores[0], first.scores[2], TINY_CLASSES) > 1e-4f); /* the sound does change */

    for (i = 0; i < first.count; i++) {
        const auricle_result *result = &first.results[i];
        CHECK(result->sequence == (uint64_t)i && result->first_frame == (uint64_t)i * 12000);
        CHECK(result->end_frame == (i + 1 < first.count ? result->first_frame + RATE : (uint64_t)FRAMES));
        CHECK(result->peak_dbfs < -6.0f && result->peak_dbfs > -30.0f && result->rms_dbfs < result->peak_dbfs);
        CHECK(!result->silent && !result->clipped_frames && !result->non_finite_frames && !result->dropped_frames
              && !result->gap_frames && result->inference_nanoseconds > 0 && result->late <= 1);
        CHECK(result->noise_floor_dbfs < result->rms_dbfs && result->snr_db > -60.0f && result->snr_db < 60.0f);
    }

    for (seed = 1; seed < 4; seed++) {
        OK(auricle_session_reset(session)); /* a reset session is a new one */
        other.count = 0;
        push_in_pieces(session, samples, FRAMES, seed * 977, &other);
        CHECK(other.count == first.count && !memcmp(other.scores, first.scores, sizeof first.scores[0] * (size_t)first.count));
    }
    auricle_session_free(session);
    free(samples);
}

static void finishing(const auricle_model *model)
{
    static reading all;
    float samples[200] = {0};
    auricle_session *session = create(model, RATE, 1);

    all.count = 0;
    OK(auricle_session_finish(session));
    OK(auricle_session_finish(session));
    EXPECT(AURICLE_INVALID_STATE, "finished", auricle_session_push_f32(session, samples, 1));
    EXPECT(AURICLE_INVALID_STATE, "finished", auricle_session_gap(session, 1));
    EXPECT(AURICLE_END, "", read_all(session, &all));
    OK(auricle_session_reset(session));
    OK(auricle_session_push_f32(session, samples, 1));
    OK(auricle_session_finish(session));
    EXPECT(AURICLE_CLIP_TOO_SHORT, "1 frames", read_all(session, &all));
    CHECK(all.count == 0);
    auricle_session_free(session);
}

static void bad_samples(const auricle_model *model)
{
    static reading bad, good;
    float *samples = noise(TINY_WINDOW, 1);
    auricle_session *session = create(model, TINY_RATE, 1);
    int i;

    samples[10] = NAN;
    samples[11] = INFINITY;
    samples[12] = -INFINITY;
    samples[13] = 1.0f;
    bad.count = good.count = 0;
    OK(auricle_session_push_f32(session, samples, TINY_WINDOW));
    EXPECT(AURICLE_AGAIN, "", read_all(session, &bad));
    CHECK(bad.count == 1 && bad.results[0].non_finite_frames == 3 && bad.results[0].clipped_frames == 1);
    CHECK(bad.results[0].peak_dbfs == 0.0f);
    for (i = 10; i < 13; i++)
        samples[i] = 0;
    OK(auricle_session_reset(session));
    OK(auricle_session_push_f32(session, samples, TINY_WINDOW));
    EXPECT(AURICLE_AGAIN, "", read_all(session, &good));
    CHECK(good.count == 1 && !memcmp(bad.scores[0], good.scores[0], sizeof good.scores[0]));
    CHECK(good.results[0].non_finite_frames == 0);
    auricle_session_free(session);
    free(samples);
}

static void lost_audio(const auricle_model *model)
{
    static reading all;
    float *samples = noise(TINY_WINDOW, 1);
    auricle_session *session = create(model, TINY_RATE, 1);
    auricle_session_options options;
    uint64_t lost = 0;
    int i;

    all.count = 0;
    OK(auricle_session_push_f32(session, samples, 8000));
    OK(auricle_session_gap(session, 4000));
    OK(auricle_session_push_f32(session, samples, 8000));
    EXPECT(AURICLE_AGAIN, "", read_all(session, &all));
    CHECK(all.count == 2 && all.results[0].gap_frames == 4000 && all.results[0].end_frame == 16000);
    CHECK(all.results[1].first_frame == 4000 && all.results[1].gap_frames == 4000 && !all.results[1].dropped_frames);

    /* A gap beyond any clock must not break the stream. */
    OK(auricle_session_gap(session, UINT64_MAX));
    OK(auricle_session_push_f32(session, samples, TINY_WINDOW));
    OK(auricle_session_gap(session, UINT64_MAX));
    OK(auricle_session_push_f32(session, samples, TINY_WINDOW));
    CHECK(read_all(session, &all) == AURICLE_AGAIN);
    auricle_session_free(session);

    /* The ring is full: what does not fit is lost, told, and counted. */
    auricle_session_options_init(&options);
    options.ring_seconds = 0.5;
    session = NULL;
    OK(auricle_session_create(model, &options, &session));
    EXPECT(AURICLE_DROPPED, "", auricle_session_push_f32(session, samples, TINY_WINDOW));
    EXPECT(AURICLE_DROPPED, "", auricle_session_push_f32(session, samples, 2000));
    all.count = 0;
    EXPECT(AURICLE_AGAIN, "", read_all(session, &all));
    OK(auricle_session_push_f32(session, samples, 6000));
    OK(auricle_session_finish(session));
    EXPECT(AURICLE_END, "", read_all(session, &all));
    CHECK(all.count > 0 && all.results[all.count - 1].end_frame == TINY_WINDOW + 2000 + 6000);
    for (i = 0; i < all.count; i++)
        lost = all.results[i].dropped_frames > lost ? all.results[i].dropped_frames : lost;
    CHECK(lost == 10000);
    auricle_session_free(session);
    free(samples);
}

static void silence(const auricle_model *model)
{
    static reading all;
    static const int16_t zeros[TINY_WINDOW] = {0};
    auricle_session *session = create(model, TINY_RATE, 1);
    all.count = 0;
    OK(auricle_session_push_i16(session, zeros, TINY_WINDOW));
    EXPECT(AURICLE_AGAIN, "", read_all(session, &all));
    CHECK(all.count == 1 && all.results[0].silent == 1 && isinf(all.results[0].rms_dbfs));
    auricle_session_free(session);
}

int main(int argc, char **argv)
{
    auricle_model *model = load_tiny(argc > 1 ? argv[1] : ".");
    equals_clip(model);
    finishing(model);
    bad_samples(model);
    lost_audio(model);
    silence(model);
    auricle_model_free(model);
    return DONE();
}
