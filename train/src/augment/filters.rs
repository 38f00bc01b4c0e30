//! What microphones, loudspeakers and lines do to a sound: filters of second order (R. Bristow-Johnson's cookbook).

use std::f32::consts::{FRAC_1_SQRT_2, TAU};

use rand::{Rng, RngExt};

/// Largest tilt of the spectrum, dB per octave.
const TILT: f32 = 3.0;
/// Where a tilted spectrum keeps its level, Hz, and how many octaves above it and below are tilted.
const PIVOT: f32 = 1000.0;
const OCTAVES: i32 = 4;
/// Resonances of a microphone: how many, and how high or deep, dB.
const RESONANCES: usize = 3;
const RESONANCE: f32 = 8.0;

/// One filter of second order.
#[derive(Clone, Copy, Debug)]
pub struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
}

/// Kinds of filters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Nothing above a frequency.
    LowPass,
    /// Nothing below a frequency.
    HighPass,
    /// So many dB around a frequency.
    Peak(f32),
    /// So many dB above a frequency.
    HighShelf(f32),
}

impl Biquad {
    /// `quality` is 1/√2 for the flattest slope. The frequency is kept below half of the rate.
    pub fn new(shape: Shape, hz: f32, quality: f32, sample_rate: f32) -> Self {
        let w = TAU * hz.clamp(1.0, 0.49 * sample_rate) / sample_rate;
        let (sin, cos) = w.sin_cos();
        let alpha = sin / (2.0 * quality);
        let (b, a) = match shape {
            Shape::LowPass => {
                let side = (1.0 - cos) / 2.0;
                ([side, 2.0 * side, side], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
            }
            Shape::HighPass => {
                let side = (1.0 + cos) / 2.0;
                ([side, -2.0 * side, side], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
            }
            Shape::Peak(db) => {
                let a = 10f32.powf(db / 40.0);
                (
                    [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a],
                    [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
                )
            }
            Shape::HighShelf(db) => {
                let a = 10f32.powf(db / 40.0);
                let root = 2.0 * a.sqrt() * alpha;
                (
                    [
                        a * ((a + 1.0) + (a - 1.0) * cos + root),
                        -2.0 * a * ((a - 1.0) + (a + 1.0) * cos),
                        a * ((a + 1.0) + (a - 1.0) * cos - root),
                    ],
                    [
                        (a + 1.0) - (a - 1.0) * cos + root,
                        2.0 * ((a - 1.0) - (a + 1.0) * cos),
                        (a + 1.0) - (a - 1.0) * cos - root,
                    ],
                )
            }
        };
        Self { b: b.map(|b| b / a[0]), a: [a[1] / a[0], a[2] / a[0]] }
    }

    /// Filters in place, from rest.
    pub fn run(&self, samples: &mut [f32]) {
        let (mut one, mut two) = (0.0, 0.0);
        for sample in samples {
            let x = *sample;
            let y = self.b[0] * x + one;
            one = self.b[1] * x - self.a[0] * y + two;
            two = self.b[2] * x - self.a[1] * y;
            *sample = y;
        }
    }
}

/// A microphone of its own: the spectrum tilted by up to 3 dB per octave, and a few resonances.
pub fn microphone(window: &mut [f32], sample_rate: f32, rng: &mut impl Rng) {
    let slope = rng.random_range(-TILT..=TILT);
    for octave in -OCTAVES..OCTAVES {
        // A shelf an octave adds up to a slope.
        let hz = PIVOT * 2f32.powf(octave as f32 + 0.5);
        if hz < 0.45 * sample_rate {
            Biquad::new(Shape::HighShelf(slope), hz, FRAC_1_SQRT_2, sample_rate).run(window);
        }
    }
    let level = 10f32.powf(slope * OCTAVES as f32 / 20.0);
    window.iter_mut().for_each(|s| *s /= level); // what lies at the pivot keeps its level
    for _ in 0..RESONANCES {
        let hz = 100.0 * (0.4 * sample_rate / 100.0).powf(rng.random());
        let (db, quality) = (rng.random_range(-RESONANCE..=RESONANCE), rng.random_range(0.5..4.0));
        Biquad::new(Shape::Peak(db), hz, quality, sample_rate).run(window);
    }
}

/// A narrow line: nothing above 1.5 to 7 kHz, or below 50 to 500 Hz, or both.
pub fn band_limit(window: &mut [f32], sample_rate: f32, rng: &mut impl Rng) {
    let which = rng.random_range(0..3);
    let (low, high): (f32, f32) = (rng.random(), rng.random());
    let mut pass = |shape, hz| {
        let filter = Biquad::new(shape, hz, FRAC_1_SQRT_2, sample_rate);
        filter.run(window);
        filter.run(window);
    };
    if which != 0 {
        pass(Shape::HighPass, 50.0 * 10f32.powf(low));
    }
    if which != 1 {
        pass(Shape::LowPass, 1500.0 * (7000.0_f32 / 1500.0).powf(high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f32 = 16_000.0;

    /// Gain at a frequency, dB, of what a filter makes of a tone.
    fn gain(filter: &Biquad, hz: f32) -> f32 {
        let tone: Vec<f32> = (0..16_000).map(|n| (TAU * hz * n as f32 / RATE).sin()).collect();
        let mut filtered = tone.clone();
        filter.run(&mut filtered);
        let power = |samples: &[f32]| samples[8000..].iter().map(|s| s * s).sum::<f32>();
        10.0 * (power(&filtered) / power(&tone)).log10()
    }

    #[test]
    fn filters_do_what_their_names_say() {
        let new = |shape, hz| Biquad::new(shape, hz, FRAC_1_SQRT_2, RATE);
        let near =
            |value: f32, expected: f32| assert!((value - expected).abs() < 0.3, "{value}, not {expected}");
        near(gain(&new(Shape::LowPass, 1000.0), 1000.0), -3.0);
        assert!(gain(&new(Shape::LowPass, 1000.0), 4000.0) < -22.0);
        near(gain(&new(Shape::HighPass, 1000.0), 1000.0), -3.0);
        assert!(gain(&new(Shape::HighPass, 1000.0), 250.0) < -22.0);
        near(gain(&new(Shape::Peak(6.0), 1000.0), 1000.0), 6.0);
        near(gain(&new(Shape::HighShelf(6.0), 500.0), 6000.0), 6.0);
        near(gain(&new(Shape::HighShelf(6.0), 1000.0), 30.0), 0.0);
    }
}
