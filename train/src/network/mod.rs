//! The networks that can be trained: one file an architecture.

mod cnn;

pub use cnn::AudioCnn;
