//! Raw outputs of a network -> scores.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// What turns the network's raw outputs into scores (`output.activation`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// exp(x) / sum(exp(x)): one class of many; the scores sum to 1.
    Softmax,
    /// 1 / (1 + exp(-x)) for each class: independent classes.
    Sigmoid,
    /// The outputs are scores already.
    #[default]
    None,
}

impl Activation {
    /// Where the scores lie.
    pub fn range(self) -> RangeInclusive<f32> {
        match self {
            Activation::Softmax | Activation::Sigmoid => 0.0..=1.0,
            Activation::None => f32::MIN..=f32::MAX,
        }
    }

    /// Replaces raw outputs by scores, in place. `temperature` divides the outputs first: above 1 the scores come closer
    /// to each other, 1 changes no bit.
    pub fn apply(self, values: &mut [f32], temperature: f32) {
        match self {
            Activation::Softmax => {
                // Shifted by the maximum, so that exp cannot overflow.
                let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                values.iter_mut().for_each(|value| *value = ((*value - max) / temperature).exp());
                let sum: f32 = values.iter().sum();
                values.iter_mut().for_each(|value| *value /= sum);
            }
            Activation::Sigmoid => {
                values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value / temperature).exp()));
            }
            Activation::None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Activation::{self, *};

    fn applied(activation: Activation, mut values: Vec<f32>) -> Vec<f32> {
        activation.apply(&mut values, 1.0);
        values
    }

    #[test]
    fn softmax_sums_to_one_and_survives_large_values() {
        assert_eq!(applied(Softmax, vec![1e30, 1e30]), [0.5, 0.5]);
        assert_eq!(applied(Softmax, vec![0.0, -1e30]), [1.0, 0.0]);
        let scores = applied(Softmax, vec![1.0, 2.0, 3.0]);
        // exp(k) / (e + e^2 + e^3)
        for (score, expected) in scores.iter().zip([0.090_030_57, 0.244_728_47, 0.665_240_96]) {
            assert!((score - expected).abs() < 1e-6, "{score} {expected}");
        }
    }

    #[test]
    fn sigmoid_saturates_without_overflow() {
        assert_eq!(applied(Sigmoid, vec![0.0, 200.0, -200.0]), [0.5, 1.0, 0.0]);
    }

    #[test]
    fn temperature_divides_the_outputs() {
        for activation in [Softmax, Sigmoid] {
            let mut warm = vec![1.0, -4.0, 3.0];
            activation.apply(&mut warm, 2.0);
            assert_eq!(warm, applied(activation, vec![0.5, -2.0, 1.5]));
        }
    }

    #[test]
    fn none_leaves_values() {
        assert_eq!(applied(None, vec![-3.0, 7.0]), [-3.0, 7.0]);
    }
}
