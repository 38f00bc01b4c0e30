//! Mixtures of features, as of sounds.

use anyhow::{Result, bail, ensure};
use auricle::manifest::Input;
use auricle::stages::features::{Kind, LogKind};
use auricle::stages::normalize::{NormalizeKind, PerBin};

/// How the features of one front end are mixed: before its logarithm.
pub struct Mixing {
    /// What the features of each bin rise by where its power (or magnitude) becomes e times as large; empty where there is
    /// no logarithm.
    slopes: Vec<f32>,
}

impl Mixing {
    /// An error for features that are not bins of a spectrum, or are not known from a window's own values.
    pub fn new(input: &Input) -> Result<Self> {
        let features = &input.features;
        ensure!(
            matches!(features.kind, Some(Kind::Spectrogram | Kind::Mel | Kind::Fbank)),
            "features of kind {:?}: views are stretched along the frequency axis; `spectrogram`, `mel` or `fbank`",
            features.kind
        );
        ensure!(
            input.stack.is_none_or(|stack| stack.rows == 1),
            "stacked rows have no frequency axis to stretch views along"
        );
        let bins = input.bins();
        let normalize = input.normalize.clone().unwrap_or_default();
        let deviations = match (normalize.kind, normalize.std) {
            (NormalizeKind::None, _) => vec![1.0; bins],
            (NormalizeKind::MeanStd, Some(PerBin::All(std))) => vec![std; bins],
            (NormalizeKind::MeanStd, Some(PerBin::Each(std))) => std,
            (kind, _) => bail!(
                "normalisation {kind:?} has its numbers from the window: what a mixture would be cannot be told from two \
                 of them; `none` or `mean_std`"
            ),
        };
        let slope = match features.log.as_ref().and_then(|log| log.kind) {
            None | Some(LogKind::None) => return Ok(Self { slopes: Vec::new() }),
            Some(LogKind::Ln) => 1.0,
            Some(LogKind::Log10) => std::f32::consts::LOG10_E,
            Some(LogKind::Db) => {
                let decibels = if features.power == Some(1.0) { 20.0 } else { 10.0 };
                decibels * std::f32::consts::LOG10_E
            }
        };
        Ok(Self { slopes: deviations.into_iter().map(|std| slope / std).collect() })
    }

    /// Makes of `features`, `[bins, rows]`, a mixture that has `share` of `other` in it, after `other` was brought to their
    /// level, so that `share` is what is heard. (The paper mixes as they are; recordings of anyone's are 40 dB apart, and of a
    /// quiet one nothing would be left.)
    pub fn mix(&self, features: &mut [f32], other: &[f32], share: f32) {
        let level = self.level(features) - self.level(other);
        if self.slopes.is_empty() {
            let gain = if level.is_finite() { level.exp() } else { 1.0 };
            features.iter_mut().zip(other).for_each(|(a, b)| *a = (1.0 - share) * *a + share * gain * b);
            return;
        }
        let rows = features.len() / self.slopes.len();
        let bins = features.chunks_exact_mut(rows).zip(other.chunks_exact(rows));
        for ((features, other), slope) in bins.zip(&self.slopes) {
            for (a, b) in features.iter_mut().zip(other) {
                *a = slope * sum(*a / slope + (1.0 - share).ln(), b / slope + level + share.ln());
            }
        }
    }

    /// Natural logarithm of the sum of all powers.
    fn level(&self, features: &[f32]) -> f32 {
        if self.slopes.is_empty() {
            return features.iter().sum::<f32>().ln();
        }
        let rows = features.len() / self.slopes.len();
        let powers = || {
            let bins = features.chunks_exact(rows).zip(&self.slopes);
            bins.flat_map(|(bin, slope)| bin.iter().map(move |value| value / slope))
        };
        let largest = powers().fold(f32::NEG_INFINITY, f32::max);
        largest + powers().map(|power| (power - largest).exp()).sum::<f32>().ln()
    }
}

/// ln(e^a + e^b), in which neither power can be too large.
fn sum(a: f32, b: f32) -> f32 {
    let (low, high) = (a.min(b), a.max(b));
    if high == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}
