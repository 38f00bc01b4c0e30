#!/usr/bin/env python3
"""Clips classified in Python as people do it today (librosa's or torchaudio's features, a loop, onnxruntime) and by Auricle, with the
bundled model and in one run: files per second of processor time, peak memory, and how far the scores are apart.

    pip install -r benches/python/requirements.txt and the wheel, then
    PYTHON benches/python/corpus.py FOLDER [COUNT]        FOLDER has .ogg, .wav or .flac files, in folders too

All decode with soundfile and use one thread. librosa and torchaudio resample with their defaults (soxr HQ, a windowed sinc of
width 6) and run all windows of a clip in one batch: librosa once with the features of each window from its own samples, as in training, which gives the same scores, and
once with features of the whole clip cut into windows, which is cheaper and differs at the edges of windows; torchaudio, if it is
installed, the first way. Each side is a
process of its own that takes the clips in turns of 50 with the others.
"""

import importlib.util
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

MODEL = pathlib.Path(__file__).resolve().parents[2] / "models" / "esc10.onnx"
TURN = 50


def by_auricle():
    import auricle
    import soundfile

    model = auricle.load(MODEL)

    def classify(path):
        samples, rate = soundfile.read(path, dtype="float32")
        start = time.process_time()
        return model.classify(auricle.Clip(samples, rate)), time.process_time() - start

    return classify


def by_peer(features):
    """A loop round onnxruntime. `features`: samples and rate in; log mel rows of every window out, (windows, bins, rows)."""
    import numpy as np
    import onnxruntime
    import soundfile

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])

    def classify(path):
        samples, rate = soundfile.read(path, dtype="float32")
        start = time.process_time()
        if samples.ndim == 2:
            samples = samples.mean(1)
        logits = session.run(None, {"input": features(samples, rate)[:, None]})[0]
        scores = np.exp((logits - logits.max(1, keepdims=True)) / 0.899)  # the manifest's temperature
        return (scores / scores.sum(1, keepdims=True)).mean(0), time.process_time() - start

    return classify


ROWS, HOP = 63, 16  # of a window, between two windows


def padding(length):
    """Samples to add so that windows of 1 s end with the clip; the last one is padded, as the manifest says."""
    count = -(-max(0, length - 16_000) // (HOP * 256)) + 1
    return (count - 1) * HOP * 256 + 16_000 - length


def by_librosa(every_window):
    """With `every_window` the features of each window come from its own samples, as the model was trained; without, once a clip."""
    import librosa
    import numpy as np

    def features(samples, rate):
        samples = librosa.resample(samples, orig_sr=rate, target_sr=16_000)
        samples = np.pad(samples, (0, padding(len(samples))))
        if every_window:
            samples = np.stack([samples[at : at + 16_000] for at in range(0, len(samples) - 16_000 + 1, HOP * 256)])
        mel = librosa.feature.melspectrogram(
            y=samples, sr=16_000, n_fft=1024, hop_length=256, n_mels=64, htk=True, norm=None, pad_mode="reflect"
        )
        log = np.log(mel + 1e-6).astype(np.float32)
        return log if every_window else np.stack([log[:, at : at + ROWS] for at in range(0, log.shape[1] - ROWS + 1, HOP)])

    return by_peer(features)


def by_torchaudio():
    import torch
    import torchaudio

    torch.set_num_threads(1)
    mel = torchaudio.transforms.MelSpectrogram(16_000, n_fft=1024, hop_length=256, n_mels=64)
    resamplers = {}

    @torch.inference_mode()
    def features(samples, rate):
        if rate not in resamplers:
            resamplers[rate] = torchaudio.transforms.Resample(rate, 16_000)
        samples = resamplers[rate](torch.from_numpy(samples))
        samples = torch.nn.functional.pad(samples, (0, padding(len(samples))))
        return torch.log(mel(samples.unfold(0, 16_000, HOP * 256)) + 1e-6).numpy()

    return by_peer(features)


SIDES = {
    "librosa, features of each window": lambda: by_librosa(True),
    "librosa, features of each clip": lambda: by_librosa(False),
    "torchaudio, features of each window": by_torchaudio,
    "Auricle": by_auricle,
}


def serve(side):
    """A line with paths in; seconds with and without decoding, scores, and peak memory out."""
    classify = SIDES[side]()
    for line in sys.stdin:
        start, apart, scores = time.process_time(), 0.0, []
        for path in json.loads(line):
            found, seconds = classify(path)
            apart += seconds
            scores.append([float(score) for score in found])
        peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
        print(json.dumps([time.process_time() - start, apart, scores, peak]), flush=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    found = sorted(str(path) for path in folder.rglob("*") if path.suffix in (".ogg", ".wav", ".flac"))
    paths = [found[index % len(found)] for index in range(count)]
    environment = os.environ | {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")}
    sides = [side for side in SIDES if not side.startswith("torchaudio") or importlib.util.find_spec("torchaudio")]
    peers = [side for side in sides if side != "Auricle"]
    children = {
        side: subprocess.Popen(
            [sys.executable, __file__, "serve", side], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for side in sides
    }

    def ask(side, some):
        children[side].stdin.write(json.dumps(some) + "\n")
        children[side].stdin.flush()
        return json.loads(children[side].stdout.readline())

    for side in sides:
        ask(side, paths[:2])  # what is compiled or opened at first use
    turns = []
    for at in range(0, count, TURN):
        turns.append({side: ask(side, paths[at : at + TURN]) for side in sides})
    for index, what in enumerate(["with decoding", "features and network"]):
        rates = {side: count / sum(turn[side][index] for turn in turns) for side in sides}
        print(f"{what}: Auricle {rates['Auricle']:.1f} files/s")
        for side in peers:
            ratio = statistics.median(turn[side][index] / turn["Auricle"][index] for turn in turns)
            print(f"    {side}: {rates[side]:.1f} files/s, Auricle has {ratio:.2f} times that")
    print("peak memory: " + "; ".join(f"{side} {turns[-1][side][3]:.0f} MB" for side in sides))
    for side in peers:
        pairs = [pair for turn in turns for pair in zip(turn[side][2], turn["Auricle"][2])]
        apart = [max(abs(a - b) for a, b in zip(*pair)) for pair in pairs]
        same = sum(max(range(len(a)), key=a.__getitem__) == max(range(len(b)), key=b.__getitem__) for a, b in pairs)
        print(f"{side}: same answer for {same} of {count}; scores apart by {statistics.median(apart):.5f} (median), {max(apart):.4f} (most)")
    for child in children.values():
        child.stdin.close()
        child.wait()


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1:2] == ["serve"] else main()
