//! The further inputs of a network (`input.others`).

use std::fmt;

use serde::de::{self, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::json::entries;
use crate::tensor::Axis;

/// The most inputs besides the first.
pub(super) const MAX_OTHERS: usize = 100;
/// The most axes of one.
const MAX_AXES: usize = 8;
/// The most elements of all together.
pub(crate) const MAX_ELEMENTS: i64 = 1 << 24;
/// The most numbers that a constant lists.
const MAX_NUMBERS: usize = 1 << 16;

/// A further input (`input.others`, by the name of its tensor): one of `constant`, `ones`, `length` and `state`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Other {
    /// The same numbers in every run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constant: Option<Numbers>,
    /// True: ones everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ones: Option<bool>,
    /// How long the audio of the window is, before it is padded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<Length>,
    /// What the output of this name gave in the run before; zeros in the first run of a stream or a clip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its sizes; absent: those that the network declares, which must all be fixed.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::json::optional_list::<MAX_AXES, _, _>"
    )]
    pub shape: Option<Vec<Size>>,
}

/// What a length counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// Samples at the model's rate.
    Samples,
    /// Rows of features.
    Rows,
}

impl Length {
    /// As a manifest has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Length::Samples => "samples",
            Length::Rows => "rows",
        }
    }
}

/// One number for all elements, or one for each, in the order of memory (the last axis first).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Numbers {
    /// The same for all.
    All(f64),
    /// One for each.
    Each(Vec<f64>),
}

impl Numbers {
    /// In the order of memory.
    pub fn values(&self) -> &[f64] {
        match self {
            Numbers::All(value) => std::slice::from_ref(value),
            Numbers::Each(values) => values,
        }
    }
}

/// One size of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Size {
    /// Always the same.
    Fixed(u32),
    /// That of this axis of the first input.
    Of(Axis),
}

impl Size {
    /// Its value in a run on `rows` rows of `bins` bins.
    pub(crate) fn value(self, rows: usize, bins: usize) -> i64 {
        match self {
            Size::Fixed(size) => size.into(),
            Size::Of(axis) => axis.size(rows, bins),
        }
    }
}

/// By hand, because serde's `untagged` first keeps whatever it finds.
impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Numbers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a list with a number for each element")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<Numbers, E> {
                Ok(Numbers::All(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<Numbers, E> {
                Ok(Numbers::All(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Numbers, E> {
                Ok(Numbers::All(value as f64))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<Numbers, A::Error> {
                entries(MAX_NUMBERS, list).map(Numbers::Each)
            }
        }

        from.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size, or the name of an axis of input.layout")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Size, E> {
                let size =
                    u32::try_from(value).ok().filter(|&size| (1..=MAX_ELEMENTS).contains(&size.into()));
                size.map(Size::Fixed)
                    .ok_or_else(|| E::custom(format_args!("{value} is no size; valid 1..={MAX_ELEMENTS}")))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> std::result::Result<Size, E> {
                Axis::deserialize(name.into_deserializer()).map(Size::Of)
            }
        }

        from.deserialize_any(Either)
    }
}

impl Other {
    pub(super) fn resolve(&self, name: &str, path: &str) -> Result<()> {
        let Other { constant, ones, length, state, shape } = self;
        let said = [constant.is_some(), ones.is_some(), length.is_some(), state.is_some()];
        if said.iter().filter(|&&said| said).count() != 1 {
            return Err(Error::manifest(path, "say one of constant, ones, length and state"));
        }
        if name.is_empty() || state.as_ref().is_some_and(String::is_empty) {
            return Err(Error::manifest(path, "a tensor's name is empty"));
        }
        if *ones == Some(false) {
            return Err(Error::manifest(&format!("{path}.ones"), "is true or absent"));
        }
        let values = constant.as_ref().map_or(&[][..], Numbers::values);
        if constant.is_some() && (values.is_empty() || values.iter().any(|value| !value.is_finite())) {
            return Err(Error::manifest(&format!("{path}.constant"), "a finite number, or a list of them"));
        }
        let sizes = shape.as_deref().unwrap_or_default();
        let grows = |size: &Size| matches!(size, Size::Of(axis) if axis.grows() || *axis == Axis::Bin);
        if sizes.iter().any(grows) && (state.is_some() || matches!(constant, Some(Numbers::Each(_)))) {
            let message =
                "a state, and a constant with a number for each element, have the same sizes in every run";
            return Err(Error::manifest(&format!("{path}.shape"), message));
        }
        Ok(())
    }
}
