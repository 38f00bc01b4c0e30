//! Training examples: random windows of clips, changed at random, each with the share of every class in it.

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::augment::{self, Augment, SILENCE_RMS, chance, damage, filters, rms, room};
use crate::dataset::Clip;
use crate::front_end::FrontEnd;
use crate::stretch::Stretcher;

/// Windows of one clip that are tried before a silent one is taken.
const TRIES: usize = 8;
/// Share of noise among the examples of no class, where there are backgrounds.
const NOISE_ALONE: f32 = 0.3;
/// Furthest a clip is stretched, either way.
const STRETCH: f32 = 0.2;

/// One batch, ready for tensors.
pub struct Batch {
    /// `[examples, bins, rows]`.
    pub input: Vec<f32>,
    /// `[examples, classes]`: shares whose sum is 1 (one class of many), or what is heard of every class, 0 to 1.
    pub target: Vec<f32>,
    /// Number of examples.
    pub examples: usize,
}

/// How far the stream of examples has come: every number it draws depends on the seed and on this alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Examples made.
    pub examples: u64,
    /// Clips taken; examples that are mixtures take two.
    pub clips: u64,
}

/// What the examples are made of.
#[derive(Clone)]
pub struct Material<'a> {
    /// Not empty.
    pub clips: &'a [&'a Clip],
    /// Number of classes.
    pub classes: usize,
    /// Whether classes are judged each for itself.
    pub multi_label: bool,
    /// What is laid under examples, at the model's rate; none is empty.
    pub backgrounds: Arc<Vec<Vec<f32>>>,
}

/// An endless, seeded stream of batches in which every clip comes up once before any comes up again.
pub struct Crops<'a> {
    material: &'a Material<'a>,
    augment: &'a Augment,
    seed: u64,
    place: Place,
    order: Vec<usize>,
    stretcher: Stretcher,
}

impl<'a> Crops<'a> {
    /// The stream from `place` on.
    pub fn new(material: &'a Material<'a>, augment: &'a Augment, seed: u64, place: Place) -> Self {
        assert!(!material.clips.is_empty(), "training needs clips");
        let mut crops =
            Self { material, augment, seed, place, order: Vec::new(), stretcher: Stretcher::default() };
        crops.shuffle();
        crops
    }

    /// Where the next batch begins.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The next `examples` examples.
    pub fn batch(&mut self, examples: usize, front_end: &mut FrontEnd) -> Batch {
        let [bins, rows] = front_end.shape();
        let classes = self.material.classes;
        let mut input = Vec::with_capacity(examples * bins * rows);
        let mut target = vec![0.0; examples * classes];
        let mut window = vec![0.0; front_end.window()];
        for target in target.chunks_exact_mut(classes) {
            let mut rng = self.numbers(0, self.place.examples);
            self.place.examples += 1;
            self.example(&mut window, target, front_end.sample_rate(), &mut rng);
            let start = input.len();
            front_end.append(&window, &mut input);
            if chance(self.augment.mask, &mut rng) {
                augment::mask(&mut input[start..], rows, self.augment, &mut rng);
            }
            if chance(self.augment.flip, &mut rng) {
                augment::flip(&mut input[start..], rows);
            }
        }
        Batch { input, target, examples }
    }

    /// The next example's samples alone; whose they are does not matter.
    pub fn window(&mut self, window: &mut [f32], sample_rate: u32) {
        let mut rng = self.numbers(0, self.place.examples);
        self.place.examples += 1;
        let mut target = vec![0.0; self.material.classes];
        self.example(window, &mut target, sample_rate, &mut rng);
    }

    /// A window of the next clip twice, each changed for itself. No mixture, and no example of no class.
    pub fn views(&mut self, [first, second]: [&mut [f32]; 2], sample_rate: u32) {
        let mut rng = self.numbers(0, self.place.examples);
        self.place.examples += 1;
        let clip = self.next_clip();
        self.crop(clip, first, sample_rate, &mut rng);
        second.copy_from_slice(first);
        self.change(first, sample_rate, &mut rng);
        self.change(second, sample_rate, &mut rng);
    }

    fn example(&mut self, window: &mut [f32], target: &mut [f32], sample_rate: u32, rng: &mut StdRng) {
        let augment = self.augment;
        if chance(augment.silence, rng) {
            let level =
                if rng.random::<f32>() < 0.3 { 0.0 } else { 10f32.powf(rng.random_range(-5.0..-1.0)) };
            let count = self.material.backgrounds.len();
            if count > 0 && !chance(NOISE_ALONE, rng) {
                window.fill(0.0);
                augment::copy_of(window, &self.material.backgrounds[rng.random_range(0..count)], rng);
                self.damage(window, sample_rate as f32, rng);
            } else {
                let noise = augment::noise(window.len(), augment.noise_colour, rng);
                window.iter_mut().zip(noise).for_each(|(s, n)| *s = level * n);
            }
            target.fill(if self.material.multi_label { 0.0 } else { 1.0 / target.len() as f32 });
            return;
        }
        let clip = self.next_clip();
        let heard = self.crop(clip, window, sample_rate, rng);
        if chance(augment.mix, rng) {
            let other = self.next_clip();
            let mut second = vec![0.0; window.len()];
            let heard_too = self.crop(other, &mut second, sample_rate, rng);
            let share = rng.random_range(0.5..1.0);
            augment::mix(window, &second, share);
            self.add_target(clip, share, heard, target);
            self.add_target(other, 1.0 - share, heard_too, target);
        } else {
            self.add_target(clip, 1.0, heard, target);
        }
        self.change(window, sample_rate, rng);
    }

