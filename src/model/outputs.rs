//! The outputs of a model: what each is, and its values for a result.

use super::Model;
use crate::error::{Error, Result, Status};
use crate::manifest::Kind;

/// One output of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelOutput<'a> {
    /// The manifest's name for it, else the tensor's.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Values that it has for each result.
    pub size: usize,
    /// Labels of the classes; none unless it has scores.
    pub labels: &'a [String],
    /// From one result to the next, seconds, if the rows of a window are results of their own.
    pub hop_seconds: Option<f64>,
}

impl Model {
    /// How many outputs the model has, at least one. The first is what reads and `classify` give.
    pub fn output_count(&self) -> usize {
        self.manifest().outputs.len()
    }

    /// Output `index`, if there are so many.
    pub fn output(&self, index: usize) -> Option<ModelOutput<'_>> {
        let (output, outlet) = (self.manifest().outputs.get(index)?, self.scorer().outlets().get(index)?);
        Some(ModelOutput {
            name: if output.name.is_empty() { &outlet.port.name } else { &output.name },
            kind: output.kind,
            size: outlet.size,
            labels: &output.labels,
            hop_seconds: output.series().map(|series| series.hop_seconds),
        })
    }

    /// The same, or an error with how many there are.
    pub(crate) fn require_output(&self, index: usize) -> Result<ModelOutput<'_>> {
        self.output(index).ok_or_else(|| {
            Error::argument(format!("output is {index}; the model has {}, from 0 on", self.output_count()))
        })
    }

    /// Values of the first output: classes, if it has scores.
    pub fn class_count(&self) -> usize {
        self.scorer().outlets()[0].size
    }
}

/// Writes the values of an output for the result that was read last, and says how many there are.
pub(crate) fn copy(output: Option<&[f32]>, values: &mut [f32]) -> Result<usize> {
    let output = output.ok_or_else(|| {
        Error::new(
            Status::InvalidState,
            "there is no result: read one first, and ask before the next read or wait",
        )
    })?;
    let capacity = values.len();
    match values.get_mut(..output.len()) {
        Some(values) => values.copy_from_slice(output),
        None => {
            let message = format!("values has room for {capacity}; the output has {}", output.len());
            return Err(Error::new(Status::BufferTooSmall, message));
        }
    }
    Ok(output.len())
}
