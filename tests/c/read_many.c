/* Many sessions read by one call. Run with the folder of tests/data. */
#include "check.h"

#define COUNT ((size_t)3)

int main(int argc, char **argv)
{
    size_t size, i;
    unsigned char *tiny = read_file(argc > 1 ? argv[1] : ".", "tiny.onnx", &size);
    auricle_model_options options;
    auricle_model *model = NULL, *other = NULL;
    auricle_session *sessions[COUNT], *alone, *strange;
    auricle_result results[COUNT], result;
    auricle_status statuses[COUNT];
    static float samples[64000];
    float scores[COUNT * (size_t)TINY_CLASSES], expected[TINY_CLASSES];

    for (i = 0; i < sizeof samples / sizeof *samples; i++)
        samples[i] = (float)((double)(i * i % 1009) / 1009 - 0.5);
    auricle_model_options_init(&options);
    options.max_batch = 4;
    OK(auricle_model_load_memory(tiny, size, NULL, &options, &model));
    OK(auricle_model_load_memory(tiny, size, NULL, &options, &other));
    for (i = 0; i < COUNT; i++) {
        sessions[i] = create(model, 16000, 1);
        auricle_result_init(&results[i]);
    }
    alone = create(model, 16000, 1);
    strange = create(other, 16000, 1);

    EXPECT(AURICLE_INVALID_ARGUMENT, "sessions is NULL",
           auricle_read_many(NULL, COUNT, 0, scores, COUNT * (size_t)TINY_CLASSES, results, statuses));
    EXPECT(AURICLE_INVALID_ARGUMENT, "results[0] is NULL",
           auricle_read_many(sessions, COUNT, 0, scores, COUNT * (size_t)TINY_CLASSES, NULL, statuses));
    EXPECT(AURICLE_INVALID_ARGUMENT, "statuses is NULL",
           auricle_read_many(sessions, COUNT, 0, scores, COUNT * (size_t)TINY_CLASSES, results, NULL));
    EXPECT(AURICLE_BUFFER_TOO_SMALL, "room for 2",
           auricle_read_many(sessions, COUNT, 0, scores, 2 * (size_t)TINY_CLASSES, results, statuses));
    results[1].struct_size = 4;
    EXPECT(AURICLE_INVALID_ARGUMENT, "results[1]->struct_size is 4",
           auricle_read_many(sessions, COUNT, 0, scores, COUNT * (size_t)TINY_CLASSES, results, statuses));
    auricle_result_init(&results[1]);
    CHECK(auricle_read_many(sessions, COUNT, 0, scores, COUNT * (size_t)TINY_CLASSES, results, statuses) == AURICLE_AGAIN);
    CHECK(auricle_read_many(NULL, 0, 0, NULL, 0, NULL, NULL) == AURICLE_AGAIN);

    /* Two of them get a window, which is the one that a single read gives. */
    auricle_result_init(&result);
    OK(auricle_session_push_f32(alone, samples, 64000));
    OK(auricle_session_read(alone, expected, TINY_CLASSES, &result));
    OK(auricle_session_push_f32(sessions[0], samples, 64000));
    OK(auricle_session_push_f32(sessions[2], samples, 64000));
    OK(auricle_read_many(sessions, COUNT, 0, scores, COUNT * (size_t)TINY_CLASSES, results, statuses));
    CHECK(statuses[0] == AURICLE_OK && statuses[1] == AURICLE_AGAIN && statuses[2] == AURICLE_OK);
    CHECK(results[2].first_frame == result.first_frame && results[2].end_frame == result.end_frame);
    for (i = 0; i < TINY_CLASSES; i++) {
        double apart = (double)(scores[2 * (size_t)TINY_CLASSES + i] - expected[i]);
        CHECK(apart < 1e-6 && apart > -1e-6 && scores[i] == scores[2 * (size_t)TINY_CLASSES + i]);
    }
    OK(auricle_session_finish(sessions[1]));
    while (auricle_read_many(sessions, COUNT, 0, scores, COUNT * (size_t)TINY_CLASSES, results, statuses) == AURICLE_OK)
        ;
    CHECK(statuses[0] == AURICLE_AGAIN && statuses[1] == AURICLE_END);

    auricle_session_free(sessions[1]);
    sessions[1] = strange;
    EXPECT(AURICLE_INVALID_ARGUMENT, "sessions[1] has another model",
           auricle_read_many(sessions, COUNT, 0, scores, COUNT * (size_t)TINY_CLASSES, results, statuses));
    for (i = 0; i < COUNT; i++)
        auricle_session_free(sessions[i]);
    auricle_session_free(alone);
    auricle_model_free(model);
    auricle_model_free(other);
    free(tiny);
    return DONE();
}
