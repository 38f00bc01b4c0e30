/* What C says of the audio on the standard input (48 kHz, stereo, float): one line for the clip, each window, each event.
 * Numbers are bits, so that Python can compare them. `reference MODEL BLOCK_FRAMES STREAM_JSON` */
#include <auricle.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void print_scores(const float *scores, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf(" %" PRIu32, bits(scores[i]));
    printf("\n");
}

static void check(auricle_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "%s\n", auricle_last_error());
    exit(1);
}

static void read_all(auricle_session *session, size_t classes)
{
    float scores[64];
    auricle_result r;
    auricle_event e;
    auricle_status status;
    auricle_result_init(&r);
    auricle_event_init(&e);
    while ((status = auricle_session_read(session, scores, 64, &r)) == AURICLE_OK) {
        printf("window %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu32, r.silent,
               r.first_frame, r.end_frame, r.sequence, bits(r.peak_dbfs), bits(r.rms_dbfs), bits(r.dc_offset));
        printf(" %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32, r.clipped_frames,
               r.non_finite_frames, r.dropped_frames, r.gap_frames, bits(r.noise_floor_dbfs), bits(r.snr_db));
        print_scores(scores, classes);
        while (auricle_session_read_event(session, &e) == AURICLE_OK)
            printf("event %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32
                   " %" PRIu64 "\n", e.is_final, e.id, e.class_index, e.onset_frame, e.offset_frame, e.decided_frame,
                   bits(e.peak_score), bits(e.mean_score), e.lost_before);
    }
    check(status);
    while (status == AURICLE_END && auricle_session_read_event(session, &e) == AURICLE_OK)
        printf("event %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32
               " %" PRIu64 "\n", e.is_final, e.id, e.class_index, e.onset_frame, e.offset_frame, e.decided_frame,
               bits(e.peak_score), bits(e.mean_score), e.lost_before);
}

int main(int argc, char **argv)
{
    enum { MAX = 10 * 48000 };
    static float audio[MAX * 2];
    float scores[64];
    auricle_model *model = NULL;
    auricle_session *session = NULL;
    auricle_session_options options;
    size_t frames = fread(audio, 2 * sizeof *audio, MAX, stdin), block, at, classes;

    if (argc != 4)
        return 2;
    block = strtoul(argv[2], NULL, 10);
    auricle_session_options_init(&options);
    options.sample_rate = 48000;
    options.channels = 2;
    options.stream_json = argv[3];
    check(auricle_model_load(argv[1], NULL, &model));
    classes = auricle_model_class_count(model);
    check(auricle_classify_f32(model, audio, frames, 2, 48000, scores, 64));
    printf("clip");
    print_scores(scores, classes);
    check(auricle_session_create(model, &options, &session));
    for (at = 0; at < frames; at += block) {
        check(auricle_session_push_f32(session, audio + 2 * at, frames - at < block ? frames - at : block));
        read_all(session, classes);
    }
    check(auricle_session_finish(session));
    read_all(session, classes);
    auricle_session_free(session);
    auricle_model_free(model);
    return 0;
}
