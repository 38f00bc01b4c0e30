// Many sessions read by one call.
#include "check.hpp"

#include <chrono>

int main(int argc, char **argv)
{
    using auricle::Status;
    const std::chrono::milliseconds now(0);
    const std::string path = folder_of(argc, argv) + "/tiny.onnx";
    auricle::ModelOptions options;
    options.max_batch = 4;
    const auricle::Model model = take(auricle::Model::load(path, options)), other = take(auricle::Model::load(path, options));
    const auto samples = sound(2 * TINY_WINDOW, 1);
    std::vector<auricle::Session> owned;
    std::vector<auricle::Session *> sessions;
    for (int k = 0; k < 3; k++)
        owned.push_back(create(model, TINY_RATE, 1));
    for (auto &session : owned)
        sessions.push_back(&session);
    auricle::Session alone = create(model, TINY_RATE, 1), strange = create(other, TINY_RATE, 1);
    std::vector<float> scores(3 * TINY_CLASSES), wanted(TINY_CLASSES);
    std::vector<auricle::Window> windows(3);
    std::vector<Status> statuses(3, Status::internal);
    auricle::Window window;

    EXPECT(again, "", auricle::read_many(sessions, now, scores, windows, statuses));
    CHECK(statuses == std::vector<Status>(3, Status::again));
    EXPECT(again, "", auricle::read_many({}, now, {}, {}, {}));
    OK(alone.push(samples));
    OK(alone.read(wanted, window));
    OK(owned[0].push(samples));
    OK(owned[2].push(samples));
    OK(auricle::read_many(sessions, now, scores, windows, statuses));
    CHECK(statuses[0] == Status::ok && statuses[1] == Status::again && statuses[2] == Status::ok);
    CHECK(windows[2].first_frame == window.first_frame && windows[2].end_frame == window.end_frame);
    CHECK(windows[1].end_frame == 0 && distance(&scores[2 * TINY_CLASSES], wanted.data(), TINY_CLASSES) < 1e-6f);

    EXPECT(invalid_argument, "3 sessions, 2 windows and 3 statuses",
           auricle::read_many(sessions, now, scores, {windows.data(), 2}, statuses));
    EXPECT(buffer_too_small, "room for 2", auricle::read_many(sessions, now, {scores.data(), 6}, windows, statuses));
    OK(owned[1].finish());
    while (auricle::read_many(sessions, now, scores, windows, statuses) == Status::ok) {
    }
    CHECK(statuses[0] == Status::again && statuses[1] == Status::end);
    sessions[1] = &strange;
    EXPECT(invalid_argument, "sessions[1] has another model",
           auricle::read_many(sessions, now, scores, windows, statuses));
    sessions[1] = nullptr;
    EXPECT(invalid_argument, "sessions[1] is NULL", auricle::read_many(sessions, now, scores, windows, statuses));
    return DONE();
}
