//! What the network sees (`input`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::others::{MAX_OTHERS, Other};
use super::outputs::Quantized;
use super::samples::Samples;
use super::{MAX_WINDOW, samples, seconds};
use crate::error::{Error, Result};
use crate::features::{Kind, Preset, Shape, Spec};
use crate::inference::Dtype;
use crate::json;
use crate::normalize::Normalize;
use crate::padding::{Fill, Of, Padding};
use crate::resample::{self, Method};
use crate::stack::Stack;
use crate::tensor::{Axis, AxisOrder};

/// Most feature values of a window: 64 MB, as many as a window can have samples.
const MAX_VALUES: usize = 1 << 24;
/// Most operations for the features of a window: a few seconds of one core.
const MAX_WORK: u64 = 1 << 34;
/// There are no more kinds of axes than five; the rest is for a message that says so.
const MAX_AXES: usize = 8;

/// What the network sees (`input`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name of the input tensor; empty: the first one that is not in `others`.
    #[serde(default)]
    pub tensor: String,
    /// Rate of the audio that the features are computed from, Hz.
    pub sample_rate: u32,
    /// How the host's audio is converted to that rate; absent: `bulk` for whole clips, `low_latency`, which is the
    /// same filter, for streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resampler: Option<Method>,
    /// Audio that one inference sees, seconds. One of this and the next two is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<f64>,
    /// The same in samples at `sample_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_samples: Option<usize>,
    /// The same as the fewest samples that give so many rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_rows: Option<usize>,
    /// Silence before the first sample: the first window begins so many samples before the audio does, as the code of
    /// many streaming networks has it; less than a window.
    #[serde(default)]
    pub lead_samples: usize,
    /// How a clip shorter than the window, or the end of a stream, is padded.
    #[serde(default)]
    pub padding: Padding,
    /// Fewest rows that the network can take; counts only where `padding` is `none`.
    #[serde(default = "one")]
    pub min_rows: usize,
    /// What is done to the samples of a window first; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
    /// From samples to rows.
    pub features: Spec,
    /// What is done to the rows of a window; absent: what the features' preset says, else nothing.
    #[serde(default)]
    pub normalize: Option<Normalize>,
    /// Several rows of features make one row of the network's; absent: each is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Stack>,
    /// The axes of the input tensor, in order.
    #[serde(deserialize_with = "json::list::<MAX_AXES, _, _>")]
    pub layout: Vec<Axis>,
    /// Element type of the input tensor.
    #[serde(default)]
    pub dtype: Dtype,
    /// What one step of a tensor of integers is: a value is `(stored - zero_point) * scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f32>,
    /// The integer that stands for 0; absent: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_point: Option<i32>,
    /// All other inputs of the network, by the names of their tensors.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "json::map::<MAX_OTHERS, _, _>"
    )]
    pub others: BTreeMap<String, Other>,
}

fn one() -> usize {
    1
}

/// The normalisation that belongs to the features' preset, for a manifest that has no `input.normalize`.
pub fn default_normalize(features: &Spec) -> Normalize {
    match features.preset {
        // (v + 4) / 4
        Some(Preset::Whisper) => Normalize::mean_std(-4.0, 4.0),
        // AudioSet's statistics; AST divides by twice the standard deviation.
        Some(Preset::Ast) => Normalize::mean_std(-4.267_739_3, 2.0 * 4.568_997_4),
        _ => Normalize::default(),
    }
}

impl Input {
    /// Checks every member and fills in the defaults that depend on others.
    pub(super) fn resolve(&mut self) -> Result<()> {
        let rates = resample::MIN_SAMPLE_RATE..=resample::MAX_SAMPLE_RATE;
        if !rates.contains(&self.sample_rate) {
            return Err(Error::manifest(
                "input.sample_rate",
                format!("{} Hz; valid {rates:?}", self.sample_rate),
            ));
        }
        for (name, other) in &self.others {
            other.resolve(name, &format!("input.others.{name}"))?;
        }
        let default = default_normalize(&self.features);
        self.features = self.features.resolved(self.sample_rate, "input.features")?;
        if let Some(samples) = &mut self.samples {
            samples.resolve()?;
        }
        if let Some(stack) = &self.stack {
            stack.check("input.stack")?;
            if self.features.kind == Some(Kind::Waveform) {
                return Err(Error::manifest("input.stack", "kind is waveform, which has no rows to stack"));
            }
        }
        let normalize = self.normalize.take().unwrap_or(default);
        self.normalize = Some(normalize.resolved("input.normalize", self.normalized_bins())?);
        self.axis_order()?;
        self.quantized()?;
        self.check_padding()?;
        let (member, window) = self.check_window()?;
        if self.lead_samples >= window {
            return Err(Error::manifest(
                "input.lead_samples",
                format!("{}; valid below the {window} samples of the window", self.lead_samples),
            ));
        }
        self.check_rows(&format!("input.{member}"), window)
    }

    fn check_padding(&self) -> Result<()> {
        self.padding.check("input.padding")?;
        match self.padding {
            Padding::Fill(Fill { of: Of::Samples, after_normalize: true, .. })
                if !self.samples.as_ref().is_some_and(Samples::is_normalized) =>
            {
                let message = "of is samples, and there is no input.samples.normalize to be after; for what \
                               input.normalize does, of is rows";
                Err(Error::manifest("input.padding.after_normalize", message))
            }
            _ => Ok(()),
        }
    }

