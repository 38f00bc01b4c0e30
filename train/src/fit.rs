//! The training loop.

use std::f64::consts::PI;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::crops::{Augment, Batch, Crops};
use crate::dataset::Clip;
use crate::front_end::FrontEnd;
use crate::network::AudioCnn;

/// Everything that decides the outcome of a training run, next to the data.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Optimiser steps.
    #[arg(long, default_value_t = 500)]
    pub steps: usize,
    /// Examples in one step.
    #[arg(long, default_value_t = 16)]
    pub batch: usize,
    /// Highest learning rate; reached by a linear warm-up over the first tenth, then down to 0 along a cosine.
    #[arg(long, default_value_t = 2e-3)]
    pub learning_rate: f64,
    /// AdamW's decoupled weight decay.
    #[arg(long, default_value_t = 0.01)]
    pub weight_decay: f32,
    /// Seed of weights, order, crops and augmentation.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How examples are changed.
    #[command(flatten)]
    pub augment: Augment,
}

/// Burn's generator of initial weights is one for the whole process: networks are made one at a time.
static INITIALISING: Mutex<()> = Mutex::new(());

/// Trains a new network on `clips`; `progress` is told the step (from 1) and its loss. The result is out of training.
/// The same arguments give the same weights, bit for bit, where one thread computes them.
pub fn fit(
    clips: &[&Clip],
    classes: usize,
    front_end: &mut FrontEnd,
    recipe: &Recipe,
    mut progress: impl FnMut(usize, f32),
) -> Result<AudioCnn> {
    ensure!(!clips.is_empty(), "no clips to train on");
    ensure!(recipe.steps > 0 && recipe.batch > 1, "steps must be at least 1 and batch at least 2");
    let device = Device::flex().autodiff();
    let [bins, rows] = front_end.shape();
    let mut network = {
        let _one_at_a_time = INITIALISING.lock().unwrap_or_else(PoisonError::into_inner);
        device.seed(recipe.seed);
        AudioCnn::new(bins, classes, &device)
    };
    // PyTorch's epsilon; burn's default is 1e-5.
    let mut optimiser = AdamWConfig::new().with_weight_decay(recipe.weight_decay).with_epsilon(1e-8).init();
    let mut crops = Crops::new(clips, classes, &recipe.augment, recipe.seed);
    for step in 0..recipe.steps {
        let Batch { input, target, examples } = crops.batch(recipe.batch, front_end);
        let input = Tensor::<4>::from_data(TensorData::new(input, [examples, 1, bins, rows]), &device);
        let target = Tensor::<2>::from_data(TensorData::new(target, [examples, classes]), &device);
        let loss = -(log_softmax(network.forward(input), 1) * target).sum() / examples as f32;
        let value = loss.clone().into_scalar::<f32>();
        ensure!(value.is_finite(), "the loss became {value} at step {}; lower the learning rate", step + 1);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimiser.step(learning_rate(recipe, step), network, gradients);
        progress(step + 1, value);
    }
    Ok(network.valid())
}

fn learning_rate(recipe: &Recipe, step: usize) -> f64 {
    let warm_up = (recipe.steps / 10).max(1);
    if step < warm_up {
        return recipe.learning_rate * (step + 1) as f64 / warm_up as f64;
    }
    let progress = (step - warm_up) as f64 / (recipe.steps - warm_up).max(1) as f64;
    recipe.learning_rate * 0.5 * (1.0 + (PI * progress).cos())
}
