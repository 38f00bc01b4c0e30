//! The rows of one window after another, as the network gets them; each row of features is computed once.
//!
//! A row depends on its own frame of samples alone, so where windows are a whole number of rows apart, a window
//! takes over the rows that it shares with the one before it. The exceptions are the rows at the edges of a window that are
//! computed from padding; they are computed anew. What depends on the whole window comes after that. Where a window's
//! samples are changed by what else is in it (`input.samples`), nothing is shared.

use std::sync::Arc;

use super::features_pool::FeaturesPool;
use crate::error::Result;
use crate::features::Features;
use crate::manifest::{Input, Samples};
use crate::memory::filled;
use crate::padding::Of;

/// The rows of windows, planned.
#[derive(Debug)]
pub struct Rows {
    input: Input,
    features: Arc<FeaturesPool>,
    /// Rows from one window to the next; none if windows do not start at rows.
    shift: Option<usize>,
    /// The samples of a window where `input.samples` changes them.
    changed: Vec<f32>,
    /// Inner rows of window `held`.
    inner: Vec<f32>,
    held: Option<u64>,
    rows: Vec<f32>,
    stacked: Vec<f32>,
    /// For the normalisation.
    scratch: Vec<f32>,
}

impl Rows {
    /// For windows each by itself. `input` is that of a manifest that was parsed.
    pub fn plan(input: &Input) -> Result<Self> {
        let features = Features::new(&input.features, input.sample_rate, "input.features")?;
        Self::new(input, Arc::new(FeaturesPool::new(features)?), input.window())
    }

    /// For windows `hop` samples apart.
    pub(super) fn new(input: &Input, features: Arc<FeaturesPool>, hop: usize) -> Result<Self> {
        let plan = features.plan();
        let window = input.window();
        let count = input.frames(window);
        let shared = input.samples.as_ref().is_none_or(Samples::is_pointwise);
        let shift = Some(hop / plan.hop()).filter(|_| shared && hop.is_multiple_of(plan.hop()));
        let scratch =
            input.normalize.as_ref().map_or(0, |normalize| normalize.room(count.max(input.rows(window))));
        let stacked = input.stack.map_or(0, |_| input.rows(window) * input.bins());
        Ok(Self {
            changed: filled(input.samples.as_ref().map_or(0, |_| window), 0.0, "the samples of a window")?,
            inner: filled(count * plan.inner_bins(), 0.0, "the rows of a window")?,
            rows: filled(count * plan.bins(), 0.0, "the rows of a window")?,
            stacked: filled(stacked, 0.0, "the stacked rows of a window")?,
            scratch: filled(scratch, 0.0, "one bin of a window")?,
            shift: shift.filter(|&shift| shift < count),
            held: None,
            input: input.clone(),
            features,
        })
    }

    /// Forgets the stream.
    pub fn clear(&mut self) {
        self.held = None;
    }

    /// The rows of window `number`, and the number of values in each. Its audio are the first `given` of `samples`, which
    /// has room for a whole window: if they are fewer, but enough for a row, they are padded as the manifest says.
    pub fn of(&mut self, number: u64, samples: &mut [f32], given: usize) -> Result<(&mut [f32], usize)> {
        let Self { input, features, shift, changed, inner, held, rows, stacked, scratch } = self;
        let plan = features.plan();
        let samples = prepared(input, samples, given, changed);
        let (count, width) = (plan.rows(samples.len()), plan.inner_bins());
        let whole = count * width == inner.len();
        let inner = &mut inner[..count * width];
        let (head, tail) = plan.edge_rows(samples.len());
        // Nothing is held while it is moved: the computation may fail.
        let before = held.take().filter(|&held| held + 1 == number && whole).and(*shift);
        // Rows `head..kept` are the ones that the window before has had. Without one, all are computed together.
        let head = before.map_or(0, |_| head);
        let kept = before.map_or(0, |shift| count.saturating_sub(tail + shift).max(head));
        if let Some(shift) = before.filter(|_| kept > head) {
            inner.copy_within((head + shift) * width..(kept + shift) * width, head * width);
        }
        let mut bins = plan.bins();
        let mut given = count * bins;
        features.with(|features| {
            features.inner_rows(samples, 0, &mut inner[..head * width]);
            features.inner_rows(samples, kept, &mut inner[kept * width..]);
            features.finish_window(inner, &mut rows[..given]);
        })?;
        *held = Some(number).filter(|_| whole);

        // The first `given` of `values` are there, which have room for a whole window's.
        let (mut values, mut other) = (&mut rows[..], &mut stacked[..]);
        if let Some(stack) = input.stack.filter(|stack| !stack.after_normalize) {
            let stacked = stack.count(count) * bins * stack.rows;
            stack.apply(&values[..given], bins, &mut other[..stacked]);
            std::mem::swap(&mut values, &mut other);
            (given, bins) = (stacked, bins * stack.rows);
        }
        let fill = |after: bool, values: &mut [f32], given: usize| match input.padding.fill(Of::Rows, after) {
            Some(fill) if given < values.len() => {
                fill.apply(values, given, bins);
                values.len()
            }
            _ => given,
        };
        given = fill(false, values, given);
        input.normalize.iter().for_each(|normalize| normalize.apply(&mut values[..given], bins, scratch));
        given = fill(true, values, given);
        if let Some(stack) = input.stack.filter(|stack| stack.after_normalize) {
            let stacked = stack.count(given / bins) * bins * stack.rows;
            stack.apply(&values[..given], bins, &mut other[..stacked]);
            std::mem::swap(&mut values, &mut other);
            (given, bins) = (stacked, bins * stack.rows);
        }
        Ok((&mut values[..given], bins))
    }
}

