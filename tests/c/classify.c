#include "check.h"

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
    EXPECT(AURICLE_INVALID_ARGUMENT, "7999", auricle_classify_f32(model, samples, frames, 2, 7999, scores, TINY_CLASSES));
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
    auricle_model_free(model);
    return DONE();
}
