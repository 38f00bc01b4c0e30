//! What a cross-validation found: `report.json`.

use std::fmt;

use serde::Serialize;

use crate::fit::Recipe;

/// Outcome of a cross-validation.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Names of the classes, in the order of every matrix and score list here.
    pub classes: Vec<String>,
    /// How every fold was trained.
    pub recipe: Recipe,
    /// One entry a fold.
    pub folds: Vec<Fold>,
    /// Clips right, over all folds, as a share of all clips.
    pub accuracy: f64,
    /// `confusion[truth][answer]`: clips, over all folds.
    pub confusion: Vec<Vec<u32>>,
}

/// One fold: trained on all the others, tested on this.
#[derive(Debug, Serialize)]
pub struct Fold {
    /// Number of the fold in the labels file.
    pub fold: u32,
    /// Clips right, as a share of the fold's clips.
    pub accuracy: f64,
    /// Mean loss of the last tenth of the steps.
    pub final_loss: f32,
    /// Every clip of the fold.
    pub clips: Vec<Answer>,
}

/// The answer to one clip.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// File as the labels file has it.
    pub file: String,
    /// Index of its class.
    pub truth: usize,
    /// Index of the class with the highest score.
    pub answer: usize,
    /// Scores of all classes.
    pub scores: Vec<f32>,
}

impl Fold {
    /// Counts what is right.
    pub fn new(fold: u32, final_loss: f32, clips: Vec<Answer>) -> Self {
        let right = clips.iter().filter(|c| c.truth == c.answer).count();
        Self { fold, accuracy: right as f64 / clips.len().max(1) as f64, final_loss, clips }
    }
}

impl Report {
    /// Adds up the folds.
    pub fn new(classes: Vec<String>, recipe: Recipe, folds: Vec<Fold>) -> Self {
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        for clip in folds.iter().flat_map(|f| &f.clips) {
            confusion[clip.truth][clip.answer] += 1;
        }
        let all: u32 = confusion.iter().flatten().sum();
        let right: u32 = (0..classes.len()).map(|c| confusion[c][c]).sum();
        let accuracy = f64::from(right) / f64::from(all.max(1));
        Self { classes, recipe, folds, accuracy, confusion }
    }
}

/// Accuracies, then the confusion matrix as a table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fold in &self.folds {
            writeln!(
                f,
                "fold {:<3} {:6.2} %   (loss {:.3})",
                fold.fold,
                100.0 * fold.accuracy,
                fold.final_loss
            )?;
        }
        writeln!(f, "all      {:6.2} %\n\ntruth \\ answer", 100.0 * self.accuracy)?;
        for (name, row) in self.classes.iter().zip(&self.confusion) {
            let cells: String = row.iter().map(|n| format!("{n:5}")).collect();
            writeln!(f, "{name:>16}{cells}")?;
        }
        Ok(())
    }
}
