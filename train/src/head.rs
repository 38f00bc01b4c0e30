//! A small head on a network that stays as it is: embeddings of windows -> classes. A few clips a class are enough,
//! because only one matrix is learned.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, ensure};
use auricle::manifest::{Kind, Output};
use auricle::stages::scores::Activation;
use auricle::{ClipOptions, Manifest, Model, ModelOptions};
use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use crate::compress::activations::float_tensors;
use crate::dataset::Clip;
use crate::golden;
use crate::onnx::edit::Editor;
use crate::parallel;

/// Steps over all windows at once, and how: found on five clips a class of ESC-10 and FSDD, and good for hundreds too.
const STEPS: usize = 200;
const LEARNING_RATE: f64 = 1e-2;
const WEIGHT_DECAY: f32 = 1.0;
/// Values of a window that an embedding can have.
const SIZES: std::ops::RangeInclusive<i64> = 8..=8192;

/// A clip by what the network makes of its windows.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// Its classes.
    pub classes: Vec<usize>,
    /// `[window][value]`.
    pub windows: Vec<Vec<f32>>,
}

/// `embedding · weight + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `[inputs, classes]`
    pub weight: Vec<f32>,
    /// `[classes]`
    pub bias: Vec<f32>,
}

/// A tensor that can be an embedding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub tensor: String,
    /// Its sizes; -1 is unknown.
    pub sizes: Vec<i64>,
    /// Whether it has rows, of which a [`Pool`](crate::onnx::pool::Pool) makes one.
    pub rows: bool,
}

/// The tensors that can be an embedding, from the first node to the last: one row of values a window, or many on the last
/// axis but one.
pub fn candidates(onnx: &[u8]) -> Result<Vec<Candidate>> {
    let candidate = |(tensor, sizes): (String, Vec<i64>)| {
        let [first, rest @ ..] = sizes.as_slice() else { return None };
        let values: i64 = rest.iter().product();
        let one_row = rest.iter().filter(|&&size| size != 1).count() == 1 && SIZES.contains(&values);
        let rows = match rest {
            [ones @ .., rows, size] => {
                *rows != 1 && SIZES.contains(size) && ones.iter().all(|&size| size == 1)
            }
            _ => false,
        };
        (*first <= 1 && (one_row || rows)).then_some(Candidate { rows: !one_row, tensor, sizes })
    };
    Ok(float_tensors(onnx)?.into_iter().filter_map(candidate).collect())
}

/// The manifest of a network whose only output is the embedding `tensor`: without what is for scores.
pub fn as_embedding(manifest: &Manifest, tensor: &str) -> Manifest {
    let mut manifest = manifest.clone();
    manifest.outputs = vec![Output { tensor: tensor.into(), kind: Kind::Embedding, ..Output::default() }];
    (manifest.stream.smoothing_seconds, manifest.stream.events) = (0.0, None);
    manifest.golden.clear();
    manifest
}

/// The part of a network that makes the embedding `tensor`, as a file with a manifest of its own.
pub fn cut(onnx: &[u8], manifest: &Manifest, tensor: &str) -> Result<Vec<u8>> {
    let mut editor = Editor::read(onnx)?;
    ensure!(editor.tensors().any(|name| name == tensor), "the network makes no tensor {tensor:?}");
    editor.end_with(tensor);
    editor.drop_unneeded();
    golden::finish(&editor.write(), &as_embedding(manifest, tensor), None)
}

/// What `tensor` holds for every window of every clip, as the library runs the network; `done` is called after each clip.
pub fn embed(
    onnx: &[u8],
    manifest: &Manifest,
    tensor: &str,
    clips: &[&Clip],
    done: &(dyn Fn() + Sync),
) -> Result<Vec<Embedded>> {
    let mut editor = Editor::read(onnx)?;
    ensure!(editor.tensors().any(|name| name == tensor), "the network makes no tensor {tensor:?}");
    editor.add_output(tensor);
    let manifest = as_embedding(manifest, tensor);
    let options = ModelOptions::default();
    let model =
        Model::load_memory(&editor.write(), Some(&manifest.to_json()), &options).map_err(|error| {
            let rows = error.message().contains("say what becomes of its rows");
            anyhow!(
                "{tensor:?} as an embedding: {error}{}",
                if rows { "; here with --rows mean, max or last" } else { "" }
            )
        })?;
    let embed = |values: &mut Vec<f32>, clip: &&Clip| {
        let mut windows = Vec::new();
        let mut stream = model.clip_stream(model.sample_rate(), 1, &ClipOptions::default())?;
        stream.push(&clip.samples)?;
        stream.finish();
        while stream.read(values).with_context(|| clip.name())?.is_some() {
            windows.push(values.clone());
        }
        ensure!(!windows.is_empty(), "{}: no window fits into it", clip.name());
        Ok(Embedded { classes: clip.classes().collect(), windows })
    };
    parallel::map(parallel::cores(), clips, || Ok(vec![0.0; model.class_count()]), embed, done)
}

