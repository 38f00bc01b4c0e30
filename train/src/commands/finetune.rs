//! `finetune`: a checkpoint and other clips to a model.

use std::path::PathBuf;

use anyhow::Result;
use auricle_train::checkpoint::Checkpoint;
use auricle_train::fit::Start;
use auricle_train::plan::Plan;

use super::train::{self, Keep};
use super::{ModelArgs, RunArgs, load};

#[derive(clap::Args)]
pub struct Args {
    /// Checkpoint of the network to go on from; its front end stays.
    #[arg(long)]
    from: PathBuf,
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
        let before = Checkpoint::load(&self.from)?;
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
