//! What an ONNX file says of itself, read from its bytes alone, for `auricle inspect` and `auricle init`. The file is a
//! stranger's: nothing of it is run, and lists and names end where no network needs more.
//!
//! Field numbers are those of onnx.proto3 (ONNX 1.23).

use std::collections::HashSet;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::ending::Ending;
use super::onnx_file::{self, MAX_BYTES, Value, field, last, shown};
use crate::error::{Error, Result, Status};
use crate::file;

/// Longest list: inputs, outputs, metadata, files of weights.
const MAX_LIST: usize = 4096;
/// Most constants, of which old files list each as an input too.
const MAX_CONSTANTS: usize = 1 << 20;
/// Longest name, bytes: as long as a string of a manifest can be.
const MAX_NAME: usize = 1024;

/// What an ONNX file says of itself.
#[derive(Debug, Default, Serialize)]
pub struct Contents {
    /// Length of the file.
    pub bytes: usize,
    /// Its SHA-256.
    pub sha256: String,
    /// Program that wrote it.
    pub producer: String,
    /// Version of the format.
    pub ir_version: u64,
    /// Sets of operators.
    pub opsets: Vec<Opset>,
    /// What a run must be given: inputs that have no value in the file.
    pub inputs: Vec<Declared>,
    /// What a run gives.
    pub outputs: Vec<Declared>,
    /// What makes each of them.
    pub endings: Vec<Ending>,
    /// What else was written into it.
    pub metadata: Vec<Metadata>,
    /// Files in which weights lie.
    pub weights_in: Vec<String>,
    /// Why the library does not load it as it is, whatever a manifest says.
    pub refused: Option<String>,
}

/// A set of operators.
#[derive(Debug, PartialEq, Serialize)]
pub struct Opset {
    /// Empty: ONNX's own.
    pub domain: String,
    /// Its version.
    pub version: u64,
}

/// An input or output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Its element type, for example `f32`.
    pub element: String,
    /// `None`: the file does not say how many it has.
    pub axes: Option<Vec<Size>>,
}

/// Size of an axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Size {
    /// Just this.
    Fixed(u64),
    /// Any; the exporter gave it a name.
    Named(String),
    /// Any.
    Any,
}

/// An entry of the metadata.
#[derive(Debug, PartialEq, Serialize)]
pub struct Metadata {
    /// Its name.
    pub key: String,
    /// Length of its value.
    pub bytes: usize,
}

impl Contents {
    /// Of the file at `path`.
    pub fn read(path: &Path) -> Result<Self> {
        let onnx = file::read(path, "an ONNX file", MAX_BYTES)?;
        Self::of(&onnx)
            .map_err(|error| Error::new(error.status(), format!("{}: {}", path.display(), error.message())))
    }

    /// Of the bytes of a file.
    pub fn of(onnx: &[u8]) -> Result<Self> {
        let mut contents = Self {
            bytes: onnx.len(),
            refused: onnx_file::refusal(onnx)?,
            sha256: format!("{:x}", Sha256::digest(onnx)),
            ..Self::default()
        };
        let mut constants = HashSet::new();
        each(onnx, |number, value| {
            match (number, value) {
                (1, Value::Number(version)) => contents.ir_version = version,
                (2, Value::Bytes(name)) => contents.producer = text(name)?,
                (7, Value::Bytes(graph)) => contents.add_graph(graph, &mut constants)?,
                (8, Value::Bytes(opset)) => push(&mut contents.opsets, Opset::of(opset)?, "operator sets")?,
                (14, Value::Bytes(entry)) => {
                    let bytes = last(entry, 2).map_or(0, <[u8]>::len);
                    let entry = Metadata { key: text(last(entry, 1).unwrap_or_default())?, bytes };
                    push(&mut contents.metadata, entry, "entries of metadata")?;
                }
                _ => {}
            }
            Ok(())
        })?;
        contents.endings = contents.outputs.iter().map(|output| Ending::of(onnx, &output.name)).collect();
        Ok(contents)
    }

    /// What makes the output `name`.
    pub fn ending(&self, name: &str) -> Ending {
        let named = self.outputs.iter().zip(&self.endings).find(|(output, _)| output.name == name);
        named.map_or(Ending::Unknown, |(_, ending)| *ending)
    }

