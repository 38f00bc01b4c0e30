//! Element types of tensors, and numbers in and out of them.

use std::fmt;

use half::f16;
use ort::memory::Allocator;
use ort::value::{DynTensor, TensorElementType};
use serde::{Deserialize, Serialize};

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "their names say what they are")]
pub enum Dtype {
    #[default]
    F32,
    F16,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TensorElementType::from(*self).fmt(f)
    }
}

impl From<Dtype> for TensorElementType {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F32 => Self::Float32,
            Dtype::F16 => Self::Float16,
            Dtype::F64 => Self::Float64,
            Dtype::I8 => Self::Int8,
            Dtype::I16 => Self::Int16,
            Dtype::I32 => Self::Int32,
            Dtype::I64 => Self::Int64,
            Dtype::U8 => Self::Uint8,
            Dtype::U16 => Self::Uint16,
            Dtype::U32 => Self::Uint32,
            Dtype::U64 => Self::Uint64,
            Dtype::Bool => Self::Bool,
        }
    }
}

impl Dtype {
    const ALL: [Self; 12] = [
        Self::F32,
        Self::F16,
        Self::F64,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::Bool,
    ];

    /// None for strings, complex numbers and the like.
    pub(super) fn of(element: TensorElementType) -> Option<Self> {
        Self::ALL.into_iter().find(|&dtype| TensorElementType::from(dtype) == element)
    }

    /// Whether it holds this number: of floats, near enough.
    pub(crate) fn holds(self, value: f64) -> bool {
        match (self.integers(), self) {
            (Some((min, max)), _) => value.fract() == 0.0 && (min..=max).contains(&value),
            (None, Self::F16) => f16::from_f64(value).is_finite(),
            (None, Self::F32) => (value as f32).is_finite(),
            (None, _) => value.is_finite(),
        }
    }

    /// Whether it holds all whole numbers from 0 to `max` exactly.
    pub(crate) fn counts_to(self, max: usize) -> bool {
        match self {
            Self::F16 => max <= 1 << 11,
            Self::F32 => max <= 1 << 24,
            _ => self.holds(max as f64),
        }
    }

    /// What whole numbers it holds; `None` for floats.
    pub(crate) fn integers(self) -> Option<(f64, f64)> {
        Some(match self {
            Self::F32 | Self::F16 | Self::F64 => return None,
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::I16 => (i16::MIN.into(), i16::MAX.into()),
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U8 => (0.0, u8::MAX.into()),
            Self::U16 => (0.0, u16::MAX.into()),
            Self::U32 => (0.0, u32::MAX.into()),
            // JSON's numbers are read as 64-bit floats, which hold every integer up to here.
            Self::I64 => (-MAX_EXACT, MAX_EXACT),
            Self::U64 => (0.0, MAX_EXACT),
            Self::Bool => (0.0, 1.0),
        })
    }
}

/// 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A number as a tensor holds it.
trait Number: Copy {
    /// The nearest number, halves to the even one; the lowest or highest where it does not reach so far.
    fn of(value: f64) -> Self;
    fn value(self) -> f32;
}

macro_rules! number {
    ($($type:ty: $of:expr, $value:expr;)*) => {$(
        impl Number for $type {
            fn of(value: f64) -> Self {
                let of: fn(f64) -> Self = $of;
                of(value)
            }
            fn value(self) -> f32 {
                let value: fn(Self) -> f32 = $value;
                value(self)
            }
        }
    )*};
}

number! {
    f32: |v| v as f32, |n| n;
    f16: f16::from_f64, |n| n.to_f32();
    f64: |v| v, |n| n as f32;
    i8: |v| v.round_ties_even() as i8, |n| n.into();
    i16: |v| v.round_ties_even() as i16, |n| n.into();
    i32: |v| v.round_ties_even() as i32, |n| n as f32;
    i64: |v| v.round_ties_even() as i64, |n| n as f32;
    u8: |v| v.round_ties_even() as u8, |n| n.into();
    u16: |v| v.round_ties_even() as u16, |n| n.into();
    u32: |v| v.round_ties_even() as u32, |n| n as f32;
    u64: |v| v.round_ties_even() as u64, |n| n as f32;
    bool: |v| v != 0.0, |n| f32::from(u8::from(n));
}

