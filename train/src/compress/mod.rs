//! A smaller, faster file from a model's file: fewer weights, integers in place of floats.

pub mod activations;
pub mod equalise;
pub mod measure;
pub mod prune;
pub mod quantise;
pub mod ranges;
pub mod store;

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use clap::{Args, ValueEnum};

use self::activations::{Activation, Activations, Input, Inputs};
use self::prune::{Moments, Pruned};
use self::quantise::{Quantised, WeightBits};
use crate::dataset::Clip;
use crate::golden;
use crate::onnx::edit::Editor;

/// What is done to a model.
#[derive(Args, Clone, Debug, Default)]
pub struct How {
    /// Compute in 8-bit integers; without a value, what suits the network: `static` if it has convolutions.
    #[arg(long, num_args = 0..=1, default_missing_value = "auto")]
    pub int8: Option<Int8>,
    /// Share of the channels between convolutions that is taken out first, and of the weights of LSTMs and matrices that
    /// becomes 0; 0 to below 1. See also `finetune --prune`.
    #[arg(long, default_value_t = 0.0)]
    pub prune: f64,
    /// Bits of a weight in 8-bit integers; without it, what suits the CPU that this runs on: 7 on x86 without VNNI.
    /// Give 7 for a model that has to run on any x86.
    #[arg(long)]
    pub weight_bits: Option<WeightBits>,
}

/// Where the scales of activations come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Int8 {
    /// `static` for a network with convolutions, else `dynamic`.
    Auto,
    /// From every run: for `Gemm`, `MatMul` and `LSTM`, so for recurrent networks and transformers.
    Dynamic,
    /// From training clips: for convolutions; the others as with `dynamic`.
    Static,
    /// Weights alone, for a small file: it computes in floats, as fast as before and the same on every CPU.
    Weights,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// By `prune`.
    pub pruned: Pruned,
    /// By `int8`.
    pub quantised: Quantised,
}

/// The compressed file, with a manifest and golden cases of its own. `clips`, which should be ones that the model was
/// trained on, show what values its tensors take; they are at the model's rate.
pub fn compress(onnx: &[u8], manifest: &Manifest, how: &How, clips: &[&Clip]) -> Result<(Vec<u8>, Done)> {
    ensure!((0.0..1.0).contains(&how.prune), "--prune is {}; valid 0 to below 1", how.prune);
    ensure!(how.int8.is_some() || how.prune > 0.0, "nothing to do: give --int8, --prune or both");
    let mut editor = Editor::read(onnx)?;
    store::restore(&mut editor);
    let mut done = Done::default();
    if how.prune > 0.0 {
        let moments = moments(onnx, manifest, prune::wanted(&editor), clips)?;
        done.pruned = prune::prune(&mut editor, &moments, how.prune);
        ensure!(
            done.pruned.channels + done.pruned.weights > 0,
            "--prune {} takes nothing out: channels go {} at a time, and {} are where some can go",
            how.prune,
            prune::BLOCK,
            done.pruned.of_channels
        );
    }
    let bits = how.weight_bits.unwrap_or_else(WeightBits::of_this_cpu);
    let convolves = || editor.nodes().iter().any(|node| quantise::is_convolution(&editor, node));
    let is_static = match how.int8 {
        Some(Int8::Auto) => convolves(),
        how => how == Some(Int8::Static),
    };
    if is_static {
        let tensors = quantise::wanted(&editor);
        let ranges = match tensors.as_slice() {
            [] => HashMap::new(),
            tensors => ranges::fit(&mut editor, tensors, &windows(manifest, clips)?, bits)?,
        };
        done.quantised = quantise::convolutions(&mut editor, &ranges, bits)?;
    }
    if how.int8 == Some(Int8::Weights) {
        done.quantised.stored = store::weights(&mut editor);
        ensure!(done.quantised.stored > 0, "no node of the network has constant weights to store");
    } else if how.int8.is_some() {
        let products = quantise::products(&mut editor, bits)?;
        done.quantised = Quantised { convolutions: done.quantised.convolutions, ..products };
        ensure!(
            done.quantised != Quantised::default(),
            "no node of the network can compute in integers{}",
            if how.int8 == Some(Int8::Dynamic) { "; --int8 static does convolutions too" } else { "" }
        );
    }
    let manifest = Manifest { golden: Vec::new(), ..manifest.clone() };
    let file = golden::finish(&editor.write(), &manifest, None).context("the compressed model")?;
    Ok((file, done))
}

fn windows(manifest: &Manifest, clips: &[&Clip]) -> Result<Vec<Input>> {
    ensure!(!clips.is_empty(), "no clips to see what values the network's tensors take");
    let mut inputs = Inputs::new(manifest)?;
    Ok(clips.iter().flat_map(|clip| inputs.of(&clip.samples)).collect())
}

fn moments(
    onnx: &[u8],
    manifest: &Manifest,
    tensors: Vec<String>,
    clips: &[&Clip],
) -> Result<HashMap<String, Moments>> {
    let mut sums = vec![(Moments::default(), 0_usize); tensors.len()];
    if tensors.is_empty() {
        return Ok(HashMap::new());
    }
    let mut activations = Activations::new(onnx, tensors.clone())?;
    for window in windows(manifest, clips)? {
        activations.run(&window, |Activation { index, shape, values }| {
            let (moments, count) = &mut sums[index];
            let channels = shape.get(1).map_or(1, |&size| size as usize);
            moments.mean.resize(channels, 0.0);
            moments.power.resize(channels, 0.0);
            let size = values.len() / channels;
            for (channel, values) in values.chunks_exact(size).enumerate() {
                moments.mean[channel] += values.iter().map(|&v| f64::from(v)).sum::<f64>();
                moments.power[channel] += values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
            }
            *count += size;
        })?;
    }
    let mean = |(mut moments, count): (Moments, usize)| {
        moments.mean.iter_mut().chain(&mut moments.power).for_each(|sum| *sum /= count.max(1) as f64);
        moments
    };
    Ok(tensors.into_iter().zip(sums.into_iter().map(mean)).collect())
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pruned { channels, of_channels, weights } = self.pruned;
        let Quantised { convolutions, products, lstms, stored } = self.quantised;
        let parts = [
            (of_channels, format!("{channels} of {of_channels} channels removed")),
            (weights, format!("{weights} weights set to 0")),
            (convolutions, format!("{convolutions} convolutions in integers")),
            (products, format!("{products} matrix products in integers")),
            (lstms, format!("{lstms} LSTMs in integers")),
            (stored, format!("weights of {stored} nodes stored as integers")),
        ];
        let said: Vec<String> =
            parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
        f.write_str(&said.join(", "))
    }
}
