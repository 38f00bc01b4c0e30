//! A network with state, whose right answers are known without it.
#![allow(dead_code, reason = "each test program uses its own part")]

use auricle::{Error, Model, ModelOptions};

use crate::looping::{file, floats, value};
use crate::onnx::{I64, bytes, int, integers, node};

/// `TensorProto.DataType`.
pub const F32: u64 = 1;
/// Samples of a window; they are a hop of 800 apart.
pub const WINDOW: usize = 1600;

/// Three scores of a window: `sum` = decay · (`sum` of the window before) + gain · Σ samples; `runs` = decay_runs · (`runs`
/// before) + 1; `given`, the samples of the window that are no padding. The first two are its state.
pub fn network(decay: f32, decay_runs: f32) -> Vec<u8> {
    let parts = [
        bytes(2, "g"),
        value(11, "audio", F32, &[1, WINDOW as u64]),
        value(11, "before", F32, &[1, 2]),
        value(11, "gain", I64, &[]),
        value(11, "given", F32, &[1, 1]),
        value(12, "scores", F32, &[1, 3]),
        value(12, "after", F32, &[1, 2]),
        bytes(5, integers("axes", &[1], &[1])),
        bytes(5, floats("decays", &[1, 2], &[decay, decay_runs])),
        bytes(5, floats("one", &[1, 1], &[1.0])),
        node("ReduceSum", &["audio", "axes"], &["plain"], &[int("keepdims", 1)]),
        node("Cast", &["gain"], &["factor"], &[int("to", F32)]),
        node("Mul", &["plain", "factor"], &["sum"], &[]),
        node("Concat", &["sum", "one"], &["new"], &[int("axis", 1)]),
        node("Mul", &["before", "decays"], &["kept"], &[]),
        node("Add", &["kept", "new"], &["after"], &[]),
        node("Concat", &["after", "given"], &["scores"], &[int("axis", 1)]),
    ];
    file("", &parts)
}

/// What the manifest says of the further inputs.
pub const OTHERS: &str = r#"{ "before": { "state": "after" }, "gain": { "constant": 3 },
    "given": { "length": "samples" } }"#;

pub fn manifest(others: &str) -> String {
    format!(
        r#"{{ "auricle": 1, "labels": ["sum", "runs", "given"],
             "input": {{ "sample_rate": 16000, "window_seconds": 0.1, "features": {{ "kind": "waveform" }},
                        "layout": ["batch", "sample"], "others": {others} }},
             "stream": {{ "hop_seconds": 0.05 }} }}"#
    )
}

pub fn load(decay: f32, decay_runs: f32) -> Model {
    try_load(&network(decay, decay_runs), OTHERS).expect("loads")
}

pub fn try_load(network: &[u8], others: &str) -> Result<Model, Error> {
    Model::load_memory(network, Some(&manifest(others)), &ModelOptions::default())
}

/// What the network gives for windows of mono audio at its own rate, up to the last one that is whole.
pub fn expected(audio: &[f32], decay: f32, decay_runs: f32) -> Vec<[f32; 3]> {
    let (mut sum, mut runs) = (0.0, 0.0);
    let windows = audio.windows(WINDOW).step_by(WINDOW / 2);
    windows
        .map(|window| {
            sum = decay * sum + 3.0 * window.iter().sum::<f32>();
            runs = decay_runs * runs + 1.0;
            [sum, runs, WINDOW as f32]
        })
        .collect()
}
