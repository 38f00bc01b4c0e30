//! What a network carries from one run to the next: tensors that it gives and takes again.

use std::fmt;

use ort::value::DynTensor;

use super::dtype::{self, Dtype};
use super::network::failed;
use crate::error::Result;

/// The state of one stream. It is there twice: a run reads one half and writes the other, and then they change places.
pub(crate) struct State {
    pub(super) current: Vec<DynTensor>,
    pub(super) next: Vec<DynTensor>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.current.iter().map(|tensor| tensor.shape())).finish()
    }
}

impl State {
    /// Zeros, of these types and shapes; of none, for networks that have no state.
    pub fn new(tensors: &[(Dtype, Vec<i64>)]) -> Result<Self> {
        (|| Ok(Self { current: dtype::zeros(tensors)?, next: dtype::zeros(tensors)? }))().map_err(failed)
    }

    pub fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    /// Zeros, as at the start of a stream.
    pub fn clear(&mut self) {
        self.current.iter_mut().for_each(dtype::clear);
    }

    /// The run has succeeded: what it wrote is what the next one reads.
    pub(super) fn turn(&mut self) {
        std::mem::swap(&mut self.current, &mut self.next);
    }

    /// Whether the last run left it as it was, bit for bit. The same input will leave it so again.
    pub fn is_settled(&self) -> bool {
        self.current.iter().zip(&self.next).all(|(a, b)| dtype::alike(a, b))
    }
}
