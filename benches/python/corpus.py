#!/usr/bin/env python3
"""Clips classified in Python as people do it today (librosa's or torchaudio's features, a loop, onnxruntime) and by Auricle, with the
bundled model and in one run: files per second of processor time, peak memory, and how far the scores are apart.

    pip install -r benches/python/requirements.txt and the wheel, then
    PYTHON benches/python/corpus.py FOLDER [COUNT]        FOLDER has .ogg, .wav or .flac files, in folders too

All decode with soundfile and use one thread. librosa and torchaudio resample with their defaults (soxr HQ, a windowed sinc of
width 6), compute the features of the whole clip, and run all windows of a clip in one batch. Each side is a process of its own that
takes the clips in turns of 50 with the others.
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
        scores = np.exp(logits - logits.max(1, keepdims=True))
        return (scores / scores.sum(1, keepdims=True)).mean(0), time.process_time() - start

    return classify


# YAMNet's front end, which the manifest asks for: samples of a window and between two, rows of a window and between two.
WINDOW, HOP, ROWS, HOP_ROWS = 15_600, 4_000, 96, 25


def mel_weights():
    """HTK's mel scale with triangles that are straight in mel, as TensorFlow has them and librosa and torchaudio do not."""
    import numpy as np

    def mel(hertz):
        return 1127 * np.log1p(hertz / 700)

    edges = np.linspace(mel(125), mel(7500), 66)
    at = mel(np.linspace(0, 8000, 257))[:, None]
    up, down = (at - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - at) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(up, down))
    weights[0] = 0
    return weights.astype(np.float32)


def padding(length):
    """Samples to add behind a clip so that the last window is full, as the manifest says; 56 at both ends, because both libraries
    put the taper of 400 into the middle of a frame of 512."""
    count = -(-max(0, length - WINDOW) // HOP) + 1
    return 56, (count - 1) * HOP + WINDOW - length + 56


def by_librosa():
    import librosa
    import numpy as np

    weights = mel_weights().T

    def features(samples, rate):
        samples = librosa.resample(samples, orig_sr=rate, target_sr=16_000)
        samples = np.pad(samples, padding(len(samples)))
        spectrum = np.abs(librosa.stft(samples, n_fft=512, win_length=400, hop_length=160, center=False))
        log = np.log(weights @ spectrum + 1e-3)
        return np.stack([log[:, at : at + ROWS] for at in range(0, log.shape[1] - ROWS + 1, HOP_ROWS)])

    return by_peer(features)


def by_torchaudio():
    import torch
    import torchaudio

    torch.set_num_threads(1)
    spectrogram = torchaudio.transforms.Spectrogram(512, win_length=400, hop_length=160, power=1, center=False)
    weights, resamplers = torch.from_numpy(mel_weights()).T, {}

    @torch.inference_mode()
    def features(samples, rate):
        if rate not in resamplers:
            resamplers[rate] = torchaudio.transforms.Resample(rate, 16_000)
        samples = resamplers[rate](torch.from_numpy(samples))
        samples = torch.nn.functional.pad(samples, padding(len(samples)))
        log = torch.log(weights @ spectrogram(samples) + 1e-3)
        return log.unfold(1, ROWS, HOP_ROWS).transpose(0, 1).contiguous().numpy()

    return by_peer(features)


SIDES = {"librosa": by_librosa, "torchaudio": by_torchaudio, "Auricle": by_auricle}


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
