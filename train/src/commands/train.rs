//! `train`: all clips, or all but the fold that is held out, to a model.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use auricle_train::baseline;
use auricle_train::checkpoint::Checkpoint;
use auricle_train::crops::Material;
use auricle_train::dataset::{Clip, Dataset};
use auricle_train::evaluate::Evaluator;
use auricle_train::export;
use auricle_train::fit::{Options, Start, fit};
use auricle_train::log::Log;
use auricle_train::loss::Kind;
use auricle_train::parallel;
use auricle_train::plan::{Plan, Point};
use auricle_train::report::{About, Painter, Report, beside};
use auricle_train::sources::Sources;
use indicatif::MultiProgress;

use super::curve::{Curve, bar};
use super::{ModelArgs, NetworkArgs, RunArgs, backgrounds, test, warn_unheard, writable};

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
    /// Fold that is not trained on: the run is looked at and stopped by it, and its temperature found by it. The result is
    /// tested on it too, unless there is --test.
    #[arg(long)]
    hold_out: Option<u32>,
    /// Folds, like 4,5, that have no say in anything: the result is tested on them, after everything is decided.
    #[arg(long, value_delimiter = ',')]
    test: Vec<u32>,
    /// Where to write the report on the folds that are tested on: JSON, and beside it a page, .html.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Folder for the curves of the run while it goes on: `steps.csv`, and a file that TensorBoard shows.
    #[arg(long)]
    log: Option<PathBuf>,
    /// What the outputs are divided by before they become scores, as cross-validate found it.
    #[arg(long, conflicts_with = "hold_out", default_value_t = 1.0)]
    temperature: f32,
    /// File that the run is kept in, so that it can be resumed, and fine-tuned later; without it, the model's with the
    /// extension `.ckpt`.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Steps between two writings of the checkpoint.
    #[arg(long, default_value_t = 100)]
    checkpoint_every: usize,
    /// Go on from the checkpoint of the same command; only --steps may be another number.
    #[arg(long)]
    resume: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        self.keep.check(&self.model)?;
        let (plan, dataset) = self.network.plan(&self.run)?;
        let start = self.keep.resumed(&self.model)?.unwrap_or(Start::New);
        run(&plan, &dataset, start, &self.keep, &self.run, &self.model)
    }
}

impl Keep {
    /// Before the work: that every file can be written, and that no other run is overwritten.
    pub fn check(&self, model: &ModelArgs) -> Result<()> {
        model.output.check()?;
        ensure!(
            self.report.is_none() || self.hold_out.is_some() || !self.test.is_empty(),
            "--report needs clips that are not trained on: --hold-out FOLD, --test FOLDS, or both"
        );
        let both = self.hold_out.filter(|fold| self.test.contains(fold));
        ensure!(both.is_none(), "fold {} is in --hold-out and in --test", both.unwrap_or_default());
        if let Some(json) = &self.report {
            writable(json)?;
            beside(json).iter().try_for_each(|path| writable(path))?;
        }
        let path = self.checkpoint(model);
        ensure!(
            path != model.output.out,
            "{}: is the model's file; --checkpoint needs another one",
            path.display()
        );
        writable(&path)?;
        if !path.exists() || self.resume {
            return Ok(());
        }
        // One that lies beside a model that was written from it goes with that model.
        let replaced = self.checkpoint.is_none()
            && model.output.out.exists()
            && Checkpoint::load(&path).is_ok_and(|run| run.progress.is_over());
        ensure!(
            replaced,
            "{}: holds another run. Give --resume to go on with it, --checkpoint with another name to keep it, or remove it",
            path.display()
        );
        Ok(())
    }

    fn checkpoint(&self, model: &ModelArgs) -> PathBuf {
        self.checkpoint.clone().unwrap_or_else(|| model.output.out.with_extension("ckpt"))
    }

    /// The run to go on with, if that was asked for.
    pub fn resumed(&self, model: &ModelArgs) -> Result<Option<Start>> {
        match self.resume {
            true => Ok(Some(Start::Resume(Box::new(Checkpoint::load(&self.checkpoint(model))?)))),
            false => Ok(None),
        }
    }
}

