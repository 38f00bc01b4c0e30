#!/usr/bin/env python3
"""Sounds that nobody recorded: rain, fire, wind, surf, streams, engines, saws, helicopter blades, clocks, fans, tones, noise.

    python3 procedural.py FOLDER [COUNT]

writes COUNT (24) WAV files of 5 s, 16 kHz, of each kind. They are for `auricle-train distill --sounds FOLDER`: what they
sound like is the teacher's word, so they have no labels. Seeded; needs NumPy.
"""

import sys
import wave
from pathlib import Path

import numpy as np

RATE = 16_000
N = 5 * RATE
TIME = np.arange(N) / RATE


def shaped(rng, low, high, slope):
    """Noise between two frequencies, Hz, that falls by `slope` dB per octave."""
    spectrum = np.fft.rfft(rng.standard_normal(N))
    hz = np.fft.rfftfreq(N, 1 / RATE)
    gain = np.where(hz > 20, (np.maximum(hz, 20) / 1000) ** (-slope / 6.02), 0)
    gain = gain / (1 + (low / np.maximum(hz, 1)) ** 4) / (1 + (hz / high) ** 4)
    sound = np.fft.irfft(spectrum * gain, N)
    return sound / sound.std()


def wander(rng, hz):
    """A slow random movement, mean 0 and variance 1."""
    steps = np.interp(TIME, np.arange(0, 6, 1 / hz), rng.standard_normal(len(np.arange(0, 6, 1 / hz))))
    return steps - steps.mean()


def clicks(rng, rate, shortest, longest, low, high):
    """Decaying bursts of noise or ringing at random times, `rate` a second."""
    sound = np.zeros(N + RATE)
    for start in rng.uniform(0, N, rng.poisson(rate * 5)).astype(int):
        seconds = np.exp(rng.uniform(np.log(shortest), np.log(longest)))
        time = np.arange(int(6 * seconds * RATE) + 8) / RATE
        hz = np.exp(rng.uniform(np.log(low), np.log(high)))
        body = np.sin(2 * np.pi * hz * time + rng.uniform(0, 6)) + 0.7 * rng.standard_normal(len(time))
        sound[start:start + len(time)] += body * np.exp(-time / seconds) * rng.pareto(1.8)
    return sound[:N]


def rain(rng):
    drops = clicks(rng, rng.uniform(50, 600), 0.0005, 0.004, 1500, 7000)
    return shaped(rng, rng.uniform(200, 1500), 7500, rng.uniform(-2, 5)) + rng.uniform(0, 2) * drops / (drops.std() + 1e-9)


def fire(rng):
    crackle = clicks(rng, rng.uniform(4, 60), 0.0004, 0.006, 800, 7000)
    roar = shaped(rng, 30, rng.uniform(200, 900), rng.uniform(3, 9)) * (1 + 0.3 * wander(rng, 6))
    return rng.uniform(0.1, 1) * roar + rng.uniform(0.5, 3) * crackle / (crackle.std() + 1e-9)


def wind(rng):
    gusts = np.exp(0.7 * wander(rng, rng.uniform(0.3, 2)))
    return gusts * shaped(rng, 60, rng.uniform(300, 1500), rng.uniform(4, 10))


def surf(rng):
    period, phase = rng.uniform(3, 12), rng.uniform(0, 6)
    swell = (0.5 + 0.5 * np.sin(2 * np.pi * TIME / period + phase)) ** rng.uniform(1, 4)
    hiss = shaped(rng, rng.uniform(300, 1500), 6000, rng.uniform(0, 4))
    return (0.15 + swell) * hiss + rng.uniform(0.2, 1) * shaped(rng, 30, 500, 6)


def stream(rng):
    sound = np.zeros(N + RATE)
    for start in rng.uniform(0, N, rng.poisson(rng.uniform(100, 600))).astype(int):
        hz, seconds = rng.uniform(300, 3000), rng.uniform(0.005, 0.04)
        time = np.arange(int(5 * seconds * RATE)) / RATE
        sound[start:start + len(time)] += np.sin(2 * np.pi * hz * (1 + 3 * time) * time) * np.exp(-time / seconds)
    return sound[:N] / sound.std() + rng.uniform(0.2, 1) * shaped(rng, 300, 5000, 3)


