// Models: loading, asking, and what is refused.
#include "check.hpp"

#ifdef __has_include
#  if __has_include(<filesystem>)
#    include <filesystem>
#  endif
#endif

static void loading(const std::string &folder)
{
    EXPECT(file, "no/such/model.onnx", auricle::Model::load("no/such/model.onnx"));
    EXPECT(invalid_argument, "path is NULL", auricle::Model::load(static_cast<const char *>(nullptr)));
    EXPECT(invalid_argument, "path has a NUL at byte 2", auricle::Model::load(std::string("no\0such", 7)));
    EXPECT(model, "make_models.py", auricle::Model::load(folder + "/make_models.py"));
    EXPECT(manifest, "no manifest", auricle::Model::load(folder + "/probe.onnx"));
    OK(auricle::Model::load(std::filesystem::path(folder) / "tiny.onnx"));

    std::size_t size = 0;
    unsigned char *onnx = read_file(folder.c_str(), "tiny.onnx", &size);
    EXPECT(manifest, "", auricle::Model::load_memory(onnx, size, "{\"auricle\":1}"));
    EXPECT(invalid_argument, "onnx is NULL", auricle::Model::load_memory(nullptr, size));
    const auricle::Model model = take(auricle::Model::load_memory(onnx, size));
    std::free(onnx);
    CHECK(model.class_count() == TINY_CLASSES);
}

static void options(const std::string &folder)
{
    auricle::ModelOptions options;
    options.threads = 2;
    OK(auricle::Model::load(folder + "/tiny.onnx", options));
    options.threads = 100000;
    EXPECT(invalid_argument, "threads is 100000", auricle::Model::load(folder + "/tiny.onnx", options));
    options.threads = 0;
    options.self_check = true;
    EXPECT(manifest, "no golden cases", auricle::Model::load(folder + "/tiny.onnx", options));
    const auricle::Cancel cancel = take(auricle::Cancel::create());
    cancel.request();
    options.cancel = &cancel;
    EXPECT(cancelled, "", auricle::Model::load(folder + "/tiny.onnx", options));
}

static void asking(const auricle::Model &model)
{
    CHECK(model.class_count() == TINY_CLASSES && model.sample_rate() == TINY_RATE);
    CHECK(std::string(model.label(0)) == "low" && std::string(model.label(2)) == "high");
    CHECK(!model.label(3) && std::string(auricle::last_error()).find("index is 3") != std::string::npos);

    const std::string json = take(model.describe());
    std::size_t needed = 0;
    CHECK(auricle_model_describe(model.get(), nullptr, 0, &needed) == AURICLE_OK);
    CHECK(json.size() + 1 == needed && json.front() == '{' && json.back() == '}');
    CHECK(json.find("\"sha256\"") != std::string::npos && json.find('\0') == std::string::npos);
}

static void empty()
{
    const auricle::Model model;
    const auto samples = sound(100, 1);
    CHECK(!model && model.class_count() == 0 && model.sample_rate() == 0 && !model.label(0));
    EXPECT(invalid_argument, "model is NULL", model.describe());
    EXPECT(invalid_argument, "model is NULL", model.classify(auricle::Clip(samples, 1, 16000)));
    EXPECT(invalid_argument, "model is NULL", auricle::Session::create(model));
}

int main(int argc, char **argv)
{
    const std::string folder = folder_of(argc, argv);
    loading(folder);
    options(folder);
    asking(tiny(folder));
    empty();
    return DONE();
}
