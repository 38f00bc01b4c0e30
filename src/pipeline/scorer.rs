//! Rows of one window -> its scores: order of the axes, network, activation.

use std::sync::Arc;

use once_cell::sync::OnceCell;

use super::feed::{Feed, Given};
use crate::error::{Error, Result, Status};
use crate::inference::batch::Sizes;
use crate::inference::dtype;
use crate::inference::network::{Network, Port};
use crate::inference::state::State;
use crate::inference::tensors::{Names, Tensors};
use crate::inference::{Cancel, Dtype};
use crate::manifest::Manifest;
use crate::pool::Pool;
use crate::tensor::{Axis, AxisOrder};

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
    /// How many windows a run may have.
    sizes: OnceCell<Sizes>,
}

impl Scorer {
    pub fn new(manifest: Arc<Manifest>, network: Network, order: AxisOrder, ports: Ports) -> Result<Self> {
        let (input, output) = (&ports.input, &ports.output);
        let feeds = ports.feeds.iter().map(|feed| &feed.port);
        let inputs = [input].into_iter().chain(feeds).chain(ports.states.iter().map(|(input, ..)| input));
        let outputs = [output].into_iter().chain(ports.states.iter().map(|(_, output, _)| output));
        let names = Names::new(inputs.map(|port| &port.name[..]), outputs.map(|port| &port.name[..]))?;
        Ok(Self {
            manifest,
            network,
            order,
            ports,
            names,
            tensors: Pool::new(MAX_IDLE)?,
            sizes: OnceCell::new(),
        })
    }

    pub fn network(&self) -> &Network {
        &self.network
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
        let mut tensors = self.tensors_for(1, rows.len() / bins, bins)?;
        self.place(&mut tensors, 0, rows, bins);
        for (index, feed) in self.ports.feeds.iter().enumerate() {
            feed.fill(&mut tensors, 1 + index, given);
        }
        let run = self.network.run(&self.names, &mut tensors, state, cancel);
        let scored = run.and_then(|()| self.take(&tensors, 0, scores));
        self.tensors.put(tensors);
        scored
    }

    /// Tensors for `windows` windows of `rows` rows, with what is the same in every run.
    pub fn tensors_for(&self, windows: usize, rows: usize, bins: usize) -> Result<Tensors> {
        let many = |mut shape: Vec<i64>| {
            if windows > 1 {
                shape[0] = windows as i64;
            }
            shape
        };
        let shape = many(self.order.shape(rows, bins));
        if let Some(tensors) = self.tensors.take(|tensors| tensors.shape() == shape) {
            return Ok(tensors);
        }
        let Ports { feeds, output_shape, .. } = &self.ports;
        let first = [(Dtype::F32, shape)].into_iter();
        let inputs: Vec<_> =
            first.chain(feeds.iter().map(|feed| (feed.dtype, feed.shape(rows, bins)))).collect();
        let mut tensors = Tensors::new(&inputs, Ok(&[(Dtype::F32, many(output_shape.clone()))]))?;
        feeds.iter().enumerate().for_each(|(index, feed)| feed.prepare(&mut tensors, 1 + index));
        Ok(tensors)
    }

    /// Puts the rows (`[row, bin]`, normalised already) of window `index` of a run into its tensors.
    pub fn place(&self, tensors: &mut Tensors, index: usize, rows: &[f32], bins: usize) {
        let from = index * rows.len();
        self.order.arrange(rows, bins, &mut tensors.floats()[from..from + rows.len()]);
    }

    /// Runs the network, which has no state, on all windows of `tensors`.
    pub fn run(&self, tensors: &mut Tensors) -> Result<()> {
        self.network.run(&self.names, tensors, &mut State::new(&[])?, None)
    }

    pub fn put_back(&self, tensors: Tensors) {
        self.tensors.put(tensors);
    }

    /// The scores of window `index` of a run.
    pub fn take(&self, tensors: &Tensors, index: usize, scores: &mut [f32]) -> Result<()> {
        let from = index * scores.len();
        dtype::read(tensors.output(0), from, scores);
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

    /// Finds out how many windows a run may have, up to `max`, for windows of `rows` rows: once, at the end of loading.
    pub fn measure_sizes(
        &self,
        max: usize,
        rows: usize,
        bins: usize,
        tell: impl Fn(f32) -> Result<()>,
    ) -> Result<()> {
        let sizes = Sizes::measure(max, |windows| {
            tell(windows as f32 / max as f32)?;
            let mut tensors = self.tensors_for(windows, rows, bins)?;
            tensors.floats().fill(0.0);
            let run = self.run(&mut tensors);
            self.put_back(tensors);
            run
        })?;
        self.sizes.get_or_init(|| sizes);
        Ok(())
    }

    /// Why a run takes one window only, if it does.
    pub fn refuses_batches(&self) -> Option<String> {
        let Ports { input, output, feeds, states, .. } = &self.ports;
        if !feeds.is_empty() || !states.is_empty() {
            return Some("it has more inputs than the audio".into());
        }
        if self.order.axes().first() != Some(&Axis::Batch) {
            return Some("its first axis is not \"batch\"".into());
        }
        let fixed = [input, output].into_iter().find(|port| port.sizes.first().is_none_or(|&size| size >= 0));
        fixed.map(|port| {
            format!("the first axis of tensor {:?}, of shape {:?}, is fixed", port.name, port.sizes)
        })
    }

    /// How many of `waiting` windows the next run is to have; not 0.
    pub fn windows_of(&self, waiting: usize) -> usize {
        self.sizes.get().map_or(1, |sizes| sizes.for_waiting(waiting))
    }
}
