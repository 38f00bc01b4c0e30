//! What clips that were not trained on say of a network: `report.json`, and the same as a page, `report.html`.

mod html;
mod picture;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use auricle::stages::scores::Activation;
use serde::Serialize;
use serde_json::Value;

use crate::calibrate::{Calibration, Example};
use crate::dataset::Clip;
use crate::evaluate::arg_max;
use crate::plan::Point;
pub use picture::Painter;

/// Mistakes that the page shows.
const SHOWN: usize = 12;
/// Points of a curve.
const POINTS: usize = 100;

/// Outcome of a training with held-out clips, or of a cross-validation.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Names of the classes, in the order of every matrix and score list here.
    pub classes: Vec<String>,
    /// How every fold was trained.
    pub recipe: Value,
    /// One entry a fold.
    pub folds: Vec<Fold>,
    /// Clips right, over all folds, as a share of all clips.
    pub accuracy: f64,
    /// `confusion[truth][answer]`: clips, over all folds. A clip of several classes counts for the one that was
    /// answered, else for its first.
    pub confusion: Vec<Vec<u32>>,
    /// One entry a class.
    pub per_class: Vec<PerClass>,
    /// For the manifest's `output.temperature`, found on these clips.
    pub calibration: Calibration,
    /// Accuracy with white noise over the clips.
    pub noise: Vec<Noise>,
}

/// How many clips are right in noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// Of the clip to the noise, dB.
    pub snr: f32,
    /// Share of the clips that are right.
    pub accuracy: f64,
}

/// What the confusion matrix says of one class. Precision is 0 for a class that is never answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PerClass {
    /// Share of the clips with this answer that have this class.
    pub precision: f64,
    /// Share of the clips of this class that get this answer.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Clips of this class.
    pub clips: u32,
}

/// One fold: trained on all the others, tested on this.
#[derive(Debug, Serialize)]
pub struct Fold {
    /// Number of the fold in the labels.
    pub fold: u32,
    /// Clips right, as a share of the fold's clips.
    pub accuracy: f64,
    /// The training.
    pub curve: Vec<Point>,
    /// Every clip of the fold.
    pub clips: Vec<Answer>,
}

/// The answer to one clip.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// File as the labels have it.
    pub file: String,
    /// Its stretch, seconds; absent: all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stretch: Option<[f64; 2]>,
    /// The two in one line.
    #[serde(skip)]
    pub name: String,
    /// Indices of its classes.
    pub truth: Vec<usize>,
    /// Index of the class with the highest score.
    pub answer: usize,
    /// Scores of all classes, as `classify` gives them at temperature 1.
    pub scores: Vec<f32>,
    /// The network's outputs for each window.
    #[serde(skip)]
    pub windows: Vec<Vec<f32>>,
    /// What the network sees of the clip, a picture in a `data:` URI.
    #[serde(skip)]
    pub picture: Option<String>,
}

impl Answer {
    /// Scores a clip by the outputs of its windows; paints it if the answer is wrong.
    pub fn new(clip: &Clip, windows: Vec<Vec<f32>>, activation: Activation, painter: &Painter) -> Self {
        let mut scores = vec![0.0; windows.first().map_or(0, Vec::len)];
        for window in &windows {
            let mut window = window.clone();
            activation.apply(&mut window, 1.0);
            scores.iter_mut().zip(&window).for_each(|(sum, score)| *sum += score / windows.len() as f32);
        }
        let truth: Vec<usize> = clip.classes().collect();
        let answer = arg_max(&scores);
        let picture = (!truth.contains(&answer)).then(|| painter.paint(&clip.samples)).flatten();
        let (file, stretch, name) = (clip.file.clone(), clip.stretch, clip.name());
        Self { file, stretch, name, truth, answer, scores, windows, picture }
    }

    /// Whether the answer is one of the clip's classes.
    pub fn is_right(&self) -> bool {
        self.truth.contains(&self.answer)
    }
}

