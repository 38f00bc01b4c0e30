//! A training run on disk: what it is, how far it has come, and every number it needs to go on.
//!
//! ```text
//! "auricle training\n"  u64 length of the header  header (JSON)  network  optimiser  average  best
//! ```
//! The header is [`Progress`], with the lengths of the four parts; numbers are little-endian. The first two parts are
//! burn's records, the last two plain f32 in the order of [`crate::weights::flatten`].

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};

use crate::crops::Place;
use crate::plan::{Plan, Point};
use crate::sources::Sources;

const MAGIC: &[u8] = b"auricle training\n";

/// How far a run has come: everything but its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Everything that decides the outcome, next to the clips.
    pub plan: Plan,
    /// Number of clips; another number cannot be the same data.
    pub clips: usize,
    /// Where they are from, and the clips that were held out.
    pub sources: Sources,
    /// Steps made.
    pub step: usize,
    /// How far the stream of examples has come.
    pub place: Place,
    /// Step and loss of the best evaluation so far.
    pub best: Option<(usize, f64)>,
    /// The curve so far.
    pub history: Vec<Point>,
    lengths: [usize; 4],
}

/// A resumable run.
pub struct Checkpoint {
    /// What it is, and how far.
    pub progress: Progress,
    /// The network's record.
    pub network: Vec<u8>,
    /// The optimiser's record.
    pub optimiser: Vec<u8>,
    /// Moving average of the weights; empty if there is none.
    pub average: Vec<f32>,
    /// Weights of the best evaluation; empty if there was none.
    pub best: Vec<f32>,
}

impl Progress {
    /// Of a run that begins.
    pub fn new(plan: Plan, clips: usize, sources: Sources) -> Self {
        let (step, place) = (0, Place::default());
        Self { plan, clips, sources, step, place, best: None, history: Vec::new(), lengths: [0; 4] }
    }

    /// Whether there is nothing left to train: all steps are made, or they stopped helping.
    pub fn is_over(&self) -> bool {
        let recipe = &self.plan.recipe;
        let in_vain = |(step, _): (usize, f64)| self.step >= step + recipe.patience * recipe.evaluate_every;
        self.step >= recipe.steps || (recipe.patience > 0 && self.best.is_some_and(in_vain))
    }
}

impl Checkpoint {
    /// Writes beside the file, then renames: whoever stops the program finds the old one or the new one.
    pub fn save(mut self, path: &Path) -> Result<()> {
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let parts = [self.network, self.optimiser, bytes(&self.average), bytes(&self.best)];
        self.progress.lengths = [0, 1, 2, 3].map(|k| parts[k].len());
        let header = serde_json::to_vec(&self.progress)?;
        let mut out = MAGIC.to_vec();
        out.extend((header.len() as u64).to_le_bytes());
        out.extend(header);
        parts.iter().for_each(|part| out.extend(part));
        let beside = path.with_extension("part");
        fs::write(&beside, out)
            .and_then(|()| fs::rename(&beside, path))
            .with_context(|| format!("{}", path.display()))
    }

    /// Reads what [`Checkpoint::save`] wrote.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("{}", path.display()))?;
        Self::parse(&bytes).with_context(|| format!("{}: no checkpoint", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| anyhow!("it does not begin as one"))?;
        let (length, rest) = rest.split_at_checked(8).ok_or_else(|| anyhow!("it ends in its header"))?;
        let length = u64::from_le_bytes(length.try_into()?) as usize;
        ensure!(length <= rest.len(), "its header of {length} bytes is not all there");
        let (header, mut rest) = rest.split_at(length);
        let progress: Progress = serde_json::from_slice(header)?;
        let mut parts = Vec::new();
        for length in progress.lengths {
            let (part, after) =
                rest.split_at_checked(length).ok_or_else(|| anyhow!("it ends before its last part"))?;
            parts.push(part.to_vec());
            rest = after;
        }
        ensure!(rest.is_empty(), "{} bytes follow its last part", rest.len());
        let floats = |bytes: &[u8]| {
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        let (average, best) = (floats(&parts[2]), floats(&parts[3]));
        let optimiser = parts.swap_remove(1);
        Ok(Self { progress, network: parts.swap_remove(0), optimiser, average, best })
    }

    /// A part as burn's readers want it.
    pub fn record(part: &[u8]) -> Bytes {
        Bytes::from_bytes_vec(part.to_vec())
    }
}
