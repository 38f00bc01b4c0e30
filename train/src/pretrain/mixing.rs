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

    /// Makes of `features`, `[bins, rows]`, a mixture that has `share` of `other` in it.
    pub fn mix(&self, features: &mut [f32], other: &[f32], share: f32) {
        if self.slopes.is_empty() {
            features.iter_mut().zip(other).for_each(|(a, b)| *a = (1.0 - share) * *a + share * b);
            return;
        }
        let rows = features.len() / self.slopes.len();
        let bins = features.chunks_exact_mut(rows).zip(other.chunks_exact(rows));
        for ((features, other), slope) in bins.zip(&self.slopes) {
            for (a, b) in features.iter_mut().zip(other) {
                // ln((1 − share) e^a + share e^b), in which no power can be too large.
                let (low, high) = (a.min(*b), a.max(*b));
                let apart = ((low - high) / slope).exp();
                let (of_low, of_high) = if *a < *b { (1.0 - share, share) } else { (share, 1.0 - share) };
                *a = high + slope * (of_high + of_low * apart).ln();
            }
        }
    }
}
