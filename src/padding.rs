//! Padding: how a stretch that is shorter than the window is made as long (`input.padding`).

use std::fmt;

use serde::de::{self, Deserializer, IntoDeserializer, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Error, Result};

/// How a stretch that is shorter than the window is padded (`input.padding`): the name `zeros`, `repeat` or `none`, or an
/// object. `zeros` and `repeat` are short for the object with all defaults, and `with` `repeat`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    /// Not at all: the network sees as many rows as there are; it must take a dynamic number of them.
    None,
    /// Up to the length of a window.
    Fill(Fill),
}

/// What is filled up, where and with what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fill {
    /// What is filled up.
    pub of: Of,
    /// At which end.
    pub at: At,
    /// With what.
    pub with: With,
    /// Whether it is done after what is filled up has been normalised, samples by `input.samples.normalize` and rows by
    /// `input.normalize`, so that the filling is neither part of the statistics nor changed by them.
    pub after_normalize: bool,
}

/// What is filled up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// Samples at the model's rate; rows are computed from all of them.
    #[default]
    Samples,
    /// Rows; they are computed from what there is.
    Rows,
}

/// At which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// Behind what there is.
    #[default]
    End,
    /// Before it.
    Start,
    /// On both sides, of an odd number one more behind.
    Both,
}

/// With what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum With {
    /// This value, a sample's or that of every bin of a row.
    Value(f32),
    /// What there is.
    Named(Repeat),
}

/// How what there is is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Again and again, cut off where the window ends.
    Repeat,
    /// As many whole times as fit; zeros for the rest.
    RepeatWhole,
}

impl Default for With {
    fn default() -> Self {
        Self::Value(0.0)
    }
}

impl Default for Padding {
    fn default() -> Self {
        Self::Fill(Fill::default())
    }
}

impl Padding {
    const REPEAT: Self = Self::Fill(Fill {
        of: Of::Samples,
        at: At::End,
        with: With::Named(Repeat::Repeat),
        after_normalize: false,
    });

    /// Checks it. `path` (`input.padding`) opens the error messages.
    pub(crate) fn check(&self, path: &str) -> Result<()> {
        match self {
            Self::Fill(Fill { with: With::Value(value), .. }) if !value.is_finite() => {
                Err(Error::manifest(&format!("{path}.with"), format!("is {value}; valid any finite number")))
            }
            _ => Ok(()),
        }
    }

    /// Whether a stretch is filled up at this point.
    pub(crate) fn fill(&self, of: Of, after_normalize: bool) -> Option<Fill> {
        match *self {
            Self::Fill(fill) if (fill.of, fill.after_normalize) == (of, after_normalize) => Some(fill),
            _ => None,
        }
    }
}

impl Fill {
    /// Fills `values` up, of which the first `given` (more than none) are there, in groups of `width` that are not taken apart.
    pub fn apply(&self, values: &mut [f32], given: usize, width: usize) {
        let length = values.len();
        let block = match self.with {
            With::Named(Repeat::RepeatWhole) => length / given * given,
            _ => given,
        };
        let gap = length - block;
        let start = match self.at {
            At::End => 0,
            At::Start => gap,
            At::Both => gap / width / 2 * width,
        };
        values.copy_within(..given, start);
        let end = match self.with {
            With::Named(Repeat::Repeat) => length,
            _ => start + block,
        };
        for k in start + given..end {
            values[k] = values[k - given];
        }
        match self.with {
            With::Named(Repeat::Repeat) => {
                for k in (0..start).rev() {
                    values[k] = values[k + given];
                }
            }
            with => {
                let value = if let With::Value(value) = with { value } else { 0.0 };
                values[..start].fill(value);
                values[end..].fill(value);
            }
        }
    }
}

impl Serialize for Padding {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::None => to.serialize_str("none"),
            Self::Fill(fill) if *fill == Fill::default() => to.serialize_str("zeros"),
            &Self::REPEAT => to.serialize_str("repeat"),
            Self::Fill(fill) => fill.serialize(to),
        }
    }
}

