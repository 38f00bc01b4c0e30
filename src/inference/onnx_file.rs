//! What is looked for in the bytes of an ONNX file before ONNX Runtime sees them: weights that lie in other files,
//! networks compiled for a device, settings of the session. And what a file is that is not ONNX.
//!
//! An ONNX file is one protobuf message, `ModelProto` (field numbers: onnx.proto3 of ONNX 1.23). Protobuf merges fields
//! that occur twice and lets the last number win, so every occurrence is looked at; what protobuf would read as damaged,
//! or only with good will (groups, field numbers and lengths beyond their range), is refused.

#[cfg(test)]
mod tests;

use crate::error::{Error, Result, Status};

/// Protobuf, and so an ONNX file, ends here.
pub(crate) const MAX_BYTES: usize = (1 << 31) - 1;
/// Messages within messages that protobuf's parsers follow.
const MAX_DEPTH: usize = 100;
/// Metadata from which ONNX Runtime takes settings of the session if `ORT_LOAD_CONFIG_FROM_MODEL` is 1 in the
/// environment: threads, and profiling, which writes a file.
const SETTINGS_KEY: &[u8] = b"ort_config";
/// Operator whose network was compiled for one device. Providers read it, and what belongs to it, from other files.
const COMPILED: &[u8] = b"EPContext";
/// Characters of a name that a message shows.
const MAX_SHOWN: usize = 120;

/// Whether ONNX Runtime may see the bytes: ONNX that depends on nothing outside the file. Gives how many bytes the values
/// of all tensors in it take, in the element types that they have there.
pub(crate) fn check(onnx: &[u8]) -> Result<u64> {
    match look(onnx)? {
        Ok(weights) => Ok(weights),
        Err(reason) => Err(Error::new(Status::Model, format!("the model {reason}"))),
    }
}

/// Why ONNX Runtime may not see the bytes, though they are ONNX. What is not ONNX at all is an error.
pub(super) fn refusal(onnx: &[u8]) -> Result<Option<String>> {
    look(onnx).map(|found| found.err())
}

/// What the tensors take, or why ONNX Runtime may not see them.
fn look(onnx: &[u8]) -> Result<std::result::Result<u64, String>> {
    if onnx.len() > MAX_BYTES {
        let message = format!("the model has {} bytes; an ONNX file has at most {MAX_BYTES}", onnx.len());
        return Err(Error::new(Status::Model, message));
    }
    let found = match onnx.get(4..8) {
        Some(b"ORTM") => Err(Problem::NotOnnx(
            "is in ONNX Runtime's own format (.ort), which is not read; give the ONNX file that it was made from"
                .into(),
        )),
        _ => walk(onnx),
    };
    match found {
        Ok(weights) => Ok(Ok(weights)),
        Err(Problem::Refused(reason)) => Ok(Err(reason)),
        Err(Problem::NotOnnx(reason)) => {
            let reason = other_format(onnx).map_or(reason, str::to_owned);
            Err(Error::new(Status::Model, format!("the model {reason}")))
        }
    }
}

enum Problem {
    /// It is damaged or something else.
    NotOnnx(String),
    /// It is ONNX, and holds what it may not.
    Refused(String),
}

/// Messages of the schema on the way to what is looked for.
#[derive(Clone, Copy, PartialEq)]
enum Message {
    Model,
    Metadata,
    Training,
    Function,
    Graph,
    Node,
    Attribute,
    Sparse,
    Tensor,
}

