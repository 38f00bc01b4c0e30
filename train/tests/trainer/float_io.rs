//! Inputs and outputs of other elements made 32-bit floats.

use std::fs;

use crate::common::*;
use crate::join::{network, outputs, run_documented};
use crate::onnx;
use auricle_train::onnx::float_io::float_io;

/// `ValueInfoProto` of elements of `code`.
fn value(field: u32, name: &str, code: u64, sizes: &[u64]) -> Vec<u8> {
    let sizes: Vec<Vec<u8>> = sizes.iter().map(|&size| onnx::message(1, &[onnx::number(1, size)])).collect();
    let tensor = onnx::message(1, &[onnx::number(1, code), onnx::message(2, &sizes)]);
    onnx::message(field, &[onnx::bytes(1, name), onnx::message(2, &[tensor])])
}

fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    let graph = [&[onnx::bytes(2, "g")], parts].concat();
    [onnx::number(1, 8), onnx::message(8, &[onnx::number(2, 17)]), onnx::message(7, &graph)].concat()
}

/// A constant of one element.
fn scalar(name: &str, code: u64, raw: &[u8]) -> Vec<u8> {
    onnx::message(5, &[onnx::number(2, code), onnx::bytes(8, name), onnx::bytes(9, raw)])
}

/// u8 in and out, both of which the file says: steps of 1/64 around 128 in, of 1/8 around 0 out.
fn quantised() -> Vec<u8> {
    file(&[
        value(11, "x", onnx::U8, &[1, 8]),
        value(12, "y", onnx::U8, &[1, 8]),
        scalar("step", 1, &(1.0_f32 / 64.0).to_le_bytes()),
        scalar("middle", onnx::U8, &[128]),
        scalar("wide", 1, &0.125_f32.to_le_bytes()),
        scalar("zero", onnx::U8, &[0]),
        onnx::node("DequantizeLinear", &["x", "step", "middle"], &["real"], &[]),
        onnx::node("Abs", &["real"], &["positive"], &[]),
        onnx::node("QuantizeLinear", &["positive", "wide", "zero"], &["y"], &[]),
    ])
}

const SAMPLES: [f32; 8] = [0.0, 0.5, -0.5, 0.26, -0.26, 0.99, -0.99, 0.007];

#[test]
fn the_documented_example_takes_scales_from_the_file() {
    let folder = Scratch::new("float-io");
    fs::write(folder.0.join("quantised.onnx"), quantised()).unwrap();
    run_documented("auricle-train float-io ", &folder);
    if !has_runtime() {
        return;
    }
    let found = outputs(&fs::read(folder.0.join("float.onnx")).unwrap(), &SAMPLES, 8);
    let even = |value: f32| value.round_ties_even();
    let expected = SAMPLES.map(|x| even((even(x * 64.0) / 64.0).abs() * 8.0) / 8.0);
    assert_eq!(found, expected);
    assert_ne!(found[3], 0.26, "nothing was quantised");
}

#[test]
fn other_floats_are_converted() {
    const F16: u64 = 10;
    let half = file(&[
        value(11, "x", F16, &[1, 8]),
        value(12, "y", F16, &[1, 8]),
        // The output is read inside too.
        value(12, "z", F16, &[1, 8]),
        onnx::node("Neg", &["x"], &["y"], &[]),
        onnx::node("Neg", &["y"], &["z"], &[]),
    ]);
    let (onnx, changed) = float_io(&half).unwrap();
    assert_eq!(changed, ["input \"x\"", "output \"y\"", "output \"z\""]);
    if has_runtime() {
        let found = outputs(&onnx, &SAMPLES, 8);
        let apart = found.iter().zip(SAMPLES).map(|(y, x)| (y + x).abs()).fold(0.0, f32::max);
        // None at all where ONNX Runtime leaves out two conversions that follow each other.
        assert!(apart < 1e-3, "{found:?}");
    }
}

#[test]
fn integers_that_the_file_does_not_explain_are_refused() {
    let plain = file(&[
        value(11, "x", onnx::U8, &[1, 8]),
        value(12, "y", 1, &[1, 8]),
        onnx::node("Cast", &["x"], &["y"], &[onnx::int("to", 1)]),
    ]);
    let error = format!("{:#}", float_io(&plain).unwrap_err());
    assert!(error.contains("\"x\"") && error.contains("input.dtype"), "{error}");
    let floats = network(17, "x", (&[1, 8], &[1, 8]), &[onnx::node("Identity", &["x"], &["y"], &[])]);
    let error = format!("{:#}", float_io(&floats).unwrap_err());
    assert!(error.contains("nothing to change"), "{error}");
}
