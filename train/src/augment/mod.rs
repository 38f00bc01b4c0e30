//! How examples are changed at random. Every part draws its numbers from the example's own generator, and none if it is
//! switched off.

pub mod damage;
pub mod filters;
pub mod room;

use std::path::PathBuf;

use clap::Args;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;
use serde::{Deserialize, Serialize};

/// A window below this RMS (-60 dB of full scale) is silence: no class can be heard in it.
pub const SILENCE_RMS: f32 = 1e-3;

/// How examples are changed. A share of 0 switches its part off.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Share of the examples that are a mixture of two clips at a random ratio; the target is mixed alike.
    #[arg(long, default_value_t = 0.5)]
    pub mix: f32,
    /// Share of the examples that are stretched in time, their pitch kept, by up to 20 % either way.
    #[arg(long, default_value_t = 0.0)]
    pub stretch: f32,
    /// Longest shift of a window in time, s, uniform either way; what leaves at one end comes in at the other.
    #[arg(long, default_value_t = 0.0)]
    pub shift: f32,
    /// Share of the examples in which the sound begins or ends inside the window, with silence before or behind it; where less
    /// than a quarter of it is left, the target goes over to that of an example of no class.
    #[arg(long, default_value_t = 0.0)]
    #[serde(default)]
    pub partial: f32,
    /// Gain, uniform within ± so many dB.
    #[arg(long, default_value_t = 6.0)]
    pub gain_db: f32,
    /// Share of the examples that get noise.
    #[arg(long, default_value_t = 0.3)]
    pub noise: f32,
    /// SNRs of that noise, dB: uniform from the first to the second.
    #[arg(long, num_args = 2, value_names = ["LOW", "HIGH"], default_values_t = [5.0, 20.0], allow_negative_numbers = true)]
    pub noise_range: Vec<f32>,
    /// Steepest fall of that noise, and of noise alone, dB per decade of frequency: 0 is white, 10 pink, 20 brown; uniform from 0.
    #[arg(long, default_value_t = 0.0)]
    pub noise_colour: f32,
    /// Share of the examples that are heard in a room.
    #[arg(long, default_value_t = 0.0)]
    pub room: f32,
    /// Share of the examples that are heard through a microphone with a tilt of up to 3 dB per octave and resonances.
    #[arg(long, default_value_t = 0.0)]
    pub microphone: f32,
    /// Share of the examples of which only a band is left, at the least 0.5 to 1.5 kHz.
    #[arg(long, default_value_t = 0.0)]
    pub band: f32,
    /// Share of the examples that go through µ-law of 8 bits, half of them at half the rate.
    #[arg(long, default_value_t = 0.0)]
    pub codec: f32,
    /// Share of the examples whose peaks are cut off, by up to 15 dB.
    #[arg(long, default_value_t = 0.0)]
    pub clipping: f32,
    /// Share of the examples that are played up to three semitones higher or lower.
    #[arg(long, default_value_t = 0.0)]
    pub pitch: f32,
    /// Folder of recordings that are laid under examples; those that cannot be read are passed over.
    #[arg(long)]
    pub background: Option<PathBuf>,
    /// Share of the examples that get a background, where there is a folder of them.
    #[arg(long, default_value_t = 0.5)]
    pub background_share: f32,
    /// SNR of an example to its background, dB.
    #[arg(long, default_value_t = 10.0, allow_negative_numbers = true)]
    pub background_snr: f32,
    /// Share of the examples of which a band of bins and a stretch of rows are blanked out.
    #[arg(long, default_value_t = 1.0)]
    pub mask: f32,
    /// Widest band of bins that is blanked out; the narrowest is a third of it.
    #[arg(long, default_value_t = 12)]
    pub mask_bins: usize,
    /// Longest stretch of rows that is blanked out.
    #[arg(long, default_value_t = 6)]
    pub mask_rows: usize,
    /// Share of the examples whose bins are turned upside down.
    #[arg(long, default_value_t = 0.0)]
    pub flip: f32,
    /// Share of the examples that are digital silence, noise or, where there are some, a background alone, at any level;
    /// their target is every class alike (none of them where classes are judged each for itself).
    #[arg(long, default_value_t = 0.06)]
    pub silence: f32,
}

impl Augment {
    /// Nothing is changed.
    pub fn none() -> Self {
        Self {
            mix: 0.0,
            stretch: 0.0,
            shift: 0.0,
            partial: 0.0,
            gain_db: 0.0,
            noise: 0.0,
            noise_range: vec![5.0, 20.0],
            noise_colour: 0.0,
            room: 0.0,
            microphone: 0.0,
            band: 0.0,
            codec: 0.0,
            clipping: 0.0,
            pitch: 0.0,
            background: None,
            background_share: 0.0,
            background_snr: 0.0,
            mask: 0.0,
            mask_bins: 0,
            mask_rows: 0,
            flip: 0.0,
            silence: 0.0,
        }
    }
}

/// Whether something with this probability happens. Draws nothing if it never does.
pub fn chance(probability: f32, rng: &mut impl Rng) -> bool {
    probability > 0.0 && rng.random::<f32>() < probability
}

/// `a * share + b * (1 - share)`, after `b` was brought to the RMS of `a`, so that `share` is what is heard
/// (between-class learning: Tokozume et al., arXiv:1711.10282).
pub fn mix(a: &mut [f32], b: &[f32], share: f32) {
    let level = if rms(b) > SILENCE_RMS { rms(a) / rms(b) } else { 1.0 };
    for (a, b) in a.iter_mut().zip(b) {
        *a = *a * share + b * level * (1.0 - share);
    }
}

