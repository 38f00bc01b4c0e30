//! Finding and opening ONNX Runtime.

use std::path::Path;

use crate::error::{Error, Result, Status};

/// Opens ONNX Runtime, once for the process. `None` looks for it. After a failure another path can be tried.
pub fn open(path: Option<&Path>) -> Result<()> {
    let _ = path;
    Err(Error::new(Status::Runtime, "not yet"))
}
