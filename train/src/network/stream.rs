//! A residual network for streams: what it has seen of the past it keeps, so that a hop costs what the hop is long. Nothing is
//! padded along time: every value of a window is made of rows of the window, and is the same value in a stream, which has
//! computed it before.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::kernels::{self, Steps};
use super::layers::{PerBin, affine, linear, values, write_linear};
use crate::onnx::Graph;

/// Channels of the stem and after each block; the stem and every block but the first halve the bins.
const CHANNELS: [usize; 5] = [24, 24, 40, 64, 80];
/// Rows that the stem and the first convolution of a block look at.
const REACH: usize = 3;
/// Rows of the input for one row behind the stem.
pub const STRIDE: usize = 2;

/// `[batch, 1, bins, rows]` -> logits `[batch, classes]`.
#[derive(Module, Debug)]
pub struct StreamNet {
    input: PerBin,
    stem: Causal,
    blocks: Vec<Block>,
    /// Rows behind the last block that an answer is about: those of a window.
    pooled: usize,
    /// Weights of the classes.
    pub head: Linear,
}

/// The fewest rows of a window: what one row behind the last block is made of.
pub const fn min_rows() -> usize {
    REACH + STRIDE * (REACH - 1) * (CHANNELS.len() - 1)
}

/// Channels, bins and rows of everything that a stream keeps from hop to hop, in the order of the file's inputs; `window` and
/// `hop` are rows.
pub fn pasts([bins, window]: [usize; 2], hop: usize) -> Vec<[usize; 3]> {
    let mut pasts = vec![[1, bins, REACH - STRIDE]];
    let mut bands = bins.div_ceil(2);
    for pair in CHANNELS.windows(2) {
        pasts.push([pair[0], bands, REACH - 1]);
        bands = if pair[0] == pair[1] { bands } else { bands.div_ceil(2) };
    }
    let pooled = (window - min_rows()) / STRIDE + 1;
    pasts.push([CHANNELS[4], bands, pooled - hop / STRIDE]);
    pasts
}

impl StreamNet {
    /// A network with new weights for windows of `rows` rows, an odd number; the device's seed decides them.
    pub fn new([bins, rows]: [usize; 2], classes: usize, device: &Device) -> Self {
        let pairs = CHANNELS.iter().zip(&CHANNELS[1..]);
        let bands = (1..CHANNELS.len()).fold(bins, |bands, _| bands.div_ceil(2));
        Self {
            input: PerBin::new(bins, device),
            stem: Causal::new([1, CHANNELS[0]], [5, REACH], [2, STRIDE], device),
            blocks: pairs.map(|(&i, &o)| Block::new(i, o, device)).collect(),
            pooled: (rows - min_rows()) / STRIDE + 1,
            head: linear(CHANNELS[4] * bands, classes, device),
        }
    }

    /// Logits of windows, from the mean plus the maximum over the rows of every channel in every band.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.features(x, false);
        let [batch, channels, bands, _] = x.dims();
        let pooled = x.clone().max_dim(3) + x.mean_dim(3);
        self.head.forward(pooled.reshape([batch, channels * bands]))
    }

    /// Logits of a stream `[1, 1, bins, rows]` from its beginning, one set for every `hop` rows. `self` must be out of
    /// training.
    pub fn stream(&self, x: Tensor<4>, hop: usize) -> Vec<Tensor<2>> {
        let x = self.features(x, true);
        let [_, channels, bands, rows] = x.dims();
        let before = Tensor::zeros([1, channels, bands, self.pooled], &x.device());
        let x = Tensor::cat(vec![before, x], 3);
        let ends = (1..=rows * STRIDE / hop).map(|number| self.pooled + number * hop / STRIDE);
        let answer = |end: usize| {
            let rows = x.clone().narrow(3, end - self.pooled, self.pooled);
            let pooled = rows.clone().max_dim(3) + rows.mean_dim(3);
            self.head.forward(pooled.reshape([1, channels * bands]))
        };
        ends.map(answer).collect()
    }

    /// What is pooled. A stream begins with zeros for the past.
    fn features(&self, x: Tensor<4>, from_nothing: bool) -> Tensor<4> {
        let mut x = self.stem.forward(self.input.forward(x), from_nothing, true);
        for block in &self.blocks {
            x = block.forward(x, from_nothing);
        }
        x
    }

    /// One hop of a stream of `rows` rows in ONNX: every layer's past is an input, and what will be its past an output.
    /// `self` must be out of training.
    pub fn write(&self, graph: &mut Graph, input: &str, [bins, rows]: [usize; 2]) -> String {
        let x = self.input.write(graph, input);
        let x = self.stem.write(graph, &x, bins);
        let mut x = graph.relu(&x);
        let mut bands = bins.div_ceil(2);
        for block in &self.blocks {
            x = block.write(graph, &x, bands);
            bands = bands.div_ceil(block.first.stride[0]);
        }
        let past = self.pooled - rows / STRIDE;
        let x = graph.with_past(&x, &[CHANNELS[4], bands, past]);
        let max = graph.max(&x, &[3]);
        let mean = graph.mean(&x, &[3]);
        let sum = graph.add(&max, &mean);
        let x = graph.reshape(&sum, &[0, self.head.weight.dims()[0] as i64]);
        write_linear(&self.head, graph, &x)
    }
}

