//! MobileNet (Howard et al., arXiv:1704.04861) as YAMNet has it: a convolution, then thirteen pairs of a 3×3 one a channel and
//! a 1×1 one over channels, the mean over the whole map. Normalisations are folded into the weights from the beginning, so
//! that the weights of a trained network of this form can be taken over as they are.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};

use super::kernels::{self, Steps};
use super::layers::{linear, values, write_linear};
use crate::onnx::Graph;

/// Channels of the stem and after each pair: about half of YAMNet's, 0.86 M parameters, so that the file has less than 1 MB
/// in 8-bit integers.
pub const CHANNELS: [usize; 14] = [24, 48, 80, 96, 160, 160, 288, 288, 288, 288, 288, 288, 384, 512];
/// Pairs that halve bins and rows, as the stem does.
pub const STRIDES: [usize; 13] = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];
/// Side of the kernels that are not 1×1.
pub const KERNEL: usize = 3;

/// `[batch, 1, bins, rows]` -> logits `[batch, classes]`.
#[derive(Module, Debug)]
pub struct MobileNet {
    pub(crate) stem: ConvRelu,
    pub(crate) pairs: Vec<Pair>,
    /// Weights of the classes.
    pub head: Linear,
}

/// One filter a channel, then a product over channels.
#[derive(Module, Debug)]
pub struct Pair {
    pub(crate) depthwise: ConvRelu,
    pub(crate) pointwise: ConvRelu,
}

impl MobileNet {
    /// A network with new weights; the device's seed decides them. `channels` are as many as [`CHANNELS`].
    pub fn new(channels: &[usize], classes: usize, device: &Device) -> Self {
        let pair = |(&stride, sides): (&usize, &[usize])| Pair {
            depthwise: ConvRelu::new([sides[0], sides[0]], KERNEL, stride, sides[0], device),
            pointwise: ConvRelu::new([sides[0], sides[1]], 1, 1, 1, device),
        };
        Self {
            stem: ConvRelu::new([1, channels[0]], KERNEL, 2, 1, device),
            pairs: STRIDES.iter().zip(channels.windows(2)).map(pair).collect(),
            head: linear(channels[STRIDES.len()], classes, device),
        }
    }

    /// Of the stem and after each pair, as [`CHANNELS`].
    pub fn channels(&self) -> Vec<usize> {
        let pairs = self.pairs.iter().map(|pair| pair.pointwise.channels());
        std::iter::once(self.stem.channels()).chain(pairs).collect()
    }

    /// Logits.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        self.head.forward(self.embedding(x))
    }

    /// What the last layer looks at: `[batch, channels]`.
    pub fn embedding(&self, x: Tensor<4>) -> Tensor<2> {
        let pair = |x, pair: &Pair| pair.pointwise.forward(pair.depthwise.forward(x));
        pooled(self.pairs.iter().fold(self.stem.forward(x), pair))
    }

    /// Another last layer, `[channels, outputs]` and `[outputs]`.
    pub fn set_head(&mut self, weight: Vec<f32>, bias: Vec<f32>) {
        let (inputs, device) = (self.head.weight.dims()[0], self.head.weight.device());
        let outputs = bias.len();
        let tensor = |values: Vec<f32>, shape: [usize; 2]| {
            Tensor::<2>::from_data(TensorData::new(values, shape), &device)
        };
        self.head.weight = Param::from_tensor(tensor(weight, [inputs, outputs]));
        self.head.bias = Some(Param::from_tensor(tensor(bias, [1, outputs]).reshape([outputs])));
    }

    /// The same function in ONNX.
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let mut x = self.stem.write(graph, input);
        for pair in &self.pairs {
            x = pair.depthwise.write(graph, &x);
            x = pair.pointwise.write(graph, &x);
        }
        let x = graph.mean(&x, &[2, 3]);
        write_linear(&self.head, graph, &x)
    }
}

/// A convolution with a bias, then max(x, 0). Where it halves the map it is padded at the ends alone, else by half a kernel
/// on every side: TensorFlow's `same` for even sizes.
#[derive(Module, Debug)]
pub struct ConvRelu {
    conv: Conv2d,
    stride: usize,
    groups: usize,
}

impl ConvRelu {
    fn new(
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        stride: usize,
        groups: usize,
        device: &Device,
    ) -> Self {
        let [before, after] = pads(kernel, stride);
        let mut conv = Conv2dConfig::new([inputs, outputs], [kernel, kernel])
            .with_padding(PaddingConfig2d::Explicit(before, before, after, after))
            .with_stride([stride, stride])
            .with_groups(groups)
            .with_initializer(Initializer::KaimingNormal {
                gain: std::f64::consts::SQRT_2,
                fan_out_only: false,
            })
            .init(device);
        conv.weight.val();
        conv.bias = Some(Param::from_tensor(Tensor::zeros([outputs], device)));
        Self { conv, stride, groups }
    }

    /// Number of output channels.
    pub fn channels(&self) -> usize {
        self.conv.weight.dims()[0]
    }

    /// `[batch, inputs, h, w]` -> `[batch, outputs, h / stride, w / stride]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        kernels::rectify(self.without_bias(x), self.bias())
    }

    /// The same before negative values become 0.
    pub fn before_relu(&self, x: Tensor<4>) -> Tensor<4> {
        self.without_bias(x) + self.bias().reshape([1, self.channels(), 1, 1])
    }

    fn without_bias(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.conv.weight.val();
        let [before, after] = pads(weight.dims()[2], self.stride).map(|pad| [pad; 2]);
        let steps = Steps { stride: [self.stride; 2], before, after };
        if self.groups > 1 { kernels::filter(x, weight, steps) } else { kernels::convolve(x, weight, steps) }
    }

    fn bias(&self) -> Tensor<1> {
        self.conv.bias.as_ref().expect("it was made with one").val()
    }

    /// `[outputs, inputs / groups, kernel, kernel]` and `[outputs]`.
    pub fn weights(&self) -> (Vec<f32>, Vec<f32>) {
        (values(self.conv.weight.val()), values(self.bias()))
    }

    /// Other weights of the same shapes.
    pub fn set(&mut self, weight: Vec<f32>, bias: Vec<f32>) {
        let (shape, device) = (self.conv.weight.dims(), self.conv.weight.device());
        let outputs = shape[0];
        self.conv.weight = Param::from_tensor(Tensor::from_data(TensorData::new(weight, shape), &device));
        self.conv.bias =
            Some(Param::from_tensor(Tensor::from_data(TensorData::new(bias, [outputs]), &device)));
    }

    fn write(&self, graph: &mut Graph, x: &str) -> String {
        let (weight, bias) = self.weights();
        let [before, after] = pads(self.conv.weight.dims()[2], self.stride);
        let x = graph.conv_grouped(
            x,
            &weight,
            self.conv.weight.dims(),
            &bias,
            [self.stride; 2],
            [before, before, after, after],
            self.groups,
        );
        graph.relu(&x)
    }
}

/// The mean over the whole map: `[batch, channels, h, w]` -> `[batch, channels]`.
pub fn pooled(map: Tensor<4>) -> Tensor<2> {
    let [batch, channels, h, w] = map.dims();
    map.reshape([batch, channels, h * w]).mean_dim(2).reshape([batch, channels])
}

/// Zeros before and after the map, along both axes.
fn pads(kernel: usize, stride: usize) -> [usize; 2] {
    if stride == 1 { [kernel / 2; 2] } else { [0, kernel - 2] }
}
