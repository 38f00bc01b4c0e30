//! The elementary stream descriptor of MPEG-4 (ISO 14496-1, 7.2.6), which MP4 and CAF use for AAC and MP3.

use super::fields::Fields;

/// What it says of a stream.
#[derive(Debug, PartialEq)]
pub(super) struct Description<'a> {
    /// The object type: 0x40 is AAC of MPEG-4, 0x6b MP3.
    pub object: u8,
    /// What the decoder must know; an AudioSpecificConfig for AAC.
    pub config: &'a [u8],
}

/// The body of an `esds` box, with its version.
pub(super) fn read(body: &[u8]) -> Option<Description<'_>> {
    let mut fields = Fields::of(body);
    fields.bytes(4)?;
    let (tag, stream) = descriptor(&mut fields)?;
    let mut stream = Fields::of(if tag == 3 { stream } else { return None });
    stream.bytes(2)?;
    let flags = stream.u8()?;
    if flags & 0x80 != 0 {
        stream.bytes(2)?;
    }
    if flags & 0x40 != 0 {
        let size = stream.u8()?;
        stream.bytes(size.into())?;
    }
    if flags & 0x20 != 0 {
        stream.bytes(2)?;
    }
    let (tag, decoder) = descriptor(&mut stream)?;
    let mut decoder = Fields::of(if tag == 4 { decoder } else { return None });
    let object = decoder.u8()?;
    decoder.bytes(12)?;
    let config = match descriptor(&mut decoder) {
        Some((5, config)) => config,
        _ => &[],
    };
    Some(Description { object, config })
}

/// A tag and its body, of which at most what is there.
fn descriptor<'a>(fields: &mut Fields<'a>) -> Option<(u8, &'a [u8])> {
    let tag = fields.u8()?;
    let mut size = 0;
    for _ in 0..4 {
        let byte = fields.u8()?;
        size = size << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((tag, fields.bytes(size.min(fields.left()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_one_and_of_four_bytes() {
        let short = b"\0\0\0\0\x03\x16\0\x01\0\x04\x11\x40\x15\0\0\0\0\0\0\0\0\0\0\0\x05\x02\x12\x10";
        assert_eq!(read(short), Some(Description { object: 0x40, config: &[0x12, 0x10] }));
        let long = b"\0\0\0\0\x03\x80\x80\x80\x1c\0\x01\0\x04\x80\x80\x80\x14\x40\x15\0\0\0\0\0\0\0\0\0\0\0\x05\x80\x80\x80\x02\x12\x10";
        assert_eq!(read(long), Some(Description { object: 0x40, config: &[0x12, 0x10] }));
        assert_eq!(read(&short[..9]), None);
    }
}
