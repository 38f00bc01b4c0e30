//! ONNX Runtime: finding and opening it, running a network with it.

pub(crate) mod batch;
mod cancel;
pub mod contents;
pub(crate) mod dtype;
pub mod ending;
mod known;
pub(crate) mod memory;
pub(crate) mod network;
pub(crate) mod onnx_file;
mod progress;
pub(crate) mod providers;
pub mod runtime;
pub(crate) mod state;
pub(crate) mod tensors;
mod threads;

pub use cancel::Cancel;
pub use dtype::Dtype;
pub use progress::{Progress, Stage};
pub use providers::{Need, Provider};
pub use runtime::RuntimeOptions;
pub use threads::ThreadStart;

#[cfg(test)]
#[path = "../../tests/support/onnx.rs"]
mod hostile;
#[cfg(test)]
#[path = "../../tests/support/random.rs"]
mod random;
