//! The low-pass filters, as continuous functions of time.

use std::f32::consts::PI as PI_F32;
use std::f64::consts::PI;

/// Kaiser design: stop band in dB. 100 dB is promised; the rest is room for f32 arithmetic.
const STOP_DB: f64 = 106.0;
/// Edge of the pass band and start of the stop band, as parts of the lower of the two Nyquist frequencies
/// (7.3 kHz and 8 kHz at 16 kHz).
const PASS: f64 = 0.9125;
const STOP: f64 = 1.0;

/// torchaudio's cut-off, as a part of the lower Nyquist frequency.
const ROLLOFF: f64 = 0.99;

/// A linear-phase low-pass filter that is zero outside ±`half` host frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    /// Half of the filter's length, in host frames.
    pub half: f64,
    /// Cut-off (-6 dB) in cycles per host frame.
    pub cutoff: f64,
    shape: Shape,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Kaiser { beta: f64, peak: f64 },
    Hann,
}

impl Kernel {
    /// Kaiser's window design (Kaiser 1974; Oppenheim & Schafer, "Discrete-Time Signal Processing", 7.5.3):
    /// flat to 91 % of the lower Nyquist frequency, nothing left above 100 %.
    pub fn kaiser(from: u32, to: u32) -> Self {
        let nyquist = 0.5 * f64::min(1.0, f64::from(to) / f64::from(from));
        let beta = 0.1102 * (STOP_DB - 8.7);
        let length = (STOP_DB - 7.95) / (2.285 * 2.0 * PI * (STOP - PASS) * nyquist);
        Self {
            half: 0.5 * length + 1.0,
            cutoff: 0.5 * (PASS + STOP) * nyquist,
            shape: Shape::Kaiser { beta, peak: bessel_i0(beta) },
        }
    }

    /// torchaudio's default, `resample(lowpass_filter_width=6, rolloff=0.99, "sinc_interp_hann")`
    /// (torchaudio 2.11, functional/functional.py, `_get_sinc_resample_kernel`).
    pub fn torchaudio(from: u32, to: u32) -> Self {
        let cutoff = ROLLOFF * 0.5 * f64::min(1.0, f64::from(to) / f64::from(from));
        Self { half: 6.0 / (2.0 * cutoff), cutoff, shape: Shape::Hann }
    }

    /// The impulse response `t` host frames from its middle. The sum over whole frames is 1.
    pub fn at(&self, t: f64) -> f64 {
        let x = t / self.half;
        if x.abs() >= 1.0 {
            return 0.0;
        }
        let window = match self.shape {
            Shape::Kaiser { beta, peak } => bessel_i0(beta * (1.0 - x * x).sqrt()) / peak,
            Shape::Hann => (0.5 * PI * x).cos().powi(2),
        };
        let phase = 2.0 * PI * self.cutoff * t;
        let sinc = if phase == 0.0 { 1.0 } else { phase.sin() / phase };
        2.0 * self.cutoff * sinc * window
    }

    /// The coefficient of frame `frame` for sample `sample`, counted from where the two meet, for `up` samples in
    /// `down` frames: [`at`](Self::at) of their distance, rounded as the reference rounds.
    pub fn tap(&self, frame: i64, sample: u32, up: u32, down: u32) -> f32 {
        match self.shape {
            Shape::Kaiser { .. } => {
                let distance = frame * i64::from(up) - i64::from(sample) * i64::from(down);
                self.at(distance as f64 / f64::from(up)) as f32
            }
            // torchaudio's function computes its kernel in f32, which moves it by up to 1e-5; the order of these
            // operations is its order.
            Shape::Hann => {
                let (up, down) = (up as f32, down as f32);
                let base = (ROLLOFF * f64::from(up.min(down))) as f32;
                let t = ((-(sample as f32) / up + frame as f32 / down) * base).clamp(-6.0, 6.0);
                let window = (t * PI_F32 / 6.0 / 2.0).cos().powi(2);
                let t = t * PI_F32;
                let sinc = if t == 0.0 { 1.0 } else { t.sin() / t };
                sinc * (window * (ROLLOFF * f64::from(up.min(down)) / f64::from(down)) as f32)
            }
        }
    }
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let q = 0.25 * x * x;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= q / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}
