//! The manifest: JSON that says what the network expects and what its outputs mean. `docs/manifest.md` describes
//! every member; this file is its definition.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Status};
use crate::events::Rules;
use crate::features::{Features, Kind, Normalize, Spec};
use crate::model::golden::{self, Golden};
use crate::resample::{self, Quality};
use crate::scores::Activation;
use crate::smoothing::Smoothing;
use crate::window::{Axis, Layout, Padding};

/// Key of the manifest in the metadata of an ONNX file.
pub const METADATA_KEY: &str = "auricle.manifest";

/// The only version of the format so far.
const VERSION: u32 = 1;
/// More labels than any classifier has; keeps a hostile manifest from claiming memory.
const MAX_LABELS: usize = 1 << 16;
/// Longest time to smooth over.
const MAX_SMOOTHING_SECONDS: f64 = 3600.0;
/// Highest `output.temperature`; scores are all alike long before.
const MAX_TEMPERATURE: f32 = 100.0;
/// Longest window, samples: 17 minutes at 16 kHz.
const MAX_WINDOW: usize = 1 << 24;
/// Most feature values of a window, 256 MB: an allocation that fails would abort the host.
const MAX_VALUES: usize = 1 << 26;

/// A parsed and validated manifest.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format; 1.
    pub auricle: u32,
    /// Name of the model.
    #[serde(default)]
    pub name: String,
    /// Version of the model.
    #[serde(default)]
    pub version: String,
    /// Licence of the model.
    #[serde(default)]
    pub licence: String,
    /// Labels of the classes, in the order of the network's outputs.
    pub labels: Vec<String>,
    /// What the network sees.
    pub input: Input,
    /// What its outputs mean.
    #[serde(default)]
    pub output: Output,
    /// How a stream is read.
    #[serde(default)]
    pub stream: Stream,
    /// What it must give for known signals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub golden: Vec<Golden>,
}

/// What the network sees (`input`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name of the input tensor; empty: the network's only one.
    #[serde(default)]
    pub tensor: String,
    /// Rate of the audio that the features are computed from, Hz.
    pub sample_rate: u32,
    /// How the host's audio is converted to that rate; absent: `quality` for whole clips, `low_latency`, which is the
    /// same filter, for streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resampler: Option<Quality>,
    /// Audio that one inference sees, seconds.
    pub window_seconds: f64,
    /// What a clip shorter than the window, or the end of a stream, is filled up with.
    #[serde(default)]
    pub padding: Padding,
    /// Fewest rows that the network can take; counts only where `padding` is `none`.
    #[serde(default = "one")]
    pub min_rows: usize,
    /// From samples to rows.
    pub features: Spec,
    /// What is done to the rows of a window; absent: what the features' preset says, else nothing.
    #[serde(default)]
    pub normalize: Option<Normalize>,
    /// The axes of the input tensor, in order.
    pub layout: Vec<Axis>,
    /// Element type of the input tensor.
    #[serde(default)]
    pub dtype: Dtype,
}

/// Element type of the input tensor (`input.dtype`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtype {
    /// 32-bit float.
    #[default]
    F32,
}

/// What the outputs mean (`output`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Name of the output tensor; empty: the network's first one.
    pub tensor: String,
    /// What makes scores of the raw outputs.
    pub activation: Activation,
    /// The raw outputs are divided by it before the activation, so that scores say how often the model is right
    /// (Guo et al., arXiv:1706.04599); above 0, up to 100.
    pub temperature: f32,
}

impl Default for Output {
    fn default() -> Self {
        Self { tensor: String::new(), activation: Activation::default(), temperature: 1.0 }
    }
}

/// How a stream is read (`stream`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Distance between windows, seconds; absent: a window's length.
    #[serde(default)]
    pub hop_seconds: Option<f64>,
    /// How the scores of a stream are smoothed, where `smoothing_seconds` is not 0.
    #[serde(default)]
    pub smoothing: Smoothing,
    /// Time that scores are smoothed over, seconds; 0: they are not.
    #[serde(default)]
    pub smoothing_seconds: f64,
    /// When a class is on; absent: the stream has no events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Rules>,
}

impl Stream {
    /// Parses the `stream` object of a manifest and checks it for a model with these labels and this activation.
    pub fn parse(json: &str, labels: &[String], activation: Activation) -> Result<Self> {
        let mut stream: Self = parse(json).map_err(|error| Error::argument(error.message()))?;
        stream.resolve("stream", labels, activation).map_err(|error| Error::argument(error.message()))?;
        Ok(stream)
    }

    fn resolve(&mut self, path: &str, labels: &[String], activation: Activation) -> Result<()> {
        if !(0.0..=MAX_SMOOTHING_SECONDS).contains(&self.smoothing_seconds) {
            return Err(Error::manifest(
                &format!("{path}.smoothing_seconds"),
                format!("{}; valid 0..={MAX_SMOOTHING_SECONDS}", self.smoothing_seconds),
            ));
        }
        match &mut self.events {
            Some(events) => events.resolve(&format!("{path}.events"), labels, &activation.range()),
            None => Ok(()),
        }
    }
}

fn one() -> usize {
    1
}

impl Manifest {
    /// Parses and validates. Errors name the member's path in the JSON.
    pub fn parse(json: &str) -> Result<Self> {
        let mut manifest: Self = parse(json)?;
        manifest.resolve()?;
        Ok(manifest)
    }

