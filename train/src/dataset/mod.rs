//! Labelled recordings -> mono samples at the model's rate, each with its class and fold.
//!
//! ```text
//! folders, CSV, UrbanSound8K, ESC-50 ─▶ labels ─▶ split ─▶ decode, mono, resample ⇄ cache ─▶ clips
//! ```

mod cache;
mod doubts;
mod labels;
mod sounds;
mod split;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use auricle_decode::Audio;
use clap::Args;
use rayon::prelude::*;

use cache::Cache;
use labels::Row;
pub use sounds::sounds;

/// Seconds by which the `end` of a row may be beyond the end of its file: labels are rounded.
const END_SLACK: f64 = 0.1;

/// Where the recordings are and how they are read.
#[derive(Args, Clone, Debug)]
pub struct Source {
    /// Folder of the recordings: one folder a class, or what the labels are relative to. The folders of UrbanSound8K
    /// and ESC-50 are taken as they are.
    #[arg(long)]
    pub data: PathBuf,
    /// CSV with the columns `file` and `class` (several classes of one clip: `dog|rain`) and perhaps `fold`, `start` and
    /// `end` in seconds, `group`; or UrbanSound8K.csv or esc50.csv. Relative to the data folder. Without it: labels.csv
    /// or one of these two where the data folder has it, else one folder a class.
    #[arg(long)]
    pub labels: Option<PathBuf>,
    /// Stop if any file cannot be read or a label is doubtful, instead of going on without it.
    #[arg(long)]
    pub strict: bool,
    /// Folds that the clips are dealt into if the labels name none. Clips of one `group`, or of one file, stay together.
    #[arg(long, default_value_t = 5)]
    pub folds: u32,
    /// Folder for decoded audio, so that the next run need not decode; can be deleted at any time. Without it: a folder
    /// of the user's cache.
    #[arg(long, conflicts_with = "no_cache")]
    pub cache: Option<PathBuf>,
    /// Keep no decoded audio.
    #[arg(long)]
    pub no_cache: bool,
}

/// One labelled recording.
#[derive(Clone, Debug, Default)]
pub struct Clip {
    /// Path as the labels have it.
    pub file: String,
    /// Index into [`Dataset::classes`].
    pub class: usize,
    /// Further classes that are heard at the same time; for networks that judge every class for itself.
    pub also: Vec<usize>,
    /// Fold of a cross-validation.
    pub fold: u32,
    /// What it was recorded from: its group, or else its file.
    pub source: String,
    /// The stretch of the file that it is, seconds; `None`: all of it.
    pub stretch: Option<[f64; 2]>,
    /// Mono, at the rate that was asked for.
    pub samples: Vec<f32>,
}

impl Clip {
    /// Indices of all its classes.
    pub fn classes(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        [self.class].into_iter().chain(self.also.iter().copied())
    }

    /// Its file, with the stretch if it is not all of it.
    pub fn name(&self) -> String {
        match self.stretch {
            Some([start, end]) => format!("{} from {start} s to {end:.3} s", self.file),
            None => self.file.clone(),
        }
    }
}

/// All recordings that could be read.
#[derive(Debug)]
pub struct Dataset {
    /// Names of the classes, sorted.
    pub classes: Vec<String>,
    /// In the order of the labels.
    pub clips: Vec<Clip>,
    /// Files that could not be read, each with the reason in one line.
    pub unreadable: Vec<String>,
    /// What is doubtful, but was taken as it is, a line each.
    pub warnings: Vec<String>,
    /// Files whose samples came from the cache.
    pub from_cache: usize,
}

/// The samples of one file, and what is doubtful about them.
struct Decoded {
    samples: Vec<f32>,
    warning: Option<String>,
    cached: bool,
}

impl Dataset {
    /// Reads the labels and makes every clip mono at `sample_rate` Hz. Clips of less than `min_samples`, from which no row
    /// of features can be computed, count as unreadable. An error if there are less than two classes.
    pub fn load(source: &Source, sample_rate: u32, min_samples: usize) -> Result<Self> {
        Self::read(source, sample_rate, min_samples, 2)
    }

    /// The same with one class too.
    pub fn load_any(source: &Source, sample_rate: u32, min_samples: usize) -> Result<Self> {
        Self::read(source, sample_rate, min_samples, 1)
    }

