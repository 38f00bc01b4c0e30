//! The file of a network that keeps its past: it takes a hop of a stream instead of a window, and its past goes from one run
//! to the next. The proof that what it says is what the network says of windows.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use auricle::manifest::{Other, Size};
use auricle::stages::scores::Activation;
use auricle::stages::tensor::Axis;
use auricle::{ClipOptions, Manifest, Model, ModelOptions};
use burn::tensor::{Device, Tensor, TensorData};

use crate::dataset::Clip;
use crate::difference::{Difference, largest, sample};
use crate::front_end::{FrontEnd, FrontEndSpec};
use crate::network::stream::{STRIDE, StreamNet, pasts};
use crate::parallel;

/// Largest difference of a score.
const TOLERANCE: f32 = 1e-5;
/// Windows' lengths of a clip that are looked at.
const LOOKED_AT: usize = 3;

/// The front end of a hop, from that of a window: the rows that a hop adds, each made of what it adds and of the samples
/// before it that the first row needs.
pub fn front_end(spec: &FrontEndSpec) -> Result<FrontEndSpec> {
    let input = &spec.input;
    ensure!(
        input.features.center == Some(false),
        "a stream network needs `features.center` false: rows that are padded at both ends of a window are others in a stream"
    );
    let length = input.samples_of(1);
    let step = input.samples_of(2) - length;
    let hop = (spec.hop_seconds * f64::from(input.sample_rate)).round() as usize;
    ensure!(
        hop.is_multiple_of(STRIDE * step) && hop > 0,
        "--hop-seconds {} is {hop} samples; a stream network needs a multiple of {} samples ({} rows)",
        spec.hop_seconds,
        STRIDE * step,
        STRIDE
    );
    let mut hop_input = input.clone();
    (hop_input.window_seconds, hop_input.window_rows) = (None, None);
    hop_input.window_samples = Some(input.samples_of(hop / step));
    hop_input.lead_samples = length.saturating_sub(step);
    FrontEndSpec::new(hop_input, spec.hop_seconds)
}

/// The states of a manifest whose network was trained on windows of `spec`.
pub fn states(spec: &FrontEndSpec) -> Result<BTreeMap<String, Other>> {
    let ([bins, window], [_, hop]) = (spec.plan()?.shape(), front_end(spec)?.plan()?.shape());
    let fixed = |size: usize| u32::try_from(size).map(Size::Fixed).context("a size of the past");
    let pasts = pasts([bins, window], hop);
    let other = |(number, sizes): (usize, [usize; 3])| {
        let mut shape = vec![Size::Of(Axis::Batch)];
        shape.extend(sizes.into_iter().map(fixed).collect::<Result<Vec<_>>>()?);
        let state = Some(format!("next_past{number}"));
        Ok((format!("past{number}"), Other { state, shape: Some(shape), ..Other::default() }))
    };
    pasts.into_iter().enumerate().map(other).collect()
}

/// Shows the beginnings of clips to the library as streams, and compares every hop with the network's own stream, and with what
/// the network says of the window that ends there. An error beyond tolerance.
pub fn verify(
    onnx: &[u8],
    network: &StreamNet,
    spec: &FrontEndSpec,
    clips: &[&Clip],
    done: &(dyn Fn() + Sync),
) -> Result<Difference> {
    let options = ModelOptions::default();
    let model = Model::load_memory(onnx, None, &options).context("the library refuses the file")?;
    let activation = model.manifest().output().activation;
    let mut raw: Manifest = model.manifest().clone();
    raw.outputs[0].activation = Activation::None;
    let raw = Model::load_memory(onnx, Some(&raw.to_json()), &options)?;
    let hop_spec = front_end(spec)?;
    let window = spec.plan()?.shape()[1];
    let compare = |front_end: &mut FrontEnd, clip: &&Clip| {
        let looked_at = LOOKED_AT * spec.input.window();
        let samples = &clip.samples[..clip.samples.len().min(looked_at)];
        let mut found: Vec<Vec<f32>> = Vec::new();
        let sound = auricle::Clip { interleaved: samples, channels: 1, sample_rate: spec.sample_rate() };
        raw.windows_of(sound, &ClipOptions::default(), |_, outputs| found.push(outputs.to_vec()))?;
        let (rows, hop) = rows(front_end, hop_spec.input.lead_samples, samples);
        let mut worst = Difference { clips: 1, ..Difference::default() };
        let mut check = |what: &str, logits: &[f32], expected: Vec<f32>| {
            let scale = expected.iter().fold(1.0_f32, |most, v| most.max(v.abs()));
            let scores = |logits: &[f32]| {
                let mut scores = logits.to_vec();
                activation.apply(&mut scores, 1.0);
                scores
            };
            let logit = largest(logits, &expected);
            let score = largest(&scores(logits), &scores(&expected));
            ensure!(
                logit <= TOLERANCE * scale && score <= TOLERANCE,
                "{}: the file's logits differ from the network's {what} by {logit:e}, scores by {score:e}; at most {:e} and \
                 {TOLERANCE:e} are allowed",
                clip.name(),
                TOLERANCE * scale
            );
            (worst.logits, worst.scores) = (worst.logits.max(logit), worst.scores.max(score));
            Ok(())
        };
        let of = |tensor: Tensor<2>| tensor.into_data().try_to_vec::<f32>().context("the network's logits");
        let own = if rows.dims()[3] == 0 { Vec::new() } else { network.stream(rows.clone(), hop) };
        for (number, (logits, own)) in found.iter().zip(own).enumerate() {
            check("stream", logits, of(own)?)?;
            if let Some(start) = ((number + 1) * hop).checked_sub(window) {
                check("windows", logits, of(network.forward(rows.clone().narrow(3, start, window)))?)?;
            }
        }
        Ok(worst)
    };
    let sample = sample(clips);
    let found = parallel::map(parallel::cores(), &sample, || hop_spec.plan(), compare, done)?;
    Ok(found.into_iter().fold(Difference::default(), Difference::worse))
}

/// The rows of all whole hops of a stream, `[1, 1, bins, rows]`, and how many a hop has.
fn rows(front_end: &mut FrontEnd, lead: usize, samples: &[f32]) -> (Tensor<4>, usize) {
    let [bins, hop] = front_end.shape();
    let mut stream = vec![0.0; lead];
    stream.extend_from_slice(samples);
    let whole = |window: &Vec<f32>| window.len() == front_end.window();
    let windows: Vec<Vec<f32>> = front_end.windows(&stream).into_iter().filter(whole).collect();
    let tensors = windows.iter().map(|window| {
        let mut values = Vec::new();
        front_end.append(window, &mut values);
        Tensor::<4>::from_data(TensorData::new(values, [1, 1, bins, hop]), &Device::flex())
    });
    let tensors: Vec<Tensor<4>> = tensors.collect();
    match tensors.is_empty() {
        true => (Tensor::zeros([1, 1, bins, 0], &Device::flex()), hop),
        false => (Tensor::cat(tensors, 3), hop),
    }
}
