"""What the library must compute, computed without it: `cargo xtask golden` (needs numpy, onnxruntime and onnx).

The front ends are written out from the formulas that torchaudio (torchaudio.transforms.MelSpectrogram,
torchaudio.functional.melscale_fbanks) and librosa (librosa.stft, librosa.filters.mel, librosa.power_to_db) publish, in
float64; the networks run in ONNX Runtime's own Python package. tests/golden.rs compares the library with the outcome:

golden.wav      the recording: a sweep, noise and clicks, 16 kHz, mono, 16 bit
moments.onnx    [batch, row, bin] -> four numbers that depend on every value and on where it stands
<case>.json     the manifest of a case whose model has none embedded
<case>.npy      the features of the whole recording, float32, [row, bin]
golden.json     the scores of the whole recording

With --check nothing is written; the script fails if what lies here differs from what it computes.
"""

import io
import json
import math
import pathlib
import sys
import wave

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RATE = 16000


def manifest(features, labels, window=1.0, hop=0.25, layout=("batch", "row", "bin"), activation="none"):
    return {
        "auricle": 1, "name": "golden", "version": "1", "licence": "MIT OR Apache-2.0", "labels": labels,
        "input": {
            "sample_rate": RATE, "window_seconds": window, "padding": "zeros", "features": features,
            "layout": list(layout),
        },
        "output": {"activation": activation},
        "stream": {"hop_seconds": hop},
    }


MOMENTS = ["mean", "largest", "last_row", "middle_bin"]

# The model's file, and its manifest where the file has none.
CASES = {
    # torchaudio.transforms.MelSpectrogram(16000, n_fft=1024, hop_length=512, n_mels=64), then ln(x + 1e-6).
    "torchaudio-mel": ("tests/data/tiny.onnx", None),
    # librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=16000)), whose n_fft is 2048 and hop_length 512.
    "librosa-mel": ("tests/golden/moments.onnx", manifest(
        {
            "kind": "mel", "fft": 2048, "window": "hann", "frame_hop": 512, "center": True, "pad": "constant",
            "power": 2, "mel": {"bins": 128, "scale": "slaney", "norm": "slaney"},
            "log": {"kind": "db", "floor": 1e-10, "range": 80},
        }, MOMENTS)),
    # ln(|torch.stft(y, 512, 256, window=torch.hann_window(512), return_complex=True)| + 1e-6).
    "log-spectrogram": ("tests/golden/moments.onnx", manifest(
        {
            "kind": "spectrogram", "fft": 512, "window": "hann", "frame_hop": 256, "center": True, "pad": "reflect",
            "power": 1, "log": {"kind": "ln", "offset": 1e-6},
        }, MOMENTS, window=0.5)),
    # The samples themselves.
    "waveform": ("tests/data/probe.onnx", manifest(
        {"kind": "waveform"}, ["first", "last", "mean", "max"], window=0.4, hop=0.15, layout=("batch", "sample"))),
    # The model that is shipped.
    "esc10": ("models/esc10.onnx", None),
}


def recording():
    """1.33 s of 16-bit samples."""
    count = int(1.33 * RATE)
    noise = np.empty(count)
    state = 1
    for k in range(count):  # Knuth's MMIX generator (TAOCP vol. 2, 3.3.4)
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        noise[k] = (state >> 40) / 2**23 - 1
    time = np.arange(count) / RATE
    sweep = np.sin(2 * math.pi * (60 * time + (7500 - 60) / (2 * time[-1]) * time**2))
    samples = 0.25 * sweep + 0.12 * noise
    for click in range(1111, count, 2600):
        samples[click:click + 24] += 0.4 * np.exp(-np.arange(24) / 6)
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")


