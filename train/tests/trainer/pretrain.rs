//! What is learned without labels: views are of one window, kinds of sound come apart, and the files can be gone on with.

use std::fs;

use crate::common::*;
use crate::random::Random;
use auricle_train::augment::{Augment, rms};
use auricle_train::crops::{Crops, Material, Place};
use auricle_train::dataset::Clip;
use auricle_train::front_end::FrontEndSpec;
use auricle_train::network::{Architecture, Network, Size};
use auricle_train::plan::{Plan, Recipe};
use auricle_train::pretrain::{Mixing, Views, resize_crop, spread, study};
use auricle_train::{export, head, weights};
use burn::tensor::Device;
use rand::{SeedableRng, rngs::StdRng};

const KINDS: usize = 4;
const SECONDS: f32 = 1.5;

/// A steady tone, noise, clicks, or a tone that swings; of which pitch or rate, the index says. All are labelled alike.
fn kind(index: usize) -> Clip {
    let own = 1.0 + 0.07 * (index / KINDS) as f32;
    let length = (SECONDS * RATE) as usize;
    let mut samples = match index % KINDS {
        0 => tone(500.0 * own, SECONDS),
        1 => noise(index, SECONDS),
        2 => {
            let every = (0.11 * own * RATE) as usize;
            let mut random = Random(index as u64);
            (0..length).map(|n| if n % every < 80 { random.sample() } else { 0.0 }).collect()
        }
        _ => {
            let swing = |n: f32| 1500.0 * own * n + 300.0 * (std::f32::consts::TAU * 6.0 * n).sin();
            (0..length).map(|n| 0.3 * swing(n as f32 / RATE).sin()).collect()
        }
    };
    // Levels over 20 dB: what is most unlike between clips is not their kind.
    let level = 10f32.powf((Random(index as u64 + 7).sample() - 1.0) / 2.0);
    let mut hiss = Random(index as u64 + 100);
    samples.iter_mut().for_each(|sample| *sample = level * (*sample + 0.003 * hiss.sample()));
    Clip { file: format!("{index}.wav"), source: format!("{index}.wav"), samples, ..Clip::default() }
}

/// Resnet of a quarter of the width.
fn small(steps: usize, seed: u64) -> Plan {
    let augment = Augment { gain_db: 12.0, noise: 0.3, ..Augment::none() };
    let size = Size { width: 0.25, ..Size::default() };
    let recipe = Recipe { batch: 24, learning_rate: 1e-3, augment, size, ..recipe(steps, seed) };
    Plan { classes: vec!["sound".into()], ..plan(Architecture::Resnet, recipe) }
}

fn learn(plan: &Plan, clips: &[&Clip]) -> (Network, Vec<f32>) {
    let material = Material { clips, classes: 1, multi_label: true, backgrounds: Default::default() };
    let mut losses = Vec::new();
    let network = study(plan, &material, &Device::flex(), |point| losses.push(point.loss)).unwrap();
    (network, losses)
}

/// The embedding of each clip, one after the other, as a file gives it.
fn embeddings(network: &Network, plan: &Plan, clips: &[&Clip]) -> Vec<Vec<f32>> {
    let onnx = export::onnx(network, plan, &about()).unwrap();
    let manifest = export::manifest(plan, &about()).unwrap();
    let tensor = export::embedding(&onnx, &manifest).unwrap();
    let said = head::embed(&onnx, &manifest, &tensor, clips, &|| ()).unwrap();
    let mean = |windows: Vec<Vec<f32>>| {
        let sum = |i: usize| windows.iter().map(|window| window[i]).sum::<f32>();
        (0..windows[0].len()).map(|i| sum(i) / windows.len() as f32).collect()
    };
    said.into_iter().map(|clip| mean(clip.windows)).collect()
}

/// How often the clip whose embedding is nearest by its angle is of the same kind, once every value has the mean 0 and the
/// variance 1, as a head sees it.
fn neighbours(embeddings: &[Vec<f32>]) -> f64 {
    let count = embeddings.len();
    let mut apart = embeddings.to_vec();
    for i in 0..embeddings[0].len() {
        let mean = embeddings.iter().map(|e| e[i]).sum::<f32>() / count as f32;
        let variance = embeddings.iter().map(|e| (e[i] - mean).powi(2)).sum::<f32>() / count as f32;
        apart.iter_mut().for_each(|e| e[i] = (e[i] - mean) / (variance.sqrt() + 1e-6));
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = |a: usize, b: usize| {
        let (a, b) = (&apart[a], &apart[b]);
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-12)
    };
    let right = (0..count).filter(|&a| {
        let others = (0..count).filter(|&b| b != a);
        let nearest = others.max_by(|&b, &c| cosine(a, b).total_cmp(&cosine(a, c))).unwrap();
        nearest % KINDS == a % KINDS
    });
    right.count() as f64 / count as f64
}

