// Says what a recording is, as a whole, and from when to when it hears what. The form with exceptions.
//
//   classify MODEL.onnx FILE.wav      WAV with 16-bit PCM, 1 to 8 channels, 8 to 384 kHz
//
// ONNX Runtime is found beside libauricle or through ORT_DYLIB_PATH.
#define AURICLE_EXCEPTIONS
#include <auricle.hpp>

#include "wav.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

static void best_three(const auricle::Model &model, const Wav &wav)
{
    const std::vector<float> scores = model.classify(auricle::Clip(wav.samples, wav.channels, wav.sample_rate));
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
    for (std::size_t k = 0; k < order.size() && k < 3; k++)
        std::printf("%5.2f  %s\n", static_cast<double>(scores[order[k]]), model.label(order[k]));
}

static void events(const auricle::Model &model, const Wav &wav)
{
    auricle::SessionOptions options;
    options.sample_rate = wav.sample_rate;
    options.channels = wav.channels;
    options.stream_json = "{ \"events\": { \"on\": 0.5 } }"; // nullptr: as the model's manifest says
    auricle::Session session = auricle::Session::create(model, options);
    auricle::Window window;
    auricle::Event event;
    const double rate = wav.sample_rate;

    for (std::size_t at = 0, frames; at <= wav.frames(); at += frames) {
        frames = std::min<std::size_t>(wav.sample_rate, wav.frames() - at); // a second, which the ring of 2 s holds
        auricle::Status pushed = auricle::Status::ok;
        if (frames > 0)
            pushed = session.push({wav.samples.data() + at * wav.channels, frames * wav.channels});
        else
            pushed = session.finish();
        if (auricle::is_error(pushed))
            throw auricle::Error(pushed);
        while (session.read({}, window) == auricle::Status::ok) {
        }
        while (session.read_event(event) == auricle::Status::ok)
            if (event.is_final)
                std::printf("%.2f s to %.2f s: %s, up to %.2f\n", static_cast<double>(event.onset_frame) / rate,
                            static_cast<double>(event.offset_frame) / rate,
                            model.label(static_cast<std::size_t>(event.class_index)),
                            static_cast<double>(event.peak_score));
        if (frames == 0)
            break;
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return std::fprintf(stderr, "usage: %s MODEL.onnx FILE.wav\n", argv[0]), EXIT_FAILURE;
    const Wav wav(argv[2]);
    if (!wav.problem.empty())
        return std::fprintf(stderr, "%s\n", wav.problem.c_str()), EXIT_FAILURE;
    try {
        const auricle::Model model = auricle::Model::load(argv[1]);
        best_three(model, wav);
        events(model, wav);
    } catch (const auricle::Error &error) {
        return std::fprintf(stderr, "%s: %s\n", auricle::status_text(error.status()), error.what()), EXIT_FAILURE;
    }
}
