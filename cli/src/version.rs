//! `auricle --version`.

use std::path::Path;

use crate::model;
use crate::out::{Out, Stop};

pub fn run(runtime: Option<&Path>, out: &mut Out) -> Result<(), Stop> {
    out.line(format_args!("auricle {}", auricle::VERSION))?;
    out.flush()?;
    model::open_runtime(runtime)
}
