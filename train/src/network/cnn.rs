//! AudioCNN: four 3×3 convolutions over the spectrogram, then the maximum over all of it.

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor};

use super::layers::{ConvNorm, PerBin, linear, write_linear};
use crate::onnx::Graph;

/// Channels after each convolution.
const CHANNELS: [usize; 4] = [32, 64, 128, 256];

/// `[batch, 1, bins, rows]` -> logits `[batch, classes]`.
#[derive(Module, Debug)]
pub struct AudioCnn {
    input: PerBin,
    blocks: Vec<ConvNorm>,
    pool: MaxPool2d,
    /// Weights of the classes.
    pub head: Linear,
}

impl AudioCnn {
    /// A network with new weights; the device's seed decides them.
    pub fn new(bins: usize, classes: usize, device: &Device) -> Self {
        let inputs = [1].into_iter().chain(CHANNELS);
        Self {
            input: PerBin::new(bins, device),
            blocks: inputs.zip(CHANNELS).map(|(i, o)| ConvNorm::new([i, o], 3, [1, 1], device)).collect(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            head: linear(CHANNELS[3], classes, device),
        }
    }

    /// Convolutions whose channels one other layer reads, and nothing else.
    pub fn inner(&mut self) -> Vec<&mut ConvNorm> {
        self.blocks.iter_mut().collect()
    }

    /// Logits.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = self.input.forward(x);
        for (i, block) in self.blocks.iter().enumerate() {
            if i > 0 {
                x = self.pool.forward(x);
            }
            x = block.forward_relu(x);
        }
        let [batch, channels, h, w] = x.dims();
        let x = x.reshape([batch, channels, h * w]).max_dim(2).reshape([batch, channels]);
        self.head.forward(x)
    }

    /// The same function in ONNX. `self` must be out of training (`valid()`).
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let mut x = self.input.write(graph, input);
        for (i, block) in self.blocks.iter().enumerate() {
            if i > 0 {
                x = graph.max_pool_2x2(&x);
            }
            x = block.write_relu(graph, &x);
        }
        x = graph.global_max_pool(&x);
        write_linear(&self.head, graph, &x)
    }
}
