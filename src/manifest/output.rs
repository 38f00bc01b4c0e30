//! What the outputs mean (`output`).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::scores::Activation;

/// Highest `output.temperature`; scores are all alike long before.
const MAX_TEMPERATURE: f32 = 100.0;

/// What the outputs mean (`output`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Name of the output tensor; empty: the network's first one.
    pub tensor: String,
    /// What makes scores of the raw outputs.
    pub activation: Activation,
    /// The raw outputs are divided by it before the activation, so that scores say how often the model is right
    /// (Guo et al., arXiv:1706.04599); above 0, up to 100.
    pub temperature: f32,
}

impl Default for Output {
    fn default() -> Self {
        Self { tensor: String::new(), activation: Activation::default(), temperature: 1.0 }
    }
}

impl Output {
    pub(super) fn resolve(&self) -> Result<()> {
        let Output { activation, temperature, .. } = *self;
        if !(temperature > 0.0 && temperature <= MAX_TEMPERATURE) {
            let message = format!("{temperature}; valid above 0, up to {MAX_TEMPERATURE}");
            return Err(Error::manifest("output.temperature", message));
        }
        if activation == Activation::None && temperature != 1.0 {
            let message = "has no meaning without an activation: the outputs are scores already";
            return Err(Error::manifest("output.temperature", message));
        }
        Ok(())
    }
}
