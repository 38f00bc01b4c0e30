//! What labelled recordings are like, before anything is trained on them: counts, lengths, levels, what is silent or at full
//! scale, what is there twice or nearly, which labels a simple classifier doubts.

pub mod alike;
pub mod labels;
mod page;
pub mod sound;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::{Clip, Dataset};
use crate::report::Painter;
use alike::Pair;
use labels::Doubt;
use sound::Sound;

/// Examples that a line names.
const SHOWN: usize = 5;

/// What there is to say of a data set.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The folds that occur.
    pub folds: Vec<u32>,
    /// `counts[class][fold]`: clips.
    pub counts: Vec<Vec<usize>>,
    /// Every clip.
    pub clips: Vec<Listed>,
    /// Clips that share sound, the most alike first.
    pub alike: Vec<Pair>,
    /// Labels that a classifier doubts, the surest first. Nothing where clips have several classes.
    pub doubtful: Vec<Doubt>,
    /// Share of the clips that this classifier has right: how far its doubts can be believed.
    pub classifier_right: Option<f64>,
    /// Files that could not be read or were left out, each with the reason.
    pub left_out: Vec<String>,
    /// What else is doubtful, a line each.
    pub warnings: Vec<String>,
}

/// A clip and what it sounds like.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// File, and stretch.
    pub name: String,
    /// Indices of its classes.
    pub classes: Vec<usize>,
    /// Its fold.
    pub fold: u32,
    /// Its sound.
    #[serde(flatten)]
    pub sound: Sound,
}

/// The line that opens every run.
pub fn short(data: &Dataset, sample_rate: u32) -> String {
    let sounds: Vec<Sound> = data.clips.par_iter().map(|c| Sound::new(&c.samples, sample_rate)).collect();
    let all: Vec<&Clip> = data.clips.iter().collect();
    let counts = data.counts(&all);
    let seconds: f64 = sounds.iter().map(|sound| sound.seconds).sum();
    format!(
        "{} clips, {} classes ({}), {seconds:.0} s ({}), {}; {} silent, {} at full scale; {} files from the cache",
        data.clips.len(),
        data.classes.len(),
        span(counts.iter().map(|count| *count as f64), " clips each", 0),
        span(sounds.iter().map(|sound| sound.seconds), " s each", 1),
        span(sounds.iter().filter(|s| !s.is_silent()).map(|sound| sound.level), " dBFS", 0),
        sounds.iter().filter(|sound| sound.is_silent()).count(),
        sounds.iter().filter(|sound| sound.is_clipped()).count(),
        data.from_cache
    )
}

/// The least and the most of some numbers.
fn span(values: impl Iterator<Item = f64> + Clone, unit: &str, digits: usize) -> String {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    match low.is_finite() {
        true => format!("{low:.digits$} to {high:.digits$}{unit}"),
        false => format!("no{unit}"),
    }
}

impl Inspection {
    /// Looks at everything; `features` are the model's, for the classifier. `done` is called after each clip.
    pub fn new(
        data: &Dataset,
        sample_rate: u32,
        features: &auricle::Manifest,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self> {
        let folds = data.folds();
        let count = |class: usize, fold: u32| {
            let has = |clip: &&Clip| clip.fold == fold && clip.classes().any(|own| own == class);
            data.clips.iter().filter(has).count()
        };
        let counts = (0..data.classes.len())
            .map(|class| folds.iter().map(|&fold| count(class, fold)).collect())
            .collect();
        let clips = data.clips.par_iter().map(|clip| Listed {
            name: clip.name(),
            classes: clip.classes().collect(),
            fold: clip.fold,
            sound: Sound::new(&clip.samples, sample_rate),
        });
        let clips: Vec<Listed> = clips.collect();
        let alike = alike::pairs(&data.clips, sample_rate, done);
        let (doubtful, classifier_right) = match labels::doubts(data, features)? {
            Some((doubts, right)) => (doubts, Some(right)),
            None => (Vec::new(), None),
        };
        Ok(Self {
            classes: data.classes.clone(),
            folds,
            counts,
            clips,
            alike,
            doubtful,
            classifier_right,
            left_out: data.unreadable.clone(),
            warnings: data.warnings.clone(),
        })
    }

    /// Classes without a clip in a fold, which cannot be tested there; and classes with clips in one fold alone, which are not
    /// trained on when it is held out.
    pub fn missing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.folds.len() < 2 {
            return lines;
        }
        for (name, counts) in self.classes.iter().zip(&self.counts) {
            let with = |has: bool| -> Vec<u32> {
                let folds = self.folds.iter().zip(counts);
                folds.filter(|(_, count)| (**count > 0) == has).map(|(fold, _)| *fold).collect()
            };
            let (with, without) = (with(true), with(false));
            if let [only] = with[..] {
                lines.push(format!("{name}: in fold {only} alone; with it held out, it is never trained on"));
            } else if !without.is_empty() {
                lines.push(format!("{name}: no clip in the folds {without:?}"));
            }
        }
        lines
    }

