//! A model whose weights lie in files beside it, as PyTorch 2.9 and later write it, in one piece.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use super::edit::MAX_BYTES;
use super::fields::fields;
use super::proto::{EXTERNAL, TensorProto, data_type};

/// `TensorProto.raw_data`, `.external_data` and `.data_location`.
const RAW_DATA: u32 = 9;
const EXTERNAL_DATA: u32 = 13;
const DATA_LOCATION: u32 = 14;
/// Messages within messages that protobuf's parsers follow.
const MAX_DEPTH: usize = 100;

/// The file with the values of every tensor in it that says that they lie in other files of `folder`, and the names of
/// those files. Every other byte stays. `None`: it is in one piece already.
pub fn merge(onnx: &[u8], folder: &Path) -> Result<Option<(Vec<u8>, Vec<String>)>> {
    let merger = Merger { folder, files: RefCell::default() };
    let Some(size) = merger.size(Message::Model, onnx, 0)? else { return Ok(None) };
    ensure!(
        size <= MAX_BYTES,
        "in one piece the file would have {size} bytes; an ONNX file ends at {MAX_BYTES} (protobuf's limit)"
    );
    let mut out = Vec::new();
    out.try_reserve_exact(size).with_context(|| format!("there is no memory for {size} bytes"))?;
    merger.write(Message::Model, onnx, &mut out)?;
    ensure!(out.len() == size, "the files beside it changed meanwhile");
    Ok(Some((out, merger.files.into_inner().into_keys().collect())))
}

/// Messages of the schema on the way to a tensor.
#[derive(Clone, Copy, PartialEq)]
enum Message {
    Model,
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
            (Self::Model, 20) => Self::Training,
            (Self::Model, 25) => Self::Function,
            (Self::Function, 7) | (Self::Graph, 1) => Self::Node,
            (Self::Function, 11) | (Self::Node, 5) => Self::Attribute,
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::Sparse,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::Sparse, 1 | 2) => Self::Tensor,
            _ => return None,
        })
    }
}

struct Merger<'a> {
    folder: &'a Path,
    /// The files that were named, with their real paths and sizes.
    files: RefCell<BTreeMap<String, (PathBuf, u64)>>,
}

/// Values that lie in another file.
struct Values {
    file: PathBuf,
    offset: u64,
    length: u64,
}

