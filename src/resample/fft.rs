//! Overlap-save: the filter and the change of rate are both done on the spectrum of a block.
//!
//! A block of `down * k` frames has the same length in time as one of `up * k` samples, so its spectrum, cut off or
//! padded with zeros at the lower Nyquist frequency, is the spectrum of the output. The filter's phase is zero, so
//! output j of a block belongs to frame j * down / up of it; only outputs whose whole filter lies inside the block are
//! kept.

use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};

use super::kernel::Kernel;
use crate::error::Result;
use crate::memory::{collected, filled, reserved};

/// What memory is taken for.
const WHAT: &str = "the blocks of the resampler";
/// No less than the plans of both transforms take for each value of their blocks (tests/memory.rs measures it).
const PLAN_BYTES: usize = 32;

/// A block is at least this many filters long. Measured at 44.1 and 48 kHz -> 16 kHz (benches/README.md): half of it costs
/// a quarter more time, twice of it saves nothing that can be seen and makes the output wait twice as long.
const FILTERS_IN_BLOCK: f64 = 8.0;

pub(super) struct Fft {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// Gain of each bin up to the lower Nyquist frequency, which is itself left out.
    gains: Vec<f32>,
    /// The block that is filling up.
    block: Vec<f32>,
    filled: usize,
    /// Zeros before the stream's first frame.
    lead: usize,
    /// How many frames the next block starts after this one.
    advance: usize,
    /// Which outputs of a block are kept: this one and `count - 1` more.
    first: usize,
    count: usize,
    /// How many of those lie before the stream's first frame: `lead_samples` in its first block, then none.
    skip: usize,
    lead_samples: usize,
    delay: usize,
    input: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    output: Vec<f32>,
    scratch: Vec<Complex<f32>>,
}

impl Fft {
    /// Plans it for `up` samples out for `down` frames in, a reduced ratio.
    ///
    /// The tables of `realfft` cannot be refused: where there is no memory for them, the process ends. So as much as they
    /// take is claimed first, and given back: what is short of it fails here.
    pub fn new(kernel: &Kernel, up: u32, down: u32) -> Result<Self> {
        let (up, down) = (up as usize, down as usize);
        let multiple = smooth_multiple(FILTERS_IN_BLOCK * 2.0 * kernel.half / down as f64);
        let (frames, samples) = (down * multiple, up * multiple);

        let ratio = up as f64 / down as f64;
        let first = (kernel.half * ratio).ceil() as usize;
        let last = ((frames as f64 - 1.0 - kernel.half) * ratio).floor() as usize;
        let blocks = (last + 1 - first) / up;
        let lead = first.div_ceil(up);

        drop(reserved::<u8>((frames + samples) * PLAN_BYTES, "the tables of the resampler")?);
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(frames);
        let inverse = planner.plan_fft_inverse(samples);
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let mut fft = Self {
            gains: gains(kernel, frames, samples)?,
            block: filled(frames, 0.0, WHAT)?,
            filled: 0,
            lead: lead * down,
            advance: blocks * down,
            first,
            count: blocks * up,
            skip: 0,
            lead_samples: lead * up - first,
            delay: frames - 1 - first * down / up,
            input: filled(frames, 0.0, WHAT)?,
            spectrum: filled(frames.max(samples) / 2 + 1, Complex::default(), WHAT)?,
            output: filled(samples, 0.0, WHAT)?,
            scratch: filled(scratch, Complex::default(), WHAT)?,
            forward,
            inverse,
        };
        fft.reset();
        Ok(fft)
    }

    pub fn delay_frames(&self) -> usize {
        self.delay
    }

    /// Frames from one block to the next, and samples that each gives.
    pub fn period(&self) -> (u64, u64) {
        (self.advance as u64, self.count as u64)
    }

    pub fn reset(&mut self) {
        self.block[..self.lead].fill(0.0);
        self.filled = self.lead;
        self.skip = self.lead_samples;
    }

    pub fn push(&mut self, mut input: &[f32], mut sink: impl FnMut(&[f32])) {
        while !input.is_empty() {
            let (now, later) = input.split_at(input.len().min(self.block.len() - self.filled));
            self.block[self.filled..][..now.len()].copy_from_slice(now);
            self.filled += now.len();
            input = later;
            if self.filled == self.block.len() {
                self.convert();
                sink(&self.output[self.first..][..self.count][self.skip..]);
                self.skip = 0;
                self.block.copy_within(self.advance.., 0);
                self.filled -= self.advance;
            }
        }
    }

    fn convert(&mut self) {
        self.input.copy_from_slice(&self.block);
        let (frames, samples) = (self.input.len() / 2 + 1, self.output.len() / 2 + 1);
        self.forward
            .process_with_scratch(&mut self.input, &mut self.spectrum[..frames], &mut self.scratch)
            .expect("the buffers were made for this plan");
        let (low, high) = self.spectrum[..samples].split_at_mut(self.gains.len());
        for (bin, gain) in low.iter_mut().zip(&self.gains) {
            *bin *= gain;
        }
        high.fill(Complex::default());
        self.inverse
            .process_with_scratch(&mut self.spectrum[..samples], &mut self.output, &mut self.scratch)
            .expect("the buffers were made for this plan, and the ends of the spectrum are real");
    }
}

impl fmt::Debug for Fft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fft {{ frames: {}, samples: {} }}", self.input.len(), self.output.len())
    }
}

/// The filter's spectrum, taken at the higher of the two rates, where it does not alias. Includes the 1 / `frames` that
/// the two transforms leave.
///
/// The sum is written out: it takes a millisecond, and a transform in f64 for it would be a third of the library.
fn gains(kernel: &Kernel, frames: usize, samples: usize) -> Result<Vec<f32>> {
    let size = frames.max(samples);
    let step = frames as f64 / size as f64;
    let cosine = |i: usize| (2.0 * PI * i as f64 / size as f64).cos();
    let cosines: Vec<f64> = collected(size, WHAT, (0..size).map(cosine))?;
    let reach = (kernel.half / step) as usize;
    let tap = |i: usize| 2.0 * step * kernel.at(step * i as f64);
    let taps: Vec<f64> = collected(reach, WHAT, (1..=reach).map(tap))?;
    let gain = |bin: usize| {
        let sides: f64 = taps.iter().zip(1..).map(|(tap, i)| tap * cosines[bin * i % size]).sum();
        ((step * kernel.at(0.0) + sides) / frames as f64) as f32
    };
    let bins = frames.min(samples) / 2;
    collected(bins, WHAT, (0..bins).map(gain))
}

/// The smallest even number from `min` on without a prime factor above 5: transforms of such lengths are fast.
fn smooth_multiple(min: f64) -> usize {
    let smooth = |mut n: usize| {
        for prime in [2, 3, 5] {
            while n.is_multiple_of(prime) {
                n /= prime;
            }
        }
        n == 1
    };
    let mut n = (0.5 * min).ceil().max(1.0) as usize;
    while !smooth(n) {
        n += 1;
    }
    2 * n
}
