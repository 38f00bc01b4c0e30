// A JUCE plug-in that listens: processBlock pushes, a timer of the message thread reads. Audio goes through unchanged.
// In a project of JUCE's, include its own headers; Processor is what createPluginFilter() returns.
#ifndef PROCESSOR_HPP
#define PROCESSOR_HPP

#include <auricle.hpp>
#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_events/juce_events.h>

#include <atomic>
#include <functional>

class Processor : public juce::AudioProcessor, private juce::Timer {
public:
    // What the editor shows, on the message thread: an event that begins or is over, or a sentence that something is wrong.
    std::function<void(const auricle::Event &, const juce::String &label)> onEvent;
    std::function<void(const juce::String &)> onProblem;

    // Loads the model here, on the message thread: never in prepareToPlay, which hosts call often.
    explicit Processor(const juce::String &modelPath) : model(auricle::Model::load(modelPath.toRawUTF8()))
    {
        startTimerHz(30);
    }

    ~Processor() override { stopTimer(); }

    // The host calls no processBlock meanwhile; the timer may be running, hence the lock, which processBlock never takes.
    void prepareToPlay(double sampleRate, int) override
    {
        const juce::ScopedLock lock(reading);
        session = auricle::Session();
        if (!model)
            return;
        auricle::SessionOptions options;
        options.sample_rate = static_cast<std::uint32_t>(sampleRate);
        options.channels = static_cast<std::uint32_t>(getTotalNumInputChannels());
        options.ring_seconds = 10;        // hosts render faster than real time, too
        options.max_windows_per_read = 1; // no more than one inference a turn of the timer
        options.stream_json = "{ \"events\": { \"on\": 0.5 } }";
        auto made = auricle::Session::create(*model, options);
        if (made)
            session = std::move(*made);
        else
            problem = made.error().message();
    }

    void releaseResources() override
    {
        const juce::ScopedLock lock(reading);
        session = auricle::Session();
    }

    // The audio thread: no lock, no allocation, no exception. The number of frames may differ from call to call.
    void processBlock(juce::AudioBuffer<float> &buffer, juce::MidiBuffer &) override
    {
        const auto frames = static_cast<std::size_t>(buffer.getNumSamples());
        if (session && auricle::is_error(session.push_planar(buffer.getArrayOfReadPointers(), frames)))
            failed = true; // the timer says it
    }

private:
    void timerCallback() override
    {
        const juce::ScopedLock lock(reading);
        if (!model)
            report(model.error().message());
        else if (!problem.empty())
            report(std::exchange(problem, {}));
        if (failed.exchange(false))
            report("the host's audio was refused");
        if (!session)
            return;
        auricle::Window window;
        auricle::Event event;
        auto status = session.read({}, window);
        while (status == auricle::Status::ok)
            status = session.read({}, window);
        if (!status)
            report(status.error().message());
        while (session.read_event(event) == auricle::Status::ok)
            if (onEvent)
                onEvent(event, model->label(static_cast<std::size_t>(event.class_index)));
    }

    void report(const std::string &sentence)
    {
        if (sentence != said && onProblem)
            onProblem(sentence);
        said = sentence;
    }

    auricle::Result<auricle::Model> model;
    auricle::Session session;
    juce::CriticalSection reading;
    std::atomic<bool> failed{false};
    std::string problem, said;
};

#endif
