// The other form of errors: values are returned, errors are thrown; what an audio callback calls throws nothing.
#define AURICLE_EXCEPTIONS
#include "check.hpp"

template <class Call> static Outcome thrown(Call call)
{
    try {
        call();
    } catch (const std::runtime_error &error) {
        const auto &ours = dynamic_cast<const auricle::Error &>(error);
        CHECK(std::string(ours.what()) == ours.message());
        return {ours.status(), ours.message()};
    }
    return {auricle::Status::ok, ""};
}

int main(int argc, char **argv)
{
    using auricle::Status;
    const std::string path = folder_of(argc, argv) + "/tiny.onnx";
    EXPECT(file, "no/such", thrown([] { (void)auricle::Model::load("no/such"); }));
    EXPECT(invalid_argument, "NUL at byte 1", thrown([] { (void)auricle::Model::load(std::string("a\0b", 3)); }));

    const auricle::Model model = auricle::Model::load(path);
    const auto samples = sound(TINY_WINDOW, 1);
    const std::vector<float> scores = model.classify(auricle::Clip(samples, 1, TINY_RATE));
    CHECK(scores.size() == TINY_CLASSES && model.describe().front() == '{');
    EXPECT(clip_too_short, "", thrown([&] { (void)model.classify(auricle::Clip({samples.data(), 1}, 1, TINY_RATE)); }));
    EXPECT(invalid_argument, "channels", thrown([&] { (void)model.classify(auricle::Clip({samples.data(), 3}, 2, 8000)); }));

    const auricle::Cancel cancel = auricle::Cancel::create();
    auricle::ModelOptions options;
    options.cancel = &cancel;
    cancel.request();
    EXPECT(cancelled, "", thrown([&] { (void)auricle::Model::load(path, options); }));

    auricle::Session session = auricle::Session::create(model);
    std::vector<float> read(TINY_CLASSES);
    auricle::Window window;
    auricle::Event event;
    CHECK(session.read(read, window) == Status::again && session.wait(std::chrono::milliseconds(1)) == Status::again);
    CHECK(session.push(samples) == Status::ok && session.read(read, window) == Status::ok);
    CHECK(distance(read.data(), scores.data(), TINY_CLASSES) < 1e-5f);
    EXPECT(invalid_state, "no events", thrown([&] { (void)session.read_event(event); }));
    EXPECT(invalid_argument, "interleaved is NULL", session.push(static_cast<const float *>(nullptr), 1));
    EXPECT(ok, "", session.finish());
    EXPECT(invalid_state, "finished", session.push(samples.data(), 1));
    EXPECT(invalid_state, "finished", thrown([&] { (void)session.push(samples); }));
    session.reset();
    auricle::runtime_open();
    static const auto log = [](auricle::LogLevel, const char *) noexcept {};
    auricle::set_log(auricle::LogLevel::error, log);
    auricle::set_log(nullptr);
    EXPECT(invalid_argument, "level is 9", thrown([] { auricle::set_log(static_cast<auricle::LogLevel>(9), log); }));
    return DONE();
}
