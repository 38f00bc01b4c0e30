//! What clips that were not trained on say of a network: `report.json`, and the same as a page, `report.html`.

mod html;
mod picture;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use auricle::stages::scores::Activation;
use serde::Serialize;
use serde_json::Value;

use crate::calibrate::{Calibration, Example};
use crate::dataset::Clip;
use crate::evaluate;
use crate::evaluate::elsewhere::Elsewhere;
use crate::evaluate::measures::{
    Counts, Estimate, Recall, area_under_roc, average_precision, balanced_accuracy, best_threshold,
    precision_recall, share,
};
use crate::evaluate::noise::Noise;
use crate::judge::arg_max;
use crate::plan::Point;
pub use html::{STYLE, escaped};
pub use picture::Painter;

/// The score from which on a class is found where each is judged for itself.
const FOUND: f32 = 0.5;
/// Mistakes that the page shows.
const SHOWN: usize = 12;
/// Points of a curve.
const POINTS: usize = 100;

/// Outcome of a training with held-out clips, or of a cross-validation.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Names of the classes, in the order of every matrix and score list here.
    pub classes: Vec<String>,
    /// Where the figures come from.
    pub about: About,
    /// One entry a fold.
    pub folds: Vec<Fold>,
    /// Clips right, over all folds, as a share of all clips: their answer is one of their classes.
    pub accuracy: f64,
    /// Mean of the recalls of the classes.
    pub balanced_accuracy: Estimate,
    /// Accuracy of always answering the commonest class of these clips; the balanced one of that is one over the classes.
    pub commonest: f64,
    /// Accuracy of a support vector machine on MFCCs that was trained on the same clips, where clips have one class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Whether every class is judged for itself: a clip may have several, and one is found from a score of 0.5 on.
    pub multi_label: bool,
    /// `confusion[truth][answer]`: clips, over all folds. Absent where a clip can have several classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u32>>>,
    /// Mean over the classes that have clips of their average precision.
    pub mean_average_precision: f64,
    /// The same of the area under the ROC, of classes that have clips and leave some to others.
    pub mean_area_under_roc: f64,
    /// One answer for each source (group) by the mean of its clips' scores, where sources have several clips.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// One entry a class.
    pub per_class: Vec<PerClass>,
    /// For the manifest's `output.temperature`, found on these clips.
    pub calibration: Calibration,
    /// Accuracy with noise over the clips.
    pub noise: Vec<InNoise>,
    /// Accuracy of the clips as they sound elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<InPlace>,
}

/// Where figures come from.
#[derive(Clone, Debug, Default, Serialize)]
pub struct About {
    /// The command that made them.
    pub command: String,
    /// Of the trainer and of ONNX Runtime.
    pub versions: String,
    /// Network, front end, classes and recipe of a training; the manifest of a model that was there before.
    pub plan: Value,
    /// Clips of each class that were trained on; nothing for a model that was there before. In a cross-validation each of
    /// them was left out once.
    pub trained_on: Vec<usize>,
}

impl About {
    /// Of this program as it was called.
    pub fn new(plan: &impl Serialize, trained_on: Vec<usize>) -> Result<Self> {
        let runtime = auricle::stages::inference::runtime::version().unwrap_or_default();
        Ok(Self {
            command: std::env::args().collect::<Vec<_>>().join(" "),
            versions: format!("auricle-train {}, ONNX Runtime {runtime}", auricle::VERSION),
            // By way of text, or every f32 would have the digits of an f64.
            plan: serde_json::from_str(&serde_json::to_string(plan)?)?,
            trained_on,
        })
    }
}

/// Answers of sources: patients, machines, flights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Groups {
    /// Number of sources.
    pub count: usize,
    /// Share of them that are right.
    pub accuracy: f64,
}

/// How many clips are right in noise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InNoise {
    /// `white`, `pink`, or `recorded`.
    pub noise: &'static str,
    /// Of the clip to the noise, dB.
    pub snr: f32,
    /// Share of the clips that are right.
    pub accuracy: f64,
}

