// Outputs of a model. heads.onnx: mean and maximum of a window of 800 samples at 8 kHz as scores ("levels"), and its first
// and last sample and the mean as a vector ("vector").
#include "check.hpp"

#include <algorithm>

enum { WINDOW = 800 };

static void of_a_stream(const auricle::Model &model)
{
    auricle::Session session = take(auricle::Session::create(model));
    std::vector<float> audio(WINDOW), scores(2), values(4, 9.0f);
    auricle::Window window;

    for (std::size_t k = 0; k < WINDOW; k++)
        audio[k] = static_cast<float>(k % 64) / 128.0f;
    EXPECT(invalid_state, "there is no result", session.output(1, values));
    OK(session.push(audio));
    OK(session.read(scores, window));
    CHECK(take(session.output(1, values)) == 3);
    CHECK(values[0] == audio.front() && values[1] == audio.back() && values[3] == 9.0f);
    CHECK(take(session.output(0, values)) == 2 && values[0] == scores[0] && values[1] == scores[1]);
    EXPECT(buffer_too_small, "room for 2; the output has 3", session.output(1, {values.data(), 2}));
    EXPECT(invalid_argument, "output is 2", session.output(2, values));
    EXPECT(invalid_argument, "session is NULL", auricle::Session().output(0, values));
}

static void of_a_clip(const auricle::Model &model)
{
    std::vector<float> audio(2 * WINDOW, 0.75f);
    std::fill(audio.begin(), audio.begin() + WINDOW, 0.25f);
    auricle::ClipOptions options;
    CHECK(take(model.classify(auricle::Clip(audio, 1, 8000), options)).size() == 2);
    options.output = 1;
    const auto vector = take(model.classify(auricle::Clip(audio, 1, 8000), options));
    CHECK(vector.size() == 3 && vector[0] == 0.5f && vector[1] == 0.5f);
    options.output = 2;
    EXPECT(invalid_argument, "output is 2; the model has 2", model.classify(auricle::Clip(audio, 1, 8000), options));
}

int main(int argc, char **argv)
{
    const auricle::Model model = take(auricle::Model::load(folder_of(argc, argv) + "/heads.onnx"));
    CHECK(model.output_count() == 2 && auricle::Model().output_count() == 0);
    const auricle::Output levels = take(model.output(0)), vector = take(model.output(1));
    CHECK(levels.kind == auricle::Kind::scores && levels.size == 2 && levels.hop_seconds == 0);
    CHECK(vector.kind == auricle::Kind::embedding && vector.size == 3);
    EXPECT(invalid_argument, "output is 2; the model has 2", model.output(2));
    CHECK(std::string(model.output_name(1)) == "vector" && !model.output_name(2));
    CHECK(std::string(model.output_label(0, 1)) == "max" && !model.output_label(0, 2) && !model.output_label(1, 0));
    of_a_stream(model);
    of_a_clip(model);
    return DONE();
}
