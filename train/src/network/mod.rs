//! The networks that can be trained: one file an architecture. All of them take `[batch, 1, bins, rows]`.

mod cnn;
mod crnn;
pub mod kernels;
pub(crate) mod layers;
pub mod mobilenet;
mod resnet;
pub mod stream;
mod transformer;

use anyhow::{Result, bail, ensure};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::compress::prune::{BLOCK, kept};
use crate::onnx::Graph;
use cnn::AudioCnn;
use crnn::Crnn;
use mobilenet::MobileNet;
use resnet::ResNet;
use stream::StreamNet;
use transformer::Transformer;

/// What can be trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// AudioCNN: four 3×3 convolutions, the maximum over the whole map. 0.39 M parameters.
    Cnn,
    /// Two convolutions, two bidirectional LSTMs. 6.4 M parameters with 64 bins.
    Crnn,
    /// 16×16 patches, four layers of attention. 3.2 M parameters.
    Transformer,
    /// Small residual network. 0.21 M parameters, a file below 1 MB.
    Resnet,
    /// Residual network that keeps what it has seen of the past: a stream costs what is new in it. 0.13 M parameters.
    Stream,
    /// MobileNet of about half YAMNet's channels, for `distill`. 0.86 M parameters, a file below 1 MB in 8 bits.
    Mobilenet,
}

impl Architecture {
    /// The fewest bins and rows that it can look at.
    fn min_shape(self) -> [usize; 2] {
        match self {
            Architecture::Cnn => [8, 8],
            Architecture::Crnn => [4, 4],
            Architecture::Transformer => [transformer::PATCH; 2],
            Architecture::Resnet => [8, 8],
            Architecture::Stream => [8, stream::min_rows()],
            Architecture::Mobilenet => [32, 32],
        }
    }
}

/// How large a resnet is; the other networks have one size.
#[derive(Args, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Size {
    /// Channels of a resnet, as a multiple of its 24 to 80.
    #[arg(long, default_value_t = 1.0)]
    pub width: f64,
    /// Blocks of a resnet at each size of the picture.
    #[arg(long, default_value_t = 1)]
    pub depth: usize,
    /// Side of the kernels in the blocks of a resnet: 3 or 5.
    #[arg(long, default_value_t = 3)]
    pub kernel: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { width: 1.0, depth: 1, kernel: 3 }
    }
}

impl Size {
    /// In a line.
    pub fn short(self) -> String {
        format!("width {}, depth {}, kernel {}", self.width, self.depth, self.kernel)
    }

    /// Whether a network can have it.
    pub fn check(self, architecture: Architecture) -> Result<()> {
        ensure!(
            architecture == Architecture::Resnet || self == Self::default(),
            "--width, --depth and --kernel are those of a resnet; {architecture:?} has one size"
        );
        ensure!((0.1..=8.0).contains(&self.width), "--width is {}; valid 0.1 to 8", self.width);
        ensure!((1..=8).contains(&self.depth), "--depth is {}; valid 1 to 8", self.depth);
        ensure!([3, 5].contains(&self.kernel), "--kernel is {}; valid 3 and 5", self.kernel);
        Ok(())
    }
}

/// One network of any architecture.
#[derive(Module, Debug)]
pub enum Network {
    /// [`Architecture::Cnn`]
    Cnn(AudioCnn),
    /// [`Architecture::Crnn`]
    Crnn(Crnn),
    /// [`Architecture::Transformer`]
    Transformer(Transformer),
    /// [`Architecture::Resnet`]
    Resnet(ResNet),
    /// [`Architecture::Stream`]
    Stream(StreamNet),
    /// [`Architecture::Mobilenet`]
    Mobilenet(MobileNet),
}

impl Network {
    /// A network with new weights; the device's seed decides them. An error if `[bins, rows]` are too few for it.
    pub fn new(
        architecture: Architecture,
        shape: [usize; 2],
        classes: usize,
        device: &Device,
    ) -> Result<Self> {
        Self::sized(architecture, Size::default(), shape, classes, device)
    }

