//! `auricle --version`.

use std::path::Path;

use auricle::inference::runtime;

use crate::model;
use crate::out::{Out, Stop, shown};

/// The library's version always; ONNX Runtime's if it can be opened. That it cannot is an error only if it was named.
pub fn run(path: Option<&Path>, out: &mut Out) -> Result<(), Stop> {
    out.line(format_args!("auricle {}", auricle::VERSION))?;
    match (model::open_runtime(path), path) {
        (Ok(()), _) => {
            let file = runtime::file().map(|file| shown(&file)).unwrap_or_default();
            out.line(format_args!("ONNX Runtime {} ({file})", runtime::version().unwrap_or_default()))
        }
        (Err(_), None) => out.line("ONNX Runtime not found"),
        (Err(stop), Some(_)) => Err(stop),
    }
}
