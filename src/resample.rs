//! Host rate -> model rate, streaming. Says its delay and takes it out of the output.

use crate::error::Result;

/// A planned sample-rate converter for one mono stream.
#[derive(Debug)]
pub struct Resampler {}

impl Resampler {
    /// Plans a conversion from `from` Hz to `to` Hz.
    pub fn new(from: u32, to: u32) -> Result<Self> {
        let _ = (from, to);
        Ok(Self {})
    }

    /// Takes all of `input`, hands every finished stretch of output to `sink`, in order.
    /// The output does not depend on how the input is cut into calls. Allocates nothing.
    pub fn push(&mut self, input: &[f32], mut sink: impl FnMut(&[f32])) {
        sink(input);
    }

    /// Ends the stream: hands out the rest, so that the output since the last reset has
    /// ceil(frames in * to / from) samples in all.
    pub fn finish(&mut self, sink: impl FnMut(&[f32])) {
        let _ = sink;
    }

    /// Forgets the stream: the next `push` starts a new one.
    pub fn reset(&mut self) {}
}
