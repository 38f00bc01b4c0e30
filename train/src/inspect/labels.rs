//! Labels that do not fit: what a linear classifier says of clips that it was not trained on, from the mean and the deviation of
//! every bin of their features.

use anyhow::Result;
use auricle::stages::scores::Activation;
use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::{Clip, Dataset};
use crate::head::{Embedded, Head};
use crate::judge::arg_max;

/// A label is in doubt where another class has at least this score, and its own at most that.
const SURE: f32 = 0.8;
const UNLIKELY: f32 = 0.05;
/// Parts, where all clips are in one fold.
const PARTS: u32 = 5;

/// A label in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Doubt {
    /// Index of the clip.
    pub clip: usize,
    /// Its label.
    pub class: usize,
    /// The class that it sounds like.
    pub sounds_like: usize,
    /// Score of that.
    pub score: f32,
    /// Score of its own.
    pub own_score: f32,
}

/// The doubts, the surest first, and the share of clips that the classifier has right. None where clips have several classes.
pub fn doubts(data: &Dataset, features: &auricle::Manifest) -> Result<Option<(Vec<Doubt>, f64)>> {
    if data.clips.iter().any(|clip| !clip.also.is_empty()) || data.classes.len() < 2 {
        return Ok(None);
    }
    let summaries: Vec<Embedded> =
        data.clips.par_iter().map(|clip| summary(clip, features)).collect::<Result<_>>()?;
    let folds = data.folds();
    let part = |index: usize| match folds.len() {
        1 => index as u32 % PARTS,
        _ => data.clips[index].fold,
    };
    let parts: Vec<u32> = if folds.len() == 1 { (0..PARTS).collect() } else { folds.clone() };
    let (mut doubts, mut right) = (Vec::new(), 0);
    for away in parts {
        let (tested, rest): (Vec<usize>, Vec<usize>) = (0..data.clips.len()).partition(|&i| part(i) == away);
        if tested.is_empty() || rest.is_empty() {
            continue;
        }
        let rest: Vec<Embedded> = rest.iter().map(|&index| summaries[index].clone()).collect();
        let head = Head::fit(&rest, data.classes.len(), 1)?;
        for clip in tested {
            let mut scores = head.outputs(&summaries[clip].windows[0]);
            Activation::Softmax.apply(&mut scores, 1.0);
            let (class, sounds_like) = (data.clips[clip].class, arg_max(&scores));
            right += usize::from(class == sounds_like);
            let (score, own_score) = (scores[sounds_like], scores[class]);
            if score >= SURE && own_score <= UNLIKELY {
                doubts.push(Doubt { clip, class, sounds_like, score, own_score });
            }
        }
    }
    doubts.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(Some((doubts, right as f64 / data.clips.len() as f64)))
}

/// Mean and deviation of every bin.
fn summary(clip: &Clip, features: &auricle::Manifest) -> Result<Embedded> {
    let sound =
        auricle::Clip { interleaved: &clip.samples, channels: 1, sample_rate: features.input.sample_rate };
    let (values, bins) = sound.features(features)?;
    let rows = (values.len() / bins).max(1) as f32;
    let mut window = vec![0.0; 2 * bins];
    for row in values.chunks_exact(bins) {
        for (bin, value) in row.iter().enumerate() {
            window[bin] += value / rows;
            window[bins + bin] += value * value / rows;
        }
    }
    for bin in 0..bins {
        window[bins + bin] = (window[bins + bin] - window[bin] * window[bin]).max(0.0).sqrt();
    }
    Ok(Embedded { classes: vec![clip.class], windows: vec![window] })
}
