//! A room that does not exist: image sources of a box (Allen and Berkley, 1979, 10.1121/1.382599).

use rand::{Rng, RngExt};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

/// Speed of sound, m/s.
const SOUND: f32 = 343.0;
/// Images on either side along each axis: reflections of up to this order.
const ORDER: i32 = 6;
/// Longest response that is kept, s.
const LONGEST: f32 = 0.4;

/// A box with a source and a microphone in it.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Sides, m.
    pub sides: [f32; 3],
    /// Places, m from one corner.
    pub source: [f32; 3],
    /// See above.
    pub microphone: [f32; 3],
    /// Part of the pressure that a wall gives back, 0 to 1.
    pub reflection: f32,
}

impl Room {
    /// From a small office to a hall, hard or soft.
    pub fn random(rng: &mut impl Rng) -> Self {
        let sides = [rng.random_range(2.0..12.0), rng.random_range(2.0..9.0), rng.random_range(2.2..5.0)];
        let mut place = || sides.map(|side: f32| rng.random_range(0.1..0.9) * side);
        let (source, microphone) = (place(), place());
        Self { sides, source, microphone, reflection: rng.random_range(0.3..0.92) }
    }

    /// What the microphone hears of a click, from the moment it arrives; the direct sound is 1.
    pub fn response(&self, sample_rate: f32) -> Vec<f32> {
        let distance = |image: [f32; 3]| {
            image.iter().zip(self.microphone).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt().max(0.1)
        };
        let direct = distance(self.source);
        let mut response = vec![0.0; (LONGEST * sample_rate) as usize];
        // Along one axis: where the images are, and how many walls each has behind it.
        let images = |axis: usize| {
            (-ORDER..=ORDER).flat_map(move |n| {
                let (side, at) = (self.sides[axis], self.source[axis]);
                [(2.0 * n as f32 * side + at, (2 * n).abs()), (2.0 * n as f32 * side - at, (2 * n - 1).abs())]
            })
        };
        for (x, walls_x) in images(0) {
            for (y, walls_y) in images(1) {
                for (z, walls_z) in images(2) {
                    let away = distance([x, y, z]);
                    let at = ((away - direct) / SOUND * sample_rate).round();
                    if at >= 0.0
                        && let Some(sample) = response.get_mut(at as usize)
                    {
                        *sample += direct / away * self.reflection.powi(walls_x + walls_y + walls_z);
                    }
                }
            }
        }
        response
    }
}

/// The window as it is heard in a room, as loud as before.
pub fn reverberate(window: &mut [f32], response: &[f32]) {
    let size = (window.len() + response.len()).next_power_of_two();
    let mut planner = FftPlanner::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |samples: &[f32]| {
        let mut values: Vec<Complex32> = samples.iter().map(|&s| Complex32::new(s, 0.0)).collect();
        values.resize(size, Complex32::default());
        forward.process(&mut values);
        values
    };
    let (mut sound, room) = (spectrum(window), spectrum(response));
    sound.iter_mut().zip(room).for_each(|(a, b)| *a *= b);
    inverse.process(&mut sound);
    let before = super::rms(window);
    window.iter_mut().zip(&sound).for_each(|(s, heard)| *s = heard.re / size as f32);
    let after = super::rms(window);
    if after > 0.0 {
        window.iter_mut().for_each(|s| *s *= before / after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_echo_comes_when_geometry_says() {
        // Source and microphone 3 m apart on the axis of a long hall: the nearest walls are 2 m to the side.
        let room = Room {
            sides: [40.0, 4.0, 40.0],
            source: [18.0, 2.0, 20.0],
            microphone: [21.0, 2.0, 20.0],
            reflection: 0.5,
        };
        let response = room.response(16_000.0);
        assert_eq!(response[0], 1.0);
        let away = (3f32.powi(2) + 4f32.powi(2)).sqrt();
        let at = ((away - 3.0) / SOUND * 16_000.0).round() as usize;
        let first = response.iter().skip(1).position(|s| *s != 0.0).map(|n| n + 1);
        assert_eq!(first, Some(at));
        assert!((response[at] - 2.0 * 0.5 * 3.0 / away).abs() < 1e-4, "both walls: {}", response[at]);
    }

    #[test]
    fn a_response_of_one_click_changes_nothing() {
        let mut window: Vec<f32> = (0..1000).map(|n| ((n * 37) % 101) as f32 / 101.0 - 0.5).collect();
        let before = window.clone();
        reverberate(&mut window, &[1.0, 0.0, 0.0]);
        assert!(window.iter().zip(before).all(|(a, b)| (a - b).abs() < 1e-4));
    }
}
