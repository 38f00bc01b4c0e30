//! Golden cases (`golden` in the manifest): signals that every machine makes bit for bit alike, and the scores that
//! the model gave for them where it was made. `docs/manifest.md` has the formulas.

use serde::{Deserialize, Serialize};

use super::samples;
use crate::error::{Error, Result};
use crate::json::{self, MAX_LABELS};
use crate::resample::{MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};

/// Most cases of a model, and the longest one, seconds.
pub(super) const MAX_CASES: usize = 16;
const MAX_SECONDS: f64 = 60.0;
/// Most windows of all cases together, and most operations for their features: some ten seconds.
const MAX_WINDOWS: u64 = 10_000;
const MAX_WORK: u64 = 1 << 36;
/// Largest difference of a score that a case may allow.
const MAX_TOLERANCE: f64 = 1e6;

/// Levels that a signal between -0.5 and 0.5 can be brought to.
const LEVELS: std::ops::RangeInclusive<f32> = 1e-6..=2.0;
/// Who gave scores that the model's own code did not give: they show that nothing changed, not that anything is right.
pub const OURSELVES: &str = "auricle";

/// One golden case.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// What is heard, in one channel.
    pub signal: Signal,
    /// Its length, seconds; above 0, up to 60.
    pub seconds: f64,
    /// Its rate, Hz; absent: the model's, so that nothing is resampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Factor of the signal, 1e-6 to 2.
    #[serde(default = "full", skip_serializing_if = "is_full")]
    pub level: f32,
    /// Who gave the scores, such as `torch 2.11`: `auricle`, if Auricle itself did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// What `classify` gives for it, one score a class.
    #[serde(deserialize_with = "json::list::<MAX_LABELS, _, _>")]
    pub scores: Vec<f32>,
    /// Largest difference of a score that passes.
    #[serde(default = "tolerance")]
    pub tolerance: f64,
}

fn tolerance() -> f64 {
    1e-3
}

fn full() -> f32 {
    1.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_full(level: &f32) -> bool {
    *level == 1.0
}

/// A signal of a golden case, between -0.5 and 0.5.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "Members", tag = "kind", rename_all = "snake_case")]
pub enum Signal {
    /// White noise.
    Noise {
        /// Which noise.
        seed: u32,
    },
    /// A tone, with overtones, whose frequency goes evenly from one to the other.
    Chirp {
        /// Frequency of the first sample, Hz; 0 to half the rate.
        from_hz: f64,
        /// Frequency after the last sample, Hz; 0 to half the rate.
        to_hz: f64,
    },
    /// Zeros.
    Silence {},
}

/// What a signal may have. Read as this, because serde's `tag` first keeps whatever it finds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    kind: SignalKind,
    seed: Option<u32>,
    from_hz: Option<f64>,
    to_hz: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SignalKind {
    Noise,
    Chirp,
    Silence,
}

impl TryFrom<Members> for Signal {
    type Error = &'static str;

    fn try_from(members: Members) -> std::result::Result<Self, Self::Error> {
        match members {
            Members { kind: SignalKind::Noise, seed: Some(seed), from_hz: None, to_hz: None } => {
                Ok(Signal::Noise { seed })
            }
            Members { kind: SignalKind::Chirp, seed: None, from_hz: Some(from_hz), to_hz: Some(to_hz) } => {
                Ok(Signal::Chirp { from_hz, to_hz })
            }
            Members { kind: SignalKind::Silence, seed: None, from_hz: None, to_hz: None } => {
                Ok(Signal::Silence {})
            }
            _ => Err(
                "noise has a seed, chirp has from_hz and to_hz, silence has nothing, and none has what another has",
            ),
        }
    }
}

impl Signal {
    /// `count` samples at `rate` Hz.
    pub fn samples(&self, rate: u32, count: usize) -> Vec<f32> {
        self.generate(rate, count).collect()
    }

    /// The same one by one, by arithmetic that IEEE 754 defines to the last bit (no function of libm).
    fn generate(&self, rate: u32, count: usize) -> impl Iterator<Item = f32> {
        let signal = self.clone();
        let (mut state, mut phase) = (0_u64, 0_u32); // of the phase 2³² is a period
        if let Signal::Noise { seed } = signal {
            state = seed.into();
        }
        (0..count).map(move |n| match signal {
            Signal::Noise { .. } => {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 40) as i32 - (1 << 23)) as f32 / (1 << 24) as f32
            }
            Signal::Chirp { from_hz, to_hz } => {
                let h = f64::from(phase as i32) / 2_147_483_648.0;
                let hz = from_hz + (to_hz - from_hz) * n as f64 / count as f64;
                phase = phase.wrapping_add((hz / f64::from(rate) * 4_294_967_296.0 + 0.5).floor() as u32);
                (2.0 * h * (1.0 - h.abs())) as f32
            }
            Signal::Silence {} => 0.0,
        })
    }
}