impl Message {
    /// The message in its field `number`, if it is one of these.
    fn inside(self, number: u32) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, 7) | (Self::Training, 1 | 2) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 14) => Self::Metadata,
            (Self::Model, 20) => Self::Training,
            (Self::Model, 25) => Self::Function,
            (Self::Function, 7) | (Self::Graph, 1) => Self::Node,
            (Self::Function, 11) | (Self::Node, 5) => Self::Attribute,
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::Sparse,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::Sparse, 1 | 2) => Self::Tensor,
            _ => return None,
        })
    }

    /// What is refused about its field, if anything.
    fn refuses(self, number: u32, value: &Value<'_>, message: &[u8]) -> Option<String> {
        match (self, number, value) {
            // external_data; data_location, of which 0 alone means that the values are in the file.
            (Self::Tensor, 13, Value::Bytes(_)) => Some(elsewhere(message)),
            (Self::Tensor, 14, Value::Number(location)) if *location != 0 => Some(elsewhere(message)),
            (Self::Node, 4, Value::Bytes(COMPILED)) => Some(format!(
                "holds a network that was compiled for one device (node {}, EPContext), parts of which can lie in \
                 other files; give the ONNX file that it was made from",
                shown(last(message, 3).unwrap_or_default())
            )),
            (Self::Metadata, 1, Value::Bytes(SETTINGS_KEY)) => Some(
                "has settings of ONNX Runtime in its metadata (\"ort_config\"), which a model may not choose; \
                 `auricle-train stamp MODEL.onnx` takes them out"
                    .into(),
            ),
            _ => None,
        }
    }
}

/// Every message on the way to what is looked for, without recursion: a hostile file must not use up the stack. Gives what
/// the tensors take.
fn walk(onnx: &[u8]) -> std::result::Result<u64, Problem> {
    let (mut graphs, mut weights) = (0, 0_u64);
    let mut open = [(Message::Model, onnx, onnx); MAX_DEPTH];
    let mut depth = 0;
    loop {
        let (message, whole, rest) = &mut open[depth];
        if rest.is_empty() {
            if depth == 0 {
                break;
            }
            depth -= 1;
            continue;
        }
        let at = onnx.len() - (onnx.as_ptr_range().end as usize - rest.as_ptr() as usize);
        let (number, value) = field(rest).ok_or_else(|| {
            Problem::NotOnnx(format!("is damaged, or not an ONNX file: no protobuf field at byte {at}"))
        })?;
        if let Some(reason) = message.refuses(number, &value, whole) {
            return Err(Problem::Refused(reason));
        }
        let Value::Bytes(bytes) = value else { continue };
        let Some(inside) = message.inside(number) else { continue };
        graphs += usize::from((*message, number) == (Message::Model, 7));
        if inside == Message::Tensor {
            weights = weights.saturating_add(tensor_bytes(bytes));
        }
        depth += 1;
        if depth == MAX_DEPTH {
            let message = format!("has more than {MAX_DEPTH} messages within messages at byte {at}");
            return Err(Problem::NotOnnx(message));
        }
        open[depth] = (inside, bytes, bytes);
    }
    match graphs {
        0 => Err(Problem::NotOnnx("holds no graph: it is not an ONNX file".into())),
        _ => Ok(weights),
    }
}

/// What the values of a tensor take by its sizes and its element type (`TensorProto.DataType`); those of strings are not
/// counted.
fn tensor_bytes(mut tensor: &[u8]) -> u64 {
    let (mut elements, mut bits) = (1_u64, 0);
    while let Some((number, value)) = field(&mut tensor) {
        match (number, value) {
            (1, Value::Number(size)) => elements = elements.saturating_mul(size),
            (1, Value::Bytes(mut sizes)) => {
                while let Some(size) = varint(&mut sizes) {
                    elements = elements.saturating_mul(size);
                }
            }
            (2, Value::Number(element)) => {
                bits = match element {
                    25 | 26 => 2,                  // uint2, int2
                    21..=23 => 4,                  // uint4, int4, float4e2m1
                    2 | 3 | 9 | 17..=20 | 24 => 8, // uint8, int8, bool, float8
                    4 | 5 | 10 | 16 => 16,         // uint16, int16, float16, bfloat16
                    1 | 6 | 12 => 32,              // float, int32, uint32
                    7 | 11 | 13 | 14 => 64,        // int64, double, uint64, complex64
                    15 => 128,                     // complex128
                    _ => 0,
                }
            }
            _ => {}
        }
    }
    elements.saturating_mul(bits).div_ceil(8)
}

pub(super) enum Value<'a> {
    /// Of a varint.
    Number(u64),
    Bytes(&'a [u8]),
    /// 4 or 8 bytes, which nothing that is looked for has.
    Fixed,
}

