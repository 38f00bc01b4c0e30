//! `cross-validate`: how much of clips that were not trained on is recognised.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use auricle_train::baseline;
use auricle_train::crops::Material;
use auricle_train::dataset::{Clip, Dataset};
use auricle_train::evaluate::Evaluator;
use auricle_train::evaluate::noise::Noise;
use auricle_train::export;
use auricle_train::fit::{Options, Start, fit};
use auricle_train::front_end::About;
use auricle_train::loss::Kind;
use auricle_train::parallel;
use auricle_train::plan::Plan;
use auricle_train::report::{self, Fold, Painter, Report, beside};
use indicatif::MultiProgress;

use super::curve::{Curve, bar};
use super::{NetworkArgs, RunArgs, backgrounds, warn_unheard, writable};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
    /// Folds to test on, like 1,2; all without.
    #[arg(long, value_delimiter = ',')]
    only: Vec<u32>,
    /// Test with white and pink noise too, at these SNRs in dB.
    #[arg(long, value_delimiter = ',', default_value = "5,0", allow_negative_numbers = true)]
    noise_snr: Vec<f32>,
    /// Folds trained at once; they share the cores.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Where to write the report: JSON, and beside it a page, .html.
    #[arg(long, default_value = "report.json")]
    report: PathBuf,
    /// ONNX Runtime's shared library, with which the networks are tested; the library says where it looks without.
    #[arg(long)]
    runtime: Option<PathBuf>,
}

/// One fold, and how many of its clips are right with each noise.
struct Tested {
    fold: Fold,
    noisy: Vec<usize>,
    /// How many the baseline gets right.
    baseline: Option<usize>,
}

impl Args {
    pub fn run(self) -> Result<()> {
        writable(&self.report)?;
        beside(&self.report).iter().try_for_each(|path| writable(path))?;
        auricle::open_runtime(self.runtime.as_deref())?;
        let (plan, dataset) = self.network.plan(&self.run)?;
        let known = dataset.folds();
        ensure!(known.len() >= 2, "cross-validation needs at least 2 folds; the labels have {}", known.len());
        let backgrounds =
            backgrounds(plan.recipe.augment.background.as_deref(), plan.front_end.sample_rate())?;
        let noises = Noise::all(&self.noise_snr, &Arc::default());
        let folds = if self.only.is_empty() { known } else { self.only.clone() };
        let waiting = Mutex::new(VecDeque::from(folds));
        // A function, so that the lock is not held through the body of the loop below.
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let done = Mutex::new(Vec::new());
        let screen = MultiProgress::new();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| {
                    while let Some(number) = next() {
                        let threads = (parallel::cores() / self.jobs.max(1)).max(1);
                        let tested = parallel::on_threads(threads, || {
                            self.test(&plan, &dataset, number, &backgrounds, &noises, &screen)
                        });
                        if let Ok(tested) = &tested {
                            screen
                                .suspend(|| println!("fold {number}: {:.2} %", 100.0 * tested.fold.accuracy));
                        }
                        done.lock().unwrap_or_else(PoisonError::into_inner).push(tested);
                    }
                });
            }
        });
        let mut tested = done
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        tested.sort_by_key(|t| t.fold.fold);
        let noisy: Vec<usize> =
            (0..noises.len()).map(|k| tested.iter().map(|tested| tested.noisy[k]).sum()).collect();
        let simple: Option<usize> = tested.iter().map(|tested| tested.baseline).sum();
        let clips: usize = tested.iter().map(|tested| tested.fold.clips.len()).sum();
        let folds: Vec<Fold> = tested.into_iter().map(|t| t.fold).collect();
        let activation = plan.recipe.loss.activation();
        let all: Vec<&Clip> = dataset.clips.iter().collect();
        let about = report::About::new(&plan, dataset.counts(&all))?;
        let mut report = Report::new(dataset.classes.clone(), about, activation, 1.0, folds);
        report.add_noise(&noises, &noisy);
        report.baseline = simple.map(|right| right as f64 / clips as f64);
        println!("{report}");
        println!("{}", report.write(&self.report)?.display());
        Ok(())
    }

    fn test(
        &self,
        plan: &Plan,
        dataset: &Dataset,
        number: u32,
        backgrounds: &Arc<Vec<Vec<f32>>>,
        noises: &[Noise],
        screen: &MultiProgress,
    ) -> Result<Tested> {
        let recipe = &plan.recipe;
        let (test, rest) = dataset.hold_out(&[number])?;
        let threads = (parallel::cores() / self.jobs.max(1)).max(1);
        // The fold that is tested must not decide when to stop: the next one does, and is not trained on.
        let (stop_by, rest): (Vec<&Clip>, Vec<&Clip>) = if recipe.patience > 0 {
            let folds = dataset.folds();
            ensure!(folds.len() > 2, "stopping early takes one more fold than {}", folds.len());
            let next = folds.iter().copied().find(|&f| f > number).unwrap_or(folds[0]);
            rest.into_iter().partition(|clip| clip.fold == next)
        } else {
            (Vec::new(), rest)
        };
        screen.suspend(|| warn_unheard(dataset, &rest, &format!("with fold {number} held out")));
        let material = Material {
            clips: &rest,
            classes: plan.classes.len(),
            multi_label: recipe.loss == Kind::Binary,
            backgrounds: backgrounds.clone(),
        };
        let options = Options {
            held_out: &stop_by,
            device: Some(self.run.device.device()),
            threads,
            ..Options::default()
        };
        let mut curve = Curve::new(screen, format!("fold {number}"), recipe.steps, self.run.plain);
        let network = fit(plan, &material, Start::New, &options, |point| curve.add(point))?;
        let points = curve.finish();

        let about = About::nameless();
        let (onnx, manifest) = (export::onnx(&network, plan, &about)?, export::manifest(plan, &about)?);
        let (evaluator, painter) = (Evaluator::new(&onnx, &manifest)?, Painter::new(manifest));
        let bar = bar(screen, format!("test {number}"), 2 * test.len(), self.run.plain);
        let noisy = evaluator.right_after(&test, noises, Noise::over, threads, &|| bar.inc(1))?;
        let fold = super::test(number, &evaluator, &painter, &points, &test, threads, &|| bar.inc(1))?;
        bar.finish_and_clear();
        let baseline = match recipe.loss {
            Kind::CrossEntropy => {
                baseline::measured(&rest, &test, plan.front_end.sample_rate(), plan.classes.len())
            }
            Kind::Binary => None,
        };
        Ok(Tested { fold, noisy, baseline })
    }
}