    /// Protobuf merges graphs that occur twice; so does this.
    fn add_graph<'a>(&mut self, graph: &'a [u8], constants: &mut HashSet<&'a [u8]>) -> Result<()> {
        let mut inputs = Vec::new();
        each(graph, |number, value| {
            let Value::Bytes(bytes) = value else { return Ok(()) };
            match number {
                5 => {
                    if constants.len() == MAX_CONSTANTS {
                        return Err(too_many("constants", MAX_CONSTANTS));
                    }
                    constants.insert(last(bytes, 8).unwrap_or_default());
                    self.add_file(bytes)
                }
                11 if inputs.len() == MAX_CONSTANTS => Err(too_many("inputs", MAX_CONSTANTS)),
                11 => {
                    inputs.push(bytes);
                    Ok(())
                }
                12 => push(&mut self.outputs, Declared::of(bytes)?, "outputs"),
                _ => Ok(()),
            }
        })?;
        for input in inputs {
            if !constants.contains(last(input, 1).unwrap_or_default()) {
                push(&mut self.inputs, Declared::of(input)?, "inputs")?;
            }
        }
        Ok(())
    }

    /// The file in which a constant says that its values lie.
    fn add_file(&mut self, tensor: &[u8]) -> Result<()> {
        each(tensor, |number, value| {
            let (13, Value::Bytes(entry)) = (number, value) else { return Ok(()) };
            if last(entry, 1) != Some(b"location") {
                return Ok(());
            }
            let name = text(last(entry, 2).unwrap_or_default())?;
            match self.weights_in.contains(&name) {
                true => Ok(()),
                false => push(&mut self.weights_in, name, "files of weights"),
            }
        })
    }
}

impl Opset {
    fn of(message: &[u8]) -> Result<Self> {
        let mut opset = Self { domain: text(last(message, 1).unwrap_or_default())?, version: 0 };
        each(message, |number, value| {
            if let (2, Value::Number(version)) = (number, value) {
                opset.version = version;
            }
            Ok(())
        })?;
        Ok(opset)
    }
}

impl Declared {
    /// Of a `ValueInfoProto`.
    fn of(message: &[u8]) -> Result<Self> {
        let mut found = Self { name: String::new(), element: "unknown".into(), axes: None };
        each(message, |number, value| match (number, value) {
            (1, Value::Bytes(name)) => {
                found.name = text(name)?;
                Ok(())
            }
            (2, Value::Bytes(kind)) => found.add_type(kind),
            _ => Ok(()),
        })?;
        Ok(found)
    }

    /// A `TypeProto`.
    fn add_type(&mut self, kind: &[u8]) -> Result<()> {
        each(kind, |number, value| {
            let name = match (number, value) {
                (1, Value::Bytes(tensor)) => return self.add_tensor(tensor),
                (4, _) => "sequence",
                (5, _) => "map",
                (8, _) => "sparse tensor",
                (9, _) => "optional",
                _ => return Ok(()),
            };
            self.element = name.into();
            Ok(())
        })
    }

    /// A `TypeProto.Tensor`.
    fn add_tensor(&mut self, tensor: &[u8]) -> Result<()> {
        each(tensor, |number, value| {
            match (number, value) {
                (1, Value::Number(code)) => self.element = element(code).into(),
                (2, Value::Bytes(shape)) => {
                    let axes = self.axes.get_or_insert_default();
                    each(shape, |number, value| match (number, value) {
                        (1, Value::Bytes(size)) => push(axes, Size::of(size)?, "axes"),
                        _ => Ok(()),
                    })?;
                }
                _ => {}
            }
            Ok(())
        })
    }
}

