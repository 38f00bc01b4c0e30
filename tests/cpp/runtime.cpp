// The one test that finds ONNX Runtime badly first. ORT_DYLIB_PATH must name a good one.
#include "check.hpp"

int main(int argc, char **argv)
{
    const char *good = std::getenv("ORT_DYLIB_PATH");
    CHECK(good != nullptr);
    EXPECT(runtime, "no/such/library", auricle::runtime_open("no/such/library"));
    OK(auricle::runtime_open(good));
    OK(auricle::runtime_open());
    EXPECT(invalid_state, "no/such/library", auricle::runtime_open("no/such/library"));
    (void)tiny(folder_of(argc, argv));
    return DONE();
}
