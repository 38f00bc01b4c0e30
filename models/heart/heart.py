#!/usr/bin/env python3
"""Heart sounds that nobody recorded, normal and with murmurs, as a stethoscope of 2 kHz gives them.

    python3 heart.py FOLDER [--patients 240] [--snr low high] [--seed 1]

writes two recordings of 8 s a patient and `labels.csv` (file, class, fold, group). Classes: `normal`, `murmur`; five folds, all of
one patient in one. Without --snr nothing is added; with it each recording has noise at an SNR between the two, dB: half of
them white, half pink, with breath of 0.2 to 0.4 Hz in a third. The SNR is that of all samples together. Seeded; needs NumPy.

Where the numbers come from: first sound 70 to 150 ms of 25 to 80 Hz, second 60 to 110 ms of 40 to 120 Hz, systole 0.25 to
0.35 s, rates 55 to 110 a minute (Abbas & Bassam, Phonocardiography Signal Processing, 2009); murmurs between 80 and 500 Hz,
crescendo-decrescendo, holosystolic or early diastolic, 10 to 26 dB below the first sound.
"""

import argparse
import csv
import wave
from pathlib import Path

import numpy as np

RATE = 2000
N = 8 * RATE


def band(rng, count, low, high):
    """Noise between two frequencies, Hz, of variance 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / RATE)
    sound = np.fft.irfft(spectrum / (1 + (low / np.maximum(hz, 1)) ** 8) / (1 + (hz / high) ** 8), count)
    return sound / (sound.std() + 1e-12)


def thump(rng, seconds, low, high, parts):
    """A heart sound: a few ringing parts that decay."""
    time = np.arange(int(seconds * RATE)) / RATE
    sound = np.zeros(len(time))
    for _ in range(parts):
        start = rng.uniform(0, 0.25) * seconds
        after = np.maximum(time - start, 0)
        rise = 1 - np.exp(-after / 0.006)
        sound += (time >= start) * rise * np.exp(-5 * after / seconds) * np.sin(2 * np.pi * rng.uniform(low, high) * after)
    return sound / (np.abs(sound).max() + 1e-12)


class Patient:
    """What stays the same from one recording to the next."""

    def __init__(self, rng, ill):
        self.beat = 60 / rng.uniform(55, 110)
        self.systole = min(rng.uniform(0.25, 0.35), 0.5 * self.beat)
        self.first = (rng.uniform(0.07, 0.15), rng.uniform(25, 45), rng.uniform(50, 80))
        self.second = (rng.uniform(0.06, 0.11), rng.uniform(40, 60), rng.uniform(70, 120))
        self.loudness = rng.uniform(0.4, 0.9)  # of the second sound beside the first
        self.third = rng.uniform(0.1, 0.25) if rng.random() < 0.2 else 0
        self.murmur = None
        if ill:
            low = rng.uniform(80, 200)
            kind = rng.choice(["ejection", "holosystolic", "diastolic"])
            self.murmur = (kind, low, low + rng.uniform(80, 300), 10 ** (-rng.uniform(10, 26) / 20))

    def recording(self, rng):
        sound = np.zeros(N + 2 * RATE)
        add = lambda start, part: np.add.at(sound, np.arange(len(part)) + int(start * RATE), part)
        time = rng.uniform(0, self.beat)
        while time < N / RATE:
            beat = self.beat * (1 + 0.03 * rng.standard_normal())
            level = 1 + 0.1 * rng.standard_normal()
            add(time, level * thump(rng, *self.first, 3))
            add(time + self.systole, level * self.loudness * thump(rng, *self.second, 2))
            if self.third:
                add(time + self.systole + 0.14, level * self.third * thump(rng, 0.06, 25, 50, 1))
            if self.murmur:
                kind, low, high, loud = self.murmur
                start, length = {
                    "ejection": (0.06, self.systole - 0.08),
                    "holosystolic": (0.03, self.systole),
                    "diastolic": (self.systole + 0.05, min(0.3, 0.6 * (beat - self.systole))),
                }[str(kind)]
                place = np.linspace(0, 1, max(int(length * RATE), 8))
                shape = {"ejection": np.sin(np.pi * place), "holosystolic": np.minimum(1, 8 * place * (1 - place) + 0.3),
                         "diastolic": np.exp(-2.5 * place)}[str(kind)]
                add(time + start, level * loud * shape * band(rng, len(place), low, high))
            time += beat
        return sound[:N]


def noise(rng):
    white = rng.standard_normal(N)
    if rng.random() < 0.5:
        spectrum = np.fft.rfft(white)
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        white = np.fft.irfft(spectrum, N)
    white /= white.std()
    if rng.random() < 1 / 3:
        breath = np.sin(2 * np.pi * rng.uniform(0.2, 0.4) * np.arange(N) / RATE + rng.uniform(0, 6)) ** 2
        white += breath * band(rng, N, 150, 600)
    return white / white.std()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--patients", type=int, default=240)
    arguments.add_argument("--snr", type=float, nargs=2)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(given.patients):
        rng = np.random.default_rng([given.seed, number])
        name = "murmur" if number % 2 else "normal"
        patient = Patient(rng, name == "murmur")
        for take in range(2):
            sound = patient.recording(rng)
            sound /= sound.std()
            if given.snr:
                sound = sound + noise(rng) * 10 ** (-rng.uniform(*given.snr) / 20)
            sound *= 10 ** (rng.uniform(-12, 0) / 20) * 0.7 / np.abs(sound).max()
            file = f"{name}-{number:03}-{take}.wav"
            with wave.open(str(given.folder / file), "wb") as out:
                out.setparams((1, 2, RATE, N, "NONE", ""))
                out.writeframes((sound * 32767).astype("<i2").tobytes())
            rows.append([file, name, number // 2 % 5 + 1, f"patient {number}"])
    with open(given.folder / "labels.csv", "w", newline="") as out:
        csv.writer(out).writerows([["file", "class", "fold", "group"], *rows])


if __name__ == "__main__":
    main()
