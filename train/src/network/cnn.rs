//! AudioCNN: four 3×3 convolutions over the spectrogram, then the maximum over all of it.

use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::onnx::Graph;

/// Channels after each convolution.
pub const CHANNELS: [usize; 4] = [32, 64, 128, 256];

/// `[batch, 1, bins, rows]` -> logits `[batch, classes]`. Every bin of the input is standardised by statistics that
/// are learned with the rest (batch normalisation over bins, as PANNs do: Kong et al., arXiv:1912.10211).
#[derive(Module, Debug)]
pub struct AudioCnn {
    input: BatchNorm,
    blocks: Vec<Block>,
    pool: MaxPool2d,
    head: Linear,
}

/// Convolution without bias, batch normalisation, ReLU.
#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

impl AudioCnn {
    /// A network with new weights; the device's seed decides them.
    pub fn new(bins: usize, classes: usize, device: &Device) -> Self {
        let inputs = [1].into_iter().chain(CHANNELS);
        let blocks = inputs.zip(CHANNELS).map(|(i, o)| Block {
            conv: Conv2dConfig::new([i, o], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .with_bias(false)
                .init(device),
            norm: BatchNormConfig::new(o).init(device),
        });
        let network = Self {
            input: BatchNormConfig::new(bins).init(device),
            blocks: blocks.collect(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            head: LinearConfig::new(CHANNELS[3], classes).init(device),
        };
        // Burn draws a parameter's values when it is first looked at. Now is when the seed holds.
        for block in &network.blocks {
            block.conv.weight.val();
        }
        network.head.weight.val();
        network.head.bias.as_ref().map(Param::val);
        network
    }

    /// Logits.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = self.input.forward(x.swap_dims(1, 2)).swap_dims(1, 2);
        for (i, block) in self.blocks.iter().enumerate() {
            if i > 0 {
                x = self.pool.forward(x);
            }
            x = relu(block.norm.forward(block.conv.forward(x)));
        }
        let [batch, channels, h, w] = x.dims();
        let x = x.reshape([batch, channels, h * w]).max_dim(2).reshape([batch, channels]);
        self.head.forward(x)
    }

    /// The same function in ONNX, with the batch normalisations folded. `self` must be out of training (`valid()`).
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let (scale, offset) = affine(&self.input);
        let mut x = graph.scale(input, &scale, &offset, &[1, 1, scale.len(), 1]);
        for (i, block) in self.blocks.iter().enumerate() {
            if i > 0 {
                x = graph.max_pool_2x2(&x);
            }
            let shape = block.conv.weight.dims();
            let mut weight = values(block.conv.weight.val());
            let (scale, offset) = affine(&block.norm);
            for (channel, scale) in weight.chunks_exact_mut(shape[1] * shape[2] * shape[3]).zip(scale) {
                channel.iter_mut().for_each(|w| *w *= scale);
            }
            x = graph.conv_same(&x, &weight, shape, &offset);
            x = graph.relu(&x);
        }
        x = graph.global_max_pool(&x);
        let bias = self.head.bias.as_ref().map(|b| values(b.val())).expect("the head was made with a bias");
        graph.linear(&x, &values(self.head.weight.val()), self.head.weight.dims(), &bias)
    }
}

/// Batch normalisation outside training is `x * scale + offset`, one pair a channel.
fn affine(norm: &BatchNorm) -> (Vec<f32>, Vec<f32>) {
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

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().expect("the data were converted to f32")
}
