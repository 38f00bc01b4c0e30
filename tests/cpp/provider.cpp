// Lists of providers and the progress of a load.
#include "check.hpp"

int main(int argc, char **argv)
{
    const std::string path = folder_of(argc, argv) + "/tiny.onnx";
    std::vector<auricle::Provider> providers = {{"cuda"}, {"cpu", auricle::Need::preferred}};
    std::string stages;
    bool stop = false;
    auto tell = [&](const char *stage, float done) noexcept {
        CHECK(done >= 0 && done <= 1);
        if (stages.find(stage) == std::string::npos)
            stages += std::string(stage) + " ";
        return stop && !std::strcmp(stage, "warm");
    };
    auricle::ModelOptions options;
    options.providers = providers;
    options.progress = tell;

    EXPECT(provider, "provider \"cuda\" cannot be used", auricle::Model::load(path, options));
    providers[0].need = static_cast<auricle::Need>(2);
    EXPECT(invalid_argument, "providers[0].need is 2", auricle::Model::load(path, options));
    providers[0].need = auricle::Need::preferred;
    providers[1].options_json = "{ \"arenas\": true }";
    EXPECT(invalid_argument, "`arenas`, expected `arena`", auricle::Model::load(path, options));
    providers[1].options_json = nullptr;

    stages.clear();
    stop = true;
    EXPECT(cancelled, "\"warm\"", auricle::Model::load(path, options));
    CHECK(stages == "read prepare warm ");
    stop = false;
    const auricle::Model model = take(auricle::Model::load(path, options));
    const std::string record = take(model.describe());
    CHECK(record.find("\"used\": false") != std::string::npos && record.find("CPUExecutionProvider") != std::string::npos);
    return DONE();
}
