//! Network, manifest and labels: immutable, shared by any number of sessions and threads.

pub mod manifest;

use std::path::Path;

use crate::error::{Error, Result, Status};
pub use manifest::Manifest;

/// How a model is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelOptions {
    /// Threads that ONNX Runtime may use inside one inference; 0 means 1. The calling thread is one of them.
    pub threads: u32,
}

/// One whole recording in memory.
#[derive(Clone, Copy, Debug)]
pub struct Clip<'a> {
    /// Samples, interleaved, full scale 1.0.
    pub interleaved: &'a [f32],
    /// Channels; valid 1..=8.
    pub channels: u32,
    /// Rate, Hz; valid 8000..=384000.
    pub sample_rate: u32,
}

/// A loaded model. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Model {}

impl Model {
    /// Loads an ONNX file. The manifest is the one embedded in it, else `<path>.auricle.json` with the extension replaced.
    pub fn load(path: impl AsRef<Path>, options: &ModelOptions) -> Result<Self> {
        let _ = (path.as_ref(), options);
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// Loads an ONNX file's bytes, with a manifest or with the one embedded in them.
    pub fn load_memory(onnx: &[u8], manifest: Option<&str>, options: &ModelOptions) -> Result<Self> {
        let _ = (onnx, manifest, options);
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// Labels of the classes, in the order of the scores.
    pub fn labels(&self) -> &[String] {
        &[]
    }

    /// Rate of the model, Hz. Sessions and `classify` take any rate and convert.
    pub fn sample_rate(&self) -> u32 {
        0
    }

    /// The manifest, with every default filled in.
    pub fn manifest(&self) -> &Manifest {
        unimplemented!()
    }

    /// The record for traceability, JSON: versions, files, SHA-256 sums, options, manifest.
    pub fn describe(&self) -> String {
        String::new()
    }

    /// Scores of one whole clip: the mean of the scores of its windows. `scores` takes one value a class.
    pub fn classify(&self, clip: Clip<'_>, scores: &mut [f32]) -> Result<()> {
        let _ = (clip, scores);
        Err(Error::new(Status::Internal, "not yet"))
    }
}

/// Rows of features of one whole clip, computed as `manifest` says: `(values, bins)`, `values[row * bins + bin]`.
/// Normalisation is not applied: it belongs to a window.
pub fn features(manifest: &Manifest, clip: Clip<'_>) -> Result<(Vec<f32>, usize)> {
    let _ = (manifest, clip);
    Err(Error::new(Status::Internal, "not yet"))
}
