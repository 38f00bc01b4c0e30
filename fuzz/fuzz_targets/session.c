/* Any sequence of calls that a C program may make, valid pointers where the header demands them.
 *
 * Input: a byte that says whether the model is the input's own, which can be freed under a session but takes long to
 * load, or one for all inputs; session options; then calls: one byte says which, the next ones are its arguments.
 * The library must answer every call with a status that the header knows, never with AURICLE_INTERNAL (a defect
 * that it caught), and must not touch what is not its own: the Rust side is built with AddressSanitizer, and what it
 * is given here lies in allocations of exactly the promised size. */

#include <auricle.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                    \
    do {                                                                                                    \
        if (!(condition)) {                                                                                 \
            fprintf(stderr, "%s:%d: %s does not hold; last error: %s\n", __FILE__, __LINE__, #condition,    \
                    auricle_last_error());                                                                  \
            abort();                                                                                        \
        }                                                                                                   \
    } while (0)

static const uint8_t *input;
static size_t left;

static uint8_t byte(void)
{
    if (left == 0)
        return 0;
    left--;
    return *input++;
}

static uint32_t word(void)
{
    uint32_t low = byte();
    return low | (uint32_t)byte() << 8;
}

static void known(auricle_status status)
{
    CHECK(status != AURICLE_INTERNAL);
    CHECK(status >= AURICLE_OK ? status <= AURICLE_CANCELLED : auricle_last_error()[0] != '\0');
    CHECK(auricle_status_text(status)[0] != '\0');
}

/* `bytes` bytes: up to 16 bytes of the input, again and again. */
static void *audio(size_t bytes)
{
    size_t length = 1 + byte() % 16, k;
    uint8_t *block = malloc(bytes > 0 ? bytes : 1);
    CHECK(block);
    for (k = 0; k < length; k++) {
        uint8_t value = byte();
        if (k < bytes)
            block[k] = value;
    }
    for (; k < bytes; k++)
        block[k] = block[k - length];
    return block;
}

static size_t width(int32_t format)
{
    switch (format) {
    case AURICLE_U8: return 1;
    case AURICLE_I16: return 2;
    case AURICLE_I24: return 3;
    case AURICLE_I32: return 4;
    case AURICLE_F32: return 4;
    default: return 8; /* F64, and room enough for formats that do not exist */
    }
}

static auricle_session_options chosen(void)
{
    static const uint32_t rates[] = {0, 8000, 16000, 22050, 44100, 48000, 192000, 384000, 1000, 999, 384001, UINT32_MAX, 11025};
    static const double hops[] = {0.0, 0.01, 0.25, 1.0, 3.7, -1.0, 1e300, NAN};
    static const double rings[] = {0.0, 0.1, 0.001, 5.0, 600.0, 601.0, -0.5, INFINITY};
    static const char *const streams[] = {
        NULL, "{ \"events\": { \"on\": 0.1, \"off\": 0.0 } }",
        "{ \"hop_seconds\": 0.02, \"smoothing\": \"median\", \"smoothing_seconds\": 0.1, \"events\": { \"on\": -1, \"off\": -1, "
        "\"min_on_seconds\": 0.05, \"min_off_seconds\": 0.05, \"merge_seconds\": 0.2, \"refractory_seconds\": 0.1, \"deny\": [\"mean\"] } }",
        "{ \"smoothing_seconds\": 0.3, \"events\": { \"classes\": { \"max\": { \"on\": 1e30, \"off\": -1e30 } } } }", "{ \"events\": 1 }",
    };
    auricle_session_options options;
    uint8_t choice;
    auricle_session_options_init(&options);
    choice = byte();
    options.stream_json = streams[choice % 8 < 5 ? choice % 8 : 1];
    options.overflow = choice / 8 % 4 - (choice >= 250);
    options.max_windows_per_read = choice / 32 % 4;
    choice = byte();
    options.sample_rate = rates[choice % 12];
    options.channels = byte() % 10;
    choice = byte();
    options.hop_seconds = hops[choice % 8];
    options.ring_seconds = rings[choice / 8 % 4]; /* the long ones are slow: see the call that makes a session anew */
    options.channel = choice / 8 >= 31 ? choice % 10 : 0;
    return options;
}

