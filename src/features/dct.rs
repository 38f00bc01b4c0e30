//! The discrete cosine transform (type II) that turns a log mel row into cepstral coefficients.

use std::f64::consts::PI;

use super::spec::{DctNorm, Mfcc};
use crate::error::Result;
use crate::memory::reserved;

/// A matrix `[coefficient, bin]`, liftering included.
#[derive(Debug)]
pub(super) struct Dct {
    bins: usize,
    matrix: Vec<f32>,
    /// The first coefficient is the value behind the bins instead.
    energy: bool,
}

impl Dct {
    /// For `count` coefficients.
    pub fn new(count: usize, mfcc: &Mfcc, bins: usize) -> Result<Self> {
        let lifter = mfcc.lifter.unwrap_or(0.0);
        let from = mfcc.lifter_from.unwrap_or(1) as usize;
        let mut matrix = reserved(count * bins, "the cosines of the cepstral coefficients")?;
        for k in 0..count {
            let first = k == 0 && mfcc.norm != Some(DctNorm::Tensorflow);
            let mut scale = (if first { 1.0 } else { 2.0 } / bins as f64).sqrt();
            if lifter > 0.0 {
                scale *= 1.0 + lifter / 2.0 * (PI * (k + from) as f64 / lifter).sin();
            }
            let angle = PI * k as f64 / bins as f64;
            matrix.extend((0..bins).map(|b| (scale * (angle * (b as f64 + 0.5)).cos()) as f32));
        }
        Ok(Self { bins, matrix, energy: mfcc.energy == Some(true) })
    }

    pub fn count(&self) -> usize {
        self.matrix.len() / self.bins
    }

    pub fn apply(&self, row: &[f32], out: &mut [f32]) {
        let (row, behind) = row.split_at(self.bins);
        for (value, weights) in out.iter_mut().zip(self.matrix.chunks_exact(self.bins)) {
            *value = dot(weights, row);
        }
        if self.energy {
            out[0] = behind[0];
        }
    }
}

/// Eight sums side by side, which the compiler can keep in one vector register.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f32 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a.zip(b) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + tail
}
