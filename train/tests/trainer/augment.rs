//! Each augmentation does what it says, is decided by the seed, and does nothing when it is switched off.

use std::sync::Arc;

use crate::common::*;
use auricle_train::augment::{self, Augment, rms};
use auricle_train::crops::{Batch, Crops, Material, Place};
use auricle_train::dataset::Clip;
use auricle_train::front_end::{FrontEnd, FrontEndSpec};
use auricle_train::stretch::Stretcher;
use rand::{SeedableRng, rngs::StdRng};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

fn mel() -> FrontEnd {
    FrontEndSpec::mel().unwrap().plan().unwrap()
}

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn batch(clips: &[Clip], augment: &Augment, seed: u64, examples: usize) -> Batch {
    let clips: Vec<&Clip> = clips.iter().collect();
    Crops::new(&material(&clips), augment, seed, Place::default()).batch(examples, &mut mel())
}

/// Frequency of the strongest bin, Hz.
fn pitch(samples: &[f32]) -> f32 {
    let mut spectrum: Vec<Complex32> = samples.iter().map(|&s| Complex32::new(s, 0.0)).collect();
    FftPlanner::new().plan_fft_forward(samples.len()).process(&mut spectrum);
    let half = &spectrum[..samples.len() / 2];
    let strongest = (0..half.len()).max_by(|&a, &b| half[a].norm().total_cmp(&half[b].norm())).unwrap();
    strongest as f32 * RATE / samples.len() as f32
}

fn db(a: &[f32], b: &[f32]) -> f32 {
    20.0 * (rms(a) / rms(b)).log10()
}

#[test]
fn every_part_changes_examples_and_the_seed_decides_how() {
    let clips = [clip(0, 2.0), clip(1, 2.0)];
    let plain = batch(&clips, &Augment::none(), 1, 4);
    let parts = [
        ("mix", Augment { mix: 1.0, ..Augment::none() }),
        ("stretch", Augment { stretch: 1.0, ..Augment::none() }),
        ("shift", Augment { shift: 0.3, ..Augment::none() }),
        ("partial", Augment { partial: 1.0, ..Augment::none() }),
        ("gain", Augment { gain_db: 6.0, ..Augment::none() }),
        ("noise", Augment { noise: 1.0, ..Augment::none() }),
        ("noise colour", Augment { noise: 1.0, noise_colour: 20.0, ..Augment::none() }),
        ("noise range", Augment { noise: 1.0, noise_range: vec![-5.0, 0.0], ..Augment::none() }),
        ("room", Augment { room: 1.0, ..Augment::none() }),
        ("microphone", Augment { microphone: 1.0, ..Augment::none() }),
        ("band", Augment { band: 1.0, ..Augment::none() }),
        ("codec", Augment { codec: 1.0, ..Augment::none() }),
        ("clipping", Augment { clipping: 1.0, ..Augment::none() }),
        ("pitch", Augment { pitch: 1.0, ..Augment::none() }),
        ("mask bins", Augment { mask: 1.0, mask_bins: 15, ..Augment::none() }),
        ("mask rows", Augment { mask: 1.0, mask_rows: 9, ..Augment::none() }),
        ("flip", Augment { flip: 1.0, ..Augment::none() }),
        ("silence", Augment { silence: 1.0, ..Augment::none() }),
    ];
    for (name, augment) in parts {
        let changed = batch(&clips, &augment, 1, 4).input;
        assert!(changed != plain.input, "{name} changes nothing");
        assert!(changed == batch(&clips, &augment, 1, 4).input, "{name} differs with one seed");
        if name != "flip" {
            assert!(changed != batch(&clips, &augment, 2, 4).input, "{name} does not depend on the seed");
        }
    }
}

#[test]
fn a_stream_goes_on_from_any_place() {
    let clips: Vec<Clip> = (0..5).map(|i| clip(i, 1.5)).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let (augment, material) = (recipe(1, 1).augment, material(&clips));
    let mut whole = Crops::new(&material, &augment, 7, Place::default());
    whole.batch(4, &mut mel());
    let place = whole.place();
    assert!(place.examples == 4 && place.clips >= 3, "{place:?}");
    let expected = whole.batch(4, &mut mel());
    let resumed = Crops::new(&material, &augment, 7, place).batch(4, &mut mel());
    assert!(resumed.input == expected.input && resumed.target == expected.target);
}