static void push(auricle_session *session, uint32_t channels)
{
    size_t frames = word() % 16384, block, k; /* more is slow and shows nothing new */
    int32_t format = (int32_t)(byte() % 9) - 1;
    const void *planes[16];
    void *data;
    switch (byte() % 5) {
    case 0:
        data = audio(frames * channels * sizeof(float));
        known(auricle_session_push_f32(session, data, frames));
        break;
    case 1:
        data = audio(frames * channels * sizeof(int16_t));
        known(auricle_session_push_i16(session, data, frames));
        break;
    case 2:
        data = audio(frames * channels * width(format));
        known(auricle_session_push_bytes(session, format, data, frames));
        break;
    case 3:
        block = frames * sizeof(float);
        data = audio(block * channels);
        for (k = 0; k < channels; k++)
            planes[k] = (uint8_t *)data + k * block;
        known(auricle_session_push_planar_f32(session, (const float *const *)planes, frames));
        break;
    default:
        block = frames * width(format);
        data = audio(block * channels);
        for (k = 0; k < channels; k++)
            planes[k] = (uint8_t *)data + k * block;
        known(auricle_session_push_planar_bytes(session, format, planes, frames));
        break;
    }
    free(data);
}

/* What must be refused, whatever the state. */
static void refuse(auricle_session *session, const auricle_model *model)
{
    const float sample = 0.0f;
    float score = 0.0f;
    auricle_result result;
    size_t needed = 0;
    auricle_result_init(&result);
    switch (byte() % 12) {
    case 0: CHECK(auricle_session_push_f32(session, NULL, 1) < 0); break;
    case 1: CHECK(auricle_session_push_f32(session, &sample, SIZE_MAX) < 0); break;
    case 2: CHECK(auricle_session_push_bytes(session, AURICLE_F64, &sample, SIZE_MAX / 8) < 0); break;
    case 3: CHECK(auricle_session_push_planar_f32(session, NULL, 1) < 0); break;
    case 4: CHECK(auricle_session_read(session, NULL, 4, &result) < 0); break;
    case 5: CHECK(auricle_session_read(session, &score, 1, NULL) < 0); break;
    case 6: CHECK(auricle_session_read(NULL, &score, 1, &result) < 0); break;
    case 7:
        result.struct_size = byte();
        /* 88 bytes: the first version of the struct, which a program may still have. */
        CHECK(result.struct_size >= 88 || auricle_session_read(session, &score, 0, &result) < 0);
        break;
    case 8: CHECK(auricle_classify_f32(model, NULL, 1, 1, 16000, &score, 1) < 0); break;
    case 9: CHECK(auricle_classify_f32(model, &sample, SIZE_MAX / 2, 8, 16000, &score, 1) < 0); break;
    case 10: CHECK(auricle_model_describe(model, NULL, 1, &needed) < 0); break;
    default: CHECK(auricle_model_label(model, auricle_model_class_count(model) + word()) == NULL); break;
    }
}

static void read_window(auricle_session *session, size_t classes, uint64_t *next)
{
    const uint8_t choice = byte() % 5;
    const size_t capacity = choice == 4 ? 0 : choice == 3 ? classes - 1 : classes;
    float *scores = malloc(capacity > 0 ? capacity * sizeof *scores : 1);
    auricle_result result;
    auricle_status status;
    size_t k;
    CHECK(scores);
    auricle_result_init(&result);
    status = auricle_session_read(session, scores, capacity, &result);
    known(status);
    CHECK(status != AURICLE_OK || capacity != classes - 1);
    if (status == AURICLE_OK) {
        CHECK(result.first_frame < result.end_frame);
        CHECK(result.sequence >= *next);
        *next = result.sequence + 1;
        for (k = 0; k < capacity; k++)
            CHECK(isfinite(scores[k]));
    }
    free(scores);
}

