//! Lanes in one AVX register, with AVX2 and FMA.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Block, LANES, Lanes, Task};

/// Only [`run`] makes tasks use it, on machines that have AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

/// Runs the task with AVX2. [`super::Engine::Avx2`] must come from [`super::Engine::all`].
pub(super) fn run(task: impl Task) {
    #[target_feature(enable = "avx2,fma")]
    fn with_features(task: impl Task) {
        task.run::<Avx2>();
    }
    // SAFETY: `Engine::all` gives `Engine::Avx2` only where AVX2 and FMA were detected.
    unsafe { with_features(task) }
}

/// Bits of √½.
const SQRT_HALF: i32 = 0x3f35_04f3;
const MANTISSA: i32 = 0x007f_ffff;

/// One intrinsic or several.
macro_rules! avx2 {
    ($e:expr) => {
        // SAFETY: these need nothing but AVX2 and FMA, and `Avx2` is used only below `run`, where they were detected.
        // Memory is reached through references to eight f32; `Block` is aligned to 32 bytes.
        unsafe { $e }
    };
}

impl Lanes for Avx2 {
    #[inline(always)]
    fn load(block: &Block) -> Self {
        Self(avx2!(_mm256_load_ps(block.0.as_ptr())))
    }

    #[inline(always)]
    fn store(self, block: &mut Block) {
        avx2!(_mm256_store_ps(block.0.as_mut_ptr(), self.0))
    }

    #[inline(always)]
    fn read(values: &[f32; LANES]) -> Self {
        Self(avx2!(_mm256_loadu_ps(values.as_ptr())))
    }

    #[inline(always)]
    fn write(self, values: &mut [f32; LANES]) {
        avx2!(_mm256_storeu_ps(values.as_mut_ptr(), self.0))
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
    fn transpose(r: [Self; LANES]) -> [Self; LANES] {
        avx2!({
            // Pairs of rows, then fours, within each half of the register; then the halves.
            let low = |a: Self, b: Self| _mm256_unpacklo_ps(a.0, b.0);
            let high = |a: Self, b: Self| _mm256_unpackhi_ps(a.0, b.0);
            let (p0, p1) = (low(r[0], r[1]), high(r[0], r[1]));
            let (p2, p3) = (low(r[2], r[3]), high(r[2], r[3]));
            let (p4, p5) = (low(r[4], r[5]), high(r[4], r[5]));
            let (p6, p7) = (low(r[6], r[7]), high(r[6], r[7]));
            let (q0, q1) = (_mm256_shuffle_ps::<0x44>(p0, p2), _mm256_shuffle_ps::<0xee>(p0, p2));
            let (q2, q3) = (_mm256_shuffle_ps::<0x44>(p1, p3), _mm256_shuffle_ps::<0xee>(p1, p3));
            let (q4, q5) = (_mm256_shuffle_ps::<0x44>(p4, p6), _mm256_shuffle_ps::<0xee>(p4, p6));
            let (q6, q7) = (_mm256_shuffle_ps::<0x44>(p5, p7), _mm256_shuffle_ps::<0xee>(p5, p7));
            [
                Self(_mm256_permute2f128_ps::<0x20>(q0, q4)),
                Self(_mm256_permute2f128_ps::<0x20>(q1, q5)),
                Self(_mm256_permute2f128_ps::<0x20>(q2, q6)),
                Self(_mm256_permute2f128_ps::<0x20>(q3, q7)),
                Self(_mm256_permute2f128_ps::<0x31>(q0, q4)),
                Self(_mm256_permute2f128_ps::<0x31>(q1, q5)),
                Self(_mm256_permute2f128_ps::<0x31>(q2, q6)),
                Self(_mm256_permute2f128_ps::<0x31>(q3, q7)),
            ]
        })
    }
}
