//! `auricle-train join`: networks one behind the other become one file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use auricle::manifest::METADATA_KEY;
use auricle_train::onnx::join::{Part, Step, join, states};
use auricle_train::onnx::stamp::without;

use super::stamp::{read, write};

/// Makes one ONNX file of several that run one behind the other
///
/// Between files stand steps: what the code that runs them does to the tensor on its way. All files have operators of one
/// version, one input and one output. openWakeWord, with 16 embeddings for its keyword:
///
/// auricle-train join melspectrogram.onnx mul:0.1 add:2 reshape:-1,32 frames:76,8 reshape:-1,76,32,1 embedding_model.onnx
/// reshape:1,16,96 alexa_v0.1.onnx --out alexa.onnx
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// ONNX files in order, and between them steps: mul:NUMBER, add:NUMBER, reshape:SIZES, transpose:AXES,
    /// frames:LENGTH,HOP (stretches of the first axis), keep:ROWS,SIZE (the last rows of the run before stand before those of
    /// this one).
    #[arg(required = true, num_args = 2.., allow_hyphen_values = false)]
    parts: Vec<String>,
    /// File to write, without a manifest; `auricle init` begins one, `stamp` puts it in.
    #[arg(long)]
    out: PathBuf,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let is_file = |part: &str| part.ends_with(".onnx");
        let (first, rest) = self.parts.split_first().context("no file is given")?;
        ensure!(is_file(first), "{first}: the first part is an ONNX file (.onnx)");
        let files = 1 + rest.iter().filter(|part| is_file(part)).count();
        let first = without(&read(Path::new(first))?, METADATA_KEY)?;
        let part = |text: &String| match is_file(text) {
            true => read(Path::new(text)).map(Part::Network),
            false => Step::parse(text).map(Part::Step),
        };
        let parts: Vec<Part> = rest.iter().map(part).collect::<Result<_>>()?;
        let joined = join(&first, &parts)?;
        write(&self.out, &joined)?;
        println!("{}: {} bytes, {files} networks in one", self.out.display(), joined.len());
        for (kept, next) in states(&joined)? {
            println!("input.others: {kept:?}: {{ \"state\": {next:?} }}");
        }
        Ok(())
    }
}
