//! Samples -> the network's input, computed by the library's own feature code.

use anyhow::{Context, Result, ensure};
use auricle::features::{Features, Spec};
use serde_json::{Value, json};

/// The manifest's `input` of the models trained here: 64 mel bands of 16 kHz audio, windows of 1.0 s.
const MEL: &str = include_str!("mel.json");

/// Distance between the windows of a clip, seconds: the manifest's `stream.hop_seconds`.
pub const HOP_SECONDS: f64 = 0.25;

/// What the manifest says of the input, and the plan that computes it.
pub struct FrontEnd {
    manifest: Value,
    features: Features,
    sample_rate: u32,
    window: usize,
    rows: Vec<f32>,
}

impl FrontEnd {
    /// The mel front end described by `mel.json`.
    pub fn mel() -> Result<Self> {
        let manifest: Value = serde_json::from_str(MEL).context("mel.json")?;
        let sample_rate = manifest["sample_rate"].as_u64().context("mel.json: sample_rate")? as u32;
        let seconds = manifest["window_seconds"].as_f64().context("mel.json: window_seconds")?;
        let spec: Spec =
            serde_json::from_value(manifest["features"].clone()).context("mel.json: features")?;
        let features = Features::new(&spec, sample_rate, "input.features")?;
        let window = (seconds * f64::from(sample_rate)).round() as usize;
        let rows = vec![0.0; features.rows(window) * features.bins()];
        ensure!(!rows.is_empty(), "mel.json: a window of {seconds} s gives no row");
        Ok(Self { manifest, features, sample_rate, window, rows })
    }

    /// Rate of the samples, Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Samples in one window.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Samples from one window to the next.
    pub fn hop(&self) -> usize {
        (HOP_SECONDS * f64::from(self.sample_rate)).round() as usize
    }

    /// `[bins, rows]` of one window.
    pub fn shape(&self) -> [usize; 2] {
        [self.features.bins(), self.rows.len() / self.features.bins()]
    }

    /// Appends the features of one window, `out[bin * rows + row]`.
    pub fn append(&mut self, window: &[f32], out: &mut Vec<f32>) {
        assert_eq!(window.len(), self.window, "samples in a window");
        self.features.compute(window, &mut self.rows);
        let bins = self.features.bins();
        for bin in 0..bins {
            out.extend(self.rows[bin..].iter().step_by(bins));
        }
    }

    /// The manifest of a model with this front end and a softmax over `labels`.
    pub fn manifest(&self, about: &About, labels: &[String]) -> Value {
        json!({
            "auricle": 1, "name": about.name, "version": about.version, "licence": about.licence, "labels": labels,
            "input": self.manifest,
            "output": { "tensor": "output", "activation": "softmax" },
            "stream": { "hop_seconds": HOP_SECONDS },
        })
    }
}

/// What the manifest says of the model as a whole.
#[derive(Clone, Debug)]
pub struct About {
    /// Name of the model.
    pub name: String,
    /// Version of the model, `MAJOR.MINOR.PATCH`.
    pub version: String,
    /// Licence of the weights, and what the training data ask for.
    pub licence: String,
}
