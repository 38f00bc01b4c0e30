//! Lanes in one AVX register, with AVX2 and FMA.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Block, Lanes, Task, has_fours};

/// Rows side by side.
const LANES: usize = 8;
/// Vectors that fit into registers.
pub(super) const REGISTERS: usize = 16;

/// Only [`run`] makes tasks use it, on machines that have AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

/// Runs the task with AVX2. [`super::Isa::Avx2`] must come from [`super::Isa::all`].
pub(super) fn run(task: impl Task) {
    #[target_feature(enable = "avx2,fma")]
    fn with_features(task: impl Task) {
        task.run::<LANES, Avx2, REGISTERS>();
    }
    // SAFETY: `Isa::all` gives `Isa::Avx2` only where AVX2 and FMA were detected.
    unsafe { with_features(task) }
}

/// Bits of √½.
const SQRT_HALF: i32 = 0x3f35_04f3;
const MANTISSA: i32 = 0x007f_ffff;

/// One intrinsic or several.
macro_rules! avx2 {
    ($e:expr) => {
        // SAFETY: these need nothing but AVX2 and FMA, and `Avx2` is used only below `run`, where they were detected.
        // Memory is reached through references to eight f32, or where `has_fours` has looked.
        unsafe { $e }
    };
}

impl Lanes<LANES> for Avx2 {
    #[inline(always)]
    fn load(block: &Block<LANES>) -> Self {
        Self(avx2!(_mm256_loadu_ps(block.as_ptr())))
    }

    #[inline(always)]
    fn store(self, block: &mut Block<LANES>) {
        avx2!(_mm256_storeu_ps(block.as_mut_ptr(), self.0))
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(avx2!(_mm256_set1_ps(x)))
    }

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(avx2!(_mm256_add_ps(self.0, b.0)))
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(avx2!(_mm256_sub_ps(self.0, b.0)))
    }

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(avx2!(_mm256_mul_ps(self.0, b.0)))
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self(avx2!(_mm256_fmadd_ps(self.0, b.0, c.0)))
    }

    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        Self(avx2!(_mm256_fnmadd_ps(self.0, b.0, c.0)))
    }

    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Self(avx2!(_mm256_max_ps(self.0, b.0)))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(avx2!(_mm256_sqrt_ps(self.0)))
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        avx2!({
            let half = _mm256_set1_epi32(SQRT_HALF);
            let above = _mm256_sub_epi32(_mm256_castps_si256(self.0), half);
            let mantissa = _mm256_add_epi32(_mm256_and_si256(above, _mm256_set1_epi32(MANTISSA)), half);
            let exponent = _mm256_cvtepi32_ps(_mm256_srai_epi32::<23>(above));
            (Self(_mm256_castsi256_ps(mantissa)), Self(exponent))
        })
    }

    #[inline(always)]
    fn gather(values: &[f32], stride: usize) -> [Self; 4] {
        assert!(has_fours::<LANES>(values, stride));
        avx2!({
            // Row r and row r + 4 share a register, so that nothing has to cross its halves afterwards.
            let row = |r: usize| _mm_loadu_ps(values.as_ptr().add(r * stride));
            let mut pairs = [_mm256_setzero_ps(); 4];
            for (r, pair) in pairs.iter_mut().enumerate() {
                *pair = _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(row(r)), row(r + 4));
            }
            let [a, b, c, d] = transpose_halves(pairs);
            [Self(a), Self(b), Self(c), Self(d)]
        })
    }

    #[inline(always)]
    fn scatter(columns: [Self; 4], values: &mut [f32], stride: usize) {
        assert!(has_fours::<LANES>(values, stride));
        avx2!({
            let values = values.as_mut_ptr();
            let row = |r: usize| values.add(r * stride);
            let pairs = transpose_halves([columns[0].0, columns[1].0, columns[2].0, columns[3].0]);
            for (r, pair) in pairs.into_iter().enumerate() {
                _mm_storeu_ps(row(r), _mm256_castps256_ps128(pair));
                _mm_storeu_ps(row(r + 4), _mm256_extractf128_ps::<1>(pair));
            }
        });
    }
}

/// Transposes four by four, in both halves of the registers.
#[inline(always)]
fn transpose_halves(r: [__m256; 4]) -> [__m256; 4] {
    avx2!({
        let (p0, p1) = (_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
        let (p2, p3) = (_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
        [
            _mm256_shuffle_ps::<0x44>(p0, p2),
            _mm256_shuffle_ps::<0xee>(p0, p2),
            _mm256_shuffle_ps::<0x44>(p1, p3),
            _mm256_shuffle_ps::<0xee>(p1, p3),
        ]
    })
}
