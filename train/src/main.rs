//! `auricle-train`: labelled clips in, an ONNX model for `libauricle` out.

mod commands;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use auricle::scores::Activation;
use auricle_train::dataset::{Clip, Dataset, Source};
use auricle_train::evaluate::window_outputs;
use auricle_train::export;
use auricle_train::fit::{Recipe, fit};
use auricle_train::front_end::{About, FrontEnd};
use auricle_train::golden;
use auricle_train::network::AudioCnn;
use auricle_train::report::{Answer, Fold, Painter, Point, Report};
use clap::{Args, Parser, Subcommand};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Trains sound classifiers for libauricle.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trains on all clips and writes a model.
    Train {
        #[command(flatten)]
        data: Source,
        #[command(flatten)]
        recipe: Recipe,
        #[command(flatten)]
        model: ModelArgs,
        /// Fold that is kept back, so that the model can be tested by it.
        #[arg(long)]
        hold_out: Option<u32>,
        /// What the network's outputs are divided by before the softmax, as cross-validate found it. With --hold-out it is
        /// found on the clips that are kept back.
        #[arg(long, conflicts_with = "hold_out", default_value_t = 1.0)]
        temperature: f32,
        /// Where to write the report on the clips that are kept back: JSON, and beside it a page, .html.
        #[arg(long, requires = "hold_out")]
        report: Option<PathBuf>,
    },
    /// Trains once for each fold on all the others, and prints how much of the fold is then recognised.
    CrossValidate {
        #[command(flatten)]
        data: Source,
        #[command(flatten)]
        recipe: Recipe,
        /// Folds trained at once, each on one thread.
        #[arg(long, default_value_t = 1)]
        jobs: usize,
        /// Where to write the report: JSON, and beside it a page, .html.
        #[arg(long, default_value = "report.json")]
        report: PathBuf,
    },
    Compress(commands::compress::Args),
    Stamp(commands::stamp::Args),
}

#[derive(Args)]
struct ModelArgs {
    /// ONNX file to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    about: About,
    /// ONNX Runtime's shared library, with which the file is checked; the library says where it looks without.
    #[arg(long)]
    runtime: Option<PathBuf>,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train { data, recipe, model, hold_out, temperature, report } => {
            train(&data, &recipe, &model, hold_out, temperature, report.as_deref())
        }
        Command::CrossValidate { data, recipe, jobs, report } => {
            cross_validate(&data, &recipe, jobs, &report)
        }
        Command::Compress(args) => commands::compress::run(&args),
        Command::Stamp(args) => commands::stamp::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("auricle-train: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the clips, and says what is wrong with them.
fn load(data: &Source, sample_rate: u32) -> Result<Dataset> {
    let dataset = Dataset::load(data, sample_rate)?;
    for reason in &dataset.unreadable {
        eprintln!("left out: {reason}");
    }
    for warning in &dataset.warnings {
        eprintln!("warning: {warning}");
    }
    let seconds: f64 =
        dataset.clips.iter().map(|c| c.samples.len() as f64).sum::<f64>() / f64::from(sample_rate);
    let (clips, classes, cached) = (dataset.clips.len(), dataset.classes.len(), dataset.from_cache);
    println!("{clips} clips, {classes} classes, {seconds:.0} s ({cached} files from the cache)");
    Ok(dataset)
}

fn train(
    data: &Source,
    recipe: &Recipe,
    model: &ModelArgs,
    hold_out: Option<u32>,
    mut temperature: f32,
    report: Option<&Path>,
) -> Result<()> {
    // Before the training, so that a missing runtime costs no more than this.
    auricle::open_runtime(model.runtime.as_deref())?;
    let mut front_end = FrontEnd::mel()?;
    let dataset = load(data, front_end.sample_rate())?;
    let (held, clips): (Vec<&Clip>, Vec<&Clip>) = match hold_out {
        Some(fold) => dataset.hold_out(fold)?,
        None => (Vec::new(), dataset.clips.iter().collect()),
    };
    let mut manifest = front_end.manifest(&model.about, &dataset.classes)?;
    let (network, curve) = on_one_thread(|| train_one(&clips, &dataset, recipe, &bar(recipe, "all")))?;
    if let Some(fold) = hold_out {
        let painter = Painter::new(manifest.clone());
        let fold = answers(fold, curve, &network, &held, &painter)?;
        let found = Report::new(dataset.classes.clone(), recipe, Activation::Softmax, vec![fold])?;
        println!("{found}");
        temperature = found.temperature;
        if let Some(path) = report {
            println!("{}", found.write(path)?.display());
        }
    }
    let onnx = export::onnx(&network, &front_end, &model.about, &dataset.classes)?;
    let difference = export::verify(&onnx, &network, &mut front_end, &clips)?;
    manifest.output.temperature = temperature;
    let onnx = golden::finish(&onnx, &manifest, golden::TOLERANCE)?;
    fs::write(&model.out, &onnx).with_context(|| format!("{}", model.out.display()))?;
    println!(
        "{}: {} bytes; over {} clips the library differs from the trained network by at most {:.1e} in logits, {:.1e} in scores",
        model.out.display(),
        onnx.len(),
        clips.len(),
        difference.logits,
        difference.scores
    );
    Ok(())
}

fn cross_validate(data: &Source, recipe: &Recipe, jobs: usize, path: &Path) -> Result<()> {
    let dataset = load(data, FrontEnd::mel()?.sample_rate())?;
    let numbers = dataset.folds();
    ensure!(numbers.len() >= 2, "cross-validation needs at least 2 folds; the labels have {}", numbers.len());
    let bars = MultiProgress::new();
    let waiting = Mutex::new(VecDeque::from(numbers));
    // A function, so that the lock is not held through the body of the loop below.
    let next = || lock(&waiting).pop_front();
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(number) = next() {
                    let bar = bars.add(bar(recipe, &format!("fold {number}")));
                    let fold = on_one_thread(|| one_fold(&dataset, number, recipe, &bar));
                    if let Ok(fold) = &fold {
                        bar.suspend(|| println!("fold {number}: {:.2} %", 100.0 * fold.accuracy));
                    }
                    lock(&done).push(fold);
                }
            });
        }
    });
    let mut folds =
        done.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect::<Result<Vec<_>>>()?;
    folds.sort_by_key(|f| f.fold);
    let report = Report::new(dataset.classes, recipe, Activation::Softmax, folds)?;
    println!("{report}\n{}", report.write(path)?.display());
    Ok(())
}

