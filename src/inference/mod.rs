//! ONNX Runtime: finding and opening it, running a network with it.

pub(crate) mod network;
pub mod runtime;
