// One model on many threads, one session on two.
#include "check.hpp"

#include <atomic>
#include <thread>

enum { FRAMES = 10 * TINY_RATE, PIECE = 160, THREADS = 3 };

struct Sums {
    std::vector<double> scores = std::vector<double>(TINY_CLASSES);
    int windows = 0;
};

static void read_until(auricle::Session &session, auricle::Status last, Sums &sums)
{
    std::vector<float> scores(TINY_CLASSES);
    auricle::Window window;
    for (;;) {
        const auto read = session.read(scores, window);
        if (!read || read == last)
            return void(CHECK(static_cast<bool>(read)));
        if (read == auricle::Status::ok) {
            sums.windows++;
            for (std::size_t k = 0; k < scores.size(); k++)
                sums.scores[k] += static_cast<double>(scores[k]);
        } else {
            const auto waited = session.wait(std::chrono::milliseconds(100));
            CHECK(waited == auricle::Status::ok || waited == auricle::Status::again);
        }
    }
}

int main(int argc, char **argv)
{
    const auricle::Model model = tiny(folder_of(argc, argv));
    const auto samples = sound(FRAMES, 1);
    std::vector<Sums> sums(1 + THREADS);
    std::vector<std::thread> threads;
    auricle::Session shared = create(model, TINY_RATE, 1);
    std::atomic<bool> watching{true};

    threads.emplace_back([&] {
        for (std::size_t at = 0; at < FRAMES; at += PIECE)
            OK(shared.push(samples.data() + at, PIECE));
        OK(shared.finish());
    });
    threads.emplace_back([&] { read_until(shared, auricle::Status::end, sums[0]); });
    std::thread watcher([&] {
        while (watching)
            CHECK(shared.pending() <= FRAMES);
    });
    for (std::size_t i = 1; i <= THREADS; i++)
        threads.emplace_back([&, i] {
            auricle::Session session = create(model, TINY_RATE, 1);
            for (std::size_t at = 0; at < FRAMES; at += TINY_RATE) {
                OK(session.push({samples.data() + at, TINY_RATE}));
                read_until(session, auricle::Status::again, sums[i]);
                OK(model.classify(auricle::Clip({samples.data(), TINY_WINDOW}, 1, TINY_RATE)));
            }
            OK(session.finish());
            read_until(session, auricle::Status::end, sums[i]);
        });
    for (auto &thread : threads)
        thread.join();
    watching = false;
    watcher.join();
    for (const auto &each : sums)
        CHECK(each.windows == 37 && each.scores == sums[0].scores);
    return DONE();
}
