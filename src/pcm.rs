//! Sample formats.

/// Format of a PCM sample. The numbers are those of the C API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Format {
    /// Unsigned, 128 is silence.
    U8 = 1,
    /// Signed 16 bit.
    I16 = 2,
    /// Signed 24 bit, packed in 3 bytes, little-endian.
    I24 = 3,
    /// Signed 32 bit.
    I32 = 4,
    /// Full scale 1.0.
    F32 = 5,
    /// Full scale 1.0.
    F64 = 6,
}

impl Format {
    /// Bytes of one sample.
    pub fn bytes(self) -> usize {
        match self {
            Format::U8 => 1,
            Format::I16 => 2,
            Format::I24 => 3,
            Format::I32 | Format::F32 => 4,
            Format::F64 => 8,
        }
    }
}

impl TryFrom<i32> for Format {
    type Error = crate::Error;
    fn try_from(number: i32) -> crate::Result<Self> {
        Ok(match number {
            1 => Format::U8,
            2 => Format::I16,
            3 => Format::I24,
            4 => Format::I32,
            5 => Format::F32,
            6 => Format::F64,
            _ => return Err(crate::Error::argument(format!("format is {number}; valid 1..=6 (AURICLE_U8..AURICLE_F64)"))),
        })
    }
}
