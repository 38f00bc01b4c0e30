#!/usr/bin/env python3
"""Makes features.npz and features.json: a short signal and what the reference programs compute from it.

    target/peers/bin/python tests/data/features.py       (target/peers: see benches/peers.py)

The signal is silence, an impulse, a sine and noise, one after the other. Every case is a specification as in a
manifest, the program's output as [row, bin], and how far from it Auricle may be. TensorFlow is not run: its two
cases are its documented definitions, in float64.
"""

import json
import math
from pathlib import Path

import kaldi_native_fbank as knf
import librosa
import numpy as np
import torch
import whisper

torch.version.cuda = "13.0"  # torchaudio 2.11 refuses torch 2.15 for its CUDA version; only the CPU is used
import torchaudio
import torchaudio.compliance.kaldi

RATE = 16_000


def signal():
    rng = np.random.default_rng(3)
    n = np.arange(1200)
    impulse = np.zeros(1200)
    impulse[600] = 0.9
    parts = [np.zeros(1200), impulse, 0.5 * np.sin(2 * np.pi * 1000 * n / RATE), rng.uniform(-0.3, 0.3, 1200)]
    return np.round(np.concatenate(parts) * 32767).astype(np.int16)


PCM = signal()
X = (PCM / 32768).astype(np.float32)
T = torch.from_numpy(X)
CASES = []


def case(name, rows, spec, of_peak=None, log=None, absolute=None):
    tolerance = {k: v for k, v in [("of_peak", of_peak), ("log", log), ("absolute", absolute)] if v is not None}
    CASES.append((name, np.ascontiguousarray(rows, np.float32), spec, tolerance))


def stft(fft, hop, window, length, power, **options):
    z = torch.stft(T, fft, hop, length, window, return_complex=True, **options)
    return z.abs().pow(power).T


