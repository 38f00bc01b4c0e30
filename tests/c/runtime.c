/* The one test that finds ONNX Runtime badly first. ORT_DYLIB_PATH must name a good one. */
#include "check.h"

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    const char *good = getenv("ORT_DYLIB_PATH");
    char path[1024];

    CHECK(good != NULL);
    EXPECT(AURICLE_RUNTIME, "no-such-library", auricle_runtime_open("no-such-library"));
    data_path(path, sizeof path, folder, "make_models.py");
    EXPECT(AURICLE_RUNTIME, "make_models.py", auricle_runtime_open(path));
    EXPECT(AURICLE_RUNTIME, "", auricle_runtime_open(""));
    OK(auricle_runtime_open(good));
    OK(auricle_runtime_open(NULL));
    OK(auricle_runtime_open(good));
    EXPECT(AURICLE_INVALID_STATE, "no-such-library", auricle_runtime_open("no-such-library"));
    auricle_model_free(load_tiny(folder));
    return DONE();
}
