//! Rows of one window -> the values of each output: order of the axes, network, activation.

use std::sync::Arc;

use once_cell::sync::OnceCell;

use super::feed::{Feed, Given};
use super::outlet::Outlet;
use super::results::{Results, Values};
use crate::error::{Error, Result, Status};
use crate::inference::batch::Sizes;
use crate::inference::dtype::write;
use crate::inference::network::{Network, Port};
use crate::inference::state::State;
use crate::inference::tensors::{Names, Tensors};
use crate::inference::{Cancel, Dtype};
use crate::manifest::{MAX_ELEMENTS, Manifest, Output, Quantized};
use crate::memory::filled;
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
    /// How many windows a run may have, where it may have several.
    sizes: OnceCell<Sizes>,
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
            sizes: OnceCell::new(),
        };
        let trial = scorer.trial(outputs, given, bins, cancel);
        scorer.outlets = trial.map_err(|error| match error.status() {
            Status::Inference => {
                let (name, shape) = (&scorer.input.name, scorer.order.shape(given.rows, bins));
                let message = format!(
                    "a trial run on a silent window, which gives {name:?} {shape:?}, failed: {}",
                    error.message()
                );
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
        let mut tensors = self.make(1, given.rows, bins, Err(outputs.len()))?;
        self.run(&mut tensors, &silence, bins, given, &mut self.state()?, cancel)?;
        let (mut outlets, mut obstacles, mut room) = (Vec::new(), Vec::new(), MAX_ELEMENTS as usize);
        for (index, (port, output)) in outputs.into_iter().zip(&self.manifest.outputs).enumerate() {
            let (path, shape) = (format!("outputs[{index}]"), tensors.output(index).shape().to_vec());
            match Outlet::new(output, &path, port, &shape) {
                Ok(outlet) => {
                    obstacles.extend(
                        self.beyond_window(output, &shape).map(|message| format!("{path}.{message}")),
                    );
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
            outlet.take(&self.manifest.outputs[index], tensors.output(index), None, &mut values)?;
        }
        Ok(outlets)
    }

    /// What is wrong with a series whose last row begins behind the window.
    fn beyond_window(&self, output: &Output, shape: &[i64]) -> Option<String> {
        let hop = output.series()?.hop_seconds;
        let rows = *shape.get(shape.len().checked_sub(2)?)?;
        let window = self.manifest.input.window_duration();
        ((rows - 1) as f64 * hop >= window).then(|| {
            format!(
                "rows.hop_seconds: {hop}; {rows} rows are then {} s, and the window has {window} s",
                rows as f64 * hop
            )
        })
    }

    pub fn network(&self) -> &Network {
        &self.network
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
        let windows = self.sizes.get().filter(|_| count == self.rows).map_or(1, Sizes::single);
        let mut tensors = self.tensors_for(windows, count, bins)?;
        let run = self.run(&mut tensors, rows, bins, given, state, cancel);
        let taken = run.and_then(|()| self.take(&tensors, 0, results));
        self.tensors.put(tensors);
        taken
    }

    /// Tensors for `windows` windows of `rows` rows.
    pub fn tensors_for(&self, windows: usize, rows: usize, bins: usize) -> Result<Tensors> {
        let shape = many(windows, &self.order.shape(rows, bins));
        match self.tensors.take(|tensors| tensors.shape() == shape) {
            Some(tensors) => Ok(tensors),
            None if rows == self.rows => {
                let output = |outlet: &Outlet| (outlet.dtype, many(windows, &outlet.shape));
                let outputs: Vec<_> = self.outlets.iter().map(output).collect();
                self.make(windows, rows, bins, Ok(&outputs))
            }
            None => self.make(windows, rows, bins, Err(self.outlets.len())),
        }
    }

    pub fn put_back(&self, tensors: Tensors) {
        self.tensors.put(tensors);
    }

    /// What the network gave for window `index` of `tensors`.
    pub fn take(&self, tensors: &Tensors, index: usize, results: &mut Results) -> Result<()> {
        results.rows = 1;
        let shared = (tensors.shape()[0] > 1 && self.sizes.get().is_some()).then_some(index);
        for (index, outlet) in self.outlets.iter().enumerate() {
            let values = &mut results.outputs[index];
            let output = &self.manifest.outputs[index];
            let rows = outlet.take(output, tensors.output(index), shared, &mut values.values)?;
            // The first output is one if any is.
            match (values.series, index) {
                (true, 0) => results.rows = rows,
                (true, _) => results.rows = results.rows.min(rows),
                _ => {}
            }
        }
        Ok(())
    }

    /// Puts the rows of window `index` of a run into its tensors.
    pub fn place(&self, tensors: &mut Tensors, index: usize, rows: &[f32], bins: usize) {
        let from = index * rows.len();
        self.order.arrange(rows, bins, &mut tensors.floats()[from..from + rows.len()]);
    }

    /// Runs the network on all windows of `tensors`.
    pub fn run_shared(&self, tensors: &mut Tensors) -> Result<()> {
        self.network.run(&self.names, tensors, &mut State::new(&[])?, None)
    }

    /// Why a run takes one window only, if it does.
    fn refuses_batches(&self) -> Option<String> {
        let series = |k: usize| self.manifest.outputs[k].series().is_some();
        if !self.feeds.is_empty() || !self.states.is_empty() {
            return Some("it has more inputs than the audio".into());
        }
        if (0..self.outlets.len()).any(series) {
            return Some("an output is a series".into());
        }
        if self.manifest.input.dtype != Dtype::F32 {
            return Some("its input is not f32".into());
        }
        if self.order.axes().first() != Some(&Axis::Batch) {
            return Some("the first axis of its input is not \"batch\"".into());
        }
        let ports = [&self.input].into_iter().chain(self.outlets.iter().map(|outlet| &outlet.port));
        let fixed = |port: &&Port| port.sizes.first().is_none_or(|&size| size >= 0);
        let port = ports.into_iter().find(fixed)?;
        Some(format!("the first axis of tensor {:?}, of shape {:?}, is fixed", port.name, port.sizes))
    }

    /// Finds out how many windows a run may have, up to `max`: once, at the end of loading.
    pub fn measure_sizes(&self, max: usize, bins: usize, tell: impl Fn(f32) -> Result<()>) -> Result<()> {
        if let Some(reason) = self.refuses_batches() {
            let message = format!("max_batch is {max}, but the network takes one window at a time: {reason}");
            return Err(Error::new(Status::Mismatch, message));
        }
        let sizes = Sizes::measure(max, self.network.leaves_cpu(), |windows| {
            tell(windows as f32 / max as f32)?;
            self.run_silence(windows, bins)
        })?;
        self.sizes.get_or_init(|| sizes);
        Ok(())
    }

    /// Runs the network on `windows` silent windows.
    pub fn run_silence(&self, windows: usize, bins: usize) -> Result<()> {
        let mut tensors = self.tensors_for(windows, self.rows, bins)?;
        let run = self.run_shared(&mut tensors);
        self.put_back(tensors);
        run
    }

    /// How many windows a run may have; `None`: one.
    pub fn sizes(&self) -> Option<&Sizes> {
        self.sizes.get()
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
            (Dtype::F32, _) => self.place(tensors, 0, rows, bins),
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

    /// Tensors for `windows` windows of `rows` rows, with what is the same in every run; outputs of these types and shapes, or how
    /// many.
    fn make(
        &self,
        windows: usize,
        rows: usize,
        bins: usize,
        outputs: std::result::Result<&[(Dtype, Vec<i64>)], usize>,
    ) -> Result<Tensors> {
        let dtype = self.manifest.input.dtype;
        let first = [(dtype, many(windows, &self.order.shape(rows, bins)))].into_iter();
        let feeds = self.feeds.iter().map(|feed| (feed.dtype, feed.shape(rows, bins)));
        let inputs: Vec<_> = first.chain(feeds).collect();
        let staging = if dtype == Dtype::F32 { 0 } else { rows * bins };
        let mut tensors = Tensors::new(&inputs, outputs, filled(staging, 0.0, "the rows of a window")?)?;
        self.feeds.iter().enumerate().for_each(|(index, feed)| feed.prepare(&mut tensors, 1 + index));
        Ok(tensors)
    }
}

/// The shape of `windows` windows, whose first axis is the batch if they are several.
fn many(windows: usize, shape: &[i64]) -> Vec<i64> {
    let mut shape = shape.to_vec();
    if windows > 1 {
        shape[0] = windows as i64;
    }
    shape
}
