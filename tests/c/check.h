/* What the C tests share: a check that counts failures, and sound made by a formula. The tests are compiled as C and
 * as C++, so they are written in what both have. The first argument of every program is the folder tests/data. */
#ifndef CHECK_H
#define CHECK_H

#include <auricle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures = 0;

static inline int check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s\n    last error: %s\n", file, line, what, auricle_last_error());
    return ++check_failures;
}

#define CHECK(condition) ((condition) ? 0 : check_failed(__FILE__, __LINE__, #condition))

/* The call returns this status, and if that is an error, the last error holds `text`. */
#define EXPECT(status, text, call) check_status(__FILE__, __LINE__, #call, status, text, call)
#define OK(call) EXPECT(AURICLE_OK, "", call)

static inline void check_status(const char *file, int line, const char *call, int32_t expected, const char *text,
                                int32_t status)
{
    if (status != expected) {
        fprintf(stderr, "%s:%d: status %d (%s), expected %d\n", file, line, (int)status,
                auricle_status_text(status), (int)expected);
        check_failed(file, line, call);
    } else if (status < 0 && !strstr(auricle_last_error(), text)) {
        fprintf(stderr, "%s:%d: the last error lacks \"%s\"\n", file, line, text);
        check_failed(file, line, call);
    }
}

#define DONE() (check_failures ? EXIT_FAILURE : EXIT_SUCCESS)

static inline void data_path(char *path, size_t capacity, const char *folder, const char *name)
{
    int length = snprintf(path, capacity, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= capacity)
        abort();
}

/* The bytes of a file, and a 0 behind them. */
static inline unsigned char *read_file(const char *folder, const char *name, size_t *size)
{
    static const size_t most = 1 << 22;
    char path[1024];
    unsigned char *bytes = (unsigned char *)malloc(most);
    FILE *file;
    data_path(path, sizeof path, folder, name);
    file = fopen(path, "rb");
    if (!file || !bytes) {
        fprintf(stderr, "%s cannot be read\n", path);
        abort();
    }
    *size = fread(bytes, 1, most - 1, file);
    bytes[*size] = 0;
    fclose(file);
    return bytes;
}

/* tiny.onnx: a mel model of 16 kHz, windows of 1 s every 0.25 s, three classes. */
enum { TINY_RATE = 16000, TINY_WINDOW = 16000, TINY_HOP = 4000, TINY_CLASSES = 3 };

static inline auricle_model *load_tiny(const char *folder)
{
    char path[1024];
    auricle_model *model = NULL;
    data_path(path, sizeof path, folder, "tiny.onnx");
    OK(auricle_model_load(path, NULL, &model));
    if (!model)
        exit(EXIT_FAILURE);
    return model;
}

/* probe.onnx: windows of 1600 samples, 0.1 s; its scores are the first, the last, the mean and the largest sample. */
enum { PROBE_RATE = 16000, PROBE_WINDOW = 1600, PROBE_CLASSES = 4 };

static inline auricle_model *load_probe(const char *folder)
{
    static const char manifest[] =
        "{\"auricle\":1,\"labels\":[\"first\",\"last\",\"mean\",\"max\"],\"input\":{\"sample_rate\":16000,"
        "\"window_seconds\":0.1,\"features\":{\"kind\":\"waveform\"},\"layout\":[\"batch\",\"sample\"]},"
        "\"output\":{\"activation\":\"none\"}}";
    auricle_model *model = NULL;
    size_t size;
    unsigned char *onnx = read_file(folder, "probe.onnx", &size);
    OK(auricle_model_load_memory(onnx, size, manifest, NULL, &model));
    free(onnx);
    if (!model)
        exit(EXIT_FAILURE);
    return model;
}

static inline auricle_session *create(const auricle_model *model, uint32_t sample_rate, uint32_t channels)
{
    auricle_session *session = NULL;
    auricle_session_options options;
    auricle_session_options_init(&options);
    options.sample_rate = sample_rate;
    options.channels = channels;
    options.ring_seconds = 20;
    OK(auricle_session_create(model, &options, &session));
    if (!session)
        exit(EXIT_FAILURE);
    return session;
}

/* Noise between -0.5 and 0.5 whose loudness goes up and down, different in every channel. */
static inline float *noise(size_t frames, size_t channels)
{
    float *samples = (float *)malloc(frames * channels * sizeof *samples);
    uint32_t state = 1;
    size_t i;
    if (!samples)
        abort();
    for (i = 0; i < frames * channels; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] = ((float)(state >> 8) / 16777216.0f - 0.5f) * (float)(1 + i / 3000 % 7) / 7.0f;
    }
    return samples;
}

static inline float distance(const float *a, const float *b, size_t count)
{
    float most = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        float d = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
        if (!(d <= most))
            most = d;
    }
    return most;
}

#endif
