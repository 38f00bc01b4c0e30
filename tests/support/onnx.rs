//! ONNX files written field by field, so that they can hold what no exporter writes. Field numbers are those of
//! onnx.proto3.
#![allow(dead_code, reason = "each test program uses its own part")]

/// `value` as protobuf writes it.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// `value` in more bytes than it needs, which protobuf lets pass.
pub fn padded_varint(value: u64, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|k| (value >> (7 * k)) as u8 | 0x80).collect();
    bytes[length - 1] &= 0x7f;
    bytes
}

pub fn number(field: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(field << 3)), varint(value)].concat()
}

pub fn bytes(field: u32, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [&varint(u64::from(field << 3 | 2)), &varint(value.len() as u64), value].concat()
}

/// A message in `field`, made of fields.
pub fn message(field: u32, parts: &[Vec<u8>]) -> Vec<u8> {
    bytes(field, parts.concat())
}

/// `StringStringEntryProto`.
pub fn entry(field: u32, key: &str, value: &str) -> Vec<u8> {
    message(field, &[bytes(1, key), bytes(2, value)])
}

/// `TensorProto.DataType`.
pub const U8: u64 = 2;
pub const I64: u64 = 7;

/// Fields of a tensor of 64-bit integers.
pub fn integers(name: &str, dims: &[u64], values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let dims = dims.iter().flat_map(|&size| number(1, size)).collect();
    [dims, number(2, I64), bytes(8, name), bytes(9, raw)].concat()
}

/// Fields of a tensor of the first `count` bytes of the file `location`.
pub fn external(name: &str, location: &str, count: usize) -> Vec<u8> {
    let count_text = count.to_string();
    [
        number(1, count as u64),
        number(2, U8),
        bytes(8, name),
        entry(13, "location", location),
        entry(13, "length", &count_text),
        number(14, 1),
    ]
    .concat()
}

/// A node of a graph, with the fields of its attributes.
pub fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    bytes(1, node_fields(op, inputs, outputs, attributes))
}

/// Fields of a `NodeProto`.
pub fn node_fields(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = inputs.iter().map(|name| bytes(1, name)).collect();
    parts.extend(outputs.iter().map(|name| bytes(2, name)));
    parts.push(bytes(3, format!("node of {}", outputs[0])));
    parts.push(bytes(4, op));
    parts.extend(attributes.iter().map(|attribute| bytes(5, attribute)));
    parts.concat()
}

/// Fields of an attribute: `value` is the field that holds it.
pub fn attribute(name: &str, kind: u64, value: Vec<u8>) -> Vec<u8> {
    [bytes(1, name), value, number(20, kind)].concat()
}

/// `AttributeProto.AttributeType`.
pub const INT: u64 = 2;
pub const TENSOR: u64 = 4;
pub const GRAPH: u64 = 5;
pub const SPARSE_TENSOR: u64 = 11;

pub fn int(name: &str, value: u64) -> Vec<u8> {
    attribute(name, INT, number(3, value))
}

/// `ValueInfoProto` of 32-bit floats.
pub fn value_info(field: u32, name: &str, dims: &[u64]) -> Vec<u8> {
    let dims: Vec<Vec<u8>> = dims.iter().map(|&size| message(1, &[number(1, size)])).collect();
    let tensor = message(1, &[number(1, 1), message(2, &dims)]);
    message(field, &[bytes(1, name), message(2, &[tensor])])
}

/// `ModelProto` without its graph: versions of the format and of the operators, and the manifest of [`reader`].
pub fn head(scores: usize) -> Vec<u8> {
    [
        number(1, 9),
        message(8, &[bytes(1, ""), number(2, 17)]),
        message(8, &[bytes(1, "local"), number(2, 1)]),
        entry(14, "auricle.manifest", &manifest(scores)),
    ]
    .concat()
}

/// Of a network that takes a second at 16 kHz and whose outputs are shown as they are.
pub fn manifest(scores: usize) -> String {
    let labels: Vec<String> = (0..scores).map(|k| format!("\"byte {k}\"")).collect();
    format!(
        r#"{{ "auricle": 1, "labels": [{}], "output": {{ "activation": "none" }},
        "input": {{ "sample_rate": 16000, "window_seconds": 1.0, "features": {{ "kind": "waveform" }},
        "layout": ["batch", "sample"] }} }}"#,
        labels.join(", ")
    )
}

/// Parts of a graph whose `count` outputs are the elements of the tensor `weights`. They are gathered by indices that
/// depend on the input, so that no optimiser of ONNX Runtime looks at the tensor when the model is loaded.
pub fn reader(count: usize, weights: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let all: Vec<i64> = (0..count as i64).collect();
    let mut parts = vec![
        value_info(11, "x", &[1, 16_000]),
        value_info(12, "y", &[1, count as u64]),
        bytes(2, "g"),
        bytes(5, integers("all", &[1, count as u64], &all)),
        bytes(5, integers("zero", &[], &[0])),
        node("ReduceMax", &["x"], &["max"], &[int("keepdims", 0)]),
        node("Cast", &["max"], &["whole"], &[int("to", I64)]),
        node("Mul", &["whole", "zero"], &["nothing"], &[]),
        node("Add", &["all", "nothing"], &["indices"], &[]),
    ];
    parts.extend_from_slice(weights);
    parts
}

/// The nodes that make the output of [`reader`] from `weights`.
pub fn gather(weights: &str, output: &str) -> Vec<u8> {
    let gathered = format!("{output} of {weights}");
    let gather = node("Gather", &[weights, "indices"], &[&gathered], &[int("axis", 0)]);
    [gather, node("Cast", &[&gathered], &[output], &[int("to", 1)])].concat()
}

