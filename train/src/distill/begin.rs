//! A run that begins where somebody else's file ends.

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use auricle::manifest::METADATA_KEY;

use super::import;
use crate::checkpoint::Checkpoint;
use crate::fit::ended;
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
    ended(plan, Network::Mobilenet(network), Sources::default(), 0)
}
