//! Clips that share sound though their samples differ: other level, format, beginning, or noise over it. Found by marks, pairs
//! of peaks of the spectrogram: clips that share a sound have many of them at one distance in time (Wang, ISMIR 2003).

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use serde::Serialize;

use crate::dataset::Clip;

/// About the length of a frame, seconds; a power of two of samples.
const FRAME: f64 = 0.064;
/// Frames overlap to so many parts.
const OVERLAP: usize = 4;
/// A peak is the highest of so many bins and frames to every side.
const REACH: [usize; 2] = [10, 4];
/// Power below which peaks do not count, as a part of the highest: -50 dB.
const FLOOR: f32 = 1e-5;
/// Peaks after a peak that it is paired with, and how far off they may be in bins and frames.
const PARTNERS: usize = 10;
const FURTHEST: [usize; 2] = [64, 40];
/// A mark that more clips have says nothing.
const COMMON: usize = 40;
/// Share of the marks of the clip that has fewer, and their number, from which on two clips share sound. Of 34 clips of ESC-10
/// no two others have more than 0.07; a clip and itself half a second later 0.23 (nine in ten), in white noise of 10 dB 0.22
/// (half of them).
const LEAST: (f64, usize) = (0.12, 12);

/// Distances, in frames from the best, at which clips that share sound have half as many marks at most.
const BESIDE: std::ops::RangeInclusive<i64> = 3..=12;

/// Two clips that share sound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Their indices.
    pub clips: [usize; 2],
    /// What they share begins so much later in the second.
    pub seconds: f64,
    /// Share of the marks of the clip that has fewer.
    pub share: f64,
}

/// All pairs, the most alike first. `done` is called after each clip.
pub fn pairs(clips: &[Clip], sample_rate: u32, done: &(dyn Fn() + Sync)) -> Vec<Pair> {
    let frame = ((FRAME * f64::from(sample_rate)) as usize).next_power_of_two().max(64);
    let fft = FftPlanner::new().plan_fft_forward(frame);
    let marks = |clip: &Clip| {
        let marks = marks(&clip.samples, &fft);
        done();
        marks
    };
    let marks: Vec<Vec<(u32, u32)>> = clips.par_iter().map(marks).collect();
    let mut places: HashMap<u32, Vec<(usize, u32)>> = HashMap::new();
    for (clip, marks) in marks.iter().enumerate() {
        for &(mark, time) in marks {
            places.entry(mark).or_default().push((clip, time));
        }
    }
    let mut shared: HashMap<(usize, usize, i64), usize> = HashMap::new();
    for places in places.values().filter(|places| (2..=COMMON).contains(&places.len())) {
        for (index, &(a, from)) in places.iter().enumerate() {
            for &(b, to) in places[index + 1..].iter().filter(|(b, _)| *b != a) {
                *shared.entry((a, b, i64::from(to) - i64::from(from))).or_default() += 1;
            }
        }
    }
    // A shift by half a frame falls between two distances.
    let mut best: HashMap<(usize, usize), (usize, i64)> = HashMap::new();
    for (&(a, b, shift), &count) in &shared {
        let count = count + shared.get(&(a, b, shift + 1)).copied().unwrap_or(0);
        let best = best.entry((a, b)).or_default();
        *best = (*best).max((count, shift));
    }
    // A hum has its marks at every distance; what two clips share lies at one.
    let stands_out = |a: usize, b: usize, count: usize, shift: i64| {
        let beside = BESIDE.flat_map(|by| [shift - by, shift + by]);
        let most = beside.filter_map(|shift| shared.get(&(a, b, shift))).max().copied().unwrap_or(0);
        count > 2 * most
    };
    let pair = |((a, b), (count, shift)): ((usize, usize), (usize, i64))| {
        let of = marks[a].len().min(marks[b].len()).max(1);
        let share = (count as f64 / of as f64).min(1.0);
        let seconds = (shift * (frame / OVERLAP) as i64) as f64 / f64::from(sample_rate);
        let found = share >= LEAST.0 && count >= LEAST.1 && stands_out(a, b, count, shift);
        found.then_some(Pair { clips: [a, b], seconds, share })
    };
    let mut pairs: Vec<Pair> = best.into_iter().filter_map(pair).collect();
    pairs.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.clips.cmp(&b.clips)));
    pairs
}

/// (two bins and their distance in frames, frame), each pair once.
fn marks(samples: &[f32], fft: &Arc<dyn Fft<f32>>) -> Vec<(u32, u32)> {
    let peaks = peaks(samples, fft);
    let mut marks = Vec::new();
    for (index, &(time, bin)) in peaks.iter().enumerate() {
        let partners = peaks[index + 1..].iter().take_while(|(later, _)| later - time <= FURTHEST[1]);
        let near = partners.filter(|(later, other)| *later > time && other.abs_diff(bin) <= FURTHEST[0]);
        for &(later, other) in near.take(PARTNERS) {
            // Halved, because a peak moves by a bin or a frame when clips are cut elsewhere.
            let [from, to, apart] = [bin, other, later - time].map(|v| v as u32 / 2);
            let mark = (from << 18) | (to << 6) | apart;
            marks.push((mark, time as u32));
        }
    }
    marks.sort_unstable();
    marks.dedup();
    marks
}

/// (frame, bin) of the peaks, in the order of time.
fn peaks(samples: &[f32], fft: &Arc<dyn Fft<f32>>) -> Vec<(usize, usize)> {
    let (frame, bins) = (fft.len(), fft.len() / 2);
    let taper: Vec<f32> =
        (0..frame).map(|n| 0.5 - 0.5 * (std::f32::consts::TAU * n as f32 / frame as f32).cos()).collect();
    let mut spectrum = vec![Complex32::default(); frame];
    let mut power = Vec::new();
    for part in samples.windows(frame).step_by(frame / OVERLAP) {
        spectrum.iter_mut().zip(part.iter().zip(&taper)).for_each(|(to, (s, t))| *to = (s * t).into());
        fft.process(&mut spectrum);
        power.extend(spectrum[..bins].iter().map(|value| value.norm_sqr()));
    }
    // What is far below the loudest is alike everywhere, and has no peaks: side lobes, say.
    let floor = power.iter().fold(1e-9_f32, |most, v| most.max(*v)) * FLOOR;
    power.iter_mut().for_each(|v| *v = (*v + floor).ln());
    let frames = power.len() / bins;
    let mean = power.iter().sum::<f32>() / power.len().max(1) as f32;
    // The highest around, first over the bins of a frame, then over frames.
    let around = |values: &dyn Fn(usize) -> f32, at: usize, reach: usize, count: usize| {
        (at.saturating_sub(reach)..(at + reach + 1).min(count)).map(values).fold(f32::MIN, f32::max)
    };
    let in_frame: Vec<f32> = (0..power.len())
        .map(|n| around(&|bin| power[n / bins * bins + bin], n % bins, REACH[0], bins))
        .collect();
    let is_peak = |&n: &usize| {
        power[n] > mean
            && power[n] >= in_frame[n]
            && power[n] >= around(&|time| in_frame[time * bins + n % bins], n / bins, REACH[1], frames)
    };
    (0..power.len()).filter(is_peak).map(|n| (n / bins, n % bins)).collect()
}
