//! `auricle inspect`: the record of what a model is and what runs it.

use std::path::{Path, PathBuf};

use crate::model;
use crate::out::{Out, Stop, shown};

/// Say what a model expects and what runs it
///
/// Prints the model's record for traceability: versions, files, SHA-256 sums, options, and the manifest with every
/// default filled in.
#[derive(clap::Args)]
pub struct Args {
    /// The ONNX model
    model: PathBuf,
    /// Print the record as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, runtime: Option<&Path>, out: &mut Out) -> Result<(), Stop> {
    let record = model::load(Some(&args.model), runtime)?.describe();
    if args.json {
        return out.line(record.trim_end());
    }
    out.line(record)
}
