//! Two networks of `data/`.
#![allow(dead_code, reason = "each test program uses its own part")]

use auricle::{Model, ModelOptions};

/// Three classes, with its manifest embedded.
pub const TINY: &[u8] = include_bytes!("../data/tiny.onnx");
/// Its scores are the first and the last sample of a window, the mean and the largest. Without a manifest.
pub const PROBE: &[u8] = include_bytes!("../data/probe.onnx");

pub fn tiny() -> Model {
    Model::load_memory(TINY, None, &ModelOptions::default()).expect("the tiny model loads")
}

/// Windows of 800 samples every 400 at 8 kHz.
pub fn probe(padding: &str) -> Model {
    probe_at(8000, 0.1, padding)
}

/// Windows of another length, a hop of 0.05 s.
pub fn probe_at(sample_rate: u32, window_seconds: f64, padding: &str) -> Model {
    let manifest = format!(
        r#"{{ "auricle": 1, "labels": ["first", "last", "mean", "max"],
             "input": {{ "sample_rate": {sample_rate}, "window_seconds": {window_seconds}, "padding": "{padding}",
                        "features": {{ "kind": "waveform" }}, "layout": ["batch", "sample"] }},
             "stream": {{ "hop_seconds": 0.05 }} }}"#
    );
    Model::load_memory(PROBE, Some(&manifest), &ModelOptions::default()).expect("the probe loads")
}