    /// A pair in words.
    fn pair(&self, pair: &Pair) -> String {
        let [a, b] = pair.clips.map(|index| &self.clips[index]);
        let names = |clip: &Listed| {
            clip.classes.iter().map(|class| self.classes[*class].as_str()).collect::<Vec<_>>().join("|")
        };
        let mut text = format!(
            "{} and {}, {:.2} s later: {:.0} % of the marks",
            a.name,
            b.name,
            pair.seconds,
            100.0 * pair.share
        );
        if a.classes != b.classes {
            text += &format!("; DIFFERENT CLASSES ({}, {})", names(a), names(b));
        }
        if a.fold != b.fold {
            text +=
                &format!("; different folds ({}, {}): what is tested was heard in training", a.fold, b.fold);
        }
        text
    }

    fn doubt(&self, doubt: &Doubt) -> String {
        format!(
            "{}: is {}, sounds like {} ({:.2}; {:.2} for its own)",
            self.clips[doubt.clip].name,
            self.classes[doubt.class],
            self.classes[doubt.sounds_like],
            doubt.score,
            doubt.own_score
        )
    }

    /// Writes `json`, and beside it the page, with the sound of what is in doubt.
    pub fn write(&self, json: &Path, data: &Dataset, painter: &Painter) -> Result<PathBuf> {
        let page = json.with_extension("html");
        for (path, text) in
            [(json, serde_json::to_string(self)?), (&page, page::page(self, &data.clips, painter))]
        {
            std::fs::write(path, text).with_context(|| path.display().to_string())?;
        }
        Ok(page)
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>16}  clips  seconds, dBFS, share of silence of a clip; clips per fold", "class")?;
        for fold in &self.folds {
            write!(f, " {fold:4}")?;
        }
        writeln!(f)?;
        for (class, name) in self.classes.iter().enumerate() {
            let own = || self.clips.iter().filter(move |clip| clip.classes.contains(&class));
            write!(
                f,
                "{name:>16}  {:5}  {}, {}, {:.0} %;",
                own().count(),
                span(own().map(|clip| clip.sound.seconds), "", 1),
                span(own().filter(|clip| !clip.sound.is_silent()).map(|clip| clip.sound.level), "", 0),
                100.0 * own().map(|clip| clip.sound.silence).sum::<f64>() / own().count().max(1) as f64
            )?;
            self.counts[class].iter().try_for_each(|count| write!(f, " {count:4}"))?;
            writeln!(f)?;
        }
        let names = |is: &dyn Fn(&Sound) -> bool| -> Vec<String> {
            self.clips.iter().filter(|clip| is(&clip.sound)).map(|clip| clip.name.clone()).collect()
        };
        list(f, "left out", self.left_out.clone())?;
        list(f, "warnings", self.warnings.clone())?;
        list(f, "classes and folds", self.missing())?;
        list(f, "silent (below -60 dBFS all the time)", names(&Sound::is_silent))?;
        list(f, "at full scale for more than 0.1 % of the time", names(&Sound::is_clipped))?;
        list(f, "with digital silence for more than a tenth at an end", names(&Sound::is_padded))?;
        list(f, "sharing sound", self.alike.iter().map(|pair| self.pair(pair)).collect())?;
        if let Some(right) = self.classifier_right {
            let what = format!(
                "doubtful labels, by a linear classifier that has {:.0} % of the clips right in a cross-validation",
                100.0 * right
            );
            list(f, &what, self.doubtful.iter().map(|doubt| self.doubt(doubt)).collect())?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, lines: Vec<String>) -> fmt::Result {
    writeln!(f, "{}: {}", what, if lines.is_empty() { "none".into() } else { lines.len().to_string() })?;
    lines.iter().take(SHOWN).try_for_each(|line| writeln!(f, "  {line}"))?;
    match lines.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more, which --report has"),
    }
}
