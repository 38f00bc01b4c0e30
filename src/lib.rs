//! Sound classification for native software: push PCM, read scores.

pub mod error;
pub mod features;
pub mod pcm;
pub mod resample;
pub mod ring;

pub use error::{Error, Result, Status};