impl Size {
    /// Of a `TensorShapeProto.Dimension`.
    fn of(message: &[u8]) -> Result<Self> {
        let mut size = Self::Any;
        each(message, |number, value| {
            match (number, value) {
                // Some exporters write 0 or -1 for any size.
                (1, Value::Number(fixed)) if (1..=i64::MAX as u64).contains(&fixed) => {
                    size = Self::Fixed(fixed)
                }
                (2, Value::Bytes(name)) if !name.is_empty() => size = Self::Named(text(name)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(size)
    }
}

/// Every field of a message.
fn each<'a>(mut message: &'a [u8], mut use_it: impl FnMut(u32, Value<'a>) -> Result<()>) -> Result<()> {
    while !message.is_empty() {
        let (number, value) = field(&mut message).ok_or_else(|| {
            Error::new(Status::Model, "the model is damaged: a message of it is no protobuf")
        })?;
        use_it(number, value)?;
    }
    Ok(())
}

fn push<T>(list: &mut Vec<T>, value: T, what: &str) -> Result<()> {
    if list.len() == MAX_LIST {
        return Err(too_many(what, MAX_LIST));
    }
    list.push(value);
    Ok(())
}

fn too_many(what: &str, most: usize) -> Error {
    Error::new(Status::Model, format!("the model has more than {most} {what}"))
}

/// A name. One that is cut or changed would be another one.
fn text(name: &[u8]) -> Result<String> {
    match str::from_utf8(name) {
        Ok(name) if name.len() <= MAX_NAME => Ok(name.to_owned()),
        Ok(_) => {
            let message = format!("the model has a name of {} bytes, {}", name.len(), shown(name));
            Err(Error::new(Status::Model, format!("{message}; valid up to {MAX_NAME}")))
        }
        Err(_) => {
            Err(Error::new(Status::Model, format!("the model has a name that is not UTF-8, {}", shown(name))))
        }
    }
}

/// Name of an element type, `TensorProto.DataType`.
fn element(code: u64) -> &'static str {
    const NAMES: [&str; 17] = [
        "unknown",
        "f32",
        "u8",
        "i8",
        "u16",
        "i16",
        "i32",
        "i64",
        "string",
        "bool",
        "f16",
        "f64",
        "u32",
        "u64",
        "complex64",
        "complex128",
        "bf16",
    ];
    usize::try_from(code).ok().and_then(|code| NAMES.get(code)).unwrap_or(&"unknown")
}

#[cfg(test)]
mod tests {
    use super::super::hostile as onnx;
    use super::*;

    fn dim(parts: &[Vec<u8>]) -> Vec<u8> {
        onnx::message(1, parts)
    }

    fn tensor(field: u32, name: &str, code: u64, dims: &[Vec<u8>]) -> Vec<u8> {
        let tensor = onnx::message(1, &[onnx::number(1, code), onnx::message(2, dims)]);
        onnx::message(field, &[onnx::bytes(1, name), onnx::message(2, &[tensor])])
    }

    #[test]
    fn tensors_are_listed_without_those_that_have_a_value() {
        let graph = [
            tensor(11, "x", 1, &[dim(&[onnx::bytes(2, "batch")]), dim(&[onnx::number(1, 576)]), dim(&[])]),
            tensor(11, "w", 1, &[]),
            tensor(11, "sr", 7, &[]),
            onnx::message(11, &[onnx::bytes(1, "bare")]),
            tensor(12, "y", 2, &[dim(&[onnx::number(1, 3)])]),
            onnx::bytes(5, onnx::external("w", "x.data", 4)),
            onnx::bytes(5, onnx::external("v", "x.data", 4)),
        ];
        let file = [
            onnx::number(1, 8),
            onnx::bytes(2, "me"),
            onnx::message(8, &[onnx::bytes(1, ""), onnx::number(2, 17)]),
            onnx::entry(14, "author", "somebody"),
            onnx::message(7, &graph),
        ];
        let found = Contents::of(&file.concat()).expect("is listed");
        let declared = |name: &str, element: &str, axes: Option<Vec<Size>>| Declared {
            name: name.into(),
            element: element.into(),
            axes,
        };
        assert_eq!(
            found.inputs,
            [
                declared("x", "f32", Some(vec![Size::Named("batch".into()), Size::Fixed(576), Size::Any])),
                declared("sr", "i64", Some(vec![])),
                declared("bare", "unknown", None),
            ]
        );
        assert_eq!(found.outputs, [declared("y", "u8", Some(vec![Size::Fixed(3)]))]);
        assert_eq!((found.ir_version, found.producer.as_str()), (8, "me"));
        assert_eq!(found.opsets, [Opset { domain: String::new(), version: 17 }]);
        assert_eq!(found.metadata, [Metadata { key: "author".into(), bytes: 8 }]);
        assert_eq!(found.weights_in, ["x.data"]);
        assert!(found.refused.is_some_and(|reason| reason.contains("stamp")));
    }

    #[test]
    fn lists_and_names_end() {
        let many = |part: Vec<u8>, count: usize| onnx::message(7, &vec![part; count]);
        for (file, reason) in [
            (many(onnx::value_info(12, "y", &[]), MAX_LIST + 1), "more than 4096 outputs"),
            (many(onnx::value_info(11, "x", &[]), MAX_LIST + 1), "more than 4096 inputs"),
            (onnx::message(7, &[onnx::value_info(11, "x", &[1; MAX_LIST + 1])]), "more than 4096 axes"),
            (onnx::message(7, &[onnx::value_info(11, &"x".repeat(1025), &[])]), "a name of 1025 bytes"),
            (onnx::message(7, &[onnx::message(11, &[onnx::bytes(1, [0xff])])]), "not UTF-8"),
            (onnx::message(7, &[onnx::bytes(12, [0x0a])]), "damaged"),
            (b"PK\x03\x04".to_vec(), "ZIP"),
        ] {
            let error = Contents::of(&file).expect_err(reason);
            assert!(error.message().contains(reason), "{reason}: {error}");
        }
    }
}
