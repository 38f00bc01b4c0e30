//! Labelled clips: a CSV that names files and classes -> mono samples at the model's rate.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;
use serde::Deserialize;

/// One labelled recording.
#[derive(Clone, Debug, Default)]
pub struct Clip {
    /// Path as the CSV has it.
    pub file: String,
    /// Index into [`Dataset::classes`].
    pub class: usize,
    /// Further classes that are heard at the same time; for networks that judge every class for itself.
    pub also: Vec<usize>,
    /// Fold of a cross-validation; 0 if the CSV has no such column.
    pub fold: u32,
    /// Mono, at the rate that was asked for.
    pub samples: Vec<f32>,
}

/// All clips of a CSV that could be read.
#[derive(Debug)]
pub struct Dataset {
    /// Names of the classes, sorted.
    pub classes: Vec<String>,
    /// In the order of the CSV.
    pub clips: Vec<Clip>,
    /// Files that could not be read, each with the reason in one line.
    pub unreadable: Vec<String>,
}

/// A row of the CSV. Further columns are ignored.
#[derive(Deserialize)]
struct Row {
    file: String,
    class: String,
    #[serde(default)]
    fold: Option<u32>,
}

impl Dataset {
    /// Reads `labels` (columns `file` and `class`, perhaps `fold`; files relative to `folder`) and decodes every clip to
    /// mono at `sample_rate` Hz.
    pub fn load(folder: &Path, labels: &Path, sample_rate: u32) -> Result<Self> {
        let rows = read_rows(labels)?;
        let mut classes: Vec<String> = rows.iter().map(|r| r.class.clone()).collect();
        classes.sort();
        classes.dedup();
        ensure!(classes.len() >= 2, "{}: {} class; at least 2 are needed", labels.display(), classes.len());

        let samples: Vec<Result<Vec<f32>>> =
            rows.par_iter().map(|row| load_mono(&folder.join(&row.file), sample_rate)).collect();
        let (mut clips, mut unreadable) = (Vec::new(), Vec::new());
        for (row, samples) in rows.into_iter().zip(samples) {
            match samples {
                Ok(samples) => {
                    let class = classes
                        .binary_search(&row.class)
                        .expect("the classes were collected from these rows");
                    let fold = row.fold.unwrap_or(0);
                    clips.push(Clip { file: row.file, class, also: Vec::new(), fold, samples });
                }
                Err(e) => unreadable.push(format!("{e:#}")),
            }
        }
        if clips.is_empty() {
            bail!(
                "{}: none of its {} files can be read; the first: {}",
                labels.display(),
                unreadable.len(),
                unreadable[0]
            );
        }
        Ok(Self { classes, clips, unreadable })
    }

    /// The folds that occur, sorted.
    pub fn folds(&self) -> Vec<u32> {
        let mut folds: Vec<u32> = self.clips.iter().map(|c| c.fold).collect();
        folds.sort_unstable();
        folds.dedup();
        folds
    }
}

fn read_rows(labels: &Path) -> Result<Vec<Row>> {
    let mut reader = csv::Reader::from_path(labels).with_context(|| format!("{}", labels.display()))?;
    let mut rows = Vec::new();
    for row in reader.deserialize() {
        let row: Row = row.with_context(|| format!("{}", labels.display()))?;
        // The first line of a CSV is its header.
        let line = rows.len() + 2;
        ensure!(!row.file.is_empty(), "{}: row {line}: `file` is empty", labels.display());
        ensure!(!row.class.is_empty(), "{}: row {line}: `class` is empty", labels.display());
        rows.push(row);
    }
    ensure!(!rows.is_empty(), "{}: no rows below its header", labels.display());
    Ok(rows)
}

/// The samples of one recording, mono at `sample_rate` Hz.
pub fn load_mono(path: &Path, sample_rate: u32) -> Result<Vec<f32>> {
    let audio = auricle_decode::decode(path)?;
    ensure!(audio.samples.iter().all(|s| s.is_finite()), "{}: holds NaN or infinite samples", path.display());
    let clip = auricle::Clip {
        interleaved: &audio.samples,
        channels: audio.channels,
        sample_rate: audio.sample_rate,
    };
    clip.mono_at(sample_rate).with_context(|| format!("{}", path.display()))
}