    /// What becomes of a window on its way from the clip.
    fn change(&self, window: &mut [f32], sample_rate: u32, rng: &mut StdRng) {
        let augment = self.augment;
        if augment.shift > 0.0 {
            augment::shift(window, (augment.shift * sample_rate as f32) as usize, rng);
        }
        self.damage(window, sample_rate as f32, rng);
        let backgrounds = &self.material.backgrounds;
        if !backgrounds.is_empty() && chance(augment.background_share, rng) {
            let background = &backgrounds[rng.random_range(0..backgrounds.len())];
            augment::add_background(window, background, augment.background_snr, rng);
        }
        if chance(augment.noise, rng) {
            let (low, high) = (augment.noise_range[0], augment.noise_range[1]);
            let snr = if low < high { rng.random_range(low..high) } else { low };
            augment::add_noise(window, snr, augment.noise_colour, rng);
        }
    }

    /// What is between the source and the file.
    fn damage(&self, window: &mut [f32], sample_rate: f32, rng: &mut StdRng) {
        let augment = self.augment;
        if chance(augment.room, rng) {
            let response = room::Room::random(rng).response(sample_rate);
            room::reverberate(window, &response);
        }
        if chance(augment.microphone, rng) {
            filters::microphone(window, sample_rate, rng);
        }
        if chance(augment.band, rng) {
            filters::band_limit(window, sample_rate, rng);
        }
        if chance(augment.codec, rng) {
            damage::mu_law(window, chance(0.5, rng));
        }
        if chance(augment.clipping, rng) {
            damage::clip(window, rng);
        }
        augment::gain(window, augment.gain_db, rng);
    }

    /// Shares add up where one class is to be found of many; what is not `heard` of one goes to all alike. Where each is
    /// judged for itself, a class is heard in a mixture as in the clip, whatever its share.
    fn add_target(&self, clip: &Clip, share: f32, heard: f32, target: &mut [f32]) {
        if self.material.multi_label {
            for &class in clip.also.iter().chain([&clip.class]) {
                target[class] = heard.max(target[class]);
            }
        } else {
            let alike = share * (1.0 - heard) / target.len() as f32;
            target.iter_mut().for_each(|t| *t += alike);
            target[clip.class] += share * heard;
        }
    }

    /// Fills `window` from a random place of the clip, and returns how much of it is heard, 0 to 1.
    fn crop(&self, clip: &Clip, window: &mut [f32], sample_rate: u32, rng: &mut StdRng) -> f32 {
        if chance(self.augment.stretch, rng) {
            let length = window.len() as f32 * (1.0 + rng.random_range(-STRETCH..=STRETCH));
            let mut part = vec![0.0; length as usize];
            cut(clip, &mut part, rng);
            self.stretcher.stretch(&part, window);
        } else if chance(self.augment.pitch, rng) {
            let mut part = vec![0.0; (window.len() as f32 * damage::speed(rng)) as usize];
            cut(clip, &mut part, rng);
            damage::play(&part, window);
        } else {
            cut(clip, window, rng);
        }
        if chance(self.augment.partial, rng) { augment::part(window, sample_rate as f32, rng) } else { 1.0 }
    }

    fn next_clip(&mut self) -> &'a Clip {
        let count = self.order.len() as u64;
        if self.place.clips.is_multiple_of(count) {
            self.shuffle();
        }
        let clip = self.material.clips[self.order[(self.place.clips % count) as usize]];
        self.place.clips += 1;
        clip
    }

    /// The order of this round through the clips.
    fn shuffle(&mut self) {
        let count = self.material.clips.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut self.numbers(1, self.place.clips / count as u64));
        self.order = order;
    }

    fn numbers(&self, stream: u64, number: u64) -> StdRng {
        numbers(self.seed, stream, number)
    }
}

/// The generator of one example's samples (`stream` 0), of one round (1) or of one example's features (2).
pub(crate) fn numbers(seed: u64, stream: u64, number: u64) -> StdRng {
    let mut bytes = [0; 32];
    for (bytes, value) in bytes.chunks_exact_mut(8).zip([seed, stream, number]) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
    StdRng::from_seed(bytes)
}

/// Fills `window` from a random place of the clip where there is something to hear; silence follows a clip that is
/// shorter.
fn cut(clip: &Clip, window: &mut [f32], rng: &mut StdRng) {
    for _ in 0..TRIES {
        let spare = clip.samples.len().saturating_sub(window.len());
        let start = rng.random_range(0..=spare);
        let part = &clip.samples[start..clip.samples.len().min(start + window.len())];
        window[..part.len()].copy_from_slice(part);
        window[part.len()..].fill(0.0);
        if spare == 0 || rms(window) >= SILENCE_RMS {
            break;
        }
    }
}
