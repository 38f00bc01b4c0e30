//! How examples are changed at random. Every part draws its numbers from the example's own generator, and none if it is
//! switched off.

use std::path::PathBuf;

use clap::Args;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
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
    /// Gain, uniform within ± so many dB.
    #[arg(long, default_value_t = 6.0)]
    pub gain_db: f32,
    /// Share of the examples that get white noise at an SNR of 5 to 20 dB.
    #[arg(long, default_value_t = 0.3)]
    pub noise: f32,
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
    /// Share of the examples that are digital silence or white noise at any level, whose target is every class alike
    /// (none of them where classes are judged each for itself).
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
            gain_db: 0.0,
            noise: 0.0,
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

/// Multiplies by a gain that is uniform within ± `range` dB.
pub fn gain(window: &mut [f32], range: f32, rng: &mut impl Rng) {
    if range > 0.0 {
        let factor = 10f32.powf(range * rng.random_range(-1.0..=1.0) / 20.0);
        window.iter_mut().for_each(|s| *s *= factor);
    }
}

/// Adds white noise, `snr` dB below the window.
pub fn add_noise(window: &mut [f32], snr: f32, rng: &mut impl Rng) {
    let level = rms(window) * 10f32.powf(-snr / 20.0);
    window.iter_mut().for_each(|s| *s += level * normal(rng));
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
