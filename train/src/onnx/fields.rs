//! A protobuf message field by field, each with its own bytes, so that what is not changed can be copied as it is.

use anyhow::{Context, Result, bail};
use prost::encoding::{WireType, decode_key, decode_varint};

/// A field of a message.
pub struct Field<'a> {
    pub number: u32,
    /// With its number and, where it has one, its length.
    pub whole: &'a [u8],
    /// What it holds, if that is bytes: a message, a string, packed numbers.
    pub bytes: Option<&'a [u8]>,
}

/// The fields of `message`, in order.
pub fn fields(message: &[u8]) -> impl Iterator<Item = Result<Field<'_>>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        let place = message.len() - rest.len();
        let field = (!rest.is_empty()).then(|| next(&mut rest))?;
        rest = if field.is_err() { &[] } else { rest };
        Some(field.with_context(|| {
            format!("is damaged, or not an ONNX file: no protobuf field at byte {place} of its message")
        }))
    })
}

/// Takes a field off the start of `rest`.
fn next<'a>(rest: &mut &'a [u8]) -> Result<Field<'a>> {
    let start = *rest;
    let (number, wire) = decode_key(rest)?;
    let length = match wire {
        WireType::Varint => decode_varint(rest).map(|_| 0)?,
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => decode_varint(rest)?,
        WireType::StartGroup | WireType::EndGroup => bail!("a group"),
    };
    let length = usize::try_from(length).ok().filter(|length| *length <= rest.len()).context("cut off")?;
    let (content, after) = rest.split_at(length);
    *rest = after;
    let whole = &start[..start.len() - after.len()];
    Ok(Field { number, whole, bytes: (wire == WireType::LengthDelimited).then_some(content) })
}
