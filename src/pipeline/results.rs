//! What the network gave for one window, and which rows of it are still to be given.

use super::Window;
use crate::manifest::Series;

/// The values of each output, with all rows of a series.
#[derive(Debug)]
pub(crate) struct Results {
    pub(super) outputs: Vec<Values>,
    /// Rows of the series, if there is one; else 1.
    pub(super) rows: usize,
}

#[derive(Debug)]
pub(super) struct Values {
    pub values: Vec<f32>,
    pub size: usize,
    /// Each row is a result of its own.
    pub series: bool,
}

impl Results {
    /// Output `index` of result `row`.
    pub fn output(&self, index: usize, row: usize) -> &[f32] {
        let Values { values, size, series } = &self.outputs[index];
        let start = if *series { row * size } else { 0 };
        &values[start..start + size]
    }
}

/// Rows that are results of their own: where each lies in its window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Samples at the model's rate from one to the next; they need not be whole.
    pub hop: f64,
    /// Rows of the network before the first one that is kept.
    pub skipped: usize,
    /// Rows of a whole window.
    pub rows: usize,
}

impl Places {
    pub fn new(series: &Series, rows: usize, rate: u32) -> Self {
        Self { hop: series.hop_seconds * f64::from(rate), skipped: series.trim_start, rows }
    }

    /// The first sample of row `row` of a window that begins at `begin`.
    pub fn start(&self, begin: u64, row: usize) -> u64 {
        begin + ((self.skipped + row) as f64 * self.hop).round() as u64
    }
}

/// The rows of the window that was run last.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The next one.
    pub row: usize,
    /// How many there are.
    pub rows: usize,
    /// First sample of the window, and one past the last one that is audio of the stream.
    pub begin: u64,
    pub end: u64,
    pub whole: bool,
    pub window: Window,
}
