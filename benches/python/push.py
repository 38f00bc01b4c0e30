#!/usr/bin/env python3
"""What a push of 10 ms at 48 kHz costs from Python and from C: the best of 300 rounds of 100 pushes each, one after the other.

    PYTHON benches/python/push.py        with the wheel and a C compiler installed
"""

import pathlib
import subprocess
import tempfile
import time

import auricle
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "esc10.onnx"
FRAMES, PUSHES, ROUNDS = 480, 100, 300


def from_c() -> float:
    folder = pathlib.Path(auricle.__file__).parent
    library = next(folder.glob("libauricle*"))
    with tempfile.TemporaryDirectory() as place:
        program = pathlib.Path(place, "push")
        options = ["-O2", "-std=gnu11", f"-I{ROOT / 'include'}", f"-Wl,-rpath,{folder}", "-o", str(program)]
        subprocess.run(["cc", str(pathlib.Path(__file__).with_name("push.c")), *options, str(library)], check=True)
        return float(subprocess.run([program, MODEL], check=True, capture_output=True, text=True).stdout)


def from_python() -> float:
    block = ((np.arange(FRAMES) % 97 - 48) / 480).astype(np.float32)
    best = float("inf")
    with auricle.load(MODEL) as model, auricle.Session(model, sample_rate=48_000) as session:
        push = session.push
        for _ in range(ROUNDS):
            session.reset()
            start = time.perf_counter_ns()
            for _ in range(PUSHES):
                push(block)
            best = min(best, (time.perf_counter_ns() - start) / PUSHES)
    return best


if __name__ == "__main__":
    c, python = from_c(), from_python()
    print(f"C {c:.0f} ns, Python {python:.0f} ns: {(python - c) / 1000:.2f} µs more (target: at most 5)")
