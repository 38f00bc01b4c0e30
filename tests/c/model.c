#include "check.h"

static void loading(const char *folder)
{
    auricle_model *model = NULL;
    char path[1024];
    size_t size, cut, i;
    unsigned char *onnx, *text;

    EXPECT(AURICLE_INVALID_ARGUMENT, "path is NULL", auricle_model_load(NULL, NULL, &model));
    EXPECT(AURICLE_FILE, "no/such/model.onnx", auricle_model_load("no/such/model.onnx", NULL, &model));
    EXPECT(AURICLE_FILE, "", auricle_model_load("", NULL, &model));
    EXPECT(AURICLE_FILE, "", auricle_model_load(folder, NULL, &model));
    data_path(path, sizeof path, folder, "make_models.py");
    EXPECT(AURICLE_MODEL, "make_models.py", auricle_model_load(path, NULL, &model));
    data_path(path, sizeof path, folder, "tiny.onnx");
    EXPECT(AURICLE_INVALID_ARGUMENT, "model is NULL", auricle_model_load(path, NULL, NULL));
    data_path(path, sizeof path, folder, "probe.onnx");
    EXPECT(AURICLE_MANIFEST, "no manifest", auricle_model_load(path, NULL, &model));

    onnx = read_file(folder, "tiny.onnx", &size);
    text = read_file(folder, "make_models.py", &i);
    EXPECT(AURICLE_INVALID_ARGUMENT, "onnx is NULL", auricle_model_load_memory(NULL, size, NULL, NULL, &model));
    EXPECT(AURICLE_INVALID_ARGUMENT, "model is NULL", auricle_model_load_memory(onnx, size, NULL, NULL, NULL));
    EXPECT(AURICLE_INVALID_ARGUMENT, "size is 18446744073709551615",
           auricle_model_load_memory(onnx, SIZE_MAX, NULL, NULL, &model));
    EXPECT(AURICLE_MODEL, "", auricle_model_load_memory(NULL, 0, NULL, NULL, &model));
    EXPECT(AURICLE_MODEL, "", auricle_model_load_memory(text, i, NULL, NULL, &model));
    EXPECT(AURICLE_MANIFEST, "", auricle_model_load_memory(onnx, size, "", NULL, &model));
    EXPECT(AURICLE_MANIFEST, "", auricle_model_load_memory(onnx, size, "{\"auricle\":1}", NULL, &model));
    EXPECT(AURICLE_INVALID_ARGUMENT, "UTF-8", auricle_model_load_memory(onnx, size, "\xff", NULL, &model));
    CHECK(model == NULL); /* no failure wrote to it */

    for (cut = 0; cut < size; cut += 1 + size / 40)
        if (auricle_model_load_memory(onnx, cut, NULL, NULL, &model) == AURICLE_OK) {
            auricle_model_free(model); /* cut at the end of a part it may still be a model */
            model = NULL;
        }
    OK(auricle_model_load_memory(onnx, size, NULL, NULL, &model));
    memset(onnx, 0, size); /* the library made its own copy */
    CHECK(auricle_model_class_count(model) == TINY_CLASSES);
    auricle_model_free(model);
    free(onnx);
    free(text);
}