for fft in (320, 400, 480, 640, 1920):
    case(
        f"stft{fft}", stft(fft, fft // 2, torch.hann_window(fft), fft, 2),
        {"kind": "spectrogram", "fft": fft, "frame_hop": fft // 2}, of_peak=5e-7,
    )
for name, window in [
    ("hann", torch.hann_window(300)), ("hann_symmetric", torch.hann_window(300, periodic=False)),
    ("hamming", torch.hamming_window(300)), ("hamming_symmetric", torch.hamming_window(300, periodic=False)),
    ("blackman", torch.blackman_window(300)), ("blackman_symmetric", torch.blackman_window(300, periodic=False)),
    ("rectangular", torch.ones(300)),
]:
    # Shorter than the FFT, in its middle; without and with padding.
    spec = {"kind": "spectrogram", "fft": 512, "frame_length": 300, "frame_hop": 700, "window": name, "power": 1}
    case(f"{name}_inside", stft(512, 700, window, 300, 1, center=False), spec | {"center": False}, of_peak=5e-7)
    case(f"{name}_zeros", stft(512, 700, window, 300, 1, pad_mode="constant"), spec | {"pad": "constant"}, of_peak=5e-7)


def torchaudio_mel(**options):
    return torchaudio.transforms.MelSpectrogram(RATE, **options)(T).T


case("torchaudio_defaults", torchaudio_mel(), {"preset": "torchaudio"}, of_peak=5e-7)
case(
    "torchaudio_slaney", torchaudio_mel(n_fft=512, n_mels=40, mel_scale="slaney", norm="slaney", f_min=50, f_max=7000),
    {"preset": "torchaudio", "fft": 512, "frame_hop": 256,
     "mel": {"bins": 40, "scale": "slaney", "norm": "slaney", "low_hz": 50, "high_hz": 7000}}, of_peak=5e-7,
)
case("torchaudio_mfcc", torchaudio.transforms.MFCC(RATE)(T).T, {"preset": "torchaudio", "kind": "mfcc"}, absolute=1e-3)
case(
    "torchaudio_mfcc_log", torchaudio.transforms.MFCC(RATE, n_mfcc=20, log_mels=True)(T).T,
    {"preset": "torchaudio", "kind": "mfcc", "mfcc": {"count": 20}, "log": {"kind": "ln", "offset": 1e-6}}, absolute=1e-3,
)
librosa_mel = librosa.feature.melspectrogram(y=X, sr=RATE)
case("librosa_defaults", librosa_mel.T, {"preset": "librosa"}, of_peak=5e-7)
case(
    "librosa_db_max", librosa.power_to_db(librosa_mel, ref=np.max).T,
    {"preset": "librosa", "log": {"kind": "db", "reference": "max", "range": 80}}, absolute=1e-3,
)
case("librosa_mfcc", librosa.feature.mfcc(y=X, sr=RATE).T, {"preset": "librosa", "kind": "mfcc"}, absolute=1e-3)
case(
    "librosa_mfcc_lifter", librosa.feature.mfcc(y=X, sr=RATE, n_mfcc=13, lifter=22).T,
    {"preset": "librosa", "kind": "mfcc", "mfcc": {"count": 13, "lifter": 22}}, absolute=1e-2,
)
log_mel = whisper.audio.log_mel_spectrogram(T, 80).numpy().T
case("whisper", log_mel, {"preset": "whisper"}, log={"limit": 5e-5, "scale": 0.25 / math.log(10)})


def kaldi(samples, **options):
    o = knf.FbankOptions()
    o.frame_opts.dither = 0
    o.mel_opts.num_bins = 80
    for name, value in options.items():
        setattr(o if hasattr(o, name) else o.frame_opts if hasattr(o.frame_opts, name) else o.mel_opts, name, value)
    fbank = knf.OnlineFbank(o)
    fbank.accept_waveform(RATE, samples.tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])


S = PCM.astype(np.float32)
LN = {"limit": 2e-3, "scale": 1}
case("kaldi", kaldi(S), {"preset": "kaldi"}, log=LN)
case(
    "kaldi_unsnipped_magnitude", kaldi(S, snip_edges=False, use_power=False, use_log_fbank=False, num_bins=40),
    {"preset": "kaldi", "snip_edges": False, "power": 1, "mel": {"bins": 40}, "log": {"kind": "none"}}, of_peak=5e-6,
)
case(
    "kaldi_hamming", kaldi(S, window_type="hamming", remove_dc_offset=False, frame_shift_ms=12.5, low_freq=60, high_freq=7600),
    {"preset": "kaldi", "window": "hamming_symmetric", "remove_dc": False, "frame_hop": 200,
     "mel": {"low_hz": 60, "high_hz": 7600}}, log=LN,
)
ast = torchaudio.compliance.kaldi.fbank(
    T[None], htk_compat=True, sample_frequency=RATE, use_energy=False, window_type="hanning", num_mel_bins=128, dither=0
)
case("ast", (ast + 4.2677393) / (2 * 4.5689974), {"preset": "ast"}, log={"limit": 2e-4, "scale": 1 / (2 * 4.5689974)})


def tensorflow_frames(length, hop, fft):
    x = X.astype(np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    frames = np.stack([x[i : i + length] * window for i in range(0, len(x) - length + 1, hop)])
    return np.abs(np.fft.rfft(frames, fft))


def tensorflow_bank(bins, fft, low, high, first):
    mel = lambda hz: 1127 * np.log(1 + hz / 700)
    edges = np.linspace(mel(low), mel(high), bins + 2)
    at = mel(np.arange(fft // 2 + 1) * RATE / fft)
    up = (at[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - at[:, None]) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0, np.minimum(up, down))
    bank[:first] = 0
    return bank


yamnet = tensorflow_frames(400, 160, 512) @ tensorflow_bank(64, 512, 125, 7500, 1)
# Against float64 these two also show the f32 rounding of bins 100 dB below the sine.
case("yamnet", np.log(yamnet + 0.001), {"preset": "yamnet"}, absolute=2e-3)
# The ops AudioSpectrogram and Mfcc: bins below 1.5 + low / bin width are left out.
energies = np.maximum(tensorflow_frames(480, 320, 512) @ tensorflow_bank(40, 512, 20, 4000, 2), 1e-12)
dct = math.sqrt(2 / 40) * np.cos(np.pi / 40 * np.arange(13)[:, None] * (np.arange(40) + 0.5))
case(
    "tensorflow_mfcc", np.log(energies) @ dct.T,
    {"kind": "mfcc", "fft": 512, "frame_length": 480, "frame_hop": 320, "frame_align": "left", "center": False, "power": 1,
     "mel": {"bins": 40, "triangles": "mel", "low_hz": 20, "high_hz": 4000, "first_bin": 2},
     "log": {"kind": "ln", "floor": 1e-12}, "mfcc": {"count": 13, "norm": "tensorflow"}}, absolute=2e-3,
)

folder = Path(__file__).parent
np.savez_compressed(folder / "features.npz", pcm=PCM, **{name: rows for name, rows, _, _ in CASES})
lines = ",\n".join(json.dumps({"name": n, "features": s, "tolerance": t}) for n, _, s, t in CASES)
(folder / "features.json").write_text(f"[\n{lines}\n]\n")
