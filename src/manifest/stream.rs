//! How a stream is read (`stream`).

use serde::{Deserialize, Serialize};

use super::{Manifest, Output, parse};
use crate::error::{Error, Result, Status};
use crate::events::Rules;
use crate::smoothing::Smoothing;

/// Longest time to smooth over.
const MAX_SMOOTHING_SECONDS: f64 = 3600.0;

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
    /// Parses the `stream` object of a manifest and checks it for the model of `manifest`.
    pub fn parse(json: &str, manifest: &Manifest) -> Result<Self> {
        let mut stream: Self = parse(json).map_err(of_argument)?;
        stream.resolve("stream", manifest.output()).map_err(of_argument)?;
        Ok(stream)
    }

    /// For a stream of the results of `output`.
    pub(super) fn resolve(&mut self, path: &str, output: &Output) -> Result<()> {
        if !(0.0..=MAX_SMOOTHING_SECONDS).contains(&self.smoothing_seconds) {
            return Err(Error::manifest(
                &format!("{path}.smoothing_seconds"),
                format!("{}; valid 0..={MAX_SMOOTHING_SECONDS}", self.smoothing_seconds),
            ));
        }
        if output.labels.is_empty() && (self.smoothing_seconds > 0.0 || self.events.is_some()) {
            return Err(Error::manifest(
                path,
                "smoothing and events are for scores, which the first output has none of",
            ));
        }
        match &mut self.events {
            Some(events) => {
                events.resolve(&format!("{path}.events"), &output.labels, &output.activation.range())
            }
            None => Ok(()),
        }
    }
}

/// It is no manifest that is wrong, but what the program gave in its place.
fn of_argument(error: Error) -> Error {
    match error.status() {
        Status::Memory => error,
        _ => Error::argument(error.message()),
    }
}
