//! Host rate -> model rate, streaming. Says its delay and takes it out of the output: sample m of the output
//! belongs to the instant of host frame m * from / to, so an impulse at frame n comes out at n * to / from.

mod fft;
mod fir;
mod kernel;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use fft::Fft;
use fir::Fir;
use kernel::Kernel;

/// The lowest sample rate, in Hz, that a stream or a model can have.
pub const MIN_SAMPLE_RATE: u32 = 1_000;
/// The highest sample rate, in Hz, that a stream or a model can have.
pub const MAX_SAMPLE_RATE: u32 = 384_000;

/// A block of the FFT is a whole number of 1 / gcd(from, to) seconds. Below this many Hz in common, that makes blocks of
/// seconds, and the direct form is used for bulk too.
const FFT_MIN_COMMON: u32 = 25;

/// How to convert. Parts of Nyquist are of the lower of the two rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The fastest in bulk. Flat to 91 % of Nyquist (7.3 kHz at 16 kHz); stop band from 100 % of Nyquist.
    #[default]
    Bulk,
    /// The same filter computed sample by sample, so that the output waits for half of the filter and no more.
    LowLatency,
    /// torchaudio's default kernel, for models that were trained behind it. It lets aliases through: -9 dB at
    /// 8.3 kHz for 16 kHz out.
    Torchaudio,
}

/// A planned sample-rate converter for one mono stream. Equal rates pass through untouched.
///
/// Samples must be finite: one that is not spoils every output that its filter reaches.
#[derive(Debug)]
pub struct Resampler {
    /// Reduced ratio: `up` samples out for `down` frames in.
    up: u32,
    down: u32,
    engine: Engine,
    frames_in: u64,
    samples_out: u64,
}

#[derive(Debug)]
enum Engine {
    PassThrough,
    Fft(Fft),
    Fir(Fir),
}

impl Resampler {
    /// [`with_method`](Self::with_method) in bulk.
    pub fn new(from: u32, to: u32) -> Result<Self> {
        Self::with_method(from, to, Method::Bulk)
    }

    /// Plans a conversion from `from` Hz to `to` Hz, both [`MIN_SAMPLE_RATE`]..=[`MAX_SAMPLE_RATE`].
    pub fn with_method(from: u32, to: u32, method: Method) -> Result<Self> {
        for rate in [from, to] {
            if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&rate) {
                return Err(Error::argument(format!(
                    "sample_rate is {rate} Hz; valid {MIN_SAMPLE_RATE}..={MAX_SAMPLE_RATE}"
                )));
            }
        }
        let common = gcd(from, to);
        let (up, down) = (to / common, from / common);
        let engine = match method {
            _ if from == to => Engine::PassThrough,
            Method::Bulk if common >= FFT_MIN_COMMON => {
                Engine::Fft(Fft::new(&Kernel::kaiser(from, to), up, down)?)
            }
            Method::Bulk | Method::LowLatency => Engine::Fir(Fir::new(&Kernel::kaiser(from, to), up, down)?),
            Method::Torchaudio => Engine::Fir(Fir::new(&Kernel::torchaudio(from, to), up, down)?),
        };
        Ok(Self { up, down, engine, frames_in: 0, samples_out: 0 })
    }

    /// How many host frames after its own instant a sample of the output waits for, at most.
    pub fn delay_frames(&self) -> usize {
        match &self.engine {
            Engine::PassThrough => 0,
            Engine::Fft(fft) => fft.delay_frames(),
            Engine::Fir(fir) => fir.delay_frames(),
        }
    }

    /// The most samples that [`push`](Self::push) can hand out for `frames` frames.
    pub fn max_output(&self, frames: usize) -> usize {
        let (period, samples) = self.period();
        (frames as u64 / period + 2) as usize * samples as usize
    }

    /// The most samples that [`finish`](Self::finish) can hand out.
    pub fn max_rest(&self) -> usize {
        let frames = self.delay_frames() as u64 + 1;
        (frames * u64::from(self.up)).div_ceil(self.down.into()) as usize + 1
    }

    /// Host frames, and samples out of them, after which the converter is where it was: so many frames of silence
    /// put into a silent converter give so many samples of silence and change nothing.
    pub fn period(&self) -> (u64, u64) {
        match &self.engine {
            Engine::Fft(fft) => fft.period(),
            Engine::PassThrough | Engine::Fir(_) => (self.down.into(), self.up.into()),
        }
    }

    /// Takes all of `input`, hands every finished stretch of output to `sink`, in order.
    /// The output does not depend on how the input is cut into calls. Allocates nothing.
    pub fn push(&mut self, input: &[f32], mut sink: impl FnMut(&[f32])) {
        self.frames_in += input.len() as u64;
        self.feed(input, u64::MAX, &mut sink);
    }

    /// Ends the stream: hands out the rest, so that the output since the last reset has
    /// ceil(frames in * to / from) samples in all. The next `push` starts a new stream.
    pub fn finish(&mut self, mut sink: impl FnMut(&[f32])) {
        let total = (u128::from(self.frames_in) * u128::from(self.up)).div_ceil(self.down.into()) as u64;
        while self.samples_out < total {
            self.feed(&[0.0; 256], total, &mut sink);
        }
        self.reset();
    }

    /// Forgets the stream: the next `push` starts a new one.
    pub fn reset(&mut self) {
        self.frames_in = 0;
        self.samples_out = 0;
        match &mut self.engine {
            Engine::PassThrough => {}
            Engine::Fft(fft) => fft.reset(),
            Engine::Fir(fir) => fir.reset(),
        }
    }

    /// Runs the engine, letting no more than `total` samples of the stream out.
    fn feed(&mut self, input: &[f32], total: u64, sink: &mut impl FnMut(&[f32])) {
        let samples_out = &mut self.samples_out;
        let mut counted = |samples: &[f32]| {
            let room = usize::try_from(total - *samples_out).unwrap_or(usize::MAX);
            let samples = &samples[..samples.len().min(room)];
            *samples_out += samples.len() as u64;
            if !samples.is_empty() {
                sink(samples);
            }
        };
        match &mut self.engine {
            Engine::PassThrough => counted(input),
            Engine::Fft(fft) => fft.push(input, counted),
            Engine::Fir(fir) => fir.push(input, counted),
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
