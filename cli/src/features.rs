//! `auricle features`: what a model would see of a file, as a NumPy array.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use auricle::{Clip, Manifest};

use crate::out::{Out, Stop, shown};
use crate::{model, npy};

/// Write the features that a model would see as a NumPy file (float32, [row, bin])
///
/// The file is mixed to mono, converted to the model's rate and turned into rows as the manifest says.
/// Normalisation is not applied: it belongs to a window, not to a file.
#[derive(clap::Args)]
pub struct Args {
    /// The sound file
    file: PathBuf,
    /// The ONNX model whose manifest says what to compute [default: the bundled model]
    #[arg(short, long, conflicts_with = "manifest")]
    model: Option<PathBuf>,
    /// A manifest alone; ONNX Runtime is not needed then
    #[arg(long, value_name = "JSON")]
    manifest: Option<PathBuf>,
    /// Where to write the array
    #[arg(short, long, value_name = "NPY")]
    output: PathBuf,
}

pub fn run(args: &Args, runtime: Option<&Path>, out: &mut Out) -> Result<(), Stop> {
    let manifest = match &args.manifest {
        Some(path) => {
            let json = fs::read_to_string(path).map_err(|e| Stop::because(shown(path), e))?;
            Manifest::parse(&json).map_err(|e| Stop::because(shown(path), e))?
        }
        None => model::load(args.model.as_deref(), runtime)?.manifest().clone(),
    };
    let audio =
        auricle_decode::decode(&args.file).map_err(|e| Stop::because(shown(&args.file), e.reason()))?;
    let clip = Clip { interleaved: &audio.samples, channels: audio.channels, sample_rate: audio.sample_rate };
    let (values, bins) = clip.features(&manifest).map_err(|e| Stop::because(shown(&args.file), e))?;
    File::create(&args.output)
        .and_then(|file| npy::write(BufWriter::new(file), &values, bins))
        .map_err(|e| Stop::because(shown(&args.output), e))?;
    let rows = values.len().checked_div(bins).unwrap_or(0);
    out.line(format_args!("{}: float32 [{rows}, {bins}]", shown(&args.output)))
}
