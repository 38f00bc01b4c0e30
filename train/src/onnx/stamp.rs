//! A manifest into anyone's ONNX file. Every other byte stays: fields are copied as they are, known or not.

use anyhow::{Context, Result, bail, ensure};
use auricle::manifest::METADATA_KEY;
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint};

use super::edit::MAX_BYTES;
use super::proto::{Model, StringEntry};

/// `ModelProto.metadata_props`.
const METADATA: u32 = 14;

/// The file with `manifest` as its only manifest.
pub fn stamp(onnx: &[u8], manifest: &str) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(onnx.len() + manifest.len() + 64);
    let mut rest = onnx;
    while !rest.is_empty() {
        let (field, after) = next(rest).with_context(|| {
            format!("is damaged, or not an ONNX file: no protobuf field at byte {}", onnx.len() - rest.len())
        })?;
        let whole = &rest[..rest.len() - after.len()];
        if field != Some(METADATA) || entry(whole)?.key != METADATA_KEY {
            out.extend_from_slice(whole);
        }
        rest = after;
    }
    let entry = StringEntry { key: METADATA_KEY.into(), value: manifest.into() };
    // Protobuf adds up what is concatenated: repeated fields are appended.
    Model { metadata_props: vec![entry], ..Model::default() }.encode(&mut out)?;
    ensure!(
        out.len() <= MAX_BYTES,
        "with its manifest the file would have {} bytes; protobuf ends at {MAX_BYTES}: compress the model first",
        out.len()
    );
    Ok(out)
}

/// The number of the first field, if it is one of bytes, and what follows it.
fn next(mut bytes: &[u8]) -> Result<(Option<u32>, &[u8])> {
    let (number, wire) = decode_key(&mut bytes)?;
    let length = match wire {
        WireType::Varint => return decode_varint(&mut bytes).map(|_| (None, bytes)).map_err(Into::into),
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => decode_varint(&mut bytes)?,
        WireType::StartGroup | WireType::EndGroup => bail!("a group"),
    };
    let length = usize::try_from(length).ok().filter(|length| *length <= bytes.len()).context("cut off")?;
    Ok(((wire == WireType::LengthDelimited).then_some(number), &bytes[length..]))
}

/// The metadata entry that the field `whole` holds.
fn entry(whole: &[u8]) -> Result<StringEntry> {
    Ok(Model::decode(whole)?.metadata_props.pop().unwrap_or_default())
}
