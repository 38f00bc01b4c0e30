//! The manifest: JSON that says what the network expects and what its outputs mean. `docs/manifest.md` describes
//! every member; this file is its definition.

pub mod golden;
mod input;
mod others;
mod outputs;
mod samples;
mod stream;
pub mod unknown;

use outputs::MAX_OUTPUTS;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, MAX_PATH, Result, Status};
pub use crate::inference::Dtype;
use crate::json::{self, MAX_LABELS};
use crate::text;
use golden::Golden;
pub use input::{Input, default_normalize};
pub(crate) use others::MAX_ELEMENTS;
pub use others::{Length, Numbers, Other, Size};
pub(crate) use outputs::Quantized;
pub use outputs::{Kind, Output, OutputRows, Series};
pub use samples::Samples;
pub use stream::Stream;

/// Key of the manifest in the metadata of an ONNX file.
pub const METADATA_KEY: &str = "auricle.manifest";

/// Longest manifest, bytes: 65536 labels of 150 bytes, and four golden cases of a score for each.
pub(crate) const MAX_BYTES: usize = 1 << 24;
/// The only version of the format so far.
const VERSION: u32 = 1;
/// Longest name, label or other string in its JSON, bytes. Messages quote them.
const MAX_STRING: usize = 1024;
/// Shortest `stream.hop_seconds`: a host that wants more windows than a thousand a second says so itself.
const MIN_HOP_SECONDS: f64 = 1e-3;
/// Longest window: samples, 17 minutes at 16 kHz, and seconds, because a host's rate may be far above the model's.
const MAX_WINDOW: usize = 1 << 24;
const MAX_SECONDS: f64 = 3600.0;

/// A parsed and validated manifest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Manifest {
    /// Version of the format; 1.
    pub auricle: u32,
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// Licence of the model.
    pub licence: String,
    /// What the network sees.
    pub input: Input,
    /// What its outputs mean; at least one.
    pub outputs: Vec<Output>,
    /// How a stream is read.
    pub stream: Stream,
    /// What it must give for known signals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub golden: Vec<Golden>,
}

/// A manifest as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    auricle: u32,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    licence: String,
    input: Input,
    #[serde(default, deserialize_with = "json::optional_list::<MAX_OUTPUTS, _, _>")]
    outputs: Option<Vec<Output>>,
    /// These two say in short what `outputs` says of one output of scores.
    #[serde(default, deserialize_with = "json::optional_list::<MAX_LABELS, _, _>")]
    labels: Option<Vec<String>>,
    output: Option<Output>,
    #[serde(default)]
    stream: Stream,
    #[serde(default, deserialize_with = "json::list::<{ golden::MAX_CASES }, _, _>")]
    golden: Vec<Golden>,
}

impl Said {
    /// The outputs, each checked.
    fn outputs(&mut self) -> Result<Vec<Output>> {
        let (list, labels, output) = (self.outputs.take(), self.labels.take(), self.output.take());
        let outputs = match (list, labels, output) {
            (Some(outputs), None, None) => {
                for (index, output) in outputs.iter().enumerate() {
                    let path = format!("outputs[{index}]");
                    output.resolve(&path, &format!("{path}.labels"))?;
                }
                outputs
            }
            (None, Some(labels), output) => {
                let output = output.unwrap_or_default();
                if !output.labels.is_empty() {
                    return Err(Error::manifest("output.labels", "say labels once, beside output"));
                }
                let output = Output { labels, ..output };
                output.resolve("output", "labels")?;
                vec![output]
            }
            (Some(_), ..) => {
                let message = "say outputs, or labels and output, which are short for one output of scores";
                return Err(Error::manifest("outputs", message));
            }
            (None, None, _) => {
                return Err(Error::manifest("labels", "is needed, or outputs in its place"));
            }
        };
        if outputs.is_empty() {
            return Err(Error::manifest("outputs", format!("0 outputs; valid 1..={MAX_OUTPUTS}")));
        }
        outputs::check_all(&outputs)?;
        Ok(outputs)
    }
}

