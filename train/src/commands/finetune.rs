//! `finetune`: a checkpoint and other clips to a model.

use std::path::PathBuf;

use anyhow::{Context, Result};
use auricle_train::checkpoint::Checkpoint;
use auricle_train::distill::begin;
use auricle_train::fit::Start;
use auricle_train::plan::Plan;

use super::backbone::BUNDLED;
use super::stamp;
use super::train::{self, Keep};
use super::{ModelArgs, RunArgs, load};

#[derive(clap::Args)]
pub struct Args {
    /// Checkpoint of the network to go on from, or the ONNX file of a mobilenet; without it, the general one that comes with
    /// this program. The front end stays.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Share of the channels to do without, 0 to below 1: those with the smallest weights are silenced, and the training
    /// makes up for them. `compress --prune` with the same share then takes them out of the file.
    #[arg(long, default_value_t = 0.0)]
    prune: f64,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    keep: Keep,
    #[command(flatten)]
    model: ModelArgs,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let before = match &self.from {
            Some(path) if path.extension().is_some_and(|extension| extension == "onnx") => {
                begin(&stamp::read(path)?, &self.run.recipe).with_context(|| path.display().to_string())?
            }
            Some(path) => Checkpoint::load(path)?,
            None => begin(BUNDLED, &self.run.recipe)?,
        };
        self.keep.check(&self.model)?;
        let dataset = load(&self.run.data, &before.progress.plan.front_end)?;
        self.run.fits(&dataset)?;
        let (classes, mut recipe) = (dataset.classes.clone(), self.run.recipe.clone());
        recipe.size = before.progress.plan.recipe.size;
        let plan = Plan { classes, recipe, ..before.progress.plan.clone() };
        let start = self
            .keep
            .resumed(&self.model)?
            .unwrap_or(Start::From { checkpoint: Box::new(before), prune: self.prune });
        train::run(&plan, &dataset, start, &self.keep, &self.run, &self.model)
    }
}
