//! The support vector machine that reports name beside a network.

use crate::random::Random;
use auricle_train::baseline::right;
use auricle_train::dataset::Clip;

/// A tone of its class's pitch in some noise.
fn tone(class: usize, seed: u64, rate: u32) -> Clip {
    let mut random = Random(seed);
    let hz = f64::from(rate) * [0.05, 0.12, 0.3][class];
    let step = std::f64::consts::TAU * hz / f64::from(rate);
    let count = (0.4 + 0.2 * seed as f64) * f64::from(rate);
    let sample = |n: usize| 0.5 * (step * n as f64).sin() as f32 + 0.05 * random.sample();
    Clip { class, samples: (0..count as usize).map(sample).collect(), ..Clip::default() }
}

#[test]
fn tones_are_told_apart_at_any_rate() {
    for rate in [1000, 2000, 8000, 16_000, 44_100, 96_000] {
        let clips: Vec<Clip> = (0..18).map(|n| tone(n % 3, 1 + n as u64 / 3, rate)).collect();
        let (train, test): (Vec<&Clip>, Vec<&Clip>) =
            (clips[..9].iter().collect(), clips[9..].iter().collect());
        assert_eq!(right(&train, &test, rate, 3).unwrap(), 9, "{rate} Hz");
        // With other labels the same answers are wrong ones.
        let wrong: Vec<Clip> =
            clips[9..].iter().map(|c| Clip { class: (c.class + 1) % 3, ..c.clone() }).collect();
        assert_eq!(right(&train, &wrong.iter().collect::<Vec<_>>(), rate, 3).unwrap(), 0, "{rate} Hz");
        // A class that nobody has heard is never the answer.
        assert_eq!(right(&train, &test, rate, 5).unwrap(), 9, "{rate} Hz, two more classes");
    }
}
