//! A manifest into anyone's ONNX file. Every other byte stays: fields are copied as they are, known or not.

use anyhow::{Result, ensure};
use auricle::manifest::METADATA_KEY;
use prost::Message;

use super::edit::MAX_BYTES;
use super::fields::{Field, fields};
use super::proto::{ModelProto, StringStringEntryProto};

/// `ModelProto.metadata_props`.
const METADATA: u32 = 14;
/// Settings of ONNX Runtime, with which the library refuses a model.
pub const SETTINGS_KEY: &str = "ort_config";

/// The file with `manifest` as its only manifest.
pub fn stamp(onnx: &[u8], manifest: &str) -> Result<Vec<u8>> {
    let out = with(onnx, METADATA_KEY, manifest)?;
    ensure!(
        out.len() <= MAX_BYTES,
        "with its manifest the file would have {} bytes; protobuf ends at {MAX_BYTES}: compress the model first",
        out.len()
    );
    Ok(out)
}

/// The file with `value` as the only metadata of `key`.
pub fn with(onnx: &[u8], key: &str, value: &str) -> Result<Vec<u8>> {
    let mut out = without(onnx, key)?;
    let entry = StringStringEntryProto { key: key.into(), value: value.into() };
    // Protobuf adds up what is concatenated: repeated fields are appended.
    ModelProto { metadata_props: vec![entry], ..ModelProto::default() }.encode(&mut out)?;
    Ok(out)
}

/// The file without the metadata of `key`.
pub fn without(onnx: &[u8], key: &str) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(onnx.len());
    for field in fields(onnx) {
        let field = field?;
        if entry(&field)?.is_none_or(|entry| entry.key != key) {
            out.extend_from_slice(field.whole);
        }
    }
    Ok(out)
}

/// The value of the metadata of `key`.
pub fn metadata(onnx: &[u8], key: &str) -> Result<Option<String>> {
    let mut found = None;
    for field in fields(onnx) {
        found = entry(&field?)?.filter(|entry| entry.key == key).map(|entry| entry.value).or(found);
    }
    Ok(found)
}

/// The metadata entry in a field of a model, if it is one.
fn entry(field: &Field<'_>) -> Result<Option<StringStringEntryProto>> {
    let bytes = field.bytes.filter(|_| field.number == METADATA);
    Ok(bytes.map(StringStringEntryProto::decode).transpose()?)
}