/// How many clips are right when they sound as elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InPlace {
    /// What they sound like.
    pub place: String,
    /// Share of the clips that are right.
    pub accuracy: f64,
}

/// What is said of one class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerClass {
    /// Clips of this class.
    pub clips: usize,
    /// Share of the clips with this answer that have this class; 0 if it is never answered.
    pub precision: f64,
    /// Share of the clips of this class that get this answer: sensitivity.
    pub recall: f64,
    /// Share of the other clips that do not get this answer.
    pub specificity: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Average precision of its scores; absent without clips.
    pub average_precision: Option<f64>,
    /// Area under the ROC of its scores; absent without clips, or without others.
    pub area_under_roc: Option<f64>,
    /// The score of a clip from which on it is found with the highest F1, and that F1; absent without clips.
    pub best: Option<(f32, f64)>,
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
    /// Its group, or else its file.
    pub source: String,
    /// Indices of its classes.
    pub truth: Vec<usize>,
    /// Index of the class with the highest score.
    pub answer: usize,
    /// Scores of all classes, as `classify` gives them with the model as it was tested.
    pub scores: Vec<f32>,
    /// The network's outputs for each window.
    #[serde(skip)]
    pub windows: Vec<Vec<f32>>,
    /// What the network sees of the clip, a picture in a `data:` URI; of wrong answers only.
    #[serde(skip)]
    pub picture: Option<String>,
    /// The clip, a WAV in a `data:` URI; of wrong answers only.
    #[serde(skip)]
    pub sound: Option<String>,
}

