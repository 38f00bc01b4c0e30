//! CRNN: two convolutions with pools make a sequence of the spectrogram, two bidirectional LSTMs read it.

use burn::module::{Module, Param};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Initializer, Linear};
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor};

use super::layers::{ConvNorm, PerBin, linear, values, write_linear};
use crate::onnx::{Graph, Lstm};

/// Channels after each convolution.
const CHANNELS: [usize; 2] = [64, 128];
/// State of one direction of an LSTM.
const HIDDEN: usize = 256;

/// `[batch, 1, bins, rows]` -> logits `[batch, classes]`; any number of rows from 4 on.
#[derive(Module, Debug)]
pub struct Crnn {
    input: PerBin,
    blocks: Vec<ConvNorm>,
    pool: MaxPool2d,
    layers: Vec<BiLstm>,
    /// Weights of the classes.
    pub head: Linear,
}

impl Crnn {
    /// A network with new weights; the device's seed decides them. `bins` must be at least 4.
    pub fn new(bins: usize, classes: usize, device: &Device) -> Self {
        let inputs = [1].into_iter().chain(CHANNELS);
        let features = CHANNELS[1] * (bins / 2 / 2);
        Self {
            input: PerBin::new(bins, device),
            blocks: inputs.zip(CHANNELS).map(|(i, o)| ConvNorm::new([i, o], 3, [1, 1], device)).collect(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            layers: [features, 2 * HIDDEN].map(|inputs| BiLstm::new(inputs, device)).into(),
            head: linear(2 * HIDDEN, classes, device),
        }
    }

    /// The convolution whose channels one other convolution reads, and nothing else.
    pub fn inner(&mut self) -> Vec<&mut ConvNorm> {
        vec![&mut self.blocks[0]]
    }

    /// Logits, from the last state of each direction of the last layer.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = self.input.forward(x);
        for block in &self.blocks {
            x = self.pool.forward(block.forward_relu(x));
        }
        let [batch, channels, bins, rows] = x.dims();
        let mut x = x.permute([3, 0, 1, 2]).reshape([rows, batch, channels * bins]);
        for layer in &self.layers[..self.layers.len() - 1] {
            x = layer.states(x);
        }
        self.head.forward(self.layers[self.layers.len() - 1].last(x))
    }

    /// The same function in ONNX. `self` must be out of training (`valid()`).
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let mut x = self.input.write(graph, input);
        for block in &self.blocks {
            x = block.write_relu(graph, &x);
            x = graph.max_pool_2x2(&x);
        }
        x = graph.transpose(&x, &[3, 0, 1, 2]);
        x = graph.reshape(&x, &[0, 0, self.layers[0].forward.inputs() as i64]);
        for layer in &self.layers[..self.layers.len() - 1] {
            let (states, _) = graph.lstm(&x, &layer.weights());
            // [rows, directions, batch, hidden] -> [rows, batch, directions * hidden]
            x = graph.transpose(&states, &[0, 2, 1, 3]);
            x = graph.reshape(&x, &[0, 0, 2 * HIDDEN as i64]);
        }
        let (_, last) = graph.lstm(&x, &self.layers[self.layers.len() - 1].weights());
        x = graph.transpose(&last, &[1, 0, 2]);
        x = graph.reshape(&x, &[0, 2 * HIDDEN as i64]);
        write_linear(&self.head, graph, &x)
    }
}

/// One LSTM over the rows in each direction; sequences are `[rows, batch, values]`.
#[derive(Module, Debug)]
struct BiLstm {
    forward: Direction,
    backward: Direction,
}

impl BiLstm {
    fn new(inputs: usize, device: &Device) -> Self {
        Self { forward: Direction::new(inputs, device), backward: Direction::new(inputs, device) }
    }

    /// The states at every row, both directions side by side.
    fn states(&self, x: Tensor<3>) -> Tensor<3> {
        let forward = self.forward.run(x.clone(), false);
        let mut backward = self.backward.run(x, true);
        backward.reverse();
        Tensor::cat(vec![Tensor::stack(forward, 0), Tensor::stack(backward, 0)], 2)
    }

    /// The state of each direction after it has read all rows, side by side.
    fn last(&self, x: Tensor<3>) -> Tensor<2> {
        let directions = [self.forward.run(x.clone(), false), self.backward.run(x, true)];
        let last = directions.map(|mut states| states.pop().expect("the sequence has a row"));
        Tensor::cat(last.into(), 1)
    }

    fn weights(&self) -> Lstm {
        let both = [&self.forward, &self.backward];
        Lstm {
            inputs: self.forward.inputs(),
            hidden: HIDDEN,
            input: both.iter().flat_map(|d| values(d.input.val().transpose())).collect(),
            recurrent: both.iter().flat_map(|d| values(d.recurrent.val().transpose())).collect(),
            bias: both.iter().flat_map(|d| [values(d.bias.val()), vec![0.0; 4 * HIDDEN]].concat()).collect(),
        }
    }
}

/// The weights of one direction. The four gates lie side by side in ONNX's order: input, output, forget, cell.
#[derive(Module, Debug)]
struct Direction {
    /// `[inputs, 4 * HIDDEN]`
    input: Param<Tensor<2>>,
    /// `[HIDDEN, 4 * HIDDEN]`
    recurrent: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Direction {
    fn new(inputs: usize, device: &Device) -> Self {
        let bound = 1.0 / (HIDDEN as f64).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        let new = Self {
            input: uniform.init([inputs, 4 * HIDDEN], device),
            recurrent: uniform.init([HIDDEN, 4 * HIDDEN], device),
            bias: uniform.init([4 * HIDDEN], device),
        };
        new.input.val();
        new.recurrent.val();
        new.bias.val();
        new
    }

    fn inputs(&self) -> usize {
        self.input.dims()[0]
    }

    /// The states in the order in which the rows are read: from the last one if `reverse`.
    fn run(&self, x: Tensor<3>, reverse: bool) -> Vec<Tensor<2>> {
        let [rows, batch, inputs] = x.dims();
        // The part of the gates that no state has a share in, for all rows in one product.
        let gates =
            x.reshape([rows * batch, inputs]).matmul(self.input.val()) + self.bias.val().unsqueeze::<2>();
        let recurrent = self.recurrent.val();
        let mut states: Vec<Tensor<2>> = Vec::with_capacity(rows);
        let mut cell: Option<Tensor<2>> = None;
        for step in 0..rows {
            let row = if reverse { rows - 1 - step } else { step };
            let mut gates = gates.clone().slice([row * batch..(row + 1) * batch, 0..4 * HIDDEN]);
            if let Some(state) = states.last() {
                gates = gates + state.clone().matmul(recurrent.clone());
            }
            let open = sigmoid(gates.clone().slice([0..batch, 0..3 * HIDDEN]));
            let gate = |k: usize| open.clone().slice([0..batch, k * HIDDEN..(k + 1) * HIDDEN]);
            let new = gate(0) * tanh(gates.slice([0..batch, 3 * HIDDEN..4 * HIDDEN]));
            let now = match cell {
                Some(cell) => gate(2) * cell + new,
                None => new,
            };
            states.push(gate(1) * tanh(now.clone()));
            cell = Some(now);
        }
        states
    }
}
