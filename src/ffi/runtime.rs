//! ONNX RUNTIME
//!
//! The library computes with ONNX Runtime 1.24 or newer, a shared library that is opened when it is first needed.

use std::ffi::c_char;

use super::guard::guard;
use super::pointer;
use super::status::{AURICLE_OK, auricle_status};
use crate::inference::runtime;

/// Opens ONNX Runtime. Optional: loading the first model does it with NULL. A program that brings its own
/// ONNX Runtime calls this first.
///
/// `library` is the path of the library file (onnxruntime.dll, libonnxruntime.so.1.28.0,
/// libonnxruntime.1.28.0.dylib). NULL looks at the environment variable ORT_DYLIB_PATH (but not in a process that
/// has more rights than who started it), then for that file in the folder of the Auricle library, whichever way that
/// was opened, and in the folder "lib" beside that if it is called "bin", where programs lie that have the static library.
///
/// Before it is opened, the environment variable ORT_DISABLE_TELEMETRY of this process is set to 1 unless it has a
/// value: ONNX Runtime 1.29 and newer would otherwise write and upload usage data. ORT_LOAD_CONFIG_FROM_MODEL is
/// removed if it is there: models would change the settings of sessions. The C library does not let one thread set
/// a variable while another one reads it, so a program whose other threads call getenv opens ONNX Runtime before it
/// starts them.
///
/// It is opened once, for the life of the process. A later call with NULL or with the same file does nothing;
/// with another file it fails and says which one is open.
///
/// Any thread; others that need ONNX Runtime wait.
/// - AURICLE_OK
/// - AURICLE_RUNTIME: it was not found, is no library, is built for another processor, is not ONNX Runtime, or is
///   too old; the last error names the file that was tried and the reason. Call again with another path.
/// - AURICLE_INVALID_STATE: another file is open already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_runtime_open(library: *const c_char) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let library = unsafe { pointer::optional_string("library", library) }?;
        let path = library.map(|text| pointer::path("library", text)).transpose()?;
        runtime::open(path)?;
        Ok(AURICLE_OK)
    })
}
