// Events of a stream, reading in bounded pieces, waiting and cancelling.
#include "check.hpp"

#include <thread>

using auricle::Status;

static auricle::Session create_with(const auricle::Model &model, const char *stream_json, std::uint32_t most)
{
    auricle::SessionOptions options;
    options.sample_rate = 48000;
    options.stream_json = stream_json;
    options.max_windows_per_read = most;
    options.ring_seconds = 5;
    return take(auricle::Session::create(model, options));
}

// Member for member what C gives; every class is on from the first window to the end.
static void events(const auricle::Model &model, const std::vector<float> &samples)
{
    static const char always_on[] = "{ \"hop_seconds\": 0.5, \"events\": { \"on\": 0.0, \"min_on_seconds\": 0.5 } }";
    auricle::Session session = create_with(model, always_on, 0), twin = create_with(model, always_on, 0);
    auricle::Window window;
    auricle::Event event;
    auricle_result result;
    auricle_event wanted;
    int provisional = 0, final = 0;

    auricle_result_init(&result);
    auricle_event_init(&wanted);
    EXPECT(again, "", session.read_event(event));
    for (auricle::Session *each : {&session, &twin}) {
        OK(each->push(samples));
        OK(each->finish());
    }
    while (session.read({}, window) == Status::ok)
        CHECK(auricle_session_read(twin.get(), nullptr, 0, &result) == AURICLE_OK);
    CHECK(auricle_session_read(twin.get(), nullptr, 0, &result) == AURICLE_END);
    while (session.read_event(event) == Status::ok) {
        CHECK(auricle_session_read_event(twin.get(), &wanted) == AURICLE_OK);
        CHECK(event.is_final == (wanted.is_final != 0) && event.id == wanted.id && event.class_index == wanted.class_index);
        CHECK(event.onset_frame == wanted.onset_frame && event.offset_frame == wanted.offset_frame);
        CHECK(event.decided_frame == wanted.decided_frame && event.lost_before == wanted.lost_before);
        CHECK(!std::memcmp(&event.peak_score, &wanted.peak_score, sizeof(float)));
        CHECK(!std::memcmp(&event.mean_score, &wanted.mean_score, sizeof(float)));
        CHECK(event.onset_frame == 24000 && event.peak_score >= event.mean_score);
        provisional += !event.is_final;
        final += event.is_final;
    }
    CHECK(provisional == TINY_CLASSES && final == TINY_CLASSES);
    auricle::Session without = create_with(model, nullptr, 0);
    EXPECT(invalid_state, "no events", without.read_event(event));
}

static void a_read_does_a_bounded_work(const auricle::Model &model, const std::vector<float> &samples)
{
    auricle::Session session = create_with(model, "{ \"hop_seconds\": 0.5 }", 2);
    auricle::Window window;
    int windows = 0;
    OK(session.push(samples));
    while (session.read({}, window) == Status::ok)
        windows++;
    CHECK(windows == 2);
}

static void waiting_and_cancelling(const auricle::Model &model, const std::vector<float> &samples)
{
    using std::chrono::milliseconds;
    auricle::Session session = create_with(model, nullptr, 0);
    auricle::Window window;

    EXPECT(again, "", session.wait(milliseconds(1)));
    EXPECT(again, "", session.wait(milliseconds(-5)));
    OK(session.push(samples));
    OK(session.wait(milliseconds::max()));
    OK(session.reset());
    std::thread other([&] {
        std::this_thread::sleep_for(milliseconds(20));
        session.cancel();
    });
    EXPECT(cancelled, "", session.wait(milliseconds::max()));
    other.join();
    EXPECT(cancelled, "", session.read({}, window));
    OK(session.reset());
    EXPECT(again, "", session.read({}, window));
}

int main(int argc, char **argv)
{
    const auricle::Model model = tiny(folder_of(argc, argv));
    const auto samples = sound(3 * 48000, 1);
    events(model, samples);
    a_read_does_a_bounded_work(model, samples);
    waiting_and_cancelling(model, samples);
    return DONE();
}
