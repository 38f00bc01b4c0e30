// Whole clips: every way to give one has the scores that C gives, bit for bit.
#include "check.hpp"

#include <array>

int main(int argc, char **argv)
{
    using auricle::Clip;
    using auricle::Format;
    enum { FRAMES = 2 * 44100, RATE = 44100 };
    const auricle::Model model = tiny(folder_of(argc, argv));
    const std::vector<float> samples = sound(FRAMES, 2);
    std::vector<float> wanted(TINY_CLASSES), channel(TINY_CLASSES);
    std::array<float, TINY_CLASSES + 1> room{};

    CHECK(auricle_classify_f32(model.get(), samples.data(), FRAMES, 2, RATE, wanted.data(), TINY_CLASSES) == AURICLE_OK);
    CHECK(take(model.classify(Clip(samples, 2, RATE))) == wanted);
    CHECK(take(model.classify(Clip(samples.data(), FRAMES, 2, RATE))) == wanted);
    CHECK(take(model.classify(Clip(Format::f32, samples.data(), FRAMES, 2, RATE))) == wanted);
    room.back() = -7;
    OK(model.classify(Clip(samples, 2, RATE), room));
    CHECK(std::vector<float>(room.begin(), room.end() - 1) == wanted && room.back() == -7.0f);

    // Integers are what they are, not what floats would be.
    const std::vector<std::int16_t> whole(FRAMES, 16384);
    const std::vector<float> half(FRAMES, 0.5f);
    CHECK(take(model.classify(Clip(Format::i16, whole.data(), FRAMES, 1, RATE)))
          == take(model.classify(Clip(half, 1, RATE))));

    auricle::ClipOptions options;
    options.channel = 2;
    std::vector<float> right;
    for (std::size_t k = 1; k < samples.size(); k += 2)
        right.push_back(samples[k]);
    channel = take(model.classify(Clip(samples, 2, RATE), options));
    CHECK(channel == take(model.classify(Clip(right, 1, RATE))) && channel != wanted);
    options.channel = 3;
    EXPECT(invalid_argument, "channel is 3", model.classify(Clip(samples, 2, RATE), options));
    options.channel = 0;
    options.hop_seconds = 0.05;
    CHECK(take(model.classify(Clip(samples, 2, RATE), options)) != wanted);
    options.hop_seconds = -1;
    EXPECT(invalid_argument, "hop_seconds is -1", model.classify(Clip(samples, 2, RATE), options));

    EXPECT(invalid_argument, "interleaved has 176399 samples, which 2 channels do not divide",
           model.classify(Clip({samples.data(), samples.size() - 1}, 2, RATE)));
    EXPECT(invalid_argument, "channels is 0", model.classify(Clip(samples, 0, RATE)));
    EXPECT(invalid_argument, "sample_rate is 999", model.classify(Clip(samples, 2, 999)));
    EXPECT(clip_too_short, "0 frames", model.classify(Clip(auricle::Span<const float>(), 2, RATE)));
    EXPECT(buffer_too_small, "room for 2", model.classify(Clip(samples, 2, RATE), auricle::Span<float>(room.data(), 2)));
    return DONE();
}
