/* golden WAV MODEL [MANIFEST]: classifies a mono 16-bit WAV file with a 44-byte header and writes the scores to the
 * standard output as they lie in memory, so that the reader can compare them bit for bit. */

#include <auricle.h>
#include <stdio.h>
#include <stdlib.h>

static void *read_file(const char *path, size_t *size)
{
    size_t capacity = 1 << 24;
    char *bytes = malloc(capacity);
    FILE *file = fopen(path, "rb");
    if (!bytes || !file) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(2);
    }
    *size = fread(bytes, 1, capacity - 1, file);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    auricle_model *model = NULL;
    auricle_status status;
    size_t wav_size, onnx_size, json_size, frames, classes, k;
    unsigned char *wav;
    char *onnx, *json;
    float *samples, *scores;

    if (argc < 3)
        return 2;
    wav = read_file(argv[1], &wav_size);
    onnx = read_file(argv[2], &onnx_size);
    json = argc > 3 ? read_file(argv[3], &json_size) : NULL;
    status = auricle_model_load_memory(onnx, onnx_size, json, NULL, &model);
    frames = (wav_size - 44) / 2;
    classes = auricle_model_class_count(model);
    samples = malloc(frames * sizeof *samples);
    scores = malloc((classes + 1) * sizeof *scores);
    if (status == AURICLE_OK && samples && scores) {
        for (k = 0; k < frames; k++) {
            int value = wav[44 + 2 * k] | wav[45 + 2 * k] << 8;
            samples[k] = (float)(value < 32768 ? value : value - 65536) / 32768.0f;
        }
        status = auricle_classify_f32(model, samples, frames, 1, 16000, scores, classes);
    }
    if (status != AURICLE_OK)
        fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
    else
        fwrite(scores, sizeof *scores, classes, stdout);
    auricle_model_free(model);
    free(scores);
    free(samples);
    free(json);
    free(onnx);
    free(wav);
    return status != AURICLE_OK;
}