/// The field at the start of `rest`, which becomes what follows it. `None` for what is none.
pub(super) fn field<'a>(rest: &mut &'a [u8]) -> Option<(u32, Value<'a>)> {
    let key = u32::try_from(varint(rest)?).ok()?;
    let value = match key & 7 {
        0 => Value::Number(varint(rest)?),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Value::Bytes(rest.split_off(..length)?)
        }
        1 => rest.split_off(..8).map(|_| Value::Fixed)?,
        5 => rest.split_off(..4).map(|_| Value::Fixed)?,
        _ => return None, // groups, which ONNX has not, and what protobuf has not
    };
    (key >> 3 != 0).then_some((key >> 3, value))
}

/// Up to 10 bytes, of which protobuf does not ask that they be as few as possible.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let byte = *rest.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// The bytes in field `number` of a message, of which the last occurrence counts.
pub(super) fn last(mut message: &[u8], number: u32) -> Option<&[u8]> {
    let mut found = None;
    while let Some((at, value)) = field(&mut message) {
        if let (Value::Bytes(bytes), true) = (value, at == number) {
            found = Some(bytes);
        }
    }
    found
}

/// What is said of a tensor whose values are not in the file.
fn elsewhere(tensor: &[u8]) -> String {
    let (mut location, mut rest) = (None, tensor);
    while let Some((number, value)) = field(&mut rest) {
        match value {
            Value::Bytes(entry) if number == 13 && last(entry, 1) == Some(b"location") => {
                location = last(entry, 2);
            }
            _ => {}
        }
    }
    let file = location.map_or_else(|| "which it does not name".into(), shown);
    format!(
        "keeps the values of tensor {} in another file, {file}, and a model reads no other file; \
         `auricle-train stamp MODEL.onnx` merges them into one",
        shown(last(tensor, 8).unwrap_or_default())
    )
}

/// A name that a file gives, in quotes, with everything escaped that is not plain text.
pub(super) fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(&name[..name.len().min(4 * MAX_SHOWN)]);
    let mut short: String = name.chars().take(MAX_SHOWN).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// What the bytes are, if they are of a kind that is given for an ONNX file at times.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let start = &bytes[..bytes.len().min(256)];
    let is_text = || {
        let plain = |text: &str| !text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace());
        match str::from_utf8(start) {
            Ok(text) => plain(text),
            Err(cut) => {
                cut.error_len().is_none() && start.len() == 256 && plain(&String::from_utf8_lossy(start))
            }
        }
    };
    let safetensors = || {
        let (length, json) = bytes.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        json.get(..length).map(|json| json.starts_with(b"{"))
    };
    Some(match bytes {
        [] => "is empty (0 bytes)",
        _ if starts(b"PK\x03\x04") => {
            "is a ZIP archive, such as a PyTorch checkpoint; export the network to ONNX (torch.onnx.export)"
        }
        [0x80, 2..=5, ..] => {
            "is a Python pickle, such as a PyTorch checkpoint; export the network to ONNX (torch.onnx.export)"
        }
        _ if bytes.get(4..8) == Some(b"TFL3") => {
            "is a TensorFlow Lite model; convert it to ONNX (python -m tf2onnx.convert --tflite)"
        }
        _ if starts(b"\x89HDF\r\n\x1a\n") => {
            "is an HDF5 file, such as a Keras model; convert it to ONNX (tf2onnx)"
        }
        _ if starts(b"GGUF") => "is a GGUF file; Auricle reads ONNX",
        _ if starts(b"\x1f\x8b") => "is compressed with gzip; unpack it",
        _ if safetensors() == Some(true) => {
            "is a safetensors file: weights without a network; export the network to ONNX"
        }
        _ if start.windows(7).any(|part| part == b"git-lfs") && is_text() => {
            "is a pointer of Git LFS in the place of the file; `git lfs pull` fetches it"
        }
        _ if is_text() => "is a text file; Auricle reads ONNX in its binary form",
        _ => return None,
    })
}
