//! Networks that take long, or for ever.
#![allow(dead_code, reason = "each test program uses its own part")]

use crate::onnx::{
    GRAPH, I64, TENSOR, attribute, bytes, entry, int, integers, message, node, number, value_info,
};

/// Samples of a window, and the manifest of all of them without its closing brace.
pub const WINDOW: usize = 1600;
pub const MANIFEST: &str = r#"{ "auricle": 1, "labels": ["a", "b"], "input": { "sample_rate": 16000,
    "window_seconds": 0.1, "features": { "kind": "waveform" }, "layout": ["batch", "sample"] }"#;

/// `TensorProto.DataType`.
const F32: u64 = 1;
const BOOL: u64 = 9;

/// Fields of a tensor of 32-bit floats.
pub fn floats(name: &str, dims: &[u64], values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let dims = dims.iter().flat_map(|&size| number(1, size)).collect();
    [dims, number(2, F32), bytes(8, name), bytes(9, raw)].concat()
}

/// `ModelProto` of a graph, with a manifest in it unless it is empty.
pub fn file(manifest: &str, graph: &[Vec<u8>]) -> Vec<u8> {
    let head = [number(1, 8), message(8, &[bytes(1, ""), number(2, 17)]), message(7, graph)].concat();
    let manifest = if manifest.is_empty() { Vec::new() } else { entry(14, "auricle.manifest", manifest) };
    [head, manifest].concat()
}

/// Parts of a graph with the input of a window and two scores.
fn ends() -> Vec<Vec<u8>> {
    vec![bytes(2, "g"), value_info(11, "input", &[1, WINDOW as u64]), value_info(12, "output", &[1, 2])]
}

/// A scalar, or with `dims` more, that a body takes or gives.
pub fn value(field: u32, name: &str, element: u64, dims: &[u64]) -> Vec<u8> {
    let dims: Vec<Vec<u8>> = dims.iter().map(|&size| message(1, &[number(1, size)])).collect();
    let tensor = message(1, &[number(1, element), message(2, &dims)]);
    message(field, &[bytes(1, name), message(2, &[tensor])])
}

/// A Loop that adds 1 to `start`, `count` times.
fn count_up(count: &str, output: &str) -> Vec<u8> {
    let body = [
        bytes(2, "body"),
        node("Identity", &["go"], &["go_on"], &[]),
        node("Add", &["state", "one"], &["more"], &[]),
        bytes(5, floats("one", &[], &[1.0])),
        value(11, "index", I64, &[]),
        value(11, "go", BOOL, &[]),
        value(11, "state", F32, &[1, 2]),
        value(12, "go_on", BOOL, &[]),
        value(12, "more", F32, &[1, 2]),
    ];
    node("Loop", &[count, "", "start"], &[output], &[attribute("body", GRAPH, message(6, &body))])
}

/// Counts from 0.25 and 0.5 `trips` times, and the highest sample times 1e18 more.
pub fn looping(trips: i64) -> Vec<u8> {
    let parts = [
        node("ReduceMax", &["input"], &["peak"], &[int("keepdims", 0)]),
        node("Mul", &["peak", "many"], &["wanted"], &[]),
        node("Cast", &["wanted"], &["whole"], &[int("to", I64)]),
        node("Add", &["whole", "trips"], &["count"], &[]),
        count_up("count", "output"),
        bytes(5, floats("many", &[], &[1e18])),
        bytes(5, integers("trips", &[], &[trips])),
        bytes(5, floats("start", &[1, 2], &[0.25, 0.5])),
    ];
    file("", &[&ends()[..], &parts].concat())
}

/// Makes a tensor of 4e9 zeros times the highest sample.
pub fn hungry() -> Vec<u8> {
    let parts = [
        node("ReduceMax", &["input"], &["peak"], &[int("keepdims", 1)]),
        node("Mul", &["peak", "many"], &["wanted"], &[]),
        node("Cast", &["wanted"], &["whole"], &[int("to", I64)]),
        node("Reshape", &["whole", "one"], &["size"], &[]),
        node("Add", &["size", "one"], &["count"], &[]),
        node("ConstantOfShape", &["count"], &["zeros"], &[]),
        node("ReduceMax", &["zeros"], &["zero"], &[int("keepdims", 1)]),
        node("Reshape", &["zero", "square"], &["score"], &[]),
        node("Concat", &["score", "score"], &["output"], &[int("axis", 1)]),
        bytes(5, floats("many", &[], &[4e9])),
        bytes(5, integers("one", &[1], &[1])),
        bytes(5, integers("square", &[2], &[1, 1])),
    ];
    file("", &[&ends()[..], &parts].concat())
}

/// Its Loop depends on nothing but constants, and never ends.
pub fn looping_on_constants() -> Vec<u8> {
    let parts = [
        count_up("count", "counted"),
        node("ReduceMean", &["input"], &["mean"], &[]),
        node("Add", &["counted", "mean"], &["output"], &[]),
        bytes(5, integers("count", &[], &[i64::MAX])),
        bytes(5, floats("start", &[1, 2], &[0.25, 0.5])),
    ];
    file("", &[&ends()[..], &parts].concat())
}

/// `count` products of constant matrices of `size` squared, which ONNX Runtime computes while it loads the file.
pub fn slow_to_load(size: i64, count: usize) -> Vec<u8> {
    let value = attribute("value", TENSOR, message(5, &[floats("value", &[1], &[1e-4])]));
    let mut parts = ends();
    parts.push(node("ConstantOfShape", &["sizes"], &["m0"], &[value]));
    for k in 0..count {
        parts.push(node("MatMul", &[&format!("m{k}"), "m0"], &[&format!("m{}", k + 1)], &[]));
    }
    parts.extend([
        node("ReduceMean", &[&format!("m{count}")], &["constant"], &[]),
        node("ReduceMean", &["input"], &["mean"], &[]),
        node("Add", &["constant", "mean"], &["sum"], &[]),
        node("Concat", &["sum", "sum"], &["output"], &[int("axis", 1)]),
        bytes(5, integers("sizes", &[2], &[size, size])),
    ]);
    file("", &parts)
}

/// Functions nested `depth` deep, each of which calls the next eight times: ONNX Runtime writes them all out while it loads.
pub fn nested_functions(depth: usize) -> Vec<u8> {
    let name = |level: usize| format!("F{level}");
    let call = |level: usize, input: &str, output: &str| {
        let fields = [bytes(1, input), bytes(2, output), bytes(4, name(level)), bytes(7, "local")];
        fields.concat()
    };
    let mut model = Vec::new();
    for level in 0..depth {
        let mut parts = vec![bytes(1, name(level)), bytes(4, "x0"), bytes(5, "x8"), bytes(10, "local")];
        parts.push(message(9, &[bytes(1, ""), number(2, 17)]));
        parts.push(message(9, &[bytes(1, "local"), number(2, 1)]));
        for k in 0..8 {
            let (input, output) = (format!("x{k}"), format!("x{}", k + 1));
            parts.push(match level + 1 < depth {
                true => bytes(7, call(level + 1, &input, &output)),
                false => bytes(7, [bytes(1, input), bytes(2, output), bytes(4, "Neg")].concat()),
            });
        }
        model.extend(message(25, &parts));
    }
    let mut graph = ends();
    graph.extend([
        bytes(1, call(0, "input", "same")),
        node("ReduceMean", &["same"], &["mean"], &[]),
        node("Concat", &["mean", "mean"], &["output"], &[int("axis", 1)]),
    ]);
    let local = message(8, &[bytes(1, "local"), number(2, 1)]);
    [file("", &graph), local, model].concat()
}
