// examples/cpp/juce in a host: a thread for audio, this one for messages. Arguments: the model, a WAV file.
#include "Processor.hpp"
#include "wav.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

int main(int argc, char **argv)
{
    const Wav wav(argc > 2 ? argv[2] : "");
    if (!wav.problem.empty() || wav.channels != 2)
        return std::fprintf(stderr, "%s: two channels are wanted\n", wav.problem.c_str()), EXIT_FAILURE;
    Processor processor(argv[1]);
    std::atomic<bool> over{false};
    int problems = 0;
    processor.onEvent = [&](const auricle::Event &event, const juce::String &label) {
        std::printf("%llu %s %s\n", static_cast<unsigned long long>(event.onset_frame), label.toRawUTF8(),
                    event.is_final ? "ends" : "begins");
    };
    processor.onProblem = [&](const juce::String &sentence) {
        std::printf("problem: %s\n", sentence.toRawUTF8());
        problems++;
    };
    for (int round = 0; round < 2; round++) { // hosts prepare and release as often as they like
        processor.prepareToPlay(wav.sample_rate, 512);
        over = false;
        std::thread audio([&] {
            juce::MidiBuffer midi;
            for (std::size_t at = 0; at < wav.frames(); at += 441) {
                const std::size_t frames = std::min<std::size_t>(441, wav.frames() - at);
                juce::AudioBuffer<float> buffer(2, static_cast<int>(frames));
                for (std::size_t k = 0; k < 2 * frames; k++)
                    buffer.getWritePointer(static_cast<int>(k % 2))[k / 2] = wav.samples[2 * at + k];
                processor.processBlock(buffer, midi);
                std::this_thread::sleep_for(std::chrono::microseconds(500));
            }
            over = true;
        });
        while (!over && juce::Timer::running()) {
            juce::Timer::running()->timerCallback();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        audio.join();
        for (int k = 0; k < 100; k++)
            juce::Timer::running()->timerCallback();
        processor.releaseResources();
    }
    return problems ? EXIT_FAILURE : EXIT_SUCCESS;
}
