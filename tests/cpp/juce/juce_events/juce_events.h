// Of JUCE's header of this name, what examples/cpp/juce uses: a timer that a test's message thread turns, and a lock.
#pragma once

#include <mutex>

namespace juce {

class Timer {
public:
    virtual ~Timer() = default;
    virtual void timerCallback() = 0;
    void startTimerHz(int) { running() = this; }
    void stopTimer() { running() = nullptr; }
    static Timer *&running()
    {
        static Timer *timer = nullptr;
        return timer;
    }
};

using CriticalSection = std::mutex;
using ScopedLock = std::lock_guard<std::mutex>;

} // namespace juce
