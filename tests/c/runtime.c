/* The one test that finds ONNX Runtime badly first. ORT_DYLIB_PATH must name a good one. */
#include "check.h"

/* Called on each thread of ONNX Runtime's, which are two here and start while it is opened or soon after. */
static void told(void *user)
{
    (void)user;
}

static void load_shared(const char *folder, uint32_t threads, int32_t expected, const char *text)
{
    auricle_model_options options;
    auricle_model *model = NULL;
    char path[1024];

    data_path(path, sizeof path, folder, "tiny.onnx");
    auricle_model_options_init(&options);
    options.shared_pool = 1;
    options.threads = threads;
    EXPECT(expected, text, auricle_model_load(path, &options, &model));
    CHECK((model != NULL) == (expected == AURICLE_OK));
    auricle_model_free(model);
    model = NULL;
    options.shared_pool = 2;
    EXPECT(AURICLE_INVALID_ARGUMENT, "shared_pool is 2", auricle_model_load(path, &options, &model));
    options.shared_pool = 0;
    options.reserved = 1;
    EXPECT(AURICLE_INVALID_ARGUMENT, "reserved is 1", auricle_model_load(path, &options, &model));
}

int main(int argc, char **argv)
{
    auricle_runtime_options options;
    int user = 0, other = 0;
    const char *folder = argc > 1 ? argv[1] : ".";
    const char *good = getenv("ORT_DYLIB_PATH");
    char path[1024];

    CHECK(good != NULL);
    EXPECT(AURICLE_RUNTIME, "no-such-library", auricle_runtime_open("no-such-library"));
    data_path(path, sizeof path, folder, "make_models.py");
    EXPECT(AURICLE_RUNTIME, "make_models.py", auricle_runtime_open(path));
    EXPECT(AURICLE_RUNTIME, "", auricle_runtime_open(""));
    auricle_runtime_options_init(&options);
    options.known_only = 2;
    EXPECT(AURICLE_INVALID_ARGUMENT, "known_only is 2", auricle_runtime_open_with(good, &options));
    options.known_only = 1;
    EXPECT(AURICLE_RUNTIME, "not that of an official release", auricle_runtime_open_with(path, &options));
    options.shared_threads = 257;
    EXPECT(AURICLE_INVALID_ARGUMENT, "257", auricle_runtime_open_with(good, &options));
    options.reserved = 1;
    EXPECT(AURICLE_INVALID_ARGUMENT, "reserved is 1", auricle_runtime_open_with(good, &options));
    load_shared(folder, 0, AURICLE_INVALID_STATE, "auricle_runtime_open_with");
    options.reserved = options.known_only = 0;
    options.shared_threads = 3;
    options.thread_start = told;
    options.user = &user;
    OK(auricle_runtime_open_with(good, &options));
    OK(auricle_runtime_open_with(NULL, &options));
    OK(auricle_runtime_open_with(NULL, NULL));
    options.user = &other;
    EXPECT(AURICLE_INVALID_STATE, "thread_start", auricle_runtime_open_with(NULL, &options));
    options.thread_start = NULL;
    options.known_only = 1;
    EXPECT(AURICLE_INVALID_STATE, "known_only", auricle_runtime_open_with(NULL, &options));
    load_shared(folder, 0, AURICLE_OK, "");
    load_shared(folder, 2, AURICLE_INVALID_ARGUMENT, "threads is 2 with shared_pool");
    OK(auricle_runtime_open(good));
    OK(auricle_runtime_open(NULL));
    OK(auricle_runtime_open(good));
    EXPECT(AURICLE_INVALID_STATE, "no-such-library", auricle_runtime_open("no-such-library"));
    auricle_model_free(load_tiny(folder));
    return DONE();
}
