// Makes the mistakes that people make, and writes docs/errors.md from what the library answers. Arguments: the folder
// tests/data, which must be the current one, so that no message has a path of this machine.
#include "check.hpp"

#include <sys/resource.h>

using auricle::Clip;
using auricle::Status;

// A mistake, what the library says of it, and what to do.
#define MISTAKE(name, what, result, remedy) mistake("AURICLE_" #name, AURICLE_##name, what, result, remedy)

template <class T> static void mistake(const char *name, auricle_status number, const char *what,
                                       const auricle::Result<T> &result, const char *remedy)
{
    static auricle_status section = AURICLE_OK;
    const auto status = static_cast<Status>(number);

    if (result)
        return void(check_failed(__FILE__, __LINE__, what));
    expect(__FILE__, __LINE__, what, status, "", outcome(result.error()));
    if (number != section)
        std::printf("\n## `%s` (%d): %s\n", name, static_cast<int>(number), auricle::status_text(status));
    section = number;
    std::printf("\n%s\n\n```text\n%s\n```\n\n> %s\n", what, result.error().message(), remedy);
}

// The same for what an audio callback calls.
static auricle::Result<Status> told(Status status)
{
    if (auricle::is_error(status))
        return auricle::Error(status);
    return status;
}

int main(int argc, char **argv)
{
    const std::string folder = folder_of(argc, argv);
    std::printf("# Errors, and what to do\n\n"
                "Every failed call leaves a sentence in `auricle_last_error()` (C), `error().message()` (C++) or `Error::message` "
                "(Rust). This page\nhas those that people meet first, as the library says them: `tests/cpp/errors.cpp` makes the "
                "mistakes, `cargo xtask errors` writes\nwhat comes back, and a test fails when it is no longer true. All numbers "
                "are in [statuses.md](statuses.md).\n");

    // Before ONNX Runtime is open.
    const auto no_runtime = auricle::runtime_open("lib/libonnxruntime.so.1.28.0");
    const auto wrong_runtime = auricle::runtime_open("make_models.py");

    const auricle::Model model = tiny(folder);
    const auto samples = sound(48000, 2);
    std::vector<float> scores(TINY_CLASSES);
    auricle::Window window;
    auricle::Event event;
    std::size_t size = 0;
    unsigned char *onnx = read_file(folder.c_str(), "tiny.onnx", &size);
    const auto manifest = [&](const char *json) { return auricle::Model::load_memory(onnx, size, json); };
    const auto with = [&](auto change) {
        auricle::SessionOptions options;
        change(options);
        return auricle::Session::create(model, options);
    };
    using Options = auricle::SessionOptions;

    MISTAKE(INVALID_ARGUMENT, "A handle is empty, because the call that should have made it failed.",
            told(auricle::Session().push(samples.data(), 1)), "Look at the status of the call before: the first error counts.");
    MISTAKE(INVALID_ARGUMENT, "A rate that no session takes.", with([](Options &o) { o.sample_rate = 44; }),
            "Rates are in Hz, not in kHz.");
    MISTAKE(INVALID_ARGUMENT, "More channels than a session takes.", with([](Options &o) { o.channels = 16; }),
            "Push the channels that matter, or one stream for each group of them.");
    MISTAKE(INVALID_ARGUMENT, "A hop in milliseconds.", with([](Options &o) { o.hop_seconds = 10000; }),
            "Everything that ends in `_seconds` is in seconds.");
    MISTAKE(INVALID_ARGUMENT, "Rules of a stream with a misspelt member.",
            with([](Options &o) { o.stream_json = "{ \"events\": { \"threshold\": 0.5 } }"; }),
            "The message lists the members; [manifest.md](manifest.md) describes them.");
    auricle::Session finished = create(model, 48000, 2);
    OK(finished.push(samples.data(), 1));
    OK(finished.finish());
    MISTAKE(INVALID_STATE, "Audio after the end of a stream.", told(finished.push(samples.data(), 480)),
            "`auricle_session_reset` starts the next stream in the same session.");
    MISTAKE(INVALID_STATE, "Events are read, but nobody said when a class is on.", finished.read_event(event),
            "Set `stream_json` in the session's options, for example `{ \"events\": { \"on\": 0.6 } }`, or give the manifest "
            "`stream.events`.");
    MISTAKE(INVALID_STATE, "Another ONNX Runtime, when one is open.", auricle::runtime_open("other/libonnxruntime.so"),
            "Open it before the first model is loaded. A process has one, and it stays.");

    MISTAKE(BUFFER_TOO_SMALL, "An array for the scores that is too short.",
            model.classify(Clip(samples, 2, 48000), auricle::Span<float>(scores.data(), 2)),
            "Make it as long as `auricle_model_class_count` says.");
    MISTAKE(CLIP_TOO_SHORT, "A clip of a few samples.", model.classify(Clip(samples.data(), 3, 1, 48000)),
            "Give more audio. A clip that is shorter than a window is padded, but there must be one row of features.");

    MISTAKE(FILE, "A model that is not there.", auricle::Model::load("models/horn.onnx"),
            "Relative paths start in the current folder, which for a plug-in or a service is not where its files are.");
    MISTAKE(FILE, "A folder in place of a file.", auricle::Model::load(folder),
            "Name the `.onnx` file itself.");
    MISTAKE(MODEL, "A file that is no ONNX model.", auricle::Model::load("make_models.py"),
            "If it comes from a repository, see that it is not the pointer of a large file, and that the download is whole.");
    MISTAKE(MODEL, "A model whose weights lie in another file.", auricle::Model::load("external.onnx"),
            "`auricle-train stamp` puts them into the model's file.");
    MISTAKE(MANIFEST, "A model without a manifest.", auricle::Model::load("probe.onnx"),
            "Write one ([manifest.md](manifest.md), [bring-your-own-model.md](bring-your-own-model.md)) and put it beside the "
            "model, or into it with `auricle-train stamp`.");
    MISTAKE(MANIFEST, "A manifest that is not finished.", manifest("{ \"auricle\": 1 }"),
            "Add the member; [manifest.md](manifest.md) has an example to start from.");
    MISTAKE(MANIFEST, "A value of a manifest out of its range.",
            manifest("{ \"auricle\": 1, \"labels\": [\"a\", \"b\", \"c\"], \"input\": { \"sample_rate\": 16, \"window_seconds\": 1, "
                     "\"features\": { \"kind\": \"waveform\" }, \"layout\": [\"batch\", \"sample\"] } }"),
            "The message has the path of the member, its value and the range.");
    MISTAKE(MISMATCH, "A manifest of another network.",
            manifest("{ \"auricle\": 1, \"labels\": [\"a\", \"b\"], \"input\": { \"sample_rate\": 16000, \"window_seconds\": 1, "
                     "\"features\": { \"kind\": \"waveform\" }, \"layout\": [\"batch\", \"sample\"] } }"),
            "`auricle inspect MODEL` shows the inputs and outputs of the network. One of the two is wrong.");

    MISTAKE(RUNTIME, "ONNX Runtime is not where the program says.", no_runtime,
            "Ship it beside the library, or name the right file.");
    MISTAKE(RUNTIME, "The file is something else.", wrong_runtime,
            "It is the shared library that is wanted: `libonnxruntime.so.1.28.0`, `libonnxruntime.1.28.0.dylib` or "
            "`onnxruntime.dll`.");
    std::free(onnx);
    const auricle::Provider cuda{"cuda"};
    auricle::ModelOptions on_a_gpu;
    on_a_gpu.providers = auricle::Span<const auricle::Provider>(&cuda, 1);
    MISTAKE(PROVIDER, "A GPU is required, and ONNX Runtime's library is the one for the CPU.",
            auricle::Model::load("tiny.onnx", on_a_gpu),
            "Ship the build of ONNX Runtime with that provider ([providers.md](providers.md)), or prefer it instead of requiring "
            "it.");

    rlimit limit;
    CHECK(!getrlimit(RLIMIT_AS, &limit));
    limit.rlim_cur = rlim_t{4} << 30;
    CHECK(!setrlimit(RLIMIT_AS, &limit));
    MISTAKE(MEMORY, "A ring of ten minutes of eight channels at the highest rate.", with([](Options &o) {
                o.sample_rate = 384000;
                o.channels = 8;
                o.ring_seconds = 600;
            }),
            "Read more often instead of keeping more: two seconds are the default.");

    std::printf("\n## Two that should not happen\n\n"
                "* `AURICLE_INFERENCE` (%d): the network failed, or gave a score that is not a number. Load the model with "
                "`self_check`; if that passes,\n  report it to who made the model, with the audio.\n"
                "* `AURICLE_INTERNAL` (%d): a defect of Auricle. Free that session, go on with the others, and report the "
                "sentence.\n",
                AURICLE_INFERENCE, AURICLE_INTERNAL);
    return DONE();
}
