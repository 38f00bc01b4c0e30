//! What can be had without a network: 60 numbers a clip and a support vector machine (Cortes & Vapnik, 1995), as ESC's authors
//! began (Piczak, ESC: Dataset for Environmental Sound Classification, 2015). A network that is no better has not paid.

use anyhow::{Context, Result};
use linfa::dataset::{DatasetBase, Pr};
use linfa::traits::Fit;
use linfa_svm::Svm;
use ndarray::{Array1, Array2};

use crate::dataset::Clip;
use crate::front_end::FrontEndSpec;
use crate::judge::arg_max;
use crate::parallel;

/// MFCCs of a row.
const COEFFICIENTS: usize = 20;
/// Of every coefficient its mean, its deviation, and the deviation of its steps from row to row.
const NUMBERS: usize = 3 * COEFFICIENTS;
/// Clips that are trained on at most, every n-th of more: the time grows with the square.
const MOST: usize = 2000;
/// Cost of an example on the wrong side.
const COST: f64 = 10.0;

/// How many of `test` a support vector machine gets right that has seen `train`. A run is not lost by it: what stops it is a
/// warning.
pub fn measured(train: &[&Clip], test: &[&Clip], sample_rate: u32, classes: usize) -> Option<usize> {
    let found = right(train, test, sample_rate, classes);
    found.inspect_err(|error| eprintln!("warning: no support vector machine to compare with: {error:#}")).ok()
}

/// The same, or why not.
pub fn right(train: &[&Clip], test: &[&Clip], sample_rate: u32, classes: usize) -> Result<usize> {
    let step = train.len().div_ceil(MOST).max(1);
    let train: Vec<&Clip> = train.iter().copied().step_by(step).collect();
    let (x, other) = (numbers(&train, sample_rate)?, numbers(test, sample_rate)?);
    let scale = Scale::of(&x);
    let (x, other) = (scale.apply(&x), scale.apply(&other));
    let records = Array2::from_shape_vec((x.len(), NUMBERS), x.concat()).context("60 numbers each")?;
    let machines: Vec<Option<Svm<f64, Pr>>> = (0..classes)
        .map(|class| {
            let is: Vec<bool> = train.iter().map(|clip| clip.class == class).collect();
            let some = is.contains(&true) && is.contains(&false);
            let data = DatasetBase::new(records.clone(), Array1::from_vec(is));
            let machine =
                Svm::<f64, Pr>::params().gaussian_kernel(NUMBERS as f64).pos_neg_weights(COST, COST);
            some.then(|| machine.fit(&data)).transpose()
        })
        .collect::<Result<_, _>>()?;
    let answer = |values: &Vec<f64>| {
        let values = Array1::from_vec(values.clone());
        let side = |machine: &Option<Svm<f64, Pr>>| {
            machine.as_ref().map_or(f32::MIN, |machine| (machine.weighted_sum(&values) - machine.rho) as f32)
        };
        arg_max(&machines.iter().map(side).collect::<Vec<_>>())
    };
    Ok(other.iter().zip(test).filter(|(values, clip)| answer(values) == clip.class).count())
}

/// Of every clip [`NUMBERS`] of its MFCCs: 26 mel bands of about 64 ms, half of it apart.
fn numbers(clips: &[&Clip], sample_rate: u32) -> Result<Vec<Vec<f64>>> {
    let fft = (f64::from(sample_rate) * 0.064).log2().round().exp2() as u32;
    let input = serde_json::json!({
        "tensor": "input", "layout": ["batch", "channel", "bin", "row"], "sample_rate": sample_rate,
        "window_seconds": 0.5, "padding": "zeros",
        "features": {
            "preset": "librosa", "kind": "mfcc", "fft": fft, "frame_length": fft, "frame_hop": fft / 2,
            "mel": { "bins": 26 }, "mfcc": { "count": COEFFICIENTS }
        }
    });
    let spec = FrontEndSpec::new(serde_json::from_value(input)?, 0.5)?;
    let work = |front_end: &mut crate::front_end::FrontEnd, clip: &&Clip| {
        let [bins, rows] = front_end.shape();
        let mut values = vec![Vec::new(); COEFFICIENTS];
        let mut input = Vec::new();
        for part in clip.samples.chunks(front_end.window()) {
            let mut window = part.to_vec();
            window.resize(front_end.window(), 0.0);
            input.clear();
            front_end.append(&window, &mut input);
            (0..bins).for_each(|bin| values[bin].extend_from_slice(&input[bin * rows..(bin + 1) * rows]));
        }
        let mut numbers = Vec::with_capacity(NUMBERS);
        for values in values {
            let steps: Vec<f32> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (mean, deviation) = moments(values.into_iter().map(f64::from));
            numbers.extend([mean, deviation, moments(steps.into_iter().map(f64::from)).1]);
        }
        Ok(numbers)
    };
    parallel::map(parallel::cores(), clips, || spec.plan(), work, &|| ())
}

/// Mean and standard deviation.
fn moments(values: impl ExactSizeIterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, (values.map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// What brings every number to the mean 0 and the deviation 1.
struct Scale(Vec<(f64, f64)>);

impl Scale {
    fn of(clips: &[Vec<f64>]) -> Self {
        let column = |n: usize| clips.iter().map(|numbers| numbers[n]).collect::<Vec<_>>();
        Self((0..NUMBERS).map(|n| moments(column(n).into_iter())).collect())
    }

    fn apply(&self, clips: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let one = |(value, (mean, deviation)): (&f64, &(f64, f64))| (value - mean) / deviation.max(1e-9);
        clips.iter().map(|numbers| numbers.iter().zip(&self.0).map(one).collect()).collect()
    }
}
