//! The trainer on data that these tests synthesise: tones against noise.

#![allow(clippy::unwrap_used)]

use std::f32::consts::TAU;

use auricle_train::crops::{Augment, Crops};
use auricle_train::dataset::Clip;
use auricle_train::evaluate::{arg_max, clip_scores};
use auricle_train::export;
use auricle_train::fit::{Recipe, fit};
use auricle_train::front_end::{About, FrontEnd};
use auricle_train::network::AudioCnn;

const RATE: f32 = 16_000.0;
const CLASSES: usize = 2;

/// Class 0: a tone of its own pitch; class 1: white noise. `seconds` long.
fn clip(index: usize, seconds: f32) -> Clip {
    let mut state = index as u32 + 1;
    let samples = (0..(seconds * RATE) as usize).map(|n| match index % CLASSES {
        0 => 0.3 * (TAU * (300.0 + 50.0 * index as f32) * n as f32 / RATE).sin(),
        _ => {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 * 0.6 - 0.3
        }
    });
    Clip {
        file: format!("{index}.wav"),
        class: index % CLASSES,
        fold: 1,
        samples: samples.collect(),
        ..Clip::default()
    }
}

fn no_augmentation() -> Augment {
    Augment { mix: 0.0, gain_db: 0.0, noise: 0.0, mask_bins: 0, mask_rows: 0, silence: 0.0 }
}

fn recipe(steps: usize, seed: u64) -> Recipe {
    let augment = Augment { mix: 0.3, gain_db: 6.0, noise: 0.3, mask_bins: 8, mask_rows: 4, silence: 0.1 };
    Recipe { steps, batch: 8, learning_rate: 2e-3, weight_decay: 0.01, seed, augment }
}

fn train(clips: &[Clip], recipe: &Recipe) -> AudioCnn {
    let clips: Vec<&Clip> = clips.iter().collect();
    fit(&clips, CLASSES, &mut FrontEnd::mel().unwrap(), recipe, |_, _| ()).unwrap()
}

fn onnx(network: &AudioCnn) -> Vec<u8> {
    let about = About { name: "tones".into(), version: "1.0.0".into(), licence: "none".into() };
    export::onnx(network, &FrontEnd::mel().unwrap(), &about, &["tone".into(), "noise".into()]).unwrap()
}

#[test]
fn learns_tones_from_noise_and_the_library_agrees_with_the_file() {
    // Whole windows, a tail that is padded, a tail that is too short, less than one window.
    let lengths = [2.0, 2.33, 2.01, 0.7];
    let clips: Vec<Clip> = (0..8).map(|i| clip(i, lengths[i % 4])).collect();
    let network = train(&clips, &recipe(25, 1));
    let mut front_end = FrontEnd::mel().unwrap();
    for clip in &clips {
        let scores = clip_scores(&network, &mut front_end, clip, CLASSES);
        assert_eq!(arg_max(&scores), clip.class, "{}: {scores:?}", clip.file);
    }
    let file = onnx(&network);
    assert!(file.len() < 2_000_000, "{} bytes", file.len());
    if let Err(e) = auricle::open_runtime(None) {
        println!("SKIPPED: comparison with ONNX Runtime: {e}");
        return;
    }
    let clips: Vec<&Clip> = clips.iter().collect();
    export::verify(&file, &network, &mut front_end, &clips).unwrap();
    // The proof can fail: another network than the one in the file.
    let other = train(&[clip(0, 1.0), clip(1, 1.0)], &recipe(1, 9));
    assert!(export::verify(&file, &other, &mut front_end, &clips).is_err());
}

#[test]
fn a_seed_reproduces_the_file_bit_for_bit() {
    let clips: Vec<Clip> = (0..4).map(|i| clip(i, 1.5)).collect();
    let clips = &clips[..];
    let pool = || rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let file = |seed| pool().install(|| onnx(&train(clips, &recipe(2, seed))));
    let first = file(1);
    assert!(first == file(1), "two runs with one seed differ");
    assert!(first != file(2), "the seed makes no difference");
    // A run beside others: they must not draw from its numbers.
    let beside = std::thread::scope(|scope| {
        let runs: Vec<_> = [2, 1, 3]
            .map(|seed| scope.spawn(move || pool().install(|| onnx(&train(clips, &recipe(2, seed))))))
            .into();
        runs.into_iter().map(|run| run.join().unwrap()).nth(1)
    });
    assert!(beside == Some(first), "runs at the same time disturb each other");
}

#[test]
fn every_clip_comes_up_once_before_any_comes_up_again() {
    let clips: Vec<Clip> = (0..6).map(|i| Clip { class: i, ..clip(i, 1.5) }).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let augment = no_augmentation();
    let mut crops = Crops::new(&clips, 6, &augment, 1);
    let mut front_end = FrontEnd::mel().unwrap();
    for _ in 0..3 {
        let batch = crops.batch(6, &mut front_end);
        assert_eq!(batch.input.len(), 6 * 64 * 32);
        let seen: Vec<f32> = (0..6).map(|class| batch.target.iter().skip(class).step_by(6).sum()).collect();
        assert_eq!(seen, [1.0; 6]);
    }
}

#[test]
fn targets_say_what_is_in_the_example() {
    let clips = [clip(0, 1.5), clip(1, 1.5)];
    let clips: Vec<&Clip> = clips.iter().collect();
    let mut front_end = FrontEnd::mel().unwrap();

    let silent = Augment { silence: 1.0, ..no_augmentation() };
    let batch = Crops::new(&clips, CLASSES, &silent, 1).batch(4, &mut front_end);
    assert_eq!(batch.target, [0.5; 8]);
    let quiet = batch.input.iter().fold(f32::MIN, |m, v| m.max(*v));
    assert!(quiet < 0.0, "ln of the loudest bin is {quiet}");

    let mixed = Augment { mix: 1.0, ..no_augmentation() };
    let batch = Crops::new(&clips, CLASSES, &mixed, 1).batch(8, &mut front_end);
    for target in batch.target.chunks_exact(CLASSES) {
        assert!(
            (target.iter().sum::<f32>() - 1.0).abs() < 1e-6 && target[0] > 0.0 && target[1] > 0.0,
            "{target:?}"
        );
    }
}

#[test]
fn masks_blank_bins_and_rows() {
    let clips = [clip(1, 1.5)];
    let clips: Vec<&Clip> = clips.iter().collect();
    let masked = Augment { mask_bins: 16, mask_rows: 8, ..no_augmentation() };
    let mut front_end = FrontEnd::mel().unwrap();
    let batch = Crops::new(&clips, CLASSES, &masked, 3).batch(8, &mut front_end);
    let blank = batch.input.chunks_exact(64 * 32).map(|example| {
        let mut values: Vec<u32> = example.iter().map(|v| v.to_bits()).collect();
        values.sort_unstable();
        values.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap()
    });
    // At most 16 bins of 32 rows and 8 rows of the other 48 bins; noise never repeats a value so often.
    let blank: Vec<usize> = blank.collect();
    assert!(blank.iter().all(|&n| n <= 16 * 32 + 8 * 48) && blank.iter().any(|&n| n > 64), "{blank:?}");
}
