//! Time stretching with the pitch kept: a phase vocoder (Flanagan and Golden, 1966) that looks at every place of the
//! input twice, one output hop apart, so that the phases' advance over a hop is seen, not guessed.

use std::f32::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

/// Samples in a frame: 64 ms at 16 kHz.
const FRAME: usize = 1024;
/// Samples between frames of the output.
const HOP: usize = FRAME / 4;

/// Tables and buffers of the vocoder.
pub struct Stretcher {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    taper: Vec<f32>,
}

impl Default for Stretcher {
    fn default() -> Self {
        let mut planner = FftPlanner::new();
        let taper = (0..FRAME).map(|n| 0.5 - 0.5 * (TAU * n as f32 / FRAME as f32).cos()).collect();
        Self { forward: planner.plan_fft_forward(FRAME), inverse: planner.plan_fft_inverse(FRAME), taper }
    }
}

impl Stretcher {
    /// Plays all of `input` in the time of `output`. Before and after `input` is silence.
    pub fn stretch(&self, input: &[f32], output: &mut [f32]) {
        let speed = input.len() as f64 / output.len() as f64;
        // Sum of the squared tapers at every sample.
        let mut weight = vec![0.0f32; output.len()];
        let mut phase = vec![Complex32::new(1.0, 0.0); FRAME];
        output.fill(0.0);
        for k in 0..output.len().div_ceil(HOP) + FRAME / HOP - 1 {
            // Frames begin before the first sample, so that every sample is in FRAME / HOP of them.
            let start = (k * HOP) as isize - (FRAME - HOP) as isize;
            let centre = (start + FRAME as isize / 2) as f64;
            let at = (centre * speed).round() as isize - FRAME as isize / 2;
            let mut now = self.spectrum(input, at);
            if k == 0 {
                phase.iter_mut().zip(&now).for_each(|(p, x)| *p = unit(*x));
            } else {
                let before = self.spectrum(input, at - HOP as isize);
                for ((p, x), b) in phase.iter_mut().zip(&now).zip(&before) {
                    *p = unit(*p * unit(*x) * unit(*b).conj());
                }
            }
            now.iter_mut().zip(&phase).for_each(|(x, p)| *x = p * x.norm());
            self.inverse.process(&mut now);
            for (n, x) in now.iter().enumerate() {
                let place = start + n as isize;
                if let Some(out) = usize::try_from(place).ok().and_then(|i| output.get_mut(i)) {
                    *out += x.re * self.taper[n] / FRAME as f32;
                    weight[place as usize] += self.taper[n] * self.taper[n];
                }
            }
        }
        output.iter_mut().zip(weight).for_each(|(out, weight)| *out /= weight.max(1e-3));
    }

    fn spectrum(&self, input: &[f32], start: isize) -> Vec<Complex32> {
        let sample = |n: usize| {
            let index = usize::try_from(start + n as isize).ok();
            index.and_then(|i| input.get(i)).copied().unwrap_or(0.0)
        };
        let mut frame: Vec<Complex32> =
            (0..FRAME).map(|n| Complex32::new(sample(n) * self.taper[n], 0.0)).collect();
        self.forward.process(&mut frame);
        frame
    }
}

/// The direction of `x`; 1 where it has none.
fn unit(x: Complex32) -> Complex32 {
    let length = x.norm();
    if length > 0.0 { x / length } else { Complex32::new(1.0, 0.0) }
}
