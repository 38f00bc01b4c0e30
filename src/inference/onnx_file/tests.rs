//! The walk against a parser of protobuf that knows nothing of it: what it lets through names no other file.

use prost::Message;

use super::*;
use crate::inference::hostile as onnx;
use crate::inference::random::Random;

/// The part of onnx.proto3 that leads to a tensor.
mod schema {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Model {
        #[prost(message, optional, tag = "7")]
        pub graph: Option<Graph>,
        #[prost(message, repeated, tag = "14")]
        pub metadata: Vec<Entry>,
        #[prost(message, repeated, tag = "20")]
        pub training: Vec<Training>,
        #[prost(message, repeated, tag = "25")]
        pub functions: Vec<Function>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Entry {
        #[prost(bytes = "vec", tag = "1")]
        pub key: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Training {
        #[prost(message, optional, tag = "1")]
        pub initialization: Option<Graph>,
        #[prost(message, optional, tag = "2")]
        pub algorithm: Option<Graph>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Function {
        #[prost(message, repeated, tag = "7")]
        pub nodes: Vec<Node>,
        #[prost(message, repeated, tag = "11")]
        pub attributes: Vec<Attribute>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Graph {
        #[prost(message, repeated, tag = "1")]
        pub nodes: Vec<Node>,
        #[prost(message, repeated, tag = "5")]
        pub tensors: Vec<Tensor>,
        #[prost(message, repeated, tag = "15")]
        pub sparse: Vec<Sparse>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Node {
        #[prost(bytes = "vec", tag = "4")]
        pub operator: Vec<u8>,
        #[prost(message, repeated, tag = "5")]
        pub attributes: Vec<Attribute>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Attribute {
        #[prost(message, optional, tag = "5")]
        pub tensor: Option<Tensor>,
        #[prost(message, optional, tag = "6")]
        pub graph: Option<Graph>,
        #[prost(message, repeated, tag = "10")]
        pub tensors: Vec<Tensor>,
        #[prost(message, repeated, tag = "11")]
        pub graphs: Vec<Graph>,
        #[prost(message, optional, tag = "22")]
        pub sparse: Option<Sparse>,
        #[prost(message, repeated, tag = "23")]
        pub sparses: Vec<Sparse>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Sparse {
        #[prost(message, optional, tag = "1")]
        pub values: Option<Tensor>,
        #[prost(message, optional, tag = "2")]
        pub indices: Option<Tensor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Tensor {
        #[prost(message, repeated, tag = "13")]
        pub external: Vec<Entry>,
        #[prost(int32, tag = "14")]
        pub location: i32,
    }
}

/// Whether anything in the file is what the walk refuses.
fn names_another_file(model: &schema::Model) -> bool {
    let training = model.training.iter().flat_map(|part| [&part.initialization, &part.algorithm]).flatten();
    let functions = &model.functions;
    model.metadata.iter().any(|entry| entry.key == SETTINGS_KEY)
        || model.graph.iter().chain(training).any(graph)
        || functions
            .iter()
            .any(|function| function.nodes.iter().any(node) || function.attributes.iter().any(attribute))
}

fn graph(graph: &schema::Graph) -> bool {
    graph.nodes.iter().any(node) || graph.tensors.iter().any(tensor) || graph.sparse.iter().any(sparse)
}

fn node(node: &schema::Node) -> bool {
    node.operator == COMPILED || node.attributes.iter().any(attribute)
}

fn attribute(attribute: &schema::Attribute) -> bool {
    attribute.tensor.iter().chain(&attribute.tensors).any(tensor)
        || attribute.graph.iter().chain(&attribute.graphs).any(graph)
        || attribute.sparse.iter().chain(&attribute.sparses).any(sparse)
}

fn sparse(sparse: &schema::Sparse) -> bool {
    sparse.values.iter().chain(&sparse.indices).any(tensor)
}

fn tensor(tensor: &schema::Tensor) -> bool {
    !tensor.external.is_empty() || tensor.location != 0
}

/// The walk refuses everything that the parser finds, in files that were changed at random in a few places.
#[test]
fn what_tensors_take_is_told_by_their_sizes_and_element_types() {
    use onnx::{bytes, number, varint};
    let dims = |sizes: &[u64]| sizes.iter().flat_map(|&size| number(1, size)).collect::<Vec<_>>();
    let packed = bytes(1, [varint(300), varint(7)].concat());
    for (sizes, element, expected) in [
        (dims(&[]), 1, 4),
        (dims(&[3, 5]), 1, 60),
        (packed, 10, 4200),
        (dims(&[5]), 22, 3),
        (dims(&[9]), 25, 3),
        (dims(&[4]), 8, 0), // strings
        (dims(&[0, 8]), 7, 0),
        (dims(&[u64::MAX, u64::MAX]), 15, u64::MAX / 8 + 1),
    ] {
        assert_eq!(tensor_bytes(&[sizes, number(2, element)].concat()), expected, "{element}");
    }
    // In a graph, in an attribute, and in the graph of an attribute.
    let tensor = |field| bytes(field, [dims(&[10]), number(2, 1)].concat());
    let inner = bytes(6, tensor(5));
    let node = bytes(1, [bytes(5, tensor(5)), bytes(5, inner)].concat());
    let onnx = bytes(7, [tensor(5), node].concat());
    assert_eq!(check(&onnx).expect("ONNX"), 120);
}

#[test]
fn no_change_of_a_file_hides_another_file_from_the_walk() {
    let mut random = Random(1);
    let (mut passed, mut hidden, mut found) = (0, 0, 0);
    for (way, file) in onnx::readers("weights", 4) {
        assert!(check(&file).is_err(), "{way}");
        for _ in 0..20_000 {
            let mut file = file.clone();
            for _ in 0..1 + random.next() % 3 {
                change(&mut file, &mut random);
            }
            let parsed = schema::Model::decode(&file[..]);
            let names = parsed.as_ref().is_ok_and(names_another_file);
            match check(&file) {
                Ok(_) => {
                    passed += 1;
                    assert!(!names, "{way}: {file:02x?}");
                    hidden += usize::from(parsed.is_ok());
                }
                Err(_) => found += usize::from(names),
            }
        }
    }
    assert!(
        passed > 1000 && hidden > 1000 && found > 1000,
        "{passed} passed, {hidden} whole, {found} refused"
    );
}

fn change(file: &mut Vec<u8>, random: &mut Random) {
    let at = random.next() as usize % file.len();
    match random.next() % 8 {
        0 => file[at] ^= 1 << (random.next() % 8),
        1 => file[at] = random.next() as u8,
        2 => file[at] = [0, 1, 0x7f, 0x80, 0xff][random.next() as usize % 5],
        3 => file.insert(at, random.next() as u8),
        4 => drop(file.remove(at)),
        // Keys of external_data and data_location become those of other fields, or of another wire type.
        5 => {
            let bit = 1 << (random.next() % 8);
            file.iter_mut().filter(|byte| [0x6a, 0x70].contains(*byte)).for_each(|key| *key ^= bit);
        }
        6 => {
            let kind = random.next() as u8 % 3;
            file.iter_mut().filter(|byte| **byte == 0x6a).for_each(|key| *key = 0x78 | kind);
            file.iter_mut().filter(|byte| **byte == 0x70).for_each(|key| *key = 0x78);
        }
        _ => {
            let end = (at + random.next() as usize % 64).min(file.len());
            let part = file[at..end].to_vec();
            let to = random.next() as usize % file.len();
            file.splice(to..to, part);
        }
    }
}

/// A field at a time, as the walk sees it.
#[test]
fn fields_are_read_as_protobuf_writes_them() {
    let parts = [
        onnx::number(1, u64::MAX),
        onnx::bytes(536_870_911, "x"),
        [onnx::padded_varint(3 << 3, 5), onnx::padded_varint(7, 10)].concat(),
        vec![0x21, 1, 2, 3, 4, 5, 6, 7, 8],
        vec![0x2d, 1, 2, 3, 4],
    ];
    let file = parts.concat();
    let mut rest = &file[..];
    assert!(matches!(field(&mut rest), Some((1, Value::Number(u64::MAX)))));
    assert!(matches!(field(&mut rest), Some((536_870_911, Value::Bytes(b"x")))));
    assert!(matches!(field(&mut rest), Some((3, Value::Number(7)))));
    assert!(matches!(field(&mut rest), Some((4, Value::Fixed))));
    assert!(matches!(field(&mut rest), Some((5, Value::Fixed))));
    assert!(rest.is_empty() && field(&mut rest).is_none());
}
