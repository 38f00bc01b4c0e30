//! What one clip sounds like, in numbers.

use serde::Serialize;

use crate::augment::{SILENCE_RMS, rms};

/// A sample from here on is at full scale. A resampler rounds tops off, hence not 1.
const FULL_SCALE: f32 = 0.985;
/// Share of samples at full scale from which on a clip counts as clipped.
const CLIPPED: f64 = 1e-3;
/// Share of exact zeros at an end from which on a clip counts as padded.
const PADDED: f64 = 0.1;
/// Parts by which silence is judged, seconds.
const PART: f64 = 0.01;
/// Of digital silence, which has no level.
const NO_LEVEL: f64 = -200.0;

/// A clip in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sound {
    /// Its length.
    pub seconds: f64,
    /// RMS, dB of full scale.
    pub level: f64,
    /// Highest sample, dB of full scale.
    pub peak: f64,
    /// Share of its parts of 10 ms that are below -60 dB of full scale.
    pub silence: f64,
    /// Share of its samples that are at full scale.
    pub full_scale: f64,
    /// Share of it that is exact zeros at its beginning and its end.
    pub zeros: f64,
}

impl Sound {
    /// Of samples at a rate in Hz.
    pub fn new(samples: &[f32], sample_rate: u32) -> Self {
        let share = |count: usize| count as f64 / samples.len().max(1) as f64;
        let decibels = |value: f32| (20.0 * f64::from(value).log10()).max(NO_LEVEL);
        let part = ((PART * f64::from(sample_rate)) as usize).clamp(1, samples.len().max(1));
        let parts = samples.chunks(part);
        let silent = parts.clone().filter(|part| rms(part) < SILENCE_RMS).count();
        let zero = |sample: &&f32| **sample == 0.0;
        let start = samples.iter().take_while(zero).count();
        let end = samples[start..].iter().rev().take_while(zero).count();
        Self {
            seconds: samples.len() as f64 / f64::from(sample_rate),
            level: if samples.is_empty() { NO_LEVEL } else { decibels(rms(samples)) },
            peak: decibels(samples.iter().fold(0.0, |most, sample| most.max(sample.abs()))),
            silence: silent as f64 / parts.len().max(1) as f64,
            full_scale: share(samples.iter().filter(|sample| sample.abs() >= FULL_SCALE).count()),
            zeros: share(start + end),
        }
    }

    /// Below -60 dB of full scale all the time.
    pub fn is_silent(&self) -> bool {
        self.silence >= 1.0
    }

    /// At full scale for more than 0.1 % of the time.
    pub fn is_clipped(&self) -> bool {
        self.full_scale > CLIPPED
    }

    /// More than a tenth of it is digital silence at its ends, and not all of it.
    pub fn is_padded(&self) -> bool {
        self.zeros > PADDED && !self.is_silent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_square_wave_between_zeros() {
        let mut samples = vec![0.0; 4_000];
        samples.extend((0..8_000).map(|n| if n / 20 % 2 == 0 { 1.0 } else { -1.0 }));
        samples.extend(vec![0.0; 4_000]);
        let sound = Sound::new(&samples, 16_000);
        assert_eq!((sound.seconds, sound.silence, sound.full_scale, sound.zeros), (1.0, 0.5, 0.5, 0.5));
        assert!((sound.level + 3.01).abs() < 0.01 && sound.peak == 0.0, "{sound:?}");
        assert!(sound.is_clipped() && sound.is_padded() && !sound.is_silent());
        let silence = Sound::new(&[0.0; 1_000], 16_000);
        assert!(silence.is_silent() && !silence.is_padded() && silence.level == NO_LEVEL, "{silence:?}");
    }
}