/// The samples of a window as the features are computed from them: filled up, and in `changed` changed, as `input` says.
fn prepared<'a>(input: &Input, samples: &'a mut [f32], given: usize, changed: &'a mut [f32]) -> &'a [f32] {
    let window = samples.len();
    let fill = |after| input.padding.fill(Of::Samples, after).filter(|_| given < window);
    let mut end = given;
    if let Some(fill) = fill(false) {
        fill.apply(samples, end, 1);
        end = window;
    }
    let Some(ops) = &input.samples else { return &samples[..end] };
    changed[..end].copy_from_slice(&samples[..end]);
    let begin = end - ops.apply(&mut changed[..end]).len();
    if let Some(fill) = fill(true) {
        fill.apply(&mut changed[begin..], end - begin, 1);
        end = window;
    }
    &changed[begin..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    /// With an `input` of these members, windows of 1 s and 16 kHz.
    fn manifest(members: &str) -> Manifest {
        let layout = if members.contains("waveform") { r#"["sample"]"# } else { r#"["row", "bin"]"# };
        let json = format!(
            r#"{{ "auricle": 1, "labels": ["a"], "input": {{ "sample_rate": 16000, "layout": {layout}, {members} }},
                 "stream": {{ "hop_seconds": 1 }} }}"#
        );
        Manifest::parse(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
    }

    fn planned(manifest: &Manifest) -> Features {
        Features::new(&manifest.input.features, 16_000, "input.features").expect("a valid spec")
    }

    fn rows(manifest: &Manifest, hop: usize) -> Rows {
        let pool = Arc::new(FeaturesPool::new(planned(manifest)).expect("small"));
        Rows::new(&manifest.input, pool, hop).expect("small")
    }

    /// The rows of a window whose audio is `given`.
    fn of<'a>(rows: &'a mut Rows, number: u64, given: &[f32]) -> (&'a mut [f32], usize) {
        let mut samples = given.to_vec();
        samples.resize(rows.input.window(), f32::NAN);
        rows.of(number, &mut samples, given.len()).expect("small")
    }

    fn audio(samples: u32) -> Vec<f32> {
        (0..samples).map(|n| (n.wrapping_mul(2_654_435_761) >> 8) as f32 * 6e-8 - 0.5).collect()
    }

    /// Any hop, windows left out, a short one at the end: always the bits that a computation from nothing gives.
    #[test]
    fn rows_taken_over_are_the_rows_computed_anew() {
        let audio = audio(60_000);
        for spec in [
            r#"{ "preset": "kaldi" }"#,
            r#"{ "preset": "whisper" }"#,
            r#"{ "preset": "librosa", "kind": "mfcc" }"#,
            r#"{ "preset": "ced" }"#,
            r#"{ "kind": "mel", "fft": 1024, "frame_hop": 512, "mel": { "bins": 64 } }"#,
            r#"{ "kind": "mel", "fft": 512, "frame_hop": 160, "mel": { "bins": 64 } }"#,
            r#"{ "kind": "waveform" }"#,
        ] {
            let manifest =
                manifest(&format!(r#""window_seconds": 1, "padding": "none", "features": {spec}"#));
            // Some share just a row at the edge, or none but those.
            for hop in [160, 512, 1600, 2560, 4000, 15_680, 15_840, 16_000, 20_000] {
                let (window, mut anew) = (16_000, planned(&manifest));
                let mut rows = rows(&manifest, hop);
                for number in [0_u64, 1, 2, 3, 5, 6, 7] {
                    let start = number as usize * hop;
                    let length = if number == 7 { 9000 } else { window };
                    let Some(samples) = audio.get(start..start + length) else { break };
                    let mut expected = vec![0.0; anew.rows(length) * anew.bins()];
                    anew.compute(samples, &mut expected);
                    let normalize = manifest.input.normalize.as_ref().expect("filled in");
                    normalize.apply(&mut expected, anew.bins(), &mut []);
                    let (values, bins) = of(&mut rows, number, samples);
                    assert_eq!(bins, anew.bins());
                    assert!(*values == expected[..], "{spec}, hop {hop}, window {number}");
                }
            }
        }
    }

    #[test]
    fn only_windows_that_start_at_rows_share_them() {
        let shift = |samples: &str, hop| {
            let manifest = manifest(&format!(
                r#""window_seconds": 1, "features": {{ "preset": "kaldi" }}, "samples": {{ {samples} }}"#
            ));
            rows(&manifest, hop).shift
        };
        let hops = [1600, 1601, 160, 16_000];
        assert_eq!(hops.map(|hop| shift("", hop)), [Some(10), None, Some(1), None]);
        assert_eq!(shift(r#""gain": 2"#, 1600), Some(10));
        assert_eq!(shift(r#""pre_emphasis": { "factor": 0.97 }"#, 1600), None);
        assert_eq!(shift(r#""normalize": { "kind": "window", "over": "all" }"#, 1600), None);
    }

    /// What each member does to the eight samples or rows of a window of which five are there; on the right the steps
    /// by hand, in the order that the documentation gives.
    #[test]
    fn filling_stands_where_the_manifest_says() {
        let given = [1.0, -1.0, 2.0, 0.5, -0.5];
        let z = |values: &mut [f32], epsilon: f32| {
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32;
            values.iter_mut().for_each(|v| *v = (*v - mean) / (variance + epsilon).sqrt());
        };
        let filled = |values: &[f32]| [values, &[0.0; 3]].concat();
        let z_of = |mut values: Vec<f32>| {
            z(&mut values, 1e-7);
            values
        };
        let norm = r#"{ "kind": "window", "over": "all" }"#;
        for (members, expected) in [
            (String::new(), filled(&given)),
            (format!(r#""normalize": {norm}"#), z_of(filled(&given))),
            (format!(r#""normalize": {norm}, "padding": {{ "of": "rows" }}"#), z_of(filled(&given))),
            (
                format!(r#""normalize": {norm}, "padding": {{ "of": "rows", "after_normalize": true }}"#),
                filled(&z_of(given.to_vec())),
            ),
            (format!(r#""samples": {{ "normalize": {norm} }}"#), z_of(filled(&given))),
            (
                format!(r#""samples": {{ "normalize": {norm} }}, "padding": {{ "after_normalize": true }}"#),
                filled(&z_of(given.to_vec())),
            ),
            (
                format!(
                    r#""samples": {{ "normalize": {norm} }}, "padding": {{ "after_normalize": true, "at": "start" }}"#
                ),
                [&[0.0; 3][..], &z_of(given.to_vec())].concat(),
            ),
            (
                r#""samples": { "gain": 2, "pre_emphasis": { "factor": 0.5, "first": "drop" } }"#.into(),
                vec![-3.0, 5.0, -1.0, -1.5, 0.5, 0.0, 0.0],
            ),
        ] {
            let manifest = manifest(
                format!(r#""window_samples": 8, "features": {{ "kind": "waveform" }}, {members}"#)
                    .replace(", }", " }")
                    .trim_end_matches(", "),
            );
            let mut rows = rows(&manifest, 8);
            let (values, _) = of(&mut rows, 0, &given);
            let apart = values.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(
                values.len() == expected.len() && apart < 1e-6,
                "{members}: {values:?}, not {expected:?}"
            );
        }
    }

    /// AST: rows of what there is, then zeros, then the statistics of the training set.
    #[test]
    fn rows_of_a_short_clip_are_filled_up() {
        let manifest = manifest(
            r#""window_rows": 100, "features": { "preset": "ast" }, "padding": { "of": "rows", "at": "both", "with": 0.5 }"#,
        );
        let samples = audio(8_000);
        let mut plan = planned(&manifest);
        let there = plan.rows(samples.len());
        let mut expected = vec![0.5; 100 * 128];
        let before = (100 - there) / 2;
        plan.compute(&samples, &mut expected[before * 128..][..there * 128]);
        manifest.input.normalize.as_ref().expect("AST's").apply(&mut expected, 128, &mut []);
        let mut rows = rows(&manifest, 16_000);
        let (values, bins) = of(&mut rows, 0, &samples);
        assert_eq!((bins, there), (128, 48));
        assert!(*values == expected[..]);
    }

    /// wav2vec2-BERT normalises, fills up, then stacks; FunASR stacks first.
    #[test]
    fn stacks_before_or_after_the_rest() {
        for (members, rows_wanted, bins_wanted) in [
            (r#""stack": { "rows": 2, "hop": 2, "after_normalize": true }"#, 12, 160),
            (r#""stack": { "rows": 5, "hop": 1, "edges": "repeat" }"#, 24, 400),
        ] {
            let manifest = manifest(&format!(
                r#""window_samples": 4080, "features": {{ "preset": "kaldi" }}, "padding": {{ "of": "rows" }},
                   "normalize": {{ "kind": "window", "over": "bin" }}, {members}"#
            ));
            let samples = audio(4_080);
            let mut rows = rows(&manifest, 4080);
            let (values, bins) = of(&mut rows, 0, &samples);
            assert_eq!((values.len() / bins, bins), (rows_wanted, bins_wanted), "{members}");
            let first = values.to_vec();
            let (values, bins) = of(&mut rows, 1, &samples[..2_000]);
            assert_eq!((values.len() / bins, bins), (rows_wanted, bins_wanted), "{members}: filled up");
            assert!(*values != first[..]);
        }
    }
}
