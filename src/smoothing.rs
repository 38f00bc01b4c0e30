//! Scores of overlapping windows -> smoothed scores. Times are seconds of audio, so another hop gives the same result.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::memory::{filled, reserved};

/// What memory is taken for.
const WHAT: &str = "the scores to smooth";
/// Most scores that a median keeps, 16 MB.
const MAX_KEPT: usize = 1 << 22;

/// How the scores of a stream are smoothed (`stream.smoothing`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoothing {
    /// y += (x - y) (1 - exp(-t / T)), t being the time since the window before and T `smoothing_seconds`: a step is
    /// followed to 63 % after T. The first window is taken as it is.
    #[default]
    Exponential,
    /// The median of the windows that start less than `smoothing_seconds` before this one does, itself included.
    Median,
}

/// One stream's smoothing.
#[derive(Debug)]
pub(crate) struct Smoother {
    kind: Smoothing,
    classes: usize,
    /// Exponential: the time constant in hops. Median: windows that count.
    hops: f64,
    /// `[window, class]`, window n at n modulo their number.
    kept: Vec<f32>,
    numbers: Vec<Option<u64>>,
    sorted: Vec<f32>,
    last: Option<u64>,
}

impl Smoother {
    /// None if nothing is to be smoothed: `seconds` is 0.
    pub fn new(kind: Smoothing, seconds: f64, hop_seconds: f64, classes: usize) -> Result<Option<Self>> {
        if seconds == 0.0 {
            return Ok(None);
        }
        let windows = match kind {
            Smoothing::Exponential => 1,
            // As many hops as are less than `seconds`, and the window itself.
            Smoothing::Median => (seconds / hop_seconds).ceil().max(1.0) as usize,
        };
        if windows.saturating_mul(classes) > MAX_KEPT {
            return Err(Error::argument(format!(
                "smoothing_seconds is {seconds}: a median over {windows} windows of {classes} classes; at most {} windows, \
                 {:.1} s",
                MAX_KEPT / classes,
                (MAX_KEPT / classes) as f64 * hop_seconds
            )));
        }
        Ok(Some(Self {
            kind,
            classes,
            hops: if kind == Smoothing::Exponential { seconds / hop_seconds } else { windows as f64 },
            kept: filled(windows * classes, 0.0, WHAT)?,
            numbers: filled(windows, None, WHAT)?,
            sorted: reserved(windows, WHAT)?,
            last: None,
        }))
    }

    /// Forgets the stream.
    pub fn clear(&mut self) {
        self.numbers.fill(None);
        self.last = None;
    }

    /// Replaces the scores of window `number`, which is later than all before. Windows that were left out count as time.
    pub fn apply(&mut self, number: u64, scores: &mut [f32]) {
        match self.kind {
            Smoothing::Exponential => {
                let hops = self.last.map_or(f64::INFINITY, |last| (number - last) as f64);
                let share = (-(-hops / self.hops).exp_m1()) as f32;
                for (kept, score) in self.kept.iter_mut().zip(scores) {
                    *kept = if share == 1.0 { *score } else { *kept + (*score - *kept) * share };
                    *score = *kept;
                }
                self.last = Some(number);
            }
            Smoothing::Median => {
                let windows = self.numbers.len() as u64;
                let slot = (number % windows) as usize;
                self.numbers[slot] = Some(number);
                self.kept[slot * self.classes..][..self.classes].copy_from_slice(scores);
                for (class, score) in scores.iter_mut().enumerate() {
                    let counts = |kept: &Option<u64>| kept.is_some_and(|kept| number - kept < windows);
                    let values = self.numbers.iter().zip(self.kept.chunks_exact(self.classes));
                    self.sorted.clear();
                    self.sorted
                        .extend(values.filter(|(number, _)| counts(number)).map(|(_, kept)| kept[class]));
                    *score = median(&mut self.sorted);
                }
            }
        }
    }
}

/// Of an even number of values, the mean of the two in the middle.
fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    match even {
        true => (below.iter().copied().fold(f32::NEG_INFINITY, f32::max) + *upper) / 2.0,
        false => *upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smoothed(kind: Smoothing, seconds: f64, hop: f64, scores: &[(u64, f32)]) -> Vec<f32> {
        let mut smoother = Smoother::new(kind, seconds, hop, 2).expect("small").expect("smooths");
        let mut one = |&(number, score): &(u64, f32)| {
            let mut scores = [score, -score];
            smoother.apply(number, &mut scores);
            assert_eq!(scores[1], -scores[0], "classes are smoothed alike");
            scores[0]
        };
        scores.iter().map(&mut one).collect()
    }

    #[test]
    fn nothing_is_smoothed_over_no_time() {
        assert!(Smoother::new(Smoothing::Median, 0.0, 0.1, 3).expect("valid").is_none());
    }

    #[test]
    fn a_step_is_followed_to_63_percent_after_the_time_at_any_hop() {
        for (hop, hops) in [(0.1, 5), (0.25, 2), (0.5, 1)] {
            let mut steps = vec![(0, 0.0)];
            steps.extend((1..=hops).map(|n| (n, 1.0)));
            let last = smoothed(Smoothing::Exponential, 0.5, hop, &steps)[hops as usize];
            assert!((last - 0.632_120_6).abs() < 1e-6, "hop {hop}: {last}");
        }
        // Windows that are missing are time that goes by.
        let last = smoothed(Smoothing::Exponential, 0.5, 0.1, &[(3, 0.0), (8, 1.0)])[1];
        assert!((last - 0.632_120_6).abs() < 1e-6, "{last}");
    }

    #[test]
    fn a_median_takes_out_what_is_shorter_than_half_its_time() {
        let scores = [0.1, 0.2, 0.9, 0.3, 0.4, 0.8, 0.8, 0.8];
        let numbered: Vec<_> = (10..).zip(scores).collect();
        let out = smoothed(Smoothing::Median, 0.3, 0.1, &numbered);
        let expected = [0.1, 0.15, 0.2, 0.3, 0.4, 0.4, 0.8, 0.8];
        assert!(out.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{out:?}");
        // Windows before a gap are too old.
        assert_eq!(smoothed(Smoothing::Median, 0.3, 0.1, &[(1, 0.1), (2, 0.1), (5, 0.9)]), [0.1, 0.1, 0.9]);
    }

    #[test]
    fn a_median_over_too_many_windows_is_refused_with_the_numbers() {
        let error = Smoother::new(Smoothing::Median, 3600.0, 1e-4, 1000).expect_err("36 million windows");
        assert!(error.message().contains("36000000") && error.message().contains("4194"), "{error}");
    }
}
