//! What clips say of a network while it is trained, before there is a file that the library could score them with. That the
//! library then says the same is proven by [`crate::export::verify`].

use anyhow::Result;
use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::dataset::Clip;
use crate::front_end::FrontEnd;
use crate::loss::Kind;
use crate::network::Network;
use crate::parallel;
use crate::plan::Plan;

/// Windows in one forward pass.
const BATCH: usize = 32;
/// Scores nearer to 0 count as this in a logarithm.
const LEAST_SCORE: f64 = 1e-6;

/// What clips say of a network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    /// Mean of −ln of what a clip gives its classes (and, where classes are judged each for itself, of what it
    /// leaves to the others).
    pub loss: f64,
    /// Share of the clips whose highest score is one of their classes.
    pub accuracy: f64,
}

/// Looks at whole clips, on so many threads.
pub fn judge(network: &Network, plan: &Plan, clips: &[&Clip], threads: usize) -> Result<Judge> {
    let (classes, kind) = (plan.classes.len(), plan.recipe.loss);
    let start = || plan.front_end.plan();
    let score = |front_end: &mut FrontEnd, clip: &&Clip| {
        Ok(clip_scores(network, front_end, &clip.samples, classes, kind))
    };
    let (mut loss, mut right) = (0.0, 0);
    let cost = |score: f64| -score.max(LEAST_SCORE).ln();
    for (clip, scores) in clips.iter().zip(parallel::map(threads, clips, start, score, &|| ())?) {
        let has = |class: usize| clip.classes().any(|own| own == class);
        right += usize::from(has(arg_max(&scores)));
        loss += match kind {
            Kind::CrossEntropy => cost(scores[clip.class].into()),
            Kind::Binary => {
                let one = |(class, &score): (usize, &f32)| {
                    cost(if has(class) { f64::from(score) } else { 1.0 - f64::from(score) })
                };
                scores.iter().enumerate().map(one).sum::<f64>() / classes as f64
            }
        };
    }
    let count = clips.len().max(1) as f64;
    Ok(Judge { loss: loss / count, accuracy: right as f64 / count })
}

/// Scores of one clip: the mean over its windows.
pub fn clip_scores(
    network: &Network,
    front_end: &mut FrontEnd,
    samples: &[f32],
    classes: usize,
    kind: Kind,
) -> Vec<f32> {
    let mut mean = vec![0.0; classes];
    let windows = front_end.windows(samples);
    for windows in windows.chunks(BATCH) {
        let logits = forward(network, front_end, windows);
        let scores = match kind {
            Kind::CrossEntropy => softmax(logits, 1),
            Kind::Binary => sigmoid(logits),
        };
        let scores: Vec<f32> = scores.into_data().try_to_vec().expect("the network computes in f32");
        for window in scores.chunks_exact(classes) {
            mean.iter_mut().zip(window).for_each(|(m, s)| *m += s);
        }
    }
    mean.iter_mut().for_each(|m| *m /= windows.len() as f32);
    mean
}

/// Logits `[windows, classes]` of a network that is out of training and on the CPU.
pub fn forward(network: &Network, front_end: &mut FrontEnd, windows: &[Vec<f32>]) -> Tensor<2> {
    let [bins, rows] = front_end.shape();
    let mut input = Vec::with_capacity(windows.len() * bins * rows);
    for window in windows {
        front_end.append(window, &mut input);
    }
    network.forward(Tensor::<4>::from_data(
        TensorData::new(input, [windows.len(), 1, bins, rows]),
        &Device::flex(),
    ))
}

/// Index of the highest score.
pub fn arg_max(scores: &[f32]) -> usize {
    scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i)
}
