//! What is heard when in recordings: a CSV with the columns `file`, `onset`, `offset` (s) and `class`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::events::Sound;

/// Annotated recordings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations {
    /// Paths as the CSV has them.
    pub files: Vec<String>,
    /// In the order of the CSV.
    pub sounds: Vec<Sound>,
}

#[derive(Deserialize)]
struct Row {
    file: String,
    onset: Option<f64>,
    offset: Option<f64>,
    class: Option<String>,
}

impl Annotations {
    /// Reads a CSV; `labels` are the classes that the sounds are numbers of. A row with a file alone is a recording in which
    /// nothing is heard.
    pub fn read(path: &Path, labels: &[String]) -> Result<Self> {
        let place = || path.display().to_string();
        let bytes = fs::read(path).with_context(place)?;
        Self::parse(&bytes, labels).with_context(place)
    }

    fn parse(bytes: &[u8], labels: &[String]) -> Result<Self> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let columns = reader.headers()?.clone();
        let has = |name: &str| columns.iter().any(|column| column == name);
        ensure!(
            ["file", "onset", "offset", "class"].into_iter().all(has),
            "needs the columns `file`, `onset`, `offset` and `class`, separated by commas; its first line has: {}",
            columns.iter().collect::<Vec<_>>().join(", ")
        );
        let (mut found, mut numbers) = (Self::default(), BTreeMap::new());
        for record in reader.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let row: Row = record.deserialize(Some(&columns)).with_context(|| format!("line {line}"))?;
            ensure!(!row.file.is_empty(), "line {line}: the name of the file is empty");
            let file = *numbers.entry(row.file.clone()).or_insert_with(|| {
                found.files.push(row.file.clone());
                found.files.len() - 1
            });
            let (onset, offset, class) =
                match (row.onset, row.offset, row.class.filter(|class| !class.is_empty())) {
                    (Some(onset), Some(offset), Some(class)) => (onset, offset, class),
                    (None, None, None) => continue,
                    _ => anyhow::bail!(
                        "line {line}: onset, offset and class belong together; one of them is missing"
                    ),
                };
            ensure!(
                onset >= 0.0 && onset < offset && offset.is_finite(),
                "line {line}: from {onset} s to {offset} s; the onset is 0 or later, and before the offset"
            );
            let class = labels.iter().position(|label| *label == class).with_context(|| {
                format!("line {line}: the model does not know the class {class:?}; it knows {labels:?}")
            })?;
            found.sounds.push(Sound { file, class, onset, offset });
        }
        ensure!(!found.files.is_empty(), "no rows below its header");
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_or_refused_with_their_line() {
        let labels = ["dog", "rain"].map(str::to_owned);
        let read =
            |rows: &str| Annotations::parse(format!("file,onset,offset,class\n{rows}").as_bytes(), &labels);
        let found = read("a.wav,0.5,1,rain\nquiet.wav,,,\na.wav,2,3.5,dog\n").expect("valid");
        assert_eq!(found.files, ["a.wav", "quiet.wav"]);
        assert_eq!(found.sounds[1], Sound { file: 0, class: 0, onset: 2.0, offset: 3.5 });
        for (rows, expected) in [
            ("", "no rows"),
            ("a.wav,1,1,dog\n", "line 2: from 1 s to 1 s"),
            ("a.wav,-1,1,dog\n", "line 2: from -1 s"),
            (
                "a.wav,0,1,cat\n",
                "line 2: the model does not know the class \"cat\"; it knows [\"dog\", \"rain\"]",
            ),
            ("a.wav,0,,dog\n", "belong together"),
            ("a.wav,0,NaN,dog\n", "line 2"),
            ("a.wav,zero,1,dog\n", "line 2"),
        ] {
            let error = format!("{:#}", read(rows).expect_err(rows));
            assert!(error.contains(expected), "{rows:?}: {error}");
        }
        assert!(
            Annotations::parse(b"file,class\n", &labels)
                .expect_err("columns")
                .to_string()
                .contains("`onset`")
        );
    }
}