/// `$body` with `$type` standing for the elements of `$tensor`.
macro_rules! with_type {
    ($tensor:expr, $type:ident => $body:expr) => {
        match Dtype::of(*$tensor.data_type()).expect("a tensor is made for a dtype") {
            Dtype::F32 => with_type!(@ f32, $type, $body),
            Dtype::F16 => with_type!(@ f16, $type, $body),
            Dtype::F64 => with_type!(@ f64, $type, $body),
            Dtype::I8 => with_type!(@ i8, $type, $body),
            Dtype::I16 => with_type!(@ i16, $type, $body),
            Dtype::I32 => with_type!(@ i32, $type, $body),
            Dtype::I64 => with_type!(@ i64, $type, $body),
            Dtype::U8 => with_type!(@ u8, $type, $body),
            Dtype::U16 => with_type!(@ u16, $type, $body),
            Dtype::U32 => with_type!(@ u32, $type, $body),
            Dtype::U64 => with_type!(@ u64, $type, $body),
            Dtype::Bool => with_type!(@ bool, $type, $body),
        }
    };
    (@ $concrete:ty, $type:ident, $body:expr) => {{
        type $type = $concrete;
        $body
    }};
}

const OWN: &str = "the tensor is in our memory, and of the type that it says";

/// Tensors of zeros, of these types and shapes.
pub(super) fn zeros(tensors: &[(Dtype, Vec<i64>)]) -> ort::Result<Vec<DynTensor>> {
    let allocator = Allocator::default();
    let zeros = |(dtype, shape): &(Dtype, Vec<i64>)| DynTensor::new(&allocator, (*dtype).into(), &shape[..]);
    tensors.iter().map(zeros).collect()
}

/// Writes `values` in the order of memory, as far as they and the tensor go.
pub(crate) fn write(tensor: &mut DynTensor, values: impl Iterator<Item = f64>) {
    with_type!(tensor, T => {
        let (_, elements) = tensor.try_extract_tensor_mut::<T>().expect(OWN);
        elements.iter_mut().zip(values).for_each(|(element, value)| *element = T::of(value));
    });
}

/// Writes the elements from `first` on as 32-bit floats, in the order of memory, as far as they and `out` go.
pub(crate) fn read(tensor: &DynTensor, first: usize, out: &mut [f32]) {
    with_type!(tensor, T => {
        let (_, elements) = tensor.try_extract_tensor::<T>().expect(OWN);
        out.iter_mut().zip(&elements[first.min(elements.len())..]).for_each(|(value, element)| *value = element.value());
    });
}

/// Zeros everywhere.
pub(super) fn clear(tensor: &mut DynTensor) {
    with_type!(tensor, T => tensor.try_extract_tensor_mut::<T>().expect(OWN).1.fill(T::default()));
}

/// Whether two tensors of one type hold the same bits.
pub(super) fn alike(a: &DynTensor, b: &DynTensor) -> bool {
    with_type!(a, T => {
        let (a, b) = (a.try_extract_tensor::<T>().expect(OWN).1, b.try_extract_tensor::<T>().expect(OWN).1);
        bytemuck::cast_slice::<T, u8>(a) == bytemuck::cast_slice::<T, u8>(b)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_type_holds() {
        for (dtype, held, not) in [
            (Dtype::I64, &[-16_000.0, 9_007_199_254_740_992.0][..], &[0.5, 1e16][..]),
            (Dtype::U8, &[0.0, 255.0], &[-1.0, 256.0]),
            (Dtype::Bool, &[0.0, 1.0], &[2.0]),
            (Dtype::F16, &[0.1, 65_504.0], &[70_000.0]),
            (Dtype::F32, &[0.1, 1e38], &[1e39]),
            (Dtype::F64, &[1e300], &[f64::INFINITY]),
        ] {
            assert!(held.iter().all(|&value| dtype.holds(value)), "{dtype}");
            assert!(not.iter().all(|&value| !dtype.holds(value)), "{dtype}");
        }
        let counts = |max| Dtype::ALL.into_iter().filter(|dtype| dtype.counts_to(max)).count();
        assert_eq!((counts(1), counts(2_049), counts(1 << 24)), (12, 8, 6));
    }
}
