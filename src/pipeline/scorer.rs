//! Rows of one window -> its scores: order of the axes, network, activation.

use std::sync::Arc;

use once_cell::sync::OnceCell;

use crate::error::{Error, Result, Status};
use crate::inference::Cancel;
use crate::inference::batch::Sizes;
use crate::inference::network::{Network, Port, Tensors};
use crate::manifest::Manifest;
use crate::pool::Pool;
use crate::tensor::{Axis, AxisOrder};

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
    /// How many windows a run may have.
    sizes: OnceCell<Sizes>,
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
        Ok(Self { manifest, network, order, input, output, output_shape, tensors, sizes: OnceCell::new() })
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
        let mut tensors = self.tensors_for(1, rows.len() / bins, bins)?;
        self.place(&mut tensors, 0, rows, bins);
        let run = self.network.run(&mut tensors, cancel);
        let scored = run.and_then(|()| self.take(&tensors, 0, scores));
        self.tensors.put(tensors);
        scored
    }

    /// Tensors for `windows` windows of `rows` rows.
    pub fn tensors_for(&self, windows: usize, rows: usize, bins: usize) -> Result<Tensors> {
        let many = |mut shape: Vec<i64>, axis: usize| {
            if windows > 1 {
                shape[axis] = windows as i64;
            }
            shape
        };
        let shape = many(self.order.shape(rows, bins), 0);
        match self.tensors.take(|tensors| tensors.shape() == shape) {
            Some(tensors) => Ok(tensors),
            None => {
                let output_shape = many(self.output_shape.clone(), 0);
                Tensors::new(&self.input.name, &shape, &self.output.name, &output_shape)
            }
        }
    }

    /// Puts the rows (`[row, bin]`, normalised already) of window `index` of a run into its tensors.
    pub fn place(&self, tensors: &mut Tensors, index: usize, rows: &[f32], bins: usize) {
        let from = index * rows.len();
        self.order.arrange(rows, bins, &mut tensors.input()[from..from + rows.len()]);
    }

    /// Runs the network on all windows of `tensors`.
    pub fn run(&self, tensors: &mut Tensors) -> Result<()> {
        self.network.run(tensors, None)
    }

    pub fn put_back(&self, tensors: Tensors) {
        self.tensors.put(tensors);
    }

    /// The scores of window `index` of a run.
    pub fn take(&self, tensors: &Tensors, index: usize, scores: &mut [f32]) -> Result<()> {
        let from = index * scores.len();
        scores.copy_from_slice(&tensors.output()[from..from + scores.len()]);
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
            tensors.input().fill(0.0);
            let run = self.run(&mut tensors);
            self.put_back(tensors);
            run
        })?;
        self.sizes.get_or_init(|| sizes);
        Ok(())
    }

    /// Why a run takes one window only, if it does.
    pub fn refuses_batches(&self) -> Option<String> {
        let (input, output) = (&self.input, &self.output);
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
