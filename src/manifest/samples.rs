//! What is done to the samples of a window before its features (`input.samples`).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::normalize::{Normalize, NormalizeKind};
use crate::samples::PreEmphasis;

/// What is done to the samples of a window before its features (`input.samples`), in the order of the members. Each window
/// is a signal of its own, as in the code that models come from.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Factor of the samples; 32768: the range of 16-bit integers.
    #[serde(default = "unity")]
    pub gain: f64,
    /// Pre-emphasis over the whole window; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_emphasis: Option<PreEmphasis>,
    /// Normalisation by the samples' own statistics; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
}

fn unity() -> f64 {
    1.0
}

impl Samples {
    pub(super) fn resolve(&mut self) -> Result<()> {
        if !(1e-6..=1e6).contains(&self.gain) {
            return Err(Error::manifest("input.samples.gain", format!("is {}; valid 1e-6..=1e6", self.gain)));
        }
        if let Some(emphasis) = &self.pre_emphasis {
            emphasis.check("input.samples.pre_emphasis")?;
        }
        if let Some(normalize) = self.normalize.take() {
            if normalize.kind == NormalizeKind::Sliding {
                return Err(Error::manifest("input.samples.normalize.kind", "sliding is for rows"));
            }
            self.normalize = Some(normalize.resolved("input.samples.normalize", 1)?);
        }
        Ok(())
    }

    /// Whether there is a normalisation.
    pub fn is_normalized(&self) -> bool {
        self.normalize.as_ref().is_some_and(|normalize| normalize.kind != NormalizeKind::None)
    }

    /// Whether a sample that two windows share becomes the same in both.
    pub fn is_pointwise(&self) -> bool {
        self.pre_emphasis.is_none() && !self.is_normalized()
    }

    /// Samples that are left of `samples`.
    pub fn left(&self, samples: usize) -> usize {
        self.pre_emphasis.map_or(samples, |emphasis| emphasis.left(samples))
    }

    /// Changes the samples of a window; gives those that are left.
    pub fn apply<'a>(&self, samples: &'a mut [f32]) -> &'a mut [f32] {
        let gain = self.gain as f32;
        samples.iter_mut().for_each(|sample| *sample *= gain);
        let samples = match &self.pre_emphasis {
            Some(emphasis) => emphasis.apply(samples),
            None => samples,
        };
        if let Some(normalize) = &self.normalize {
            normalize.apply(samples, 1, &mut []);
        }
        samples
    }
}
