//! A network that stays as it is, and the tensor of it that is its embedding.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use auricle::manifest::Kind;
use auricle::{Model, ModelOptions};
use auricle_train::dataset::Clip;
use auricle_train::head::{Candidate, Embedded, candidates, embed};
use auricle_train::onnx::pool::Pool;
use indicatif::MultiProgress;

use super::curve::bar;
use super::stamp;

/// The general network that is used where none is named: `models/backbone.onnx`.
pub const BUNDLED: &[u8] = include_bytes!("../../../models/backbone.onnx");

#[derive(clap::Args)]
pub struct BackboneArgs {
    /// ONNX file of the network, with its manifest; without it, the general one that comes with this program.
    backbone: Option<PathBuf>,
    /// Tensor that is the embedding; without it, the output that is one, or else the ones that could be are listed.
    #[arg(long)]
    embedding: Option<String>,
    /// What becomes of the rows of a tensor that has one for each moment of a window.
    #[arg(long, value_enum)]
    rows: Option<Pool>,
}

pub struct Backbone {
    place: String,
    pub model: Model,
    /// The network, with its rows pooled.
    pub onnx: Vec<u8>,
    pub embedding: String,
}

impl BackboneArgs {
    pub fn open(&self) -> Result<Backbone> {
        let options = ModelOptions::default();
        let (place, onnx, model) = match &self.backbone {
            Some(path) => (path.display().to_string(), stamp::read(path)?, Model::load(path, &options)?),
            None => {
                let model = Model::load_memory(BUNDLED, None, &options)?;
                ("the network that comes with this program".into(), BUNDLED.to_vec(), model)
            }
        };
        let outputs = &model.manifest().outputs;
        let output = outputs.iter().find(|output| output.kind == Kind::Embedding);
        let named = self.embedding.clone().or_else(|| output.map(|output| output.tensor.clone()));
        let Some(embedding) = named else {
            let tensors = candidates(&onnx).with_context(|| place.clone())?;
            let line = |Candidate { tensor, sizes, rows }: &Candidate| {
                format!("  {tensor}  {sizes:?}{}", if *rows { ", with --rows mean, max or last" } else { "" })
            };
            let lines: Vec<String> = tensors.iter().map(line).collect();
            bail!("--embedding TENSOR is needed; {place} has these that could be:\n{}", lines.join("\n"));
        };
        let (onnx, embedding) = match self.rows {
            Some(pool) => pool.apply(&onnx, &embedding).with_context(|| place.clone())?,
            None => (onnx, embedding),
        };
        Ok(Backbone { place, model, onnx, embedding })
    }
}

impl Backbone {
    /// The embeddings of each clip's windows, with a bar named `what`.
    pub fn embed(
        &self,
        clips: &[&Clip],
        what: &str,
        screen: &MultiProgress,
        plain: bool,
    ) -> Result<Vec<Embedded>> {
        let bar = bar(screen, what.into(), clips.len(), plain);
        let embedded = embed(&self.onnx, self.model.manifest(), &self.embedding, clips, &|| bar.inc(1));
        bar.finish_and_clear();
        embedded.with_context(|| self.place.clone())
    }
}
