//! Audio transformer: the spectrogram cut into 16×16 patches, four layers of attention, the mean of what they say.

use burn::module::{Module, Param};
use burn::nn::{Initializer, LayerNorm, Linear};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Device, Tensor};

use super::layers::{PerBin, layer_norm, linear, values, write_layer_norm, write_linear, write_linear_nd};
use crate::onnx::Graph;

/// Side of a patch, bins and rows.
pub const PATCH: usize = 16;
const WIDTH: usize = 256;
const DEPTH: usize = 4;
const HEADS: usize = 8;
const INNER: usize = 4 * WIDTH;

/// `[batch, 1, bins, rows]` -> logits `[batch, classes]`. What is left of bins and rows after the last whole patch is
/// not seen. The place of a patch is learned, so the number of rows is fixed.
#[derive(Module, Debug)]
pub struct Transformer {
    input: PerBin,
    /// From the values of a patch, bin after bin, to a token.
    embed: Linear,
    /// `[1, patches, WIDTH]`
    place: Param<Tensor<3>>,
    layers: Vec<Layer>,
    norm: LayerNorm,
    /// Weights of the classes.
    pub head: Linear,
}

impl Transformer {
    /// A network with new weights; the device's seed decides them. `bins` and `rows` must be at least [`PATCH`].
    pub fn new([bins, rows]: [usize; 2], classes: usize, device: &Device) -> Self {
        let patches = (bins / PATCH) * (rows / PATCH);
        let place = Initializer::Normal { mean: 0.0, std: 0.02 }.init([1, patches, WIDTH], device);
        place.val();
        Self {
            input: PerBin::new(bins, device),
            embed: linear(PATCH * PATCH, WIDTH, device),
            place,
            layers: (0..DEPTH).map(|_| Layer::new(device)).collect(),
            norm: layer_norm(WIDTH, device),
            head: linear(WIDTH, classes, device),
        }
    }

    /// Logits.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let [batch, _, bins, rows] = x.dims();
        let (high, wide) = (bins / PATCH, rows / PATCH);
        let patches = self
            .input
            .forward(x)
            .slice([0..batch, 0..1, 0..high * PATCH, 0..wide * PATCH])
            .reshape([batch, high, PATCH, wide, PATCH])
            .permute([0, 1, 3, 2, 4])
            .reshape([batch, high * wide, PATCH * PATCH]);
        let mut x = self.embed.forward(patches) + self.place.val();
        for layer in &self.layers {
            x = layer.forward(x);
        }
        self.head.forward(self.norm.forward(x).mean_dim(1).reshape([batch, WIDTH]))
    }

    /// The same function in ONNX: the patches are embedded by one convolution. `self` must be out of training.
    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let x = self.input.write(graph, input);
        let kernel = values(self.embed.weight.val().transpose());
        let bias = self.embed.bias.as_ref().map(|b| values(b.val())).expect("linear() makes a bias");
        let x = graph.patches(&x, &kernel, [WIDTH, 1, PATCH, PATCH], &bias);
        let x = graph.reshape(&x, &[0, WIDTH as i64, -1]);
        let x = graph.transpose(&x, &[0, 2, 1]);
        let mut x = graph.add_constant(&x, &values(self.place.val()), &self.place.dims());
        for layer in &self.layers {
            x = layer.write(graph, &x);
        }
        let x = write_layer_norm(&self.norm, graph, &x);
        let x = graph.mean(&x, &[1]);
        write_linear(&self.head, graph, &x)
    }
}

/// Pre-norm: what is normalised goes into the attention and into the two linear layers, what is added to is not.
#[derive(Module, Debug)]
struct Layer {
    before_attention: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    join: Linear,
    before_linear: LayerNorm,
    up: Linear,
    down: Linear,
}

impl Layer {
    fn new(device: &Device) -> Self {
        let square = || linear(WIDTH, WIDTH, device);
        Self {
            before_attention: layer_norm(WIDTH, device),
            query: square(),
            key: square(),
            value: square(),
            join: square(),
            before_linear: layer_norm(WIDTH, device),
            up: linear(WIDTH, INNER, device),
            down: linear(INNER, WIDTH, device),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() + self.attend(self.before_attention.forward(x));
        x.clone() + self.down.forward(gelu(self.up.forward(self.before_linear.forward(x))))
    }

    fn attend(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, tokens, _] = x.dims();
        let heads = |layer: &Linear| {
            layer.forward(x.clone()).reshape([batch, tokens, HEADS, WIDTH / HEADS]).swap_dims(1, 2)
        };
        let (query, key, value) = (heads(&self.query), heads(&self.key), heads(&self.value));
        let scale = ((WIDTH / HEADS) as f64).sqrt();
        let weight = softmax(query.matmul(key.swap_dims(2, 3)) / scale, 3);
        self.join.forward(weight.matmul(value).swap_dims(1, 2).reshape([batch, tokens, WIDTH]))
    }

    fn write(&self, graph: &mut Graph, x: &str) -> String {
        let y = write_layer_norm(&self.before_attention, graph, x);
        let mut heads = |layer: &Linear, axes: [i64; 4]| {
            let h = write_linear_nd(layer, graph, &y);
            let h = graph.reshape(&h, &[0, 0, HEADS as i64, (WIDTH / HEADS) as i64]);
            graph.transpose(&h, &axes)
        };
        let query = heads(&self.query, [0, 2, 1, 3]);
        let key = heads(&self.key, [0, 2, 3, 1]);
        let value = heads(&self.value, [0, 2, 1, 3]);
        let weight = graph.mat_mul(&query, &key);
        let weight = graph.divide(&weight, ((WIDTH / HEADS) as f32).sqrt());
        let weight = graph.softmax(&weight);
        let y = graph.mat_mul(&weight, &value);
        let y = graph.transpose(&y, &[0, 2, 1, 3]);
        let y = graph.reshape(&y, &[0, 0, WIDTH as i64]);
        let y = write_linear_nd(&self.join, graph, &y);
        let x = graph.add(x, &y);

        let y = write_layer_norm(&self.before_linear, graph, &x);
        let y = write_linear_nd(&self.up, graph, &y);
        let y = graph.gelu(&y);
        let y = write_linear_nd(&self.down, graph, &y);
        graph.add(&x, &y)
    }
}
