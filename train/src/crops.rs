//! Training examples: random windows of clips, changed at random, each with the share of every class in it.

use clap::Args;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::dataset::Clip;
use crate::front_end::FrontEnd;

/// A window below this RMS (-60 dB of full scale) is silence: no class can be heard in it.
const SILENCE_RMS: f32 = 1e-3;
/// Windows of one clip that are tried before a silent one is taken.
const TRIES: usize = 8;

/// How examples are changed. Every part can be switched off with 0.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Share of the examples that are a mixture of two clips at a random ratio; the target is mixed alike.
    #[arg(long, default_value_t = 0.1)]
    pub mix: f32,
    /// Gain, uniform within ± so many dB.
    #[arg(long, default_value_t = 6.0)]
    pub gain_db: f32,
    /// Share of the examples that get white noise at an SNR of 5 to 20 dB.
    #[arg(long, default_value_t = 0.1)]
    pub noise: f32,
    /// Widest band of mel bins that is blanked out.
    #[arg(long, default_value_t = 6)]
    pub mask_bins: usize,
    /// Longest stretch of rows that is blanked out.
    #[arg(long, default_value_t = 3)]
    pub mask_rows: usize,
    /// Share of the examples that are digital silence or a very quiet hiss, whose target is every class alike.
    #[arg(long, default_value_t = 0.03)]
    pub silence: f32,
}

/// One batch, ready for tensors.
pub struct Batch {
    /// `[examples, bins, rows]`.
    pub input: Vec<f32>,
    /// `[examples, classes]`; every row's sum is 1.
    pub target: Vec<f32>,
    /// Number of examples.
    pub examples: usize,
}

/// An endless, seeded stream of batches in which every clip comes up once before any comes up again.
pub struct Crops<'a> {
    clips: &'a [&'a Clip],
    classes: usize,
    augment: &'a Augment,
    rng: StdRng,
    order: Vec<usize>,
    next: usize,
}

impl<'a> Crops<'a> {
    /// `clips` must not be empty.
    pub fn new(clips: &'a [&'a Clip], classes: usize, augment: &'a Augment, seed: u64) -> Self {
        assert!(!clips.is_empty(), "training needs clips");
        let order = (0..clips.len()).collect();
        Self { clips, classes, augment, rng: StdRng::seed_from_u64(seed), order, next: clips.len() }
    }

    /// The next `examples` examples.
    pub fn batch(&mut self, examples: usize, front_end: &mut FrontEnd) -> Batch {
        let [bins, rows] = front_end.shape();
        let mut input = Vec::with_capacity(examples * bins * rows);
        let mut target = vec![0.0; examples * self.classes];
        let mut window = vec![0.0; front_end.window()];
        let mut second = window.clone();
        for target in target.chunks_exact_mut(self.classes) {
            self.example(&mut window, &mut second, target);
            let start = input.len();
            front_end.append(&window, &mut input);
            mask(&mut input[start..], bins, rows, self.augment, &mut self.rng);
        }
        Batch { input, target, examples }
    }

    fn example(&mut self, window: &mut [f32], second: &mut [f32], target: &mut [f32]) {
        if self.chance(self.augment.silence) {
            let level = if self.rng.random() { 0.0 } else { 10f32.powf(self.rng.random_range(-5.0..-3.7)) };
            window.iter_mut().for_each(|s| *s = level * normal(&mut self.rng));
            target.fill(1.0 / self.classes as f32);
            return;
        }
        let mut share = 1.0;
        let class = self.crop(window);
        if self.chance(self.augment.mix) {
            let other = self.crop(second);
            share = self.rng.random_range(0.5..1.0);
            mix(window, second, share);
            target[other] += 1.0 - share;
        }
        target[class] += share;
        let gain = 10f32.powf(self.augment.gain_db * self.rng.random_range(-1.0..=1.0) / 20.0);
        window.iter_mut().for_each(|s| *s *= gain);
        if self.chance(self.augment.noise) {
            let level = rms(window) * 10f32.powf(-self.rng.random_range(5.0..20.0) / 20.0);
            window.iter_mut().for_each(|s| *s += level * normal(&mut self.rng));
        }
    }

    /// Fills `window` from a random place of the next clip and says its class.
    fn crop(&mut self, window: &mut [f32]) -> usize {
        if self.next == self.order.len() {
            self.order.shuffle(&mut self.rng);
            self.next = 0;
        }
        let clip = self.clips[self.order[self.next]];
        self.next += 1;
        for _ in 0..TRIES {
            let spare = clip.samples.len().saturating_sub(window.len());
            let start = self.rng.random_range(0..=spare);
            let part = &clip.samples[start..clip.samples.len().min(start + window.len())];
            window[..part.len()].copy_from_slice(part);
            window[part.len()..].fill(0.0);
            if rms(window) >= SILENCE_RMS {
                break;
            }
        }
        clip.class
    }

    fn chance(&mut self, probability: f32) -> bool {
        self.rng.random::<f32>() < probability
    }
}

/// `a * share + b * (1 - share)`, after `b` was brought to the RMS of `a`, so that `share` is what is heard.
fn mix(a: &mut [f32], b: &[f32], share: f32) {
    let level = if rms(b) > SILENCE_RMS { rms(a) / rms(b) } else { 1.0 };
    for (a, b) in a.iter_mut().zip(b) {
        *a = *a * share + b * level * (1.0 - share);
    }
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

fn normal(rng: &mut impl Rng) -> f32 {
    StandardNormal.sample(rng)
}

/// SpecAugment (Park et al., arXiv:1904.08779): one band of bins and one stretch of rows are set to the mean.
fn mask(features: &mut [f32], bins: usize, rows: usize, augment: &Augment, rng: &mut impl Rng) {
    let mean = features.iter().sum::<f32>() / features.len() as f32;
    let width = rng.random_range(0..=augment.mask_bins.min(bins));
    let first = rng.random_range(0..=bins - width);
    features[first * rows..(first + width) * rows].fill(mean);
    let width = rng.random_range(0..=augment.mask_rows.min(rows));
    let first = rng.random_range(0..=rows - width);
    for bin in features.chunks_exact_mut(rows) {
        bin[first..first + width].fill(mean);
    }
}
