//! The further inputs of a network that are no state: what goes into their tensors.

use crate::inference::Dtype;
use crate::inference::dtype::write;
use crate::inference::network::Port;
use crate::inference::tensors::Tensors;
use crate::manifest::{Length, Size};

/// A further input, checked against the network.
#[derive(Debug)]
pub(crate) struct Feed {
    pub port: Port,
    pub dtype: Dtype,
    pub shape: Vec<Size>,
    pub value: Fed,
}

/// What a further input holds.
#[derive(Debug)]
pub(crate) enum Fed {
    /// One number for all elements, or one for each.
    Constant(Vec<f64>),
    Length(Length),
}

/// How much of a window is audio of the stream: the rest was filled up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub samples: usize,
    pub rows: usize,
}

impl Feed {
    /// Its shape in a run on `rows` rows of `bins` bins.
    pub fn shape(&self, rows: usize, bins: usize) -> Vec<i64> {
        self.shape.iter().map(|size| size.value(rows, bins)).collect()
    }

    /// What is the same in every run.
    pub fn prepare(&self, tensors: &mut Tensors, index: usize) {
        match &self.value {
            Fed::Constant(values) => write(tensors.input(index), values.iter().copied().cycle()),
            Fed::Length(_) => {}
        }
    }

    /// What depends on the window.
    pub fn fill(&self, tensors: &mut Tensors, index: usize, given: Given) {
        let length = match self.value {
            Fed::Constant(_) => return,
            Fed::Length(Length::Samples) => given.samples,
            Fed::Length(Length::Rows) => given.rows,
        };
        write(tensors.input(index), std::iter::repeat(length as f64));
    }
}