#[test]
fn every_clip_comes_up_once_before_any_comes_up_again() {
    let clips: Vec<Clip> = (0..6).map(|i| Clip { class: i, ..clip(i, 1.5) }).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let material = Material { classes: 6, ..material(&clips) };
    let augment = Augment::none();
    let mut crops = Crops::new(&material, &augment, 1, Place::default());
    let mut orders = Vec::new();
    for _ in 0..3 {
        let batch = crops.batch(6, &mut mel());
        assert_eq!(batch.input.len(), 6 * 64 * 32);
        let seen: Vec<f32> = (0..6).map(|class| batch.target.iter().skip(class).step_by(6).sum()).collect();
        assert_eq!(seen, [1.0; 6]);
        orders.push(batch.target);
    }
    assert!(orders[0] != orders[1] || orders[1] != orders[2], "the order is never changed");
}

#[test]
fn targets_say_what_is_in_the_example() {
    let clips = [clip(0, 1.5), clip(1, 1.5)];
    let silent = Augment { silence: 1.0, ..Augment::none() };
    assert_eq!(batch(&clips, &silent, 1, 4).target, [0.5; 8]);

    let mixed = Augment { mix: 1.0, ..Augment::none() };
    for target in batch(&clips, &mixed, 1, 8).target.chunks_exact(CLASSES) {
        assert!(
            (target.iter().sum::<f32>() - 1.0).abs() < 1e-6 && target[0] > 0.0 && target[1] > 0.0,
            "{target:?}"
        );
    }
}

