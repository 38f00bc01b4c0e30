//! Data that the tests synthesise: tones against noise.

use std::f32::consts::TAU;
use std::fs;
use std::path::PathBuf;

use crate::random::Random;
use auricle_train::augment::Augment;
use auricle_train::crops::Material;
use auricle_train::dataset::Clip;
use auricle_train::fit::{Options, Start, fit};
use auricle_train::front_end::{About, FrontEndSpec};
use auricle_train::loss::{ClassWeights, Kind};
use auricle_train::network::{Architecture, Network, Size};
use auricle_train::plan::{Plan, Recipe};

pub const RATE: f32 = 16_000.0;
pub const CLASSES: usize = 2;

/// Class 0: a tone of its own pitch; class 1: white noise. `seconds` long.
pub fn clip(index: usize, seconds: f32) -> Clip {
    let samples = match index % CLASSES {
        0 => tone(300.0 + 50.0 * index as f32, seconds),
        _ => noise(index, seconds),
    };
    let file = format!("{index}.wav");
    Clip { source: file.clone(), file, class: index % CLASSES, fold: 1, samples, ..Clip::default() }
}

pub fn tone(hz: f32, seconds: f32) -> Vec<f32> {
    (0..(seconds * RATE) as usize).map(|n| 0.3 * (TAU * hz * n as f32 / RATE).sin()).collect()
}

pub fn noise(seed: usize, seconds: f32) -> Vec<f32> {
    let mut random = Random(seed as u64 + 1);
    (0..(seconds * RATE) as usize).map(|_| 0.3 * random.sample()).collect()
}

/// A small recipe in which everything that draws numbers takes part.
pub fn recipe(steps: usize, seed: u64) -> Recipe {
    Recipe {
        steps,
        batch: 8,
        learning_rate: 2e-3,
        weight_decay: 0.01,
        clip_norm: 5.0,
        loss: Kind::CrossEntropy,
        class_weights: ClassWeights::None,
        label_smoothing: 0.0,
        average: 0.0,
        evaluate_every: 2,
        patience: 0,
        seed,
        augment: Augment {
            mix: 0.3,
            gain_db: 6.0,
            noise: 0.3,
            mask: 0.8,
            mask_bins: 8,
            mask_rows: 4,
            silence: 0.1,
            ..Augment::none()
        },
        size: Size::default(),
    }
}

pub fn plan(architecture: Architecture, recipe: Recipe) -> Plan {
    Plan {
        architecture,
        front_end: FrontEndSpec::mel().unwrap(),
        classes: vec!["tone".into(), "noise".into()],
        recipe,
    }
}

pub fn material<'a>(clips: &'a [&'a Clip]) -> Material<'a> {
    Material { clips, classes: CLASSES, multi_label: false, backgrounds: Default::default() }
}

/// A new network, trained as the plan says.
pub fn train(clips: &[Clip], plan: &Plan) -> Network {
    let clips: Vec<&Clip> = clips.iter().collect();
    fit(plan, &material(&clips), Start::New, &Options::default(), |_| ()).unwrap()
}

pub fn about() -> About {
    About { name: "tones".into(), version: "1.0.0".into(), licence: "none".into() }
}

/// One thread, so that sums are always added in the same order.
pub fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(work)
}

/// False, and says so, where there is no ONNX Runtime to compare with.
pub fn has_runtime() -> bool {
    match auricle::open_runtime(None) {
        Ok(()) => true,
        Err(e) => {
            println!("SKIPPED: comparison with ONNX Runtime: {e}");
            false
        }
    }
}

/// A folder of its own for one test, removed at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("auricle-train-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
