//! What training makes small.

use std::str::FromStr;

use anyhow::{Result, bail, ensure};
use auricle::stages::scores::Activation;
use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Device, Tensor, TensorData};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::dataset::Clip;

/// How scores are compared with targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One class of many: softmax.
    CrossEntropy,
    /// Every class for itself: sigmoid, for clips with several classes.
    Binary,
}

impl Kind {
    /// What makes scores of the outputs of a network that was trained so.
    pub fn activation(self) -> Activation {
        match self {
            Self::CrossEntropy => Activation::Softmax,
            Self::Binary => Activation::Sigmoid,
        }
    }
}

/// How much the classes count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// All the same.
    None,
    /// Rare classes more, so that every class counts the same in all.
    Balanced,
    /// As given, in the order of the classes' names.
    Given(Vec<f32>),
}

impl FromStr for ClassWeights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "balanced" => Ok(Self::Balanced),
            list => list
                .split(',')
                .map(|w| w.trim().parse::<f32>().ok().filter(|w| w.is_finite() && *w > 0.0))
                .collect::<Option<_>>()
                .map(Self::Given)
                .ok_or_else(|| {
                    format!("{text:?} is neither none nor balanced nor numbers above 0 like 1,2.5,1")
                }),
        }
    }
}

impl ClassWeights {
    /// One weight a class; none if all are 1.
    ///
    /// Balanced is clips / (classes · clips of the class) with cross-entropy, and clips without the class / clips
    /// with it with the binary loss, where the weight is that of the class being heard.
    pub fn resolve(&self, clips: &[&Clip], classes: usize, kind: Kind) -> Result<Option<Vec<f32>>> {
        let weights = match self {
            Self::None => return Ok(None),
            Self::Given(weights) => weights.clone(),
            Self::Balanced => {
                let mut counts = vec![0usize; classes];
                for clip in clips {
                    counts[clip.class] += 1;
                    if kind == Kind::Binary {
                        clip.also.iter().for_each(|&class| counts[class] += 1);
                    }
                }
                if let Some(class) = counts.iter().position(|&n| n == 0 || n == clips.len()) {
                    bail!(
                        "balanced class weights: class {class} has {} of {} clips",
                        counts[class],
                        clips.len()
                    );
                }
                let all = clips.len() as f32;
                counts
                    .into_iter()
                    .map(|n| match kind {
                        Kind::CrossEntropy => all / (classes as f32 * n as f32),
                        Kind::Binary => (all - n as f32) / n as f32,
                    })
                    .collect()
            }
        };
        ensure!(weights.len() == classes, "{} class weights; there are {classes} classes", weights.len());
        Ok(Some(weights))
    }
}

/// A loss with its weights, on a device.
pub struct Loss {
    kind: Kind,
    weights: Tensor<2>,
    smoothing: f32,
}

impl Loss {
    /// `smoothing` moves that share of every target to all classes alike (Szegedy et al., arXiv:1512.00567).
    pub fn new(
        kind: Kind,
        weights: Option<Vec<f32>>,
        smoothing: f32,
        classes: usize,
        device: &Device,
    ) -> Self {
        let weights = weights.unwrap_or_else(|| vec![1.0; classes]);
        let weights = Tensor::from_data(TensorData::new(weights, [1, classes]), device);
        Self { kind, weights, smoothing }
    }

    /// One number. With weights w, targets t and logits x, both `[batch, classes]`:
    /// cross-entropy −Σ w t ln softmax(x) / Σ w t; binary −mean(w t ln σ(x) + (1 − t) ln(1 − σ(x))).
    /// These are PyTorch's `CrossEntropyLoss(weight)` for one class an example and `BCEWithLogitsLoss(pos_weight)`.
    pub fn forward(&self, logits: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let [batch, classes] = target.dims();
        let even = match self.kind {
            Kind::CrossEntropy => self.smoothing / classes as f32,
            Kind::Binary => self.smoothing / 2.0,
        };
        let target = target * (1.0 - self.smoothing) + even;
        let weighted = target.clone() * self.weights.clone();
        match self.kind {
            Kind::CrossEntropy => -(log_softmax(logits, 1) * weighted.clone()).sum() / weighted.sum(),
            Kind::Binary => {
                let heard = log_sigmoid(logits.clone()) * weighted;
                let not = log_sigmoid(-logits) * (-target + 1.0);
                -(heard + not).sum() / (batch * classes) as f32
            }
        }
    }
}
