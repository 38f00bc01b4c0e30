//! What a run is to do, and what it has to show: [`crate::fit`] follows it, [`crate::checkpoint`] keeps it.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::augment::Augment;
use crate::front_end::FrontEndSpec;
use crate::judge::Judge;
use crate::loss::{ClassWeights, Kind};
use crate::network::{Architecture, Size};

/// How a network is trained.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Optimiser steps.
    #[arg(long, default_value_t = 800)]
    pub steps: usize,
    /// Examples in one step.
    #[arg(long, default_value_t = 32)]
    pub batch: usize,
    /// Highest learning rate; reached by a linear warm-up over the first tenth, then down to 0 along a cosine.
    #[arg(long, default_value_t = 3e-3)]
    pub learning_rate: f64,
    /// AdamW's decoupled weight decay.
    #[arg(long, default_value_t = 0.01)]
    pub weight_decay: f32,
    /// Largest norm of all gradients together; longer ones are scaled down to it. 0: any.
    #[arg(long, default_value_t = 5.0)]
    pub clip_norm: f64,
    /// One class of many, or every class for itself.
    #[arg(long, value_enum, default_value_t = Kind::CrossEntropy)]
    pub loss: Kind,
    /// How much the classes count: `none`, `balanced`, or a number for each in the order of their names, like 1,2.5,1.
    #[arg(long, default_value = "none")]
    pub class_weights: ClassWeights,
    /// Share of every target that is moved to all classes alike.
    #[arg(long, default_value_t = 0.0)]
    pub label_smoothing: f32,
    /// Decay of the moving average of the weights that becomes the result. 0: no average, the last weights are it.
    #[arg(long, default_value_t = 0.995)]
    pub average: f32,
    /// Steps between looks at the clips that are held out, where there are any.
    #[arg(long, default_value_t = 100)]
    pub evaluate_every: usize,
    /// Stop after so many looks without a lower loss, and take the weights of the best one. 0: never.
    #[arg(long, default_value_t = 0)]
    pub patience: usize,
    /// Seed of weights, order, crops and augmentation.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How examples are changed.
    #[command(flatten)]
    pub augment: Augment,
    /// How large the network is.
    #[command(flatten)]
    #[serde(default)]
    pub size: Size,
}

impl Recipe {
    /// Decay of the moving average after so many steps: early averages forget faster, or the initial weights would stay in
    /// them for long.
    pub fn decay(&self, steps: usize) -> f32 {
        self.average.min(steps as f32 / (steps as f32 + 9.0))
    }
}

/// Everything that decides the outcome of a training run, next to the clips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What is trained.
    pub architecture: Architecture,
    /// What it sees.
    pub front_end: FrontEndSpec,
    /// Names of the classes, in the order of its outputs.
    pub classes: Vec<String>,
    /// How it is trained.
    pub recipe: Recipe,
}

/// One point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Steps made.
    pub step: usize,
    /// Loss of the step's batch.
    pub loss: f32,
    /// What the clips that are held out say, where they were looked at.
    pub held_out: Option<Judge>,
}
