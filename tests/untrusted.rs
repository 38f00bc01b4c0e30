//! Inputs that once took the process down, or would have: each must come back as an error.

use auricle::{Model, ModelOptions, Status};

fn data(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    std::fs::read(path).expect("a file of the repository")
}

#[test]
fn a_manifest_cannot_ask_for_more_memory_than_there_is() {
    // 2^24 rows of 32769 bins are 2.2 TB, of which a copy is made; an allocation that fails aborts the process.
    let manifest = r#"{ "auricle": 1, "labels": ["a", "b", "c", "d"], "input": { "sample_rate": 8000,
        "window_seconds": 2097.152, "layout": ["batch", "row", "bin"],
        "features": { "kind": "spectrogram", "fft": 65536, "frame_hop": 1 } } }"#;
    let loaded = Model::load_memory(&data("golden/moments.onnx"), Some(manifest), &ModelOptions::default());
    let error = loaded.expect_err("must be refused");
    assert_eq!(error.status(), Status::Manifest, "{error}");
    assert!(error.message().contains("input.window_seconds") && error.message().contains("32769"), "{error}");
}

#[test]
fn a_model_cannot_read_other_files() {
    // Weights "in tiny.onnx", which does lie beside it.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/external.onnx");
    let by_path = Model::load(path, &ModelOptions::default());
    let by_bytes = Model::load_memory(&data("data/external.onnx"), None, &ModelOptions::default());
    for loaded in [by_path, by_bytes] {
        let error = loaded.expect_err("must be refused");
        assert_eq!(error.status(), Status::Model, "{error}");
    }
}