    /// The same of another size.
    pub fn sized(
        architecture: Architecture,
        size: Size,
        shape: [usize; 2],
        classes: usize,
        device: &Device,
    ) -> Result<Self> {
        size.check(architecture)?;
        let ([bins, rows], [min_bins, min_rows]) = (shape, architecture.min_shape());
        ensure!(
            bins >= min_bins && rows >= min_rows,
            "a window gives {bins} bins × {rows} rows; {architecture:?} needs at least {min_bins} × {min_rows}: \
             a longer window, a shorter frame_hop or more bins"
        );
        ensure!(
            architecture != Architecture::Stream || !rows.is_multiple_of(stream::STRIDE),
            "a window gives {rows} rows; stream needs an odd number: its last row is then the last of a hop"
        );
        Ok(match architecture {
            Architecture::Cnn => Self::Cnn(AudioCnn::new(bins, classes, device)),
            Architecture::Crnn => Self::Crnn(Crnn::new(bins, classes, device)),
            Architecture::Transformer => Self::Transformer(Transformer::new(shape, classes, device)),
            Architecture::Resnet => Self::Resnet(ResNet::new(bins, classes, size, device)),
            Architecture::Stream => Self::Stream(StreamNet::new(shape, classes, device)),
            Architecture::Mobilenet => Self::Mobilenet(MobileNet::new(&mobilenet::CHANNELS, classes, device)),
        })
    }

    /// Logits `[batch, classes]` of `[batch, 1, bins, rows]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Cnn(network) => network.forward(x),
            Self::Crnn(network) => network.forward(x),
            Self::Transformer(network) => network.forward(x),
            Self::Resnet(network) => network.forward(x),
            Self::Stream(network) => network.forward(x),
            Self::Mobilenet(network) => network.forward(x),
        }
    }

    /// Adds the same function to an ONNX graph, with batch normalisations folded, and returns the name of the logits.
    /// `shape` is the input's `[bins, rows]`. `self` must be out of training (`valid()`).
    pub fn write(&self, graph: &mut Graph, input: &str, shape: [usize; 2]) -> String {
        match self {
            Self::Cnn(network) => network.write(graph, input),
            Self::Crnn(network) => network.write(graph, input),
            Self::Transformer(network) => network.write(graph, input),
            Self::Resnet(network) => network.write(graph, input),
            Self::Stream(network) => network.write(graph, input, shape),
            Self::Mobilenet(network) => network.write(graph, input),
        }
    }

    /// The last layer, which alone knows the classes.
    pub fn head_mut(&mut self) -> &mut Linear {
        match self {
            Self::Cnn(network) => &mut network.head,
            Self::Crnn(network) => &mut network.head,
            Self::Transformer(network) => &mut network.head,
            Self::Resnet(network) => &mut network.head,
            Self::Stream(network) => &mut network.head,
            Self::Mobilenet(network) => &mut network.head,
        }
    }

    /// The same network, out of training, with the `fraction` of the channels silenced that [`prune`](crate::compress::prune)
    /// can take out of its file. An error for a network that has none.
    pub fn silence_channels(mut self, fraction: f64) -> Result<Self> {
        ensure!((0.0..1.0).contains(&fraction), "--prune is {fraction}; valid 0 to below 1");
        let inner = match &mut self {
            Self::Cnn(network) => network.inner(),
            Self::Crnn(network) => network.inner(),
            Self::Transformer(_) => bail!("a transformer has no channels that can be taken out"),
            Self::Stream(_) => bail!("of a stream network no channels can be taken out yet"),
            Self::Mobilenet(_) => bail!("a mobilenet is small already: its channels are not taken out"),
            Self::Resnet(network) => network.inner(),
        };
        let mut silenced = 0;
        for layer in inner {
            let kept = kept(layer.channels(), fraction);
            silenced += layer.channels() - kept;
            layer.silence_all_but(kept);
        }
        ensure!(silenced > 0, "--prune {fraction} takes nothing out: channels go {BLOCK} at a time");
        Ok(self)
    }

    /// The same network with a new last layer for `classes` classes; the device's seed decides its weights.
    pub fn with_classes(mut self, classes: usize, device: &Device) -> Self {
        let inputs = self.head_mut().weight.dims()[0];
        *self.head_mut() = layers::linear(inputs, classes, device);
        self
    }
}