impl Manifest {
    /// Parses and validates. Errors name the member's path in the JSON.
    pub fn parse(json: &str) -> Result<Self> {
        let mut said: Said = parse(json)?;
        if said.auricle != VERSION {
            let message = format!("format {} is not known; valid: {VERSION}", said.auricle);
            return Err(Error::manifest("auricle", message));
        }
        let outputs = said.outputs()?;
        let Said { auricle, name, version, licence, input, stream, golden, .. } = said;
        let mut manifest = Self { auricle, name, version, licence, input, outputs, stream, golden };
        manifest.resolve()?;
        Ok(manifest)
    }

    /// The first output, which a read gives.
    pub fn output(&self) -> &Output {
        &self.outputs[0]
    }

    /// Labels of the first output; none if it has no classes.
    pub fn labels(&self) -> &[String] {
        self.outputs.first().map_or(&[], |output| &output.labels)
    }

    /// The manifest as JSON with every default filled in.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a manifest has only string keys")
    }

    /// Checks every member and fills in the defaults that depend on others.
    fn resolve(&mut self) -> Result<()> {
        self.input.resolve()?;
        let rate = self.input.sample_rate;
        if self.stream.hop_seconds.is_none() && self.input.has_state() {
            let message =
                "is needed with a state (input.others): how far the network moves on from run to run";
            return Err(Error::manifest("stream.hop_seconds", message));
        }
        let hop = *self.stream.hop_seconds.get_or_insert(self.input.window_duration());
        seconds("stream.hop_seconds", hop, rate)?;
        if hop < MIN_HOP_SECONDS {
            let message = format!(
                "{hop} s (by default the length of a window); valid from {MIN_HOP_SECONDS} s. A session or a clip may be \
                 given a shorter one by its program"
            );
            return Err(Error::manifest("stream.hop_seconds", message));
        }
        self.stream.resolve("stream", &self.outputs[0])?;
        let windows = golden::Windows { seconds: self.input.window_duration(), hop, work: self.input.work() };
        golden::resolve(&mut self.golden, rate, self.outputs[0].labels.len(), &windows)
    }

    /// Samples of a window at the model's rate.
    pub fn window_samples(&self) -> usize {
        self.input.window()
    }
}

/// Errors name the member's path.
fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    check_size(json)?;
    unknown::refuse(json)?;
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (path, reason) = (text::shortened(error.path(), MAX_PATH), error.inner().to_string());
        let path = if path == "." { "(whole)" } else { &path };
        match reason.starts_with(json::OUT_OF_MEMORY) {
            true => Error::new(Status::Memory, format!("manifest: {path}: {reason}")),
            false => Error::manifest(path, reason),
        }
    })?;
    reader.end().map_err(|error| Error::manifest("(whole)", error))?;
    Ok(value)
}

/// What parsing may claim depends on it: all of the text, and each string.
fn check_size(json: &str) -> Result<()> {
    if json.len() > MAX_BYTES {
        let message = format!("has {} bytes; valid up to {MAX_BYTES}", json.len());
        return Err(Error::manifest("(whole)", message));
    }
    let (mut start, mut escaped) = (None, false);
    for (place, byte) in json.bytes().enumerate() {
        match (start, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(_), b'"') => start = None,
            (None, b'"') => start = Some(place),
            (Some(start), _) if place - start > MAX_STRING => {
                let message = format!(
                    "the string at byte {start} is longer than {MAX_STRING} bytes, the most that one can have"
                );
                return Err(Error::manifest("(whole)", message));
            }
            _ => {}
        }
    }
    Ok(())
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
    if !(value <= MAX_SECONDS && (1..=MAX_WINDOW).contains(&count)) {
        return Err(Error::new(
            Status::Manifest,
            format!(
                "manifest: {path}: {value} s are {count} samples at {rate} Hz; valid 1..={MAX_WINDOW} samples, \
                 up to {} s",
                MAX_SECONDS.min(MAX_WINDOW as f64 / f64::from(rate))
            ),
        ));
    }
    Ok(count)
}
