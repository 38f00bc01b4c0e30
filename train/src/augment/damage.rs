//! What is lost on the way: codecs, clipping, another pitch.

use rand::{Rng, RngExt};

/// µ of North American and Japanese telephony (ITU-T G.711).
const MU: f32 = 255.0;
/// Furthest change of the pitch, semitones either way.
const SEMITONES: f32 = 3.0;
/// Loudest that a window is driven above full scale, dB.
const OVERDRIVE: f32 = 15.0;

/// A sample of -1 to 1 after 8 bits of µ-law.
pub fn coded(x: f32) -> f32 {
    let code = (x.signum() * (1.0 + MU * x.abs()).ln() / (1.0 + MU).ln() * 127.0).round() / 127.0;
    code.signum() * ((1.0 + MU).powf(code.abs()) - 1.0) / MU
}

/// 8 bits of µ-law, at half the rate if `half` (every second sample, the others between their neighbours): a telephone.
pub fn mu_law(window: &mut [f32], half: bool) {
    let peak = window.iter().fold(0f32, |m, s| m.max(s.abs())).max(1e-6);
    for sample in window.iter_mut() {
        *sample = peak * coded(*sample / peak);
    }
    if half {
        for n in (1..window.len()).step_by(2) {
            let next = window.get(n + 1).copied().unwrap_or(window[n - 1]);
            window[n] = (window[n - 1] + next) / 2.0;
        }
    }
}

/// Drives the window beyond what its converter holds: peaks are cut off, at the level that they had.
pub fn clip(window: &mut [f32], rng: &mut impl Rng) {
    let peak = window.iter().fold(0f32, |m, s| m.max(s.abs()));
    let limit = peak * 10f32.powf(-rng.random_range(0.0..OVERDRIVE) / 20.0);
    window.iter_mut().for_each(|s| *s = s.clamp(-limit, limit));
}

/// How much faster a sound is played to change its pitch by up to three semitones: samples per sample.
pub fn speed(rng: &mut impl Rng) -> f32 {
    2f32.powf(rng.random_range(-SEMITONES..=SEMITONES) / 12.0)
}

/// Plays `part` at such a speed that it fills `window`.
pub fn play(part: &[f32], window: &mut [f32]) {
    let step = part.len() as f32 / window.len() as f32;
    for (n, sample) in window.iter_mut().enumerate() {
        let at = n as f32 * step;
        let index = (at as usize).min(part.len() - 1);
        let next = part[(index + 1).min(part.len() - 1)];
        *sample = part[index] + (next - part[index]) * (at - index as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};
    use std::f32::consts::TAU;

    fn tone(hz: f32, count: usize) -> Vec<f32> {
        (0..count).map(|n| 0.5 * (TAU * hz * n as f32 / 16_000.0).sin()).collect()
    }

    #[test]
    fn mu_law_has_its_38_db() {
        let tone = tone(440.0, 16_000);
        let mut coded = tone.clone();
        mu_law(&mut coded, false);
        let noise: f32 = coded.iter().zip(&tone).map(|(a, b)| (a - b).powi(2)).sum();
        let snr = 10.0 * (tone.iter().map(|s| s * s).sum::<f32>() / noise).log10();
        assert!((34.0..42.0).contains(&snr), "{snr} dB");
    }

    #[test]
    fn a_part_that_is_played_faster_sounds_higher() {
        let mut window = vec![0.0; 16_000];
        play(&tone(400.0, 20_000), &mut window);
        let crossings = window.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
        assert!((495..=505).contains(&crossings), "{crossings} Hz");
    }

    #[test]
    fn clipping_cuts_peaks_alone() {
        let mut window = tone(440.0, 1000);
        let before = window.clone();
        clip(&mut window, &mut StdRng::seed_from_u64(1));
        let limit = window.iter().fold(0f32, |m, s| m.max(*s));
        assert!(limit < 0.5 && limit >= 0.5 * 10f32.powf(-OVERDRIVE / 20.0));
        assert!(window.iter().zip(before).all(|(a, b)| *a == b || a.abs() == limit));
    }
}
