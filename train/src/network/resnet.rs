//! A small residual network (He et al., arXiv:1512.03385) for spectrograms.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::layers::{ConvNorm, PerBin, linear, write_linear};
use crate::onnx::Graph;

/// Channels of the stem and after each block.
const CHANNELS: [usize; 4] = [24, 48, 64, 96];
/// Side of the stem's kernel. It halves bins and rows, and so does every block: wide maps of few channels are most of
/// the work, here and in training.
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
    pub fn new(bins: usize, classes: usize, device: &Device) -> Self {
        let pairs = CHANNELS.iter().zip(&CHANNELS[1..]);
        Self {
            input: PerBin::new(bins, device),
            stem: ConvNorm::new([1, CHANNELS[0]], STEM, [2, 2], device),
            blocks: pairs.map(|(&i, &o)| Block::new(i, o, device)).collect(),
            head: linear(CHANNELS[3], classes, device),
        }
    }

    /// Logits, from the mean plus the maximum of every channel.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = self.stem.forward_relu(self.input.forward(x));
        for block in &self.blocks {
            x = block.forward(x);
        }
        let [batch, channels, h, w] = x.dims();
        let x = x.reshape([batch, channels, h * w]);
        let pooled = (x.clone().max_dim(2) + x.mean_dim(2)).reshape([batch, channels]);
        self.head.forward(pooled)
    }

    /// The same function in ONNX. `self` must be out of training (`valid()`).
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let x = self.input.write(graph, input);
        let mut x = self.stem.write_relu(graph, &x);
        for block in &self.blocks {
            x = block.write(graph, &x);
        }
        let most = graph.global_max_pool(&x);
        let mean = graph.global_mean_pool(&x);
        let x = graph.add(&most, &mean);
        write_linear(&self.head, graph, &x)
    }
}

/// Two 3×3 convolutions, of which the first halves bins and rows, and a 1×1 one beside them.
#[derive(Module, Debug)]
struct Block {
    first: ConvNorm,
    second: ConvNorm,
    beside: ConvNorm,
}

impl Block {
    fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            first: ConvNorm::new([inputs, outputs], 3, [2, 2], device),
            second: ConvNorm::new([outputs, outputs], 3, [1, 1], device),
            beside: ConvNorm::new([inputs, outputs], 1, [2, 2], device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.second.forward(self.first.forward_relu(x.clone()));
        relu(y + self.beside.forward(x))
    }

    fn write(&self, graph: &mut Graph, x: &str) -> String {
        let y = self.first.write_relu(graph, x);
        let y = self.second.write(graph, &y);
        let beside = self.beside.write(graph, x);
        let sum = graph.add(&y, &beside);
        graph.relu(&sum)
    }
}
