// Loading and classifying are stopped from another thread. The third argument is the folder of looping.onnx, which never
// ends for a loud clip.
#include "check.hpp"

#include <thread>

int main(int argc, char **argv)
{
    static const std::string manifest =
        "{\"auricle\":1,\"labels\":[\"a\",\"b\"],\"input\":{\"sample_rate\":16000,\"window_seconds\":0.1,"
        "\"features\":{\"kind\":\"waveform\"},\"layout\":[\"batch\",\"sample\"]}";
    static const std::string golden =
        ",\"stream\":{\"hop_seconds\":0.001},\"golden\":[{\"signal\":{\"kind\":\"noise\",\"seed\":1},\"seconds\":9,"
        "\"scores\":[0,0]}]}";
    std::size_t size = 0;
    unsigned char *onnx = read_file(argc > 3 ? argv[3] : ".", "looping.onnx", &size);
    const auricle::Model model = take(auricle::Model::load_memory(onnx, size, (manifest + "}").c_str()));
    const std::vector<float> loud(1600, 0.5f), silence(1600);
    const auricle::Cancel cancel = take(auricle::Cancel::create()), other = take(auricle::Cancel::create());

    std::thread stopping([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        cancel.request();
    });
    auricle::ClipOptions clip;
    clip.cancel = &cancel;
    EXPECT(cancelled, "", model.classify(auricle::Clip(loud, 1, 16000), clip));
    stopping.join();
    EXPECT(cancelled, "", model.classify(auricle::Clip(silence, 1, 16000), clip)); // it stays on
    clip.cancel = &other;
    OK(model.classify(auricle::Clip(silence, 1, 16000), clip));

    auricle::ModelOptions load;
    load.self_check = true;
    load.cancel = &other;
    std::thread stopping_load([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        other.request();
    });
    EXPECT(cancelled, "", auricle::Model::load_memory(onnx, size, (manifest + golden).c_str(), load));
    stopping_load.join();
    std::free(onnx);

    auricle::Cancel().request(); // an empty one does nothing
    return DONE();
}