impl Golden {
    /// The samples, and their rate in Hz.
    pub fn clip(&self, model_rate: u32) -> (Vec<f32>, u32) {
        let (samples, rate) = self.signal(model_rate);
        (samples.collect(), rate)
    }

    /// The same one by one.
    pub(crate) fn signal(&self, model_rate: u32) -> (impl Iterator<Item = f32>, u32) {
        let rate = self.sample_rate.unwrap_or(model_rate);
        let level = self.level;
        (self.signal.generate(rate, samples(self.seconds, rate)).map(move |sample| sample * level), rate)
    }

    fn resolve(&mut self, path: &str, model_rate: u32, labels: usize) -> Result<()> {
        let rate = *self.sample_rate.get_or_insert(model_rate);
        let fail = |member: &str, message: String| Err(Error::manifest(&format!("{path}.{member}"), message));
        if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&rate) {
            return fail("sample_rate", format!("{rate} Hz; valid {MIN_SAMPLE_RATE}..={MAX_SAMPLE_RATE}"));
        }
        if !(self.seconds > 0.0 && self.seconds <= MAX_SECONDS) || samples(self.seconds, rate) == 0 {
            return fail("seconds", format!("{} s; valid from one sample to {MAX_SECONDS} s", self.seconds));
        }
        if !LEVELS.contains(&self.level) {
            return fail("level", format!("{}; valid {LEVELS:?}", self.level));
        }
        if let Signal::Chirp { from_hz, to_hz } = self.signal {
            let max = f64::from(rate) / 2.0;
            if ![from_hz, to_hz].iter().all(|hz| (0.0..=max).contains(hz)) {
                return fail("signal", format!("from {from_hz} to {to_hz} Hz; valid 0..={max} at {rate} Hz"));
            }
        }
        let count = if labels == 0 { self.scores.len().max(1) } else { labels };
        if self.scores.len() != count || !self.scores.iter().all(|score| score.is_finite()) {
            return fail(
                "scores",
                format!("{} scores for {labels} labels; each is finite", self.scores.len()),
            );
        }
        if !(self.tolerance > 0.0 && self.tolerance <= MAX_TOLERANCE) {
            return fail("tolerance", format!("{}; valid above 0, up to {MAX_TOLERANCE}", self.tolerance));
        }
        Ok(())
    }
}

/// What the cases are cut into.
pub(super) struct Windows {
    /// Length, and distance, seconds.
    pub seconds: f64,
    pub hop: f64,
    /// Operations for the features of one.
    pub work: u64,
}

impl Windows {
    fn of(&self, case: &Golden) -> u64 {
        1 + ((case.seconds - self.seconds).max(0.0) / self.hop).ceil() as u64
    }
}

/// Checks the cases of a model with this rate and number of labels; without labels, only the network knows how many values
/// there are.
pub(super) fn resolve(cases: &mut [Golden], model_rate: u32, labels: usize, windows: &Windows) -> Result<()> {
    if cases.len() > MAX_CASES {
        let message = format!("{} cases; valid up to {MAX_CASES}", cases.len());
        return Err(Error::manifest("golden", message));
    }
    for (index, case) in cases.iter_mut().enumerate() {
        case.resolve(&format!("golden[{index}]"), model_rate, labels)?;
    }
    let count = cases.iter().map(|case| windows.of(case)).sum::<u64>();
    let (seconds, work) =
        (cases.iter().map(|case| case.seconds).sum::<f64>(), count.saturating_mul(windows.work));
    if count > MAX_WINDOWS {
        return Err(Error::manifest(
            "golden",
            format!(
                "{seconds} s in all, every {} s, are {count} windows; valid up to {MAX_WINDOWS}",
                windows.hop
            ),
        ));
    }
    if work > MAX_WORK {
        return Err(Error::manifest(
            "golden",
            format!(
                "{seconds} s in all are {count} windows, whose features take {work} operations; valid up to {MAX_WORK}"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed once with Python's integers and floats from the formulas in docs/manifest.md.
    #[test]
    fn signals_are_those_of_the_formulas() {
        let noise = Signal::Noise { seed: 1 }.samples(16_000, 3);
        let chirp = Signal::Chirp { from_hz: 1000.0, to_hz: 5000.0 }.samples(16_000, 4);
        assert_eq!(noise, [-1_288_337, 157_830, 2_489_057].map(|steps| steps as f32 / 16_777_216.0));
        assert_eq!(chirp, [0.0, 0.21875, 0.46875, 0.375]);
        let long = Signal::Chirp { from_hz: 0.0, to_hz: 8000.0 }.samples(16_000, 16_000);
        assert_eq!(long.iter().fold(0.0_f32, |m, s| m.max(s.abs())), 0.5);
        assert_eq!(Signal::Silence {}.samples(16_000, 2), [0.0; 2]);
    }
}
