//! Sixteen lanes in one AVX-512 register. For eight rows or fewer it is [`Avx2`]'s lanes again, compiled with the
//! 32 registers that AVX-512 has, so that all widths give the same bits.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::avx2::Avx2;
use super::{Block, Lanes, Task, has_fours};

/// Rows side by side.
const LANES: usize = 16;
/// Vectors that fit into registers.
pub(super) const REGISTERS: usize = 32;

/// Only [`run`] makes tasks use it, on machines that have AVX-512 F and VL.
#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

/// Runs the task with AVX-512. [`super::Isa::Avx512`] must come from [`super::Isa::all`].
pub(super) fn run(lanes: usize, task: impl Task) {
    #[target_feature(enable = "avx512f,avx512vl")]
    fn wide(task: impl Task) {
        task.run::<LANES, Avx512, REGISTERS>();
    }
    #[target_feature(enable = "avx512f,avx512vl")]
    fn narrow(task: impl Task) {
        task.run::<8, Avx2, REGISTERS>();
    }
    // SAFETY: `Isa::all` gives `Isa::Avx512` only where AVX-512 F and VL were detected, which AVX2 and FMA are part of.
    unsafe {
        match lanes {
            LANES => wide(task),
            _ => narrow(task),
        }
    }
}

/// Bits of √½.
const SQRT_HALF: i32 = 0x3f35_04f3;
const MANTISSA: i32 = 0x007f_ffff;

/// One intrinsic or several.
macro_rules! avx512 {
    ($e:expr) => {
        // SAFETY: these need nothing but AVX-512 F, and `Avx512` is used only below `run`, where it was detected.
        // Memory is reached through references to sixteen f32, or where `has_fours` has looked.
        unsafe { $e }
    };
}

impl Lanes<LANES> for Avx512 {
    #[inline(always)]
    fn load(block: &Block<LANES>) -> Self {
        Self(avx512!(_mm512_loadu_ps(block.as_ptr())))
    }

    #[inline(always)]
    fn store(self, block: &mut Block<LANES>) {
        avx512!(_mm512_storeu_ps(block.as_mut_ptr(), self.0))
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(avx512!(_mm512_set1_ps(x)))
    }

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(avx512!(_mm512_add_ps(self.0, b.0)))
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(avx512!(_mm512_sub_ps(self.0, b.0)))
    }

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(avx512!(_mm512_mul_ps(self.0, b.0)))
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self(avx512!(_mm512_fmadd_ps(self.0, b.0, c.0)))
    }

    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        Self(avx512!(_mm512_fnmadd_ps(self.0, b.0, c.0)))
    }

    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Self(avx512!(_mm512_max_ps(self.0, b.0)))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(avx512!(_mm512_sqrt_ps(self.0)))
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        avx512!({
            let half = _mm512_set1_epi32(SQRT_HALF);
            let above = _mm512_sub_epi32(_mm512_castps_si512(self.0), half);
            let mantissa = _mm512_add_epi32(_mm512_and_si512(above, _mm512_set1_epi32(MANTISSA)), half);
            let exponent = _mm512_cvtepi32_ps(_mm512_srai_epi32::<23>(above));
            (Self(_mm512_castsi512_ps(mantissa)), Self(exponent))
        })
    }

    #[inline(always)]
    fn gather(values: &[f32], stride: usize) -> [Self; 4] {
        assert!(has_fours::<LANES>(values, stride));
        avx512!({
            // Rows r, r + 4, r + 8 and r + 12 share a register, so that nothing has to cross its quarters afterwards.
            let row = |r: usize| _mm_loadu_ps(values.as_ptr().add(r * stride));
            let mut quads = [_mm512_setzero_ps(); 4];
            for (r, to) in quads.iter_mut().enumerate() {
                let quad = _mm512_insertf32x4::<1>(_mm512_castps128_ps512(row(r)), row(r + 4));
                *to = _mm512_insertf32x4::<3>(_mm512_insertf32x4::<2>(quad, row(r + 8)), row(r + 12));
            }
            let [a, b, c, d] = transpose_quarters(quads);
            [Self(a), Self(b), Self(c), Self(d)]
        })
    }

    #[inline(always)]
    fn scatter(columns: [Self; 4], values: &mut [f32], stride: usize) {
        assert!(has_fours::<LANES>(values, stride));
        avx512!({
            let values = values.as_mut_ptr();
            let row = |r: usize| values.add(r * stride);
            let quads = transpose_quarters([columns[0].0, columns[1].0, columns[2].0, columns[3].0]);
            for (r, quad) in quads.into_iter().enumerate() {
                _mm_storeu_ps(row(r), _mm512_castps512_ps128(quad));
                _mm_storeu_ps(row(r + 4), _mm512_extractf32x4_ps::<1>(quad));
                _mm_storeu_ps(row(r + 8), _mm512_extractf32x4_ps::<2>(quad));
                _mm_storeu_ps(row(r + 12), _mm512_extractf32x4_ps::<3>(quad));
            }
        });
    }
}

/// Transposes four by four, in all quarters of the registers.
#[inline(always)]
fn transpose_quarters(r: [__m512; 4]) -> [__m512; 4] {
    avx512!({
        let (p0, p1) = (_mm512_unpacklo_ps(r[0], r[1]), _mm512_unpackhi_ps(r[0], r[1]));
        let (p2, p3) = (_mm512_unpacklo_ps(r[2], r[3]), _mm512_unpackhi_ps(r[2], r[3]));
        [
            _mm512_shuffle_ps::<0x44>(p0, p2),
            _mm512_shuffle_ps::<0xee>(p0, p2),
            _mm512_shuffle_ps::<0x44>(p1, p3),
            _mm512_shuffle_ps::<0xee>(p1, p3),
        ]
    })
}