/// A body of an `If` that gives the elements of `weights`, of which `inside` is the field.
fn body(count: usize, inside: &[Vec<u8>]) -> Vec<u8> {
    let mut parts = vec![bytes(2, "body"), value_info(12, "result", &[1, count as u64])];
    parts.extend_from_slice(inside);
    parts.concat()
}

/// An `If` with the same body for both cases.
fn branches(output: &str, body: &[u8]) -> Vec<u8> {
    let branch = |name| attribute(name, GRAPH, bytes(6, body));
    let condition = node("Cast", &["max"], &["condition"], &[int("to", 9)]);
    let branches = node("If", &["condition"], &[output], &[branch("then_branch"), branch("else_branch")]);
    [condition, branches].concat()
}

/// Files that take `count` scores from the file `location`, each by another way that ONNX has, and the name of the way.
pub fn readers(location: &str, count: usize) -> Vec<(&'static str, Vec<u8>)> {
    let (size, indices): (u64, Vec<i64>) = (count as u64, (0..count as i64).collect());
    let tensor = external("w", location, count);
    let inside = integers("w", &[size], &indices);
    let use_it = gather("w", "y");
    let file = |weights: &[Vec<u8>]| [head(count), message(7, &reader(count, weights))].concat();
    let with = |tensor: &[u8]| file(&[bytes(5, tensor), use_it.clone()]);

    let body_with = |parts: &[Vec<u8>]| {
        let parts = [parts, &[gather("w", "result")]].concat();
        body(count, &parts)
    };
    let body_of_if = body_with(&[bytes(5, &tensor)]);
    let body_of_body = body(count, &[branches("result", &body_of_if)]);

    let sparse_of =
        |values: &[u8], indices: &[u8]| [bytes(1, values), bytes(2, indices), number(3, size)].concat();
    let sparse = sparse_of(&tensor, &integers("at", &[size], &indices));
    let sparse_indices = sparse_of(&inside, &external("at", location, 8 * count));

    let constant = |value: Vec<u8>| node_fields("Constant", &[], &["w"], &[value]);
    let dense = constant(attribute("value", TENSOR, bytes(5, &tensor)));
    let function = |parts: &[Vec<u8>]| {
        let names = [bytes(1, "Weights"), bytes(5, "w"), bytes(10, "local")];
        message(25, &[&names, parts, &[message(9, &[bytes(1, ""), number(2, 17)])]].concat())
    };
    let call = [node_fields("Weights", &[], &["w"], &[]), bytes(7, "local")].concat();

    let harmless = with(&inside);
    let training = |field| [&harmless[..], &message(20, &[message(field, &[bytes(5, &tensor)])])].concat();
    // Of a node that does nothing with it.
    let attribute_of = |value: Vec<u8>| {
        file(&[
            bytes(5, &inside),
            use_it.clone(),
            node("Identity", &["max"], &["ignored"], &[attribute("extra", TENSOR, value)]),
        ])
    };
    let (entries, location_said) = tensor.split_at(tensor.len() - 2);
    let tail = |tail: Vec<u8>| with(&[entries, &tail].concat());
    vec![
        ("an initialiser", with(&tensor)),
        ("a body of an If", file(&[branches("y", &body_of_if)])),
        ("a body in a body", file(&[branches("y", &body_of_body)])),
        ("a sparse initialiser", file(&[bytes(15, &sparse), use_it.clone()])),
        ("the indices of a sparse initialiser", file(&[bytes(15, &sparse_indices), use_it.clone()])),
        ("a constant", file(&[bytes(1, &dense), use_it.clone()])),
        ("a sparse constant", {
            let node = constant(attribute("sparse_value", SPARSE_TENSOR, bytes(22, &sparse)));
            file(&[bytes(1, node), use_it.clone()])
        }),
        ("a function", [file(&[bytes(1, call), use_it.clone()]), function(&[bytes(7, &dense)])].concat()),
        ("a default of a function", {
            let default = bytes(11, attribute("w", TENSOR, bytes(5, &tensor)));
            let body = constant(attribute("value", TENSOR, bytes(5, &inside)));
            [&harmless[..], &function(&[bytes(7, body), default])].concat()
        }),
        ("a list of tensors", attribute_of(bytes(10, &tensor))),
        ("a list of graphs", attribute_of(message(11, &[bytes(5, &tensor)]))),
        ("a list of sparse tensors", attribute_of(bytes(23, &sparse))),
        ("the start of a training", training(1)),
        ("a step of a training", training(2)),
        ("a second graph, which is merged", [&harmless[..], &message(7, &[bytes(5, &tensor)])].concat()),
        ("an attribute with two tensors", attribute_of([bytes(5, &inside), bytes(5, &tensor)].concat())),
        ("a tensor in two parts", attribute_of([bytes(5, entries), bytes(5, location_said)].concat())),
        ("a location that is taken back", with(&[&tensor[..], &number(14, 0)].concat())),
        ("entries alone", tail(Vec::new())),
        ("a location beyond 32 bits", tail(number(14, (1 << 32) + 1))),
        ("an unknown location", tail(number(14, 2))),
        ("numbers longer than they need be", {
            let weights =
                [padded_varint(5 << 3 | 2, 5), padded_varint(tensor.len() as u64, 5), tensor.clone()];
            file(&[weights.concat(), use_it.clone()])
        }),
    ]
}
