#!/usr/bin/env python3
"""How much more two Python threads classify than one, on two cores: the median of rounds in turn.

    PYTHON benches/python/threads.py [ROUNDS]        with the wheel installed

Each round also has two processes with a thread each, which share nothing: where other programs use the cores too, nothing can
get further than they do. The processor time of a clip says whether threads cost anything.
"""

import pathlib
import statistics
import subprocess
import sys
import threading
import time

import auricle
import numpy as np

MODEL = pathlib.Path(__file__).resolve().parents[2] / "models" / "esc10.onnx"
CLIPS = 40


def work(model: auricle.Model, clip: auricle.Clip) -> None:
    for _ in range(CLIPS):
        model.classify(clip)


def run(model: auricle.Model, clip: auricle.Clip, count: int) -> tuple[float, float]:
    """Wall time and processor time of `count` threads with CLIPS clips each."""
    threads = [threading.Thread(target=work, args=(model, clip)) for _ in range(count)]
    start, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    samples = (np.random.default_rng(0).standard_normal(5 * 44_100) / 10).astype(np.float32)
    clip = auricle.Clip(samples, 44_100)
    model = auricle.load(MODEL)
    work(model, clip)
    if sys.argv[1:] == ["serve"]:
        print(flush=True)
        for _ in sys.stdin:
            work(model, clip)
            print(flush=True)
        return
    command = [sys.executable, __file__, "serve"]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    def answer() -> None:
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()

    def processes() -> float:
        start = time.perf_counter()
        for child in children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        answer()
        return time.perf_counter() - start

    answer()
    run(model, clip, 2)
    rounds = [(run(model, clip, 1), run(model, clip, 2), processes()) for _ in range(int(sys.argv[1]) if sys.argv[1:] else 15)]
    threads = [2 * one[0] / two[0] for one, two, _ in rounds]
    apart = [2 * one[0] / two for one, _, two in rounds]
    beside = statistics.median(two / threads[0] for _, threads, two in rounds)
    cost = statistics.median(two[1] / one[1] / 2 for one, two, _ in rounds)
    print(f"two threads classify {statistics.median(threads):.2f} times as much as one (best round {max(threads):.2f})")
    print(f"two processes {statistics.median(apart):.2f} times (best {max(apart):.2f}); threads have {beside:.2f} times the speed of processes")
    print(f"a clip takes {cost:.3f} times the processor time with two threads that it takes with one")
    for child in children:
        child.kill()
        child.wait()


if __name__ == "__main__":
    main()
