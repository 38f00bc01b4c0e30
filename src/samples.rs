//! What is done to the samples of a window before anything is computed from them: gain and pre-emphasis.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Longest `shift` of a pre-emphasis.
const MAX_SHIFT: usize = 64;

/// From each sample of a window, `factor` times the one `shift` before it is subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PreEmphasis {
    /// Above 0, up to 1; usual are 0.95 to 0.98.
    pub factor: f64,
    /// Samples from one to the other.
    #[serde(default = "one")]
    pub shift: usize,
    /// What becomes of the first samples, which have none before them.
    #[serde(default)]
    pub first: First,
}

/// What becomes of samples that have none before them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum First {
    /// They stay (python_speech_features, torchaudio, NeMo).
    #[default]
    Keep,
    /// The last samples of the window stand for those before the first (SpeechPy, Edge Impulse).
    Wrap,
    /// They are left out, so that the window has `shift` samples fewer (EfficientAT).
    Drop,
}

fn one() -> usize {
    1
}

impl PreEmphasis {
    /// Checks it. `path` opens the error messages.
    pub(crate) fn check(&self, path: &str) -> Result<()> {
        let refuse =
            |member: &str, message: String| Err(Error::manifest(&format!("{path}.{member}"), message));
        if !(self.factor > 0.0 && self.factor <= 1.0) {
            return refuse("factor", format!("is {}; valid above 0 up to 1", self.factor));
        }
        if !(1..=MAX_SHIFT).contains(&self.shift) {
            return refuse("shift", format!("is {} samples; valid 1..={MAX_SHIFT}", self.shift));
        }
        Ok(())
    }

    /// Samples that are left of `samples`.
    pub fn left(&self, samples: usize) -> usize {
        match self.first {
            First::Drop => samples.saturating_sub(self.shift),
            _ => samples,
        }
    }

    /// Changes the samples of a window; gives those that are left.
    pub fn apply<'a>(&self, samples: &'a mut [f32]) -> &'a mut [f32] {
        let (shift, factor) = (self.shift.min(samples.len()), self.factor as f32);
        let mut last = [0.0; MAX_SHIFT];
        let behind = samples.len() - shift;
        last[..shift].copy_from_slice(&samples[behind..]);
        for i in (shift..samples.len()).rev() {
            samples[i] -= factor * samples[i - shift];
        }
        match self.first {
            First::Keep => samples,
            First::Wrap => {
                samples.iter_mut().zip(&last[..shift]).for_each(|(sample, last)| *sample -= factor * last);
                samples
            }
            First::Drop => &mut samples[shift..],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_the_first_samples() {
        for (json, expected) in [
            (r#"{ "factor": 0.5 }"#, &[2.0, 3.0, 6.0, 12.0][..]),
            (r#"{ "factor": 0.5, "first": "wrap" }"#, &[-6.0, 3.0, 6.0, 12.0]),
            (r#"{ "factor": 0.5, "first": "drop" }"#, &[3.0, 6.0, 12.0]),
            (r#"{ "factor": 0.5, "shift": 2 }"#, &[2.0, 4.0, 7.0, 14.0]),
            (r#"{ "factor": 0.5, "shift": 2, "first": "wrap" }"#, &[-2.0, -4.0, 7.0, 14.0]),
            (r#"{ "factor": 0.5, "shift": 2, "first": "drop" }"#, &[7.0, 14.0]),
            (r#"{ "factor": 0.5, "shift": 9, "first": "drop" }"#, &[]),
            (r#"{ "factor": 0.5, "shift": 9 }"#, &[2.0, 4.0, 8.0, 16.0]),
        ] {
            let emphasis: PreEmphasis = serde_json::from_str(json).expect(json);
            let mut samples = [2.0, 4.0, 8.0, 16.0];
            assert_eq!(emphasis.left(4), expected.len(), "{json}");
            assert_eq!(emphasis.apply(&mut samples), expected, "{json}");
        }
    }
}
