//! A small residual network (He et al., arXiv:1512.03385) for spectrograms.

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::Size;
use super::layers::{ConvNorm, PerBin, linear, write_linear};
use crate::onnx::Graph;

/// Channels of the stem and after each group of blocks, at a width of 1.
const CHANNELS: [usize; 5] = [24, 24, 40, 64, 80];
/// Side of the stem's kernel. It halves bins and rows, and so does the first block of every group but the first.
const STEM: usize = 5;

/// `[batch, 1, bins, rows]` -> logits `[batch, classes]`.
#[derive(Module, Debug)]
pub struct ResNet {
    input: PerBin,
    stem: ConvNorm,
    blocks: Vec<Block>,
    /// Weights of the classes.
    pub head: Linear,
}

impl ResNet {
    /// A network with new weights; the device's seed decides them.
    pub fn new(bins: usize, classes: usize, size: Size, device: &Device) -> Self {
        // Multiples of 4, which the matrix products and the 8-bit files like.
        let channels =
            CHANNELS.map(|channels| ((channels as f64 * size.width / 4.0).round() as usize).max(1) * 4);
        let bands = (1..CHANNELS.len()).fold(bins, |bands, _| bands.div_ceil(2));
        let mut blocks = Vec::new();
        for (index, pair) in channels.windows(2).enumerate() {
            for repeat in 0..size.depth {
                let inputs = if repeat == 0 { pair[0] } else { pair[1] };
                blocks.push(Block::new([inputs, pair[1]], size.kernel, index > 0 && repeat == 0, device));
            }
        }
        Self {
            input: PerBin::new(bins, device),
            stem: ConvNorm::new([1, channels[0]], STEM, [2, 2], device),
            blocks,
            head: linear(channels[4] * bands, classes, device),
        }
    }

    /// Convolutions whose channels one other convolution reads, and nothing else.
    pub fn inner(&mut self) -> Vec<&mut ConvNorm> {
        self.blocks.iter_mut().map(|block| &mut block.first).collect()
    }

    /// Logits, from the mean plus the maximum over the rows of every channel in every band: where on the frequency axis
    /// something is heard tells classes apart, when it is heard does not.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = self.stem.forward_relu(self.input.forward(x));
        for block in &self.blocks {
            x = block.forward(x);
        }
        let [batch, channels, bands, _] = x.dims();
        let pooled = x.clone().max_dim(3) + x.mean_dim(3);
        self.head.forward(pooled.reshape([batch, channels * bands]))
    }

    /// The same function in ONNX. `self` must be out of training (`valid()`).
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let x = self.input.write(graph, input);
        let mut x = self.stem.write_relu(graph, &x);
        for block in &self.blocks {
            x = block.write(graph, &x);
        }
        let max = graph.max(&x, &[3]);
        let mean = graph.mean(&x, &[3]);
        let sum = graph.add(&max, &mean);
        let x = graph.reshape(&sum, &[0, self.head.weight.dims()[0] as i64]);
        write_linear(&self.head, graph, &x)
    }
}

/// Two convolutions, of which the first may halve bins and rows, and what they are added to: their input, where its
/// shape differs through a mean over 2×2 (He et al., arXiv:1812.01187, "ResNet-D") and a 1×1 convolution.
#[derive(Module, Debug)]
struct Block {
    first: ConvNorm,
    second: ConvNorm,
    beside: Option<Beside>,
}

#[derive(Module, Debug)]
struct Beside {
    pool: AvgPool2d,
    conv: ConvNorm,
}

impl Block {
    fn new([inputs, outputs]: [usize; 2], kernel: usize, halve: bool, device: &Device) -> Self {
        let stride = if halve { [2, 2] } else { [1, 1] };
        let beside = Beside {
            pool: AvgPool2dConfig::new([2, 2])
                .with_strides([2, 2])
                .with_ceil_mode(true)
                .with_count_include_pad(false)
                .init(),
            conv: ConvNorm::new([inputs, outputs], 1, [1, 1], device),
        };
        Self {
            first: ConvNorm::new([inputs, outputs], kernel, stride, device),
            second: ConvNorm::new([outputs, outputs], kernel, [1, 1], device),
            beside: halve.then_some(beside),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.second.forward(self.first.forward_relu(x.clone()));
        relu(y + self.beside.as_ref().map_or(x.clone(), |b| b.conv.forward(b.pool.forward(x))))
    }

    fn write(&self, graph: &mut Graph, x: &str) -> String {
        let y = self.first.write_relu(graph, x);
        let y = self.second.write(graph, &y);
        let beside = self.beside.as_ref().map_or_else(
            || x.to_owned(),
            |beside| {
                let x = graph.mean_pool_2x2(x);
                beside.conv.write(graph, &x)
            },
        );
        let sum = graph.add(&y, &beside);
        graph.relu(&sum)
    }
}
