//! Clips as they would sound elsewhere: farther away, in a room, over a telephone, through a small microphone. The same clip is
//! changed in the same way every time.

use std::fmt;

use rand::{SeedableRng, rngs::StdRng};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

use crate::augment::damage::coded;
use crate::augment::normal;
use crate::augment::room::reverberate;

/// Level of the noise of a microphone and its amplifier, RMS: -72 dB of full scale.
const SELF_NOISE: f32 = 2.5e-4;

/// One place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elsewhere {
    /// So many dB quieter, over a microphone's own noise.
    Quieter(f32),
    /// In a room whose sound falls by 60 dB in so many seconds, so many dB of it below the direct sound.
    Room {
        /// Seconds.
        decay: f32,
        /// dB.
        below: f32,
        /// Rate of the clips, Hz.
        rate: u32,
    },
    /// 300 to 3400 Hz, then 8 bits of µ-law.
    Telephone(u32),
    /// A microphone that hears nothing below 500 and little above 5000 Hz.
    SmallMicrophone(u32),
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quieter(decibels) => write!(f, "{decibels} dB quieter, over a microphone's noise"),
            Self::Room { decay, below, .. } => {
                write!(f, "in a room of {decay} s, its sound {below} dB below the direct one")
            }
            Self::Telephone(_) => write!(f, "over a telephone"),
            Self::SmallMicrophone(_) => write!(f, "through a small microphone"),
        }
    }
}

impl Elsewhere {
    /// The places that a report has, for clips at a rate in Hz.
    pub fn all(rate: u32) -> Vec<Self> {
        vec![
            Self::Quieter(20.0),
            Self::Quieter(40.0),
            Self::Room { decay: 0.3, below: 6.0, rate },
            Self::Room { decay: 0.8, below: 0.0, rate },
            Self::Telephone(rate),
            Self::SmallMicrophone(rate),
        ]
    }

    /// Clip number `index` as it sounds there, as long as it was.
    pub fn heard(&self, samples: &[f32], index: usize) -> Vec<f32> {
        let mut numbers = StdRng::seed_from_u64(index as u64);
        match *self {
            Self::Quieter(decibels) => {
                let gain = 10_f32.powf(-decibels / 20.0);
                samples.iter().map(|s| s * gain + SELF_NOISE * normal(&mut numbers)).collect()
            }
            Self::Room { decay, below, rate } => {
                let count = ((decay * rate as f32) as usize).max(2);
                // 60 dB over the decay: e^-6.9.
                let mut response: Vec<f32> = (0..count)
                    .map(|n| normal(&mut numbers) * (-6.908 * n as f32 / count as f32).exp())
                    .collect();
                response[0] = 0.0;
                let energy: f32 = response.iter().map(|v| v * v).sum();
                let gain = (10_f32.powf(-below / 10.0) / energy.max(1e-9)).sqrt();
                response.iter_mut().for_each(|v| *v *= gain);
                response[0] = 1.0;
                let mut heard = samples.to_vec();
                reverberate(&mut heard, &response);
                heard
            }
            Self::Telephone(rate) => {
                let heard = band(samples, rate, |hz| f32::from(u8::from((300.0..3400.0).contains(&hz))));
                heard.into_iter().map(|s| coded(s.clamp(-1.0, 1.0))).collect()
            }
            Self::SmallMicrophone(rate) => {
                // 12 dB per octave below, 6 above.
                band(samples, rate, |hz| (hz / 500.0).min(1.0).powi(2) * (5000.0 / hz.max(1.0)).min(1.0))
            }
        }
    }
}

/// Every frequency times `gain` of it.
fn band(samples: &[f32], rate: u32, gain: impl Fn(f32) -> f32) -> Vec<f32> {
    let size = samples.len().next_power_of_two();
    let mut values: Vec<Complex32> = samples.iter().map(|v| (*v).into()).collect();
    values.resize(size, Complex32::default());
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(size).process(&mut values);
    for (bin, value) in values.iter_mut().enumerate() {
        *value *= gain(bin.min(size - bin) as f32 * rate as f32 / size as f32);
    }
    planner.plan_fft_inverse(size).process(&mut values);
    values[..samples.len()].iter().map(|value| value.re / size as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::rms;

    fn tone(hz: f32, rate: u32, count: usize) -> Vec<f32> {
        (0..count).map(|n| 0.1 * (std::f32::consts::TAU * hz * n as f32 / rate as f32).sin()).collect()
    }

    #[test]
    fn places_do_what_they_say_and_the_same_each_time() {
        let decibels = |a: &[f32], b: &[f32]| 20.0 * (rms(a) / rms(b)).log10();
        let sound = tone(1000.0, 16_000, 32_000);
        for place in Elsewhere::all(16_000) {
            let heard = place.heard(&sound, 3);
            assert!(heard == place.heard(&sound, 3) && heard.len() == sound.len(), "{place}");
        }
        assert!((decibels(&Elsewhere::Quieter(20.0).heard(&sound, 1), &sound) + 20.0).abs() < 0.1);
        let telephone =
            |hz: f32| decibels(&Elsewhere::Telephone(16_000).heard(&tone(hz, 16_000, 16_384), 1), &sound);
        assert!(telephone(1000.0).abs() < 0.5 && telephone(100.0) < -30.0 && telephone(5000.0) < -30.0);
        let small = |hz: f32| {
            decibels(&Elsewhere::SmallMicrophone(16_000).heard(&tone(hz, 16_000, 16_384), 1), &sound)
        };
        assert!((small(250.0) + 12.0).abs() < 0.5 && small(1000.0).abs() < 0.5, "{}", small(250.0));
        // A click in a room: the rest has the energy that was asked for, and falls by 60 dB over the decay.
        let mut click = vec![0.0; 16_000];
        click[0] = 1.0;
        let room = Elsewhere::Room { decay: 0.5, below: 6.0, rate: 16_000 };
        let heard = room.heard(&click, 1);
        let energy = |part: &[f32]| part.iter().map(|v| v * v).sum::<f32>();
        let share = 10.0 * (energy(&heard[1..]) / energy(&heard[..1])).log10();
        assert!((share + 6.0).abs() < 0.1, "{share}");
        let fall = 10.0 * (energy(&heard[1..800]) / energy(&heard[4000..4800])).log10();
        assert!((fall - 30.0).abs() < 3.0, "{fall}");
        // 8 bits: about 38 dB of signal to noise, at any level.
        let quiet: Vec<f32> = sound.iter().map(|s| 0.03 * s).collect();
        for sound in [&sound, &quiet] {
            let error: Vec<f32> = sound.iter().map(|s| coded(*s) - s).collect();
            assert!((-decibels(&error, sound) - 36.0).abs() < 6.0, "{}", -decibels(&error, sound));
        }
    }
}
