"""Makes the small networks that the tests run: `python make_models.py` (needs pip's onnx and numpy).

tiny.onnx   [batch, 1, bin 64, row 32] -> mean over rows -> 3 classes; manifest embedded (mel 1024/512/64, softmax)
probe.onnx  [batch, sample] -> first, last, mean and max of the samples; no manifest: the scores show what the network saw
heads.onnx  [batch, sample] -> mean and max as scores; first, last and mean as a vector; manifest embedded
external.onnx  a network whose weights are said to lie in another file, tiny.onnx: it must be refused
"""

import json

import numpy as np
import onnx
import onnx.external_data_helper
from onnx import TensorProto, helper, numpy_helper

F32 = TensorProto.FLOAT


def save(path, nodes, inputs, outputs, constants, manifest=None):
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(n, F32, s) for n, s in inputs],
        [helper.make_tensor_value_info(n, F32, s) for n, s in outputs],
        [numpy_helper.from_array(v, n) for n, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if manifest:
        helper.set_model_props(model, {"auricle.manifest": json.dumps(manifest)})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def tiny():
    # Weights from a formula, so that no generator of random numbers is part of the data.
    k = np.arange(64 * 3, dtype=np.float64).reshape(64, 3)
    weights = (np.sin(k * 0.7) * 0.05).astype(np.float32)
    bias = np.array([0.1, 0.0, -0.1], dtype=np.float32)
    manifest = {
        "auricle": 1, "name": "tiny", "version": "1", "licence": "MIT OR Apache-2.0",
        "labels": ["low", "middle", "high"],
        "input": {
            "tensor": "input", "sample_rate": 16000, "window_seconds": 1.0,
            "features": {
                "kind": "mel", "fft": 1024, "window": "hann", "frame_length": 1024, "frame_hop": 512,
                "center": True, "pad": "reflect", "power": 2.0,
                "mel": {"bins": 64, "scale": "htk", "norm": "none", "triangles": "hz", "low_hz": 0, "high_hz": 8000},
                "log": {"kind": "ln", "offset": 1e-6},
            },
            "layout": ["batch", "channel", "bin", "row"],
        },
        "output": {"tensor": "output", "activation": "softmax"},
        "stream": {"hop_seconds": 0.25},
    }
    save(
        "tiny.onnx",
        [
            helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 3], keepdims=0),
            helper.make_node("Gemm", ["mean", "weights", "bias"], ["output"]),
        ],
        [("input", ["batch", 1, 64, 32])],
        [("output", ["batch", 3])],
        {"weights": weights, "bias": bias},
        manifest,
    )


def probe():
    save(
        "probe.onnx",
        [
            helper.make_node("Gather", ["input", "zero"], ["first"], axis=1),
            helper.make_node("Gather", ["input", "minus_one"], ["last"], axis=1),
            helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=1),
            helper.make_node("ReduceMax", ["input"], ["max"], axes=[1], keepdims=1),
            helper.make_node("Concat", ["first", "last", "mean", "max"], ["output"], axis=1),
        ],
        [("input", ["batch", "sample"])],
        [("output", ["batch", 4])],
        {"zero": np.array([0], dtype=np.int64), "minus_one": np.array([-1], dtype=np.int64)},
    )


def heads():
    """Two outputs: mean and maximum of a window, as scores; its first and last sample and the mean, as a vector."""
    manifest = {
        "auricle": 1,
        "input": {
            "sample_rate": 8000, "window_seconds": 0.1, "features": {"kind": "waveform"},
            "layout": ["batch", "sample"],
        },
        "outputs": [
            {"name": "levels", "tensor": "two", "labels": ["mean", "max"], "activation": "sigmoid"},
            {"tensor": "vector", "kind": "embedding"},
        ],
    }
    save(
        "heads.onnx",
        [
            helper.make_node("Gather", ["input", "zero"], ["first"], axis=1),
            helper.make_node("Gather", ["input", "minus_one"], ["last"], axis=1),
            helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=1),
            helper.make_node("ReduceMax", ["input"], ["max"], axes=[1], keepdims=1),
            helper.make_node("Concat", ["mean", "max"], ["two"], axis=1),
            helper.make_node("Concat", ["first", "last", "mean"], ["vector"], axis=1),
        ],
        [("input", ["batch", "sample"])],
        [("two", ["batch", 2]), ("vector", ["batch", 3])],
        {"zero": np.array([0], dtype=np.int64), "minus_one": np.array([-1], dtype=np.int64)},
        manifest,
    )


def external():
    weights = numpy_helper.from_array(np.zeros(4, dtype=np.float32), "weights")
    onnx.external_data_helper.set_external_data(weights, location="tiny.onnx")
    weights.ClearField("raw_data")
    graph = helper.make_graph(
        [helper.make_node("Add", ["input", "weights"], ["output"])],
        "test",
        [helper.make_tensor_value_info("input", F32, [4])],
        [helper.make_tensor_value_info("output", F32, [4])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with open("external.onnx", "wb") as file:
        file.write(model.SerializeToString())


tiny()
probe()
heads()
external()
