/* The host's floating-point state is neither used nor changed: denormals count as 0, nothing traps, results are rounded
 * to nearest, whatever the host has set, and everything of the host is as it was afterwards. glibc on x86-64: other
 * systems cannot unmask exceptions in C. Arguments: the folder tests/data, a model with golden cases. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* feenableexcept */
#endif
#include "check.h"

#include <fenv.h>
#include <math.h>
#include <xmmintrin.h>

enum { RATE = 44100, FRAMES = RATE };

/* What ONNX Runtime says of its threads. It says so once a process. */
static int flushes, keeps;

static void listen(void *user, int32_t level, const char *message)
{
    (void)user;
    (void)level;
    flushes += strstr(message, "denormal-as-zero are on") != NULL;
    keeps += strstr(message, "denormal-as-zero are off") != NULL;
}

typedef struct {
    double interleaved[2 * FRAMES];
    const char *name;
} sound;

static sound sounds[8];

static void make_sounds(void)
{
    static const char *names[] = {"silence", "noise", "denormal", "tiny", "huge", "infinite", "NaN", "fade"};
    float *samples = noise(FRAMES, 2);
    size_t i, k;
    for (k = 0; k < 8; k++)
        sounds[k].name = names[k];
    for (i = 0; i < 2 * FRAMES; i++) {
        double x = (double)samples[i];
        sounds[1].interleaved[i] = x;
        sounds[2].interleaved[i] = x * 1e-40;
        sounds[3].interleaved[i] = x * 1e-300; /* no single-precision number is as small */
        sounds[4].interleaved[i] = x * 1e300;
        sounds[5].interleaved[i] = i % 3 ? (double)INFINITY : -(double)INFINITY;
        sounds[6].interleaved[i] = i % 2 ? (double)NAN : x;
        sounds[7].interleaved[i] = x * pow(0.998, (double)i);
    }
    free(samples);
}

/* The sounds in every format: made before anything is unmasked, for converting would trap here. */
typedef struct {
    unsigned char bytes[7][2 * FRAMES * sizeof(double)];
} formats;

static formats all[8];

static void make_formats(void)
{
    size_t k, i;
    for (k = 0; k < 8; k++) {
        for (i = 0; i < 2 * FRAMES; i++) {
            double x = sounds[k].interleaved[i], bounded = isnan(x) || x > 1 || x < -1 ? 0.5 : x;
            float single = (float)x;
            int32_t whole = (int32_t)(bounded * 2147483000.0);
            int16_t half = (int16_t)(bounded * 32767.0);
            memcpy(all[k].bytes[AURICLE_I16] + 2 * i, &half, 2);
            memcpy(all[k].bytes[AURICLE_I32] + 4 * i, &whole, 4);
            memcpy(all[k].bytes[AURICLE_F32] + 4 * i, &single, 4);
            memcpy(all[k].bytes[AURICLE_F64] + 8 * i, &x, 8);
        }
        memcpy(all[k].bytes[AURICLE_U8], all[k].bytes[AURICLE_I32], 2 * FRAMES);
        memcpy(all[k].bytes[AURICLE_I24], all[k].bytes[AURICLE_I32], 6 * FRAMES);
    }
}

/* A signalling NaN, which the first instruction that looks at it would report. */
static void plant_signalling_nan(void)
{
    static const uint32_t single = 0x7f800001u;
    static const uint64_t whole = 0x7ff0000000000001u;
    memcpy(all[6].bytes[AURICLE_F32], &single, sizeof single);
    memcpy(all[6].bytes[AURICLE_F64], &whole, sizeof whole);
}

/* Loads, streams and classifies one sound in one format, by every function that computes. Writes the scores of the last
 * window and of the clip. Nothing is computed with floats on this side. */
static void use_all(const char *folder, size_t k, int32_t format, float *scores)
{
    auricle_model *model = load_tiny(folder);
    auricle_session *session = NULL;
    auricle_session_options options;
    auricle_result result;
    auricle_event event;
    auricle_status status = AURICLE_OK;
    const void *planes[2];
    uint64_t pending;
    int windows = 0;

    auricle_session_options_init(&options);
    options.sample_rate = RATE;
    options.channels = 2;
    options.ring_seconds = 20;
    options.stream_json = "{\"smoothing_seconds\":0.7,\"events\":{\"on\":0.34,\"off\":0.33}}";
    OK(auricle_session_create(model, &options, &session));
    OK(auricle_session_push_bytes(session, format, all[k].bytes[format], FRAMES));
    planes[0] = all[k].bytes[format];
    planes[1] = all[k].bytes[format];
    OK(auricle_session_push_planar_bytes(session, format, planes, FRAMES));
    if (format == AURICLE_F32)
        OK(auricle_session_push_f32(session, (const float *)planes[0], RATE));
    if (format == AURICLE_I16)
        OK(auricle_session_push_i16(session, (const int16_t *)planes[0], RATE));
    OK(auricle_session_gap(session, 100));
    OK(auricle_session_finish(session));
    OK(auricle_session_pending(session, &pending));
    OK(auricle_session_wait(session, 10));
    auricle_result_init(&result);
    auricle_event_init(&event);
    while ((status = auricle_session_read(session, scores, TINY_CLASSES, &result)) == AURICLE_OK)
        windows++;
    CHECK(status == AURICLE_END && windows > 4);
    while ((status = auricle_session_read_event(session, &event)) == AURICLE_OK)
        windows++;
    CHECK(status == AURICLE_AGAIN);
    auricle_session_free(session);
    if (format == AURICLE_F32)
        OK(auricle_classify_f32(model, (const float *)planes[0], FRAMES, 2, RATE, scores + TINY_CLASSES, TINY_CLASSES));
    else
        memset(scores + TINY_CLASSES, 0, TINY_CLASSES * sizeof *scores);
    auricle_model_free(model);
}

