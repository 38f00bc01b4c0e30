//! Rows of one window -> the values of each output: order of the axes, network, activation.

use std::sync::Arc;

use super::feed::{Feed, Given};
use super::outlet::Outlet;
use super::results::{Results, Values};
use crate::error::{Error, Result, Status};
use crate::inference::dtype::write;
use crate::inference::network::{Network, Port};
use crate::inference::state::State;
use crate::inference::tensors::{Names, Tensors};
use crate::inference::{Cancel, Dtype};
use crate::manifest::{MAX_ELEMENTS, Manifest, Quantized};
use crate::memory::filled;
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
    /// One for each output of the manifest.
    pub outputs: Vec<Port>,
}

/// One network, shared by all threads; each thread runs it on tensors of its own.
#[derive(Debug)]
pub(crate) struct Scorer {
    manifest: Arc<Manifest>,
    network: Network,
    order: AxisOrder,
    input: Port,
    quantized: Option<Quantized>,
    feeds: Vec<Feed>,
    states: Vec<(Dtype, Vec<i64>)>,
    outlets: Vec<Outlet>,
    /// Rows of a whole window.
    rows: usize,
    names: Names,
    tensors: Pool<Tensors>,
}

impl Scorer {
    /// Runs the network once, on a silent window of `given` with `bins` values in a row: that shows what the file does
    /// not declare.
    pub fn new(
        manifest: Arc<Manifest>,
        network: Network,
        order: AxisOrder,
        ports: Ports,
        (given, bins): (Given, usize),
        cancel: Option<&Cancel>,
    ) -> Result<Self> {
        let Ports { input, feeds, states, outputs } = ports;
        let feed_ports = feeds.iter().map(|feed| &feed.port);
        let inputs = [&input].into_iter().chain(feed_ports).chain(states.iter().map(|(input, ..)| input));
        let all_outputs = outputs.iter().chain(states.iter().map(|(_, output, _)| output));
        let names = Names::new(inputs.map(|port| &port.name[..]), all_outputs.map(|port| &port.name[..]))?;
        let mut scorer = Self {
            quantized: manifest.input.quantized()?,
            manifest,
            network,
            order,
            input,
            feeds,
            states: states.into_iter().map(|(.., tensor)| tensor).collect(),
            outlets: Vec::new(),
            rows: given.rows,
            names,
            tensors: Pool::new(MAX_IDLE)?,
        };
        let trial = scorer.trial(outputs, given, bins, cancel);
        scorer.outlets = trial.map_err(|error| match error.status() {
            Status::Inference => {
                let message = format!("a trial run on a silent window failed: {}", error.message());
                Error::new(Status::Mismatch, message)
            }
            _ => error,
        })?;
        Ok(scorer)
    }

    fn trial(
        &self,
        outputs: Vec<Port>,
        given: Given,
        bins: usize,
        cancel: Option<&Cancel>,
    ) -> Result<Vec<Outlet>> {
        let silence = filled(given.rows * bins, 0.0, "the rows of a window")?;
        let mut tensors = self.make(given.rows, bins, Err(outputs.len()))?;
        self.run(&mut tensors, &silence, bins, given, &mut self.state()?, cancel)?;
        let (mut outlets, mut obstacles, mut room) = (Vec::new(), Vec::new(), MAX_ELEMENTS as usize);
        for (index, (port, output)) in outputs.into_iter().zip(&self.manifest.outputs).enumerate() {
            let (path, shape) = (format!("outputs[{index}]"), tensors.output(index).shape().to_vec());
            match Outlet::new(output, &path, port, &shape) {
                Ok(outlet) => {
                    room = room.checked_sub(outlet.capacity()).unwrap_or_else(|| {
                        obstacles.push(format!(
                            "{path}: {shape:?}; all outputs together have at most {MAX_ELEMENTS} values"
                        ));
                        room
                    });
                    outlets.push(outlet);
                }
                Err(message) => obstacles.push(format!("{path}.{message}")),
            }
        }
        if !obstacles.is_empty() {
            let message = format!("manifest and network disagree: {}", obstacles.join("; "));
            return Err(Error::new(Status::Mismatch, message));
        }
        let series =
            |(index, outlet): (usize, &Outlet)| self.manifest.outputs[index].series().map(|_| outlet.rows);
        let rows: Vec<usize> = outlets.iter().enumerate().filter_map(series).collect();
        if rows.iter().any(|&count| count != rows[0]) {
            let message = format!(
                "manifest and network disagree: outputs: the series have {rows:?} rows, not the same"
            );
            return Err(Error::new(Status::Mismatch, message));
        }
        for (index, outlet) in outlets.iter().enumerate() {
            let mut values = filled(outlet.capacity(), 0.0, "the values of an output")?;
            outlet.take(&self.manifest.outputs[index], tensors.output(index), &mut values)?;
        }
        Ok(outlets)
    }

