//! ONNX Runtime: finding and opening it, running a network with it.

pub(crate) mod batch;
mod cancel;
pub(crate) mod network;
pub(crate) mod onnx_file;
mod progress;
pub(crate) mod providers;
pub mod runtime;

pub use cancel::Cancel;
pub use progress::{Progress, Stage};
pub use providers::{Need, Provider};

#[cfg(test)]
#[path = "../../tests/support/onnx.rs"]
mod hostile;
#[cfg(test)]
#[path = "../../tests/support/random.rs"]
mod random;
