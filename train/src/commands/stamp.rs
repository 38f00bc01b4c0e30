//! `auricle-train stamp`: a manifest, and weights from other files, into anyone's ONNX file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use auricle::manifest::METADATA_KEY;
use auricle_train::golden;
use auricle_train::onnx::edit::{Editor, MAX_BYTES};
use auricle_train::onnx::merge::merge;
use auricle_train::onnx::stamp::{SETTINGS_KEY, metadata, without};

/// Embeds a manifest in an ONNX file, whoever made it
///
/// Weights in files beside it (PyTorch's model.onnx.data) are merged into it. Loads the result as the library's users do
/// and embeds golden cases: those of the manifest, which must be reproduced, or else ones with the scores that Auricle
/// gives here, marked as its own: they notice a change, and cannot show that the manifest is right.
#[derive(clap::Args)]
pub struct Args {
    /// ONNX file.
    model: PathBuf,
    /// Manifest, JSON; docs/manifest.md describes it. It replaces the one that the file has; without it, that one stays.
    manifest: Option<PathBuf>,
    /// File to write; without it, the ONNX file is replaced.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Largest difference of a score that golden cases made here allow; without it 0.001, of networks in integers 0.02,
    /// times the largest score where that is above 1.
    #[arg(long)]
    tolerance: Option<f64>,
    /// ONNX Runtime's shared library; the library says where it looks without.
    #[arg(long)]
    runtime: Option<PathBuf>,
}

impl Args {
    pub fn run(self) -> Result<()> {
        auricle::open_runtime(self.runtime.as_deref())?;
        let onnx = read(&self.model)?;
        let place = self.manifest.as_ref().unwrap_or(&self.model).display().to_string();
        let json = match &self.manifest {
            Some(path) => fs::read_to_string(path).with_context(|| place.clone())?,
            None => metadata(&onnx, METADATA_KEY)?
                .with_context(|| format!("{place}: has no manifest; give one: stamp MODEL MANIFEST"))?,
        };
        let manifest = Manifest::parse(&json).with_context(|| place)?;
        if manifest.golden.is_empty() {
            eprintln!(
                "note: the manifest has no golden cases, so these are Auricle's own numbers, marked \"by\": \"auricle\": \
                 whether the front end is right, only numbers of the model's own code can show (docs/manifest.md, golden)"
            );
        }
        let file = golden::finish(&onnx, &manifest, self.tolerance)
            .with_context(|| self.model.display().to_string())?;
        let out = self.out.as_ref().unwrap_or(&self.model);
        write(out, &file)?;
        println!(
            "{}: {} bytes, {} classes; the library loads it",
            out.display(),
            file.len(),
            manifest.labels().len()
        );
        Ok(())
    }
}

/// Reads an ONNX file that can be worked on: in one piece, with the values that lie in other files of its folder, and
/// without settings of ONNX Runtime.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::metadata(path).with_context(|| path.display().to_string())?.len();
    ensure!(
        bytes <= MAX_BYTES as u64,
        "{}: has {bytes} bytes; an ONNX file in one piece ends at {MAX_BYTES} (protobuf's limit)",
        path.display()
    );
    let mut onnx = fs::read(path).with_context(|| path.display().to_string())?;
    let folder = path.parent().filter(|folder| *folder != "").unwrap_or(Path::new("."));
    if let Some((merged, files)) = merge(&onnx, folder).with_context(|| path.display().to_string())? {
        println!("{}: merged with {}", path.display(), files.join(", "));
        onnx = merged;
    }
    if metadata(&onnx, SETTINGS_KEY)?.is_some() {
        println!("{}: settings of ONNX Runtime ({SETTINGS_KEY}) taken out", path.display());
        onnx = without(&onnx, SETTINGS_KEY)?;
    }
    Editor::check(&onnx).with_context(|| path.display().to_string())?;
    Ok(onnx)
}

/// Writes beside, then renames, so that a full disk leaves the old file as it was.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("onnx.part");
    let write = || fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    write().inspect_err(|_| drop(fs::remove_file(&beside))).with_context(|| path.display().to_string())
}
