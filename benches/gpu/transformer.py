"""Writes a transformer of random weights with its manifest: transformer.py OUT.onnx [WIDTH LAYERS].

16x16 patches of a log-mel patch of 128 bins and 128 rows (64 of them), then layers of attention and of two products,
each behind a layer normalisation; the mean of all patches gives 10 scores. The default has 86 M parameters, as the
networks that lead on AudioSet have. Needs onnx and numpy."""
import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
width, layers = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 2 else (768, 12)
heads, size, bins, rows, classes = width // 64, 64, 128, 128, 10
patches = bins // 16 * (rows // 16)
rng = np.random.default_rng(1)
weights, nodes = [], []


def weight(name, *shape, scale=None, value=None):
    values = np.full(shape, value) if value is not None else rng.standard_normal(shape) * (scale or shape[0] ** -0.5)
    weights.append(numpy_helper.from_array(values.astype(np.float32), name))
    return name


def shape(name, *sizes):
    weights.append(numpy_helper.from_array(np.array(sizes, np.int64), name))
    return name


def node(kind, *inputs, **attributes):
    name = f"{kind}_{len(nodes)}"
    nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
    return name


def linear(x, name, wide, high):
    product = node("MatMul", x, weight(f"{name}.w", wide, high))
    return node("Add", product, weight(f"{name}.b", high, value=0))


def norm(x, name):
    return node("LayerNormalization", x, weight(f"{name}.w", width, value=1), weight(f"{name}.b", width, value=0), axis=-1)


shape("patches", 0, width, patches)
shape("heads", 0, patches, heads, size)
shape("joined", 0, patches, width)
x = node("Conv", "input", weight("patch.w", width, 1, 16, 16, scale=1 / 16), weight("patch.b", width, value=0), strides=[16, 16])
x = node("Transpose", node("Reshape", x, "patches"), perm=[0, 2, 1])
x = node("Add", x, weight("place", 1, patches, width, scale=0.02))
weights.append(numpy_helper.from_array(np.array(size ** -0.5, np.float32), "scale"))
for layer in range(layers):
    y = norm(x, f"{layer}.a")
    q, k, v = (node("Reshape", linear(y, f"{layer}.{part}", width, width), "heads") for part in "qkv")
    q, v = (node("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))
    k = node("Transpose", k, perm=[0, 2, 3, 1])
    y = node("Softmax", node("Mul", node("MatMul", q, k), "scale"), axis=-1)
    y = node("Reshape", node("Transpose", node("MatMul", y, v), perm=[0, 2, 1, 3]), "joined")
    x = node("Add", x, linear(y, f"{layer}.o", width, width))
    y = linear(norm(x, f"{layer}.b"), f"{layer}.up", width, 4 * width)
    y = node("Mul", y, node("Sigmoid", y))
    x = node("Add", x, linear(y, f"{layer}.down", 4 * width, width))
x = node("ReduceMean", norm(x, "last"), axes=[1], keepdims=0)
nodes.append(helper.make_node("Gemm", [x, weight("head.w", width, classes), weight("head.b", classes, value=0)], ["output"]))
graph = helper.make_graph(
    nodes, "transformer",
    [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1, bins, rows])],
    [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", classes])], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
manifest = {
    "auricle": 1, "name": "transformer", "labels": [f"class {n}" for n in range(classes)],
    # 127 hops, and the row in the middle of the last frame.
    "input": {"tensor": "input", "sample_rate": 16000, "window_seconds": 127 * 256 / 16000,
              "features": {"kind": "mel", "fft": 512, "frame_hop": 256, "mel": {"bins": bins}, "log": {"kind": "ln", "offset": 1e-6}},
              "normalize": {"kind": "mean_std", "mean": -6.0, "std": 4.0}, "layout": ["batch", "channel", "bin", "row"]},
    "output": {"tensor": "output", "activation": "softmax"},
}
entry = model.metadata_props.add()
entry.key, entry.value = "auricle.manifest", json.dumps(manifest)
onnx.save(model, out)
count = sum(int(np.prod(w.dims)) for w in weights)
print(f"{out}: {count / 1e6:.1f} M parameters")
