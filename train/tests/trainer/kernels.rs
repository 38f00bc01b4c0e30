//! The CPU's own convolution and normalisation against burn's, forwards and backwards.

use crate::random::Random;
use auricle_train::network::kernels::{Steps, convolve, filter, normalise, rectify};
use burn::nn::BatchNormConfig;
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

fn random<const D: usize>(sizes: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let mut random = Random(seed);
    let values: Vec<f32> = (0..sizes.iter().product()).map(|_| random.sample()).collect();
    Tensor::from_data(TensorData::new(values, sizes), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// As a part of the largest value.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1e-3_f32, |most, v| most.max(v.abs()));
    a.iter().zip(b).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs())) / largest
}

fn options(steps: Steps, groups: usize) -> ConvOptions<2> {
    let padding = [0, 1].map(|axis| (steps.before[axis], steps.after[axis]));
    ConvOptions::new_with_padding(steps.stride, padding, [1, 1], groups)
}

/// `y`, and the gradients of what it was made of.
fn found<const D: usize>(y: Tensor<4>, x: &Tensor<4>, weight: &Tensor<D>) -> [Vec<f32>; 3] {
    let along = random(y.dims(), 3, &y.device());
    let gradients = (y.clone() * along).sum().backward();
    [values(y), values(x.grad(&gradients).unwrap()), values(weight.grad(&gradients).unwrap())]
}

/// What was found by both, of the same `place`.
fn same(ours: &[Vec<f32>; 3], burns: &[Vec<f32>; 3], place: &str) {
    for (what, (ours, burns)) in ["y", "x", "weight"].iter().zip(ours.iter().zip(burns)) {
        let difference = difference(ours, burns);
        assert!(difference < 2e-6, "{what} of {place}: {difference}");
    }
}

#[test]
fn a_convolution_and_its_gradients_are_burns() {
    let device = Device::flex().autodiff();
    let even = |stride, pad| Steps::even(stride, pad);
    let causal = Steps { stride: [2, 1], before: [1, 2], after: [1, 0] };
    for (batch, [inputs, outputs], kernel, picture, steps) in [
        (32, [1, 5], [3, 3], [16, 9], even([1, 1], 1)),
        (5, [3, 4], [5, 5], [13, 11], even([2, 2], 2)),
        (9, [4, 7], [1, 1], [6, 5], even([1, 1], 0)),
        (8, [6, 3], [3, 3], [3, 2], even([1, 1], 1)),
        (3, [2, 3], [3, 3], [8, 7], causal),
        (1, [2, 2], [3, 5], [4, 9], Steps { stride: [1, 3], before: [0, 1], after: [2, 4] }),
        (2, [1, 1], [3, 3], [1, 1], even([1, 1], 1)),
        (2, [1, 2], [5, 3], [2, 1], even([2, 2], 3)),
    ] {
        let x = random([batch, inputs, picture[0], picture[1]], 1, &device).require_grad();
        let weight = random([outputs, inputs, kernel[0], kernel[1]], 2, &device).require_grad();
        let ours = convolve(x.clone(), weight.clone(), steps);
        let burns = conv2d(x.clone(), weight.clone(), None, options(steps, 1));
        let [ours, burns] = [ours, burns].map(|y| found(y, &x, &weight));
        same(&ours, &burns, &format!("{picture:?} by {kernel:?}, {steps:?}"));
    }
}

#[test]
fn a_filter_a_channel_and_its_gradients_are_burns() {
    let device = Device::flex().autodiff();
    let halved = Steps { stride: [2, 2], before: [0, 0], after: [1, 1] };
    for (batch, channels, kernel, picture, steps) in [
        (5, 6, [3, 3], [16, 9], Steps::even([1, 1], 1)),
        (3, 4, [3, 3], [8, 6], halved),
        (2, 3, [5, 3], [7, 11], Steps { stride: [1, 3], before: [2, 0], after: [1, 4] }),
        (1, 2, [1, 1], [3, 2], Steps::even([1, 1], 0)),
        (2, 7, [3, 3], [1, 1], Steps::even([1, 1], 1)),
    ] {
        let x = random([batch, channels, picture[0], picture[1]], 1, &device).require_grad();
        let weight = random([channels, 1, kernel[0], kernel[1]], 2, &device).require_grad();
        let ours = filter(x.clone(), weight.clone(), steps);
        let burns = conv2d(x.clone(), weight.clone(), None, options(steps, channels));
        let [ours, burns] = [ours, burns].map(|y| found(y, &x, &weight));
        same(&ours, &burns, &format!("{picture:?} by {kernel:?}, {steps:?}"));
    }
}

#[test]
fn a_bias_with_a_relu_and_its_gradients_are_burns() {
    let device = Device::flex().autodiff();
    for [batch, channels, h, w] in [[3, 4, 5, 7], [1, 2, 1, 1], [6, 3, 4, 16]] {
        let x = random([batch, channels, h, w], 1, &device).require_grad();
        let bias = random([channels], 2, &device).require_grad();
        let ours = rectify(x.clone(), bias.clone());
        let burns = relu(x.clone() + bias.clone().reshape([1, channels, 1, 1]));
        let [ours, burns] = [ours, burns].map(|y| found(y, &x, &bias));
        same(&ours, &burns, &format!("[{batch}, {channels}, {h}, {w}]"));
    }
}

#[test]
fn a_normalisation_its_gradients_and_statistics_are_burns() {
    let device = Device::flex().autodiff();
    for sizes in [[6, 5, 4, 9], [3, 2, 1, 1], [2, 3, 17, 1]] {
        for rectify in [false, true] {
            let x = (random(sizes, 1, &device) * 3.0 + 1.0).detach().require_grad();
            let found = [false, true].map(|burns| {
                let mut norm = BatchNormConfig::new(sizes[1]).init(&device);
                norm.gamma = norm.gamma.map(|_| random([sizes[1]], 5, &device).require_grad());
                norm.beta = norm.beta.map(|_| random([sizes[1]], 6, &device).require_grad());
                let y = match (burns, rectify) {
                    (false, _) => normalise(&norm, x.clone(), rectify),
                    (true, false) => norm.forward(x.clone()),
                    (true, true) => relu(norm.forward(x.clone())),
                };
                let along = random(sizes, 7, &device);
                let gradients = (y.clone() * along).sum().backward();
                let channel = |tensor: Tensor<1>| values(tensor.grad(&gradients).unwrap());
                [
                    values(y),
                    values(x.grad(&gradients).unwrap()),
                    channel(norm.gamma.val()),
                    channel(norm.beta.val()),
                    values(norm.running_mean.value_sync()),
                    values(norm.running_var.value_sync()),
                ]
            });
            for (index, (ours, burns)) in found[0].iter().zip(&found[1]).enumerate() {
                let difference = difference(ours, burns);
                assert!(difference < 1e-5, "part {index} of {sizes:?}, {rectify}: {difference}");
            }
        }
    }
}