/// Trains, tests on what was held out, writes the model, then the report.
pub fn run(
    plan: &Plan,
    dataset: &Dataset,
    start: Start,
    keep: &Keep,
    run: &RunArgs,
    model: &ModelArgs,
) -> Result<()> {
    let recipe = &plan.recipe;
    let folds: Vec<u32> = keep.hold_out.iter().chain(&keep.test).copied().collect();
    let (away, rest) = dataset.hold_out(&folds)?;
    let (tested, held): (Vec<&Clip>, Vec<&Clip>) =
        away.iter().copied().partition(|clip| keep.test.contains(&clip.fold));
    warn_unheard(dataset, &rest, "with these folds held out");
    if let Start::From { checkpoint, .. } = &start {
        checkpoint.progress.sources.check(&away)?;
    }
    let material = Material {
        clips: &rest,
        classes: plan.classes.len(),
        multi_label: recipe.loss == Kind::Binary,
        backgrounds: backgrounds(recipe.augment.background.as_deref(), plan.front_end.sample_rate())?,
    };
    let checkpoint = keep.checkpoint(model);
    let options = Options {
        held_out: &held,
        checkpoint: Some((checkpoint.clone(), keep.checkpoint_every.max(1))),
        device: Some(run.device.device()),
        threads: parallel::cores(),
        stop_after: None,
    };
    let screen = MultiProgress::new();
    let mut curve = Curve::new(&screen, "all".into(), recipe.steps, run.plain);
    let mut log = keep.log.as_deref().map(Log::create).transpose()?;
    let mut unwritten = Ok(());
    let show = |point: &Point| {
        curve.add(point);
        if let (Some(log), true) = (&mut log, unwritten.is_ok()) {
            unwritten = log.add(point);
        }
    };
    let network = parallel::on_threads(parallel::cores(), || fit(plan, &material, start, &options, show))?;
    if let Err(error) = unwritten {
        eprintln!("warning: the log ends early: {error:#}");
    }
    let points = curve.finish();
    let manifest = export::manifest(plan, &model.about)?;
    let onnx = Sources::new(&rest, &away).stamp(export::onnx(&network, plan, &model.about)?)?;
    let judge = |folds: &[u32], clips: &[&Clip], temperature: f32| -> Result<Report> {
        let bar = bar(&screen, "test".into(), clips.len(), run.plain);
        let mut evaluator = Evaluator::new(&onnx, &manifest)?;
        evaluator.temperature = temperature;
        let painter = Painter::new(manifest.clone());
        let fold = |&fold: &u32| {
            let clips: Vec<&Clip> = clips.iter().filter(|clip| clip.fold == fold).copied().collect();
            test(fold, &evaluator, &painter, &points, &clips, parallel::cores(), &|| bar.inc(1))
        };
        let folds = folds.iter().map(fold).collect::<Result<Vec<_>>>()?;
        bar.finish_and_clear();
        let about = About::new(plan, dataset.counts(&rest))?;
        let mut report = Report::new(plan.classes.clone(), about, evaluator.activation(), temperature, folds);
        if !report.multi_label {
            let rate = plan.front_end.sample_rate();
            report.baseline = baseline::measured(&rest, clips, rate, plan.classes.len())
                .map(|right| right as f64 / clips.len() as f64);
        }
        Ok(report)
    };
    let (mut temperature, mut report) = (keep.temperature, None);
    if let Some(fold) = keep.hold_out {
        let found = judge(&[fold], &held, 1.0)?;
        println!("fold {fold}, which had a say in this run:\n{found}");
        temperature = found.calibration.temperature;
        report = Some(found);
    }
    if !keep.test.is_empty() {
        let found = judge(&keep.test, &tested, temperature)?;
        println!("folds {:?}, which had none:\n{found}", keep.test);
        report = Some(found);
    }
    let checked = if away.is_empty() { &rest } else { &away };
    model.write(onnx.clone(), &network, plan, checked, temperature, run.plain).with_context(|| {
        format!("the run is kept in {}; --resume goes on from there", checkpoint.display())
    })?;
    if let (Some(report), Some(path)) = (report, &keep.report) {
        println!("{}", report.write(path)?.display());
    }
    Ok(())
}
