//! The rows of one window after another, each computed once.
//!
//! A row depends on its own frame of samples alone, so where windows are a whole number of rows apart, a window
//! takes over the rows that it shares with the one before it. The exceptions are the rows at the edges of a window that are
//! computed from padding; they are computed anew. What depends on the whole window comes after that.

use std::sync::Arc;

use super::features_pool::FeaturesPool;
use crate::error::Result;
use crate::features::Features;
use crate::memory::filled;

#[derive(Debug)]
pub(super) struct Rows {
    features: Arc<FeaturesPool>,
    /// Rows from one window to the next; none if windows do not start at rows.
    shift: Option<usize>,
    /// Inner rows of window `held`.
    inner: Vec<f32>,
    held: Option<u64>,
    rows: Vec<f32>,
}

impl Rows {
    /// For windows of `window` samples, `hop` samples apart.
    pub fn new(features: Arc<FeaturesPool>, window: usize, hop: usize) -> Result<Self> {
        let plan = features.plan();
        let count = plan.rows(window);
        let shift = Some(hop / plan.hop()).filter(|_| hop.is_multiple_of(plan.hop()));
        Ok(Self {
            inner: filled(count * plan.inner_bins(), 0.0, "the rows of a window")?,
            rows: filled(count * plan.bins(), 0.0, "the rows of a window")?,
            shift: shift.filter(|&shift| shift < count),
            held: None,
            features,
        })
    }

    pub fn features(&self) -> &Features {
        self.features.plan()
    }

    /// Forgets the stream.
    pub fn clear(&mut self) {
        self.held = None;
    }

    /// The rows of window `number`, whose audio is `samples`: what `Features::compute` gives for them.
    pub fn of(&mut self, number: u64, samples: &[f32]) -> Result<(&mut [f32], usize)> {
        let Self { features, inner, rows, held, .. } = self;
        let plan = features.plan();
        let (count, width) = (plan.rows(samples.len()), plan.inner_bins());
        let whole = count * width == inner.len();
        let inner = &mut inner[..count * width];
        let (head, tail) = plan.edge_rows(samples.len());
        // Nothing is held while it is moved: the computation may fail.
        let before = held.take().filter(|&held| held + 1 == number && whole).and(self.shift);
        // Rows `head..kept` are the ones that the window before has had. Without one, all are computed together.
        let head = before.map_or(0, |_| head);
        let kept = before.map_or(0, |shift| count.saturating_sub(tail + shift).max(head));
        if let Some(shift) = before {
            inner.copy_within((head + shift) * width..(kept + shift) * width, head * width);
        }
        let rows = &mut rows[..count * plan.bins()];
        features.with(|features| {
            features.inner_rows(samples, 0, &mut inner[..head * width]);
            features.inner_rows(samples, kept, &mut inner[kept * width..]);
            features.finish_window(inner, rows);
        })?;
        *held = Some(number).filter(|_| whole);
        Ok((rows, plan.bins()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(spec: &str) -> Features {
        let spec = serde_json::from_str(spec).expect("a spec");
        Features::new(&spec, 16_000, "input.features").expect("a valid spec")
    }

    fn pool(spec: &str) -> Arc<FeaturesPool> {
        Arc::new(FeaturesPool::new(planned(spec)).expect("small"))
    }

    /// Any hop, windows left out, a short one at the end: always the bits that a computation from nothing gives.
    #[test]
    fn rows_taken_over_are_the_rows_computed_anew() {
        let audio: Vec<f32> =
            (0..60_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 8) as f32 * 6e-8 - 0.5).collect();
        for spec in [
            r#"{ "preset": "kaldi" }"#,
            r#"{ "preset": "whisper" }"#,
            r#"{ "preset": "librosa", "kind": "mfcc" }"#,
            r#"{ "preset": "ced" }"#,
            r#"{ "kind": "mel", "fft": 1024, "frame_hop": 512, "mel": { "bins": 64 } }"#,
            r#"{ "kind": "waveform" }"#,
        ] {
            for hop in [160, 512, 1600, 2560, 4000, 20_000] {
                let (window, mut anew) = (16_000, planned(spec));
                let mut rows = Rows::new(pool(spec), window, hop).expect("small");
                for number in [0_u64, 1, 2, 3, 5, 6, 7] {
                    let start = number as usize * hop;
                    let length = if number == 7 { 9000 } else { window };
                    let Some(samples) = audio.get(start..start + length) else { break };
                    let mut expected = vec![0.0; anew.rows(length) * anew.bins()];
                    anew.compute(samples, &mut expected);
                    let (values, bins) = rows.of(number, samples).expect("small");
                    assert_eq!(bins, anew.bins());
                    assert!(*values == expected[..], "{spec}, hop {hop}, window {number}");
                }
            }
        }
    }

    #[test]
    fn only_windows_that_start_at_rows_share_them() {
        let shift = |hop| Rows::new(pool(r#"{ "preset": "kaldi" }"#), 16_000, hop).expect("small").shift;
        assert_eq!((shift(1600), shift(1601), shift(160), shift(16_000)), (Some(10), None, Some(1), None));
    }
}