    fn read(source: &Source, sample_rate: u32, min_samples: usize, least: usize) -> Result<Self> {
        let (rows, place, mut warnings) = labels::read(&source.data, source.labels.as_deref())?;
        let mut classes: Vec<String> = rows.iter().flat_map(|r| r.classes.iter().cloned()).collect();
        classes.sort();
        classes.dedup();
        ensure!(classes.len() >= least, "{place}: {} class; at least {least} are needed", classes.len());
        let (folds, doubts) = split::folds(&rows, source.folds).with_context(|| place.clone())?;
        warnings.extend(doubts);

        let cache = Cache::new(source, sample_rate);
        let mut by_file: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            by_file.entry(&row.file).or_default().push(index);
        }
        // A file is decoded once, however many of its stretches are labelled.
        let by_file: Vec<(&Path, Vec<usize>)> = by_file.into_iter().collect();
        let cut = |(file, indices): &(&Path, Vec<usize>)| {
            let path = source.data.join(file);
            let decoded = read_file(&path, sample_rate, &cache).map_err(|e| format!("{e:#}"));
            let clip = |&index: &usize| match &decoded {
                Ok(decoded) => {
                    let part = stretch(&path, &decoded.samples, &rows[index], sample_rate);
                    (index, part.and_then(|part| long_enough(&path, part, sample_rate, min_samples)))
                }
                Err(reason) => (index, Err(anyhow!("{reason}"))),
            };
            let clips: Vec<_> = indices.iter().map(clip).collect();
            let (warning, cached) = decoded.map_or((None, false), |d| (d.warning, d.cached));
            (clips, warning, cached)
        };
        let mut samples: Vec<Option<Result<Vec<f32>>>> = rows.iter().map(|_| None).collect();
        let mut from_cache = 0;
        for (clips, warning, cached) in by_file.par_iter().map(cut).collect::<Vec<_>>() {
            for (index, clip) in clips {
                samples[index] = Some(clip);
            }
            warnings.extend(warning);
            from_cache += usize::from(cached);
        }
        if let Some(reason) = cache.and_then(|cache| cache.failure()) {
            warnings.push(format!("decoded audio is not kept: {reason}"));
        }
        let (mut clips, mut unreadable) = (Vec::new(), Vec::new());
        for ((row, samples), fold) in rows.into_iter().zip(samples).zip(folds) {
            match samples.expect("every row has a file") {
                Ok(samples) => {
                    let index = |class| classes.binary_search(class).expect("collected from these rows");
                    let mut labels = row.classes.iter().map(index);
                    let class = labels.next().expect("a row has a class");
                    let file = row.file.to_string_lossy().into_owned();
                    let start = row.start.unwrap_or(0.0);
                    let end = start + samples.len() as f64 / f64::from(sample_rate);
                    clips.push(Clip {
                        class,
                        also: labels.collect(),
                        fold,
                        source: row.group.unwrap_or_else(|| file.clone()),
                        stretch: (row.start.is_some() || row.end.is_some()).then_some([start, end]),
                        file,
                        samples,
                    });
                }
                Err(e) => unreadable.push(format!("{e:#}")),
            }
        }
        unreadable.dedup();
        let mut data = Self { classes, clips, unreadable, warnings, from_cache };
        data.warnings.extend(doubts::doubts(&data));
        data.judge(&place, source.strict)?;
        Ok(data)
    }

    /// Whether what could be read is enough.
    fn judge(&self, place: &str, strict: bool) -> Result<()> {
        if let (true, Some(first)) = (self.clips.is_empty(), self.unreadable.first()) {
            bail!("{place}: none of its {} files can be read; the first: {first}", self.unreadable.len());
        }
        if strict && self.unreadable.len() + self.warnings.len() > 0 {
            let lines: Vec<&str> = self.unreadable.iter().chain(&self.warnings).map(String::as_str).collect();
            bail!("{place}: {} problems, and --strict is given:\n  {}", lines.len(), lines.join("\n  "));
        }
        for (index, class) in self.classes.iter().enumerate() {
            let heard = self.clips.iter().any(|clip| clip.class == index || clip.also.contains(&index));
            ensure!(
                heard,
                "{place}: no file of class {class:?} can be read:\n  {}",
                self.unreadable.join("\n  ")
            );
        }
        Ok(())
    }

    /// The folds that occur, sorted.
    pub fn folds(&self) -> Vec<u32> {
        let mut folds: Vec<u32> = self.clips.iter().map(|c| c.fold).collect();
        folds.sort_unstable();
        folds.dedup();
        folds
    }

    /// The clips of these folds, and all others. An error if one of the folds has no clips, or nothing is left.
    pub fn hold_out(&self, folds: &[u32]) -> Result<(Vec<&Clip>, Vec<&Clip>)> {
        let known = self.folds();
        if let Some(missing) = folds.iter().find(|fold| !known.contains(fold)) {
            bail!("fold {missing} cannot be held out: the clips are in the folds {known:?}");
        }
        let (held, rest): (Vec<&Clip>, Vec<&Clip>) = self.clips.iter().partition(|c| folds.contains(&c.fold));
        ensure!(!rest.is_empty(), "every clip is held out; nothing is left to train on");
        Ok((held, rest))
    }

    /// An error if a clip has several classes: a network that gives one class of many can neither learn nor be tested by
    /// it.
    pub fn one_class_each(&self, instead: &str) -> Result<()> {
        let several: Vec<&Clip> = self.clips.iter().filter(|clip| !clip.also.is_empty()).collect();
        let Some(first) = several.first() else { return Ok(()) };
        let classes: Vec<&str> = first.classes().map(|class| self.classes[class].as_str()).collect();
        bail!(
            "{} clips have several classes, like {} ({}), but the scores are one class of many. {instead}",
            several.len(),
            first.name(),
            classes.join("|")
        )
    }

    /// How many of `clips` have each class.
    pub fn counts(&self, clips: &[&Clip]) -> Vec<usize> {
        let has =
            |index: usize| clips.iter().filter(|clip| clip.classes().any(|class| class == index)).count();
        (0..self.classes.len()).map(has).collect()
    }

    /// The classes that none of `clips` has: a network that is trained on them answers these without ever having heard one.
    pub fn unheard(&self, clips: &[&Clip]) -> Vec<&str> {
        let named = self.classes.iter().zip(self.counts(clips));
        named.filter(|(_, count)| *count == 0).map(|(name, _)| name.as_str()).collect()
    }
}

