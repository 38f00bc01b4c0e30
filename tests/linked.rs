//! The form that has ONNX Runtime linked, as iOS wants it: `.ci/run linked` runs this and the other tests in it.
#![cfg(all(unix, not(feature = "load-dynamic")))]

use std::path::Path;

use auricle::stages::inference::runtime;
use auricle::{Model, ModelOptions, Status, open_runtime};

#[test]
fn what_is_linked_is_open_and_nothing_else_can_be() {
    open_runtime(None).expect("it is linked");
    let file = runtime::file().expect("open");
    let linked = std::env::var("ORT_LIB_PATH").expect("where it was linked from");
    let linked = std::fs::canonicalize(Path::new(&linked).join("libonnxruntime.so")).expect("a file");
    assert_eq!(file, linked);
    assert!(runtime::version().expect("open").starts_with("1."), "{:?}", runtime::version());
    open_runtime(Some(&file)).expect("the same");
    let error = open_runtime(Some(Path::new("/no/such/library"))).expect_err("one a process");
    assert_eq!(error.status(), Status::InvalidState, "{error}");
    let named = |name: &str| error.message().contains(name);
    assert!(named("/no/such/library") && named(linked.to_str().expect("UTF-8")), "{error}");
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/esc10.onnx");
    Model::load(model, &ModelOptions::default()).expect("it works");
}