impl Fold {
    /// Counts what is right. `curve` has every step; a point stays for a hundredth of them, with the mean of its losses.
    pub fn new(fold: u32, curve: &[Point], clips: Vec<Answer>) -> Self {
        let share = curve.len().div_ceil(POINTS).max(1);
        let mean = |steps: &[Point]| Point {
            step: steps[steps.len() - 1].step,
            loss: steps.iter().map(|point| point.loss).sum::<f32>() / steps.len() as f32,
            held_out: steps.iter().rev().find_map(|point| point.held_out),
        };
        let curve = curve.chunks(share).map(mean).collect();
        let right = clips.iter().filter(|clip| clip.is_right()).count();
        Self { fold, accuracy: right as f64 / clips.len().max(1) as f64, curve, clips }
    }
}

impl Report {
    /// Adds up the folds.
    pub fn new(
        classes: Vec<String>,
        recipe: &impl Serialize,
        activation: Activation,
        folds: Vec<Fold>,
    ) -> Result<Self> {
        let count = classes.len();
        let mut confusion = vec![vec![0; count]; count];
        for clip in folds.iter().flat_map(|f| &f.clips) {
            let truth = if clip.is_right() { clip.answer } else { clip.truth[0] };
            confusion[truth][clip.answer] += 1;
        }
        let all: u32 = confusion.iter().flatten().sum();
        let right: u32 = (0..count).map(|c| confusion[c][c]).sum();
        let examples: Vec<Example> = folds
            .iter()
            .flat_map(|fold| &fold.clips)
            .map(|clip| Example { classes: &clip.truth, windows: &clip.windows })
            .collect();
        let calibration = Calibration::new(&examples, activation);
        Ok(Self {
            per_class: (0..count).map(|class| PerClass::of(&confusion, class)).collect(),
            recipe: serde_json::to_value(recipe)?,
            accuracy: f64::from(right) / f64::from(all.max(1)),
            classes,
            folds,
            confusion,
            calibration,
            noise: Vec::new(),
        })
    }

    /// The answers that are wrong, the surest first.
    pub fn mistakes(&self) -> Vec<&Answer> {
        let mut wrong: Vec<&Answer> =
            self.folds.iter().flat_map(|fold| &fold.clips).filter(|clip| !clip.is_right()).collect();
        wrong.sort_by(|a, b| b.scores[b.answer].total_cmp(&a.scores[a.answer]));
        wrong
    }

    /// Writes `json`, and beside it the page, whose name ends in `.html`; gives the page's path.
    pub fn write(&self, json: &Path) -> Result<std::path::PathBuf> {
        let page = json.with_extension("html");
        let text = serde_json::to_string(self)?;
        for (path, text) in [(json, text), (&page, html::page(self))] {
            fs::write(path, text).with_context(|| path.display().to_string())?;
        }
        Ok(page)
    }
}

impl PerClass {
    fn of(confusion: &[Vec<u32>], class: usize) -> Self {
        let hits = f64::from(confusion[class][class]);
        let clips: u32 = confusion[class].iter().sum();
        let answers: u32 = confusion.iter().map(|row| row[class]).sum();
        let share = |of: u32| if of == 0 { 0.0 } else { hits / f64::from(of) };
        let (precision, recall) = (share(answers), share(clips));
        let f1 = if hits == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
        Self { precision, recall, f1, clips }
    }
}

/// Accuracies, then the confusion matrix as a table, then the temperature.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fold in &self.folds {
            let loss = fold.curve.last().map_or(f32::NAN, |point| point.loss);
            writeln!(f, "fold {:<3} {:6.2} %   (loss {loss:.3})", fold.fold, 100.0 * fold.accuracy)?;
        }
        writeln!(f, "all      {:6.2} %\n\ntruth \\ answer", 100.0 * self.accuracy)?;
        for (name, row) in self.classes.iter().zip(&self.confusion) {
            let cells: String = row.iter().map(|n| format!("{n:5}")).collect();
            writeln!(f, "{name:>16}{cells}")?;
        }
        writeln!(f, "\n{}", self.calibration)?;
        for Noise { snr, accuracy } in &self.noise {
            writeln!(f, "with white noise at {snr} dB SNR: {:.2} %", 100.0 * accuracy)?;
        }
        Ok(())
    }
}