impl Answer {
    /// What a model said of a clip, which is painted if the answer is wrong.
    pub fn new(clip: &Clip, answer: evaluate::Answer, painter: &Painter) -> Self {
        let truth: Vec<usize> = clip.classes().collect();
        let class = answer.class();
        let wrong = !truth.contains(&class);
        let picture = wrong.then(|| painter.paint(&clip.samples)).flatten();
        let sound = wrong.then(|| painter.sound(&clip.samples)).flatten();
        Self {
            file: clip.file.clone(),
            stretch: clip.stretch,
            name: clip.name(),
            source: clip.source.clone(),
            truth,
            answer: class,
            scores: answer.scores,
            windows: answer.windows,
            picture,
            sound,
        }
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
    /// Adds up the folds, of scores that `activation` made with `temperature`.
    pub fn new(
        classes: Vec<String>,
        about: About,
        activation: Activation,
        temperature: f32,
        folds: Vec<Fold>,
    ) -> Self {
        let count = classes.len();
        let clips: Vec<&Answer> = folds.iter().flat_map(|fold| &fold.clips).collect();
        let multi_label = activation == Activation::Sigmoid;
        let finds = |clip: &Answer, class: usize| match multi_label {
            true => clip.scores[class] >= FOUND,
            false => clip.answer == class,
        };
        let per_class: Vec<PerClass> = (0..count)
            .map(|class| {
                let is: Vec<bool> = clips.iter().map(|clip| clip.truth.contains(&class)).collect();
                let found: Vec<bool> = clips.iter().map(|clip| finds(clip, class)).collect();
                let scores: Vec<f32> = clips.iter().map(|clip| clip.scores[class]).collect();
                PerClass::new(&scores, &is, &found)
            })
            .collect();
        let recalls: Vec<Recall> = (0..count)
            .map(|class| {
                let own = || clips.iter().filter(|clip| clip.truth.contains(&class));
                let sources: BTreeSet<&str> = own().map(|clip| clip.source.as_str()).collect();
                let right = own().filter(|clip| finds(clip, class)).count();
                Recall { right, clips: own().count(), sources: sources.len() }
            })
            .collect();
        let confusion = (!multi_label).then(|| {
            let mut confusion = vec![vec![0; count]; count];
            clips.iter().for_each(|clip| confusion[clip.truth[0]][clip.answer] += 1);
            confusion
        });
        let examples: Vec<Example> =
            clips.iter().map(|clip| Example { classes: &clip.truth, windows: &clip.windows }).collect();
        let calibration = Calibration::new(&examples, activation, temperature);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
        Self {
            accuracy: share(clips.iter().filter(|clip| clip.is_right()).count(), clips.len()),
            balanced_accuracy: balanced_accuracy(&recalls),
            commonest: share(recalls.iter().map(|recall| recall.clips).max().unwrap_or(0), clips.len()),
            baseline: None,
            multi_label,
            confusion,
            mean_average_precision: mean(
                per_class.iter().filter_map(|class| class.average_precision).collect(),
            ),
            mean_area_under_roc: mean(per_class.iter().filter_map(|class| class.area_under_roc).collect()),
            groups: Groups::new(&clips),
            per_class,
            about,
            classes,
            folds,
            calibration,
            noise: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// Adds how many of the clips were right in each noise.
    pub fn add_noise(&mut self, noises: &[Noise], right: &[usize]) {
        let clips = self.folds.iter().map(|fold| fold.clips.len()).sum();
        let line = |(noise, &right): (&Noise, &usize)| InNoise {
            noise: noise.name(),
            snr: noise.snr,
            accuracy: share(right, clips),
        };
        self.noise = noises.iter().zip(right).map(line).collect();
    }

    /// Adds how many of the clips were right as they sound in each place.
    pub fn add_elsewhere(&mut self, places: &[Elsewhere], right: &[usize]) {
        let clips = self.folds.iter().map(|fold| fold.clips.len()).sum();
        let line = |(place, &right): (&Elsewhere, &usize)| InPlace {
            place: place.to_string(),
            accuracy: share(right, clips),
        };
        self.elsewhere = places.iter().zip(right).map(line).collect();
    }

    /// The answers that are wrong, the surest first.
    pub fn mistakes(&self) -> Vec<&Answer> {
        let mut wrong: Vec<&Answer> =
            self.folds.iter().flat_map(|fold| &fold.clips).filter(|clip| !clip.is_right()).collect();
        wrong.sort_by(|a, b| b.scores[b.answer].total_cmp(&a.scores[a.answer]));
        wrong
    }

    /// (recall, precision) of the scores of every class that has clips, by name.
    pub fn precision_recall(&self) -> Vec<(&str, Vec<(f64, f64)>)> {
        let clips = || self.folds.iter().flat_map(|fold| &fold.clips);
        let curve = |class: usize| {
            let scores: Vec<f32> = clips().map(|clip| clip.scores[class]).collect();
            let is: Vec<bool> = clips().map(|clip| clip.truth.contains(&class)).collect();
            is.contains(&true).then(|| precision_recall(&scores, &is))
        };
        let curves = self.classes.iter().enumerate();
        curves.filter_map(|(class, name)| Some((name.as_str(), curve(class)?))).collect()
    }

    /// The curves of all trainings: fold, step, loss, and what held-out clips said.
    fn csv(&self) -> String {
        let mut text = String::from("fold,step,loss,held_out_loss,held_out_accuracy\n");
        for (fold, point) in
            self.folds.iter().flat_map(|fold| fold.curve.iter().map(move |point| (fold.fold, point)))
        {
            let held = point.held_out.map_or(",".into(), |held| format!("{},{}", held.loss, held.accuracy));
            text += &format!("{fold},{},{},{held}\n", point.step, point.loss);
        }
        text
    }

    /// Writes `json`, and beside it the page, whose name ends in `.html`, and in `.csv` the curves, if it was a training; gives
    /// the page's path.
    pub fn write(&self, json: &Path) -> Result<std::path::PathBuf> {
        let [page, curves] = beside(json);
        let mut files = vec![(json, serde_json::to_string(self)?), (&page, html::page(self))];
        if self.folds.iter().any(|fold| !fold.curve.is_empty()) {
            files.push((&curves, self.csv()));
        }
        for (path, text) in files {
            fs::write(path, text).with_context(|| path.display().to_string())?;
        }
        Ok(page)
    }
}

/// The files that are written beside the JSON of a report.
pub fn beside(json: &Path) -> [std::path::PathBuf; 2] {
    ["html", "csv"].map(|extension| json.with_extension(extension))
}

impl PerClass {
    fn new(scores: &[f32], is: &[bool], found: &[bool]) -> Self {
        let mut counts = Counts::default();
        is.iter().zip(found).for_each(|(&is, &found)| counts.add(is, found));
        Self {
            clips: counts.hits + counts.misses,
            precision: counts.precision(),
            recall: counts.recall(),
            specificity: counts.specificity(),
            f1: counts.f1(),
            average_precision: average_precision(scores, is),
            area_under_roc: area_under_roc(scores, is),
            best: best_threshold(scores, is).map(|(threshold, counts)| (threshold, counts.f1())),
        }
    }
}

impl Groups {
    /// None if no source has several clips.
    fn new(clips: &[&Answer]) -> Option<Self> {
        let mut groups: BTreeMap<&str, Vec<&Answer>> = BTreeMap::new();
        clips.iter().for_each(|clip| groups.entry(&clip.source).or_default().push(clip));
        let is_right = |clips: &&Vec<&Answer>| {
            let sum = |class| clips.iter().map(|clip| clip.scores[class]).sum::<f32>();
            let answer = arg_max(&(0..clips[0].scores.len()).map(sum).collect::<Vec<_>>());
            clips.iter().filter(|clip| clip.truth.contains(&answer)).count() * 2 > clips.len()
        };
        let (count, right) = (groups.len(), groups.values().filter(is_right).count());
        (count < clips.len()).then(|| Self { count, accuracy: share(right, count) })
    }
}

/// Accuracies, then the classes, the confusion matrix, the temperature, the noise.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fold in self.folds.iter().filter(|fold| !fold.curve.is_empty()) {
            let loss = fold.curve.last().map_or(f32::NAN, |point| point.loss);
            writeln!(f, "fold {:<3} {:6.2} %   (loss {loss:.3})", fold.fold, 100.0 * fold.accuracy)?;
        }
        let Estimate { value, low, high } = self.balanced_accuracy;
        writeln!(f, "all      {:6.2} %", 100.0 * self.accuracy)?;
        writeln!(
            f,
            "balanced {:6.2} %   ({:.1} to {:.1} % with 95 % confidence; always the commonest class: {:.2} %, balanced {:.2} %)",
            100.0 * value,
            100.0 * low,
            100.0 * high,
            100.0 * self.commonest,
            100.0 / self.classes.len() as f64
        )?;
        if let Some(baseline) = self.baseline {
            writeln!(
                f,
                "a support vector machine on MFCCs, trained on the same clips: {:.2} %",
                100.0 * baseline
            )?;
        }
        if let Some(Groups { count, accuracy }) = self.groups {
            writeln!(f, "{count} groups, one answer each: {:.2} %", 100.0 * accuracy)?;
        }
        writeln!(
            f,
            "mean average precision {:.3}, mean area under the ROC {:.3}",
            self.mean_average_precision, self.mean_area_under_roc
        )?;
        writeln!(
            f,
            "\n{:>16}  clips  precision  recall  specificity     F1  threshold with the best F1",
            "class"
        )?;
        for (name, class) in self.classes.iter().zip(&self.per_class) {
            let best = class.best.map_or("-".into(), |(score, f1)| format!("{score:.3} ({f1:.3})"));
            writeln!(
                f,
                "{name:>16}  {:5}  {:9.3}  {:6.3}  {:11.3}  {:5.3}  {best}",
                class.clips, class.precision, class.recall, class.specificity, class.f1
            )?;
        }
        if let Some(confusion) = &self.confusion {
            writeln!(f, "\ntruth \\ answer")?;
            for (name, row) in self.classes.iter().zip(confusion) {
                let cells: String = row.iter().map(|n| format!("{n:5}")).collect();
                writeln!(f, "{name:>16}{cells}")?;
            }
        }
        writeln!(f, "\n{}", self.calibration)?;
        for InNoise { noise, snr, accuracy } in &self.noise {
            writeln!(f, "in {noise} noise at {snr} dB SNR: {:.2} %", 100.0 * accuracy)?;
        }
        for InPlace { place, accuracy } in &self.elsewhere {
            writeln!(f, "{place}: {:.2} %", 100.0 * accuracy)?;
        }
        Ok(())
    }
}
