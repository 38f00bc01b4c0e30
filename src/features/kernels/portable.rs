//! Lanes for any machine: arrays, which compilers put into whatever vector registers there are.

use super::{Block, Lanes};

/// Rows side by side.
const LANES: usize = 8;
/// Vectors that fit into registers: most likely four lanes in each of sixteen.
pub(super) const REGISTERS: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn map(mut self, b: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        for lane in 0..LANES {
            self.0[lane] = f(self.0[lane], b.0[lane]);
        }
        self
    }
}

/// Bits of √½.
const SQRT_HALF: u32 = 0x3f35_04f3;
const MANTISSA: u32 = 0x007f_ffff;

impl Lanes<LANES> for Portable {
    #[inline(always)]
    fn load(block: &Block<LANES>) -> Self {
        Self(*block)
    }

    #[inline(always)]
    fn store(self, block: &mut Block<LANES>) {
        *block = self.0;
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; LANES])
    }

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        self.map(b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self.map(b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        self.map(b, |a, b| a * b)
    }

    // Not f32::mul_add, which is a slow library call where there is no such instruction.
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self.mul(b).add(c)
    }

    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        c.sub(self.mul(b))
    }

    #[inline(always)]
    fn max(self, b: Self) -> Self {
        self.map(b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(self, |a, _| a.sqrt())
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        let above = |x: f32| x.to_bits().wrapping_sub(SQRT_HALF);
        let mantissa = self.map(self, |x, _| f32::from_bits((above(x) & MANTISSA) + SQRT_HALF));
        (mantissa, self.map(self, |x, _| (above(x) as i32 >> 23) as f32))
    }

    #[inline(always)]
    fn gather(values: &[f32], stride: usize) -> [Self; 4] {
        let mut columns = [Self([0.0; LANES]); 4];
        for lane in 0..LANES {
            let row = &values[lane * stride..][..4];
            for i in 0..4 {
                columns[i].0[lane] = row[i];
            }
        }
        columns
    }

    #[inline(always)]
    fn scatter(columns: [Self; 4], values: &mut [f32], stride: usize) {
        for lane in 0..LANES {
            let row = &mut values[lane * stride..][..4];
            for i in 0..4 {
                row[i] = columns[i].0[lane];
            }
        }
    }
}
