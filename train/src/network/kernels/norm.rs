//! Batch normalisation with the ReLU after it: once over a batch for its statistics, once to apply them; the same backwards.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use rayon::prelude::*;

use super::Normalised;

/// Partial sums of one stretch, which the compiler puts into vectors.
const LANES: usize = 16;

/// `[examples, channels, places]`
pub fn sizes(x: &FlexTensor) -> [usize; 3] {
    let [batch, channels, h, w] = x.layout().shape().dims();
    [batch, channels, h * w]
}

/// Sums of `value` over two lists of the same length.
#[inline(always)]
pub fn sums<const N: usize>(a: &[f32], b: &[f32], value: impl Fn(f32, f32) -> [f32; N]) -> [f64; N] {
    let mut lanes = [[0.0_f32; LANES]; N];
    let (whole, rest) = (a.len() / LANES * LANES, a.len() % LANES);
    for (a, b) in a[..whole].chunks_exact(LANES).zip(b[..whole].chunks_exact(LANES)) {
        for lane in 0..LANES {
            let value = value(a[lane], b[lane]);
            (0..N).for_each(|n| lanes[n][lane] += value[n]);
        }
    }
    for lane in 0..rest {
        let value = value(a[whole + lane], b[whole + lane]);
        (0..N).for_each(|n| lanes[n][lane] += value[n]);
    }
    lanes.map(|lanes| lanes.iter().map(|lane| f64::from(*lane)).sum())
}

pub fn tensor<const D: usize>(values: Vec<f32>, sizes: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, sizes))
}

/// See [`super::Forward::normalise`].
pub fn normalise(
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: &FlexTensor,
    epsilon: f64,
    rectify: bool,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let ([batch, channels, places], shape) = (sizes(x), x.layout().shape().dims::<4>());
    let (x, gamma, beta) = (x.to_contiguous(), gamma.to_contiguous(), beta.to_contiguous());
    let x = x.storage::<f32>();
    let (gamma, beta) = (gamma.storage::<f32>(), beta.storage::<f32>());
    let count = (batch * places) as f64;
    let statistics = |channel: usize| {
        let parts = || (0..batch).map(|n| &x[(n * channels + channel) * places..][..places]);
        let mean = parts().map(|part| sums(part, part, |x, _| [x])[0]).sum::<f64>() / count;
        let centre = mean as f32;
        let squares = |part: &[f32]| sums(part, part, |x, _| [(x - centre) * (x - centre)])[0];
        let variance = parts().map(squares).sum::<f64>() / count;
        (centre, variance as f32)
    };
    let (mean, variance): (Vec<f32>, Vec<f32>) = (0..channels).into_par_iter().map(statistics).unzip();
    let mut y = vec![0.0_f32; x.len()];
    y.par_chunks_mut(places).zip(x.par_chunks(places)).enumerate().for_each(|(index, (y, x))| {
        let channel = index % channels;
        let scale = gamma[channel] / (variance[channel] + epsilon as f32).sqrt();
        let offset = beta[channel] - mean[channel] * scale;
        let least = if rectify { 0.0 } else { f32::NEG_INFINITY };
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x * scale + offset).max(least));
    });
    (tensor(y, shape), tensor(mean, [channels]), tensor(variance, [channels]))
}

/// See [`super::Gradient::of_normalise`].
pub fn gradients(inputs: &Normalised<Flex>, gradient: &FlexTensor) -> [FlexTensor; 3] {
    let ([batch, channels, places], shape) = (sizes(&inputs.x), inputs.x.layout().shape().dims::<4>());
    let whole = |tensor: &FlexTensor| tensor.to_contiguous();
    let (x, gradient) = (whole(&inputs.x), whole(gradient));
    let (x, gradient) = (x.storage::<f32>(), gradient.storage::<f32>());
    let per_channel = [&inputs.gamma, &inputs.beta, &inputs.mean, &inputs.variance].map(whole);
    let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|n| per_channel[n].storage::<f32>());
    // y = x · scale + offset, and xs = (x − mean) / deviation.
    let terms = |channel: usize| {
        let inverse = 1.0 / (variance[channel] + inputs.epsilon as f32).sqrt();
        let scale = gamma[channel] * inverse;
        (inverse, scale, beta[channel] - mean[channel] * scale)
    };
    // What of the gradient came through the ReLU.
    let through = |x: f32, g: f32, scale: f32, offset: f32| match inputs.rectify {
        true if x * scale + offset <= 0.0 => 0.0,
        _ => g,
    };
    let of_channel = |channel: usize| {
        let (inverse, scale, offset) = terms(channel);
        let mut total = [0.0_f64; 2];
        for n in 0..batch {
            let at = (n * channels + channel) * places;
            let found = sums(&x[at..at + places], &gradient[at..at + places], |x, g| {
                let g = through(x, g, scale, offset);
                [g, g * (x - mean[channel]) * inverse]
            });
            (0..2).for_each(|n| total[n] += found[n]);
        }
        (total[0], total[1])
    };
    let (of_beta, of_gamma): (Vec<f64>, Vec<f64>) = (0..channels).into_par_iter().map(of_channel).unzip();
    let count = (batch * places) as f64;
    let mut of_x = vec![0.0_f32; x.len()];
    let parts = of_x.par_chunks_mut(places).zip(x.par_chunks(places)).zip(gradient.par_chunks(places));
    parts.enumerate().for_each(|(index, ((of_x, x), gradient))| {
        let channel = index % channels;
        let (inverse, scale, offset) = terms(channel);
        let (even, along) = ((of_beta[channel] / count) as f32, (of_gamma[channel] / count) as f32);
        let along = along * inverse;
        for ((of_x, &x), &g) in of_x.iter_mut().zip(x).zip(gradient) {
            let g = through(x, g, scale, offset);
            *of_x = scale * (g - even - (x - mean[channel]) * along);
        }
    });
    let list = |values: Vec<f64>| tensor(values.into_iter().map(|v| v as f32).collect(), [channels]);
    [tensor(of_x, shape), list(of_gamma), list(of_beta)]
}
