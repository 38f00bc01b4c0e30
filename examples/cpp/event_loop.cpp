// A program with an event loop, as a desktop application is: its thread never waits for audio. A thread of its own reads, and
// posts what it hears into the loop; so the loop touches its own data only there.
//
//   event_loop MODEL.onnx FILE.wav    FILE.wav plays the microphone (device.hpp)
//
// ONNX Runtime is found beside libauricle or through ORT_DYLIB_PATH.
#include <auricle.hpp>

#include "device.hpp"

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

// The loop: of Qt it would be QMetaObject::invokeMethod, of GLib g_idle_add, of Windows PostMessage.
class Loop {
public:
    void post(std::function<void()> task)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        tasks_.push_back(std::move(task));
        woken_.notify_one();
    }

    void run()
    {
        while (!over_) {
            std::unique_lock<std::mutex> lock(mutex_);
            woken_.wait(lock, [this] { return !tasks_.empty(); });
            const auto task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
        }
    }

    void quit() { over_ = true; } // in the loop

private:
    std::mutex mutex_;
    std::condition_variable woken_;
    std::deque<std::function<void()>> tasks_;
    bool over_ = false;
};

// Listens until it ends; says of every event what it says to `heard`, and once why it is over to `over`.
class Listener {
public:
    Listener(Loop &loop, auricle::Session session, std::function<void(const auricle::Event &)> heard,
             std::function<void(const std::string &)> over)
        : session_(std::move(session)), reader_([this, &loop, heard, over] { read(loop, heard, over); })
    {
    }

    ~Listener()
    {
        session_.cancel(); // ends the wait, or a running inference
        reader_.join();
    }

    auricle::Session &session() { return session_; }

private:
    void read(Loop &loop, const std::function<void(const auricle::Event &)> &heard,
              const std::function<void(const std::string &)> &over)
    {
        auricle::Result<auricle::Status> status = auricle::Status::ok;
        auricle::Window window;
        auricle::Event event;
        while (status && status != auricle::Status::end && status != auricle::Status::cancelled) {
            status = session_.wait(std::chrono::seconds(1));
            if (status == auricle::Status::ok)
                status = session_.read({}, window);
            while (session_.read_event(event) == auricle::Status::ok)
                loop.post([heard, event] { heard(event); });
        }
        const std::string why = status ? "" : status.error().message();
        loop.post([over, why] { over(why); });
    }

    auricle::Session session_;
    std::thread reader_; // last: it uses what is above
};

int main(int argc, char **argv)
{
    if (argc != 3)
        return std::fprintf(stderr, "usage: %s MODEL.onnx FILE.wav\n", argv[0]), EXIT_FAILURE;
    const Wav wav(argv[2]);
    if (!wav.problem.empty())
        return std::fprintf(stderr, "%s\n", wav.problem.c_str()), EXIT_FAILURE;
    const auto model = auricle::Model::load(argv[1]);
    if (!model)
        return std::fprintf(stderr, "%s\n", model.error().message()), EXIT_FAILURE;
    auricle::SessionOptions options;
    options.sample_rate = wav.sample_rate;
    options.channels = wav.channels;
    options.ring_seconds = 10;
    options.stream_json = "{ \"events\": { \"on\": 0.5 } }"; // nullptr: as the model's manifest says
    auto session = auricle::Session::create(*model, options);
    if (!session)
        return std::fprintf(stderr, "%s\n", session.error().message()), EXIT_FAILURE;

    Loop loop;
    std::map<std::string, int> counts; // the program's own data: no lock, because only the loop touches it
    int outcome = EXIT_SUCCESS;
    Listener listener(
        loop, std::move(*session),
        [&](const auricle::Event &event) {
            if (event.is_final)
                counts[model->label(static_cast<std::size_t>(event.class_index))]++;
        },
        [&](const std::string &why) {
            if (!why.empty()) {
                std::fprintf(stderr, "%s\n", why.c_str());
                outcome = EXIT_FAILURE;
            }
            loop.quit();
        });

    device microphone;
    microphone.source = &wav;
    microphone.pUserData = &listener.session();
    microphone.dataCallback = [](device *device, void *, const void *input, std::uint32_t frames) {
        auto *listening = static_cast<auricle::Session *>(device->pUserData);
        if (auricle::is_error(listening->push(static_cast<const float *>(input), frames)))
            device->over = true;
    };
    device_start(&microphone);
    std::thread unplug([&] { // when the file is over, so is the stream
        while (!microphone.over)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        device_stop(&microphone);
        if (auricle::is_error(listener.session().finish()))
            listener.session().cancel();
    });
    loop.run();
    unplug.join();
    for (const auto &[label, count] : counts)
        std::printf("%s: %d\n", label.c_str(), count);
    return outcome;
}
