//! A run that begins where somebody else's file ends.

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use auricle::manifest::METADATA_KEY;
use burn::module::Module;

use super::import;
use crate::checkpoint::{Checkpoint, Progress};
use crate::fit::optimiser;
use crate::front_end::FrontEndSpec;
use crate::network::{Architecture, Network, mobilenet};
use crate::onnx::stamp::metadata;
use crate::plan::{Plan, Recipe};
use crate::sources::Sources;

/// The checkpoint of a run that has ended with the mobilenet in the file, which must have our channels. It knows no class.
pub fn begin(onnx: &[u8], recipe: &Recipe) -> Result<Checkpoint> {
    let manifest = metadata(onnx, METADATA_KEY)?.context("there is no manifest in it: see `stamp`")?;
    let manifest = Manifest::parse(&manifest)?;
    let network = import(onnx, &manifest).context("not a mobilenet")?;
    let channels = network.channels();
    ensure!(
        channels == mobilenet::CHANNELS,
        "its channels are {channels:?}; a run can go on with {:?} alone: see `distill`",
        mobilenet::CHANNELS
    );
    let hop = manifest.stream.hop_seconds.unwrap_or(manifest.input.window_duration());
    let plan = Plan {
        architecture: Architecture::Mobilenet,
        classes: vec![String::new()],
        front_end: FrontEndSpec::new(manifest.input, hop)?,
        recipe: recipe.clone(),
    };
    finished(plan, Network::Mobilenet(network), Sources::default(), 0)
}

/// The checkpoint of a run that has ended with `network`, after `clips` clips.
pub fn finished(plan: Plan, network: Network, sources: Sources, clips: usize) -> Result<Checkpoint> {
    let optimiser = optimiser(&plan.recipe).into_bytes().context("the optimiser's record")?.to_vec();
    let mut progress = Progress::new(plan, clips, sources);
    progress.step = progress.plan.recipe.steps;
    let network = network.into_record().into_bytes().context("the network's record")?.to_vec();
    Ok(Checkpoint { progress, network, optimiser, average: Vec::new(), best: Vec::new() })
}
