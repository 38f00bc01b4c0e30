// Says what a capture device hears: the audio callback pushes, and the main thread waits for windows. No exceptions, and
// nothing in the callback that could block.
//
//   capture MODEL.onnx FILE.wav       FILE.wav plays the device (device.hpp)
//
// ONNX Runtime is found beside libauricle or through ORT_DYLIB_PATH.
#include <auricle.hpp>

#include "device.hpp"

#include <cstdio>

// On the audio thread. What is lost is counted in the windows that it touches; an error ends the device.
static void capture(device *device, void *, const void *input, std::uint32_t frames)
{
    auto *session = static_cast<auricle::Session *>(device->pUserData);
    if (auricle::is_error(session->push(static_cast<const float *>(input), frames)))
        device->over = true;
}

static int fail(const auricle::Error &error)
{
    std::fprintf(stderr, "%s: %s\n", auricle::status_text(error.status()), error.message());
    return EXIT_FAILURE;
}

// Reads what is there. Returns the last outcome.
static auricle::Result<auricle::Status> read(const auricle::Model &model, auricle::Session &session, double rate)
{
    auricle::Window window;
    auricle::Event event;
    auto status = session.read({}, window);
    for (; status == auricle::Status::ok; status = session.read({}, window))
        if (window.dropped_frames > 0)
            std::printf("%.2f s: %llu frames lost\n", static_cast<double>(window.first_frame) / rate,
                        static_cast<unsigned long long>(window.dropped_frames));
    while (session.read_event(event) == auricle::Status::ok)
        std::printf("%.2f s: %s %s\n", static_cast<double>(event.is_final ? event.offset_frame : event.onset_frame) / rate,
                    model.label(static_cast<std::size_t>(event.class_index)), event.is_final ? "ends" : "begins");
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return std::fprintf(stderr, "usage: %s MODEL.onnx FILE.wav\n", argv[0]), EXIT_FAILURE;
    const Wav wav(argv[2]);
    if (!wav.problem.empty())
        return std::fprintf(stderr, "%s\n", wav.problem.c_str()), EXIT_FAILURE;

    const auto model = auricle::Model::load(argv[1]);
    if (!model)
        return fail(model.error());
    auricle::SessionOptions options;
    options.sample_rate = wav.sample_rate;
    options.channels = wav.channels;
    options.ring_seconds = 10;
    options.stream_json = "{ \"events\": { \"on\": 0.5 } }"; // nullptr: as the model's manifest says
    auto session = auricle::Session::create(*model, options);
    if (!session)
        return fail(session.error());

    device microphone;
    microphone.source = &wav;
    microphone.dataCallback = capture;
    microphone.pUserData = &*session;
    device_start(&microphone);
    auricle::Result<auricle::Status> status = auricle::Status::again;
    while (status && !microphone.over) {
        status = session->wait(std::chrono::milliseconds(100));
        if (status == auricle::Status::ok)
            status = read(*model, *session, wav.sample_rate);
    }
    device_stop(&microphone);
    const auricle::Status finished = session->finish(); // nobody pushes any more
    while (status && status != auricle::Status::end && !auricle::is_error(finished))
        status = read(*model, *session, wav.sample_rate);
    return status ? EXIT_SUCCESS : fail(status.error());
}
