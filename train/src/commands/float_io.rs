//! `auricle-train float-io`: 32-bit floats in and out of a network that has other elements there.

use std::path::PathBuf;

use anyhow::{Context, Result};
use auricle::manifest::METADATA_KEY;
use auricle_train::onnx::float_io::float_io;
use auricle_train::onnx::stamp::without;

use super::stamp::{read, write};

/// Makes inputs and outputs of an ONNX file 32-bit floats
///
/// 16- and 64-bit floats are converted, quantised ones with the scale and zero point that the file has for them: inside,
/// the network computes what it did before. A manifest in the file is taken out, since it speaks of the old tensors.
///
/// auricle-train float-io quantised.onnx --out float.onnx
#[derive(clap::Args)]
pub struct Args {
    /// ONNX file.
    model: PathBuf,
    /// File to write.
    #[arg(long)]
    out: PathBuf,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let place = || self.model.display().to_string();
        let onnx = without(&read(&self.model)?, METADATA_KEY)?;
        let (onnx, changed) = float_io(&onnx).with_context(place)?;
        write(&self.out, &onnx)?;
        println!("{}: {} bytes; 32-bit floats now: {}", self.out.display(), onnx.len(), changed.join(", "));
        Ok(())
    }
}