fn one_fold(dataset: &Dataset, number: u32, recipe: &Recipe, bar: &ProgressBar) -> Result<Fold> {
    let (test, rest) = dataset.hold_out(number)?;
    let (network, curve) = train_one(&rest, dataset, recipe, bar)?;
    let about = About { name: String::new(), version: String::new(), licence: String::new() };
    let painter = Painter::new(FrontEnd::mel()?.manifest(&about, &dataset.classes)?);
    answers(number, curve, &network, &test, &painter)
}

/// What a network says of clips that it was not trained on.
fn answers(
    fold: u32,
    curve: Vec<Point>,
    network: &AudioCnn,
    clips: &[&Clip],
    painter: &Painter,
) -> Result<Fold> {
    let mut front_end = FrontEnd::mel()?;
    let answer = |clip: &&Clip| {
        let windows = window_outputs(network, &mut front_end, &clip.samples);
        Answer::new(clip, windows, Activation::Softmax, painter)
    };
    Ok(Fold::new(fold, curve, clips.iter().map(answer).collect()))
}

/// The network, and its loss in a hundred points.
fn train_one(
    clips: &[&Clip],
    dataset: &Dataset,
    recipe: &Recipe,
    bar: &ProgressBar,
) -> Result<(AudioCnn, Vec<Point>)> {
    let (every, tenth) = (recipe.steps.div_ceil(100), recipe.steps.div_ceil(10));
    let (mut sum, mut since) = (0.0, 0);
    let mut curve = Vec::new();
    let network = fit(clips, dataset.classes.len(), &mut FrontEnd::mel()?, recipe, |step, loss| {
        bar.set_message(format!("{loss:.3}"));
        bar.inc(1);
        if bar.is_hidden() && (step % tenth == 0 || step == recipe.steps) {
            println!("{}: {step}/{} steps, loss {loss:.3}", bar.prefix(), recipe.steps);
        }
        (sum, since) = (sum + loss, since + 1);
        if step % every == 0 || step == recipe.steps {
            curve.push(Point { step, loss: sum / since as f32, held_out: None });
            (sum, since) = (0.0, 0);
        }
    })?;
    bar.finish();
    Ok((network, curve))
}

/// One thread for one training: its sums are then always added in the same order, so that its seed reproduces it.
fn on_one_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(work)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bar(recipe: &Recipe, name: &str) -> ProgressBar {
    let style = "{prefix:8} {bar:30} {pos}/{len} steps, loss {msg}, {eta} left";
    ProgressBar::new(recipe.steps as u64)
        .with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(name.to_owned())
}