def firing(rng, hz, jitter, duty):
    """Pulses of an engine or of blades."""
    phase = np.cumsum(hz * (1 + jitter * wander(rng, 8)) / RATE)
    return np.exp(-((phase % 1) / duty) * 3), phase


def engine(rng):
    hz = rng.uniform(15, 120)
    pulse, phase = firing(rng, hz * np.exp(0.3 * wander(rng, 0.7)), 0.02, rng.uniform(0.2, 0.8))
    tones = sum(rng.uniform(0.2, 1) / k * np.sin(2 * np.pi * k * phase) for k in range(1, 20))
    return tones + pulse * shaped(rng, 80, rng.uniform(800, 4000), 3) + rng.uniform(0, 0.5) * shaped(rng, 200, 6000, 0)


def saw(rng):
    hz = rng.uniform(80, 260) * np.exp(0.25 * wander(rng, rng.uniform(0.5, 3)))
    pulse, phase = firing(rng, hz, 0.03, 0.5)
    buzz = 2 * (phase % 1) - 1
    return np.tanh(2 * buzz) + rng.uniform(0.3, 1.5) * pulse * shaped(rng, 800, 7500, -1)


def helicopter(rng):
    pulse, phase = firing(rng, rng.uniform(8, 30), 0.01, rng.uniform(0.15, 0.6))
    chop = pulse * shaped(rng, 40, rng.uniform(200, 2500), rng.uniform(2, 8))
    whine = sum(np.sin(2 * np.pi * rng.uniform(100, 1500) * TIME) for _ in range(3))
    return chop + rng.uniform(0, 0.1) * whine + rng.uniform(0.1, 0.6) * shaped(rng, 60, 3000, 5)


def clock(rng):
    sound, every = np.zeros(N + RATE), rng.choice([0.25, 0.5, 1.0]) * rng.uniform(0.95, 1.05)
    time = np.arange(RATE // 20) / RATE
    kinds = [
        sum(rng.uniform(0.2, 1) * np.sin(2 * np.pi * rng.uniform(1000, 7000) * time) for _ in range(4))
        * np.exp(-time / rng.uniform(0.001, 0.01)) + 0.3 * rng.standard_normal(len(time)) * np.exp(-time / 0.002)
        for _ in range(2)
    ]
    for index, start in enumerate(np.arange(rng.uniform(0, every), 5, every)):
        at = int(start * RATE)
        sound[at:at + len(time)] += kinds[index % 2]
    return sound[:N] / sound.std() + rng.uniform(0, 0.2) * shaped(rng, 50, 4000, 5)


def fan(rng):
    hum = sum(rng.uniform(0, 1) / k * np.sin(2 * np.pi * k * rng.choice([50, 60]) * TIME) for k in range(1, 12))
    return shaped(rng, 60, rng.uniform(800, 5000), rng.uniform(1, 6)) + rng.uniform(0, 1) * hum


def tones(rng):
    hz = rng.uniform(100, 3500) * np.exp(rng.uniform(0, 0.6) * wander(rng, rng.uniform(0.5, 6)))
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    voice = sum(rng.uniform(0, 1) / k * np.sin(k * phase) for k in range(1, rng.integers(2, 12)))
    gate = (np.sin(2 * np.pi * rng.uniform(0.3, 5) * TIME + rng.uniform(0, 6)) > rng.uniform(-1, 0.7)).astype(float)
    return voice * np.convolve(gate, np.ones(400) / 400, "same")


def noise(rng):
    return shaped(rng, 30, 8000, rng.uniform(-3, 9))


KINDS = [rain, fire, wind, surf, stream, engine, saw, helicopter, clock, fan, tones, noise]


def main():
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 24
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for number in range(count):
            rng = np.random.default_rng([KINDS.index(kind), number])
            sound = kind(rng)
            sound = 0.5 * sound / np.abs(sound).max() * 10 ** rng.uniform(-1, 0)
            with wave.open(str(folder / f"{kind.__name__}_{number:03}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes((sound * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
