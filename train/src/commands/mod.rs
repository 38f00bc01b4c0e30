//! One file a command, and here what they share.

pub mod cross_validate;
mod curve;
pub mod finetune;
pub mod train;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use auricle_train::dataset::{Clip, Dataset, load_mono};
use auricle_train::export;
use auricle_train::fit::Plan;
use auricle_train::front_end::About;
use auricle_train::network::Network;
use burn::tensor::Device;
use clap::{Args, ValueEnum};

#[derive(Args)]
pub struct Data {
    /// Folder that the files in the labels are relative to.
    #[arg(long)]
    data: PathBuf,
    /// CSV with the columns `file` and `class`, and `fold` for cross-validate; relative to the data folder.
    #[arg(long, default_value = "labels.csv")]
    labels: PathBuf,
}

impl Data {
    fn load(&self, sample_rate: u32) -> Result<Dataset> {
        let dataset = Dataset::load(&self.data, &self.data.join(&self.labels), sample_rate)?;
        for reason in &dataset.unreadable {
            eprintln!("left out: {reason}");
        }
        let seconds: f64 =
            dataset.clips.iter().map(|c| c.samples.len() as f64).sum::<f64>() / f64::from(sample_rate);
        println!("{} clips, {} classes, {seconds:.0} s", dataset.clips.len(), dataset.classes.len());
        Ok(dataset)
    }
}

/// The model that a command writes.
#[derive(Args)]
pub struct ModelArgs {
    /// ONNX file to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    about: About,
    /// ONNX Runtime's shared library, with which the file is checked; the library says where it looks without.
    #[arg(long)]
    runtime: Option<PathBuf>,
}

impl ModelArgs {
    /// Before the training, so that a missing runtime costs no more than this.
    fn open_runtime(&self) -> Result<()> {
        Ok(auricle::open_runtime(self.runtime.as_deref())?)
    }

    /// Writes the file after the library has computed the same with it on `clips`.
    fn write(&self, network: &Network, plan: &Plan, clips: &[&Clip]) -> Result<()> {
        let onnx = export::onnx(network, plan, &self.about)?;
        let difference = export::verify(&onnx, network, &mut plan.front_end.plan()?, clips)?;
        fs::write(&self.out, &onnx).with_context(|| format!("{}", self.out.display()))?;
        println!(
            "{}: {} bytes; over {} clips the library gives the same answers as the trained network, and differs from it by at most {:.1e} in logits, {:.1e} in scores",
            self.out.display(),
            onnx.len(),
            clips.len(),
            difference.logits,
            difference.scores
        );
        Ok(())
    }
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

/// How a run is watched and kept.
#[derive(Args)]
pub struct RunArgs {
    /// Where it is computed.
    #[arg(long, value_enum, default_value_t = Processor::Cpu)]
    device: Processor,
    /// Lines of text instead of bars and curves; so too where the output is no terminal.
    #[arg(long)]
    plain: bool,
}

/// The clips of the folds that are held out, and the rest.
fn hold_out<'a>(dataset: &'a Dataset, folds: &[u32]) -> Result<(Vec<&'a Clip>, Vec<&'a Clip>)> {
    let known = dataset.folds();
    if let Some(missing) = folds.iter().find(|fold| !known.contains(fold)) {
        bail!("fold {missing} cannot be held out: the clips are in the folds {known:?}");
    }
    let (held, rest): (Vec<&Clip>, Vec<&Clip>) =
        dataset.clips.iter().partition(|clip| folds.contains(&clip.fold));
    ensure!(!rest.is_empty(), "every clip is held out; nothing is left to train on");
    Ok((held, rest))
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

/// One thread for one training: its sums are then always added in the same order, so that its seed reproduces it.
fn on_one_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(work)
}
