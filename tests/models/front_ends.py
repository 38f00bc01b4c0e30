"""Front ends of other people's models, written out in float64 after their published code, and small networks to put behind
them, for compare.py."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save


def frames(samples, length, hop):
    """Those that lie wholly within the samples."""
    count = 1 + (len(samples) - length) // hop
    return np.stack([samples[k * hop : k * hop + length] for k in range(count)])


# ---- YAMNet (TensorFlow model garden, features.py)

def yamnet(samples):
    """Log-mel patches of 96 rows, 48 rows apart; the clip filled up to whole patches with zeros."""
    count = 1 + max(0, -(-(len(samples) - 15600) // 7680))
    filled = np.zeros(15600 + (count - 1) * 7680)
    filled[: len(samples)] = samples
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    magnitude = np.abs(np.fft.rfft(frames(filled, 400, 160) * hann, 512))
    mel = lambda hz: 1127 * np.log(1 + hz / 700)
    edges, at = np.linspace(mel(125), mel(7500), 66), mel(np.arange(1, 257) * 16000 / 512)
    up = (at[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - at[:, None]) / (edges[2:] - edges[1:-1])
    rows = np.log(magnitude[:, 1:] @ np.maximum(0, np.minimum(up, down)) + 0.001)
    return np.stack([rows[k * 48 : k * 48 + 96] for k in range(count)]).astype(np.float32)


# ---- Edge Impulse (processing-blocks: mfe, mfcc; implementation version 4)

def rolled(signal, factor):
    """`preemphasis`: the samples before the first ones are the last ones."""
    return signal - factor * np.roll(signal, 1)


def power(signal, length, hop, fft):
    """`power_spectrum`: of a frame longer than the transform, its beginning."""
    return np.abs(np.fft.rfft(frames(signal, length, hop), fft)) ** 2 / fft


def whole_bins(bins, fft, rate, low, high):
    """`filterbanks`: triangles whose corners are rounded down to FFT bins; one side may have none."""
    mel = lambda hz: 1127 * np.log(1 + hz / 700)
    hertz = 700 * (np.exp(np.linspace(mel(low), mel(high), bins + 2) / 1127) - 1)
    hertz[-1] -= 0.001
    corners = np.floor((fft + 1) * hertz / rate).astype(int)
    at, bank = np.arange(fft // 2 + 1), np.zeros((bins, fft // 2 + 1))
    for row, left, peak, right in zip(bank, corners, corners[1:], corners[2:]):
        if left < peak:
            row[left : peak + 1] = (at[left : peak + 1] - left) / (peak - left)
        if peak < right:
            row[peak:right] = (right - at[peak:right]) / (right - peak)
        row[left] = 0 if left < peak else row[left]
    return bank


def positive(x):
    return np.where(x == 0, 1e-10, x)


def sliding(rows, size):
    """`cmvnw`: each row less the mean of those around it, over their deviation; mirrored at the ends."""
    around = lambda x: np.pad(x, ((size // 2, size // 2), (0, 0)), "symmetric")
    padded = around(rows)
    centred = np.stack([row - padded[k : k + size].mean(0) for k, row in enumerate(rows)]).astype(np.float32)
    padded = around(centred)
    return np.stack([row / (padded[k : k + size].std(0) + 1e-10) for k, row in enumerate(centred)]).astype(np.float32)


def edge_impulse_mfe(pcm, rate=16000, length=320, hop=160, bins=40, fft=256, low=0, high=0, floor=-52):
    """Of 16-bit integers: decibels between the noise floor and 12 dB, in 256 steps."""
    signal = rolled((pcm / 2**15).astype(np.float32), 0.98)
    mel = positive(power(signal, length, hop, fft) @ whole_bins(bins, fft, rate, low, high or rate / 2).T)
    level = np.clip((10 * np.log10(np.maximum(mel, 1e-30)) - floor) / (12 - floor), 0, 1)
    return np.minimum(np.uint16(np.around(level * 256)), 255) / np.float32(256)


def edge_impulse_mfcc(pcm, rate=16000, length=320, hop=320, bins=32, fft=256, count=13, around=101, low=0, high=0):
    """Of 16-bit integers: cepstra with the frame's energy as the first, normalised over the rows around each."""
    spectrum = power(rolled(pcm.astype(np.float64), 0.98), length, hop, fft)
    mel = np.log(positive(spectrum @ whole_bins(bins, fft, rate, low, high or rate / 2).T))
    n, k = np.arange(bins), np.arange(count)[:, None]
    cosines = np.sqrt(2 / bins) * np.cos(np.pi * k * (2 * n + 1) / (2 * bins))
    cepstra = mel @ cosines.T
    cepstra[:, 0] = np.log(positive(spectrum.sum(1)))
    return sliding(cepstra, around)


# ---- Networks

def write(file, nodes, inputs, outputs, weights=()):
    """Inputs and outputs: name, element type, sizes."""
    values = lambda given: [helper.make_tensor_value_info(*value) for value in given]
    weights = [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in weights]
    graph = helper.make_graph(nodes, "g", values(inputs), values(outputs), weights)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    return file


def echo(file, name, sizes):
    """A network that gives back what it hears, so that a front end is compared and nothing else."""
    count = int(np.prod(sizes))
    node = helper.make_node("Flatten", [name], ["heard"])
    return write(file, [node], [(name, TensorProto.FLOAT, sizes)], [("heard", TensorProto.FLOAT, [1, count])])


def tagger(file, bins, with_length):
    """Random weights behind the tensors of sherpa-onnx's taggers: rows of any number, for the zipformer their number too, to
    a probability for each of 7 classes. Rows beyond that number count for nothing, and those before it all alike."""
    rng = np.random.default_rng(bins)
    weights = [("w", rng.normal(0, 1 / bins, (bins, 32))), ("v", rng.normal(0, 3, (32, 7)))]
    make, x = helper.make_node, "x" if with_length else "input"
    nodes, inputs = [make("MatMul", [x, "w"], ["a"]), make("Tanh", ["a"], ["b"])], [(x, TensorProto.FLOAT, ["N", "T", bins])]
    if with_length:
        inputs.append(("x_lens", TensorProto.INT64, ["N"]))
        nodes += [
            make("Constant", [], ["axis"], value_ints=[1]), make("ReduceSum", ["b", "axis"], ["sum"], keepdims=0),
            make("Cast", ["x_lens"], ["count"], to=TensorProto.FLOAT), make("Div", ["sum", "count"], ["mean"]),
        ]
    else:
        nodes.append(make("ReduceMean", ["b"], ["mean"], axes=[1], keepdims=0))
    out = "logits" if with_length else "prob"
    nodes += [make("MatMul", ["mean", "v"], ["c"]), make("Sigmoid", ["c"], [out])]
    return write(file, nodes, inputs, [(out, TensorProto.FLOAT, ["N", 7])], weights)
