#!/usr/bin/env python3
"""Makes front_ends.npz and front_ends.json: what other programs make of the signal of features.npz, from samples to rows.

    python tests/data/front_ends.py     (pip: numpy, scipy, python_speech_features 0.6, sonopy 0.1.2, librosa 0.11.0,
                                           transformers 4.57.6)

Every case is the `input` object of a manifest, the program's output as [row, bin] and how far from it Auricle may be;
where the object says no window, that is as long as the signal. python_speech_features, sonopy, librosa and Transformers
are run. Edge Impulse's blocks (its processing-blocks, version 4 of MFE and MFCC, and version 3's filters), NeMo's and
FunASR's steps are written out here, in float64, and so is the padding of Transformers' AST and CLAP, which need torch.
"""

import json
import math
from pathlib import Path

import librosa
import numpy as np
import python_speech_features as psf
import sonopy
import transformers
from transformers import audio_utils
from scipy.fftpack import dct

RATE = 16_000
FOLDER = Path(__file__).parent
PCM = np.load(FOLDER / "features.npz")["pcm"]
X = PCM / 32768
CASES = []


def case(name, rows, members, of_peak=None, log=None, absolute=None):
    tolerance = {k: v for k, v in [("of_peak", of_peak), ("log", log), ("absolute", absolute)] if v is not None}
    CASES.append((name, np.ascontiguousarray(rows, np.float32), members, tolerance))


LN = {"limit": 2e-3, "scale": 1}
FRAMES = {"frame_align": "left", "center": False}
KEEP = {"pre_emphasis": {"factor": 0.97}}


def whole_bins(fft, bins, **members):
    return {"bins": bins, "triangles": "bins"} | members


# python_speech_features: samples are 16-bit integers, power is divided by the size of the transform.
EPS = float(np.finfo(float).eps)
PSF = FRAMES | {
    "fft": 512, "frame_length": 400, "frame_hop": 160, "pad_last": True, "window": "rectangular",
    "gain": 32768 / math.sqrt(512),
}
case(
    "psf_logfbank", psf.logfbank(PCM, RATE),
    {"samples": KEEP, "features": PSF | {"kind": "mel", "mel": whole_bins(512, 26), "log": {"kind": "ln", "floor": EPS}}},
    log=LN,
)
case(
    "psf_fbank_narrow", psf.fbank(PCM, RATE, nfilt=60, lowfreq=100, highfreq=7000, winfunc=np.hamming)[0],
    {"samples": KEEP, "features": PSF | {"kind": "mel", "window": "hamming_symmetric",
                                         "mel": whole_bins(512, 60, low_hz=100, high_hz=7000), "log": {"kind": "none"}}},
    of_peak=1e-6,
)
case(
    "psf_mfcc", psf.mfcc(PCM, RATE),
    {"samples": KEEP, "features": PSF | {
        "kind": "mfcc", "mel": whole_bins(512, 26), "log": {"kind": "ln", "floor": EPS},
        "mfcc": {"count": 13, "lifter": 22, "lifter_from": 0, "energy": True}}},
    absolute=1e-2,
)

