//! What the outputs mean (`outputs`).

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::inference::Dtype;
use crate::json::{self, MAX_LABELS};
use crate::memory;
use crate::scores::Activation;

/// The most outputs of a model.
pub(super) const MAX_OUTPUTS: usize = 16;
/// Highest `temperature`; scores are all alike long before.
const MAX_TEMPERATURE: f32 = 100.0;
/// The most rows that are trimmed at one end.
const MAX_TRIM: usize = 1 << 20;
/// Longest time from one row of a series to the next.
const MAX_ROW_SECONDS: f64 = 3600.0;

/// What one output means (`outputs`). The first one is what a read gives.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Its name, for people and programs; empty: the tensor's.
    pub name: String,
    /// Name of the output tensor; empty, in the first output only: the one that is no state and that no other output
    /// names.
    pub tensor: String,
    /// What it is.
    pub kind: Kind,
    /// Labels of the classes, in the order of the tensor; of scores only.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "json::list::<MAX_LABELS, _, _>")]
    pub labels: Vec<String>,
    /// What makes scores of the raw outputs.
    pub activation: Activation,
    /// The raw outputs are divided by it before the activation, so that scores say how often the model is right
    /// (Guo et al., arXiv:1706.04599); above 0, up to 100.
    pub temperature: f32,
    /// What becomes of the rows of a network that answers for many moments of one window; absent: it has one row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<OutputRows>,
    /// Element type of the tensor.
    pub dtype: Dtype,
    /// What one step of a tensor of integers is: a value is `(stored - zero_point) * scale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f32>,
    /// The integer that stands for 0; absent: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zero_point: Option<i32>,
}

/// What an output is (`outputs[].kind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// How sure the network is of each of its classes.
    #[default]
    Scores,
    /// A vector that says how alike sounds are.
    Embedding,
    /// Other numbers.
    Values,
}

/// What becomes of the rows of an output (`outputs[].rows`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputRows {
    /// The mean of the rows, taken after the activation.
    Mean,
    /// The highest value that each class has in a row.
    Max,
    /// The last row.
    Last,
    /// Each row is a result of its own.
    #[serde(untagged)]
    Series(Series),
}

/// Rows that are results of their own (`outputs[].rows`).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// From one row to the next, seconds. The first row begins where the window does.
    pub hop_seconds: f64,
    /// Rows that are left out at the start of each window.
    #[serde(default)]
    pub trim_start: usize,
    /// Rows that are left out at its end.
    #[serde(default)]
    pub trim_end: usize,
}

/// How numbers are stored in integers: `value = (stored - zero_point) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quantized {
    pub scale: f32,
    pub zero_point: i32,
}

impl Quantized {
    /// What the manifest says at `path`: integers need a scale, floats have none.
    pub(super) fn new(
        dtype: Dtype,
        scale: Option<f32>,
        zero_point: Option<i32>,
        path: &str,
    ) -> Result<Option<Self>> {
        let fail = |member: &str, message: String| Err(Error::manifest(&format!("{path}.{member}"), message));
        let valid = [Dtype::F32, Dtype::F16, Dtype::F64, Dtype::I16, Dtype::U8, Dtype::I8];
        if !valid.contains(&dtype) {
            return fail("dtype", format!("{dtype}; valid: f32, f16, f64, i16, u8, i8"));
        }
        let Some((min, max)) = dtype.integers() else {
            return match (scale, zero_point) {
                (None, None) => Ok(None),
                (Some(_), _) => fail("scale", format!("has no meaning with dtype {dtype}")),
                (None, Some(_)) => fail("zero_point", format!("has no meaning with dtype {dtype}")),
            };
        };
        let (scale, zero_point) = match (scale, zero_point.unwrap_or(0)) {
            (None, _) => return fail("scale", format!("is needed with dtype {dtype}: what one step is")),
            (Some(scale), zero_point) => (scale, zero_point),
        };
        if !(scale.is_finite() && scale > 0.0) {
            return fail("scale", format!("{scale}; valid above 0"));
        }
        if !(min..=max).contains(&f64::from(zero_point)) {
            return fail("zero_point", format!("{zero_point}; {dtype} has {min}..={max}"));
        }
        Ok(Some(Self { scale, zero_point }))
    }
}

impl Default for Output {
    fn default() -> Self {
        Self {
            name: String::new(),
            tensor: String::new(),
            kind: Kind::default(),
            labels: Vec::new(),
            activation: Activation::default(),
            temperature: 1.0,
            rows: None,
            dtype: Dtype::default(),
            scale: None,
            zero_point: None,
        }
    }
}