#[test]
fn mixtures_are_of_powers_and_parts_have_the_size_of_the_whole() {
    let input = FrontEndSpec::mel().unwrap().input;
    let mixing = Mixing::new(&input).unwrap();
    let bins = input.bins();
    // Powers of 9 and 1 in turn, with those of 1 and 9, a thousand times as loud: that does not count.
    let powers = |odd: f32, even: f32| -> Vec<f32> {
        (0..2 * bins).map(|n| if n % 2 == 1 { odd.ln() } else { even.ln() }).collect()
    };
    let mut features = powers(9.0, 1.0);
    mixing.mix(&mut features, &powers(1e3, 9e3), 0.25);
    assert!((features[1] - 7f32.ln()).abs() < 1e-5, "{}", features[1]);
    assert!((features[0] - 3f32.ln()).abs() < 1e-5, "{}", features[0]);
    mixing.mix(&mut features, &powers(9.0, 1.0), 0.0);
    assert!((features[0] - 3f32.ln()).abs() < 1e-5, "{}", features[0]);
    let mut loud = vec![1e3; 2 * bins];
    mixing.mix(&mut loud, &vec![-1e3; 2 * bins], 0.25);
    assert!((loud[0] - 1e3).abs() < 1e-2, "{}", loud[0]);

    // In decibels that were standardised, 10 · lg 9 − 4 and 0 − 4, both by 2.
    let mut decibels = input.clone();
    decibels.features.log = serde_json::from_str(r#"{ "kind": "db" }"#).unwrap();
    decibels.normalize = serde_json::from_str(r#"{ "kind": "mean_std", "mean": 4, "std": 2 }"#).unwrap();
    let of = |power: f32| (10.0 * power.log10() - 4.0) / 2.0;
    let powers = |odd: f32, even: f32| -> Vec<f32> {
        (0..2 * bins).map(|n| if n % 2 == 1 { of(odd) } else { of(even) }).collect()
    };
    let mut features = powers(9.0, 1.0);
    Mixing::new(&decibels).unwrap().mix(&mut features, &powers(1e3, 9e3), 0.25);
    assert!((features[1] - of(7.0)).abs() < 1e-4, "{} and {}", features[1], of(7.0));
    decibels.normalize = serde_json::from_str(r#"{ "kind": "window", "over": "all" }"#).unwrap();
    let error = Mixing::new(&decibels).err().unwrap().to_string();
    assert!(error.contains("has its numbers from the window"), "{error}");

    // A slope along the bins stays one, of 0.6 to 1 bins from one to the next, wherever the mean does not come in; so does one
    // along the rows, of 0.6 to 1.5.
    let rows = 20;
    let up: Vec<f32> = (0..bins * rows).map(|n| (n / rows) as f32).collect();
    let along: Vec<f32> = (0..bins * rows).map(|n| (n % rows) as f32).collect();
    for seed in 0..50 {
        let part = |picture: &[f32]| resize_crop(picture, rows, &mut StdRng::seed_from_u64(seed));
        let (up, along) = (part(&up), part(&along));
        assert_eq!(up.len(), bins * rows);
        let steps: Vec<f32> =
            (0..rows).map(|row| (up[(bins - 1) * rows + row] - up[row]) / (bins - 1) as f32).collect();
        let step = steps.iter().copied().fold(0.0, f32::max);
        assert!((0.55..=1.001).contains(&step), "{step} bins from one to the next");
        let whole = |rise: &f32| (0.5..=1.55).contains(rise);
        let rises = along[..rows].windows(2).map(|pair| pair[1] - pair[0]);
        let right = rises.filter(whole).count();
        assert!(right > rows / 3, "{right} of {rows} rows follow the one before");
    }
}

#[test]
fn views_are_of_one_window_and_a_seed_reproduces_them() {
    let clips: Vec<Clip> = (0..2 * KINDS).map(kind).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let material = Material { clips: &clips, classes: 1, multi_label: true, backgrounds: Default::default() };
    let augment = Augment { gain_db: 6.0, ..Augment::none() };
    let front_end = FrontEndSpec::mel().unwrap();
    let batch = |seed: u64| Views::new(&front_end, &material, &augment, seed).unwrap().batch(clips.len());
    let views = batch(1);
    assert!(views == batch(1) && views != batch(2));
    let [bins, rows] = front_end.plan().unwrap().shape();
    assert_eq!(views.len(), 2 * clips.len() * bins * rows);

    // The samples below the features: the same moment of the same clip, twice as loud or half; then another clip.
    let mut crops = Crops::new(&material, &augment, 1, Place::default());
    let mut before = vec![0.0; 8000];
    for _ in &clips {
        let (mut first, mut second) = (vec![0.0; 8000], vec![0.0; 8000]);
        crops.views([&mut first, &mut second], RATE as u32);
        let louder = rms(&second) / rms(&first);
        assert!((0.2..5.0).contains(&louder) && (louder - 1.0).abs() > 1e-6, "{louder}");
        let other = first.iter().zip(&second).any(|(a, b)| (a * louder - b).abs() > 1e-5);
        assert!(!other && first != before, "not two views of one window");
        before = first;
    }
    assert_eq!(crops.place(), Place { examples: 8, clips: 8 });
}

#[test]
fn kinds_of_sound_come_apart_without_labels() {
    if !has_runtime() {
        return;
    }
    let clips: Vec<Clip> = (0..6 * KINDS).map(kind).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let plan = small(80, 1);
    let (network, losses) = learn(&plan, &clips);
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..5]), mean(&losses[75..]));
    let after = embeddings(&network, &plan, &clips);
    let (apart, known) = (spread(&after), neighbours(&after));
    println!(
        "loss {first} to {last}; {apart} tells clips apart, {known} of the nearest are of the same kind"
    );
    // Without a predictor, or with gradients through the average, the loss would go to 0 and all would be one point.
    assert!(last < 0.75 * first && last > 0.05, "loss {first} at the beginning, {last} at the end");
    assert!(apart > 0.05, "it says nearly the same of everything: {apart}");
    // One of four or five would be right by chance.
    assert!(known > 0.6, "{known} of the nearest are of the same kind");
    assert!(spread(&vec![vec![1.0, 2.0]; 3]).abs() < 1e-9);
}