impl Merger<'_> {
    /// The size that the message will have; `None` if it stays as it is.
    fn size(&self, message: Message, bytes: &[u8], depth: usize) -> Result<Option<usize>> {
        ensure!(depth < MAX_DEPTH, "has more than {MAX_DEPTH} messages within messages");
        if message == Message::Tensor {
            return self.tensor_size(bytes);
        }
        let (mut size, mut changed) = (0, false);
        for field in fields(bytes) {
            let field = field?;
            let inside = message.inside(field.number).zip(field.bytes);
            let new =
                inside.map(|(inside, bytes)| self.size(inside, bytes, depth + 1)).transpose()?.flatten();
            changed |= new.is_some();
            size += new.map_or(field.whole.len(), |new| with_key(field.number, new));
        }
        Ok(changed.then_some(size))
    }

    fn tensor_size(&self, bytes: &[u8]) -> Result<Option<usize>> {
        let (mut size, mut changed) = (0, false);
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                EXTERNAL_DATA => changed = true,
                // Alone, it is a tensor that says nothing else.
                DATA_LOCATION => changed |= TensorProto::decode(field.whole)?.data_location != Some(0),
                _ => size += field.whole.len(),
            }
        }
        if !changed {
            return Ok(None);
        }
        let values = self.values(bytes)?;
        Ok(Some(size + values.map_or(0, |values| with_key(RAW_DATA, values.length as usize))))
    }

    fn write(&self, message: Message, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        for field in fields(bytes) {
            let field = field?;
            if message == Message::Tensor && [EXTERNAL_DATA, DATA_LOCATION].contains(&field.number) {
                continue;
            }
            let inside = message.inside(field.number).zip(field.bytes);
            let new = inside.map(|(inside, bytes)| self.size(inside, bytes, 0)).transpose()?.flatten();
            match (inside, new) {
                (Some((inside, bytes)), Some(size)) => {
                    encode_key(field.number, WireType::LengthDelimited, out);
                    encode_varint(size as u64, out);
                    self.write_changed(inside, bytes, out)?;
                }
                _ => out.extend_from_slice(field.whole),
            }
        }
        Ok(())
    }

    fn write_changed(&self, message: Message, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.write(message, bytes, out)?;
        let values = if message == Message::Tensor { self.values(bytes)? } else { None };
        if let Some(Values { file, offset, length }) = values {
            encode_key(RAW_DATA, WireType::LengthDelimited, out);
            encode_varint(length, out);
            let mut opened = File::open(&file).with_context(|| file.display().to_string())?;
            opened.seek(SeekFrom::Start(offset))?;
            let read = opened.take(length).read_to_end(out).with_context(|| file.display().to_string())?;
            ensure!(read as u64 == length, "{}: became shorter while it was read", file.display());
        }
        Ok(())
    }

    /// Where the values of a tensor lie, if that is another file.
    fn values(&self, tensor: &[u8]) -> Result<Option<Values>> {
        let tensor = TensorProto::decode(tensor).context("is damaged, or not an ONNX file")?;
        if tensor.data_location != Some(EXTERNAL) {
            return Ok(None);
        }
        let entry = |key: &str| tensor.external_data.iter().rev().find(|entry| entry.key == key);
        let number = |key: &str| -> Result<Option<u64>> {
            let parse = |text: &str| text.parse().with_context(|| format!("{key} {text:?} is no number"));
            entry(key).map(|entry| parse(&entry.value)).transpose()
        };
        let found = (|| {
            let location = &entry("location").context("no file is named")?.value;
            let (file, size) = self.file(location)?;
            let offset = number("offset")?.unwrap_or(0);
            let rest = size.checked_sub(offset);
            let (given, needed) = (number("length")?, bytes_of(&tensor)?);
            let length = given.or(needed).or(rest).unwrap_or(0);
            ensure!(
                needed.is_none_or(|needed| needed == length),
                "{length} bytes are said to be its values; its shape {:?} needs {}",
                tensor.dims,
                needed.unwrap_or(0)
            );
            ensure!(
                rest.is_some_and(|rest| length <= rest),
                "bytes {offset} to {} of {location:?} are said to be its values; that file has {size}",
                u128::from(offset) + u128::from(length)
            );
            Ok(Values { file, offset, length })
        })();
        found.map(Some).with_context(|| format!("tensor {:?}, whose values lie in another file", tensor.name))
    }

    /// The file `location` of the folder, and its size. A model comes from anyone: it names files of its own folder, or
    /// none.
    fn file(&self, location: &str) -> Result<(PathBuf, u64)> {
        if let Some(known) = self.files.borrow().get(location) {
            return Ok(known.clone());
        }
        let below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        let path = Path::new(location);
        ensure!(
            !location.is_empty() && path.components().all(below),
            "{location:?} is not a file of the model's folder"
        );
        let path = self.folder.join(path);
        let real = path.canonicalize().with_context(|| path.display().to_string())?;
        let folder = self.folder.canonicalize().with_context(|| self.folder.display().to_string())?;
        ensure!(
            real.starts_with(&folder),
            "{location:?} is a link to {}, outside the model's folder {}; copy the file there",
            real.display(),
            folder.display()
        );
        let metadata = real.metadata().with_context(|| path.display().to_string())?;
        ensure!(metadata.is_file(), "{}: is not a file", path.display());
        self.files.borrow_mut().insert(location.to_owned(), (real.clone(), metadata.len()));
        Ok((real, metadata.len()))
    }
}

/// Bytes that the values of a tensor take, if its element type is known.
fn bytes_of(tensor: &TensorProto) -> Result<Option<u64>> {
    // `TensorProto.DataType` of ONNX 1.23.
    let bits = match tensor.data_type.unwrap_or(0) {
        25 | 26 => 2,
        21..=23 => 4,
        data_type::UINT8 | data_type::INT8 | 9 | 17..=20 | 24 => 8,
        4 | 5 | 10 | 16 => 16,
        data_type::FLOAT | data_type::INT32 | 12 => 32,
        data_type::INT64 | 11 | 13 | 14 => 64,
        15 => 128,
        8 => bail!("strings cannot lie in another file"),
        _ => return Ok(None),
    };
    let elements = tensor.dims.iter().try_fold(1_u64, |product, &size| {
        u64::try_from(size).ok().and_then(|size| product.checked_mul(size))
    });
    let bits = elements.and_then(|elements| elements.checked_mul(bits));
    bits.map(|bits| Some(bits.div_ceil(8))).with_context(|| format!("its shape is {:?}", tensor.dims))
}

fn with_key(number: u32, length: usize) -> usize {
    key_len(number) + encoded_len_varint(length as u64) + length
}