/// What leaves at the end comes in at the beginning, by a random number of samples of at most `most` either way.
pub fn shift(window: &mut [f32], max: usize, rng: &mut impl Rng) {
    let max = max.min(window.len() / 2) as i64;
    let by = rng.random_range(-max..=max);
    window.rotate_right(by.rem_euclid(window.len() as i64) as usize);
}

/// Silences the window up to, or from, a random place, faded within 50 ms at the most. Returns how much the sound still counts: 1
/// where a quarter of its energy or more is left, 0 where nothing is.
pub fn part(window: &mut [f32], sample_rate: f32, rng: &mut impl Rng) -> f32 {
    let whole = rms(window);
    let fade = (rng.random_range(0.0..=0.05) * sample_rate) as usize;
    let silent = rng.random_range(0..=window.len());
    let backwards = chance(0.5, rng);
    let gain = |at: usize| ((at as f32 - silent as f32) / (fade + 1) as f32).clamp(0.0, 1.0);
    let end = window.len() - 1;
    for (at, sample) in window.iter_mut().enumerate() {
        *sample *= gain(if backwards { end - at } else { at });
    }
    if whole > 0.0 { (4.0 * (rms(window) / whole).powi(2)).min(1.0) } else { 1.0 }
}

/// Multiplies by a gain that is uniform within ± `range` dB.
pub fn gain(window: &mut [f32], range: f32, rng: &mut impl Rng) {
    if range > 0.0 {
        let factor = 10f32.powf(range * rng.random_range(-1.0..=1.0) / 20.0);
        window.iter_mut().for_each(|s| *s *= factor);
    }
}

/// Adds [`noise`], `snr` dB below the window.
pub fn add_noise(window: &mut [f32], snr: f32, steepest: f32, rng: &mut impl Rng) {
    let level = rms(window) * 10f32.powf(-snr / 20.0);
    let noise = noise(window.len(), steepest, rng);
    window.iter_mut().zip(noise).for_each(|(s, n)| *s += level * n);
}

/// Noise of a random colour, from white to `steepest` dB per decade of frequency, RMS 1.
pub fn noise(count: usize, steepest: f32, rng: &mut impl Rng) -> Vec<f32> {
    if steepest == 0.0 {
        return (0..count).map(|_| normal(rng)).collect();
    }
    let colour = rng.random_range(0.0..steepest);
    coloured_noise(count, colour, rng)
}

/// Noise that falls by `colour` dB per decade of frequency, RMS 1.
pub fn coloured_noise(count: usize, colour: f32, rng: &mut impl Rng) -> Vec<f32> {
    let size = count.next_power_of_two();
    let mut values: Vec<Complex32> = (0..size).map(|_| Complex32::new(normal(rng), 0.0)).collect();
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(size).process(&mut values);
    for (bin, value) in values.iter_mut().enumerate() {
        // Below some Hz it does not rise any more.
        let frequency = bin.min(size - bin).max(size / 1024 + 1) as f32;
        *value *= frequency.powf(-colour / 20.0);
    }
    planner.plan_fft_inverse(size).process(&mut values);
    let mut noise: Vec<f32> = values[..count].iter().map(|value| value.re).collect();
    let scale = 1.0 / rms(&noise);
    noise.iter_mut().for_each(|n| *n *= scale);
    noise
}

/// Adds a stretch of `background` from a random place, `snr` dB below the window. A background that is shorter than the
/// window is repeated; a silent one changes nothing.
pub fn add_background(window: &mut [f32], background: &[f32], snr: f32, rng: &mut impl Rng) {
    let start = rng.random_range(0..background.len());
    let part: Vec<f32> = background.iter().cycle().skip(start).take(window.len()).copied().collect();
    if rms(&part) > 0.0 {
        let level = rms(window) / rms(&part) * 10f32.powf(-snr / 20.0);
        window.iter_mut().zip(part).for_each(|(s, b)| *s += level * b);
    }
}

/// Fills the window with a stretch of `background` from a random place, repeated if it is shorter.
pub fn copy_of(window: &mut [f32], background: &[f32], rng: &mut impl Rng) {
    let start = rng.random_range(0..background.len());
    window.iter_mut().zip(background.iter().cycle().skip(start)).for_each(|(s, b)| *s = *b);
}

/// SpecAugment (Park et al., arXiv:1904.08779): one band of bins and one stretch of rows are set to the mean.
/// `features` is `[bins, rows]`.
pub fn mask(features: &mut [f32], rows: usize, augment: &Augment, rng: &mut impl Rng) {
    let bins = features.len() / rows;
    let mean = features.iter().sum::<f32>() / features.len() as f32;
    let widest = augment.mask_bins.min(bins);
    let width = rng.random_range(widest / 3..=widest);
    let first = rng.random_range(0..=bins - width);
    features[first * rows..(first + width) * rows].fill(mean);
    let width = rng.random_range(0..=augment.mask_rows.min(rows));
    let first = rng.random_range(0..=rows - width);
    for bin in features.chunks_exact_mut(rows) {
        bin[first..first + width].fill(mean);
    }
}

/// Turns the bins upside down. `features` is `[bins, rows]`.
pub fn flip(features: &mut [f32], rows: usize) {
    let bins = features.len() / rows;
    for bin in 0..bins / 2 {
        let (low, high) = features.split_at_mut((bins - 1 - bin) * rows);
        low[bin * rows..(bin + 1) * rows].swap_with_slice(&mut high[..rows]);
    }
}

/// Root of the mean square.
pub fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

/// One number of the normal distribution.
pub fn normal(rng: &mut impl Rng) -> f32 {
    StandardNormal.sample(rng)
}
