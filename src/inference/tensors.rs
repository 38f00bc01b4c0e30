//! The tensors of a run: which of the network's, by name, and the memory for them.

use std::ffi::CString;
use std::fmt;
use std::sync::Arc;

use ort::session::RunOptions;
use ort::value::DynTensor;

use super::dtype::{self, Dtype};
use super::network::failed;
use crate::error::{Error, Result, Status};

/// The most tensors that a run can take, and that it can give.
pub(crate) const MAX_TENSORS: usize = 128;

/// Names of what a run takes and gives, in its order: of inputs first those that are no state.
#[derive(Debug)]
pub(crate) struct Names {
    pub(super) inputs: Vec<CString>,
    pub(super) outputs: Vec<CString>,
}

impl Names {
    pub fn new<'a>(
        inputs: impl Iterator<Item = &'a str>,
        outputs: impl Iterator<Item = &'a str>,
    ) -> Result<Self> {
        let names = Self {
            inputs: inputs.map(name).collect::<Result<_>>()?,
            outputs: outputs.map(name).collect::<Result<_>>()?,
        };
        let (inputs, outputs) = (names.inputs.len(), names.outputs.len());
        if inputs.max(outputs) > MAX_TENSORS {
            let message =
                format!("a run takes {inputs} tensors and gives {outputs}; valid up to {MAX_TENSORS} each");
            return Err(Error::new(Status::Mismatch, message));
        }
        Ok(names)
    }
}

fn name(name: &str) -> Result<CString> {
    CString::new(name).map_err(|_| {
        Error::new(Status::Model, format!("the network has a tensor whose name holds NUL: {name:?}"))
    })
}

/// The tensors of a run, but for state. They belong to the thread that runs, so that a run makes none.
pub(crate) struct Tensors {
    pub(super) inputs: Vec<DynTensor>,
    /// `None`: ONNX Runtime makes it anew in each run, because nobody knows its shape before.
    pub(super) outputs: Vec<Option<DynTensor>>,
    pub(super) options: Arc<RunOptions>,
    /// Numbers of the first input, where they are converted to its type; else empty.
    staging: Vec<f32>,
    /// Whether `outputs` are given to ONNX Runtime to be written.
    pub(super) known: bool,
}

impl fmt::Debug for Tensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensors").field("shape", &self.shape()).finish_non_exhaustive()
    }
}

impl Tensors {
    /// Inputs of these types and shapes; outputs too, or how many there are if their shapes are not known. `staging` has a
    /// number for each element of the first input, or is empty.
    pub fn new(
        inputs: &[(Dtype, Vec<i64>)],
        outputs: std::result::Result<&[(Dtype, Vec<i64>)], usize>,
        staging: Vec<f32>,
    ) -> Result<Self> {
        (|| {
            let known = outputs.is_ok();
            let outputs = match outputs {
                Ok(tensors) => dtype::zeros(tensors)?.into_iter().map(Some).collect(),
                Err(count) => (0..count).map(|_| None).collect(),
            };
            let options = Arc::new(RunOptions::new()?);
            Ok(Self { inputs: dtype::zeros(inputs)?, outputs, options, staging, known })
        })()
        .map_err(failed)
    }

    /// Shape of the first input.
    pub fn shape(&self) -> &[i64] {
        self.inputs[0].shape()
    }

    pub fn input(&mut self, index: usize) -> &mut DynTensor {
        &mut self.inputs[index]
    }

    /// The memory of the first input, which holds 32-bit floats.
    pub fn floats(&mut self) -> &mut [f32] {
        self.inputs[0].try_extract_tensor_mut().expect("made for 32-bit floats").1
    }

    /// The first input, and room for its numbers before they are converted.
    pub fn staged(&mut self) -> (&mut DynTensor, &mut [f32]) {
        (&mut self.inputs[0], &mut self.staging)
    }

    /// Output `index` of the last run, which succeeded.
    pub fn output(&self, index: usize) -> &DynTensor {
        self.outputs[index].as_ref().expect("a run gives every output")
    }
}
