//! Rows of one window -> its scores: order of the axes, network, activation.

use std::sync::Arc;

use super::feed::{Feed, Given};
use crate::error::{Error, Result, Status};
use crate::inference::dtype;
use crate::inference::network::{Network, Port};
use crate::inference::state::State;
use crate::inference::tensors::{Names, Tensors};
use crate::inference::{Cancel, Dtype};
use crate::manifest::Manifest;
use crate::pool::Pool;
use crate::tensor::AxisOrder;

/// Threads whose tensors are kept.
const MAX_IDLE: usize = 64;

/// The tensors of a network that the manifest uses, checked.
#[derive(Debug)]
pub(crate) struct Ports {
    pub input: Port,
    /// The further inputs, but for state.
    pub feeds: Vec<Feed>,
    /// Inputs of the state and the outputs that give it, with the type and shape of both.
    pub states: Vec<(Port, Port, (Dtype, Vec<i64>))>,
    pub output: Port,
    /// Shape of the output of one window.
    pub output_shape: Vec<i64>,
}

/// One network, shared by all threads; each thread runs it on tensors of its own.
#[derive(Debug)]
pub(crate) struct Scorer {
    manifest: Arc<Manifest>,
    network: Network,
    order: AxisOrder,
    ports: Ports,
    names: Names,
    tensors: Pool<Tensors>,
}

impl Scorer {
    pub fn new(manifest: Arc<Manifest>, network: Network, order: AxisOrder, ports: Ports) -> Result<Self> {
        let (input, output) = (&ports.input, &ports.output);
        let feeds = ports.feeds.iter().map(|feed| &feed.port);
        let inputs = [input].into_iter().chain(feeds).chain(ports.states.iter().map(|(input, ..)| input));
        let outputs = [output].into_iter().chain(ports.states.iter().map(|(_, output, _)| output));
        let names = Names::new(inputs.map(|port| &port.name[..]), outputs.map(|port| &port.name[..]))?;
        Ok(Self { manifest, network, order, ports, names, tensors: Pool::new(MAX_IDLE)? })
    }

    pub fn input(&self) -> &Port {
        &self.ports.input
    }

    pub fn output(&self) -> &Port {
        &self.ports.output
    }

    /// What the network carries from window to window, as it is at the start of a stream.
    pub fn state(&self) -> Result<State> {
        let shapes: Vec<_> = self.ports.states.iter().map(|(.., tensor)| tensor.clone()).collect();
        State::new(&shapes)
    }

    /// Scores of one window of rows (`[row, bin]`, normalised already), one a class.
    pub fn score(
        &self,
        rows: &[f32],
        bins: usize,
        given: Given,
        state: &mut State,
        scores: &mut [f32],
        cancel: Option<&Cancel>,
    ) -> Result<()> {
        let mut tensors = self.tensors(rows.len() / bins, bins)?;
        self.order.arrange(rows, bins, tensors.floats());
        for (index, feed) in self.ports.feeds.iter().enumerate() {
            feed.fill(&mut tensors, 1 + index, given);
        }
        let run = self.network.run(&self.names, &mut tensors, state, cancel);
        if run.is_ok() {
            dtype::read(tensors.output(0), scores);
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

    /// Tensors for a window of `rows` rows, with what is the same in every run.
    fn tensors(&self, rows: usize, bins: usize) -> Result<Tensors> {
        let shape = self.order.shape(rows, bins);
        if let Some(tensors) = self.tensors.take(|tensors| tensors.shape() == shape) {
            return Ok(tensors);
        }
        let Ports { feeds, output_shape, .. } = &self.ports;
        let first = [(Dtype::F32, shape)].into_iter();
        let inputs: Vec<_> =
            first.chain(feeds.iter().map(|feed| (feed.dtype, feed.shape(rows, bins)))).collect();
        let mut tensors = Tensors::new(&inputs, Ok(&[(Dtype::F32, output_shape.clone())]))?;
        feeds.iter().enumerate().for_each(|(index, feed)| feed.prepare(&mut tensors, 1 + index));
        Ok(tensors)
    }
}