def moments():
    """The largest value stands for the range, one row and one bin for the axes' order and direction."""
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("ReduceMax", ["input"], ["largest"], axes=[1, 2], keepdims=0),
        helper.make_node("Gather", ["input", "last"], ["row"], axis=1),
        helper.make_node("ReduceMean", ["row"], ["last_row"], axes=[1], keepdims=0),
        helper.make_node("Gather", ["input", "middle"], ["bin"], axis=2),
        helper.make_node("ReduceMean", ["bin"], ["middle_bin"], axes=[1], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["a"]),
        helper.make_node("Unsqueeze", ["largest", "one"], ["b"]),
        helper.make_node("Unsqueeze", ["last_row", "one"], ["c"]),
        helper.make_node("Unsqueeze", ["middle_bin", "one"], ["d"]),
        helper.make_node("Concat", ["a", "b", "c", "d"], ["output"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "moments",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", "row", "bin"])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 4])],
        [
            numpy_helper.from_array(np.array(-1, dtype=np.int64), "last"),
            numpy_helper.from_array(np.array(30, dtype=np.int64), "middle"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def hz_to_mel(hz, scale):
    if scale == "htk":
        return 2595 * np.log10(1 + np.asarray(hz) / 700)
    # Slaney's: linear up to 1 kHz (15 mel), then 27 steps for each factor of 6.4.
    hz = np.asarray(hz, dtype=np.float64)
    return np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1e-9) / 1000) / np.log(6.4))


def mel_to_hz(mel, scale):
    if scale == "htk":
        return 700 * (10 ** (np.asarray(mel) / 2595) - 1)
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def filter_bank(spec, fft, rate):
    """[FFT bin, filter]; triangles that are straight in Hz, or in mel as TensorFlow's (linear_to_mel_weight_matrix)."""
    mel = spec["mel"]
    assert mel.get("weights", "exact") == "exact" and mel.get("narrow", "empty") == "empty"
    scale = mel.get("scale", "htk")
    low, high = hz_to_mel([mel.get("low_hz", 0), mel.get("high_hz", rate / 2)], scale)
    corners = mel_to_hz(np.linspace(low, high, mel["bins"] + 2), scale)
    bins = np.linspace(0, rate / 2, fft // 2 + 1)
    if mel.get("triangles", "hz") == "mel":
        bins, corners = hz_to_mel(bins, scale), hz_to_mel(corners, scale)
    rising = (bins[:, None] - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins[:, None]) / (corners[2:] - corners[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling))
    filters[:mel.get("first_bin", 0)] = 0
    if mel.get("norm", "none") == "slaney":
        filters *= 2 / (corners[2:] - corners[:-2])
    return filters


def features(spec, rate, samples):
    """[row, bin] of one stretch of audio."""
    if spec["kind"] == "waveform":
        return samples[:, None]
    fft, hop, centred = spec["fft"], spec["frame_hop"], spec.get("center", True)
    length = spec.get("frame_length", fft)
    assert spec.get("window", "hann") == "hann" and (length == fft if centred else spec["frame_align"] == "left")
    known = {"kind", "preset", "fft", "window", "frame_length", "frame_hop", "frame_align", "center", "pad", "power", "mel", "log"}
    neutral = {"drop_last": False, "pad_last": False, "gain": 1, "remove_dc": False, "pre_emphasis": 0}
    assert all(name in known or value == neutral[name] for name, value in spec.items())
    window = 0.5 - 0.5 * np.cos(2 * math.pi * np.arange(length) / length)
    padded = np.pad(samples, fft // 2, mode=spec.get("pad", "reflect")) if centred else samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    values = np.abs(np.fft.rfft(frames * window, n=fft, axis=1)) ** spec.get("power", 2)
    if spec["kind"] == "mel":
        values = values @ filter_bank(spec, fft, rate)
    log = spec.get("log", {"kind": "none"})
    floored = np.maximum(values + log.get("offset", 0), log.get("floor", 0))
    if log["kind"] == "ln":
        values = np.log(floored)
    elif log["kind"] == "db":
        values = (10 if spec.get("power", 2) == 2 else 20) * np.log10(floored)
    if "range" in log:
        values = np.maximum(values, values.max() - log["range"])
    return values


def normalized(value, rows):
    kind = value.get("kind", "none")
    if kind == "mean_std":
        return (rows - np.asarray(value["mean"])) / np.asarray(value["std"])
    assert kind == "none", kind
    return rows


def activated(output, raw):
    kind = output.get("activation", "none")
    raw = raw.astype(np.float64) / output.get("temperature", 1)
    if kind == "softmax":
        powers = np.exp(raw - raw.max())
        return powers / powers.sum()
    return 1 / (1 + np.exp(-raw)) if kind == "sigmoid" else raw


def windows(samples, window, hop, shortest):
    """The stretches that are classified. The rest gets a window of its own, filled up with zeros, if at least
    `shortest` of its samples are in none yet."""
    start = 0
    while start + window <= len(samples):
        yield samples[start:start + window]
        start += hop
    seen = start - hop + window if start else 0
    if len(samples) - max(start, seen) >= shortest:
        yield np.pad(samples[start:], (0, start + window - len(samples)))


def run(model, own, samples):
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    what = own or json.loads(metadata["auricle.manifest"])
    given, rate = what["input"], what["input"]["sample_rate"]
    assert rate == RATE and given.get("padding", "zeros") == "zeros"
    spec = given["features"]
    window = round(given["window_seconds"] * rate)
    hop = round(what["stream"]["hop_seconds"] * rate)
    if spec["kind"] == "waveform" or spec.get("pad", "reflect") != "reflect":
        shortest = 1
    else:
        shortest = spec["fft"] // 2 + 1 if spec.get("center", True) else spec["frame_length"]
    output = what["outputs"][0] if "outputs" in what else what["output"]
    axes = [axis for axis in given["layout"] if axis in ("row", "bin", "sample")]
    scores = []
    for stretch in windows(samples, window, hop, shortest):
        rows = normalized(given.get("normalize", {}), features(spec, rate, stretch)).astype(np.float32)
        rows = rows.T if axes == ["bin", "row"] else rows
        shape = [1 if axis in ("batch", "channel") else -1 for axis in given["layout"]]
        sizes = iter(rows.shape if "bin" in axes else (rows.size,))
        tensor = rows.reshape([1 if size == 1 else next(sizes) for size in shape])
        raw = session.run(None, {session.get_inputs()[0].name: tensor})[0].reshape(-1)
        scores.append(activated(output, raw))
    whole = features(spec, rate, samples).astype(np.float32)
    return whole, np.mean(scores, axis=0), len(scores)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def close(old, new, name):
    """Other processors round differently; formulas that differ do not agree to six digits."""
    if name.endswith(".npy"):
        old, new = np.load(io.BytesIO(old)), np.load(io.BytesIO(new))
        return old.shape == new.shape and np.allclose(old, new, rtol=1e-6, atol=1e-5)
    if name == "golden.json":
        old, new = json.loads(old), json.loads(new)
        return old.keys() == new.keys() and all(
            {**old[k], "scores": 0} == {**new[k], "scores": 0} and np.allclose(old[k]["scores"], new[k]["scores"], atol=1e-5)
            for k in new
        )
    return old == new


def main():
    pcm = recording()
    files = {"moments.onnx": moments()}
    with wave.open(str(HERE / "golden.wav"), "rb" if "--check" in sys.argv else "wb") as file:
        if "--check" in sys.argv:
            assert file.readframes(file.getnframes()) == pcm.tobytes(), "golden.wav is not what recording() makes"
        else:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(pcm.tobytes())
            (HERE / "moments.onnx").write_bytes(files["moments.onnx"])
    samples = pcm.astype(np.float64) / 32768
    golden = {}
    for name, (model, own) in CASES.items():
        if not (ROOT / model).exists():
            print(f"left out: {name} ({model} is not there)")
            continue
        rows, scores, count = run(ROOT / model, own, samples)
        golden[name] = {
            "model": model, "manifest": f"{name}.json" if own else None,
            "features": f"{name}.npy" if rows.shape[1] > 1 else None,
            "windows": count, "scores": [float(f"{score:.9g}") for score in scores],
        }
        if rows.shape[1] > 1:  # those of a waveform are the recording itself
            files[f"{name}.npy"] = npy(rows)
        if own:
            files[f"{name}.json"] = (json.dumps(own, indent=2) + "\n").encode()
        print(f"{name}: {rows.shape[0]} rows of {rows.shape[1]}, {count} windows, scores {np.round(scores, 4)}")
    files["golden.json"] = (json.dumps(golden, indent=2) + "\n").encode()
    stale = [name for name, data in files.items()
             if not (HERE / name).exists() or not close((HERE / name).read_bytes(), data, name)]
    if "--check" in sys.argv:
        if stale:
            sys.exit(f"not what this script computes: {', '.join(stale)}; run `cargo xtask golden`")
        print("the golden values are what this script computes")
        return
    for name in stale:
        (HERE / name).write_bytes(files[name])
    print(f"written: {', '.join(stale) or 'nothing, all is as it was'}")


main()
