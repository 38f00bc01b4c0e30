//! Normalisation of a window, of its rows (`input.normalize`) or its samples (`input.samples.normalize`).

use std::fmt;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, need};
use crate::json::entries;

/// The most numbers of a list: 64 stacked rows of 1024 bins.
const MAX_BINS: usize = 1 << 16;
/// The most rows that share one statistic.
const MAX_ROWS: usize = 9_999;
/// The most steps that values are rounded to.
const MAX_STEPS: u32 = 1 << 16;

/// How a window is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalizeKind {
    /// Not at all.
    #[default]
    None,
    /// (v − mean) / std with numbers from the manifest: Whisper (−4 and 4), AST, or a training set's statistics.
    MeanStd,
    /// (v − mean) / √(variance + epsilon), or / (√variance + epsilon), with the window's own statistics: wav2vec2 (`over`
    /// all), CMVN (`over` bin).
    Window,
    /// As `window` with `over` `bin`, but each row by the statistics of the rows around it (SpeechPy's `cmvnw`).
    Sliding,
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

/// What epsilon is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EpsilonIn {
    /// The variance, below the root.
    Variance,
    /// The standard deviation.
    Std,
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
                entries(MAX_BINS, list).map(PerBin::Each)
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
    /// `sliding`: how many rows share one statistic, the row itself in their middle; odd. Beyond the ends of the window its
    /// rows are mirrored, the last one repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// `window` and `sliding`: added to the variance or the standard deviation; 1e-7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// `window` and `sliding`: which of the two; the variance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon_in: Option<EpsilonIn>,
    /// `window`: whether the variance is the sum of squares divided by their number less one (torch's `std`), rather than
    /// by their number (numpy's); false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unbiased: Option<bool>,
    /// `window` and `sliding`: whether to divide by the standard deviation; true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance: Option<bool>,
    /// Last of all, values below the first number are raised to it and those above the second lowered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<[f32; 2]>,
    /// After that, values are rounded to so many steps a unit, of which the last is left out: 256 are the bytes 0 to 255 for
    /// 0 to 1 (Edge Impulse).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
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
        if matches!(self.kind, NormalizeKind::Window | NormalizeKind::Sliding) {
            self.epsilon.get_or_insert(Self::EPSILON);
            self.epsilon_in.get_or_insert(EpsilonIn::Variance);
            self.variance.get_or_insert(true);
        }
        if self.kind == NormalizeKind::Window {
            self.unbiased.get_or_insert(false);
        }
        Ok(self)
    }

    /// Checks it for features of `bins` bins. `path` (such as `input.normalize`) opens the error messages.
    pub fn validate(&self, path: &str, bins: usize) -> Result<()> {
        use NormalizeKind::{MeanStd, MinMax, Sliding, Window};
        let stray = [
            ("mean", self.mean.is_some(), self.kind == MeanStd),
            ("std", self.std.is_some(), self.kind == MeanStd),
            ("over", self.over.is_some(), matches!(self.kind, Window | MinMax)),
            ("rows", self.rows.is_some(), self.kind == Sliding),
            ("epsilon", self.epsilon.is_some(), matches!(self.kind, Window | Sliding)),
            ("epsilon_in", self.epsilon_in.is_some(), matches!(self.kind, Window | Sliding)),
            ("unbiased", self.unbiased.is_some(), self.kind == Window),
            ("variance", self.variance.is_some(), matches!(self.kind, Window | Sliding)),
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
            Sliding => {
                let rows = need(self.rows, path, "rows")?;
                if !(3..=MAX_ROWS).contains(&rows) || rows.is_multiple_of(2) {
                    let message = format!("is {rows}; valid odd numbers of 3..={MAX_ROWS}");
                    return Err(Error::manifest(&format!("{path}.rows"), message));
                }
            }
        }
        match self.clip {
            Some([low, high]) if !(low.is_finite() && high.is_finite() && low < high) => {
                let message = format!("is [{low}, {high}]; valid two finite numbers, the smaller one first");
                return Err(Error::manifest(&format!("{path}.clip"), message));
            }
            _ => {}
        }
        match self.steps {
            Some(_) if self.clip != Some([0.0, 1.0]) => {
                return Err(Error::manifest(&format!("{path}.steps"), "needs clip to be [0, 1]"));
            }
            Some(steps) if !(2..=MAX_STEPS).contains(&steps) => {
                let message = format!("is {steps}; valid 2..={MAX_STEPS}");
                return Err(Error::manifest(&format!("{path}.steps"), message));
            }
            _ => {}
        }
        match self.epsilon {
            Some(e) if !(e > 0.0 && e <= 1.0) => {
                Err(Error::manifest(&format!("{path}.epsilon"), format!("is {e}; valid above 0 up to 1")))
            }
            _ => Ok(()),
        }
    }

    /// Values of scratch space that [`apply`](Self::apply) needs for a window of `rows` rows.
    pub fn room(&self, rows: usize) -> usize {
        if self.kind == NormalizeKind::Sliding { rows } else { 0 }
    }

    /// Normalises a window in place: rows of `bins` values, one after the other. Allocates nothing.
    pub fn apply(&self, window_rows: &mut [f32], bins: usize, scratch: &mut [f32]) {
        match self.kind {
            NormalizeKind::None => {}
            NormalizeKind::MeanStd => {
                let (Some(mean), Some(std)) = (&self.mean, &self.std) else { return };
                for bin in 0..bins {
                    let (Some(mean), Some(std)) = (mean.at(bin), std.at(bin)) else { return };
                    every(window_rows, bin, bins, |v| (v - mean) / std);
                }
            }
            NormalizeKind::Sliding => {
                for bin in 0..bins {
                    self.slide(window_rows, bin, bins, scratch);
                }
            }
            kind if self.over == Some(Over::Bin) => {
                for bin in 0..bins {
                    self.by_statistics(kind, window_rows, bin, bins);
                }
            }
            kind => self.by_statistics(kind, window_rows, 0, 1),
        }
        if let Some([low, high]) = self.clip {
            window_rows.iter_mut().for_each(|v| *v = v.clamp(low, high));
        }
        if let Some(steps) = self.steps {
            let (steps, last) = (steps as f32, (steps - 1) as f32);
            window_rows.iter_mut().for_each(|v| *v = (*v * steps).round_ties_even().min(last) / steps);
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
        let freedom = if self.unbiased == Some(true) { (count - 1.0).max(1.0) } else { count };
        let variance = values().map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / freedom;
        let epsilon = self.epsilon.unwrap_or(Self::EPSILON);
        let scale = match self.epsilon_in {
            _ if self.variance == Some(false) => 1.0,
            Some(EpsilonIn::Std) => (variance.sqrt() + epsilon).recip(),
            _ => (variance + epsilon).sqrt().recip(),
        };
        every(rows, start, step, |v| ((f64::from(v) - mean) * scale) as f32);
    }
}

