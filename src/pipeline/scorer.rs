//! Rows of one window -> its scores: order of the axes, network, activation.

use std::sync::Arc;

use crate::error::{Error, Result, Status};
use crate::inference::Cancel;
use crate::inference::network::{Network, Port, Tensors};
use crate::manifest::Manifest;
use crate::pool::Pool;
use crate::tensor::AxisOrder;

/// Threads whose tensors are kept.
const MAX_IDLE: usize = 64;

/// One network, shared by all threads; each thread runs it on tensors of its own.
#[derive(Debug)]
pub(crate) struct Scorer {
    manifest: Arc<Manifest>,
    network: Network,
    order: AxisOrder,
    input: Port,
    output: Port,
    /// Shape of the output of one window.
    output_shape: Vec<i64>,
    tensors: Pool<Tensors>,
}

impl Scorer {
    /// `output_shape` is that of one window.
    pub fn new(
        manifest: Arc<Manifest>,
        network: Network,
        order: AxisOrder,
        (input, output): (Port, Port),
        output_shape: Vec<i64>,
    ) -> Result<Self> {
        let tensors = Pool::new(MAX_IDLE)?;
        Ok(Self { manifest, network, order, input, output, output_shape, tensors })
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    pub fn input(&self) -> &Port {
        &self.input
    }

    pub fn output(&self) -> &Port {
        &self.output
    }

    /// Scores of one window of rows (`[row, bin]`, normalised already), one a class.
    pub fn score(
        &self,
        rows: &[f32],
        bins: usize,
        scores: &mut [f32],
        cancel: Option<&Cancel>,
    ) -> Result<()> {
        let shape = self.order.shape(rows.len() / bins, bins);
        let mut tensors = match self.tensors.take(|tensors| tensors.shape() == shape) {
            Some(tensors) => tensors,
            None => Tensors::new(&self.input.name, &shape, &self.output.name, &self.output_shape)?,
        };
        self.order.arrange(rows, bins, tensors.input());
        let run = self.network.run(&mut tensors, cancel);
        if run.is_ok() {
            scores.copy_from_slice(tensors.output());
        }
        self.tensors.put(tensors);
        run?;
        let output = &self.manifest.output;
        output.activation.apply(scores, output.temperature);
        match scores.iter().position(|score| !score.is_finite()) {
            None => Ok(()),
            Some(class) => Err(Error::new(
                Status::Inference,
                format!(
                    "the network's score for {:?} is {}, not a finite number",
                    self.manifest.labels[class], scores[class]
                ),
            )),
        }
    }
}
