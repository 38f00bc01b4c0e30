//! SAMPLE FORMATS

use crate::pcm::Format;

/// Sample format: unsigned 8 bit, 128 is silence.
pub const AURICLE_U8: i32 = 1;
/// Sample format: signed 16 bit.
pub const AURICLE_I16: i32 = 2;
/// Sample format: signed 24 bit, packed into 3 bytes, little-endian.
pub const AURICLE_I24: i32 = 3;
/// Sample format: signed 32 bit.
pub const AURICLE_I32: i32 = 4;
/// Sample format: float, full scale 1.0.
pub const AURICLE_F32: i32 = 5;
/// Sample format: double, full scale 1.0.
pub const AURICLE_F64: i32 = 6;

const _: () = assert!(
    AURICLE_U8 == Format::U8 as i32
        && AURICLE_I16 == Format::I16 as i32
        && AURICLE_I24 == Format::I24 as i32
        && AURICLE_I32 == Format::I32 as i32
        && AURICLE_F32 == Format::F32 as i32
        && AURICLE_F64 == Format::F64 as i32
);
