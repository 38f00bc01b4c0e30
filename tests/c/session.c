/* What a session refuses, and what it takes: arguments, options, formats. */
#include "check.h"

static void arguments(const auricle_model *model)
{
    auricle_session *session = NULL;
    auricle_result result;
    float samples[64] = {0}, scores[TINY_CLASSES];
    const float *planes[2];
    const void *bytes[2];
    int16_t whole[64] = {0};
    const size_t count = 32;
    size_t absurd[3], i;

    auricle_result_init(&result);
    planes[0] = samples;
    planes[1] = NULL;
    bytes[0] = samples;
    bytes[1] = NULL;

    EXPECT(AURICLE_INVALID_ARGUMENT, "model is NULL", auricle_session_create(NULL, NULL, &session));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_create(model, NULL, NULL));
    CHECK(session == NULL);
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_push_f32(NULL, samples, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_push_i16(NULL, whole, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_push_bytes(NULL, AURICLE_U8, whole, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_push_planar_f32(NULL, planes, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL",
           auricle_session_push_planar_bytes(NULL, AURICLE_U8, bytes, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_gap(NULL, 1));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_finish(NULL));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_reset(NULL));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_read(NULL, scores, TINY_CLASSES, &result));
    auricle_session_free(NULL);

    session = create(model, 16000, 2);
    EXPECT(AURICLE_INVALID_ARGUMENT, "interleaved is NULL", auricle_session_push_f32(session, NULL, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "interleaved is NULL", auricle_session_push_i16(session, NULL, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "data is NULL", auricle_session_push_bytes(session, AURICLE_F64, NULL, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "channels is NULL", auricle_session_push_planar_f32(session, NULL, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "a channel is NULL", auricle_session_push_planar_f32(session, planes, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "channels is NULL",
           auricle_session_push_planar_bytes(session, AURICLE_I24, NULL, count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "a channel is NULL",
           auricle_session_push_planar_bytes(session, AURICLE_I24, bytes, 8));

    OK(auricle_session_push_f32(session, NULL, 0));
    OK(auricle_session_push_i16(session, NULL, 0));
    OK(auricle_session_push_bytes(session, AURICLE_U8, NULL, 0));
    OK(auricle_session_push_planar_f32(session, NULL, 0));
    OK(auricle_session_push_planar_bytes(session, AURICLE_U8, NULL, 0));
    OK(auricle_session_gap(session, 0));

    /* Counts whose bytes overflow, or fit into a size_t but into no memory. */
    absurd[0] = SIZE_MAX;
    absurd[1] = SIZE_MAX / 8 + 1;
    absurd[2] = SIZE_MAX / 16 + 1;
    for (i = 0; i < 3; i++) {
        char number[64];
        snprintf(number, sizeof number, "frames is %llu; at most", (unsigned long long)absurd[i]);
        EXPECT(AURICLE_INVALID_ARGUMENT, number, auricle_session_push_f32(session, samples, absurd[i]));
        EXPECT(AURICLE_INVALID_ARGUMENT, number,
               auricle_session_push_bytes(session, AURICLE_F64, samples, absurd[i]));
        EXPECT(AURICLE_INVALID_ARGUMENT, number,
               auricle_session_push_planar_bytes(session, AURICLE_F64, bytes, absurd[i]));
    }
    EXPECT(AURICLE_INVALID_ARGUMENT, "frames is", auricle_session_push_i16(session, whole, SIZE_MAX));
    EXPECT(AURICLE_INVALID_ARGUMENT, "frames is", auricle_session_push_planar_f32(session, planes, SIZE_MAX));
    EXPECT(AURICLE_INVALID_ARGUMENT, "format is 0", auricle_session_push_bytes(session, 0, samples, 1));
    EXPECT(AURICLE_INVALID_ARGUMENT, "format is 7", auricle_session_push_bytes(session, 7, samples, 1));
    EXPECT(AURICLE_INVALID_ARGUMENT, "format is -1", auricle_session_push_planar_bytes(session, -1, bytes, 1));

    EXPECT(AURICLE_INVALID_ARGUMENT, "scores is NULL", auricle_session_read(session, NULL, TINY_CLASSES, &result));
    EXPECT(AURICLE_INVALID_ARGUMENT, "result is NULL", auricle_session_read(session, scores, TINY_CLASSES, NULL));
    EXPECT(AURICLE_INVALID_ARGUMENT, "capacity is", auricle_session_read(session, scores, SIZE_MAX, &result));
    EXPECT(AURICLE_AGAIN, "", auricle_session_read(session, NULL, 0, &result)); /* the scores are not wanted */
    EXPECT(AURICLE_BUFFER_TOO_SMALL, "3 classes", auricle_session_read(session, scores, 2, &result));
    EXPECT(AURICLE_AGAIN, "", auricle_session_read(session, scores, TINY_CLASSES, &result));
    CHECK(result.end_frame == 0);
    auricle_session_free(session);
}

static void options(const auricle_model *model)
{
    struct {
        auricle_session_options known;
        double unknown[2];
    } newer;
    auricle_session_options options;
    auricle_session *session = NULL;
    auricle_result result;
    float scores[TINY_CLASSES], *samples = noise(TINY_WINDOW, 1);
    const double zero = 0, nan = zero / zero;

    auricle_session_options_init(&options);
    options.sample_rate = 999;
    EXPECT(AURICLE_INVALID_ARGUMENT, "999", auricle_session_create(model, &options, &session));
    options.sample_rate = 384001;
    EXPECT(AURICLE_INVALID_ARGUMENT, "384001", auricle_session_create(model, &options, &session));
    options.sample_rate = 48000;
    options.channels = 9;
    EXPECT(AURICLE_INVALID_ARGUMENT, "channels is 9", auricle_session_create(model, &options, &session));
    options.channels = UINT32_MAX;
    EXPECT(AURICLE_INVALID_ARGUMENT, "channels is", auricle_session_create(model, &options, &session));
    options.channels = 8;
    options.hop_seconds = -1;
    EXPECT(AURICLE_INVALID_ARGUMENT, "hop_seconds is -1", auricle_session_create(model, &options, &session));
    options.hop_seconds = nan;
    EXPECT(AURICLE_INVALID_ARGUMENT, "hop_seconds is NaN", auricle_session_create(model, &options, &session));
    options.hop_seconds = 1e300;
    EXPECT(AURICLE_INVALID_ARGUMENT, "hop_seconds", auricle_session_create(model, &options, &session));
    options.hop_seconds = 0;
    options.ring_seconds = nan;
    EXPECT(AURICLE_INVALID_ARGUMENT, "ring_seconds is NaN", auricle_session_create(model, &options, &session));
    options.ring_seconds = 1e300;
    EXPECT(AURICLE_INVALID_ARGUMENT, "ring_seconds", auricle_session_create(model, &options, &session));
    options.ring_seconds = -0.5;
    EXPECT(AURICLE_INVALID_ARGUMENT, "ring_seconds", auricle_session_create(model, &options, &session));
    options.ring_seconds = 0;
    options.channel = 9;
    EXPECT(AURICLE_INVALID_ARGUMENT, "channel is 9; valid 1..=8", auricle_session_create(model, &options, &session));
    options.channel = 0;
    options.struct_size = 31;
    EXPECT(AURICLE_INVALID_ARGUMENT, "struct_size is 31", auricle_session_create(model, &options, &session));
    CHECK(session == NULL);

    memset(&newer, 0, sizeof newer);
    newer.known.struct_size = sizeof newer;
    OK(auricle_session_create(model, &newer.known, &session));
    auricle_session_free(session);
    session = NULL;
    newer.unknown[1] = 0.5;
    EXPECT(AURICLE_INVALID_ARGUMENT, "not known to Auricle", auricle_session_create(model, &newer.known, &session));

    /* All defaults: mono at the model's rate, the manifest's hop. */
    OK(auricle_session_create(model, NULL, &session));
    OK(auricle_session_push_f32(session, samples, TINY_WINDOW));
    auricle_result_init(&result);
    OK(auricle_session_read(session, scores, TINY_CLASSES, &result));
    CHECK(result.first_frame == 0 && result.end_frame == TINY_WINDOW && result.sequence == 0);
    OK(auricle_session_push_f32(session, samples, TINY_HOP));
    OK(auricle_session_read(session, scores, TINY_CLASSES, &result));
    CHECK(result.first_frame == TINY_HOP && result.sequence == 1);
    auricle_session_free(session);
    session = NULL;

    options.struct_size = sizeof options;
    options.sample_rate = 0;
    options.channels = 1;
    options.hop_seconds = 0.125;
    OK(auricle_session_create(model, &options, &session));
    OK(auricle_session_push_f32(session, samples, TINY_WINDOW));
    OK(auricle_session_push_f32(session, samples, 2000));
    OK(auricle_session_read(session, scores, TINY_CLASSES, &result));
    OK(auricle_session_read(session, scores, TINY_CLASSES, &result));
    CHECK(result.first_frame == 2000);
    auricle_session_free(session);
    free(samples);
}

/* A program whose struct is larger than the library's, and one whose size is wrong. */
static void results(const auricle_model *model)
{
    struct {
        auricle_result known;
        uint64_t unknown[2];
    } newer;
    float scores[TINY_CLASSES + 1], *samples = noise(TINY_WINDOW, 1);
    auricle_session *session = create(model, TINY_RATE, 1);

    OK(auricle_session_push_f32(session, samples, TINY_WINDOW));
    memset(&newer, 0xee, sizeof newer);
    EXPECT(AURICLE_INVALID_ARGUMENT, "result->struct_size", auricle_session_read(session, scores, 3, &newer.known));
    newer.known.struct_size = 87;
    EXPECT(AURICLE_INVALID_ARGUMENT, "valid 88..=4096", auricle_session_read(session, scores, 3, &newer.known));
    newer.known.struct_size = sizeof newer;
    scores[TINY_CLASSES] = -7;
    OK(auricle_session_read(session, scores, TINY_CLASSES + 1, &newer.known));
    CHECK(newer.known.struct_size == sizeof newer && newer.known.end_frame == TINY_WINDOW);
    CHECK(newer.unknown[0] == 0xeeeeeeeeeeeeeeeeu && newer.unknown[1] == 0xeeeeeeeeeeeeeeeeu);
    CHECK(scores[TINY_CLASSES] == -7.0f);

    /* A program that was compiled against the first version of the struct. */
    OK(auricle_session_reset(session));
    OK(auricle_session_push_f32(session, samples, TINY_WINDOW));
    memset(&newer, 0, sizeof newer);
    newer.known.struct_size = 88;
    newer.known.snr_db = newer.known.noise_floor_dbfs = 777;
    OK(auricle_session_read(session, scores, TINY_CLASSES, &newer.known));
    CHECK(newer.known.struct_size == 88 && newer.known.end_frame == TINY_WINDOW);
    CHECK(newer.known.snr_db == 777.0f && newer.known.noise_floor_dbfs == 777.0f);
    auricle_session_free(session);
    free(samples);
}

/* Every format and both layouts carry the same sound: two channels, 0.5 and 0.25, the last frame -0.5 in both. */
static void formats(const auricle_model *model)
{
    static const double wanted[2] = {0.5, 0.25};
    static const int sizes[] = {0, 1, 2, 3, 4, 4, 8};
    unsigned char *data = (unsigned char *)malloc(2 * 8 * PROBE_WINDOW + 1);
    unsigned char *plane[2];
    const void *planes[2];
    auricle_result result;
    float scores[PROBE_CLASSES];
    int32_t format;
    int planar;

    auricle_result_init(&result);
    plane[0] = (unsigned char *)malloc(8 * PROBE_WINDOW + 1);
    plane[1] = (unsigned char *)malloc(8 * PROBE_WINDOW + 1);
    for (format = AURICLE_U8; format <= AURICLE_F64; format++)
        for (planar = 0; planar < 2; planar++) {
            auricle_session *session = create(model, PROBE_RATE, 2);
            int size = sizes[format], frame, channel;
            for (frame = 0; frame < PROBE_WINDOW; frame++)
                for (channel = 0; channel < 2; channel++) {
                    /* One byte into the memory: these calls need no alignment. */
                    unsigned char *to = planar ? plane[channel] + 1 + frame * size : data + 1 + (2 * frame + channel) * size;
                    double value = frame == PROBE_WINDOW - 1 ? -0.5 : wanted[channel];
                    float single = (float)value;
                    int16_t i16 = (int16_t)(value * 32768);
                    int32_t i24 = (int32_t)(value * 8388608), i32 = (int32_t)(value * 2147483648.0);
                    switch (format) {
                    case AURICLE_U8: to[0] = (unsigned char)(128 + value * 128); break;
                    case AURICLE_I16: memcpy(to, &i16, 2); break;
                    case AURICLE_I24:
                        to[0] = (unsigned char)(i24 & 255);
                        to[1] = (unsigned char)(i24 >> 8 & 255);
                        to[2] = (unsigned char)(i24 >> 16 & 255);
                        break;
                    case AURICLE_I32: memcpy(to, &i32, 4); break;
                    case AURICLE_F32: memcpy(to, &single, 4); break;
                    default: memcpy(to, &value, 8);
                    }
                }
            planes[0] = plane[0] + 1;
            planes[1] = plane[1] + 1;
            if (planar)
                OK(auricle_session_push_planar_bytes(session, format, planes, PROBE_WINDOW));
            else
                OK(auricle_session_push_bytes(session, format, data + 1, PROBE_WINDOW));
            OK(auricle_session_read(session, scores, PROBE_CLASSES, &result));
            if (CHECK(scores[0] == 0.375f && scores[1] == -0.5f && scores[3] == 0.375f))
                fprintf(stderr, "    format %d, planar %d: first %g last %g mean %g max %g\n", (int)format, planar,
                        (double)scores[0], (double)scores[1], (double)scores[2], (double)scores[3]);
            auricle_session_free(session);
        }
    free(data);
    free(plane[0]);
    free(plane[1]);
}

/* The two typed calls and planar floats agree with the bytes. */
static void typed(const auricle_model *model)
{
    auricle_session *session = create(model, PROBE_RATE, 2);
    float *left = noise(PROBE_WINDOW, 1), *right = noise(PROBE_WINDOW, 1), scores[PROBE_CLASSES];
    float *both = (float *)malloc(2 * PROBE_WINDOW * sizeof *both);
    int16_t *whole = (int16_t *)malloc(2 * PROBE_WINDOW * sizeof *whole);
    const float *planes[2];
    auricle_result result;
    int i;

    auricle_result_init(&result);
    planes[0] = left;
    planes[1] = right;
    for (i = 0; i < PROBE_WINDOW; i++) {
        left[i] = (float)(i % 100) / 128;
        right[i] = 0;
        both[2 * i] = left[i];
        both[2 * i + 1] = right[i];
        whole[2 * i] = (int16_t)(left[i] * 32768);
        whole[2 * i + 1] = 0;
    }
    OK(auricle_session_push_f32(session, both, PROBE_WINDOW));
    OK(auricle_session_push_planar_f32(session, planes, PROBE_WINDOW));
    OK(auricle_session_push_i16(session, whole, PROBE_WINDOW));
    for (i = 0; i < 3; i++) {
        OK(auricle_session_read(session, scores, PROBE_CLASSES, &result));
        CHECK(scores[0] == 0 && scores[1] == 99.0f / 256 && scores[3] == 99.0f / 256);
    }
    EXPECT(AURICLE_AGAIN, "", auricle_session_read(session, scores, PROBE_CLASSES, &result));
    auricle_session_free(session);
    free(left);
    free(right);
    free(both);
    free(whole);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    auricle_model *tiny = load_tiny(folder), *probe = load_probe(folder);
    arguments(tiny);
    options(tiny);
    results(tiny);
    formats(probe);
    typed(probe);
    auricle_model_free(tiny);
    auricle_model_free(probe);
    return DONE();
}
