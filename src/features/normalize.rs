//! Normalisation of a window of features before the network sees it (`input.normalize`).

use std::fmt;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::spec::MAX_FFT;
use crate::error::{Error, Result, need};
use crate::json::entries;

/// How a window is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalizeKind {
    /// Not at all.
    #[default]
    None,
    /// (v − mean) / std with numbers from the manifest: Whisper (−4 and 4), AST, or a training set's statistics.
    MeanStd,
    /// (v − mean) / √(variance + epsilon) with the window's own statistics: wav2vec2 (`over` all), CMVN (`over` bin).
    Window,
    /// From the window's own least and largest value to 0..1; a window whose values are all equal becomes 0.
    MinMax,
}

/// What shares one statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// All values of the window.
    All,
    /// Each bin has its own, taken over the rows.
    Bin,
}

/// One number for all bins, or one a bin.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PerBin {
    /// The same for all bins.
    All(f32),
    /// One for each bin.
    Each(Vec<f32>),
}

/// By hand, because serde's `untagged` first keeps whatever it finds.
impl<'de> Deserialize<'de> for PerBin {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = PerBin;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a list with a number for each bin")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<PerBin, E> {
                Ok(PerBin::All(value as f32))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<PerBin, E> {
                Ok(PerBin::All(value as f32))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<PerBin, E> {
                Ok(PerBin::All(value as f32))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<PerBin, A::Error> {
                entries(MAX_FFT / 2 + 1, list).map(PerBin::Each)
            }
        }

        from.deserialize_any(Either)
    }
}

/// What the manifest says of the normalisation (`input.normalize`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Normalize {
    /// How; `none`.
    #[serde(default)]
    pub kind: NormalizeKind,
    /// `mean_std`: subtracted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<PerBin>,
    /// `mean_std`: divided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<PerBin>,
    /// `window` and `min_max`: what shares one statistic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<Over>,
    /// `window`: added to the variance; 1e-7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// `window`: whether to divide by the standard deviation; true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance: Option<bool>,
}

impl PerBin {
    fn at(&self, bin: usize) -> Option<f32> {
        match self {
            PerBin::All(value) => Some(*value),
            PerBin::Each(values) => values.get(bin).copied(),
        }
    }

    fn check(&self, path: &str, bins: usize, valid: impl Fn(f32) -> bool, range: &str) -> Result<()> {
        if let PerBin::Each(values) = self
            && values.len() != bins
        {
            return Err(Error::manifest(
                path,
                format!("has {} values; the features have {bins} bins", values.len()),
            ));
        }
        let bad = (0..bins).find_map(|bin| self.at(bin).filter(|&v| !valid(v)));
        bad.map_or(Ok(()), |v| Err(Error::manifest(path, format!("is {v}; valid {range}"))))
    }
}

impl Normalize {
    /// Default epsilon of `window`, wav2vec2's.
    const EPSILON: f64 = 1e-7;

    /// (v − mean) / std with the same numbers for all bins.
    pub fn mean_std(mean: f32, std: f32) -> Self {
        Self {
            kind: NormalizeKind::MeanStd,
            mean: Some(PerBin::All(mean)),
            std: Some(PerBin::All(std)),
            ..Self::default()
        }
    }

    /// This normalisation with every default filled in, checked for features of `bins` bins.
    /// `path` (such as `input.normalize`) opens the error messages.
    pub fn resolved(mut self, path: &str, bins: usize) -> Result<Self> {
        self.validate(path, bins)?;
        if self.kind == NormalizeKind::Window {
            self.epsilon.get_or_insert(Self::EPSILON);
            self.variance.get_or_insert(true);
        }
        Ok(self)
    }

    /// Checks it for features of `bins` bins. `path` (such as `input.normalize`) opens the error messages.
    pub fn validate(&self, path: &str, bins: usize) -> Result<()> {
        use NormalizeKind::{MeanStd, MinMax, Window};
        let stray = [
            ("mean", self.mean.is_some(), self.kind == MeanStd),
            ("std", self.std.is_some(), self.kind == MeanStd),
            ("over", self.over.is_some(), matches!(self.kind, Window | MinMax)),
            ("epsilon", self.epsilon.is_some(), self.kind == Window),
            ("variance", self.variance.is_some(), self.kind == Window),
        ];
        if let Some((member, ..)) = stray.iter().find(|(_, said, wanted)| *said && !wanted) {
            let message = format!("this kind of normalisation has no {member}");
            return Err(Error::manifest(&format!("{path}.{member}"), message));
        }
        match self.kind {
            NormalizeKind::None => {}
            MeanStd => {
                let (mean, std) =
                    (need(self.mean.as_ref(), path, "mean")?, need(self.std.as_ref(), path, "std")?);
                mean.check(&format!("{path}.mean"), bins, f32::is_finite, "any finite number")?;
                std.check(&format!("{path}.std"), bins, |v| (1e-12..=1e12).contains(&v), "1e-12..=1e12")?;
            }
            Window | MinMax => {
                need(self.over, path, "over")?;
            }
        }
        match self.epsilon {
            Some(e) if !(e > 0.0 && e <= 1.0) => {
                Err(Error::manifest(&format!("{path}.epsilon"), format!("is {e}; valid above 0 up to 1")))
            }
            _ => Ok(()),
        }
    }

    /// Normalises a window in place: rows of `bins` values, one after the other. Allocates nothing.
    pub fn apply(&self, window_rows: &mut [f32], bins: usize) {
        match self.kind {
            NormalizeKind::None => {}
            NormalizeKind::MeanStd => {
                let (Some(mean), Some(std)) = (&self.mean, &self.std) else { return };
                for bin in 0..bins {
                    let (Some(mean), Some(std)) = (mean.at(bin), std.at(bin)) else { return };
                    every(window_rows, bin, bins, |v| (v - mean) / std);
                }
            }
            kind if self.over == Some(Over::Bin) => {
                for bin in 0..bins {
                    self.by_statistics(kind, window_rows, bin, bins);
                }
            }
            kind => self.by_statistics(kind, window_rows, 0, 1),
        }
    }

    /// Normalises the values `start`, `start + step`, … by their own statistics, which are computed in f64.
    fn by_statistics(&self, kind: NormalizeKind, rows: &mut [f32], start: usize, step: usize) {
        let values = || rows.iter().skip(start).step_by(step.max(1)).copied();
        if kind == NormalizeKind::MinMax {
            let low = values().fold(f32::INFINITY, f32::min);
            let high = values().fold(f32::NEG_INFINITY, f32::max);
            let scale = if high > low { 1.0 / (f64::from(high) - f64::from(low)) } else { 0.0 };
            every(rows, start, step, |v| ((f64::from(v) - f64::from(low)) * scale) as f32);
            return;
        }
        let count = values().count().max(1) as f64;
        let mean = values().map(f64::from).sum::<f64>() / count;
        let variance = values().map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
        let divide = self.variance != Some(false);
        let scale =
            if divide { (variance + self.epsilon.unwrap_or(Self::EPSILON)).sqrt().recip() } else { 1.0 };
        every(rows, start, step, |v| ((f64::from(v) - mean) * scale) as f32);
    }
}

fn every(rows: &mut [f32], start: usize, step: usize, f: impl Fn(f32) -> f32) {
    for value in rows.iter_mut().skip(start).step_by(step.max(1)) {
        *value = f(*value);
    }
}
