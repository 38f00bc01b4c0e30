//! Code shared by the commands; each has its own file.

mod backbone;
pub mod compress;
pub mod cross_validate;
mod curve;
pub mod cut;
pub mod distill;
pub mod evaluate;
pub mod finetune;
pub mod float_io;
pub mod head;
pub mod inspect_data;
pub mod join;
pub mod mix;
pub mod normal;
pub mod pretrain;
pub mod search;
pub mod stamp;
pub mod train;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use auricle::stages::text::escaped;
use auricle_train::dataset::{Clip, Dataset, Source, load_mono};
use auricle_train::difference::VERIFIED;
use auricle_train::evaluate::Evaluator;
use auricle_train::export;
use auricle_train::front_end::{About, FrontEndSpec, InputArgs};
use auricle_train::golden;
use auricle_train::inspect;
use auricle_train::loss::Kind;
use auricle_train::network::{Architecture, Network};
use auricle_train::plan::{Plan, Point, Recipe};
use auricle_train::report::{Answer, Fold, Painter};
use auricle_train::streaming;
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use indicatif::MultiProgress;

use curve::bar;

/// Reads the clips, and says what is wrong with them.
fn load(source: &Source, front_end: &FrontEndSpec) -> Result<Dataset> {
    let sample_rate = front_end.sample_rate();
    Ok(said(Dataset::load(source, sample_rate, front_end.min_samples())?, sample_rate))
}

/// The clips, after what is wrong with them was said.
fn said(dataset: Dataset, sample_rate: u32) -> Dataset {
    for reason in &dataset.unreadable {
        eprintln!("left out: {}", escaped(reason));
    }
    for warning in &dataset.warnings {
        eprintln!("warning: {}", escaped(warning));
    }
    println!("{}", escaped(&inspect::short(&dataset, sample_rate)));
    dataset
}

/// The file that a command writes: `train`, `finetune`, `head`, `compress`.
#[derive(Args)]
pub struct OutputArgs {
    /// ONNX file to write.
    #[arg(long)]
    out: PathBuf,
    /// ONNX Runtime's shared library, with which the file is checked; the library says where it looks without.
    #[arg(long)]
    runtime: Option<PathBuf>,
}

impl OutputArgs {
    /// Before the work, so that a missing runtime or folder costs no more than this.
    fn check(&self) -> Result<()> {
        writable(&self.out)?;
        Ok(auricle::open_runtime(self.runtime.as_deref())?)
    }
}

/// The model that a training writes: `train`, `finetune`.
#[derive(Args)]
pub struct ModelArgs {
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    about: About,
}

impl ModelArgs {
    /// Writes the file after the library has computed the same with it on some of `clips`.
    fn write(
        &self,
        onnx: Vec<u8>,
        network: &Network,
        plan: &Plan,
        clips: &[&Clip],
        temperature: f32,
        plain: bool,
    ) -> Result<()> {
        let bar = bar(&MultiProgress::new(), "verify".into(), clips.len().min(VERIFIED), plain);
        let difference = export::verify(&onnx, network, plan, clips, &|| bar.inc(1))?;
        bar.finish_and_clear();
        let mut manifest = export::manifest(plan, &self.about)?;
        manifest.outputs[0].temperature = temperature;
        let onnx = golden::finish(&onnx, &manifest, None)?;
        stamp::write(&self.output.out, &onnx)?;
        println!(
            "{}: {} bytes; on {} clips the library gives the same answers as the trained network, and differs from it by at most {:.1e} in logits, {:.1e} in scores",
            self.output.out.display(),
            onnx.len(),
            difference.clips,
            difference.logits,
            difference.scores
        );
        Ok(())
    }
}

/// An error if no file can be written there, before any work is done.
fn writable(path: &Path) -> Result<()> {
    let place = || path.display().to_string();
    ensure!(!path.is_dir(), "{}: is a folder", place());
    let folder = path.parent().filter(|folder| *folder != "").unwrap_or(Path::new("."));
    ensure!(folder.is_dir(), "{}: the folder {} is not there", place(), folder.display());
    let name = path.file_name().with_context(|| format!("{}: names no file", place()))?;
    let mut probe = name.to_owned();
    probe.push(format!(".{}.part", std::process::id()));
    let probe = folder.join(probe);
    fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).with_context(place)
}