/* Events have a place, and their numbers go up by one, but for those that were given up. */
static void read_events(auricle_session *session, uint64_t *first)
{
    auricle_event event;
    auricle_status status;
    auricle_event_init(&event);
    while ((status = auricle_session_read_event(session, &event)) == AURICLE_OK) {
        CHECK(event.onset_frame < event.offset_frame && event.onset_frame < event.decided_frame);
        CHECK(event.peak_score >= event.mean_score && event.id > 0);
        if (!event.is_final) {
            CHECK(event.id > *first && (event.lost_before > 0 || event.id == *first + 1 || *first == 0));
            *first = event.id;
        }
    }
    known(status);
}

/* Calls of any thread, and waiting. */
static void others(auricle_session *session)
{
    uint64_t frames = 0;
    switch (byte() % 4) {
    case 0: known(auricle_session_cancel(session)); break;
    case 1: known(auricle_session_wait(session, byte() % 2)); break;
    default: known(auricle_session_pending(session, &frames)); break;
    }
}

static void classify(const auricle_model *model, size_t classes)
{
    const uint32_t rates[] = {8000, 16000, 44100, 0, 384000};
    const uint32_t channels = byte() % 10, rate = rates[byte() % 5];
    const size_t frames = word() % 20000;
    float *clip = audio(frames * channels * sizeof *clip);
    float *scores = malloc(classes * sizeof *scores);
    CHECK(scores);
    known(auricle_classify_f32(model, clip, frames, channels, rate, scores, classes));
    free(scores);
    free(clip);
}

void auricle_fuzz_session(const uint8_t *data, size_t size, const void *onnx, size_t onnx_size, const char *manifest);

void auricle_fuzz_session(const uint8_t *data, size_t size, const void *onnx, size_t onnx_size, const char *manifest)
{
    static auricle_model *shared;
    auricle_model *model = NULL;
    auricle_session *session = NULL;
    auricle_session_options options;
    uint64_t next = 0, event = 0;
    int own;
    uint32_t channels;
    size_t classes;
    int calls;

    input = data;
    left = size;
    own = byte() % 8 == 0;
    if (own || !shared)
        CHECK(auricle_model_load_memory(onnx, onnx_size, manifest, NULL, &model) == AURICLE_OK);
    if (!own) {
        shared = shared ? shared : model;
        model = shared;
    }
    classes = auricle_model_class_count(model);
    options = chosen();
    known(auricle_session_create(model, &options, &session));
    channels = options.channels ? options.channels : 1;

    for (calls = 0; left > 0 && calls < 64; calls++) {
        /* Without a session every call must refuse NULL and nothing more. */
        switch (byte() % 16) {
        case 0: case 1: case 2: case 3: push(session, channels); break;
        case 4: case 5: case 6: read_window(session, classes, &next); break;
        case 7: known(auricle_session_gap(session, (uint64_t)word() << (byte() % 64))); break;
        case 8: known(auricle_session_finish(session)); break;
        case 9:
            known(auricle_session_reset(session));
            next = event = 0;
            break;
        case 10: refuse(session, model); break;
        case 11:
            if (model)
                classify(model, classes);
            break;
        case 12: case 13: read_events(session, &event); break;
        case 14: others(session); break;
        default:
            if (byte() % 2 == 0) { /* the session goes on without it */
                if (own)
                    auricle_model_free(model);
                model = NULL;
            } else if (model) {
                auricle_session_free(session);
                session = NULL;
                options = chosen();
                known(auricle_session_create(model, &options, &session));
                channels = options.channels ? options.channels : 1;
                next = event = 0;
            }
            break;
        }
    }
    if (own && size % 2 == 0)
        auricle_model_free(model);
    auricle_session_free(session);
    if (own && size % 2 == 1)
        auricle_model_free(model);
}
