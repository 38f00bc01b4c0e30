//! Golden cases of a model that was just made, and the file with them inside.

use anyhow::{Context, Result, bail};
use auricle::manifest::golden::{Golden, OURSELVES, Signal};
use auricle::{Manifest, Model, ModelOptions};

use crate::onnx::edit::has_integers;
use crate::onnx::stamp::stamp;

/// Difference that a score of a network may have elsewhere, as a part of the largest score if that is above 1: floats are
/// added in another order, and integers may be rounded the other way.
const TOLERANCE: f64 = 1e-3;
/// The same, of a network in integers.
const INTEGER_TOLERANCE: f64 = 2e-2;

/// What golden cases of this network allow.
fn tolerance(onnx: &[u8]) -> Result<f64> {
    Ok(if has_integers(onnx)? { INTEGER_TOLERANCE } else { TOLERANCE })
}

/// The file with `manifest`, checked by loading it, with golden cases: those of the manifest if it has some, which must
/// then be reproduced, else ones with the scores that this library gives here, marked as its own.
pub fn finish(onnx: &[u8], manifest: &Manifest, tolerance: Option<f64>) -> Result<Vec<u8>> {
    let mut manifest = manifest.clone();
    if manifest.golden.is_empty() {
        let model = Model::load_memory(onnx, Some(&manifest.to_json()), &ModelOptions::default())?;
        let tolerance = tolerance.map_or_else(|| self::tolerance(onnx), Ok)?;
        manifest.golden = cases(&model, tolerance)?;
    }
    // The library counts numbers below the normal range as 0, those that it reads too.
    for score in manifest.golden.iter_mut().flat_map(|case| &mut case.scores) {
        if score.is_subnormal() {
            *score = 0.0;
        }
    }
    let mut options = ModelOptions::default();
    options.self_check = true;
    let file = stamp(onnx, &manifest.to_json())?;
    let model = Model::load_memory(&file, None, &options).context("the library refuses the file")?;
    if *model.manifest() != manifest {
        let (put, held) = (manifest.to_json(), model.manifest().to_json());
        let apart = put.lines().zip(held.lines()).find(|(put, held)| put != held);
        bail!("the file does not hold the manifest that was put into it: {apart:?}");
    }
    Ok(file)
}

/// Loud and quiet, at the model's rate and at another one, of no whole number of windows, shorter than one, and silence.
fn cases(model: &Model, tolerance: f64) -> Result<Vec<Golden>> {
    let (rate, window) = (model.sample_rate(), model.manifest().input.window_duration());
    let chirp = || Signal::Chirp { from_hz: 50.0, to_hz: 0.45 * f64::from(rate) };
    let noise = || Signal::Noise { seed: 1 };
    let other = if rate == 44_100 { 48_000 } else { 44_100 };
    let whole = window.max(0.1); // of windows of some milliseconds a few
    let cases = [
        (chirp(), 2.5 * whole, rate, 1.0),
        (noise(), 1.3 * whole, other, 1.0),
        (noise(), whole, rate, 0.01),
        (chirp(), 0.4 * window, rate, 0.5),
        (Signal::Silence {}, whole, rate, 1.0),
    ];
    let case = |(signal, seconds, sample_rate, level): (Signal, f64, u32, f32)| -> Result<Option<Golden>> {
        let mut case = Golden {
            signal,
            seconds: f64::min(seconds, 60.0),
            sample_rate: Some(sample_rate),
            level,
            by: OURSELVES.into(),
            scores: vec![0.0; model.class_count()],
            tolerance,
        };
        let (samples, sample_rate) = case.clip(rate);
        let clip = auricle::Clip { interleaved: &samples, channels: 1, sample_rate };
        match model.classify(clip, &mut case.scores) {
            Err(_) if seconds < window => return Ok(None), // a network that is not given less than it has asked for
            done => done?,
        }
        let largest = case.scores.iter().fold(1.0, |max, score| f64::max(max, score.abs().into()));
        case.tolerance *= largest;
        Ok(Some(case))
    };
    cases.into_iter().filter_map(|one| case(one).transpose()).collect()
}
