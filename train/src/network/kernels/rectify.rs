//! A constant a channel, and what is below 0 cut off: once over a batch, forwards and backwards.

use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::norm::{sizes, sums, tensor};

/// max(x + bias, 0), of `[batch, channels, h, w]` and `[channels]`.
pub fn forward(x: &FlexTensor, bias: &FlexTensor) -> FlexTensor {
    let ([_, channels, places], shape) = (sizes(x), x.layout().shape().dims::<4>());
    let (x, bias) = (x.to_contiguous(), bias.to_contiguous());
    let (x, bias) = (x.storage::<f32>(), bias.storage::<f32>());
    let mut y = vec![0.0_f32; x.len()];
    y.par_chunks_mut(channels * places).zip(x.par_chunks(channels * places)).for_each(|(y, x)| {
        for ((y, x), bias) in y.chunks_exact_mut(places).zip(x.chunks_exact(places)).zip(bias) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = (x + bias).max(0.0));
        }
    });
    tensor(y, shape)
}

/// Of x and of the bias.
pub fn backward(x: &FlexTensor, bias: &FlexTensor, gradient: &FlexTensor) -> [FlexTensor; 2] {
    let ([_, channels, places], shape) = (sizes(x), x.layout().shape().dims::<4>());
    let (x, bias, gradient) = (x.to_contiguous(), bias.to_contiguous(), gradient.to_contiguous());
    let (x, bias, gradient) = (x.storage::<f32>(), bias.storage::<f32>(), gradient.storage::<f32>());
    let through = |x: f32, bias: f32, g: f32| if x + bias > 0.0 { g } else { 0.0 };
    let mut of_x = vec![0.0_f32; x.len()];
    let size = channels * places;
    let examples = of_x.par_chunks_mut(size).zip(x.par_chunks(size)).zip(gradient.par_chunks(size));
    let of_example = |((of_x, x), gradient): ((&mut [f32], &[f32]), &[f32])| -> Vec<f64> {
        let planes = of_x.chunks_exact_mut(places).zip(x.chunks_exact(places));
        let mut of_bias = Vec::with_capacity(channels);
        for (((of_x, x), g), &bias) in planes.zip(gradient.chunks_exact(places)).zip(bias) {
            of_x.iter_mut().zip(x).zip(g).for_each(|((of_x, x), g)| *of_x = through(*x, bias, *g));
            of_bias.push(sums(x, g, |x, g| [through(x, bias, g)])[0]);
        }
        of_bias
    };
    let parts: Vec<Vec<f64>> = examples.map(of_example).collect();
    let total = |channel: usize| parts.iter().map(|part| part[channel]).sum::<f64>() as f32;
    [tensor(of_x, shape), tensor((0..channels).map(total).collect(), [channels])]
}
