/* Classifies a recording as a live program with one thread would: 10 ms pushed at a time, scores and events read as
 * they come.
 *
 *   classify MODEL.onnx FILE.wav              WAV with 16-bit PCM, 1 to 8 channels, 8 to 384 kHz
 *   classify MODEL.onnx - RATE CHANNELS       raw 32-bit floats, interleaved, from the standard input
 *
 * ONNX Runtime is found beside libauricle or through ORT_DYLIB_PATH.
 */
#include <auricle.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    FILE *file;
    uint32_t rate, channels;
    size_t sample_bytes; /* 2: int16_t, 4: float */
    uint64_t frames;     /* left to read */
} source;

static uint32_t little_endian(const unsigned char *bytes, int count)
{
    uint32_t value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

/* Opens a WAV file and stops at its first sample. Returns NULL, or what is wrong. */
static const char *open_wav(const char *path, source *in)
{
    unsigned char head[12], chunk[8], format[16];
    int have_format = 0;

    in->file = fopen(path, "rb");
    if (!in->file)
        return "cannot be opened";
    if (fread(head, 1, 12, in->file) != 12 || memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVE", 4))
        return "is not a WAV file";
    while (fread(chunk, 1, 8, in->file) == 8) {
        uint32_t size = little_endian(chunk + 4, 4);
        if (!memcmp(chunk, "data", 4)) {
            if (!have_format)
                return "has its data before its format";
            in->frames = size / (in->channels * in->sample_bytes);
            return NULL;
        }
        if (!memcmp(chunk, "fmt ", 4) && size >= 16) {
            uint32_t kind, bits;
            if (fread(format, 1, 16, in->file) != 16)
                break;
            size -= 16;
            kind = little_endian(format, 2); /* 1: PCM; 0xfffe: WAVE_FORMAT_EXTENSIBLE */
            bits = little_endian(format + 14, 2);
            in->channels = little_endian(format + 2, 2);
            in->rate = little_endian(format + 4, 4);
            in->sample_bytes = 2;
            if ((kind != 1 && kind != 0xfffe) || bits != 16 || in->channels < 1 || in->channels > 8)
                return "is not 16-bit PCM with 1 to 8 channels";
            have_format = 1;
        }
        if (fseek(in->file, (long)size + (long)(size & 1), SEEK_CUR)) /* chunks have even lengths */
            break;
    }
    return "ends before its data";
}

static auricle_status push(auricle_session *session, const source *in, const void *block, size_t frames)
{
    return auricle_session_push_bytes(session, in->sample_bytes == 2 ? AURICLE_I16 : AURICLE_F32, block, frames);
}

/* One line for a window: where it starts, a bar, and the best three classes. */
static void print_window(const auricle_model *model, const float *scores, const auricle_result *result, uint32_t rate)
{
    size_t classes = auricle_model_class_count(model), best[3] = {0, 0, 0}, count = 0, i, k;

    for (i = 0; i < classes; i++) {
        for (k = count; k > 0 && scores[i] > scores[best[k - 1]]; k--)
            if (k < 3)
                best[k] = best[k - 1];
        if (k < 3)
            best[k] = i;
        if (count < 3)
            count++;
    }
    printf("%8.2f s  ", (double)result->first_frame / rate);
    for (i = 0; i < 20; i++)
        putchar((float)i < scores[best[0]] * 20 ? '#' : '.');
    for (i = 0; i < count; i++)
        printf("  %s %.2f", auricle_model_label(model, best[i]), (double)scores[best[i]]);
    if (result->silent)
        printf("  (silence)");
    if (result->clipped_frames)
        printf("  (%llu frames clipped)", (unsigned long long)result->clipped_frames);
    if (result->dropped_frames)
        printf("  (%llu frames dropped)", (unsigned long long)result->dropped_frames);
    putchar('\n');
}

/* A line for each event that began or is over. */
static auricle_status print_events(const auricle_model *model, auricle_session *session, uint32_t rate)
{
    auricle_event event;
    auricle_status status;

    auricle_event_init(&event);
    while ((status = auricle_session_read_event(session, &event)) == AURICLE_OK) {
        const char *label = auricle_model_label(model, (size_t)event.class_index);
        if (event.is_final)
            printf("event %.2f s to %.2f s: %s, up to %.2f\n", (double)event.onset_frame / rate,
                   (double)event.offset_frame / rate, label, (double)event.peak_score);
        else
            printf("event %.2f s: %s begins\n", (double)event.onset_frame / rate, label);
    }
    return status;
}

/* Pushes the whole source, reads and prints all windows and events. */
static auricle_status run(const auricle_model *model, auricle_session *session, source *in)
{
    const size_t block_frames = in->rate / 100, frame_bytes = in->channels * in->sample_bytes;
    const size_t classes = auricle_model_class_count(model);
    void *block = malloc(block_frames * frame_bytes);
    float *scores = (float *)malloc(classes * sizeof *scores);
    auricle_status status = block && scores ? AURICLE_OK : AURICLE_INTERNAL;
    auricle_result result;

    auricle_result_init(&result);
    while (status >= 0 && status != AURICLE_END) {
        size_t wanted = in->frames < block_frames ? (size_t)in->frames : block_frames;
        size_t frames = fread(block, frame_bytes, wanted, in->file);
        in->frames = frames ? in->frames - frames : 0;
        status = frames ? push(session, in, block, frames) : auricle_session_finish(session);
        if (status < 0)
            break;
        while ((status = auricle_session_read(session, scores, classes, &result)) == AURICLE_OK)
            print_window(model, scores, &result, in->rate);
        if (status >= 0 && print_events(model, session, in->rate) < 0)
            status = AURICLE_INTERNAL;
    }
    free(scores);
    free(block);
    return status;
}

int main(int argc, char **argv)
{
    source in = {NULL, 0, 0, 4, UINT64_MAX};
    auricle_model *model = NULL;
    auricle_session *session = NULL;
    auricle_session_options options;
    auricle_status status;

    if (argc == 5 && !strcmp(argv[2], "-")) {
        in.file = stdin;
        in.rate = (uint32_t)strtoul(argv[3], NULL, 10);
        in.channels = (uint32_t)strtoul(argv[4], NULL, 10);
        if (in.rate < 100 || in.channels < 1) {
            fprintf(stderr, "RATE is in Hz, CHANNELS at least 1; given: %s %s\n", argv[3], argv[4]);
            return EXIT_FAILURE;
        }
    } else if (argc == 3) {
        const char *problem = open_wav(argv[2], &in);
        if (problem) {
            fprintf(stderr, "%s %s\n", argv[2], problem);
            return EXIT_FAILURE;
        }
    } else {
        fprintf(stderr, "usage: %s MODEL.onnx FILE.wav | MODEL.onnx - RATE CHANNELS\n", argv[0]);
        return EXIT_FAILURE;
    }

    auricle_session_options_init(&options);
    options.sample_rate = in.rate;
    options.channels = in.channels;
    options.stream_json = "{ \"events\": { \"on\": 0.5 } }"; /* NULL: as the model's manifest says */
    status = auricle_model_load(argv[1], NULL, &model);
    if (status == AURICLE_OK)
        status = auricle_session_create(model, &options, &session);
    if (status == AURICLE_OK) {
        printf("%s: %u Hz, %u channels, %u classes\n", argv[2], (unsigned)in.rate, (unsigned)in.channels,
               (unsigned)auricle_model_class_count(model));
        status = run(model, session, &in);
    }
    if (status < 0)
        fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
    auricle_session_free(session);
    auricle_model_free(model);
    if (in.file && in.file != stdin)
        fclose(in.file);
    return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
