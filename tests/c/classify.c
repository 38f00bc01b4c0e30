#include "check.h"

/* Values that every format has: whole 128ths. */
static float step(size_t k)
{
    return (float)((int)(k * k % 7919 % 256) - 128) / 128.0f;
}

static size_t sample_size(int32_t format)
{
    static const size_t sizes[] = {0, 1, 2, 3, 4, 4, 8};
    return sizes[format];
}

static void write_sample(unsigned char *to, int32_t format, float value)
{
    const int32_t whole = (int32_t)(value * 128.0f);
    const uint32_t bits = (uint32_t)whole;
    const double wide = (double)value;
    const int16_t short_one = (int16_t)(whole * 256);
    const int32_t long_one = (int32_t)(bits << 24);
    switch (format) {
    case AURICLE_U8: to[0] = (unsigned char)(whole + 128); break;
    case AURICLE_I16: memcpy(to, &short_one, 2); break;
    case AURICLE_I24: to[0] = to[1] = 0; to[2] = (unsigned char)bits; break;
    case AURICLE_I32: memcpy(to, &long_one, 4); break;
    case AURICLE_F32: memcpy(to, &value, 4); break;
    default: memcpy(to, &wide, 8); break;
    }
}

/* All formats give the scores of floats, bit for bit, also where nothing is aligned; one channel those of it alone. */
static void formats_and_channels(const auricle_model *model)
{
    enum { FRAMES = 44100, CHANNELS = 2 };
    unsigned char *bytes = (unsigned char *)malloc(FRAMES * CHANNELS * 8 + 1);
    float *samples = (float *)malloc(FRAMES * CHANNELS * sizeof(float)), *one = (float *)malloc(FRAMES * sizeof(float));
    float expected[TINY_CLASSES], scores[TINY_CLASSES], both[TINY_CLASSES];
    auricle_clip_options options;
    int32_t format;
    uint32_t channel;
    size_t k;
    if (!bytes || !samples || !one)
        abort();
    for (k = 0; k < FRAMES * CHANNELS; k++)
        samples[k] = step(k) * (k % 2 ? 0.25f : 1.0f) * (k / 2 < 9000 ? 1.0f : 0.5f);
    for (k = 0; k < FRAMES * CHANNELS; k++)
        samples[k] = (float)(int)(samples[k] * 128.0f) / 128.0f;
    OK(auricle_classify_f32(model, samples, FRAMES, CHANNELS, 44100, both, TINY_CLASSES));
    for (format = AURICLE_U8; format <= AURICLE_F64; format++) {
        for (k = 0; k < FRAMES * CHANNELS; k++)
            write_sample(bytes + 1 + k * sample_size(format), format, samples[k]);
        OK(auricle_classify(model, format, bytes + 1, FRAMES, CHANNELS, 44100, NULL, scores, TINY_CLASSES));
        CHECK(!memcmp(both, scores, sizeof both));
    }
    auricle_clip_options_init(&options);
    for (channel = 1; channel <= CHANNELS; channel++) {
        for (k = 0; k < FRAMES; k++)
            one[k] = samples[k * CHANNELS + channel - 1];
        options.channel = channel;
        OK(auricle_classify_f32(model, one, FRAMES, 1, 44100, expected, TINY_CLASSES));
        OK(auricle_classify(model, AURICLE_F32, samples, FRAMES, CHANNELS, 44100, &options, scores, TINY_CLASSES));
        CHECK(!memcmp(expected, scores, sizeof expected));
        CHECK(memcmp(both, scores, sizeof both));
    }
    options.channel = 3;
    EXPECT(AURICLE_INVALID_ARGUMENT, "channel is 3",
           auricle_classify(model, AURICLE_F32, samples, FRAMES, CHANNELS, 44100, &options, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "format",
           auricle_classify(model, 7, samples, FRAMES, CHANNELS, 44100, NULL, scores, TINY_CLASSES));
    EXPECT(AURICLE_CLIP_TOO_SHORT, "0 frames",
           auricle_classify(model, AURICLE_I16, NULL, 0, CHANNELS, 44100, NULL, scores, TINY_CLASSES));
    free(bytes);
    free(samples);
    free(one);
}

int main(int argc, char **argv)
{
    auricle_model *model = load_tiny(argc > 1 ? argv[1] : ".");
    const size_t frames = 40000;
    float *samples = noise(frames, 2), scores[TINY_CLASSES + 1], again[TINY_CLASSES], sum = 0;
    auricle_status status;
    int i;

    EXPECT(AURICLE_INVALID_ARGUMENT, "model is NULL",
           auricle_classify_f32(NULL, samples, frames, 2, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "interleaved is NULL",
           auricle_classify_f32(model, NULL, frames, 2, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "scores is NULL",
           auricle_classify_f32(model, samples, frames, 2, 48000, NULL, TINY_CLASSES));
    EXPECT(AURICLE_BUFFER_TOO_SMALL, "3 classes", auricle_classify_f32(model, samples, frames, 2, 48000, NULL, 0));
    EXPECT(AURICLE_BUFFER_TOO_SMALL, "3 classes", auricle_classify_f32(model, samples, frames, 2, 48000, scores, 2));
    EXPECT(AURICLE_INVALID_ARGUMENT, "channels is 0",
           auricle_classify_f32(model, samples, frames, 0, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "channels is 9",
           auricle_classify_f32(model, samples, 10, 9, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "channels",
           auricle_classify_f32(model, samples, 10, UINT32_MAX, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "18446744073709551615",
           auricle_classify_f32(model, samples, SIZE_MAX, 1, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "18446744073709551615",
           auricle_classify_f32(model, samples, SIZE_MAX, 2, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "at most", /* fits into a size_t, but into no memory */
           auricle_classify_f32(model, samples, SIZE_MAX / 8 + 1, 1, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "capacity is",
           auricle_classify_f32(model, samples, frames, 2, 48000, scores, SIZE_MAX));
    EXPECT(AURICLE_INVALID_ARGUMENT, "multiple of 4",
           auricle_classify_f32(model, (const float *)(const void *)((const char *)samples + 1), 100, 1, 48000, scores,
                                TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "999", auricle_classify_f32(model, samples, frames, 2, 999, scores, TINY_CLASSES));
    EXPECT(AURICLE_INVALID_ARGUMENT, "", auricle_classify_f32(model, samples, frames, 2, 0, scores, TINY_CLASSES));
    EXPECT(AURICLE_CLIP_TOO_SHORT, "0 frames", auricle_classify_f32(model, NULL, 0, 1, 48000, scores, TINY_CLASSES));
    EXPECT(AURICLE_CLIP_TOO_SHORT, "", auricle_classify_f32(model, samples, 1, 1, 48000, scores, TINY_CLASSES));

    scores[TINY_CLASSES] = -7;
    status = auricle_classify_f32(model, samples, frames, 2, 48000, scores, TINY_CLASSES + 1);
    CHECK(status == AURICLE_OK);
    for (i = 0; i < TINY_CLASSES; i++)
        sum += scores[i];
    CHECK(sum > 0.9999f && sum < 1.0001f); /* softmax */
    CHECK(scores[TINY_CLASSES] == -7.0f);
    OK(auricle_classify_f32(model, samples, frames, 2, 48000, again, TINY_CLASSES));
    CHECK(!memcmp(scores, again, sizeof again));
    OK(auricle_classify_f32(model, samples, 12000, 1, TINY_RATE, again, TINY_CLASSES)); /* shorter than a window */
    CHECK(memcmp(scores, again, sizeof again));
    free(samples);
    formats_and_channels(model);
    auricle_model_free(model);
    return DONE();
}
