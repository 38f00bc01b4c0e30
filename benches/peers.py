#!/usr/bin/env python3
"""Times Auricle's features beside the programs that define them, and checks that they compute the same.

    python3 -m venv target/peers
    target/peers/bin/pip install -r benches/peers.txt
    cargo build --release -p auricle-bench-features
    target/peers/bin/python benches/peers.py target/release/bench-features

CPU time of one thread on both sides, the best of three runs a round, rounds interleaved, the median of the rounds'
ratios. A peer that is not installed is named as missing. Prints a table, or with --json one object a line.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

ROUNDS = 15
REPEATS = 3
RATE = 16_000
SECONDS = 10


def signal():
    """The signal of benches/features/src/main.rs."""
    state, noise = 1, np.empty(SECONDS * RATE)
    for i in range(len(noise)):
        state = (state * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        noise[i] = (state >> 8) / (1 << 24) - 0.5
    seconds = np.arange(len(noise)) / RATE
    tone = np.sin(2 * np.pi * (200 + 150 * seconds) * seconds)
    return (0.2 * noise + 0.3 * tone).astype(np.float32)


def load_torchaudio():
    """torchaudio 2.11 was built with CUDA 13.0, torch 2.15 with 13.2; it refuses that although only the CPU is used."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    torch.version.cuda = "13.0"
    import torchaudio
    import torchaudio.compliance.kaldi

    return torch, torchaudio


class Auricle:
    def __init__(self, program):
        self.child = subprocess.Popen([program, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline()

    def time(self, work):
        return int(self.ask(f"time {work}"))

    def rows(self, work):
        with tempfile.NamedTemporaryFile() as file:
            rows, bins = map(int, self.ask(f"rows {work} {file.name}").split())
            return np.fromfile(file.name, np.float32).reshape(rows, bins)


def torchaudio_mel(x):
    torch, torchaudio = load_torchaudio()
    mel = torchaudio.transforms.MelSpectrogram(RATE, n_fft=1024, hop_length=512, n_mels=64)
    x = torch.from_numpy(x)
    return lambda: mel(x).numpy().T


def librosa_mel(x):
    import librosa

    def run():
        return librosa.feature.melspectrogram(
            y=x, sr=RATE, n_fft=1024, hop_length=512, n_mels=64, pad_mode="reflect"
        ).T

    return run


def kaldi_fbank(x):
    import kaldi_native_fbank as knf

    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = RATE
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = 8000
    samples = (x * 32768).tolist()
    one_frame = knf.FbankOptions()
    one_frame.frame_opts.dither = 0
    one_frame.frame_opts.frame_shift_ms = 1000 * SECONDS

    def run():
        fbank = knf.OnlineFbank(options)
        fbank.accept_waveform(RATE, samples)
        return fbank

    def rows():
        fbank = run()
        return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])

    # Taking a Python list is no part of Kaldi's work: the time of a call for a single frame is taken off.
    run.overhead = lambda: knf.OnlineFbank(one_frame).accept_waveform(RATE, samples)
    run.rows = rows
    return run


def torchaudio_fbank(x):
    torch, torchaudio = load_torchaudio()
    x = torch.from_numpy(x * 32768)[None]
    return lambda: torchaudio.compliance.kaldi.fbank(x, num_mel_bins=80, dither=0, window_type="povey").numpy()


def whisper_mel(x):
    import torch, whisper

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    x = torch.from_numpy(x)
    return lambda: whisper.audio.log_mel_spectrogram(x, 80).numpy().T * 4 - 4


# Work, peer, module, how to make it, error allowed (of the peak; logarithms: largest difference).
PEERS = [
    # Both round: on this signal torch is 3.1e-7 from the same in float64, Auricle 2.2e-7.
    ("mel", "torchaudio MelSpectrogram", torchaudio_mel, ("of peak", 6e-7)),
    ("librosa", "librosa melspectrogram", librosa_mel, ("of peak", 5e-7)),
    ("kaldi80", "kaldi-native-fbank (C++)", kaldi_fbank, ("log", 2e-3)),
    ("kaldi80", "torchaudio kaldi.fbank", torchaudio_fbank, ("log", 2e-3)),
    ("whisper", "openai-whisper", whisper_mel, ("log", 2e-4)),
]


def best(run):
    least = None
    for _ in range(REPEATS):
        start = time.process_time_ns()
        run()
        spent = time.process_time_ns() - start
        least = spent if least is None else min(least, spent)
    return least


def main():
    program, as_json = sys.argv[1], "--json" in sys.argv
    x = signal()
    auricle = Auricle(program)
    peers = []
    for work, name, make, limit in PEERS:
        try:
            peers.append((work, name, make(x), limit, [], []))
        except Exception as missing:  # whatever keeps a peer from running, say it
            print(json.dumps({"peer": name, "missing": str(missing)}) if as_json else f"MISSING {name}: {missing}")
    for _, _, run, *_ in peers:
        run()
    for _ in range(ROUNDS):
        for work, _, run, _, theirs, ours in peers:
            ours.append(auricle.time(work))
            theirs.append(best(run) - (best(run.overhead) if hasattr(run, "overhead") else 0))
    if not as_json:
        print(f"{'work':10} {'peer':30} {'peer ms':>9} {'ours ms':>9} {'ratio':>7} {'min/min':>8}  equality")
    good = True
    for work, name, run, (kind, limit), theirs, ours in peers:
        want = np.asarray(getattr(run, "rows", run)(), np.float64)
        got = auricle.rows(work)
        rows = min(len(want), len(got))
        error = np.abs(want[:rows] - got[:rows]).max() / (np.abs(want).max() if kind == "of peak" else 1)
        ratio = statistics.median(t / o for t, o in zip(theirs, ours))
        result = {
            "work": work, "peer": name, "peer_ms": statistics.median(theirs) / 1e6, "ms": statistics.median(ours) / 1e6,
            "ratio": ratio, "least_ratio": min(theirs) / min(ours), "error": error, "limit": limit, "error_kind": kind,
            "rows": len(got), "peer_rows": len(want),
        }
        same = error <= limit and len(want) == len(got)
        good &= bool(same)
        if as_json:
            print(json.dumps(result))
        else:
            print(
                f"{work:10} {name:30} {result['peer_ms']:9.3f} {result['ms']:9.3f} {ratio:7.2f} {result['least_ratio']:8.2f}"
                f"  {error:.1e} {kind} (limit {limit:.0e}){'' if same else '  NOT THE SAME'}"
            )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
