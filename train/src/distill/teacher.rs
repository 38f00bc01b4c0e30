//! Anyone's network that says what it hears.

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use auricle::stages::scores::Activation;

use crate::compress::activations::{Activations, Inputs};
use crate::front_end::FrontEndSpec;

/// A file with a manifest whose output are scores, and the tensor that is its embedding.
pub struct Teacher {
    onnx: Vec<u8>,
    manifest: Manifest,
    embedding: String,
}

/// What one thread listens with.
pub struct Listener<'a> {
    teacher: &'a Teacher,
    inputs: Inputs,
    activations: Activations,
}

/// What was said of one window.
#[derive(Default)]
pub struct Said {
    /// The embedding.
    pub embedding: Vec<f32>,
    /// Scores of the labels, 0 to 1.
    pub scores: Vec<f32>,
}

impl Teacher {
    /// Of a file's bytes and its manifest.
    pub fn new(onnx: Vec<u8>, manifest: Manifest, embedding: String) -> Result<Self> {
        let scores = &manifest.outputs[0];
        ensure!(!scores.labels.is_empty(), "the first output {:?} has no labels", scores.tensor);
        ensure!(embedding != scores.tensor, "{embedding:?} are the scores; --embedding is another tensor");
        Ok(Self { onnx, manifest, embedding })
    }

    /// The file.
    pub fn onnx(&self) -> &[u8] {
        &self.onnx
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The student hears with the same ears.
    pub fn front_end(&self, hop_seconds: f64) -> Result<FrontEndSpec> {
        FrontEndSpec::new(self.manifest.input.clone(), hop_seconds)
    }

    /// To listen with, on one thread.
    pub fn listener(&self) -> Result<Listener<'_>> {
        let tensors = vec![self.embedding.clone(), self.manifest.outputs[0].tensor.clone()];
        Ok(Listener {
            teacher: self,
            inputs: Inputs::new(&self.manifest)?,
            activations: Activations::new(&self.onnx, tensors)?,
        })
    }
}

impl Listener<'_> {
    /// What it says of one whole window.
    pub fn hear(&mut self, window: &[f32]) -> Result<Said> {
        let input = self.inputs.of(window).into_iter().next().context("less than one window")?;
        let mut said = Said::default();
        self.activations.run(&input, |seen| match seen.index {
            0 => said.embedding = seen.values.to_vec(),
            _ => said.scores = seen.values.to_vec(),
        })?;
        let output = &self.teacher.manifest.outputs[0];
        ensure!(
            said.scores.len() == output.labels.len(),
            "{:?} holds {} values; there are {} labels",
            output.tensor,
            said.scores.len(),
            output.labels.len()
        );
        output.activation.apply(&mut said.scores, output.temperature);
        let score = |value: &&f32| !(0.0..=1.0).contains(*value);
        if let Some(value) = said.scores.iter().find(score) {
            let raw = output.activation == Activation::None;
            let hint = if raw { "; the manifest's `activation` is `none`" } else { "" };
            anyhow::bail!("the teacher's score {value} is not between 0 and 1{hint}");
        }
        Ok(said)
    }
}