    pub fn input(&self) -> &Port {
        &self.input
    }

    pub fn outlets(&self) -> &[Outlet] {
        &self.outlets
    }

    /// What the network carries from window to window, as it is at the start of a stream.
    pub fn state(&self) -> Result<State> {
        State::new(&self.states)
    }

    /// Room for what the network gives for a window.
    pub fn results(&self) -> Result<Results> {
        let values = |(index, outlet): (usize, &Outlet)| {
            Ok(Values {
                values: filled(outlet.capacity(), 0.0, "the values of an output")?,
                size: outlet.size,
                series: self.manifest.outputs[index].series().is_some(),
            })
        };
        Ok(Results { outputs: self.outlets.iter().enumerate().map(values).collect::<Result<_>>()?, rows: 0 })
    }

    /// Runs the network on one window of rows (`[row, bin]`, normalised already).
    pub fn score(
        &self,
        rows: &[f32],
        bins: usize,
        given: Given,
        state: &mut State,
        results: &mut Results,
        cancel: Option<&Cancel>,
    ) -> Result<()> {
        let count = rows.len() / bins;
        let shape = self.order.shape(count, bins);
        let mut tensors = match self.tensors.take(|tensors| tensors.shape() == shape) {
            Some(tensors) => tensors,
            None if count == self.rows => {
                let outputs: Vec<_> =
                    self.outlets.iter().map(|outlet| (outlet.dtype, outlet.shape.clone())).collect();
                self.make(count, bins, Ok(&outputs))?
            }
            None => self.make(count, bins, Err(self.outlets.len()))?,
        };
        let run = self.run(&mut tensors, rows, bins, given, state, cancel);
        let taken = run.and_then(|()| self.take(&tensors, results));
        self.tensors.put(tensors);
        taken
    }

    fn take(&self, tensors: &Tensors, results: &mut Results) -> Result<()> {
        results.rows = 1;
        for (index, outlet) in self.outlets.iter().enumerate() {
            let values = &mut results.outputs[index];
            let rows =
                outlet.take(&self.manifest.outputs[index], tensors.output(index), &mut values.values)?;
            // The first output is one if any is.
            match (values.series, index) {
                (true, 0) => results.rows = rows,
                (true, _) => results.rows = results.rows.min(rows),
                _ => {}
            }
        }
        Ok(())
    }

    fn run(
        &self,
        tensors: &mut Tensors,
        rows: &[f32],
        bins: usize,
        given: Given,
        state: &mut State,
        cancel: Option<&Cancel>,
    ) -> Result<()> {
        match (self.manifest.input.dtype, self.quantized) {
            (Dtype::F32, _) => self.order.arrange(rows, bins, tensors.floats()),
            (_, quantized) => {
                let (tensor, staging) = tensors.staged();
                self.order.arrange(rows, bins, staging);
                let Quantized { scale, zero_point } =
                    quantized.unwrap_or(Quantized { scale: 1.0, zero_point: 0 });
                // Rounded before the zero point is added, as ONNX's QuantizeLinear does.
                let stored = |value: &f32| match quantized {
                    Some(_) => f64::from((value / scale).round_ties_even()) + f64::from(zero_point),
                    None => f64::from(*value),
                };
                write(tensor, staging.iter().map(stored));
            }
        }
        for (index, feed) in self.feeds.iter().enumerate() {
            feed.fill(tensors, 1 + index, given);
        }
        self.network.run(&self.names, tensors, state, cancel)
    }

    /// Tensors for a window of `rows` rows, with what is the same in every run; outputs of these types and shapes, or how
    /// many.
    fn make(
        &self,
        rows: usize,
        bins: usize,
        outputs: std::result::Result<&[(Dtype, Vec<i64>)], usize>,
    ) -> Result<Tensors> {
        let dtype = self.manifest.input.dtype;
        let first = [(dtype, self.order.shape(rows, bins))].into_iter();
        let feeds = self.feeds.iter().map(|feed| (feed.dtype, feed.shape(rows, bins)));
        let inputs: Vec<_> = first.chain(feeds).collect();
        let staging = if dtype == Dtype::F32 { 0 } else { rows * bins };
        let mut tensors = Tensors::new(&inputs, outputs, filled(staging, 0.0, "the rows of a window")?)?;
        self.feeds.iter().enumerate().for_each(|(index, feed)| feed.prepare(&mut tensors, 1 + index));
        Ok(tensors)
    }
}