# sonopy: filters up to the sample rate on a grid of half the bins.
for name, size, frame, hop in [("sonopy", 512, 1600, 800), ("sonopy_256", 256, 160, 80)]:
    features = FRAMES | {
        "fft": size, "frame_length": frame, "frame_hop": hop, "window": "rectangular", "gain": 1 / math.sqrt(size),
        "log": {"kind": "ln", "floor": EPS},
        "mel": whole_bins(size, 20, grid=size // 2 + 1, high_hz=RATE),
    }
    case(f"{name}_mel", sonopy.mel_spec(X, RATE, (frame, hop), size, 20), {"features": features | {"kind": "mel"}}, log=LN)
    case(
        f"{name}_mfcc", sonopy.mfcc_spec(X, RATE, (frame, hop), size, 20, 13),
        {"features": features | {"kind": "mfcc", "mfcc": {"count": 13, "energy": True}}}, absolute=1e-2,
    )


def edge_impulse_powers(signal, length, hop, fft):
    """Power of emphasised frames; |X|² / fft. What the roll brings to the front is the end of the signal."""
    emphasised = signal - 0.98 * np.roll(signal, 1)
    count = (len(signal) - (length - hop)) // hop
    frames = np.stack([emphasised[k * hop : k * hop + length] for k in range(count)])
    return np.abs(np.fft.rfft(frames, fft)) ** 2 / fft


def edge_impulse_filters(bins, fft, points, low, high):
    """Triangles on bins that the corners were rounded down to; a peak stays if either of its sides has bins."""
    mel = lambda hz: 1127 * np.log(1 + hz / 700)
    hertz = 700 * (np.exp(np.linspace(mel(low), mel(high), bins + 2) / 1127) - 1)
    hertz[-1] -= 0.001
    corners = np.floor((points + 1) * hertz / RATE).astype(int)
    at = np.arange(fft // 2 + 1)
    bank = np.zeros((bins, len(at)))
    for row, (left, peak, right) in zip(bank, zip(corners, corners[1:], corners[2:])):
        up, down = (left < at) & (at <= peak), (peak <= at) & (at < right)
        if left < peak:
            row[up] = (at[up] - left) / (peak - left)
        if peak < right:
            row[down] = (right - at[down]) / (right - peak)
    return bank


def positive(x):
    return np.where(x == 0, 1e-10, x)


def sliding(rows, size):
    """Mean and then deviation of the rows around each row, mirrored at the ends."""
    around = lambda x: np.pad(x, ((size // 2, size // 2), (0, 0)), "symmetric")
    padded = around(rows)
    centred = np.stack([row - padded[i : i + size].mean(0) for i, row in enumerate(rows)]).astype(np.float32)
    padded = around(centred)
    return np.stack([row / (padded[i : i + size].std(0) + 1e-10) for i, row in enumerate(centred)])


WRAP = {"pre_emphasis": {"factor": 0.98, "first": "wrap"}}
for name, fft, points, grid, high in [("", 256, 256, 257, 8000), ("_old_filters", 512, 257, 258, 7999.999)]:
    power = edge_impulse_powers(X, 320, 160, fft)
    bank = edge_impulse_filters(40 if fft == 256 else 32, fft, points, 0, 8000)
    decibel = 10 * np.log10(np.maximum(positive(power @ bank.T), 1e-30))
    scaled = np.clip((decibel + 52) / 64, 0, 1)
    mel = whole_bins(fft, len(bank), grid=grid, narrow="peak", high_hz=high)
    features = FRAMES | {
        "kind": "mel", "fft": fft, "frame_length": 320, "frame_hop": 160, "window": "rectangular",
        "gain": 1 / math.sqrt(fft), "mel": mel, "log": {"kind": "db", "floor": 1e-10},
    }
    scale = {"kind": "mean_std", "mean": -52, "std": 64, "clip": [0, 1]}
    case(f"edge_impulse_mfe{name}", scaled, {"samples": WRAP, "features": features, "normalize": scale}, absolute=1e-5)
    bytes_ = np.minimum(np.around(scaled * 256), 255) / 256
    # One step where rounding falls on the other side.
    case(
        f"edge_impulse_mfe{name}_bytes", bytes_,
        {"samples": WRAP, "features": features, "normalize": scale | {"steps": 256}}, absolute=1 / 256 + 1e-6,
    )

noise = np.random.default_rng(5).normal(0, 0.1, len(X)) + X  # cepstra of digital silence have no deviation
NOISY = np.round(np.clip(noise, -1, 1) * 32767).astype(np.int16)
power = edge_impulse_powers(NOISY.astype(float), 320, 320, 256)
bank = edge_impulse_filters(32, 256, 256, 300, 8000)
cepstra = dct(np.log(positive(power @ bank.T)), norm="ortho")[:, :13]
cepstra[:, 0] = np.log(positive(power.sum(1)))
MFCC = {
    "samples": WRAP,
    "features": FRAMES | {
        "kind": "mfcc", "fft": 256, "frame_length": 320, "frame_hop": 320, "window": "rectangular", "gain": 2048,
        "mel": whole_bins(256, 32, narrow="peak", low_hz=300), "log": {"kind": "ln", "floor": 1e-10},
        "mfcc": {"count": 13, "energy": True},
    },
}
case("noisy_edge_impulse_mfcc", cepstra, MFCC, absolute=2e-3)
for size in (5, 101):
    normalize = {"kind": "sliding", "rows": size, "epsilon": 1e-10, "epsilon_in": "std"}
    case(f"noisy_edge_impulse_mfcc_{size}", sliding(cepstra, size), MFCC | {"normalize": normalize}, absolute=1e-3)

# librosa with an odd transform, and filters between its bins (DNSMOS P.808's front end).
odd = librosa.feature.melspectrogram(y=X.astype(np.float32), sr=RATE, n_fft=321, hop_length=160, n_mels=120)
case(
    "librosa_321", odd.T, {"features": {"preset": "librosa", "fft": 321, "frame_hop": 160, "mel": {"bins": 120}}},
    of_peak=1e-6,
)
case(
    "librosa_321_db", (librosa.power_to_db(odd, ref=np.max).T + 40) / 40,
    {"features": {"preset": "librosa", "fft": 321, "frame_hop": 160, "mel": {"bins": 120},
                  "log": {"kind": "db", "reference": "max", "range": 80}},
     "normalize": {"kind": "mean_std", "mean": -40, "std": 40}}, absolute=1e-4,
)

# Transformers' `zero_mean_unit_var_norm`, of the samples, then the samples themselves.
unit = (X - X.mean()) / np.sqrt(X.var() + 1e-7)
case(
    "zero_mean_unit_var", unit[:, None],
    {"samples": {"normalize": {"kind": "window", "over": "all"}}, "features": {"kind": "waveform"}}, absolute=1e-5,
)
# NeMo's `per_feature`: torch's deviation, and 1e-5 beside it.
rows = psf.logfbank(PCM, RATE)
nemo = (rows - rows.mean(0)) / (rows.std(0, ddof=1) + 1e-5)
base = CASES[0][2]
case("per_feature", nemo, base | {"normalize": {"kind": "window", "over": "bin", "unbiased": True, "epsilon": 1e-5,
                                                "epsilon_in": "std"}}, absolute=1e-3)
# FunASR's low frame rate: m rows every n, the first and the last row standing for those beyond the ends.
for m, n in [(5, 1), (7, 6)]:
    index = np.arange(0, len(rows), n)[:, None] + np.arange(m) - (m - 1) // 2
    stacked = rows[np.clip(index, 0, len(rows) - 1)].reshape(len(index), -1)
    case(f"lfr_{m}_{n}", stacked, base | {"stack": {"rows": m, "hop": n, "edges": "repeat"}}, log=LN)

# Transformers on a clip that is shorter than the window.
F32 = X.astype(np.float32)
ast = transformers.ASTFeatureExtractor()
fbank = audio_utils.spectrogram(
    F32, ast.window, 400, 160, 512, power=2.0, center=False, preemphasis=0.97, mel_filters=ast.mel_filters, log_mel="log",
    mel_floor=2.0**-23, remove_dc_offset=True,
).T
case(
    "ast_short", ast.normalize(np.pad(fbank, ((0, 64 - len(fbank)), (0, 0)))),
    {"window_rows": 64, "features": {"preset": "ast"}, "padding": {"of": "rows"}}, log={"limit": 5e-4, "scale": 0.1},
)
whisper = transformers.WhisperFeatureExtractor(chunk_length=1)


def whisper_rows(samples):
    options = {"sampling_rate": RATE, "return_tensors": "np", "do_normalize": True}
    return whisper(samples.astype(np.float32), **options)["input_features"][0].T


UNIT = {"normalize": {"kind": "window", "over": "all"}}
WHISPER = {"window_samples": RATE, "samples": UNIT, "features": {"preset": "whisper"}}
case(
    "transformers_whisper_short", whisper_rows(X), WHISPER | {"padding": {"after_normalize": True}}, absolute=5e-4,
)
# smart-turn puts the zeros before the speech itself, so that they are part of the statistics.
case(
    "transformers_whisper_zeros_first", whisper_rows(np.pad(X, (RATE - len(X), 0))), WHISPER | {"padding": {"at": "start"}},
    absolute=5e-4,
)
clap = np.pad(np.tile(X, RATE // len(X)), (0, RATE % len(X)))
filters = audio_utils.mel_filter_bank(513, 64, 50, 8000, RATE, norm="slaney", mel_scale="slaney")
case(
    "clap_repeatpad",
    audio_utils.spectrogram(clap, audio_utils.window_function(1024, "hann"), 1024, 480, power=2.0, mel_filters=filters,
                            log_mel="dB").T,
    {"window_samples": RATE, "padding": {"with": "repeat_whole"}, "features": {
        "kind": "mel", "fft": 1024, "frame_hop": 480, "log": {"kind": "db", "floor": 1e-10},
        "mel": {"bins": 64, "scale": "slaney", "norm": "slaney", "low_hz": 50, "high_hz": 8000}}},
    log={"limit": 2e-3, "scale": 10 / math.log(10)},
)
seamless = transformers.SeamlessM4TFeatureExtractor()
case(
    "transformers_seamless_m4t", seamless(F32, sampling_rate=RATE, return_tensors="np")["input_features"][0],
    {"features": {"preset": "kaldi"}, "stack": {"rows": 2, "hop": 2, "after_normalize": True},
     "normalize": {"kind": "window", "over": "bin", "unbiased": True}}, absolute=2e-3,
)

np.savez_compressed(FOLDER / "front_ends.npz", noisy=NOISY, **{name: rows for name, rows, _, _ in CASES})
lines = ",\n".join(json.dumps({"name": n, "input": s, "tolerance": t}) for n, _, s, t in CASES)
(FOLDER / "front_ends.json").write_text(f"[\n{lines}\n]\n")
