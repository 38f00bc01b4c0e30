//! The input tensor: the order of its axes.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One axis of the network's input tensor (`input.layout`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Windows in one inference; 1.
    Batch,
    /// Channels of the network; 1.
    Channel,
    /// Feature vectors, in the order of time.
    Row,
    /// Values of one feature vector.
    Bin,
    /// Rows and bins as one axis: one row behind the other.
    RowBin,
    /// Samples of a waveform.
    Sample,
}

impl Axis {
    /// Its size in the tensor for one window of `rows` rows.
    pub(crate) fn size(self, rows: usize, bins: usize) -> i64 {
        match self {
            Axis::Batch | Axis::Channel => 1,
            Axis::Row | Axis::Sample => rows as i64,
            Axis::Bin => bins as i64,
            Axis::RowBin => rows.saturating_mul(bins) as i64,
        }
    }

    /// Whether it is as long as the audio.
    pub(crate) fn grows(self) -> bool {
        matches!(self, Axis::Row | Axis::RowBin | Axis::Sample)
    }
}

/// The order of the axes, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AxisOrder {
    axes: Vec<Axis>,
}

impl AxisOrder {
    /// `waveform`: the features are samples, which have one axis instead of row and bin.
    pub fn new(axes: &[Axis], waveform: bool, path: &str) -> Result<Self> {
        let wanted: &[Axis] = match waveform {
            true => &[Axis::Sample],
            false if axes.contains(&Axis::RowBin) => &[Axis::RowBin],
            false => &[Axis::Row, Axis::Bin],
        };
        let known: &[Axis] = &[Axis::Batch, Axis::Channel];
        let fits = wanted.iter().all(|axis| axes.contains(axis))
            && axes.iter().all(|axis| wanted.contains(axis) || known.contains(axis))
            && axes.iter().enumerate().all(|(k, axis)| !axes[..k].contains(axis));
        if !fits {
            let needs = if waveform { "\"sample\"" } else { "\"row\" and \"bin\", or \"row_bin\"" };
            return Err(Error::manifest(
                path,
                format!("each axis once: {needs}, and \"batch\" and \"channel\" where the network has them"),
            ));
        }
        Ok(Self { axes: axes.to_vec() })
    }

    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Shape of the tensor for one window of `rows` rows.
    pub fn shape(&self, rows: usize, bins: usize) -> Vec<i64> {
        self.axes.iter().map(|axis| axis.size(rows, bins)).collect()
    }

    /// Writes `rows` (`[row, bin]`) in the order that the network wants. Both have the same length.
    pub fn arrange(&self, rows: &[f32], bins: usize, out: &mut [f32]) {
        let position = |wanted| self.axes.iter().position(|axis| *axis == wanted);
        if position(Axis::Bin) < position(Axis::Row) {
            let count = rows.len() / bins;
            for (bin, line) in out.chunks_exact_mut(count).enumerate() {
                for (row, value) in line.iter_mut().enumerate() {
                    *value = rows[row * bins + bin];
                }
            }
        } else {
            out.copy_from_slice(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arranges_rows_as_the_network_wants_them() {
        let rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // 2 rows of 3 bins
        let mut out = [0.0; 6];
        let bin_first =
            AxisOrder::new(&[Axis::Batch, Axis::Channel, Axis::Bin, Axis::Row], false, "p").expect("valid");
        assert_eq!(bin_first.shape(2, 3), [1, 1, 3, 2]);
        bin_first.arrange(&rows, 3, &mut out);
        assert_eq!(out, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let row_first = AxisOrder::new(&[Axis::Row, Axis::Bin], false, "p").expect("valid");
        row_first.arrange(&rows, 3, &mut out);
        assert_eq!(out, rows);
        let flat = AxisOrder::new(&[Axis::Batch, Axis::RowBin], false, "p").expect("valid");
        assert_eq!(flat.shape(2, 3), [1, 6]);
        flat.arrange(&rows, 3, &mut out);
        assert_eq!(out, rows);
        let samples = AxisOrder::new(&[Axis::Batch, Axis::Sample], true, "p").expect("valid");
        assert_eq!(samples.shape(6, 1), [1, 6]);
        samples.arrange(&rows, 1, &mut out);
        assert_eq!(out, rows);
    }

    #[test]
    fn refuses_layouts_that_make_no_sense() {
        for (axes, waveform) in [
            (vec![], false),
            (vec![Axis::Row], false),
            (vec![Axis::Row, Axis::Bin, Axis::Row], false),
            (vec![Axis::Row, Axis::Bin, Axis::Sample], false),
            (vec![Axis::Row, Axis::Bin], true),
            (vec![Axis::RowBin], true),
            (vec![Axis::Row, Axis::RowBin], false),
            (vec![Axis::RowBin, Axis::Bin], false),
        ] {
            let error = AxisOrder::new(&axes, waveform, "input.layout").expect_err("must be refused");
            assert!(error.message().contains("input.layout"), "{error}");
        }
    }
}
