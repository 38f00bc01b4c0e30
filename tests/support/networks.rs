//! ONNX files for tests, written as the protobuf messages that they are (field numbers: onnx.proto3).
#![allow(dead_code, reason = "each test program uses its own part")]

/// A protobuf message that is being written.
#[derive(Clone, Default)]
pub struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    fn bytes(mut self, field: u64, bytes: impl AsRef<[u8]>) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    fn all<T: AsRef<[u8]>>(self, field: u64, values: impl IntoIterator<Item = T>) -> Self {
        values.into_iter().fold(self, |message, value| message.bytes(field, value))
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Element types of tensors.
pub const F32: i64 = 1;
pub const I64: i64 = 7;
pub const BOOL: i64 = 9;

/// A tensor of values that are written as they lie in memory.
pub fn tensor(name: &str, element: i64, sizes: &[i64], bytes: &[u8]) -> Message {
    let message = sizes.iter().fold(Message::default(), |message, size| message.int(1, *size));
    message.int(2, element).bytes(8, name).bytes(9, bytes)
}

pub fn floats(name: &str, sizes: &[i64], values: &[f32]) -> Message {
    tensor(name, F32, sizes, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

pub fn ints(name: &str, sizes: &[i64], values: &[i64]) -> Message {
    tensor(name, I64, sizes, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

/// What a graph takes or gives.
pub fn value(name: &str, element: i64, sizes: &[i64]) -> Message {
    let shape = sizes.iter().map(|size| Message::default().int(1, *size));
    let tensor = Message::default().int(1, element).bytes(2, Message::default().all(1, shape));
    Message::default().bytes(1, name).bytes(2, Message::default().bytes(1, tensor))
}

/// Attributes of a node.
pub fn int_attribute(name: &str, value: i64) -> Message {
    Message::default().bytes(1, name).int(3, value).int(20, 2)
}

pub fn graph_attribute(name: &str, graph: &Message) -> Message {
    Message::default().bytes(1, name).bytes(6, graph).int(20, 5)
}

pub fn tensor_attribute(name: &str, tensor: &Message) -> Message {
    Message::default().bytes(1, name).bytes(5, tensor).int(20, 4)
}

pub fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Message]) -> Message {
    Message::default().all(1, inputs).all(2, outputs).bytes(4, operator).all(5, attributes)
}

pub fn graph(nodes: &[Message], constants: &[Message], inputs: &[Message], outputs: &[Message]) -> Message {
    Message::default().all(1, nodes).bytes(2, "test").all(5, constants).all(11, inputs).all(12, outputs)
}

/// A whole file.
pub fn model(graph: &Message) -> Vec<u8> {
    let operators = Message::default().bytes(1, "").int(2, 17);
    Message::default().int(1, 8).bytes(7, graph).bytes(8, operators).0
}

/// The same with a manifest embedded.
pub fn model_with(graph: &Message, manifest: &str) -> Vec<u8> {
    let entry = Message::default().bytes(1, "auricle.manifest").bytes(2, manifest);
    [model(graph), Message::default().bytes(14, entry).0].concat()
}

/// Samples of a window of [`looping`], and the manifest that goes with it, without its closing brace.
pub const WINDOW: usize = 1600;
pub const MANIFEST: &str = r#"{ "auricle": 1, "labels": ["a", "b"], "input": { "sample_rate": 16000,
    "window_seconds": 0.1, "features": { "kind": "waveform" }, "layout": ["batch", "sample"] }"#;

/// A network that counts in a Loop, `trips` times and the highest sample times 1e18 more: two scores.
pub fn looping(trips: i64) -> Vec<u8> {
    let body = graph(
        &[node("Identity", &["go"], &["go_on"], &[]), node("Add", &["state", "one"], &["more"], &[])],
        &[floats("one", &[], &[1.0])],
        &[value("index", I64, &[]), value("go", BOOL, &[]), value("state", F32, &[1, 2])],
        &[value("go_on", BOOL, &[]), value("more", F32, &[1, 2])],
    );
    let to_i64 = [int_attribute("to", I64)];
    model(&graph(
        &[
            node("ReduceMax", &["input"], &["peak"], &[int_attribute("keepdims", 0)]),
            node("Mul", &["peak", "many"], &["wanted"], &[]),
            node("Cast", &["wanted"], &["whole"], &to_i64),
            node("Add", &["whole", "trips"], &["count"], &[]),
            node("Loop", &["count", "", "start"], &["output"], &[graph_attribute("body", &body)]),
        ],
        &[floats("many", &[], &[1e18]), ints("trips", &[], &[trips]), floats("start", &[1, 2], &[0.25, 0.5])],
        &[value("input", F32, &[1, WINDOW as i64])],
        &[value("output", F32, &[1, 2])],
    ))
}

/// A network whose Loop depends on nothing but constants and never ends.
pub fn looping_on_constants() -> Vec<u8> {
    let body = graph(
        &[node("Identity", &["go"], &["go_on"], &[]), node("Add", &["state", "one"], &["more"], &[])],
        &[floats("one", &[], &[1.0])],
        &[value("index", I64, &[]), value("go", BOOL, &[]), value("state", F32, &[1, 2])],
        &[value("go_on", BOOL, &[]), value("more", F32, &[1, 2])],
    );
    model(&graph(
        &[
            node("Loop", &["count", "", "start"], &["counted"], &[graph_attribute("body", &body)]),
            node("ReduceMean", &["input"], &["mean"], &[]),
            node("Add", &["counted", "mean"], &["output"], &[]),
        ],
        &[ints("count", &[], &[i64::MAX]), floats("start", &[1, 2], &[0.25, 0.5])],
        &[value("input", F32, &[1, WINDOW as i64])],
        &[value("output", F32, &[1, 2])],
    ))
}

/// A network of constants that ONNX Runtime computes while it loads: `count` products of matrices of `size` squared.
pub fn slow_to_load(size: i64, count: usize) -> Vec<u8> {
    let mut nodes = vec![node(
        "ConstantOfShape",
        &["sizes"],
        &["m0"],
        &[tensor_attribute("value", &floats("value", &[1], &[1e-4]))],
    )];
    for k in 0..count {
        nodes.push(node("MatMul", &[&format!("m{k}"), "m0"], &[&format!("m{}", k + 1)], &[]));
    }
    nodes.push(node("Slice", &[&format!("m{count}"), "zero", "two", "axes"], &["part"], &[]));
    nodes.push(node("ReduceMean", &["input"], &["mean"], &[]));
    nodes.push(node("ReduceMean", &["part"], &["row"], &[]));
    nodes.push(node("Add", &["row", "mean"], &["sum"], &[]));
    nodes.push(node("Concat", &["sum", "sum"], &["output"], &[int_attribute("axis", 1)]));
    model(&graph(
        &nodes,
        &[
            ints("sizes", &[2], &[size, size]),
            ints("zero", &[2], &[0, 0]),
            ints("two", &[2], &[2, 2]),
            ints("axes", &[2], &[0, 1]),
        ],
        &[value("input", F32, &[1, WINDOW as i64])],
        &[value("output", F32, &[1, 2])],
    ))
}