/// Up to `shots` clips of every class, in the order of `clips`: from as many sources as there are, one of each before a
/// second of any.
pub fn few<'a>(clips: &[&'a Clip], shots: usize) -> Vec<&'a Clip> {
    let mut turns: Vec<(usize, usize)> = Vec::with_capacity(clips.len());
    let mut of_source: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for (index, clip) in clips.iter().enumerate() {
        let before = of_source.entry((clip.class, &clip.source)).or_default();
        turns.push((*before, index));
        *before += 1;
    }
    turns.sort_unstable();
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    turns.retain(|(_, index)| {
        let taken = taken.entry(clips[*index].class).or_default();
        *taken += 1;
        *taken <= shots
    });
    let mut chosen: Vec<usize> = turns.into_iter().map(|(_, index)| index).collect();
    chosen.sort_unstable();
    chosen.into_iter().map(|index| clips[index]).collect()
}

impl Head {
    /// Softmax regression on standardised embeddings; every clip counts alike, however many windows it has.
    pub fn fit(examples: &[Embedded], classes: usize, seed: u64) -> Result<Self> {
        let windows = || examples.iter().flat_map(|e| e.windows.iter().map(move |w| (e, w)));
        let (count, inputs) = (windows().count(), windows().next().map_or(0, |(_, window)| window.len()));
        ensure!(count > 0, "no clips to train on");
        let (mean, scale) = standard(windows().map(|(_, window)| window), inputs);
        let mut values = Vec::with_capacity(count * inputs);
        let mut target = vec![0.0; count * classes];
        for ((example, window), target) in windows().zip(target.chunks_exact_mut(classes)) {
            values.extend((0..inputs).map(|i| (window[i] - mean[i]) * scale[i]));
            let share = 1.0 / (example.classes.len() * example.windows.len() * examples.len()) as f32;
            example.classes.iter().for_each(|&class| target[class] += share);
        }
        let device = Device::flex().autodiff();
        device.seed(seed);
        let x = Tensor::<2>::from_data(TensorData::new(values, [count, inputs]), &device);
        let target = Tensor::<2>::from_data(TensorData::new(target, [count, classes]), &device);
        let mut linear: Linear = LinearConfig::new(inputs, classes).init(&device);
        linear.weight = Param::from_tensor(Tensor::zeros([inputs, classes], &device));
        linear.bias = Some(Param::from_tensor(Tensor::zeros([classes], &device)));
        let mut optimiser = AdamWConfig::new().with_weight_decay(WEIGHT_DECAY).with_epsilon(1e-8).init();
        for step in 0..STEPS {
            let loss = -(log_softmax(linear.forward(x.clone()), 1) * target.clone()).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &linear);
            let rate = LEARNING_RATE * (1.0 - step as f64 / STEPS as f64);
            linear = optimiser.step(rate, linear, gradients);
        }
        let linear = linear.valid();
        let values = |data: TensorData| data.try_to_vec::<f32>().context("burn computes in f32");
        let mut weight = values(linear.weight.val().into_data())?;
        let mut bias = linear.bias.map_or_else(|| Ok(vec![0.0; classes]), |b| values(b.val().into_data()))?;
        // The standardisation goes into the weights: the file has one product.
        for (i, row) in weight.chunks_exact_mut(classes).enumerate() {
            for (weight, bias) in row.iter_mut().zip(&mut bias) {
                *weight *= scale[i];
                *bias -= *weight * mean[i];
            }
        }
        Ok(Self { weight, bias })
    }

    /// The outputs for one window, before the softmax.
    pub fn outputs(&self, embedding: &[f32]) -> Vec<f32> {
        let classes = self.bias.len();
        let sum = |class: usize| {
            let products = embedding
                .iter()
                .enumerate()
                .map(|(i, x)| f64::from(*x) * f64::from(self.weight[i * classes + class]));
            (products.sum::<f64>() + f64::from(self.bias[class])) as f32
        };
        (0..classes).map(sum).collect()
    }

    /// Network and head in one file's bytes, and its manifest: the network's, with other labels. What of the network
    /// the embedding does not need is left out.
    pub fn join(
        &self,
        onnx: &[u8],
        manifest: &Manifest,
        embedding: &str,
        labels: &[String],
    ) -> Result<(Vec<u8>, Manifest)> {
        let mut editor = Editor::read(onnx)?;
        let states: Vec<&str> =
            manifest.input.others.values().filter_map(|other| other.state.as_deref()).collect();
        let output = editor.end_with_linear(embedding, &self.weight, &self.bias, &states)?;
        let mut manifest = manifest.clone();
        manifest.outputs = vec![Output {
            tensor: output,
            labels: labels.to_vec(),
            activation: Activation::Softmax,
            ..Output::default()
        }];
        manifest.golden.clear();
        let manifest = Manifest::parse(&manifest.to_json())?;
        Ok((editor.write(), manifest))
    }
}

/// Mean, and one over the standard deviation, of every value.
fn standard<'a>(windows: impl Iterator<Item = &'a Vec<f32>> + Clone, inputs: usize) -> (Vec<f32>, Vec<f32>) {
    let count = windows.clone().count() as f64;
    let mut sums = vec![(0.0_f64, 0.0_f64); inputs];
    for window in windows {
        for ((sum, squares), &value) in sums.iter_mut().zip(window) {
            *sum += f64::from(value);
            *squares += f64::from(value).powi(2);
        }
    }
    let of = |(sum, squares): (f64, f64)| {
        let mean = sum / count;
        let spread = (squares / count - mean * mean).max(0.0).sqrt();
        // A value that never changes says nothing.
        (mean as f32, if spread > 1e-6 { (1.0 / spread) as f32 } else { 0.0 })
    };
    sums.into_iter().map(of).unzip()
}