/// By hand, because serde's `untagged` first keeps whatever it finds.
impl<'de> Deserialize<'de> for OutputRows {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = OutputRows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"mean\", \"max\", \"last\", or an object with hop_seconds")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> std::result::Result<OutputRows, E> {
                match name {
                    "mean" => Ok(OutputRows::Mean),
                    "max" => Ok(OutputRows::Max),
                    "last" => Ok(OutputRows::Last),
                    _ => Err(E::invalid_value(de::Unexpected::Str(name), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<OutputRows, A::Error> {
                Series::deserialize(MapAccessDeserializer::new(map)).map(OutputRows::Series)
            }
        }

        from.deserialize_any(Either)
    }
}

impl Output {
    /// Its series, if its rows are results of their own.
    pub fn series(&self) -> Option<&Series> {
        match &self.rows {
            Some(OutputRows::Series(series)) => Some(series),
            _ => None,
        }
    }

    /// `path` is where it stands, `labels_path` where its labels do.
    pub(super) fn resolve(&self, path: &str, labels_path: &str) -> Result<()> {
        let fail = |member: &str, message: String| Err(Error::manifest(&format!("{path}.{member}"), message));
        let Output { activation, temperature, kind, .. } = *self;
        if self.name.contains('\0') {
            return fail("name", "holds a NUL character".into());
        }
        match kind {
            Kind::Scores => check_labels(&self.labels, labels_path)?,
            Kind::Embedding | Kind::Values => {
                if !self.labels.is_empty() {
                    return Err(Error::manifest(labels_path, "only scores have labels"));
                }
                if activation != Activation::None {
                    return fail("activation", "only scores have one".into());
                }
            }
        }
        if !(temperature > 0.0 && temperature <= MAX_TEMPERATURE) {
            return fail("temperature", format!("{temperature}; valid above 0, up to {MAX_TEMPERATURE}"));
        }
        if activation == Activation::None && temperature != 1.0 {
            return fail(
                "temperature",
                "has no meaning without an activation: the outputs are scores already".into(),
            );
        }
        if let Some(Series { hop_seconds, trim_start, trim_end }) = self.series() {
            if !(*hop_seconds > 0.0 && *hop_seconds <= MAX_ROW_SECONDS) {
                let message = format!("{hop_seconds}; valid above 0, up to {MAX_ROW_SECONDS}");
                return fail("rows.hop_seconds", message);
            }
            let trim = *trim_start.max(trim_end);
            if trim > MAX_TRIM {
                return fail("rows", format!("{trim} rows are trimmed; valid up to {MAX_TRIM}"));
            }
        }
        self.quantized(path).map(drop)
    }

    /// That its labels are not as many as the classes of `tensor`, of these sizes.
    pub(crate) fn wrong_classes(&self, tensor: &str, sizes: &[i64]) -> String {
        let labels = self.labels.len();
        let classes = match (&self.rows, sizes) {
            (Some(_), [.., classes]) => *classes,
            _ => sizes.iter().filter(|&&size| size > 1).product(),
        };
        let turn = match sizes {
            [.., rows, _] if self.rows.is_some() && *rows == labels as i64 => {
                "; rows are the last axis but one: turn the axes round, with the step transpose of auricle-train join"
            }
            _ => "",
        };
        format!("{labels} labels, tensor {tensor:?} has {classes} classes ({sizes:?}){turn}")
    }

    /// How its numbers are stored.
    pub(crate) fn quantized(&self, path: &str) -> Result<Option<Quantized>> {
        Quantized::new(self.dtype, self.scale, self.zero_point, path)
    }
}

/// Checks all outputs together; each has been checked.
pub(super) fn check_all(outputs: &[Output]) -> Result<()> {
    let first = outputs.first().and_then(Output::series);
    for (index, output) in outputs.iter().enumerate() {
        let fail = |member: &str, message: String| {
            Err(Error::manifest(&format!("outputs[{index}].{member}"), message))
        };
        if index > 0 && output.tensor.is_empty() {
            return fail("tensor", "is needed in all outputs but the first".into());
        }
        let alike = |other: &&Output| !output.name.is_empty() && other.name == output.name;
        if outputs[..index].iter().find(alike).is_some() {
            return fail("name", format!("{:?} is the name of another output too", output.name));
        }
        if output.series().is_some() && output.series() != first {
            let message =
                "a series goes with the results, which the first output gives: it is the same series there";
            return fail("rows", message.into());
        }
    }
    Ok(())
}

fn check_labels(labels: &[String], path: &str) -> Result<()> {
    if labels.is_empty() || labels.len() > MAX_LABELS {
        return Err(Error::manifest(path, format!("{} labels; valid 1..={MAX_LABELS}", labels.len())));
    }
    let mut seen = memory::set(labels.len(), "the labels")?;
    for (index, label) in labels.iter().enumerate() {
        let path = || format!("{path}[{index}]");
        if label.is_empty() || label.contains('\0') {
            return Err(Error::manifest(&path(), "is empty or holds a NUL character"));
        }
        if !seen.insert(label) {
            let first = labels.iter().position(|other| other == label).unwrap_or(index);
            return Err(Error::manifest(&path(), format_args!("{label:?} is labels[{first}] too")));
        }
    }
    Ok(())
}
