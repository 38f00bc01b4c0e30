//! One output of the network: from its tensor to the values that the manifest promises.

use ort::value::DynTensor;

use crate::error::{Error, Result, Status};
use crate::inference::Dtype;
use crate::inference::dtype::read;
use crate::inference::network::Port;
use crate::manifest::{Output, OutputRows, Quantized};

/// An output as a whole window gives it.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub port: Port,
    pub dtype: Dtype,
    pub shape: Vec<i64>,
    /// Values of one row.
    pub size: usize,
    /// Rows that are results; 1 unless the output is a series.
    pub rows: usize,
    quantized: Option<Quantized>,
}

impl Outlet {
    /// `output` is what stands at `path` in the manifest; `shape` is what a run on a whole window gave. The error is a
    /// message.
    pub fn new(output: &Output, path: &str, port: Port, shape: &[i64]) -> std::result::Result<Self, String> {
        let (raw, size) = rows_and_size(output, &port.name, shape)?;
        if !output.labels.is_empty() && size != output.labels.len() {
            return Err(format!("labels: {}", output.wrong_classes(&port.name, shape)));
        }
        let rows =
            output.series().map_or(1, |series| raw.saturating_sub(series.trim_start + series.trim_end));
        if rows == 0 || size == 0 {
            return Err(format!("rows: nothing is left of tensor {:?} with {shape:?}", port.name));
        }
        let quantized = output.quantized(path).map_err(|error| error.message().to_owned())?;
        Ok(Self { port, dtype: output.dtype, shape: shape.to_vec(), size, rows, quantized })
    }

    /// Values of a whole window, all rows and what is trimmed.
    pub fn capacity(&self) -> usize {
        self.shape.iter().product::<i64>() as usize
    }

    /// Writes the values of all rows that are results, and says how many rows those are. `shared`: the number of a window
    /// among those that were run together.
    pub fn take(
        &self,
        output: &Output,
        tensor: &DynTensor,
        shared: Option<usize>,
        values: &mut [f32],
    ) -> Result<usize> {
        let fail = |message: String| Error::new(Status::Inference, message);
        let (shape, first) = match shared {
            Some(index) => (&self.shape[..], index * self.capacity()),
            None => (&tensor.shape()[..], 0),
        };
        let (raw, size) = rows_and_size(output, &self.port.name, shape).map_err(fail)?;
        let Some(values) = values.get_mut(..raw * size).filter(|_| size == self.size) else {
            let name = &self.port.name;
            return Err(fail(format!(
                "the network's output {name:?} has {shape:?}, for a whole window {:?}",
                self.shape
            )));
        };
        read(tensor, first, values);
        if let Some(Quantized { scale, zero_point }) = self.quantized {
            values.iter_mut().for_each(|value| *value = (*value - zero_point as f32) * scale);
        }
        for row in values.chunks_exact_mut(size) {
            output.activation.apply(row, output.temperature);
        }
        let rows = pool(output, values, size);
        let kept = &values[..rows * size];
        match kept.iter().position(|value| !value.is_finite()) {
            None => Ok(rows),
            Some(place) => {
                let (k, value) = (place % size, kept[place]);
                let what = match output.labels.get(k) {
                    Some(label) => format!("score for {label:?}"),
                    None => format!("output {:?} at {k}", self.port.name),
                };
                Err(fail(format!("the network's {what} is {value}, not a finite number")))
            }
        }
    }
}

/// Rows and values of a row of a tensor of this shape. The error is a message.
fn rows_and_size(output: &Output, name: &str, shape: &[i64]) -> std::result::Result<(usize, usize), String> {
    let wide = shape.iter().filter(|&&size| size != 1).count();
    let product = shape.iter().product::<i64>() as usize;
    match (&output.rows, shape) {
        (None, _) if wide <= 1 => Ok((1, product)),
        (None, _) => Err(format!(
            "rows: tensor {name:?} has {shape:?}: say what becomes of its rows, the last axis but one: \"mean\", \"max\", \
             \"last\" or a series"
        )),
        (Some(_), [ones @ .., rows, size]) if ones.iter().all(|&size| size == 1) => {
            Ok((*rows as usize, *size as usize))
        }
        (Some(_), _) => Err(format!(
            "rows: tensor {name:?} has {shape:?}; rows are the last axis but one, and those before it are 1"
        )),
    }
}

/// Makes of all rows those that are results, at the start of `values`, and says how many.
fn pool(output: &Output, values: &mut [f32], size: usize) -> usize {
    let rows = values.len() / size;
    match output.rows {
        None => rows,
        Some(_) if rows == 0 => 0,
        Some(OutputRows::Last) => {
            values.copy_within((rows - 1) * size.., 0);
            1
        }
        Some(OutputRows::Mean) => {
            for k in 0..size {
                let sum: f64 = values[k..].iter().step_by(size).map(|&value| f64::from(value)).sum();
                values[k] = (sum / rows as f64) as f32;
            }
            1
        }
        Some(OutputRows::Max) => {
            for k in 0..size {
                values[k] = values[k..].iter().step_by(size).copied().fold(f32::NEG_INFINITY, f32::max);
            }
            1
        }
        Some(OutputRows::Series(series)) => {
            let end = rows.saturating_sub(series.trim_end);
            let start = series.trim_start.min(end);
            values.copy_within(start * size..end * size, 0);
            end - start
        }
    }
}