static void options(const char *folder)
{
    struct {
        auricle_model_options known;
        uint32_t unknown[1100];
    } newer;
    char place[32];
    auricle_model_options options;
    auricle_model *model = NULL;
    char path[1024];

    data_path(path, sizeof path, folder, "tiny.onnx");
    auricle_model_options_init(&options);
    options.threads = 2;
    OK(auricle_model_load(path, &options, &model));
    auricle_model_free(model);
    model = NULL;
    options.threads = 100000;
    EXPECT(AURICLE_INVALID_ARGUMENT, "threads is 100000", auricle_model_load(path, &options, &model));

    options.threads = 0;
    options.self_check = 2;
    EXPECT(AURICLE_INVALID_ARGUMENT, "self_check is 2", auricle_model_load(path, &options, &model));
    options.self_check = 1; /* tiny.onnx has no golden cases */
    EXPECT(AURICLE_MANIFEST, "no golden cases", auricle_model_load(path, &options, &model));
    options.struct_size = 8; /* a program of the first version knows no self_check */
    OK(auricle_model_load(path, &options, &model));
    auricle_model_free(model);
    model = NULL;
    options.struct_size = sizeof options;
    options.self_check = 0;

    options.struct_size = 0;
    EXPECT(AURICLE_INVALID_ARGUMENT, "struct_size is 0", auricle_model_load(path, &options, &model));
    options.struct_size = 7;
    EXPECT(AURICLE_INVALID_ARGUMENT, "valid 8..=4096", auricle_model_load(path, &options, &model));
    options.struct_size = 0xeeeeeeeeu;
    EXPECT(AURICLE_INVALID_ARGUMENT, "auricle_model_options_init", auricle_model_load(path, &options, &model));

    memset(&newer, 0, sizeof newer);
    newer.known.struct_size = sizeof newer.known + 16;
    newer.unknown[4] = 1; /* behind the struct: nobody's business */
    OK(auricle_model_load(path, &newer.known, &model));
    auricle_model_free(model);
    model = NULL;
    newer.unknown[3] = 1;
    snprintf(place, sizeof place, "byte %u", (unsigned)(sizeof newer.known + 3 * sizeof newer.unknown[0]));
    EXPECT(AURICLE_INVALID_ARGUMENT, place, auricle_model_load(path, &newer.known, &model));
    newer.known.struct_size = 4097;
    EXPECT(AURICLE_INVALID_ARGUMENT, "4097", auricle_model_load(path, &newer.known, &model));
    CHECK(model == NULL);
}

static void asking(const char *folder)
{
    auricle_model *model = load_tiny(folder);
    char *json, small[8] = "abcdefg";
    size_t needed = 0, again = 0;

    CHECK(auricle_model_class_count(model) == TINY_CLASSES);
    CHECK(auricle_model_sample_rate(model) == TINY_RATE);
    CHECK(!strcmp(auricle_model_label(model, 0), "low") && !strcmp(auricle_model_label(model, 2), "high"));
    CHECK(auricle_model_label(model, 0) == auricle_model_label(model, 0));
    CHECK(auricle_model_label(model, 3) == NULL && strstr(auricle_last_error(), "index is 3; the model has 3"));
    CHECK(auricle_model_label(model, SIZE_MAX) == NULL);
    CHECK(auricle_model_label(NULL, 0) == NULL && strstr(auricle_last_error(), "model is NULL"));
    CHECK(auricle_model_class_count(NULL) == 0 && auricle_model_sample_rate(NULL) == 0);

    EXPECT(AURICLE_INVALID_ARGUMENT, "model is NULL", auricle_model_describe(NULL, NULL, 0, &needed));
    EXPECT(AURICLE_INVALID_ARGUMENT, "needed is NULL", auricle_model_describe(model, NULL, 0, NULL));
    EXPECT(AURICLE_INVALID_ARGUMENT, "json is NULL", auricle_model_describe(model, NULL, 8, &needed));
    EXPECT(AURICLE_INVALID_ARGUMENT, "capacity is", auricle_model_describe(model, small, SIZE_MAX, &needed));
    CHECK(needed == 0);
    OK(auricle_model_describe(model, NULL, 0, &needed));
    CHECK(needed > 100);
    EXPECT(AURICLE_BUFFER_TOO_SMALL, "capacity is 8", auricle_model_describe(model, small, 8, &again));
    CHECK(again == needed && !strcmp(small, "abcdefg"));
    json = (char *)malloc(needed);
    EXPECT(AURICLE_BUFFER_TOO_SMALL, "needs", auricle_model_describe(model, json, needed - 1, &again));
    OK(auricle_model_describe(model, json, needed, &again));
    CHECK(again == needed && strlen(json) + 1 == needed);
    CHECK(json[0] == '{' && strstr(json, "\"sha256\"") && strstr(json, "1.28.0") && strstr(json, AURICLE_VERSION));
    free(json);
    auricle_model_free(model);
    auricle_model_free(NULL);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    loading(folder);
    options(folder);
    asking(folder);
    return DONE();
}