    /// The member that says how long a window is, and its samples.
    fn check_window(&self) -> Result<(&'static str, usize)> {
        match (self.window_seconds, self.window_samples, self.window_rows) {
            (Some(value), None, None) => {
                Ok(("window_seconds", seconds("input.window_seconds", value, self.sample_rate)?))
            }
            (None, Some(window), None) => {
                seconds(
                    "input.window_samples",
                    window as f64 / f64::from(self.sample_rate),
                    self.sample_rate,
                )?;
                Ok(("window_samples", window))
            }
            (None, None, Some(wanted)) => {
                let window = self.samples_of(wanted);
                let rows = self.rows(window);
                if wanted == 0 || rows != wanted {
                    let message = match rows > wanted && wanted > 0 {
                        true => format!("{wanted} rows; the fewest samples, {window}, give {rows}"),
                        false => format!("{wanted} rows; valid 1..={rows}, which {MAX_WINDOW} samples give"),
                    };
                    return Err(Error::manifest("input.window_rows", message));
                }
                seconds("input.window_rows", window as f64 / f64::from(self.sample_rate), self.sample_rate)?;
                Ok(("window_rows", window))
            }
            (None, None, None) => Err(Error::manifest(
                "input.window_seconds",
                "is missing; say one of window_seconds, window_samples and window_rows",
            )),
            _ => Err(Error::manifest(
                "input.window_seconds",
                "one of window_seconds, window_samples and window_rows is said, not several",
            )),
        }
    }

    /// What a window of so many samples gives: rows enough, values and work not too many.
    fn check_rows(&self, path: &str, window: usize) -> Result<()> {
        let features = Shape::new(&self.features);
        let (rows, min, frames) = (self.rows(window), self.min_rows.max(1), self.frames(window));
        let length = format!("{} s", self.window_duration());
        if rows < min {
            return Err(Error::manifest(
                path,
                format!(
                    "{length} are {window} samples and give {rows} rows of features; at least {min} are needed \
                     (one row needs {} samples)",
                    self.samples_of(1)
                ),
            ));
        }
        let values = rows.saturating_mul(self.bins()).max(frames.saturating_mul(features.bins()));
        if values > MAX_VALUES {
            return Err(Error::manifest(
                path,
                format!(
                    "{length} give {rows} rows of {} bins, {values} values; valid up to {MAX_VALUES}",
                    self.bins()
                ),
            ));
        }
        let work = (frames as u64).saturating_mul(features.work_per_row());
        if work > MAX_WORK {
            return Err(Error::manifest(
                path,
                format!(
                    "{length} give {frames} rows of features, {} operations each, {work} in all; valid up to {MAX_WORK}",
                    features.work_per_row()
                ),
            ));
        }
        Ok(())
    }

    /// The fewest samples that give `rows` rows, or as many as a window can have.
    pub fn samples_of(&self, rows: usize) -> usize {
        let (mut enough, mut few) = (MAX_WINDOW, 0);
        while enough - few > 1 {
            let middle = few + (enough - few) / 2;
            *(if self.rows(middle) < rows { &mut few } else { &mut enough }) = middle;
        }
        enough
    }

    /// Whether the network carries anything from run to run.
    pub fn has_state(&self) -> bool {
        self.others.values().any(|other| other.state.is_some())
    }

    /// How the numbers of the tensor are stored.
    pub(crate) fn quantized(&self) -> Result<Option<Quantized>> {
        Quantized::new(self.dtype, self.scale, self.zero_point, "input")
    }

    /// Operations for the features of a window.
    pub(super) fn work(&self) -> u64 {
        (self.frames(self.window()) as u64).saturating_mul(Shape::new(&self.features).work_per_row())
    }

    /// The order of the axes of the input tensor.
    pub(crate) fn axis_order(&self) -> Result<AxisOrder> {
        let waveform = self.features.kind == Some(Kind::Waveform);
        AxisOrder::new(&self.layout, waveform, "input.layout")
    }

    /// Samples of a window at the model's rate. This and what follows is of an input that was checked.
    pub fn window(&self) -> usize {
        match (self.window_seconds, self.window_samples, self.window_rows) {
            (Some(seconds), ..) => samples(seconds, self.sample_rate),
            (_, Some(samples), _) => samples,
            (.., rows) => rows.map_or(0, |rows| self.samples_of(rows)),
        }
    }

    /// Length of a window, seconds.
    pub fn window_duration(&self) -> f64 {
        self.window_seconds.unwrap_or_else(|| self.window() as f64 / f64::from(self.sample_rate))
    }

    /// Rows of features that `samples` samples give.
    pub(crate) fn frames(&self, samples: usize) -> usize {
        let samples = self.samples.as_ref().map_or(samples, |ops| ops.left(samples));
        Shape::new(&self.features).rows(samples)
    }

    /// Rows that the network gets for `samples` samples, nothing being padded.
    pub fn rows(&self, samples: usize) -> usize {
        let frames = self.frames(samples);
        self.stack.map_or(frames, |stack| stack.count(frames))
    }

    /// Values in a row that the network gets.
    pub fn bins(&self) -> usize {
        Shape::new(&self.features).bins() * self.stack.map_or(1, |stack| stack.rows)
    }

    /// Values in a row where it is normalised.
    fn normalized_bins(&self) -> usize {
        match self.stack {
            Some(stack) if !stack.after_normalize => self.bins(),
            _ => Shape::new(&self.features).bins(),
        }
    }
}
