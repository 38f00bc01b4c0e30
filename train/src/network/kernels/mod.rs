//! Convolutions, batch normalisation and ReLU on the CPU, where training spends its time. Burn's own take the gradient of a
//! convolution by convolutions with kernels as large as the picture, and go over a batch a dozen times to normalise it; these
//! multiply matrices, and go over it twice. Every sum is added in an order that the shapes decide, so that the bits are the
//! same on any number of threads. Other devices have burn's.

mod conv;
mod filter;
mod norm;
mod rectify;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::nn::BatchNorm;
use burn::tensor::activation::relu;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

/// How a kernel goes over a picture; each pair is height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Distance between two places.
    pub stride: [usize; 2],
    /// Zeros before the first row and column.
    pub before: [usize; 2],
    /// Zeros after the last.
    pub after: [usize; 2],
}

impl Steps {
    /// With `pad` zeros on every side.
    pub fn even(stride: [usize; 2], pad: usize) -> Self {
        Self { stride, before: [pad; 2], after: [pad; 2] }
    }

    /// Height and width of what a kernel makes of a picture.
    fn result(&self, picture: [usize; 2], kernel: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            (picture[axis] + self.before[axis] + self.after[axis] - kernel[axis]) / self.stride[axis] + 1
        })
    }
}

/// What is made of `x`, `[batch, channels, h, w]`, and weights.
#[derive(Clone, Copy, Debug)]
enum Layer {
    /// Weights `[outputs, channels, kh, kw]`.
    Convolve(Steps),
    /// One filter a channel, `[channels, 1, kh, kw]`.
    Filter(Steps),
    /// max(x + bias, 0), `[channels]`.
    Rectify,
}

/// What the CPU computes in its own way.
#[backend_extension(Flex, Autodiff)]
trait Forward: Backend {
    fn layer(x: FloatTensor<Self>, weight: FloatTensor<Self>, layer: Layer) -> FloatTensor<Self>;
    /// Every channel of a batch brought to the mean `beta` and the deviation `gamma`, and what is below 0 cut off if
    /// `rectify`; with it the mean and the variance that were found.
    fn normalise(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        rectify: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// Their gradients.
trait Gradient: Forward {
    /// Of the input and of the weight.
    fn of_layer(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        layer: Layer,
    ) -> [FloatTensor<Self>; 2];
    /// Of the input, of `gamma` and of `beta`.
    fn of_normalise(inputs: &Normalised<Self>, gradient: FloatTensor<Self>) -> [FloatTensor<Self>; 3];
}

/// What a normalisation was made of, and the statistics that it found.
struct Normalised<B: Backend> {
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    mean: FloatTensor<B>,
    variance: FloatTensor<B>,
    epsilon: f64,
    rectify: bool,
}

fn on_cpu(device: &Device) -> bool {
    device.clone().without_autodiff() == Device::flex()
}

/// A convolution without bias.
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, steps: Steps) -> Tensor<4> {
    if on_cpu(&x.device()) {
        on_cpu_by(x, weight, Layer::Convolve(steps))
    } else {
        burns(x, weight, steps, 1)
    }
}

/// A convolution with one filter a channel, `[channels, 1, kh, kw]`, without bias.
pub fn filter(x: Tensor<4>, weight: Tensor<4>, steps: Steps) -> Tensor<4> {
    let channels = weight.dims()[0];
    if on_cpu(&x.device()) {
        on_cpu_by(x, weight, Layer::Filter(steps))
    } else {
        burns(x, weight, steps, channels)
    }
}

/// max(x + bias, 0), `[batch, channels, h, w]` and `[channels]`.
pub fn rectify(x: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
    let channels = bias.dims()[0];
    if on_cpu(&x.device()) {
        on_cpu_by(x, bias, Layer::Rectify)
    } else {
        relu(x + bias.reshape([1, channels, 1, 1]))
    }
}

fn on_cpu_by<const D: usize>(x: Tensor<4>, weight: Tensor<D>, layer: Layer) -> Tensor<4> {
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Forward>::layer(x, weight, layer))
}

fn burns(x: Tensor<4>, weight: Tensor<4>, steps: Steps, groups: usize) -> Tensor<4> {
    let padding = [0, 1].map(|axis| (steps.before[axis], steps.after[axis]));
    let options = ConvOptions::new_with_padding(steps.stride, padding, [1, 1], groups);
    burn::tensor::module::conv2d(x, weight, None, options)
}

/// A batch normalisation in or out of training, and a ReLU after it if `rectify`.
pub fn normalise(norm: &BatchNorm, x: Tensor<4>, rectify: bool) -> Tensor<4> {
    let device = x.device();
    if !(device.is_autodiff() && on_cpu(&device)) {
        let y = norm.forward(x);
        return if rectify { relu(y) } else { y };
    }
    let (y, mean, variance) = <Dispatch as Forward>::normalise(
        x.into_dispatch(),
        norm.gamma.val().into_dispatch(),
        norm.beta.val().into_dispatch(),
        norm.epsilon,
        rectify,
    );
    let moved = |before: Tensor<1>, now| {
        let now = Tensor::<1>::from_dispatch(now).detach();
        (before.to_device(&device) * (1.0 - norm.momentum) + now * norm.momentum).detach()
    };
    norm.running_mean.update(moved(norm.running_mean.value_sync(), mean));
    norm.running_var.update(moved(norm.running_var.value_sync(), variance));
    Tensor::from_dispatch(y)
}

