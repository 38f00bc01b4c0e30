//! Sound classification for native software: push PCM, read scores.

pub mod error;
pub mod features;
pub mod resample;

pub use error::{Error, Result, Status};
