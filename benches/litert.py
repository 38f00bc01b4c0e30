"""One window of a network of convolutions in ONNX Runtime and in LiteRT with XNNPACK, one thread, interleaved.

    python benches/litert.py network.onnx [compressed.onnx ...]

LiteRT's files are made here of the same network.onnx: float; dynamic range, 8-bit weights with a scale per channel, in
all layers or in all but the depthwise ones. Taken are chains as YAMNet's: Conv with Relu, GlobalAveragePool, MatMul,
Add, Sigmoid. The scores of every file are compared with network.onnx on noise of many levels and slopes.
"""
import argparse
import time

import flatbuffers
import numpy as np
import onnx
import onnxruntime
from ai_edge_litert import schema_py_generated as lite
from ai_edge_litert.interpreter import Interpreter
from onnx import numpy_helper

OPERATOR, OPTIONS, TYPE = lite.BuiltinOperator, lite.BuiltinOptions, lite.TensorType


class Writer:
    """A LiteRT file, tensor by tensor. `integers` says which weights are 8-bit: none, all, or dense."""

    def __init__(self, integers):
        self.integers = integers
        self.model, self.graph, self.codes = lite.ModelT(), lite.SubGraphT(), {}
        self.model.version, self.model.buffers, self.model.operatorCodes = 3, [lite.BufferT()], []
        self.model.subgraphs, self.graph.tensors, self.graph.operators = [self.graph], [], []

    def tensor(self, shape, data=None, axis=None):
        tensor = lite.TensorT()
        tensor.name = str(len(self.graph.tensors)).encode()
        tensor.shape, tensor.type, tensor.buffer = list(shape), TYPE.FLOAT32, 0
        if axis is not None:
            others = tuple(n for n in range(data.ndim) if n != axis)
            scale = np.maximum(np.abs(data).max(axis=others, keepdims=True) / 127, 1e-12)
            data = np.clip(np.round(data / scale), -127, 127).astype(np.int8)
            tensor.quantization = lite.QuantizationParametersT()
            tensor.quantization.scale = [float(value) for value in scale.ravel()]
            tensor.quantization.zeroPoint = [0] * scale.size
            tensor.quantization.quantizedDimension = axis
        if data is not None:
            tensor.type = {"int8": TYPE.INT8, "int32": TYPE.INT32, "float32": TYPE.FLOAT32}[data.dtype.name]
            buffer = lite.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, code, inputs, shape, options=None, kind=0, version=1):
        if code not in self.codes:
            entry = lite.OperatorCodeT()
            entry.builtinCode = entry.deprecatedBuiltinCode = code
            entry.version = version
            self.codes[code] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(entry)
        operator = lite.OperatorT()
        operator.opcodeIndex, operator.inputs = self.codes[code], inputs
        operator.outputs = [self.tensor(shape)]
        operator.builtinOptions, operator.builtinOptionsType = options, kind
        self.graph.operators.append(operator)
        return operator.outputs[0]

    def convolution(self, x, size, node, constants):
        attributes = {a.name: list(a.ints) or a.i for a in node.attribute}
        weight, stride, group = constants[node.input[1]], attributes["strides"], attributes.get("group", 1)
        size = [-(-n // s) for n, s in zip(size, stride)]
        depthwise = group > 1
        options = lite.DepthwiseConv2DOptionsT() if depthwise else lite.Conv2DOptionsT()
        options.padding = lite.Padding.SAME
        options.strideH, options.strideW = stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = lite.ActivationFunctionType.RELU
        if depthwise:
            options.depthMultiplier = 1
            weight, axis = weight[:, 0].transpose(1, 2, 0)[None], 3
        else:
            weight, axis = weight.transpose(0, 2, 3, 1), 0
        first = not self.graph.operators
        integers = self.integers == "all" or self.integers == "dense" and not depthwise and not first
        inputs = [x, self.tensor(weight.shape, np.ascontiguousarray(weight), axis if integers else None)]
        bias = constants[node.input[2]]
        inputs.append(self.tensor(bias.shape, bias))
        shape = [1, *size, len(bias)]
        if depthwise:
            kind = OPTIONS.DepthwiseConv2DOptions
            return self.operator(OPERATOR.DEPTHWISE_CONV_2D, inputs, shape, options, kind, 6), size
        return self.operator(OPERATOR.CONV_2D, inputs, shape, options, OPTIONS.Conv2DOptions, 5), size

    def write(self, network):
        constants = {t.name: numpy_helper.to_array(t) for t in network.graph.initializer}
        size = [d.dim_value for d in network.graph.input[0].type.tensor_type.shape.dim][-2:]
        x = self.tensor([1, *size, 1])
        self.graph.inputs = [x]
        channels = 1
        for node in network.graph.node:
            if node.op_type == "Conv":
                x, size = self.convolution(x, size, node, constants)
                channels = len(constants[node.input[2]])
            elif node.op_type == "GlobalAveragePool":
                options = lite.ReducerOptionsT()
                options.keepDims = False
                axes = self.tensor([2], np.array([1, 2], np.int32))
                x = self.operator(OPERATOR.MEAN, [x, axes], [1, channels], options, OPTIONS.ReducerOptions)
            elif node.op_type == "MatMul":
                weight = np.ascontiguousarray(constants[node.input[1]].T)
                add = next(n for n in network.graph.node if n.op_type == "Add" and node.output[0] in n.input)
                bias = constants[next(name for name in add.input if name in constants)]
                channels = len(bias)
                weight = self.tensor(weight.shape, weight, None if self.integers == "none" else 0)
                inputs = [x, weight, self.tensor(bias.shape, bias)]
                x = self.operator(OPERATOR.FULLY_CONNECTED, inputs, [1, channels],
                                  lite.FullyConnectedOptionsT(), OPTIONS.FullyConnectedOptions, 9)
            elif node.op_type == "Sigmoid":
                x = self.operator(OPERATOR.LOGISTIC, [x], [1, channels])
            elif node.op_type not in ("Relu", "Reshape", "Squeeze", "Add"):
                raise SystemExit(f"{node.op_type} cannot be written for LiteRT here")
        self.graph.outputs = [x]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def of_litert(file):
    """Sets the input, runs, gives the scores."""
    interpreter = Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    place, scores = (details[0]["index"] for details in
                     (interpreter.get_input_details(), interpreter.get_output_details()))
    return (lambda x: interpreter.set_tensor(place, x[..., None]), interpreter.invoke,
            lambda: interpreter.get_tensor(scores)[0])


def of_onnx(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name, scores = session.get_inputs()[0].name, session.get_outputs()[0].name
    binding = session.io_binding()
    binding.bind_output(scores)
    return (lambda x: binding.bind_cpu_input(name, x), lambda: session.run_with_iobinding(binding),
            lambda: binding.copy_outputs_to_cpu()[0][0])


def windows(shape, count):
    """Log-mel rows of noise: levels, slopes over frequency, and decays."""
    random = np.random.default_rng(1)
    rows, bins = np.linspace(0, 1, shape[-2])[:, None], np.linspace(0, 1, shape[-1])[None]
    for _ in range(count):
        level, slope, decay = random.uniform(-6, 2), random.uniform(-4, 1), random.choice([0, 0, 2, 8])
        x = level + slope * bins - decay * rows + random.normal(0, 0.6, shape[-2:])
        yield np.maximum(x, np.log(0.001))[None].astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("compressed", nargs="*")
    parser.add_argument("--windows", help=".npy of real inputs [count, rows, bins], in place of noise")
    parser.add_argument("--rounds", type=int, default=300)
    arguments = parser.parse_args()
    network = onnx.load(arguments.network)
    engines = {f"ONNX Runtime {path}": of_onnx(path) for path in [arguments.network, *arguments.compressed]}
    for integers, name in (("none", "LiteRT float"), ("all", "LiteRT dynamic range, all layers"),
                           ("dense", "LiteRT dynamic range, depthwise in float")):
        engines[name] = of_litert(Writer(integers).write(network))
    shape = [d.dim_value for d in network.graph.input[0].type.tensor_type.shape.dim]
    inputs = np.load(arguments.windows)[:, None] if arguments.windows else list(windows(shape, 100))

    def scores(engine):
        set_input, run, get = engine
        answers = []
        for x in inputs:
            set_input(np.ascontiguousarray(x))
            run()
            answers.append(np.array(get()))
        return np.stack(answers)

    answers = {name: scores(engine) for name, engine in engines.items()}
    times = {name: [] for name in engines}
    for _ in range(arguments.rounds):
        for name, (_, run, _) in engines.items():
            run()  # its own data back into the caches
            start = time.thread_time()
            run()
            times[name].append(1e3 * (time.thread_time() - start))
    first = next(iter(answers.values()))
    peers = [name for name in times if name.startswith("LiteRT dyn")]
    best = np.array(times[min(peers, key=lambda name: np.median(times[name]))])
    print(f"{'CPU time of one window, one thread':<60} median    least  LiteRT's best / this  scores apart: mean, most")
    for name, taken in times.items():
        apart = np.abs(answers[name] - first).max(axis=1)
        print(f"{name:<60} {np.median(taken):.3f} ms {min(taken):.3f} ms  {np.median(best / taken):>20.2f}  "
              f"{apart.mean():.4f}, {apart.max():.4f}")


if __name__ == "__main__":
    main()