#[test]
fn a_seed_reproduces_the_network() {
    let clips: Vec<Clip> = (0..KINDS).map(kind).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let weights = |seed: u64, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| weights::flatten(&learn(&small(2, seed), &clips).0))
    };
    let first = weights(1, 1);
    assert!(first == weights(1, 2), "two runs with one seed differ");
    assert!(first != weights(2, 1), "the seed makes no difference");
}

#[test]
fn the_files_are_begun_with_by_head_and_finetune() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("pretrain");
    crate::commands::sounds(&folder.0.join("sounds"));
    let run = |arguments: &str| crate::commands::run(&folder.0, arguments);
    let about = "--name x --licence y --plain";
    let train = format!("pretrain --sounds sounds --steps 3 --batch 4 --window-seconds 0.4 {about}");
    for out in ["a.onnx", "b.onnx"] {
        let (fine, text) = run(&format!("{train} --width 0.25 --out {out}"));
        assert!(fine && text.contains("12 clips, 6 s"), "{text}");
    }
    let bytes = |name: &str| fs::read(folder.0.join(name)).unwrap();
    assert!(bytes("a.onnx") == bytes("b.onnx"), "the same seed gives other bytes");
    let clips = format!("--data sounds --no-cache --hold-out 1 {about}");
    let (fine, text) = run(&format!("head a.onnx {clips} --out head.onnx"));
    assert!(fine && text.contains("held out: "), "{text}");
    for from in ["a", "b"] {
        let tune = format!("finetune --from {from}.ckpt {clips} --steps 2 --batch 4 --out tuned-{from}.onnx");
        let (fine, text) = run(&tune);
        assert!(fine && text.contains("the library gives the same answers"), "{text}");
    }
    assert!(bytes("tuned-a.onnx") == bytes("tuned-b.onnx"), "the same seed gives another checkpoint");
    for network in ["cnn", "mobilenet", "transformer", "crnn"] {
        let (fine, text) = run(&format!(
            "{} --window-seconds 1.1 --network {network} --out {network}.onnx",
            train.replace("--window-seconds 0.4 ", "").replace("--steps 3", "--steps 1")
        ));
        assert!(fine && text.contains(" values; on "), "{network}: {text}");
    }
    let (fine, text) = run(&format!("{train} --network stream --out stream.onnx"));
    assert!(!fine && text.contains("--network stream cannot be pretrained"), "{text}");
    let (fine, text) = run("pretrain --out c.onnx --name x --licence y");
    assert!(!fine && text.contains("--data"), "{text}");
}
