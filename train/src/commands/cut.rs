//! `auricle-train cut`: the part of a network that makes its embedding.

use std::path::PathBuf;

use anyhow::{Context, Result};
use auricle::{Model, ModelOptions};
use auricle_train::head::cut;

use super::{OutputArgs, stamp};

/// Keeps the part of a network that makes its embedding
///
/// The result is a model of its own that gives vectors in place of scores: what `head`, `normal` and `finetune` begin with,
/// and what is compared by its angle. It has no events.
///
/// auricle-train cut model.onnx --embedding TENSOR --out backbone.onnx
#[derive(clap::Args)]
pub struct Args {
    /// ONNX file of the network, with its manifest.
    model: PathBuf,
    /// Tensor that is the embedding; `head` lists the ones that could be.
    #[arg(long)]
    embedding: String,
    #[command(flatten)]
    output: OutputArgs,
}

impl Args {
    pub fn run(self) -> Result<()> {
        self.output.check()?;
        let place = || self.model.display().to_string();
        let onnx = stamp::read(&self.model)?;
        let model = Model::load(&self.model, &ModelOptions::default())?;
        let file = cut(&onnx, model.manifest(), &self.embedding).with_context(place)?;
        stamp::write(&self.output.out, &file)?;
        println!("{}: {} bytes", self.output.out.display(), file.len());
        Ok(())
    }
}
