//! Clips in noise of known colour and level.

use std::sync::Arc;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::augment::{add_background, add_noise, normal};

/// What is laid over a clip.
#[derive(Clone, Debug)]
pub enum Colour {
    /// Every frequency alike.
    White,
    /// Every octave alike.
    Pink,
    /// Recordings at the model's rate; none is empty.
    Recorded(Arc<Vec<Vec<f32>>>),
}

/// One noise.
#[derive(Clone, Debug)]
pub struct Noise {
    /// What it sounds like.
    pub colour: Colour,
    /// Of the clip to the noise, dB, both over the whole clip.
    pub snr: f32,
}

impl Noise {
    /// White and pink, and the recordings if there are any, at each SNR.
    pub fn all(snrs: &[f32], recorded: &Arc<Vec<Vec<f32>>>) -> Vec<Self> {
        let mut colours = vec![Colour::White, Colour::Pink];
        if !recorded.is_empty() {
            colours.push(Colour::Recorded(recorded.clone()));
        }
        let at = |colour: &Colour| {
            snrs.iter().map(|&snr| Self { colour: colour.clone(), snr }).collect::<Vec<_>>()
        };
        colours.iter().flat_map(at).collect()
    }

    /// What a report calls it.
    pub fn name(&self) -> &'static str {
        match self.colour {
            Colour::White => "white",
            Colour::Pink => "pink",
            Colour::Recorded(_) => "recorded",
        }
    }

    /// The clip with it. Clip `index` gets the same noise every time.
    pub fn over(&self, samples: &[f32], index: usize) -> Vec<f32> {
        let mut numbers = StdRng::seed_from_u64(index as u64);
        let mut noisy = samples.to_vec();
        match &self.colour {
            Colour::White => add_noise(&mut noisy, self.snr, 0.0, &mut numbers),
            Colour::Pink => {
                let pink = pink(noisy.len(), &mut numbers);
                add_background(&mut noisy, &pink, self.snr, &mut numbers);
            }
            Colour::Recorded(recorded) => {
                let background = &recorded[numbers.random_range(0..recorded.len())];
                add_background(&mut noisy, background, self.snr, &mut numbers);
            }
        }
        noisy
    }
}

/// White noise through seven poles that fall by 3 dB an octave (P. Kellet's filter, within 0.05 dB above 0.0002 of the rate),
/// an RMS of about 1.
pub fn pink(count: usize, numbers: &mut StdRng) -> Vec<f32> {
    const POLES: [(f32, f32); 6] = [
        (0.99886, 0.055_517_9),
        (0.99332, 0.075_075_9),
        (0.969, 0.153_852),
        (0.8665, 0.310_485_6),
        (0.55, 0.532_952_2),
        (-0.7616, -0.016_898),
    ];
    let (mut state, mut before) = ([0.0; 6], 0.0);
    let mut next = || {
        let white = normal(numbers);
        for (state, (pole, gain)) in state.iter_mut().zip(POLES) {
            *state = pole * *state + gain * white;
        }
        let sum = state.iter().sum::<f32>() + before + 0.5362 * white;
        before = 0.115_926 * white;
        0.55 * sum
    };
    // The slowest pole has settled by then.
    (0..4096 + count).map(|_| next()).skip(4096).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::rms;

    /// Power in the octave above `from`, a fraction of the rate, by a plain DFT over pieces.
    fn octave(samples: &[f32], from: f32) -> f32 {
        let size = 1024;
        let bins = (from * size as f32) as usize..(2.0 * from * size as f32) as usize;
        let power = |piece: &[f32], bin: usize| {
            let sum = |part: fn(f32) -> f32| -> f32 {
                let turn = std::f32::consts::TAU * bin as f32 / size as f32;
                piece.iter().enumerate().map(|(n, s)| s * part(turn * n as f32)).sum()
            };
            sum(f32::cos).powi(2) + sum(f32::sin).powi(2)
        };
        samples
            .chunks_exact(size)
            .take(40)
            .map(|piece| bins.clone().map(|bin| power(piece, bin)).sum::<f32>())
            .sum()
    }

    #[test]
    fn pink_noise_has_every_octave_alike() {
        let noise = pink(50_000, &mut StdRng::seed_from_u64(3));
        assert!((0.5..2.0).contains(&rms(&noise)), "{}", rms(&noise));
        let [low, middle, high] = [1.0 / 64.0, 1.0 / 16.0, 1.0 / 4.0].map(|from| octave(&noise, from));
        assert!(
            (low / middle - 1.0).abs() < 0.3 && (high / middle - 1.0).abs() < 0.3,
            "{low} {middle} {high}"
        );
    }

    #[test]
    fn noise_is_as_far_below_the_clip_as_it_says() {
        let clip: Vec<f32> = (0..16_000).map(|n| 0.2 * (n as f32 * 0.1).sin()).collect();
        let recorded = Arc::new(vec![vec![0.3, -0.3, 0.1]]);
        for noise in Noise::all(&[10.0, 0.0], &recorded) {
            let noisy = noise.over(&clip, 7);
            assert_eq!(noisy, noise.over(&clip, 7));
            let added: Vec<f32> = noisy.iter().zip(&clip).map(|(a, b)| a - b).collect();
            let snr = 20.0 * (rms(&clip) / rms(&added)).log10();
            assert!((snr - noise.snr).abs() < 0.3, "{} at {}: {snr}", noise.name(), noise.snr);
        }
    }
}
