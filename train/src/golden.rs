//! Golden cases of a model that was just made, and the file with them inside.

use anyhow::{Context, Result, ensure};
use auricle::manifest::golden::{Golden, Signal};
use auricle::{Manifest, Model, ModelOptions};

use crate::onnx::stamp::stamp;

/// Difference that a score may have elsewhere: floats are added in another order, and integers may be rounded the other
/// way.
pub const TOLERANCE: f64 = 1e-3;
/// The same, of a network in integers.
pub const INTEGER_TOLERANCE: f64 = 2e-2;

/// The file with `manifest`, checked by loading it, with golden cases: those of the manifest if it has some, which must
/// then be reproduced, else a chirp at the model's rate and noise at another one, with the scores that they get here.
pub fn finish(onnx: &[u8], manifest: &Manifest, tolerance: f64) -> Result<Vec<u8>> {
    let mut manifest = manifest.clone();
    if manifest.golden.is_empty() {
        let model = Model::load_memory(onnx, Some(&manifest.to_json()), &ModelOptions::default())?;
        manifest.golden = cases(&model, tolerance)?;
    }
    let mut options = ModelOptions::default();
    options.self_check = true;
    let file = stamp(onnx, &manifest.to_json())?;
    let model = Model::load_memory(&file, None, &options).context("the library refuses the file")?;
    ensure!(*model.manifest() == manifest, "the file does not hold the manifest that was put into it");
    Ok(file)
}

fn cases(model: &Model, tolerance: f64) -> Result<Vec<Golden>> {
    let (rate, window) = (model.sample_rate(), model.manifest().input.window_duration());
    let chirp = Signal::Chirp { from_hz: 50.0, to_hz: 0.45 * f64::from(rate) };
    let noise = Signal::Noise { seed: 1 };
    let other = if rate == 44_100 { 48_000 } else { 44_100 };
    // Not whole windows, so that padding is part of it.
    let cases = [(chirp, 2.5 * window, rate), (noise, 1.3 * window, other)];
    let case = |(signal, seconds, sample_rate): (Signal, f64, u32)| {
        let seconds = f64::min(seconds, 60.0);
        let mut case =
            Golden { signal, seconds, sample_rate: Some(sample_rate), scores: Vec::new(), tolerance };
        let (samples, sample_rate) = case.clip(rate);
        case.scores = vec![0.0; model.labels().len()];
        model
            .classify(auricle::Clip { interleaved: &samples, channels: 1, sample_rate }, &mut case.scores)?;
        Ok(case)
    };
    cases.into_iter().map(case).collect()
}
