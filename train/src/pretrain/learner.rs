//! What a network is trained in.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::{Device, Tensor};

use crate::network::layers::linear;
use crate::network::{Network, kernels};

/// Values of the inner layer of projector and predictor: a quarter of BYOL-A's 4096, as our networks' embeddings are 256 to
/// 512 values and its own 2048.
pub const INNER: usize = 1024;
/// Values that views are compared by (BYOL-A's).
const VALUES: usize = 256;

/// Network and projector. The network's last layer, of [`INNER`] outputs, is the projector's first.
#[derive(Module, Debug)]
pub struct Projected {
    pub network: Network,
    end: End,
}

/// The one that learns: with a predictor, without which both could agree on saying the same of everything (Grill et al.,
/// arXiv:2006.07733).
#[derive(Module, Debug)]
pub struct Learner {
    pub projected: Projected,
    inner: Linear,
    end: End,
}

/// Batch normalisation, ReLU, linear: `[batch, INNER]` -> `[batch, VALUES]`.
#[derive(Module, Debug)]
struct End {
    norm: BatchNorm,
    last: Linear,
}

impl End {
    fn new(device: &Device) -> Self {
        Self { norm: BatchNormConfig::new(INNER).init(device), last: linear(INNER, VALUES, device) }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [batch, inner] = x.dims();
        let x = kernels::normalise(&self.norm, x.reshape([batch, inner, 1, 1]), true);
        self.last.forward(x.reshape([batch, inner]))
    }
}

impl Projected {
    /// `[batch, 1, bins, rows]` -> `[batch, VALUES]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        self.end.forward(self.network.forward(x))
    }
}

impl Learner {
    /// Around a network of [`INNER`] outputs; the device's seed decides the weights.
    pub fn new(network: Network, device: &Device) -> Self {
        let projected = Projected { network, end: End::new(device) };
        Self { projected, inner: linear(VALUES, INNER, device), end: End::new(device) }
    }

    /// What it expects to be said of another view of the same window.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        self.end.forward(self.inner.forward(self.projected.forward(x)))
    }
}
