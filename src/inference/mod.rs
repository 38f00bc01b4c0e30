//! ONNX Runtime: finding and opening it, running a network with it.

mod cancel;
pub(crate) mod network;
pub mod runtime;

pub use cancel::Cancel;