#[test]
fn a_part_of_a_sound_counts_as_what_is_left_of_it() {
    let (mut begins, mut ends, mut little) = (0, 0, 0);
    for seed in 0..40 {
        let mut window = tone(440.0, 1.0);
        let whole = rms(&window);
        let heard = augment::part(&mut window, RATE, &mut rng(seed));
        let left = (rms(&window) / whole).powi(2);
        assert!((heard - (4.0 * left).min(1.0)).abs() < 1e-3, "{heard} of {left}");
        let (first, last) = (rms(&window[..800]), rms(&window[window.len() - 800..]));
        assert!(first == 0.0 || last == 0.0 || left > 0.9, "sound at both ends: {first}, {last}");
        (begins, ends) = (begins + usize::from(last > first), ends + usize::from(first > last));
        little += usize::from(heard < 1.0);
    }
    assert!(begins > 8 && ends > 8 && (4..20).contains(&little), "{begins} {ends} {little}");

    let clips = [clip(0, 1.5), clip(1, 1.5)];
    let partial = Augment { partial: 1.0, ..Augment::none() };
    let targets = batch(&clips, &partial, 1, 32).target;
    for (number, target) in targets.chunks_exact(CLASSES).enumerate() {
        assert!((target.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{number}: {target:?}");
    }
    assert!(targets.iter().any(|t| (0.01..0.99).contains(t)) && targets.contains(&1.0), "{targets:?}");
}

#[test]
fn a_mixture_has_its_parts_in_the_share_of_its_target() {
    let (mut a, b) = (tone(500.0, 1.0), tone(3000.0, 1.0));
    let quiet: Vec<f32> = b.iter().map(|s| s * 0.01).collect();
    let alone = a.clone();
    augment::mix(&mut a, &quiet, 0.7);
    let rest: Vec<f32> = a.iter().zip(&alone).map(|(m, a)| m - 0.7 * a).collect();
    assert!((db(&rest, &alone) - 20.0 * 0.3f32.log10()).abs() < 0.01, "{} dB", db(&rest, &alone));
}

#[test]
fn coloured_noise_has_its_level_and_its_slope() {
    for colour in [0.0, 10.0, 20.0] {
        let noise = augment::coloured_noise(RATE as usize, colour, &mut rng(1));
        assert!((rms(&noise) - 1.0).abs() < 1e-3, "{}", rms(&noise));
        let slope = power(&noise, 200.0..400.0) - power(&noise, 2000.0..4000.0);
        // Both bands are an octave: the upper one is ten times as wide.
        assert!((slope + 10.0 - colour).abs() < 1.5, "{slope} dB for {colour}");
    }
}

/// Power between two frequencies, dB.
fn power(samples: &[f32], hz: std::ops::Range<f32>) -> f32 {
    let mut spectrum: Vec<Complex32> = samples.iter().map(|&s| Complex32::new(s, 0.0)).collect();
    FftPlanner::new().plan_fft_forward(samples.len()).process(&mut spectrum);
    let inside = spectrum[..samples.len() / 2]
        .iter()
        .enumerate()
        .filter(|(bin, _)| hz.contains(&(*bin as f32 * RATE / samples.len() as f32)));
    10.0 * inside.map(|(_, value)| value.norm_sqr()).sum::<f32>().log10()
}

#[test]
fn a_background_alone_is_an_example_of_no_class() {
    let clips = [clip(0, 1.5), clip(1, 1.5)];
    let clips: Vec<&Clip> = clips.iter().collect();
    let material = Material { backgrounds: Arc::new(vec![tone(2000.0, 0.7)]), ..material(&clips) };
    let augment = Augment { silence: 1.0, ..Augment::none() };
    let mut crops = Crops::new(&material, &augment, 1, Place::default());
    let mut window = vec![0.0; 16_000];
    let mut heard = 0;
    for _ in 0..20 {
        crops.window(&mut window, 16_000);
        heard += usize::from((pitch(&window) - 2000.0).abs() < 5.0 && rms(&window) > 0.1);
    }
    assert!((10..20).contains(&heard), "{heard} of 20 are the background, the others noise");
}

#[test]
fn noise_has_the_snr_that_is_asked_for() {
    for (snr, steepest) in [(5.0, 0.0), (20.0, 0.0), (5.0, 20.0)] {
        let clean = tone(440.0, 1.0);
        let mut noisy = clean.clone();
        augment::add_noise(&mut noisy, snr, steepest, &mut rng(1));
        let added: Vec<f32> = noisy.iter().zip(&clean).map(|(n, c)| n - c).collect();
        assert!((db(&clean, &added) - snr).abs() < 0.2, "{} dB", db(&clean, &added));
    }
}

#[test]
fn a_background_has_the_snr_that_is_asked_for_and_fills_the_window() {
    let clean = tone(440.0, 1.0);
    let background = noise(5, 0.3);
    let mut noisy = clean.clone();
    augment::add_background(&mut noisy, &background, 10.0, &mut rng(1));
    let added: Vec<f32> = noisy.iter().zip(&clean).map(|(n, c)| n - c).collect();
    assert!((db(&clean, &added) - 10.0).abs() < 0.01, "{} dB", db(&clean, &added));
    assert!(rms(&added[15_000..]) > 0.5 * rms(&added), "the end of the window has no background");

    let clips = [clip(0, 1.5), clip(0, 1.5)];
    let list: Vec<&Clip> = clips.iter().collect();
    let with = Material { backgrounds: Arc::new(vec![background]), ..material(&list) };
    let augment = Augment { background_share: 1.0, background_snr: 10.0, ..Augment::none() };
    let made = |material: &Material<'_>| {
        Crops::new(material, &augment, 1, Place::default()).batch(2, &mut mel()).input
    };
    assert!(made(&with) != made(&material(&list)), "the folder's recordings are not used");
}

#[test]
fn gain_stays_within_its_range() {
    let gains: Vec<f32> = (0..50)
        .map(|seed| {
            let mut window = tone(440.0, 0.1);
            augment::gain(&mut window, 6.0, &mut rng(seed));
            db(&window, &tone(440.0, 0.1))
        })
        .collect();
    let most = gains.iter().fold(0f32, |m, g| m.max(g.abs()));
    assert!((4.0..=6.001).contains(&most), "{most} dB");
    assert!(gains.iter().any(|g| *g > 2.0) && gains.iter().any(|g| *g < -2.0), "{gains:?}");
}

#[test]
fn a_shift_moves_samples_and_loses_none() {
    let window: Vec<f32> = (0..1000).map(|n| n as f32).collect();
    let mut places = Vec::new();
    for seed in 0..50 {
        let mut shifted = window.clone();
        augment::shift(&mut shifted, 100, &mut rng(seed));
        let first = shifted.iter().position(|s| *s == 0.0).unwrap();
        let place = if first > 500 { first as i64 - 1000 } else { first as i64 };
        assert!(place.abs() <= 100, "shifted by {place}");
        assert!((0..1000).all(|n| shifted[(first + n) % 1000] == n as f32));
        places.push(place);
    }
    assert!(places.iter().any(|p| *p > 30) && places.iter().any(|p| *p < -30), "{places:?}");
}

#[test]
fn a_stretch_keeps_the_pitch_and_moves_what_is_in_it() {
    let stretcher = Stretcher::default();
    for speed in [0.8, 1.0, 1.2] {
        // A tone throughout, which stops at three quarters.
        let mut input = tone(1000.0, speed);
        let end = input.len() * 3 / 4;
        input[end..].fill(0.0);
        let mut output = vec![0.0; 16_000];
        stretcher.stretch(&input, &mut output);
        let steady = &output[1600..9600];
        assert!((pitch(steady) - 1000.0).abs() <= 4.0, "speed {speed}: {} Hz", pitch(steady));
        assert!(db(steady, &input[1600..9600]).abs() < 1.0, "speed {speed}: {} dB", db(steady, &input));
        assert!(rms(&output[11_000..11_500]) > 0.1, "speed {speed}: it stops too early");
        assert!(rms(&output[13_000..]) < 0.01, "speed {speed}: it goes on too long");
    }
}

#[test]
fn at_speed_one_a_stretch_gives_back_its_input() {
    let input = noise(1, 1.0);
    let mut output = vec![0.0; input.len()];
    Stretcher::default().stretch(&input, &mut output);
    let worst = input.iter().zip(&output).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
    assert!(worst < 1e-3, "off by {worst}");
}

#[test]
fn masks_blank_one_band_of_a_third_to_all_of_its_width_and_a_stretch_of_rows() {
    let noise: Vec<f32> = noise(1, 1.0)[..64 * 32].to_vec();
    let mean = noise.iter().sum::<f32>() / noise.len() as f32;
    let (mut widths, mut lengths) = (Vec::new(), Vec::new());
    for seed in 0..60 {
        let mut masked = noise.clone();
        let both = Augment { mask_bins: 15, mask_rows: 8, ..Augment::none() };
        augment::mask(&mut masked, 32, &both, &mut rng(seed));
        let blank = |bin: usize, row: usize| masked[bin * 32 + row] == mean;
        let bins: Vec<usize> = (0..64).filter(|&b| (0..32).all(|r| blank(b, r))).collect();
        let rows: Vec<usize> = (0..32).filter(|&r| (0..64).all(|b| blank(b, r))).collect();
        assert!(bins.windows(2).all(|w| w[1] == w[0] + 1) && rows.windows(2).all(|w| w[1] == w[0] + 1));
        let changed = masked.iter().zip(&noise).filter(|(m, n)| m != n).count();
        assert_eq!(changed, 64 * 32 - (64 - bins.len()) * (32 - rows.len()), "something else is blank");
        widths.push(bins.len());
        lengths.push(rows.len());
    }
    assert_eq!((widths.iter().min(), widths.iter().max()), (Some(&5), Some(&15)));
    assert_eq!((lengths.iter().min(), lengths.iter().max()), (Some(&0), Some(&8)));
}

#[test]
fn a_flip_turns_bins_upside_down_and_leaves_rows() {
    let mut features: Vec<f32> = (0..15).map(|n| n as f32).collect(); // 5 bins of 3 rows
    augment::flip(&mut features, 3);
    assert_eq!(features[..3], [12.0, 13.0, 14.0]);
    assert_eq!(features[6..9], [6.0, 7.0, 8.0]);
    assert_eq!(features[12..], [0.0, 1.0, 2.0]);
}
