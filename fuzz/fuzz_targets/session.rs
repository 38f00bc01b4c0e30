//! Any sequence of calls of the C API; the calls are made by C code, `session.c`, which says what the input means.

#![no_main]

use std::ffi::{CString, c_char, c_void};
use std::path::Path;
use std::sync::OnceLock;

use auricle as _; // its C API is what session.c links to
use libfuzzer_sys::fuzz_target;

unsafe extern "C" {
    fn auricle_fuzz_session(
        data: *const u8,
        size: usize,
        onnx: *const c_void,
        onnx_size: usize,
        manifest: *const c_char,
    );
}

/// A tenth of a second, so that short inputs reach many windows.
const MANIFEST: &str = r#"{ "auricle": 1, "labels": ["first", "last", "mean", "max"], "input": { "sample_rate": 16000,
    "window_seconds": 0.1, "features": { "kind": "waveform" }, "layout": ["batch", "sample"] },
    "output": { "activation": "none" }, "stream": { "hop_seconds": 0.05 } }"#;

static MODEL: OnceLock<(Vec<u8>, CString)> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let (onnx, manifest) = MODEL.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        auricle::open_runtime(Some(&root.join("target/onnxruntime/onnxruntime")))
            .expect("`cargo xtask setup` has put ONNX Runtime there");
        let onnx = std::fs::read(root.join("tests/data/probe.onnx")).expect("a file of the repository");
        (onnx, CString::new(MANIFEST).expect("no NUL"))
    });
    // SAFETY: the sizes are those of the slices, the manifest ends with a NUL.
    unsafe {
        auricle_fuzz_session(data.as_ptr(), data.len(), onnx.as_ptr().cast(), onnx.len(), manifest.as_ptr());
    }
});
