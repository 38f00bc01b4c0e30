//! Recordings without labels.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::{Clip, load_mono};

/// A longer recording becomes several clips, s: every stretch of it is then taken as often as a short recording.
const LONGEST: f64 = 10.0;

/// Every recording in the folders, and in folders within them, that can be read; the rest is passed over. Their class is 0.
/// An error for a folder with none.
pub fn sounds(folders: &[PathBuf], sample_rate: u32) -> Result<Vec<Clip>> {
    let longest = (LONGEST * f64::from(sample_rate)) as usize;
    let mut clips = Vec::new();
    for folder in folders {
        let mut files = Vec::new();
        walk(folder, &mut files).with_context(|| format!("{}", folder.display()))?;
        files.sort();
        let read: Vec<Vec<Clip>> = files
            .par_iter()
            .filter_map(|file| Some((file, load_mono(file, sample_rate).ok()?)))
            .map(|(file, samples)| {
                let name = file.to_string_lossy().into_owned();
                let clip = |samples: &[f32]| Clip {
                    source: name.clone(),
                    file: name.clone(),
                    samples: samples.to_vec(),
                    ..Clip::default()
                };
                samples.chunks(longest).map(clip).collect()
            })
            .collect();
        let found = read.iter().map(Vec::len).sum::<usize>();
        ensure!(found > 0, "{}: none of its {} files can be read", folder.display(), files.len());
        clips.extend(read.into_iter().flatten());
    }
    Ok(clips)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A link to a folder is not followed: it may lead back here.
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