static float usual[8][7][2 * TINY_CLASSES];

/* `use_all` on everything, in a state that this thread has set; the scores are those of the usual state. */
static void in_state(const char *folder, const char *state, int traps, int rounding, unsigned flags)
{
    float scores[2 * TINY_CLASSES];
    unsigned before, after, i;
    int32_t format;
    size_t k;
    for (k = 0; k < 8; k++) {
        for (format = AURICLE_U8; format <= AURICLE_F64; format++) {
            feclearexcept(FE_ALL_EXCEPT);
            fesetround(rounding);
            feenableexcept(traps);
            _mm_setcsr(_mm_getcsr() | flags);
            before = _mm_getcsr();
            use_all(folder, k, format, scores);
            after = _mm_getcsr();
            i = (unsigned)fetestexcept(FE_ALL_EXCEPT);
            CHECK(fegetround() == rounding && fegetexcept() == traps);
            _mm_setcsr(0x1f80);
            fedisableexcept(FE_ALL_EXCEPT);
            fesetround(FE_TONEAREST);
            if (CHECK(after == before) || CHECK(i == 0) || CHECK(!memcmp(scores, usual[k][format], sizeof scores)))
                fprintf(stderr, "    %s, %s, format %d: MXCSR %x, then %x; flags %x\n", state, sounds[k].name,
                        (int)format, before, after, i);
        }
    }
}

/* The scores of probe.onnx are samples: they show what the network saw and computed. */
static void denormals_are_zero(const char *folder)
{
    static const float zeros[PROBE_CLASSES];
    static float denormal[PROBE_WINDOW], half[PROBE_WINDOW];
    auricle_model *model = load_probe(folder);
    auricle_session *session = create(model, PROBE_RATE, 1);
    float scores[PROBE_CLASSES];
    auricle_result result;
    int i;

    auricle_result_init(&result);
    for (i = 0; i < PROBE_WINDOW; i++) {
        denormal[i] = 1e-40f;
        half[i] = i < PROBE_WINDOW / 2 ? 2e-38f : 0.0f; /* a mean of 1e-38, which is below the normal range */
    }
    OK(auricle_session_push_f32(session, denormal, PROBE_WINDOW));
    OK(auricle_session_read(session, scores, PROBE_CLASSES, &result));
    CHECK(!memcmp(scores, zeros, sizeof zeros));
    OK(auricle_classify_f32(model, denormal, PROBE_WINDOW, 1, PROBE_RATE, scores, PROBE_CLASSES));
    CHECK(!memcmp(scores, zeros, sizeof zeros));
    OK(auricle_session_push_f32(session, half, PROBE_WINDOW));
    OK(auricle_session_read(session, scores, PROBE_CLASSES, &result));
    CHECK(!memcmp(scores + 2, zeros, sizeof *zeros));
    CHECK(!memcmp(scores, half, sizeof *half) && !memcmp(scores + 3, half, sizeof *half));
    auricle_session_free(session);
    auricle_model_free(model);
}

/* A model that proves, in the host's state, that it computes what it computed where it was made. */
static void golden_cases_hold(const char *path)
{
    auricle_model *model = NULL;
    auricle_model_options options;
    auricle_model_options_init(&options);
    options.self_check = 1;
    fesetround(FE_UPWARD);
    feenableexcept(FE_ALL_EXCEPT);
    OK(auricle_model_load(path, &options, &model));
    CHECK(fegetround() == FE_UPWARD && fegetexcept() == FE_ALL_EXCEPT);
    fedisableexcept(FE_ALL_EXCEPT);
    fesetround(FE_TONEAREST);
    auricle_model_free(model);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    int32_t format;
    size_t k;

    make_sounds();
    make_formats();
    plant_signalling_nan();
    OK(auricle_set_log(listen, NULL, AURICLE_LOG_DEBUG));
    if (argc > 2)
        golden_cases_hold(argv[2]); /* first: it opens ONNX Runtime too */
    CHECK(flushes == 1 && keeps == 0);
    OK(auricle_set_log(NULL, NULL, 0));
    for (k = 0; k < 8; k++)
        for (format = AURICLE_U8; format <= AURICLE_F64; format++)
            use_all(folder, k, format, usual[k][format]);
    in_state(folder, "exceptions unmasked", FE_ALL_EXCEPT, FE_TONEAREST, 0);
    in_state(folder, "rounding upwards", 0, FE_UPWARD, 0);
    in_state(folder, "rounding towards zero", 0, FE_TOWARDZERO, 0);
    in_state(folder, "flush to zero, denormals are zero", 0, FE_TONEAREST, 0x8040);
    denormals_are_zero(folder);
    return DONE();
}