/// By hand, because serde's `untagged` first keeps whatever it finds.
impl<'de> Deserialize<'de> for Padding {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Padding;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "\"zeros\", \"repeat\", \"none\", or an object with of, at, with and after_normalize",
                )
            }

            fn visit_str<E: de::Error>(self, name: &str) -> std::result::Result<Padding, E> {
                match name {
                    "zeros" => Ok(Padding::default()),
                    "repeat" => Ok(Padding::REPEAT),
                    "none" => Ok(Padding::None),
                    _ => Err(E::invalid_value(Unexpected::Str(name), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Padding, A::Error> {
                Fill::deserialize(de::value::MapAccessDeserializer::new(map)).map(Padding::Fill)
            }
        }

        from.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for With {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = With;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"repeat\" or \"repeat_whole\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<With, E> {
                Ok(With::Value(value as f32))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<With, E> {
                Ok(With::Value(value as f32))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<With, E> {
                Ok(With::Value(value as f32))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> std::result::Result<With, E> {
                let repeat = Repeat::deserialize(IntoDeserializer::<E>::into_deserializer(name));
                repeat.map(With::Named).map_err(|_| E::invalid_value(Unexpected::Str(name), &self))
            }
        }

        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(json: &str, given: &[f32], length: usize, width: usize) -> Vec<f32> {
        let padding: Padding = serde_json::from_str(json).expect(json);
        let Padding::Fill(fill) = padding else { panic!("{json} fills") };
        let mut values = given.to_vec();
        values.resize(length, f32::NAN);
        fill.apply(&mut values, given.len(), width);
        values
    }

    #[test]
    fn pads_at_every_end_with_everything() {
        for (json, expected) in [
            (r#""zeros""#, [1.0, 2.0, 0.0, 0.0, 0.0]),
            (r#""repeat""#, [1.0, 2.0, 1.0, 2.0, 1.0]),
            (r#"{ "with": 0.5 }"#, [1.0, 2.0, 0.5, 0.5, 0.5]),
            (r#"{ "with": -1, "at": "start" }"#, [-1.0, -1.0, -1.0, 1.0, 2.0]),
            (r#"{ "at": "both" }"#, [0.0, 1.0, 2.0, 0.0, 0.0]),
            (r#"{ "with": "repeat", "at": "start" }"#, [2.0, 1.0, 2.0, 1.0, 2.0]),
            (r#"{ "with": "repeat", "at": "both" }"#, [2.0, 1.0, 2.0, 1.0, 2.0]),
            (r#"{ "with": "repeat_whole" }"#, [1.0, 2.0, 1.0, 2.0, 0.0]),
            (r#"{ "with": "repeat_whole", "at": "start" }"#, [0.0, 1.0, 2.0, 1.0, 2.0]),
            (r#"{ "with": "repeat_whole", "at": "both" }"#, [1.0, 2.0, 1.0, 2.0, 0.0]),
        ] {
            assert_eq!(filled(json, &[1.0, 2.0], 5, 1), expected, "{json}");
            assert_eq!(filled(json, &[7.0; 5], 5, 1), [7.0; 5], "{json}: nothing is missing");
        }
    }

    #[test]
    fn rows_stay_whole() {
        let both = filled(r#"{ "of": "rows", "at": "both", "with": 9 }"#, &[1.0, 2.0], 10, 2);
        assert_eq!(both, [9.0, 9.0, 9.0, 9.0, 1.0, 2.0, 9.0, 9.0, 9.0, 9.0]);
        let odd = filled(r#"{ "of": "rows", "at": "both", "with": 9 }"#, &[1.0, 2.0], 8, 2);
        assert_eq!(odd, [9.0, 9.0, 1.0, 2.0, 9.0, 9.0, 9.0, 9.0], "one more behind");
        let whole = filled(r#"{ "of": "rows", "with": "repeat_whole" }"#, &[1.0, 2.0, 3.0, 4.0], 10, 2);
        assert_eq!(whole, [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0]);
    }

    #[test]
    fn short_forms_are_the_objects_that_they_stand_for() {
        for (short, long) in [
            (r#""zeros""#, r#"{ "of": "samples", "at": "end", "with": 0, "after_normalize": false }"#),
            (r#""zeros""#, "{}"),
            (r#""repeat""#, r#"{ "with": "repeat" }"#),
        ] {
            let [a, b] = [short, long].map(|json| serde_json::from_str::<Padding>(json).expect(json));
            assert_eq!(a, b);
            assert_eq!(serde_json::to_string(&b).expect("JSON"), short);
        }
        let none: Padding = serde_json::from_str(r#""none""#).expect("a name");
        assert_eq!((none, serde_json::to_string(&none).expect("JSON")), (Padding::None, r#""none""#.into()));
        for wrong in [r#""reflect""#, "0", r#"{ "with": "none" }"#, r#"{ "of": "bins" }"#, r#"{ "mode": 1 }"#]
        {
            assert!(serde_json::from_str::<Padding>(wrong).is_err(), "{wrong}");
        }
    }
}
