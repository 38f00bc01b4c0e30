//! Normal sounds alone, and how far others are from them: the Mahalanobis distance of an embedding, with the covariance shrunk as
//! Ledoit and Wolf do (J. Multivariate Analysis 2004), and a threshold that so many normal windows are beyond.

use anyhow::{Result, ensure};
use auricle::Manifest;
use auricle::manifest::{Output, Stream};
use auricle::stages::events::Rules;
use auricle::stages::scores::Activation;
use rayon::prelude::*;

use crate::onnx::edit::Editor;

/// Name of the one score.
pub const LABEL: &str = "unusual";
/// Outputs of a window at the median of normal ones: a score of 0.018.
const USUAL: f64 = -4.0;
/// Windows beyond the threshold that it is at least found by.
const BEYOND: f64 = 5.0;

/// What normal windows are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Normal {
    /// Mean of every value.
    pub mean: Vec<f64>,
    /// `[values, values]`: (x − mean) times this has the distance as its length.
    pub whitening: Vec<f64>,
    /// Share of the covariance that was replaced by its mean variance.
    pub shrinkage: f64,
}

/// Distances as a score: 0.5 at the threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Distance that is as often beyond as was asked for.
    pub distance: f64,
    /// Distance over which the output rises by 1.
    pub scale: f64,
}

impl Normal {
    /// From windows of the same number of values.
    pub fn fit(windows: &[&[f32]]) -> Result<Self> {
        let size = windows.first().map_or(0, |window| window.len());
        ensure!(size > 0 && windows.len() >= 2, "{} windows; at least 2 are needed", windows.len());
        let count = windows.len() as f64;
        let mut mean = vec![0.0; size];
        for window in windows {
            mean.iter_mut().zip(*window).for_each(|(mean, v)| *mean += f64::from(*v) / count);
        }
        let centred: Vec<Vec<f64>> = windows
            .iter()
            .map(|window| window.iter().zip(&mean).map(|(v, mean)| f64::from(*v) - mean).collect())
            .collect();
        let row = |i: usize| -> Vec<f64> {
            let mut row = vec![0.0; size];
            for window in &centred {
                row.iter_mut().zip(window).for_each(|(sum, v)| *sum += window[i] * v / count);
            }
            row
        };
        let mut covariance: Vec<f64> = (0..size).into_par_iter().flat_map_iter(row).collect();
        let shrinkage = shrink(&mut covariance, &centred);
        let whitening = inverse_of_root(&covariance, size);
        ensure!(
            whitening.iter().all(|v| v.is_finite()),
            "the {} windows are all alike: there is nothing to tell others from",
            windows.len()
        );
        Ok(Self { mean, whitening, shrinkage })
    }