    /// The manifest as JSON with every default filled in.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a manifest has only string keys")
    }

    /// Checks every member and fills in the defaults that depend on others.
    fn resolve(&mut self) -> Result<()> {
        if self.auricle != VERSION {
            return Err(Error::manifest(
                "auricle",
                format!("format {} is not known; valid: {VERSION}", self.auricle),
            ));
        }
        if self.labels.is_empty() || self.labels.len() > MAX_LABELS {
            return Err(Error::manifest(
                "labels",
                format!("{} labels; valid 1..={MAX_LABELS}", self.labels.len()),
            ));
        }
        let mut seen = std::collections::HashMap::new();
        for (index, label) in self.labels.iter().enumerate() {
            if label.is_empty() || label.contains('\0') {
                return Err(Error::manifest(
                    &format!("labels[{index}]"),
                    "is empty or holds a NUL character",
                ));
            }
            if let Some(first) = seen.insert(label, index) {
                return Err(Error::manifest(
                    &format!("labels[{index}]"),
                    format_args!("{label:?} is labels[{first}] too"),
                ));
            }
        }
        let input = &mut self.input;
        let rates = resample::MIN_SAMPLE_RATE..=resample::MAX_SAMPLE_RATE;
        if !rates.contains(&input.sample_rate) {
            return Err(Error::manifest(
                "input.sample_rate",
                format!("{} Hz; valid {rates:?}", input.sample_rate),
            ));
        }
        let window = seconds("input.window_seconds", input.window_seconds, input.sample_rate)?;
        let hop = *self.stream.hop_seconds.get_or_insert(input.window_seconds);
        seconds("stream.hop_seconds", hop, input.sample_rate)?;
        self.stream.resolve("stream", &self.labels, self.output.activation)?;
        let features = Features::new(&input.features, input.sample_rate, "input.features")?;
        let normalize = input.normalize.clone().unwrap_or_else(|| input.features.default_normalize());
        input.normalize = Some(normalize.resolved("input.normalize", features.bins())?);
        input.features = features.spec().clone();
        self.layout()?;
        self.outputs()?;
        let input = &self.input;
        let (rows, fewest) = (features.rows(window), input.min_rows.max(1));
        if rows < fewest {
            return Err(Error::manifest(
                "input.window_seconds",
                format!(
                    "{} s are {window} samples and give {rows} rows of features; at least {fewest} are needed \
                     (one row needs {} samples)",
                    input.window_seconds,
                    features.min_samples()
                ),
            ));
        }
        let values = rows.saturating_mul(features.bins());
        if values > MAX_VALUES {
            return Err(Error::manifest(
                "input.window_seconds",
                format!(
                    "{} s give {rows} rows of {} bins, {values} values; valid up to {MAX_VALUES}",
                    input.window_seconds,
                    features.bins()
                ),
            ));
        }
        Ok(())
    }

    fn outputs(&mut self) -> Result<()> {
        let Output { activation, temperature, .. } = self.output;
        if !(temperature > 0.0 && temperature <= MAX_TEMPERATURE) {
            let message = format!("{temperature}; valid above 0, up to {MAX_TEMPERATURE}");
            return Err(Error::manifest("output.temperature", message));
        }
        if activation == Activation::None && temperature != 1.0 {
            let message = "has no meaning without an activation: the outputs are scores already";
            return Err(Error::manifest("output.temperature", message));
        }
        if self.golden.len() > golden::MAX_CASES {
            let message = format!("{} cases; valid up to {}", self.golden.len(), golden::MAX_CASES);
            return Err(Error::manifest("golden", message));
        }
        let (rate, labels) = (self.input.sample_rate, self.labels.len());
        let mut cases = self.golden.iter_mut().enumerate();
        cases.try_for_each(|(index, case)| case.resolve(&format!("golden[{index}]"), rate, labels))
    }

    /// The order of the axes of the input tensor.
    pub(crate) fn layout(&self) -> Result<Layout> {
        let waveform = self.input.features.kind == Some(Kind::Waveform);
        Layout::new(&self.input.layout, waveform, "input.layout")
    }

    /// Samples of a window at the model's rate.
    pub fn window_samples(&self) -> usize {
        samples(self.input.window_seconds, self.input.sample_rate)
    }
}

/// Errors name the member's path.
fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let value =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| match error.path().iter().next() {
            Some(_) => Error::manifest(error.path(), error.inner()),
            None => Error::manifest("(whole)", error.inner()),
        })?;
    reader.end().map_err(|error| Error::manifest("(whole)", error))?;
    Ok(value)
}

impl Error {
    /// Wraps an error of reading a manifest with where the manifest came from.
    pub(crate) fn of_manifest(self, source: &str) -> Self {
        Error::new(self.status(), format_args!("{source}: {}", self.message()))
    }
}

/// The nearest whole number of samples.
pub(crate) fn samples(seconds: f64, rate: u32) -> usize {
    (seconds * f64::from(rate)).round() as usize
}

fn seconds(path: &str, value: f64, rate: u32) -> Result<usize> {
    let count = samples(value, rate);
    if !value.is_finite() || !(1..=MAX_WINDOW).contains(&count) {
        return Err(Error::new(
            Status::Manifest,
            format!(
                "manifest: {path}: {value} s are {count} samples at {rate} Hz; valid 1..={MAX_WINDOW} samples, \
                 up to {} s",
                MAX_WINDOW as f64 / f64::from(rate)
            ),
        ));
    }
    Ok(count)
}