/// Where a network is trained.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Processor {
    /// Any CPU; the only one on which a seed reproduces a run.
    Cpu,
    /// An NVIDIA GPU.
    #[cfg(feature = "cuda")]
    Cuda,
    /// A GPU through Vulkan, Metal or DirectX.
    #[cfg(feature = "wgpu")]
    Wgpu,
}

impl Processor {
    fn device(self) -> Device {
        match self {
            Processor::Cpu => Device::flex(),
            #[cfg(feature = "cuda")]
            Processor::Cuda => Device::cuda(0),
            #[cfg(feature = "wgpu")]
            Processor::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        }
    }
}

/// A training: `train`, `cross-validate`, `finetune`.
#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    data: Source,
    #[command(flatten)]
    recipe: Recipe,
    /// Where it is computed.
    #[arg(long, value_enum, default_value_t = Processor::Cpu)]
    device: Processor,
    /// Lines of text instead of bars and curves; so too where the output is no terminal.
    #[arg(long)]
    plain: bool,
}

impl RunArgs {
    /// Whether the loss can learn these labels.
    fn fits(&self, dataset: &Dataset) -> Result<()> {
        match self.recipe.loss {
            Kind::Binary => Ok(()),
            Kind::CrossEntropy => {
                dataset.one_class_each("Give --loss binary, and every class is judged for itself.")
            }
        }
    }
}

/// Warns of classes that a training never hears.
fn warn_unheard(dataset: &Dataset, rest: &[&Clip], when: &str) {
    let unheard = dataset.unheard(rest);
    if !unheard.is_empty() {
        eprintln!("warning: {when} no clip of {unheard:?} is trained on; the network cannot know them");
    }
}

/// A network that begins with new weights: `train`, `cross-validate`.
#[derive(Args)]
pub struct NetworkArgs {
    /// What is trained.
    #[arg(long, value_enum, default_value_t = Architecture::Resnet)]
    network: Architecture,
    #[command(flatten)]
    input: InputArgs,
}

impl NetworkArgs {
    /// Reads the clips, and plans a run on them.
    fn plan(&self, run: &RunArgs) -> Result<(Plan, Dataset)> {
        let mut input = self.input.clone();
        if self.network == Architecture::Stream {
            input.input.get_or_insert("stream".into());
        }
        let front_end = input.spec()?;
        if self.network == Architecture::Stream {
            streaming::front_end(&front_end)?;
        }
        let dataset = load(&run.data, &front_end)?;
        run.fits(&dataset)?;
        let plan = Plan {
            architecture: self.network,
            front_end,
            classes: dataset.classes.clone(),
            recipe: run.recipe.clone(),
        };
        Ok((plan, dataset))
    }
}

/// Every recording in a folder that can be read, at the model's rate.
fn backgrounds(folder: Option<&Path>, sample_rate: u32) -> Result<Arc<Vec<Vec<f32>>>> {
    let Some(folder) = folder else { return Ok(Arc::default()) };
    let entries = fs::read_dir(folder).with_context(|| format!("--background {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    let read: Vec<Vec<f32>> =
        files.iter().filter_map(|file| load_mono(file, sample_rate).ok()).filter(|s| !s.is_empty()).collect();
    ensure!(
        !read.is_empty(),
        "--background {}: none of its {} files can be read",
        folder.display(),
        files.len()
    );
    println!("{} of {} files are backgrounds", read.len(), files.len());
    Ok(Arc::new(read))
}

/// What a model says of clips that it was not trained on.
fn test(
    fold: u32,
    evaluator: &Evaluator,
    painter: &Painter,
    curve: &[Point],
    clips: &[&Clip],
    threads: usize,
    done: &(dyn Fn() + Sync),
) -> Result<Fold> {
    let answers = evaluator.answers(clips, threads, done)?;
    let answers = clips.iter().zip(answers).map(|(clip, answer)| Answer::new(clip, answer, painter));
    Ok(Fold::new(fold, curve, answers.collect()))
}
