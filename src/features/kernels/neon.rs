//! Lanes in two NEON registers, which every aarch64 machine has.
#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::{Block, Lanes, has_fours};

/// Rows side by side.
const LANES: usize = 8;
/// Vectors that fit into registers: four lanes in each of 32.
pub(super) const REGISTERS: usize = 16;

#[derive(Clone, Copy)]
pub(super) struct Neon(float32x4_t, float32x4_t);

/// Bits of √½.
const SQRT_HALF: i32 = 0x3f35_04f3;
const MANTISSA: i32 = 0x007f_ffff;

/// One intrinsic or several.
macro_rules! neon {
    ($e:expr) => {
        // SAFETY: these need nothing but NEON, which is part of aarch64's base; memory is reached through
        // references to eight f32, or where `has_fours` has looked.
        unsafe { $e }
    };
}

impl Neon {
    #[inline(always)]
    fn map(self, b: Self, f: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> Self {
        Self(f(self.0, b.0), f(self.1, b.1))
    }
}

impl Lanes<LANES> for Neon {
    #[inline(always)]
    fn load(block: &Block<LANES>) -> Self {
        neon!(Self(vld1q_f32(block.as_ptr()), vld1q_f32(block.as_ptr().add(4))))
    }

    #[inline(always)]
    fn store(self, block: &mut Block<LANES>) {
        neon!({
            vst1q_f32(block.as_mut_ptr(), self.0);
            vst1q_f32(block.as_mut_ptr().add(4), self.1);
        })
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        neon!(Self(vdupq_n_f32(x), vdupq_n_f32(x)))
    }

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        self.map(b, |a, b| neon!(vaddq_f32(a, b)))
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self.map(b, |a, b| neon!(vsubq_f32(a, b)))
    }

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        self.map(b, |a, b| neon!(vmulq_f32(a, b)))
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        neon!(Self(vfmaq_f32(c.0, self.0, b.0), vfmaq_f32(c.1, self.1, b.1)))
    }

    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        neon!(Self(vfmsq_f32(c.0, self.0, b.0), vfmsq_f32(c.1, self.1, b.1)))
    }

    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // "maxnm" takes the number where the other is none.
        self.map(b, |a, b| neon!(vmaxnmq_f32(a, b)))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(self, |a, _| neon!(vsqrtq_f32(a)))
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        neon!({
            let half = vdupq_n_s32(SQRT_HALF);
            let above = |x| vsubq_s32(vreinterpretq_s32_f32(x), half);
            let mantissa =
                |x| vreinterpretq_f32_s32(vaddq_s32(vandq_s32(above(x), vdupq_n_s32(MANTISSA)), half));
            let exponent = |x| vcvtq_f32_s32(vshrq_n_s32::<23>(above(x)));
            (Self(mantissa(self.0), mantissa(self.1)), Self(exponent(self.0), exponent(self.1)))
        })
    }

    #[inline(always)]
    fn gather(values: &[f32], stride: usize) -> [Self; 4] {
        assert!(has_fours::<LANES>(values, stride));
        let r: [_; LANES] = std::array::from_fn(|r| neon!(vld1q_f32(values.as_ptr().add(r * stride))));
        let (low, high) = (four([r[0], r[1], r[2], r[3]]), four([r[4], r[5], r[6], r[7]]));
        [Self(low[0], high[0]), Self(low[1], high[1]), Self(low[2], high[2]), Self(low[3], high[3])]
    }

    #[inline(always)]
    fn scatter(c: [Self; 4], values: &mut [f32], stride: usize) {
        assert!(has_fours::<LANES>(values, stride));
        let low = four([c[0].0, c[1].0, c[2].0, c[3].0]);
        let high = four([c[0].1, c[1].1, c[2].1, c[3].1]);
        for (r, four) in low.into_iter().chain(high).enumerate() {
            neon!(vst1q_f32(values.as_mut_ptr().add(r * stride), four));
        }
    }
}

/// Transposes four by four.
#[inline(always)]
fn four(r: [float32x4_t; 4]) -> [float32x4_t; 4] {
    neon!({
        let pair = |x| vreinterpretq_f64_f32(x);
        let single = |x| vreinterpretq_f32_f64(x);
        let (a, b) = (pair(vtrn1q_f32(r[0], r[1])), pair(vtrn2q_f32(r[0], r[1])));
        let (c, d) = (pair(vtrn1q_f32(r[2], r[3])), pair(vtrn2q_f32(r[2], r[3])));
        [
            single(vtrn1q_f64(a, c)),
            single(vtrn1q_f64(b, d)),
            single(vtrn2q_f64(a, c)),
            single(vtrn2q_f64(b, d)),
        ]
    })
}
