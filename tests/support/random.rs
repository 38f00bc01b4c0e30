//! Repeatable noise.
#![allow(dead_code, reason = "each test program uses its own part")]

/// Numerical Recipes' 64-bit linear congruential generator, upper half.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// Uniform in -1..1.
    pub fn sample(&mut self) -> f32 {
        self.next() as f32 / 2_147_483_648.0 - 1.0
    }
}
