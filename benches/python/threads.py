#!/usr/bin/env python3
"""How much more two Python threads classify than one, on two cores: the median of rounds in turn.

    PYTHON benches/python/threads.py        with the wheel installed
"""

import pathlib
import statistics
import threading
import time

import auricle
import numpy as np

MODEL = pathlib.Path(__file__).resolve().parents[2] / "models" / "esc10.onnx"
CLIPS, ROUNDS = 40, 15


def seconds(model: auricle.Model, clip: auricle.Clip, count: int) -> float:
    """Wall time for `count` threads with CLIPS clips each."""

    def work() -> None:
        for _ in range(CLIPS):
            model.classify(clip)

    threads = [threading.Thread(target=work) for _ in range(count)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


if __name__ == "__main__":
    samples = (np.random.default_rng(0).standard_normal(5 * 44_100) / 10).astype(np.float32)
    clip = auricle.Clip(samples, 44_100)
    with auricle.load(MODEL) as model:
        seconds(model, clip, 2)
        pairs = [(seconds(model, clip, 1), seconds(model, clip, 2)) for _ in range(ROUNDS)]
    ratios = [2 * one / two for one, two in pairs]
    print(f"two threads classify {statistics.median(ratios):.2f} times as much as one (best round {max(ratios):.2f})")
