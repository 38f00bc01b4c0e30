//! What a network has heard and what was kept from it, by the sources of the recordings: their groups, or else their files.
//! Names become the first 8 bytes of their SHA-256, because groups may be patients and model files are given away.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::dataset::Clip;
use crate::onnx::stamp::{metadata, with};

/// Key of the sources that were held out, in the metadata of an ONNX file: their ids, one a line.
pub const KEY: &str = "auricle.held_out";
/// Sources that a message names.
const SHOWN: usize = 3;

/// Ids of sources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    /// What was trained on.
    pub trained: BTreeSet<String>,
    /// What was kept from it.
    pub held_out: BTreeSet<String>,
}

impl Sources {
    /// Of a run.
    pub fn new(trained: &[&Clip], held_out: &[&Clip]) -> Self {
        let ids = |clips: &[&Clip]| clips.iter().map(|clip| id(&clip.source)).collect();
        Self { trained: ids(trained), held_out: ids(held_out) }
    }

    /// An error if any of `clips`, which a test is to be made with, was trained on.
    pub fn check(&self, clips: &[&Clip]) -> Result<()> {
        let heard = names(clips, |id| self.trained.contains(id));
        ensure!(
            heard.is_empty(),
            "{} of the {} clips that are to be held out come from sources that the checkpoint was trained on, like {}: the \
             test would flatter. Folds are dealt by labels; give the labels a `fold` column, with the clips that were held \
             out before in the fold that is held out now",
            heard.len(),
            clips.len(),
            heard[..heard.len().min(SHOWN)].join(", ")
        );
        Ok(())
    }

    /// A line of warning if the model in `onnx` says what was held out from it, and `clips` are not all of that.
    pub fn doubt(onnx: &[u8], clips: &[&Clip]) -> Result<Option<String>> {
        let Some(ids) = metadata(onnx, KEY)? else { return Ok(None) };
        let held_out: BTreeSet<&str> = ids.lines().collect();
        let other = names(clips, |id| !held_out.contains(id));
        Ok((!other.is_empty()).then(|| {
            format!(
                "{} of the {} clips come from sources that were not held out when this model was trained, like {}: if it was \
                 trained on them, the figures flatter",
                other.len(),
                clips.len(),
                other[..other.len().min(SHOWN)].join(", ")
            )
        }))
    }

    /// The file, with what was held out from it.
    pub fn stamp(&self, onnx: Vec<u8>) -> Result<Vec<u8>> {
        let ids: Vec<&str> = self.held_out.iter().map(String::as_str).collect();
        if ids.is_empty() { Ok(onnx) } else { with(&onnx, KEY, &ids.join("\n")) }
    }
}

/// Names of the clips' sources whose id is one of these, one for each clip.
fn names<'a>(clips: &[&'a Clip], is: impl Fn(&str) -> bool) -> Vec<&'a str> {
    clips.iter().filter(|clip| is(&id(&clip.source))).map(|clip| clip.source.as_str()).collect()
}

fn id(source: &str) -> String {
    format!("{:x}", Sha256::digest(source))[..16].to_owned()
}
