//! What the network sees (`input`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::others::{MAX_OTHERS, Other};
use super::outputs::Quantized;
use super::{samples, seconds};
use crate::error::{Error, Result};
use crate::features::{Kind, Normalize, Shape, Spec};
use crate::inference::Dtype;
use crate::json;
use crate::resample::{self, Method};
use crate::tensor::{Axis, AxisOrder, Padding};

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
    /// Audio that one inference sees, seconds.
    pub window_seconds: f64,
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
    /// From samples to rows.
    pub features: Spec,
    /// What is done to the rows of a window; absent: what the features' preset says, else nothing.
    #[serde(default)]
    pub normalize: Option<Normalize>,
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
        let window = seconds("input.window_seconds", self.window_seconds, self.sample_rate)?;
        if self.lead_samples >= window {
            return Err(Error::manifest(
                "input.lead_samples",
                format!("{}; valid below the {window} samples of the window", self.lead_samples),
            ));
        }
        for (name, other) in &self.others {
            other.resolve(name, &format!("input.others.{name}"))?;
        }
        let default = self.features.default_normalize();
        self.features = self.features.resolved(self.sample_rate, "input.features")?;
        let features = Shape::new(&self.features);
        let normalize = self.normalize.take().unwrap_or(default);
        self.normalize = Some(normalize.resolved("input.normalize", features.bins())?);
        self.axis_order()?;
        self.quantized()?;
        let (rows, min) = (features.rows(window), self.min_rows.max(1));
        if rows < min {
            return Err(Error::manifest(
                "input.window_seconds",
                format!(
                    "{} s are {window} samples and give {rows} rows of features; at least {min} are needed \
                     (one row needs {} samples)",
                    self.window_seconds,
                    features.min_samples()
                ),
            ));
        }
        let values = rows.saturating_mul(features.bins());
        if values > MAX_VALUES {
            return Err(Error::manifest(
                "input.window_seconds",
                format!(
                    "{} s give {rows} rows of {} bins, {values} values; valid up to {MAX_VALUES}",
                    self.window_seconds,
                    features.bins()
                ),
            ));
        }
        let work = (rows as u64).saturating_mul(features.work_per_row());
        if work > MAX_WORK {
            return Err(Error::manifest(
                "input.window_seconds",
                format!(
                    "{} s give {rows} rows of features, {} operations each, {work} in all; valid up to {MAX_WORK}",
                    self.window_seconds,
                    features.work_per_row()
                ),
            ));
        }
        Ok(())
    }

    /// How the numbers of the tensor are stored.
    pub(crate) fn quantized(&self) -> Result<Option<Quantized>> {
        Quantized::new(self.dtype, self.scale, self.zero_point, "input")
    }

    /// Operations for the features of a window.
    pub(super) fn work(&self) -> u64 {
        let features = Shape::new(&self.features);
        (features.rows(self.window_samples()) as u64).saturating_mul(features.work_per_row())
    }

    /// The order of the axes of the input tensor.
    pub(crate) fn axis_order(&self) -> Result<AxisOrder> {
        let waveform = self.features.kind == Some(Kind::Waveform);
        AxisOrder::new(&self.layout, waveform, "input.layout")
    }

    /// Samples of a window at the model's rate.
    pub fn window_samples(&self) -> usize {
        samples(self.window_seconds, self.sample_rate)
    }
}
