// Of JUCE's header of this name, what examples/cpp/juce uses: enough to compile it and to play a host.
#pragma once

#include <string>
#include <vector>

namespace juce {

class String {
public:
    String(const char *text) : text_(text) {}
    String(const std::string &text) : text_(text) {}
    const char *toRawUTF8() const { return text_.c_str(); }

private:
    std::string text_;
};

template <class Sample> class AudioBuffer {
public:
    AudioBuffer(int channels, int samples)
        : planes_(static_cast<std::size_t>(channels), std::vector<Sample>(static_cast<std::size_t>(samples))), samples_(samples)
    {
        for (auto &plane : planes_)
            pointers_.push_back(plane.data());
    }
    int getNumSamples() const { return samples_; }
    const Sample *const *getArrayOfReadPointers() const { return pointers_.data(); }
    Sample *getWritePointer(int channel) { return planes_[static_cast<std::size_t>(channel)].data(); }

private:
    std::vector<std::vector<Sample>> planes_;
    std::vector<const Sample *> pointers_;
    int samples_;
};

class MidiBuffer {};

class AudioProcessor {
public:
    virtual ~AudioProcessor() = default;
    virtual void prepareToPlay(double sampleRate, int maximumExpectedSamplesPerBlock) = 0;
    virtual void releaseResources() = 0;
    virtual void processBlock(AudioBuffer<float> &buffer, MidiBuffer &midi) = 0;
    int getTotalNumInputChannels() const { return 2; }
};

} // namespace juce
