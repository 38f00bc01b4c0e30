//! Rows side by side: each row that the network gets is several rows of features, one after the other (`input.stack`).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Most rows that are stacked, and most from one stack to the next.
const MAX_ROWS: usize = 64;

/// `rows` neighbouring rows make one, and the next begins `hop` rows further on.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Rows of features in one.
    pub rows: usize,
    /// Rows of features from one to the next.
    pub hop: usize,
    /// What is at the ends of a window.
    #[serde(default)]
    pub edges: Edges,
    /// Whether rows are normalised before they are stacked, rather than after.
    #[serde(default)]
    pub after_normalize: bool,
}

/// What is at the ends of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Edges {
    /// Only whole stacks; rows that are left over are not seen (wav2vec2-BERT).
    #[default]
    Inside,
    /// One for each hop, with row k · hop in its middle (of an even number the first of the two): beyond the ends the
    /// first and the last row stand (FunASR).
    Repeat,
}

impl Stack {
    /// Checks it. `path` (`input.stack`) opens the error messages.
    pub(crate) fn check(&self, path: &str) -> Result<()> {
        for (member, value) in [("rows", self.rows), ("hop", self.hop)] {
            if !(1..=MAX_ROWS).contains(&value) {
                return Err(Error::manifest(
                    &format!("{path}.{member}"),
                    format!("is {value}; valid 1..={MAX_ROWS}"),
                ));
            }
        }
        Ok(())
    }

    /// Stacks that `rows` rows make.
    pub fn count(&self, rows: usize) -> usize {
        match self.edges {
            Edges::Inside => (rows + self.hop).saturating_sub(self.rows) / self.hop,
            Edges::Repeat => rows.div_ceil(self.hop),
        }
    }

    /// Rows of `bins` values -> stacks of `self.rows * bins` values, as many as `out` has room for.
    pub fn apply(&self, rows: &[f32], bins: usize, out: &mut [f32]) {
        let count = rows.len() / bins;
        let before = if self.edges == Edges::Repeat { (self.rows - 1) / 2 } else { 0 };
        for (k, stack) in out.chunks_exact_mut(self.rows * bins).enumerate() {
            for (i, part) in stack.chunks_exact_mut(bins).enumerate() {
                let row = (k * self.hop + i).saturating_sub(before).min(count - 1);
                part.copy_from_slice(&rows[row * bins..][..bins]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_as_the_programs_do() {
        for (json, rows, expected) in [
            (r#"{ "rows": 2, "hop": 2 }"#, 5, vec![[0, 1], [2, 3]]),
            (r#"{ "rows": 2, "hop": 1 }"#, 3, vec![[0, 1], [1, 2]]),
            (r#"{ "rows": 2, "hop": 2 }"#, 1, vec![]),
            (r#"{ "rows": 2, "hop": 3, "edges": "repeat" }"#, 5, vec![[0, 1], [3, 4]]),
            (r#"{ "rows": 2, "hop": 1, "edges": "repeat" }"#, 2, vec![[0, 1], [1, 1]]),
        ] {
            let stack: Stack = serde_json::from_str(json).expect(json);
            let values: Vec<f32> = (0..rows).flat_map(|row| [row as f32, -(row as f32)]).collect();
            assert_eq!(stack.count(rows), expected.len(), "{json}");
            let mut out = vec![f32::NAN; expected.len() * 4];
            stack.apply(&values, 2, &mut out);
            let want = expected.into_iter().flatten().map(|row| [row as f32, -(row as f32)]);
            assert_eq!(out, want.flatten().collect::<Vec<_>>(), "{json}");
        }
    }

    /// FunASR's `apply_lfr` with five rows, one apart: two repeated before, two behind.
    #[test]
    fn the_middle_row_is_its_own() {
        let stack: Stack =
            serde_json::from_str(r#"{ "rows": 5, "hop": 1, "edges": "repeat" }"#).expect("JSON");
        let mut out = [f32::NAN; 15];
        stack.apply(&[0.0, 1.0, 2.0], 1, &mut out);
        assert_eq!(out, [0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 1.0, 2.0, 2.0, 0.0, 1.0, 2.0, 2.0, 2.0]);
    }
}
