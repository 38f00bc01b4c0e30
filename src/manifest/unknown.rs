//! Members that nobody has said yet: `auricle init` writes `"unknown: what to write here"` in their place, and a
//! manifest with one is refused, all of them at once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, MAX_PATH, Result, Status};
use crate::text;

/// What the string in the place of a value begins with.
pub const UNKNOWN: &str = "unknown: ";
/// Most that are named; the message ends long before.
const MAX_NAMED: usize = 100;

/// Refuses a manifest in which members are still unknown. What is no JSON is left to the parser.
pub(super) fn refuse(json: &str) -> Result<()> {
    if !json.contains(UNKNOWN) {
        return Ok(());
    }
    let mut search = Search { path: Vec::new(), found: Vec::new() };
    let mut reader = serde_json::Deserializer::from_str(json);
    let _ = Here { search: &mut search, in_list: false }.deserialize(&mut reader);
    match search.found.as_slice() {
        [] => Ok(()),
        found => Err(Error::new(Status::Manifest, format!("manifest: still unknown: {}", found.join("; ")))),
    }
}

struct Search {
    path: Vec<String>,
    /// Path and what to write.
    found: Vec<String>,
}

/// A value at the search's path.
struct Here<'a> {
    search: &'a mut Search,
    /// It is an entry of a list: a label may say what it likes.
    in_list: bool,
}

impl<'de> DeserializeSeed<'de> for Here<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Here<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.search.path.push(key);
            map.next_value_seed(Here { search: &mut *self.search, in_list: false })?;
            self.search.path.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        for index in 0.. {
            self.search.path.push(index.to_string());
            let more = list.next_element_seed(Here { search: &mut *self.search, in_list: true })?;
            self.search.path.pop();
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> std::result::Result<(), E> {
        let Some(what) = value.strip_prefix(UNKNOWN).filter(|_| !self.in_list) else { return Ok(()) };
        if self.search.found.len() == MAX_NAMED {
            return Err(E::custom("enough"));
        }
        let path = self.search.path.join(".");
        self.search.found.push(format!("{}: {what}", text::shortened(&path, MAX_PATH)));
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_unknowns_are_named_with_their_places() {
        let json = r#"{ "name": "unknown", "labels": ["unknown: a label", "b"], "input": { "sample_rate": "unknown: Hz",
            "window_seconds": 1.0, "others": { "sr": "unknown: a constant" } }, "outputs": [{ "labels": "unknown: 3" }] }"#;
        let message = refuse(json).expect_err("has unknowns").message().to_owned();
        let said = "input.sample_rate: Hz; input.others.sr: a constant; outputs.0.labels: 3";
        assert!(message.ends_with(said) && message.contains("still unknown"), "{message}");
    }

    #[test]
    fn what_is_said_or_no_json_is_not_their_business() {
        for json in
            ["", "{", r#"{ "name": "unknown" }"#, r#"{ "labels": ["unknown: x"] }"#, r#"["unknown: ""#]
        {
            refuse(json).expect("nothing is unknown");
        }
        let many = (0..1000).map(|k| format!("\"m{k}\": \"unknown: x\"")).collect::<Vec<_>>().join(",");
        assert!(refuse(&format!("{{ {many} }}")).is_err());
    }
}
