//! `train`: all clips, or all but the fold that is held out, to a model.

use std::path::PathBuf;

use anyhow::Result;
use auricle_train::checkpoint::Checkpoint;
use auricle_train::crops::Material;
use auricle_train::dataset::Clip;
use auricle_train::fit::{Options, Start, fit};
use auricle_train::loss::Kind;
use auricle_train::plan::Plan;
use auricle_train::report::Report;
use indicatif::MultiProgress;

use super::curve::Curve;
use super::{ModelArgs, NetworkArgs, RunArgs, backgrounds, on_one_thread, test};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    keep: Keep,
    #[command(flatten)]
    model: ModelArgs,
}

/// How a run is kept, and by what it is judged.
#[derive(clap::Args)]
pub struct Keep {
    /// Fold that is not trained on; the result is tested on it, and its temperature found by it.
    #[arg(long)]
    hold_out: Option<u32>,
    /// Where to write the report on that fold: JSON, and beside it a page, .html.
    #[arg(long, requires = "hold_out")]
    report: Option<PathBuf>,
    /// What the outputs are divided by before they become scores, as cross-validate found it.
    #[arg(long, conflicts_with = "hold_out", default_value_t = 1.0)]
    temperature: f32,
    /// File that the run is kept in, so that it can be resumed, and fine-tuned later.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Steps between two writings of the checkpoint.
    #[arg(long, default_value_t = 100, requires = "checkpoint")]
    checkpoint_every: usize,
    /// Go on from the checkpoint of the same command.
    #[arg(long, requires = "checkpoint")]
    resume: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        self.model.output.open_runtime()?;
        let (plan, dataset) = self.network.plan(&self.run)?;
        let (held, rest) = dataset.hold_out(self.keep.hold_out())?;
        let start = self.keep.resumed()?.unwrap_or(Start::New);
        run(&plan, &held, &rest, start, &self.keep, &self.run, &self.model)
    }
}

impl Keep {
    /// Folds that are not trained on.
    pub fn hold_out(&self) -> &[u32] {
        self.hold_out.as_slice()
    }

    /// The run to go on with, if that was asked for.
    pub fn resumed(&self) -> Result<Option<Start>> {
        match (&self.checkpoint, self.resume) {
            (Some(path), true) => Ok(Some(Start::Resume(Box::new(Checkpoint::load(path)?)))),
            _ => Ok(None),
        }
    }
}

/// Trains, tests on what was held out, writes the model.
pub fn run(
    plan: &Plan,
    held: &[&Clip],
    rest: &[&Clip],
    start: Start,
    keep: &Keep,
    run: &RunArgs,
    model: &ModelArgs,
) -> Result<()> {
    let recipe = &plan.recipe;
    let material = Material {
        clips: rest,
        classes: plan.classes.len(),
        multi_label: recipe.loss == Kind::Binary,
        backgrounds: backgrounds(recipe.augment.background.as_deref(), plan.front_end.sample_rate())?,
    };
    let options = Options {
        held_out: held,
        checkpoint: keep.checkpoint.clone().map(|path| (path, keep.checkpoint_every.max(1))),
        device: Some(run.device.device()),
        stop_after: None,
    };
    let screen = MultiProgress::new();
    let mut curve = Curve::new(&screen, "all".into(), recipe.steps, run.plain);
    let network = on_one_thread(|| fit(plan, &material, start, &options, |point| curve.add(point)))?;
    let points = curve.finish();
    let mut temperature = keep.temperature;
    if let Some(fold) = keep.hold_out {
        let fold = test(fold, plan, &points, &network, held)?;
        let report = Report::new(plan.classes.clone(), recipe, recipe.loss.activation(), vec![fold])?;
        println!("{report}");
        temperature = report.temperature;
        if let Some(path) = &keep.report {
            println!("{}", report.write(path)?.display());
        }
    }
    let checked = if held.is_empty() { rest } else { held };
    model.write(&network, plan, checked, temperature)
}