    /// How far a window is from the normal ones, in deviations.
    pub fn distance(&self, window: &[f32]) -> f64 {
        let size = self.mean.len();
        let mut along = vec![0.0; size];
        for (i, (v, mean)) in window.iter().zip(&self.mean).enumerate() {
            let apart = f64::from(*v) - mean;
            let row = &self.whitening[i * size..][..size];
            along.iter_mut().zip(row).for_each(|(sum, w)| *sum += apart * w);
        }
        along.iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    /// Network and distance in one file's bytes, and its manifest: the network's, with one score. What of the network the
    /// embedding does not need is left out.
    pub fn join(
        &self,
        threshold: Threshold,
        onnx: &[u8],
        manifest: &Manifest,
        embedding: &str,
    ) -> Result<(Vec<u8>, Manifest)> {
        let size = self.mean.len();
        let whitening: Vec<f32> = self.whitening.iter().map(|v| *v as f32).collect();
        let offset = |to: usize| {
            let along = self.mean.iter().enumerate().map(|(i, mean)| mean * self.whitening[i * size + to]);
            -along.sum::<f64>() as f32
        };
        let offset: Vec<f32> = (0..size).map(offset).collect();
        let mut editor = Editor::read(onnx)?;
        let states: Vec<&str> =
            manifest.input.others.values().filter_map(|other| other.state.as_deref()).collect();
        let along = editor.end_with_linear(embedding, &whitening, &offset, &states)?;
        let (scale, offset) = (1.0 / threshold.scale, -threshold.distance / threshold.scale);
        let output = editor.end_with_length(&along, size, scale as f32, offset as f32);
        let mut manifest = manifest.clone();
        manifest.outputs = vec![Output {
            tensor: output,
            labels: vec![LABEL.into()],
            activation: Activation::Sigmoid,
            ..Output::default()
        }];
        manifest.stream =
            Stream { events: Some(Rules { on: Some(0.5), ..Rules::default() }), ..manifest.stream };
        manifest.golden.clear();
        let manifest = Manifest::parse(&manifest.to_json())?;
        Ok((editor.write(), manifest))
    }
}

impl Threshold {
    /// The distance that `rate` of the windows of normal clips, which were not among those that `Normal` was made from, are
    /// beyond.
    pub fn new(distances: &[f64], rate: f64) -> Result<Self> {
        ensure!(rate > 0.0 && rate < 1.0, "--false-alarm-rate is {rate}; valid above 0 and below 1");
        let least = (BEYOND / rate).ceil() as usize;
        ensure!(
            distances.len() >= least,
            "{} windows of normal clips cannot tell what {rate} of them are beyond: {least} are needed, or a higher \
             --false-alarm-rate (from {:.4} on)",
            distances.len(),
            BEYOND / distances.len().max(1) as f64
        );
        let mut sorted = distances.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted[((share * sorted.len() as f64) as usize).min(sorted.len() - 1)];
        let (middle, distance) = (at(0.5), at(1.0 - rate));
        Ok(Self { distance, scale: ((distance - middle) / -USUAL).max(1e-6) })
    }

    /// The score of a distance.
    pub fn score(&self, distance: f64) -> f64 {
        1.0 / (1.0 + ((self.distance - distance) / self.scale).exp())
    }
}

/// Moves the covariance towards its mean variance in all directions, as far as the windows do not tell it; gives the share.
fn shrink(covariance: &mut [f64], centred: &[Vec<f64>]) -> f64 {
    let (size, count) = (centred[0].len(), centred.len() as f64);
    let mean = (0..size).map(|i| covariance[i * size + i]).sum::<f64>() / size as f64;
    let norm: f64 = covariance.iter().map(|v| v * v).sum();
    let apart = norm - size as f64 * mean * mean;
    let fourth: f64 = centred.iter().map(|w| w.iter().map(|v| v * v).sum::<f64>().powi(2)).sum();
    let noise = (fourth / count - norm) / count;
    let share = if apart > 0.0 { (noise / apart).clamp(0.0, 1.0) } else { 1.0 };
    covariance.iter_mut().for_each(|v| *v *= 1.0 - share);
    (0..size).for_each(|i| covariance[i * size + i] += share * mean);
    share
}

/// L⁻ᵀ of the covariance L·Lᵀ (Cholesky), so that |x · L⁻ᵀ|² = x · covariance⁻¹ · xᵀ.
fn inverse_of_root(covariance: &[f64], size: usize) -> Vec<f64> {
    let mut root = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..=i {
            let (a, b) = (&root[i * size..][..j], &root[j * size..][..j]);
            let rest = covariance[i * size + j] - a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            root[i * size + j] = if i == j { rest.sqrt() } else { rest / root[j * size + j] };
        }
    }
    // Row i of the transposed inverse: forward substitution of the unit vector i.
    let column = |i: usize| -> Vec<f64> {
        let mut solved = vec![0.0; size];
        for row in i..size {
            let unit = if row == i { 1.0 } else { 0.0 };
            let known: f64 = root[row * size..][i..row].iter().zip(&solved[i..row]).map(|(a, b)| a * b).sum();
            solved[row] = (unit - known) / root[row * size + row];
        }
        solved
    };
    (0..size).into_par_iter().flat_map_iter(column).collect()
}
