//! How far what the library says with a file is from what the network said that was trained.

use crate::dataset::Clip;

/// Clips that are compared; the file holds the same operations for every one of them.
pub const VERIFIED: usize = 64;

/// The largest differences.
#[derive(Clone, Copy, Debug, Default)]
pub struct Difference {
    /// Clips looked at.
    pub clips: usize,
    /// Largest difference of a logit, of the windows looked at.
    pub logits: f32,
    /// Largest difference of a score.
    pub scores: f32,
}

impl Difference {
    /// Of both.
    pub fn worse(self, other: Self) -> Self {
        Self {
            clips: self.clips + other.clips,
            logits: self.logits.max(other.logits),
            scores: self.scores.max(other.scores),
        }
    }
}

/// Between two lists of the same length; infinite if anything is NaN.
pub fn largest(a: &[f32], b: &[f32]) -> f32 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |m, d| if d.is_nan() { f32::INFINITY } else { m.max(d) })
}

/// Up to [`VERIFIED`] of the clips, evenly spread.
pub fn sample<'a>(clips: &[&'a Clip]) -> Vec<&'a Clip> {
    let count = clips.len().min(VERIFIED);
    (0..count).map(|n| clips[n * clips.len() / count]).collect()
}
