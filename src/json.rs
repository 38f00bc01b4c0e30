//! JSON that others wrote, and JSON for others, where memory may be short: reading a list stops at the longest that can
//! be valid.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, Result, Status};

/// `value` as JSON with line breaks. `what`, a noun in the singular, is named in the message.
pub(crate) fn pretty(value: &impl Serialize, what: &str) -> Result<String> {
    let mut text = Text(Vec::new());
    match serde_json::to_writer_pretty(&mut text, value) {
        Ok(()) => Ok(String::from_utf8(text.0).expect("JSON is UTF-8")),
        // Keys are strings, so nothing but memory can be lacking.
        Err(_) => Err(Error::new(
            Status::Memory,
            format!("{what} needs more than {} bytes of memory, which could not be had", text.0.len()),
        )),
    }
}

struct Text(Vec<u8>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_reserve(bytes.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// More labels than any classifier has.
pub(crate) const MAX_LABELS: usize = 1 << 16;

/// What the message begins with where memory could not be had, so that it can be told from a list that is wrong.
pub(crate) const OUT_OF_MEMORY: &str = "out of memory: ";

/// A list of at most `MAX` entries.
pub(crate) struct List<T, const MAX: usize>(pub Vec<T>);

/// For `#[serde(deserialize_with)]`.
pub(crate) fn list<'de, const MAX: usize, T, D>(from: D) -> std::result::Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    List::<T, MAX>::deserialize(from).map(|list| list.0)
}

/// The same for a list that may be absent.
pub(crate) fn optional_list<'de, const MAX: usize, T, D>(
    from: D,
) -> std::result::Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<List<T, MAX>>::deserialize(from).map(|list| list.map(|list| list.0))
}

/// The same for an object whose members have any names.
pub(crate) fn map<'de, const MAX: usize, T, D>(from: D) -> std::result::Result<BTreeMap<String, T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    from.deserialize_map(Entries::<BTreeMap<_, _>, MAX>(PhantomData))
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_seq(Entries::<Vec<_>, MAX>(PhantomData)).map(Self)
    }
}

/// The entries of a list that has begun.
pub(crate) fn entries<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    max: usize,
    mut from: A,
) -> std::result::Result<Vec<T>, A::Error> {
    let mut list = Vec::new();
    while let Some(entry) = from.next_element()? {
        if list.len() == max {
            return Err(too_many(max));
        }
        list.try_reserve(1).map_err(|_| {
            let bytes = (list.len() + 1) * size_of::<T>();
            A::Error::custom(format_args!("{OUT_OF_MEMORY}its entries need {bytes} bytes and more"))
        })?;
        list.push(entry);
    }
    Ok(list)
}

fn too_many<E: serde::de::Error>(max: usize) -> E {
    E::custom(format_args!("more than {max} entries; valid up to {max}"))
}

struct Entries<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Entries<Vec<T>, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, from: A) -> std::result::Result<Self::Value, A::Error> {
        entries(MAX, from)
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Entries<BTreeMap<String, T>, MAX> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> std::result::Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = from.next_entry()? {
            map.insert(key, value);
            if map.len() > MAX {
                return Err(too_many(MAX));
            }
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_at_the_longest_list_that_is_valid() {
        fn error(json: &str) -> String {
            serde_json::from_str::<List<u8, 3>>(json)
                .map_or_else(|e| e.to_string(), |list| format!("{:?}", list.0))
        }
        assert_eq!(error("[]"), "[]");
        assert_eq!(error("[1, 2, 3]"), "[1, 2, 3]");
        // What follows is not even looked at.
        assert_eq!(error("[1, 2, 3, 4, no JSON"), "more than 3 entries; valid up to 3 at line 1 column 13");
        assert!(error("{}").contains("a list"), "{}", error("{}"));
    }
}
