//! Feature extraction: mono samples at the model's rate -> rows.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Status};

/// What the manifest says of the features (`input.features`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {}

/// A planned front end: every table and buffer is made by [`Features::new`]; nothing allocates after it.
#[derive(Debug)]
pub struct Features {}

impl Features {
    /// Plans the front end that `spec` describes. `path` (such as `input.features`) opens its error messages.
    pub fn new(spec: &Spec, sample_rate: u32, path: &str) -> Result<Self> {
        let _ = (spec, sample_rate);
        Err(Error::new(Status::Manifest, format!("{path}: not yet")))
    }

    /// Values in one row.
    pub fn bins(&self) -> usize {
        0
    }

    /// Rows that `samples` samples give; 0 if they are too few for one.
    pub fn rows(&self, samples: usize) -> usize {
        samples * 0
    }

    /// The fewest samples that give one row.
    pub fn min_samples(&self) -> usize {
        0
    }

    /// Computes all rows of `samples` into `out`, row after row (`out[row * bins + bin]`).
    /// `out` must hold exactly `rows(samples.len()) * bins()` values.
    pub fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
        let _ = (samples, out);
    }
}
/// n
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Normalize {}
impl Normalize {
    pub fn validate(&self, _path: &str, _bins: usize) -> Result<()> {
        Ok(())
    }
    pub fn apply(&self, _rows: &mut [f32], _bins: usize) {}
}
impl Spec {
    pub fn is_waveform(&self) -> bool {
        false
    }
}
