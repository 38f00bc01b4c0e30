// The one test that finds ONNX Runtime badly first. ORT_DYLIB_PATH must name a good one.
#include "check.hpp"

#include <atomic>
#include <thread>

int main(int argc, char **argv)
{
    const char *good = std::getenv("ORT_DYLIB_PATH");
    CHECK(good != nullptr);
    EXPECT(runtime, "no/such/library", auricle::runtime_open("no/such/library"));
    static std::atomic<int> threads{0};
    static const auto told = []() noexcept { threads++; };
    auricle::RuntimeOptions options;
    options.known_only = true;
    EXPECT(runtime, "not that of an official release", auricle::runtime_open(argv[0], options));
    options.known_only = false;
    options.shared_threads = 3;
    options.thread_start = told;
    OK(auricle::runtime_open(good, options));
    options.shared_threads = 2;
    EXPECT(invalid_state, "with shared_threads 3", auricle::runtime_open(nullptr, options));
    OK(auricle::runtime_open(good));
    OK(auricle::runtime_open());
    EXPECT(invalid_state, "no/such/library", auricle::runtime_open("no/such/library"));
    auricle::ModelOptions shared;
    shared.shared_pool = true;
    OK(auricle::Model::load((folder_of(argc, argv) + "/tiny.onnx").c_str(), shared));
    while (threads < 2)
        std::this_thread::yield();
    (void)tiny(folder_of(argc, argv));
    return DONE();
}
