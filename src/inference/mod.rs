//! ONNX Runtime: finding and opening it, running a network with it.

pub mod runtime;