impl<B: Gradient, C: CheckpointStrategy> Forward for Autodiff<B, C> {
    fn layer(x: FloatTensor<Self>, weight: FloatTensor<Self>, layer: Layer) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct Made;
        impl<B: Gradient> Backward<B, 2> for Made {
            type State = (NodeId, NodeId, Layer);

            fn backward(
                self,
                ops: Ops<Self::State, 2>,
                gradients: &mut Gradients,
                checkpointer: &mut Checkpointer,
            ) {
                let (x, weight, layer) = ops.state;
                let gradient = gradients.consume::<B>(&ops.node);
                let mut value = |node| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(node);
                let found = B::of_layer(value(x), value(weight), gradient, layer);
                for (node, gradient) in ops.parents.into_iter().zip(found) {
                    if let Some(node) = node {
                        gradients.register::<B>(node.id, gradient);
                    }
                }
            }
        }
        match Made.prepare::<C>([x.node(), weight.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = (prepared.checkpoint(&x), prepared.checkpoint(&weight), layer);
                prepared.finish(state, B::layer(x.into_primitive(), weight.into_primitive(), layer))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::layer(x.into_primitive(), weight.into_primitive(), layer))
            }
        }
    }

    fn normalise(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        rectify: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        #[derive(Debug)]
        struct Normalise;
        type Statistics<B> = [FloatTensor<B>; 2];
        impl<B: Gradient> Backward<B, 3> for Normalise {
            type State = ([NodeId; 3], Statistics<B>, f64, bool);

            fn backward(
                self,
                ops: Ops<Self::State, 3>,
                gradients: &mut Gradients,
                checkpointer: &mut Checkpointer,
            ) {
                let (nodes, [mean, variance], epsilon, rectify) = ops.state;
                let gradient = gradients.consume::<B>(&ops.node);
                let [x, gamma, beta] =
                    nodes.map(|node| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(node));
                let inputs = Normalised::<B> { x, gamma, beta, mean, variance, epsilon, rectify };
                for (node, gradient) in ops.parents.into_iter().zip(B::of_normalise(&inputs, gradient)) {
                    if let Some(node) = node {
                        gradients.register::<B>(node.id, gradient);
                    }
                }
            }
        }
        let prepared = Normalise.prepare::<C>([x.node(), gamma.node(), beta.node()]).compute_bound();
        let (y, mean, variance) = match prepared.stateful() {
            OpsKind::Tracked(mut prepared) => {
                let nodes = [&x, &gamma, &beta].map(|tensor| prepared.checkpoint(tensor));
                let (y, mean, variance) = B::normalise(
                    x.into_primitive(),
                    gamma.into_primitive(),
                    beta.into_primitive(),
                    epsilon,
                    rectify,
                );
                let state = (nodes, [mean.clone(), variance.clone()], epsilon, rectify);
                (prepared.finish(state, y), mean, variance)
            }
            OpsKind::UnTracked(prepared) => {
                let (y, mean, variance) = B::normalise(
                    x.into_primitive(),
                    gamma.into_primitive(),
                    beta.into_primitive(),
                    epsilon,
                    rectify,
                );
                (prepared.finish(y), mean, variance)
            }
        };
        (y, FloatTensor::<Self>::new(mean), FloatTensor::<Self>::new(variance))
    }
}

impl Forward for Flex {
    fn layer(x: FlexTensor, weight: FlexTensor, layer: Layer) -> FlexTensor {
        match layer {
            Layer::Convolve(steps) => conv::forward(&x, &weight, steps),
            Layer::Filter(steps) => filter::forward(&x, &weight, steps),
            Layer::Rectify => rectify::forward(&x, &weight),
        }
    }

    fn normalise(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        rectify: bool,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        norm::normalise(&x, &gamma, &beta, epsilon, rectify)
    }
}

impl Gradient for Flex {
    fn of_layer(x: FlexTensor, weight: FlexTensor, gradient: FlexTensor, layer: Layer) -> [FlexTensor; 2] {
        match layer {
            Layer::Convolve(steps) => conv::backward(&x, &weight, &gradient, steps),
            Layer::Filter(steps) => filter::backward(&x, &weight, &gradient, steps),
            Layer::Rectify => rectify::backward(&x, &weight, &gradient),
        }
    }

    fn of_normalise(inputs: &Normalised<Flex>, gradient: FlexTensor) -> [FlexTensor; 3] {
        norm::gradients(inputs, &gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_known_in_and_out_of_training() {
        assert!(on_cpu(&Device::flex()) && on_cpu(&Device::flex().autodiff()));
    }
}