impl Normalize {
    /// Normalises one bin of all rows; first the means, then, of what is left, the deviations.
    fn slide(&self, rows: &mut [f32], bin: usize, bins: usize, scratch: &mut [f32]) {
        let count = rows.len() / bins;
        let (column, half) = (&mut scratch[..count], self.rows.unwrap_or(1) / 2);
        let keep = |rows: &[f32], column: &mut [f32]| {
            column.iter_mut().zip(rows.iter().skip(bin).step_by(bins)).for_each(|(kept, v)| *kept = *v);
        };
        keep(rows, column);
        sliding_means(column, half, |row, mean, _| {
            let value = &mut rows[row * bins + bin];
            *value = (f64::from(*value) - mean) as f32;
        });
        if self.variance == Some(false) {
            return;
        }
        keep(rows, column);
        let epsilon = self.epsilon.unwrap_or(Self::EPSILON);
        sliding_means(column, half, |row, mean, squares| {
            let variance = (squares - mean * mean).max(0.0);
            let deviation = match self.epsilon_in {
                Some(EpsilonIn::Std) => variance.sqrt() + epsilon,
                _ => (variance + epsilon).sqrt(),
            };
            let value = &mut rows[row * bins + bin];
            *value = (f64::from(*value) / deviation) as f32;
        });
    }
}

/// Gives `sink` for each value its number, and the mean and the mean square of it and `half` values on each side, those
/// beyond the ends being mirrored.
fn sliding_means(values: &[f32], half: usize, mut sink: impl FnMut(usize, f64, f64)) {
    let (count, half) = (values.len() as isize, half as isize);
    let value = |at: isize| {
        let at = at.rem_euclid(2 * count);
        f64::from(values[at.min(2 * count - 1 - at) as usize])
    };
    let (mut sum, mut squares) = (0.0, 0.0);
    for at in -half..half {
        sum += value(at);
        squares += value(at).powi(2);
    }
    let width = (2 * half + 1) as f64;
    for row in 0..count {
        let (new, old) = (value(row + half), value(row - half));
        sum += new;
        squares += new * new;
        sink(row as usize, sum / width, squares / width);
        sum -= old;
        squares -= old * old;
    }
}

fn every(rows: &mut [f32], start: usize, step: usize, f: impl Fn(f32) -> f32) {
    for value in rows.iter_mut().skip(start).step_by(step.max(1)) {
        *value = f(*value);
    }
}
