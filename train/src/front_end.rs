//! Samples -> the network's input, computed by the library's own feature code.

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use auricle::features::{Features, Normalize};
use auricle::model::manifest::{Input, Output, Stream};
use auricle::scores::Activation;
use clap::Args;

/// The manifest's `input` of the models trained here: 64 mel bands of 16 kHz audio, windows of 1.0 s.
const MEL: &str = include_str!("mel.json");

/// Distance between the windows of a clip, seconds: the manifest's `stream.hop_seconds`.
pub const HOP_SECONDS: f64 = 0.25;

/// What the manifest says of the input, and the plan that computes it.
pub struct FrontEnd {
    input: Input,
    features: Features,
    normalize: Normalize,
    window: usize,
    hop: usize,
    rows: Vec<f32>,
}

impl FrontEnd {
    /// The mel front end described by `mel.json`.
    pub fn mel() -> Result<Self> {
        let input: Input = serde_json::from_str(MEL).context("mel.json")?;
        Self::new(input, HOP_SECONDS)
    }

    /// The front end of any model.
    pub fn of(manifest: &Manifest) -> Result<Self> {
        let hop = manifest.stream.hop_seconds.unwrap_or(manifest.input.window_seconds);
        Self::new(manifest.input.clone(), hop)
    }

    fn new(input: Input, hop_seconds: f64) -> Result<Self> {
        let features = Features::new(&input.features, input.sample_rate, "input.features")?;
        let normalize =
            input.normalize.clone().unwrap_or_default().resolved("input.normalize", features.bins())?;
        let samples = |seconds: f64| (seconds * f64::from(input.sample_rate)).round() as usize;
        let (window, hop) = (samples(input.window_seconds), samples(hop_seconds));
        let rows = vec![0.0; features.rows(window) * features.bins()];
        ensure!(!rows.is_empty(), "a window of {} s gives no row", input.window_seconds);
        Ok(Self { input, features, normalize, window, hop, rows })
    }

    /// Rate of the samples, Hz.
    pub fn sample_rate(&self) -> u32 {
        self.input.sample_rate
    }

    /// Samples in one window.
    pub fn window(&self) -> usize {
        self.window
    }

    /// `[bins, rows]` of one window.
    pub fn shape(&self) -> [usize; 2] {
        [self.features.bins(), self.rows.len() / self.features.bins()]
    }

    /// The windows that the library's `classify` looks at: every whole one, a hop apart, and a padded one at the end
    /// if at least one row's worth of samples is in no whole window.
    pub fn windows(&self, samples: &[f32]) -> Vec<Vec<f32>> {
        let mut windows: Vec<Vec<f32>> =
            samples.windows(self.window).step_by(self.hop).map(<[f32]>::to_vec).collect();
        let (next, seen) = match windows.len() {
            0 => (0, 0),
            n => (n * self.hop, (n - 1) * self.hop + self.window),
        };
        if samples.len().saturating_sub(seen.max(next)) >= self.features.min_samples() || windows.is_empty() {
            let mut tail = samples[next..].to_vec();
            self.input.padding.apply(&mut tail, self.window);
            windows.push(tail);
        }
        windows
    }

    /// Appends the features of one window, `out[bin * rows + row]`.
    pub fn append(&mut self, window: &[f32], out: &mut Vec<f32>) {
        assert_eq!(window.len(), self.window, "samples in a window");
        let bins = self.features.bins();
        self.features.compute(window, &mut self.rows);
        self.normalize.apply(&mut self.rows, bins);
        for bin in 0..bins {
            out.extend(self.rows[bin..].iter().step_by(bins));
        }
    }

    /// The manifest of a model with this front end and a softmax over `labels`, valid and complete.
    pub fn manifest(&self, about: &About, labels: &[String]) -> Result<Manifest> {
        let manifest = Manifest {
            auricle: 1,
            name: about.name.clone(),
            version: about.version.clone(),
            licence: about.licence.clone(),
            labels: labels.to_vec(),
            input: self.input.clone(),
            output: Output { tensor: "output".into(), activation: Activation::Softmax, temperature: 1.0 },
            stream: Stream { hop_seconds: Some(HOP_SECONDS) },
            golden: Vec::new(),
        };
        Ok(Manifest::parse(&manifest.to_json())?)
    }
}

/// What the manifest says of the model as a whole.
#[derive(Args, Clone, Debug)]
pub struct About {
    /// Name of the model.
    #[arg(long)]
    pub name: String,
    /// Version of the model, MAJOR.MINOR.PATCH.
    #[arg(long = "model-version", default_value = "1.0.0")]
    pub version: String,
    /// Licence of the weights, and what the training data ask for.
    #[arg(long)]
    pub licence: String,
}
