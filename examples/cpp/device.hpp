// A capture device as miniaudio has it: a configuration with a callback, `device_start`, `device_stop`. It is played by a WAV
// file at 20 times its speed, so that the example runs everywhere. With miniaudio itself the names get `ma_` before them.
#ifndef DEVICE_HPP
#define DEVICE_HPP

#include "wav.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

struct device;
using device_callback = void (*)(device *, void *output, const void *input, std::uint32_t frames);

struct device {
    const Wav *source = nullptr;
    device_callback dataCallback = nullptr;
    void *pUserData = nullptr;
    std::thread thread;
    std::atomic<bool> over{false};
};

inline void device_start(device *device)
{
    device->thread = std::thread([device] {
        const std::size_t block = device->source->sample_rate / 100; // 10 ms
        for (std::size_t at = 0; at < device->source->frames() && !device->over; at += block) {
            const std::size_t frames = std::min(block, device->source->frames() - at);
            device->dataCallback(device, nullptr, device->source->samples.data() + at * device->source->channels,
                                 static_cast<std::uint32_t>(frames));
            std::this_thread::sleep_for(std::chrono::microseconds(500));
        }
        device->over = true;
    });
}

inline void device_stop(device *device)
{
    device->over = true;
    if (device->thread.joinable())
        device->thread.join();
}

#endif
