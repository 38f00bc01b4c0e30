//! The training.

use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::learner::{INNER, Learner, Projected};
use super::views::Views;
use crate::crops::Material;
use crate::fit::{learning_rate, optimiser, seeded};
use crate::network::Network;
use crate::plan::{Plan, Point};
use crate::weights;

/// Decay of the moving average that says what is to be learned (BYOL-A's τ).
const KEEP: f32 = 0.99;
/// Batches that wait for their step.
const AHEAD: usize = 2;

/// Trains a new network of the plan on windows of the clips; `report` gets every step, whose loss is 2 where nothing is
/// known and 0 where all views of a window look alike. The result has a new last layer for the plan's classes, is out of
/// training and on the CPU. The same arguments give the same weights.
pub fn study(
    plan: &Plan,
    material: &Material<'_>,
    device: &Device,
    mut report: impl FnMut(&Point),
) -> Result<Network> {
    let recipe = &plan.recipe;
    ensure!(!material.clips.is_empty(), "no clips to train on");
    ensure!(recipe.steps > 0 && recipe.batch > 1, "steps must be at least 1 and batch at least 2");
    let mut views = Views::new(&plan.front_end, material, &recipe.augment, recipe.seed)?;
    let shape = views.shape();
    let training = device.clone().autodiff();
    let mut learner = seeded(&training, recipe.seed, || {
        let network = Network::sized(plan.architecture, recipe.size, shape, INNER, &training)?;
        anyhow::Ok(Learner::new(network, &training))
    })?;
    let mut optimiser = optimiser(recipe);
    let mut target = weights::flatten(&learner.projected.valid());
    let usable = |learner: &Learner| learner.projected.network.valid();
    let mut average = if recipe.average > 0.0 { weights::flatten(&usable(&learner)) } else { Vec::new() };
    let batch = recipe.batch;
    thread::scope(|scope| {
        let (ready, batches) = mpsc::sync_channel(AHEAD);
        scope.spawn(move || while ready.send(views.batch(batch)).is_ok() {});
        for step in 0..recipe.steps {
            let views = batches.recv().context("the thread that makes views has ended")?;
            let views = TensorData::new(views, [2 * batch, 1, shape[0], shape[1]]);
            let views = Tensor::<4>::from_data(views, &training);
            let teacher = weights::replace(learner.projected.valid(), &target).train();
            let loss = apart(learner.forward(views.clone()), said_of_the_other(&teacher, views));
            let value = loss.clone().into_scalar::<f32>();
            ensure!(
                value.is_finite(),
                "the loss became {value} at step {}; lower the learning rate",
                step + 1
            );
            let mut gradients = GradientsParams::from_grads(loss.backward(), &learner);
            if recipe.clip_norm > 0.0 {
                weights::clip_global_norm(&learner, &mut gradients, recipe.clip_norm);
            }
            learner = optimiser.step(learning_rate(recipe, step), learner.clone(), gradients);
            weights::follow(&mut target, &learner.projected.valid(), KEEP);
            if !average.is_empty() {
                weights::follow(&mut average, &usable(&learner), recipe.decay(step + 1));
            }
            report(&Point { step: step + 1, loss: value, held_out: None });
        }
        Ok(())
    })?;
    let cpu = Device::flex();
    let mut network = usable(&learner).to_device(&cpu);
    if !average.is_empty() {
        network = weights::replace(network, &average);
    }
    Ok(seeded(&cpu, recipe.seed, || network.with_classes(plan.classes.len(), &cpu)))
}

/// What the teacher says of the view that each one is compared with. It normalises by the batch, as the learner does.
fn said_of_the_other(teacher: &Projected, views: Tensor<4>) -> Tensor<2> {
    let said = teacher.forward(views).detach();
    let [views, values] = said.dims();
    let half = |from: usize| said.clone().slice([from..from + views / 2, 0..values]);
    Tensor::cat(vec![half(views / 2), half(0)], 0)
}

/// 2 − 2 cos of the angle between rows, in the mean over them.
fn apart(a: Tensor<2>, b: Tensor<2>) -> Tensor<1> {
    let unit = |x: Tensor<2>| {
        let length = (x.clone().powi_scalar(2).sum_dim(1) + 1e-12).sqrt();
        x / length
    };
    let rows = a.dims()[0] as f32;
    (unit(a) * unit(b)).sum() * (-2.0 / rows) + 2.0
}
