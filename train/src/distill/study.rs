//! The student's training.

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::nn::Linear;
use burn::optim::GradientsParams;
use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};

use super::lessons::Lessons;
use crate::fit::{learning_rate, optimiser};
use crate::network::Network;
use crate::plan::{Point, Recipe};
use crate::weights;

/// How much the scores count beside the embedding, whose loss is the mean of squares; theirs is the sum over labels.
const SCORES: f32 = 0.1;

/// Trains `network`, whose last layer gives as many values as an embedding has and one a label, until it says what the
/// teacher said. The result has the labels alone, is out of training and on the CPU. Lessons come in a new order in every
/// round through them.
pub fn study(
    network: Network,
    lessons: &Lessons,
    recipe: &Recipe,
    device: &Device,
    mut report: impl FnMut(&Point),
) -> Result<Network> {
    ensure!(recipe.steps > 0 && recipe.batch > 1, "steps must be at least 1 and batch at least 2");
    let training = device.clone().autodiff();
    let mut network = network.to_device(device).train();
    let mut optimiser = optimiser(recipe);
    let mut average = if recipe.average > 0.0 { weights::flatten(&network.valid()) } else { Vec::new() };
    let mut rng = StdRng::seed_from_u64(recipe.seed);
    let mut order: Vec<usize> = Vec::new();
    for step in 0..recipe.steps {
        while order.len() < recipe.batch {
            let mut round: Vec<usize> = (0..lessons.count).collect();
            round.shuffle(&mut rng);
            order.extend(round);
        }
        let chosen: Vec<usize> = order.drain(order.len() - recipe.batch..).collect();
        let loss = loss(&network, lessons, &chosen, &training);
        let value = loss.clone().into_scalar::<f32>();
        ensure!(value.is_finite(), "the loss became {value} at step {}; lower the learning rate", step + 1);
        let mut gradients = GradientsParams::from_grads(loss.backward(), &network);
        if recipe.clip_norm > 0.0 {
            weights::clip_global_norm(&network, &mut gradients, recipe.clip_norm);
        }
        network = optimiser.step(learning_rate(recipe, step), network, gradients);
        if !average.is_empty() {
            weights::follow(&mut average, &network.valid(), recipe.decay(step + 1));
        }
        report(&Point { step: step + 1, loss: value, held_out: None });
    }
    let mut network = network.valid().to_device(&Device::flex());
    if !average.is_empty() {
        network = weights::replace(network, &average);
    }
    let [values, labels] = lessons.sizes();
    keep_labels(network.head_mut(), values, labels);
    Ok(network)
}

/// Mean of squares of the embedding, and what the scores cost.
fn loss(network: &Network, lessons: &Lessons, chosen: &[usize], device: &Device) -> Tensor<1> {
    let [bins, rows] = lessons.shape;
    let [values, labels] = lessons.sizes();
    let batch = chosen.len();
    let gather = |from: &[f32], size: usize| {
        let mut all = Vec::with_capacity(batch * size);
        chosen.iter().for_each(|&n| all.extend_from_slice(&from[n * size..(n + 1) * size]));
        all
    };
    let x = TensorData::new(gather(&lessons.inputs, bins * rows), [batch, 1, bins, rows]);
    let matrix = |from: &[f32], size: usize| {
        Tensor::<2>::from_data(TensorData::new(gather(from, size), [batch, size]), device)
    };
    let said = network.forward(Tensor::<4>::from_data(x, device));
    let embedding = said.clone().slice([0..batch, 0..values]);
    let logits = said.slice([0..batch, values..values + labels]);
    let apart = (embedding - matrix(&lessons.embeddings, values)).powi_scalar(2).mean();
    let target = matrix(&lessons.scores, labels);
    let heard = log_sigmoid(logits.clone()) * target.clone();
    let not = log_sigmoid(-logits) * (-target + 1.0);
    apart - (heard + not).sum() * (SCORES / batch as f32)
}

/// Of a layer with `values` outputs and then `labels`, the labels.
fn keep_labels(head: &mut Linear, values: usize, labels: usize) {
    let inputs = head.weight.dims()[0];
    head.weight = head.weight.clone().map(|w| w.slice([0..inputs, values..values + labels]));
    head.bias = head.bias.clone().map(|b| b.map(|b| b.narrow(0, values, labels)));
}
