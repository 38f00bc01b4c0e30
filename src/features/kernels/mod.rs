//! Eight or sixteen rows at a time: lane l of every vector belongs to row l, so that the transform, the filter bank and
//! the logarithm need no shuffles, and a row has the same bits in either width. The loops are written once, over
//! [`Lanes`]; each instruction set has its own type.

mod any_fft;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod fft;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

pub(super) use any_fft::{AnyBuffers, AnyFft};
pub(super) use fft::{Fft, Pair, Source};

/// Rows that the widest instruction set computes side by side.
pub(super) const MAX_LANES: usize = 16;

/// One value for each of `N` lanes, as it lies in memory.
pub(super) type Block<const N: usize> = [f32; N];

/// One complex value for each lane.
pub(super) type Complex<const N: usize> = [Block<N>; 2];

/// A vector register (or two) of `N` lanes.
pub(super) trait Lanes<const N: usize>: Copy {
    fn load(block: &Block<N>) -> Self;
    fn store(self, block: &mut Block<N>);
    fn splat(x: f32) -> Self;
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    /// `self * b + c`
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `c - self * b`
    fn neg_mul_add(self, b: Self, c: Self) -> Self;
    /// The larger one; `b` if `self` is not a number.
    fn max(self, b: Self) -> Self;
    fn sqrt(self) -> Self;
    /// Mantissa in √½..√2 and exponent of normal positive numbers.
    fn split(self) -> (Self, Self);
    /// The first four values of each row, rows being `stride` apart in `values` -> four vectors.
    fn gather(values: &[f32], stride: usize) -> [Self; 4];
    /// Four vectors -> the first four values of each row, rows being `stride` apart in `values`.
    fn scatter(columns: [Self; 4], values: &mut [f32], stride: usize);
}

/// Whether [`Lanes::gather`] and [`Lanes::scatter`] stay inside `values`.
#[inline(always)]
fn has_fours<const N: usize>(values: &[f32], stride: usize) -> bool {
    // A slice is too short for `N` times its length to overflow.
    stride <= values.len() && (N - 1) * stride + 4 <= values.len()
}

/// Natural logarithm of normal positive numbers, to about one unit in the last place.
/// The polynomial is that of Cephes' `logf` (S. Moshier, 1992).
#[inline(always)]
pub(super) fn ln<const N: usize, L: Lanes<N>>(x: L) -> L {
    const SERIES: [f32; 8] = [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    // ln 2 in two parts, the first with few enough bits for its product with an exponent to be exact.
    const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
    let (mantissa, exponent) = x.split();
    let f = mantissa.sub(L::splat(1.0));
    let square = f.mul(f);
    let mut sum = L::splat(7.037_683_6e-2);
    for c in SERIES {
        sum = sum.mul_add(f, L::splat(c));
    }
    let small = exponent.mul_add(L::splat(LN_2.1), sum.mul(f).mul(square));
    let small = square.neg_mul_add(L::splat(0.5), small);
    exponent.mul_add(L::splat(LN_2.0), small.add(f))
}

/// Something that can be done with any kind of lanes.
pub(super) trait Task {
    /// `REGISTERS`: how many vectors the registers hold.
    fn run<const N: usize, L: Lanes<N>, const REGISTERS: usize>(self);
}

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust.
    Portable,
    #[cfg(target_arch = "x86_64")]
    /// AVX-512 F and VL.
    Avx512,
    #[cfg(target_arch = "x86_64")]
    /// AVX2 and FMA.
    Avx2,
    #[cfg(target_arch = "aarch64")]
    /// Advanced SIMD, which every aarch64 machine has.
    Neon,
}

impl Isa {
    /// All that this machine has, the fastest first.
    pub fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let fast = [
            (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl"))
                .then_some(Isa::Avx512),
            (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Isa::Avx2),
        ];
        #[cfg(target_arch = "aarch64")]
        let fast = [Some(Isa::Neon)];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let fast = [None];
        fast.into_iter().flatten().chain([Isa::Portable])
    }

    /// The fastest that this machine has.
    pub(super) fn best() -> Self {
        Self::all().next().unwrap_or(Isa::Portable)
    }

    /// How many vectors its registers hold.
    pub(super) fn registers(self) -> usize {
        match self {
            Isa::Portable => portable::REGISTERS,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512::REGISTERS,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2::REGISTERS,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => neon::REGISTERS,
        }
    }

    /// How many rows it computes at once where `rows` are left.
    pub(super) fn lanes(self, rows: usize) -> usize {
        let widest = match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => 16,
            _ => 8,
        };
        if rows > 8 { widest } else { 8 }
    }

    /// Runs the task on `lanes` rows, a number that [`Isa::lanes`] gave.
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables))]
    pub(super) fn run(self, lanes: usize, task: impl Task) {
        match self {
            Isa::Portable => task.run::<8, portable::Portable, { portable::REGISTERS }>(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2::run(task),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512::run(lanes, task),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => task.run::<8, neon::Neon, { neon::REGISTERS }>(),
        }
    }
}
