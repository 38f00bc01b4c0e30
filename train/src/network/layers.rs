//! What the architectures share.

use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::{Device, Tensor, TensorData};

use super::kernels::{self, Steps};
use crate::onnx::Graph;

/// Standardises every bin of the input by statistics that are learned with the rest (batch normalisation over bins,
/// as PANNs do: Kong et al., arXiv:1912.10211), so that no architecture depends on the scale of the features.
#[derive(Module, Debug)]
pub struct PerBin {
    norm: BatchNorm,
}

impl PerBin {
    pub fn new(bins: usize, device: &Device) -> Self {
        Self { norm: BatchNormConfig::new(bins).init(device) }
    }

    /// `[batch, 1, bins, rows]` -> the same shape.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        kernels::normalise(&self.norm, x.swap_dims(1, 2), false).swap_dims(1, 2)
    }

    pub fn write(&self, graph: &mut Graph, x: &str) -> String {
        let (scale, offset) = affine(&self.norm);
        graph.scale(x, &scale, &offset, &[1, 1, scale.len(), 1])
    }
}

/// A k×k convolution without bias, padded by k / 2 on every side, then batch normalisation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
    stride: [usize; 2],
}

impl ConvNorm {
    pub fn new([inputs, outputs]: [usize; 2], kernel: usize, stride: [usize; 2], device: &Device) -> Self {
        let pad = kernel / 2;
        let layer = Self {
            conv: Conv2dConfig::new([inputs, outputs], [kernel, kernel])
                .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                .with_stride(stride)
                .with_bias(false)
                .init(device),
            norm: BatchNormConfig::new(outputs).init(device),
            stride,
        };
        layer.conv.weight.val();
        layer
    }

    /// Number of output channels.
    pub fn channels(&self) -> usize {
        self.conv.weight.dims()[0]
    }

    /// `[batch, inputs, h, w]` -> `[batch, outputs, ⌈h / stride[0]⌉, ⌈w / stride[1]⌉]` (odd kernels).
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        kernels::normalise(&self.norm, self.convolve(x), false)
    }

    pub fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        kernels::normalise(&self.norm, self.convolve(x), true)
    }

    fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.conv.weight.val();
        let pad = weight.dims()[2] / 2;
        kernels::convolve(x, weight, Steps::even(self.stride, pad))
    }

    /// Makes 0 of the channels with the smallest weights (Li et al., arXiv:1608.08710) so that only `kept` say anything.
    /// Outside training. Where a ReLU follows, training leaves them so: no gradient comes through.
    pub fn silence_all_but(&mut self, kept: usize) {
        let [channels, inputs, h, w] = self.conv.weight.dims();
        let weight = values(self.conv.weight.val());
        let (scale, _) = affine(&self.norm);
        let sizes = weight.chunks_exact(inputs * h * w).zip(scale);
        let sizes: Vec<f32> =
            sizes.map(|(channel, scale)| channel.iter().map(|w| (w * scale).abs()).sum()).collect();
        let mut order: Vec<usize> = (0..channels).collect();
        order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
        let mut heard = vec![0.0_f32; channels];
        order[..kept].iter().for_each(|&channel| heard[channel] = 1.0);
        let mute = |old: Tensor<1>| {
            let heard = Tensor::from_data(TensorData::new(heard.clone(), [channels]), &old.device());
            old * heard
        };
        self.norm.gamma = self.norm.gamma.clone().map(mute);
        self.norm.beta = self.norm.beta.clone().map(mute);
    }

    /// One `Conv`: the normalisation is folded into its weights.
    pub fn write(&self, graph: &mut Graph, x: &str) -> String {
        let shape = self.conv.weight.dims();
        let mut weight = values(self.conv.weight.val());
        let (scale, offset) = affine(&self.norm);
        for (channel, scale) in weight.chunks_exact_mut(shape[1] * shape[2] * shape[3]).zip(scale) {
            channel.iter_mut().for_each(|w| *w *= scale);
        }
        graph.conv(x, &weight, shape, &offset, self.stride)
    }

    pub fn write_relu(&self, graph: &mut Graph, x: &str) -> String {
        let x = self.write(graph, x);
        graph.relu(&x)
    }
}

/// A linear layer whose weights are drawn now, while the seed holds: burn draws a parameter's values when it is
/// first looked at.
pub fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight.val();
    layer.bias.as_ref().map(Param::val);
    layer
}

/// `Gemm` of a `[batch, inputs]`.
pub fn write_linear(layer: &Linear, graph: &mut Graph, x: &str) -> String {
    graph.linear(x, &values(layer.weight.val()), layer.weight.dims(), &bias(layer))
}

/// `MatMul` and `Add` over the last axis of any shape.
pub fn write_linear_nd(layer: &Linear, graph: &mut Graph, x: &str) -> String {
    graph.linear_nd(x, &values(layer.weight.val()), layer.weight.dims(), &bias(layer))
}

fn bias(layer: &Linear) -> Vec<f32> {
    layer.bias.as_ref().map(|b| values(b.val())).expect("linear() makes layers with a bias")
}

/// Added to the variance of a layer normalisation; PyTorch's.
const LAYER_EPSILON: f64 = 1e-5;

/// Normalisation over the last axis, of `width` values.
pub fn layer_norm(width: usize, device: &Device) -> LayerNorm {
    LayerNormConfig::new(width).with_epsilon(LAYER_EPSILON).init(device)
}

/// The same in ONNX.
pub fn write_layer_norm(norm: &LayerNorm, graph: &mut Graph, x: &str) -> String {
    let beta = norm.beta.as_ref().map(|b| values(b.val())).expect("layer norms are made with a bias");
    graph.layer_norm(x, &values(norm.gamma.val()), &beta, LAYER_EPSILON as f32)
}

/// Batch normalisation outside training is `x * scale + offset`, one pair a channel.
pub fn affine(norm: &BatchNorm) -> (Vec<f32>, Vec<f32>) {
    let statistic = |s: &RunningState<Tensor<1>>| values(s.value_sync());
    let (mean, variance) = (statistic(&norm.running_mean), statistic(&norm.running_var));
    let (gamma, beta) = (values(norm.gamma.val()), values(norm.beta.val()));
    let scale: Vec<f32> = gamma
        .iter()
        .zip(&variance)
        .map(|(g, v)| (f64::from(*g) / (f64::from(*v) + norm.epsilon).sqrt()) as f32)
        .collect();
    let offset = (0..beta.len()).map(|i| beta[i] - mean[i] * scale[i]).collect();
    (scale, offset)
}

/// The numbers of a tensor, row-major.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().expect("the data were converted to f32")
}
