//! `auricle --version`.

use std::path::Path;

use auricle::stages::inference::runtime;

use crate::out::{Stdout, Stop, shown};

/// The library's version always; ONNX Runtime's if it can be opened, else why it cannot. That is an error only if it
/// was named with `--runtime`.
pub fn run(path: Option<&Path>, out: &mut Stdout) -> Result<(), Stop> {
    out.line(format_args!("auricle {}", auricle::VERSION))?;
    match (auricle::open_runtime(path), path) {
        (Ok(()), _) => {
            let file = runtime::file().map(|file| shown(&file)).unwrap_or_default();
            out.line(format_args!("ONNX Runtime {} ({file})", runtime::version().unwrap_or_default()))
        }
        (Err(e), None) => out.line(e),
        (Err(e), Some(_)) => Err(Stop::new(e)),
    }
}