/// A clip that gives no row of features has nothing to be trained on or tested by.
fn long_enough(path: &Path, samples: Vec<f32>, sample_rate: u32, min_samples: usize) -> Result<Vec<f32>> {
    let ms = |samples: usize| 1e3 * samples as f64 / f64::from(sample_rate);
    ensure!(
        samples.len() >= min_samples,
        "{}: {} samples at {sample_rate} Hz ({:.1} ms); the first row of features needs {min_samples} ({:.1} ms)",
        path.display(),
        samples.len(),
        ms(samples.len()),
        ms(min_samples)
    );
    Ok(samples)
}

/// The samples of one recording, mono at `sample_rate` Hz.
pub fn load_mono(path: &Path, sample_rate: u32) -> Result<Vec<f32>> {
    read_file(path, sample_rate, &None).map(|decoded| decoded.samples)
}

fn read_file(path: &Path, sample_rate: u32, cache: &Option<Cache>) -> Result<Decoded> {
    let key = cache.as_ref().and_then(|cache| cache.key(path));
    if let Some(samples) = key.as_ref().and_then(|key| key.read()) {
        return Ok(Decoded { samples, warning: None, cached: true });
    }
    let audio = auricle_decode::decode(path)?;
    ensure!(audio.samples.iter().all(|s| s.is_finite()), "{}: holds NaN or infinite samples", path.display());
    let clip = auricle::Clip {
        interleaved: &audio.samples,
        channels: audio.channels,
        sample_rate: audio.sample_rate,
    };
    let samples = clip.mono_at(sample_rate).with_context(|| format!("{}", path.display()))?;
    let warning = missing(&audio).map(|what| format!("{}: {what}", path.display()));
    if let (None, Some(key), Some(cache)) = (&warning, key, cache) {
        cache.keep(&key, &samples); // a damaged file is decoded again, so that every run names it
    }
    Ok(Decoded { samples, warning, cached: false })
}

/// What of a file did not come out of it as sound: the first place, and how many more there are.
fn missing(audio: &Audio) -> Option<String> {
    let lost = audio.lost;
    let what = match audio.losses.first() {
        Some(first) if lost.places > 1 => format!("{first}; and {} more places", lost.places - 1),
        Some(first) => first.to_string(),
        None if lost.is_nothing() => return None,
        None => format!(
            "{} packets could not be decoded, {} bytes at the end were not read",
            lost.skipped_packets, lost.bytes_left
        ),
    };
    Some(what)
}

/// The part of a file that a row is about.
fn stretch(path: &Path, samples: &[f32], row: &Row, sample_rate: u32) -> Result<Vec<f32>> {
    let rate = f64::from(sample_rate);
    let length = samples.len() as f64 / rate;
    let (start, end) = (row.start.unwrap_or(0.0), row.end.unwrap_or(length));
    ensure!(
        start >= 0.0 && start < end && start < length && end <= length + END_SLACK,
        "{}: the stretch from {start} s to {end} s is not in the file, which is {length:.2} s long",
        path.display()
    );
    let index = |seconds: f64| ((seconds * rate).round() as usize).min(samples.len());
    let part = &samples[index(start)..index(end)];
    ensure!(!part.is_empty(), "{}: the stretch from {start} s to {end} s holds no sample", path.display());
    Ok(part.to_vec())
}