/// A convolution whose rows end with the one that it stands for, then batch normalisation.
#[derive(Module, Debug)]
struct Causal {
    conv: Conv2d,
    norm: BatchNorm,
    stride: [usize; 2],
}

impl Causal {
    fn new([inputs, outputs]: [usize; 2], kernel: [usize; 2], stride: [usize; 2], device: &Device) -> Self {
        let conv = Conv2dConfig::new([inputs, outputs], kernel)
            .with_padding(PaddingConfig2d::Valid)
            .with_bias(false)
            .init(device);
        conv.weight.val();
        Self { conv, norm: BatchNormConfig::new(outputs).init(device), stride }
    }

    /// Rows of the past that a hop needs.
    fn past(&self) -> usize {
        self.conv.weight.dims()[3] - self.stride[1]
    }

    fn convolve(&self, x: Tensor<4>, from_nothing: bool) -> Tensor<4> {
        let weight = self.conv.weight.val();
        let pad = weight.dims()[2] / 2;
        let past = if from_nothing { self.past() } else { 0 };
        kernels::convolve(x, weight, Steps { stride: self.stride, before: [pad, past], after: [pad, 0] })
    }

    fn forward(&self, x: Tensor<4>, from_nothing: bool, rectify: bool) -> Tensor<4> {
        kernels::normalise(&self.norm, self.convolve(x, from_nothing), rectify)
    }

    fn write(&self, graph: &mut Graph, x: &str, bands: usize) -> String {
        let shape = self.conv.weight.dims();
        let mut weight = values(self.conv.weight.val());
        let (scale, offset) = affine(&self.norm);
        for (channel, scale) in weight.chunks_exact_mut(shape[1] * shape[2] * shape[3]).zip(scale) {
            channel.iter_mut().for_each(|w| *w *= scale);
        }
        let x = match self.past() {
            0 => x.to_owned(),
            past => graph.with_past(x, &[shape[1], bands, past]),
        };
        graph.conv_over_bins(&x, &weight, shape, &offset, self.stride)
    }
}

/// Two convolutions, of which the first looks back and may halve the bins, and what they are added to: their input, where its
/// shape differs through a 1×1 convolution, which then takes every second bin.
#[derive(Module, Debug)]
struct Block {
    first: Causal,
    second: Causal,
    beside: Option<Causal>,
}

impl Block {
    fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        let stride = if inputs == outputs { [1, 1] } else { [2, 1] };
        Self {
            first: Causal::new([inputs, outputs], [3, REACH], stride, device),
            second: Causal::new([outputs, outputs], [3, 1], [1, 1], device),
            beside: (inputs != outputs).then(|| Causal::new([inputs, outputs], [1, 1], stride, device)),
        }
    }

    fn forward(&self, x: Tensor<4>, from_nothing: bool) -> Tensor<4> {
        let y = self.first.forward(x.clone(), from_nothing, true);
        let y = self.second.forward(y, from_nothing, false);
        let x = self.beside.as_ref().map_or(x.clone(), |beside| beside.forward(x, from_nothing, false));
        // In a window the first rows of the input have no row beside them.
        let (rows, kept) = (x.dims()[3], y.dims()[3]);
        relu(y + x.narrow(3, rows - kept, kept))
    }

    fn write(&self, graph: &mut Graph, x: &str, bands: usize) -> String {
        let y = self.first.write(graph, x, bands);
        let y = graph.relu(&y);
        let y = self.second.write(graph, &y, bands.div_ceil(self.first.stride[0]));
        let beside = self.beside.as_ref().map_or_else(|| x.to_owned(), |b| b.write(graph, x, bands));
        let sum = graph.add(&y, &beside);
        graph.relu(&sum)
    }
}
