//! Networks one behind the other in one file.

use std::fs;
use std::process::Command;

use crate::common::*;
use crate::onnx;
use auricle::{Clip, ClipOptions, Model, ModelOptions};
use auricle_train::onnx::edit::Editor;
use auricle_train::onnx::join::{Part, Step, join, states};

/// A network of one node, with operators of version `opset`, and constants.
pub fn network(opset: u64, input: &str, sizes: (&[u64], &[u64]), parts: &[Vec<u8>]) -> Vec<u8> {
    let ends =
        [onnx::value_info(11, input, sizes.0), onnx::value_info(12, "y", sizes.1), onnx::bytes(2, "g")];
    let graph = [&ends[..], parts].concat();
    [onnx::number(1, 8), onnx::message(8, &[onnx::number(2, opset)]), onnx::message(7, &graph)].concat()
}

/// Samples as rows of two; then a network whose names are those of the first one.
fn networks() -> (Vec<u8>, Vec<u8>) {
    let shape = onnx::bytes(5, onnx::integers("c", &[2], &[6, 2]));
    let rows =
        network(17, "x", (&[1, 12], &[6, 2]), &[shape, onnx::node("Reshape", &["x", "c"], &["y"], &[])]);
    let shape = onnx::bytes(5, onnx::integers("c", &[2], &[1, 12]));
    let scores =
        network(17, "x", (&[2, 6], &[1, 12]), &[shape, onnx::node("Reshape", &["x", "c"], &["y"], &[])]);
    (rows, scores)
}

/// What the library gives for `samples`, one window of 8 kHz, of which every value that comes out is a class.
pub fn outputs(onnx: &[u8], samples: &[f32], count: usize) -> Vec<f32> {
    let labels: Vec<String> = (0..count).map(|k| format!("\"{k}\"")).collect();
    let first = &Editor::read(onnx).unwrap().outputs()[0];
    let manifest = format!(
        r#"{{ "auricle": 1, "outputs": [{{ "tensor": "{first}", "labels": [{}] }}], "input": {{ "sample_rate": 8000, "window_seconds": {},
            "features": {{ "kind": "waveform" }}, "layout": ["batch", "sample"] }} }}"#,
        labels.join(", "),
        samples.len() as f64 / 8000.0
    );
    let model = Model::load_memory(onnx, Some(&manifest), &ModelOptions::default()).unwrap();
    let mut scores = vec![0.0; count];
    let clip = Clip { interleaved: samples, channels: 1, sample_rate: 8000 };
    model.classify(clip, &mut scores).unwrap();
    scores
}

/// The line of the documentation that begins with `command`, run in `folder`.
pub fn run_documented(command: &str, folder: &Scratch) {
    let text = include_str!("../../../docs/bring-your-own-model.md");
    let line = text.lines().find(|line| line.starts_with(command)).unwrap();
    let words = line.split_whitespace().skip(1);
    let run = Command::new(env!("CARGO_BIN_EXE_auricle-train"))
        .args(words)
        .current_dir(&folder.0)
        .output()
        .unwrap();
    assert!(run.status.success(), "{line}: {}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn the_documented_example_joins_two_networks() {
    let folder = Scratch::new("join");
    let (rows, scores) = networks();
    fs::write(folder.0.join("front.onnx"), rows).unwrap();
    fs::write(folder.0.join("back.onnx"), scores).unwrap();
    run_documented("auricle-train join ", &folder);
    if !has_runtime() {
        return;
    }
    let samples: Vec<f32> = (0..12).map(|k| k as f32 / 16.0).collect();
    let found = outputs(&fs::read(folder.0.join("joined.onnx")).unwrap(), &samples, 12);
    // Two stretches of three rows, two rows apart.
    let expected: Vec<f32> = (0..6).chain(4..10).map(|k| samples[k] * 0.1 + 2.0).collect();
    assert_eq!(found, expected);
}

/// A step `keep`: each run has the last rows of the one before in front, the first one zeros.
#[test]
fn rows_of_the_run_before_are_kept() {
    if !has_runtime() {
        return;
    }
    let (rows, _) = networks();
    let parts = ["keep:2,2", "reshape:1,16"].map(|step| Part::Step(Step::parse(step).unwrap()));
    let joined = join(&rows, &parts).unwrap();
    assert_eq!(states(&joined).unwrap(), [("kept_0".to_owned(), "kept_0_next".to_owned())]);
    let manifest = r#"{ "auricle": 1, "outputs": [{ "kind": "values" }],
        "input": { "tensor": "x", "sample_rate": 8000, "window_samples": 12, "features": { "kind": "waveform" },
                   "layout": ["batch", "sample"], "others": { "kept_0": { "state": "kept_0_next" } } },
        "stream": { "hop_seconds": 0.0015 } }"#;
    let model = Model::load_memory(&joined, Some(manifest), &ModelOptions::default()).unwrap();
    let samples: Vec<f32> = (1..=24).map(|k| k as f32 / 32.0).collect();
    let mut stream = model.clip_stream(8000, 1, &ClipOptions::default()).unwrap();
    stream.push(&samples).unwrap();
    stream.finish();
    let mut values = [9.0; 16];
    for expected in [[&[0.0; 4][..], &samples[..12]].concat(), samples[8..].to_vec()] {
        stream.read(&mut values).unwrap().unwrap();
        assert_eq!(values, expected[..]);
    }
    assert!(stream.read(&mut values).unwrap().is_none());
}

#[test]
fn axes_can_change_their_order() {
    if !has_runtime() {
        return;
    }
    let (rows, scores) = networks();
    let steps = ["transpose:1,0", "reshape:2,6"].map(|step| Part::Step(Step::parse(step).unwrap()));
    let parts: Vec<Part> = steps.into_iter().chain([Part::Network(scores)]).collect();
    let samples: Vec<f32> = (0..12).map(|k| k as f32 / 16.0).collect();
    let expected: Vec<f32> = (0..12).step_by(2).chain((1..12).step_by(2)).map(|k| samples[k]).collect();
    assert_eq!(outputs(&join(&rows, &parts).unwrap(), &samples, 12), expected);
}

#[test]
fn what_cannot_be_joined_is_refused_by_name() {
    let (rows, scores) = networks();
    let refused = |other: Vec<u8>| format!("{:#}", join(&rows, &[Part::Network(other)]).unwrap_err());
    let identity = [onnx::node("Identity", &["x"], &["y"], &[])];
    let older = refused(network(13, "x", (&[6, 2], &[6, 2]), &identity));
    assert!(older.contains("network 2") && older.contains("13") && older.contains("17"), "{older}");
    let two = [&identity[..], &[onnx::value_info(11, "state", &[1])]].concat();
    let two = refused(network(17, "x", (&[6, 2], &[6, 2]), &two));
    assert!(two.contains("2 inputs (x, state)"), "{two}");
    let two = [&identity[..], &[onnx::value_info(12, "z", &[1])]].concat();
    let two =
        format!("{:#}", join(&network(17, "x", (&[1], &[1]), &two), &[Part::Network(scores)]).unwrap_err());
    assert!(two.contains("the first network") && two.contains("2 outputs (y, z)"), "{two}");
}
