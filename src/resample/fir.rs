//! Direct form: one dot product per output sample. No block, so the delay is half of the filter and no more.

use super::kernel::Kernel;
use crate::error::Result;
use crate::memory::filled;

/// What memory is taken for.
const WHAT: &str = "the coefficients of the resampler";

/// Dot products run over this many lanes; rows are padded to a multiple of it.
const LANES: usize = 8;
/// Above this many coefficients, interpolation between rows is used instead of one row per phase.
const MAX_COEFFICIENTS: usize = 1 << 18;
/// Rows per host frame when interpolating, for a cut-off at the host's Nyquist frequency. Linear interpolation
/// is wrong by (pi / ROWS)^2 / 8 at most: -129 dB.
const ROWS: f64 = 2048.0;
/// How many new frames are taken in, and samples handed out, at a time.
const BLOCK: usize = 1024;

#[derive(Debug)]
pub(super) struct Fir {
    /// Reduced ratio: `up` samples out for `down` frames in.
    up: u64,
    down: u64,
    /// `rows` filters of `taps` coefficients, for positions 0, 1/steps, 2/steps … between two frames.
    coefficients: Vec<f32>,
    taps: usize,
    steps: u64,
    /// How many frames after its own the row reaches.
    ahead: usize,
    /// The last frames, oldest first.
    history: Vec<f32>,
    filled: usize,
    /// Where in `history` the taps of the next sample start, and its position between two frames times `up`.
    next: usize,
    fraction: u64,
    out: Vec<f32>,
}

impl Fir {
    pub fn new(kernel: &Kernel, up: u32, down: u32) -> Result<Self> {
        let ahead = kernel.half.ceil() as usize;
        let taps = (kernel.half.floor() as usize + ahead + 1).next_multiple_of(LANES);
        let behind = taps - 1 - ahead;
        let exact = taps * up as usize <= MAX_COEFFICIENTS;
        let steps = if exact { u64::from(up) } else { (2.0 * kernel.cutoff * ROWS).ceil() as u64 };
        let rows = if exact { steps } else { steps + 1 } as usize;
        let mut coefficients = filled(taps * rows, 0.0, WHAT)?;
        if exact {
            for sample in 0..up {
                let position = u64::from(sample) * u64::from(down);
                let first = (position / steps) as i64 - behind as i64;
                let row = &mut coefficients[(position % steps) as usize * taps..][..taps];
                for (frame, coefficient) in (first..).zip(row) {
                    *coefficient = kernel.tap(frame, sample, up, down);
                }
            }
        } else {
            for (step, row) in coefficients.chunks_exact_mut(taps).enumerate() {
                for (tap, coefficient) in row.iter_mut().enumerate() {
                    *coefficient = kernel.at(tap as f64 - behind as f64 - step as f64 / steps as f64) as f32;
                }
            }
        }
        let mut fir = Self {
            up: up.into(),
            down: down.into(),
            coefficients,
            taps,
            steps,
            ahead,
            history: filled(taps - 1 + BLOCK, 0.0, WHAT)?,
            filled: 0,
            next: 0,
            fraction: 0,
            out: filled(BLOCK, 0.0, WHAT)?,
        };
        fir.reset();
        Ok(fir)
    }

    pub fn delay_frames(&self) -> usize {
        self.ahead
    }

    pub fn reset(&mut self) {
        self.history.fill(0.0);
        self.filled = self.taps - 1 - self.ahead;
        self.next = 0;
        self.fraction = 0;
    }

    pub fn push(&mut self, mut input: &[f32], mut sink: impl FnMut(&[f32])) {
        while !input.is_empty() {
            let (now, later) = input.split_at(input.len().min(self.history.len() - self.filled));
            self.history[self.filled..][..now.len()].copy_from_slice(now);
            self.filled += now.len();
            input = later;
            self.drain(&mut sink);
        }
    }

    /// Computes every sample whose frames are all here, then forgets the frames that no later sample needs.
    fn drain(&mut self, sink: &mut impl FnMut(&[f32])) {
        let mut ready = 0;
        while self.next + self.taps <= self.filled {
            self.out[ready] = self.sample();
            ready += 1;
            if ready == self.out.len() {
                sink(&self.out);
                ready = 0;
            }
            self.fraction += self.down;
            self.next += (self.fraction / self.up) as usize;
            self.fraction %= self.up;
        }
        if ready > 0 {
            sink(&self.out[..ready]);
        }
        let used = self.next.min(self.filled);
        self.history.copy_within(used..self.filled, 0);
        self.filled -= used;
        self.next -= used;
    }

    fn sample(&self) -> f32 {
        let frames = &self.history[self.next..][..self.taps];
        let position = self.fraction * self.steps;
        let row = (position / self.up) as usize * self.taps;
        let sum = dot(frames, &self.coefficients[row..][..self.taps]);
        match position % self.up {
            0 => sum,
            part => {
                let weight = part as f32 / self.up as f32;
                let next = dot(frames, &self.coefficients[row + self.taps..][..self.taps]);
                sum + weight * (next - sum)
            }
        }
    }
}

/// Sum of products in `LANES` partial sums, so that the compiler can use vectors. Both lengths are the same
/// multiple of `LANES`.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}
