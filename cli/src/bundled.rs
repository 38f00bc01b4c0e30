//! The model that is used when none is named.

/// The bundled model, an ONNX file with its manifest embedded. `None`: this build has none.
pub const MODEL: Option<&[u8]> = None;
