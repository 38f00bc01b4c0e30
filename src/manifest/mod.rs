//! The manifest: JSON that says what the network expects and what its outputs mean. `docs/manifest.md` describes
//! every member; this file is its definition.

pub mod golden;
mod input;
mod others;
mod output;
mod stream;
pub mod unknown;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, MAX_PATH, Result, Status};
pub use crate::inference::Dtype;
use crate::json::{self, MAX_LABELS};
use crate::memory;
use crate::text;
use golden::Golden;
pub use input::Input;
pub(crate) use others::MAX_ELEMENTS;
pub use others::{Length, Numbers, Other, Size};
pub use output::Output;
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
    #[serde(deserialize_with = "json::list::<MAX_LABELS, _, _>")]
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
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "json::list::<{ golden::MAX_CASES }, _, _>"
    )]
    pub golden: Vec<Golden>,
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
        self.check_labels()?;
        self.input.resolve()?;
        let rate = self.input.sample_rate;
        let hop = *self.stream.hop_seconds.get_or_insert(self.input.window_seconds);
        seconds("stream.hop_seconds", hop, rate)?;
        if hop < MIN_HOP_SECONDS {
            let message = format!(
                "{hop} s (by default window_seconds); valid from {MIN_HOP_SECONDS} s. A session or a clip may be \
                 given a shorter one by its program"
            );
            return Err(Error::manifest("stream.hop_seconds", message));
        }
        self.stream.resolve("stream", &self.labels, self.output.activation)?;
        self.output.resolve()?;
        let windows = golden::Windows { seconds: self.input.window_seconds, hop, work: self.input.work() };
        golden::resolve(&mut self.golden, rate, self.labels.len(), &windows)
    }

    fn check_labels(&self) -> Result<()> {
        if self.labels.is_empty() || self.labels.len() > MAX_LABELS {
            return Err(Error::manifest(
                "labels",
                format!("{} labels; valid 1..={MAX_LABELS}", self.labels.len()),
            ));
        }
        let mut seen = memory::set(self.labels.len(), "the labels")?;
        for (index, label) in self.labels.iter().enumerate() {
            if label.is_empty() || label.contains('\0') {
                return Err(Error::manifest(
                    &format!("labels[{index}]"),
                    "is empty or holds a NUL character",
                ));
            }
            if !seen.insert(label) {
                let first = self.labels.iter().position(|other| other == label).unwrap_or(index);
                return Err(Error::manifest(
                    &format!("labels[{index}]"),
                    format_args!("{label:?} is labels[{first}] too"),
                ));
            }
        }
        Ok(())
    }

    /// Samples of a window at the model's rate.
    pub fn window_samples(&self) -> usize {
        self.input.window_samples()
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
