#include "check.h"

/* heads.onnx: mean and maximum of a window of 800 samples at 8 kHz as scores ("levels"), and its first and last sample
 * and the mean as a vector ("vector"). */
enum { WINDOW = 800 };

static int same_bits(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static auricle_model *load(const char *folder)
{
    auricle_model *model = NULL;
    char path[1024];
    data_path(path, sizeof path, folder, "heads.onnx");
    OK(auricle_model_load(path, NULL, &model));
    return model;
}

static void what_they_are(const auricle_model *model)
{
    auricle_output output;

    CHECK(auricle_model_output_count(model) == 2);
    CHECK(auricle_model_output_count(NULL) == 0);
    auricle_output_init(&output);
    OK(auricle_model_output(model, 0, &output));
    CHECK(output.struct_size == sizeof output && output.kind == AURICLE_SCORES && output.size == 2);
    CHECK(!(output.hop_seconds > 0.0));
    OK(auricle_model_output(model, 1, &output));
    CHECK(output.kind == AURICLE_EMBEDDING && output.size == 3);
    EXPECT(AURICLE_INVALID_ARGUMENT, "output is 2; the model has 2", auricle_model_output(model, 2, &output));
    EXPECT(AURICLE_INVALID_ARGUMENT, "output is NULL", auricle_model_output(model, 0, NULL));
    EXPECT(AURICLE_INVALID_ARGUMENT, "model is NULL", auricle_model_output(NULL, 0, &output));
    output.struct_size = 0;
    EXPECT(AURICLE_INVALID_ARGUMENT, "auricle_output_init", auricle_model_output(model, 0, &output));

    CHECK(strcmp(auricle_model_output_name(model, 0), "levels") == 0);
    CHECK(strcmp(auricle_model_output_name(model, 1), "vector") == 0);
    CHECK(auricle_model_output_name(model, 2) == NULL && strstr(auricle_last_error(), "output is 2"));
    CHECK(strcmp(auricle_model_output_label(model, 0, 1), "max") == 0);
    CHECK(strcmp(auricle_model_label(model, 1), "max") == 0);
    CHECK(auricle_model_output_label(model, 0, 2) == NULL && strstr(auricle_last_error(), "k is 2; output 0 has 2"));
    CHECK(auricle_model_output_label(model, 1, 0) == NULL && strstr(auricle_last_error(), "output 1 has 0 labels"));
    CHECK(auricle_model_output_label(NULL, 0, 0) == NULL);
    CHECK(auricle_model_class_count(model) == 2);
}

static void of_a_stream(const auricle_model *model)
{
    auricle_session *session = NULL;
    auricle_result result;
    float audio[WINDOW], scores[2], values[4] = {9.0f, 9.0f, 9.0f, 9.0f};
    size_t count = 7, i;

    for (i = 0; i < WINDOW; i++)
        audio[i] = (float)(i % 64) / 128.0f;
    auricle_result_init(&result);
    OK(auricle_session_create(model, NULL, &session));
    EXPECT(AURICLE_INVALID_STATE, "there is no result", auricle_session_output(session, 1, values, 4, &count));
    CHECK(count == 7);
    OK(auricle_session_push_f32(session, audio, WINDOW));
    OK(auricle_session_read(session, scores, 2, &result));
    OK(auricle_session_output(session, 1, values, 4, &count));
    CHECK(count == 3 && same_bits(values[0], audio[0]) && same_bits(values[1], audio[WINDOW - 1]));
    CHECK(same_bits(values[3], 9.0f)); /* what lies behind is not touched */
    OK(auricle_session_output(session, 0, values, 2, &count));
    CHECK(count == 2 && memcmp(values, scores, sizeof scores) == 0);
    EXPECT(AURICLE_BUFFER_TOO_SMALL, "room for 2; the output has 3",
           auricle_session_output(session, 1, values, 2, &count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "output is 2", auricle_session_output(session, 2, values, 4, &count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "count is NULL", auricle_session_output(session, 1, values, 4, NULL));
    EXPECT(AURICLE_INVALID_ARGUMENT, "values is NULL", auricle_session_output(session, 1, NULL, 4, &count));
    EXPECT(AURICLE_INVALID_ARGUMENT, "session is NULL", auricle_session_output(NULL, 1, values, 4, &count));
    CHECK(auricle_session_read(session, scores, 2, &result) == AURICLE_AGAIN);
    EXPECT(AURICLE_INVALID_STATE, "there is no result", auricle_session_output(session, 0, values, 4, &count));

    OK(auricle_session_push_f32(session, audio, WINDOW));
    OK(auricle_session_read(session, scores, 2, &result));
    OK(auricle_session_output(session, 1, values, 4, &count));
    CHECK(auricle_session_wait(session, 0) == AURICLE_AGAIN);
    EXPECT(AURICLE_INVALID_STATE, "there is no result", auricle_session_output(session, 1, values, 4, &count));

    OK(auricle_session_push_f32(session, audio, WINDOW));
    OK(auricle_session_read(session, scores, 2, &result));
    OK(auricle_session_reset(session));
    EXPECT(AURICLE_INVALID_STATE, "there is no result", auricle_session_output(session, 0, values, 4, &count));
    auricle_session_free(session);
}

static void of_a_clip(const auricle_model *model)
{
    auricle_clip_options options;
    float audio[2 * WINDOW], values[3];
    size_t i;

    for (i = 0; i < 2 * WINDOW; i++)
        audio[i] = i < WINDOW ? 0.25f : 0.75f;
    auricle_clip_options_init(&options);
    options.output = 1;
    OK(auricle_classify(model, AURICLE_F32, audio, 2 * WINDOW, 1, 8000, &options, values, 3));
    CHECK(same_bits(values[0], 0.5f) && same_bits(values[1], 0.5f));
    EXPECT(AURICLE_BUFFER_TOO_SMALL, "room for 2; the output has 3",
           auricle_classify(model, AURICLE_F32, audio, 2 * WINDOW, 1, 8000, &options, values, 2));
    options.output = 2;
    EXPECT(AURICLE_INVALID_ARGUMENT, "output is 2; the model has 2",
           auricle_classify(model, AURICLE_F32, audio, 2 * WINDOW, 1, 8000, &options, values, 3));
    options.output = 0;
    options.reserved = 1;
    EXPECT(AURICLE_INVALID_ARGUMENT, "reserved is 1",
           auricle_classify(model, AURICLE_F32, audio, 2 * WINDOW, 1, 8000, &options, values, 3));
}

/* The same network with a manifest of the vector alone. */
static void without_labels(const char *folder)
{
    static const char manifest[] = "{ \"auricle\": 1, \"outputs\": [{ \"tensor\": \"vector\", \"kind\": \"embedding\" }],"
                                   "  \"input\": { \"sample_rate\": 8000, \"window_seconds\": 0.1,"
                                   "             \"features\": { \"kind\": \"waveform\" },"
                                   "             \"layout\": [\"batch\", \"sample\"] } }";
    auricle_model *model = NULL;
    float audio[WINDOW] = {0.5f}, values[3];
    size_t size;
    unsigned char *onnx = read_file(folder, "heads.onnx", &size);

    OK(auricle_model_load_memory(onnx, size, manifest, NULL, &model));
    CHECK(auricle_model_class_count(model) == 3 && auricle_model_output_count(model) == 1);
    CHECK(auricle_model_label(model, 0) == NULL && strstr(auricle_last_error(), "has 0 classes"));
    OK(auricle_classify_f32(model, audio, WINDOW, 1, 8000, values, 3));
    CHECK(same_bits(values[0], 0.5f) && same_bits(values[1], 0.0f));
    auricle_model_free(model);
    free(onnx);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "tests/data";
    auricle_model *model = load(folder);
    what_they_are(model);
    of_a_stream(model);
    of_a_clip(model);
    without_labels(folder);
    auricle_model_free(model);
    return DONE();
}
