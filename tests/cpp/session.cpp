// What a session takes and refuses.
#include "check.hpp"

#include <cmath>

// Every way to push carries the same sound.
static void pushing(const auricle::Model &model)
{
    using auricle::Format;
    std::vector<float> both(2 * TINY_WINDOW), plane[2] = {std::vector<float>(TINY_WINDOW), std::vector<float>(TINY_WINDOW)};
    std::vector<std::int16_t> whole(both.size());
    std::vector<float> wanted(TINY_CLASSES), scores(TINY_CLASSES);
    for (std::size_t k = 0; k < both.size(); k++) {
        whole[k] = static_cast<std::int16_t>(k * k % 7919 * 4);
        both[k] = plane[k % 2][k / 2] = static_cast<float>(whole[k]) / 32768.0f;
    }
    const float *const planes[2] = {plane[0].data(), plane[1].data()};
    const void *const bytes[2] = {plane[0].data(), plane[1].data()};
    const auricle::Span<const std::int16_t> span(whole);
    auricle::Session session = create(model, TINY_RATE, 2);
    auricle::Window window;

    CHECK(session.channels() == 2);
    wanted = take(model.classify(auricle::Clip(both, 2, TINY_RATE)));
    for (int way = 0; way < 7; way++) {
        switch (way) {
        case 0: OK(session.push(both.data(), TINY_WINDOW)); break;
        case 1: OK(session.push(whole.data(), TINY_WINDOW)); break;
        case 2: OK(session.push_bytes(Format::i16, whole.data(), TINY_WINDOW)); break;
        case 3: OK(session.push_planar(planes, TINY_WINDOW)); break;
        case 4: OK(session.push_planar_bytes(Format::f32, bytes, TINY_WINDOW)); break;
        case 5: OK(session.push(both)); break;
        default: OK(session.push(span)); break;
        }
        CHECK(session.pending() == TINY_WINDOW);
        OK(session.read(scores, window));
        CHECK(distance(scores.data(), wanted.data(), TINY_CLASSES) < 1e-5f && window.end_frame == TINY_WINDOW);
        EXPECT(again, "", session.read(scores, window));
        OK(session.reset());
    }
}

static void refused(const auricle::Model &model)
{
    auricle::Session session = create(model, TINY_RATE, 2);
    std::vector<float> scores(TINY_CLASSES), odd(7);
    auricle::Window window;

    EXPECT(invalid_argument, "interleaved is NULL", session.push(static_cast<const float *>(nullptr), 3));
    EXPECT(invalid_argument, "format is 0", session.push_bytes(auricle::Format{}, odd.data(), 1));
    EXPECT(invalid_argument, "interleaved has 7 samples, which 2 channels do not divide", session.push(odd));
    CHECK(session.pending() == 0);
    EXPECT(buffer_too_small, "3 classes", session.read({scores.data(), 2}, window));
    EXPECT(again, "", session.read({}, window)); // only events are wanted
    OK(session.push(odd.data(), 1)); // too little for one row of features
    OK(session.finish());
    EXPECT(invalid_state, "finished", session.push(odd.data(), 3));
    EXPECT(invalid_state, "finished", session.push({odd.data(), 6}));
    EXPECT(clip_too_short, "", session.read(scores, window));
    EXPECT(end, "", session.read(scores, window));
}

// Each option is passed on: a value that is refused comes back with its name.
static void options(const auricle::Model &model)
{
    const auto with = [&](auto change) {
        auricle::SessionOptions options;
        change(options);
        return auricle::Session::create(model, options);
    };
    using Options = auricle::SessionOptions;
    EXPECT(invalid_argument, "999", with([](Options &o) { o.sample_rate = 999; }));
    EXPECT(invalid_argument, "channels is 9", with([](Options &o) { o.channels = 9; }));
    EXPECT(invalid_argument, "hop_seconds is NaN", with([](Options &o) { o.hop_seconds = std::nan(""); }));
    EXPECT(invalid_argument, "ring_seconds", with([](Options &o) { o.ring_seconds = -1; }));
    EXPECT(invalid_argument, "overflow is 3", with([](Options &o) { o.overflow = static_cast<auricle::Overflow>(3); }));
    EXPECT(invalid_argument, "channel is 2", with([](Options &o) { o.channel = 2; }));
    EXPECT(invalid_argument, "events", with([](Options &o) { o.stream_json = "{ \"events\": 1 }"; }));
    OK(with([](Options &o) { o.overflow = auricle::Overflow::drop_oldest; }));
    CHECK(take(with([](Options &) {})).channels() == 1);
}

// The newest or the oldest frames give way, and the window says how many.
static void overflow(const auricle::Model &model)
{
    const auto samples = sound(3 * TINY_WINDOW, 1);
    for (const auto policy : {auricle::Overflow::drop_newest, auricle::Overflow::drop_oldest}) {
        auricle::SessionOptions options;
        options.overflow = policy;
        options.ring_seconds = 2;
        auricle::Session session = take(auricle::Session::create(model, options));
        std::vector<float> scores(TINY_CLASSES);
        auricle::Window window;
        EXPECT(dropped, "", session.push(samples));
        OK(session.finish());
        OK(session.read(scores, window));
        CHECK((window.dropped_frames > 0) == (policy == auricle::Overflow::drop_oldest));
        while (session.read(scores, window) == auricle::Status::ok)
            CHECK(window.dropped_frames <= TINY_WINDOW);
    }
}

static void empty()
{
    auricle::Session session;
    auricle::Window window;
    auricle::Event event;
    const float sample = 0;
    CHECK(!session && session.channels() == 0 && session.pending() == 0);
    session.cancel();
    EXPECT(invalid_argument, "session is NULL", session.push(&sample, 1));
    EXPECT(invalid_argument, "session is NULL", session.push({&sample, 1}));
    EXPECT(invalid_argument, "session is NULL", session.gap(1));
    EXPECT(invalid_argument, "session is NULL", session.finish());
    EXPECT(invalid_argument, "session is NULL", session.read({}, window));
    EXPECT(invalid_argument, "session is NULL", session.read_event(event));
    EXPECT(invalid_argument, "session is NULL", session.wait(std::chrono::seconds(1)));
    EXPECT(invalid_argument, "session is NULL", session.reset());
}

int main(int argc, char **argv)
{
    const auricle::Model model = tiny(folder_of(argc, argv));
    pushing(model);
    refused(model);
    options(model);
    overflow(model);
    empty();
    return DONE();
}
