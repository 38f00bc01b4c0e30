//! Denormals count as 0 in everything that computes, and only there. The probe network shows what it saw: its first and
//! last sample, mean, max.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))] // elsewhere the host's state is kept

use std::hint::black_box;

use auricle::{Clip, ClipOptions, Model, ModelOptions, Read, Session, SessionOptions};

const PROBE: &[u8] = include_bytes!("data/probe.onnx");
const WINDOW: usize = 800;

fn probe(threads: u32) -> Model {
    let manifest = r#"{ "auricle": 1, "labels": ["first", "last", "mean", "max"],
        "input": { "sample_rate": 8000, "window_seconds": 0.1,
                   "features": { "kind": "waveform" }, "layout": ["batch", "sample"] } }"#;
    let mut options = ModelOptions::default();
    options.threads = threads;
    Model::load_memory(PROBE, Some(manifest), &options).expect("the probe loads")
}

/// Scores of one window: of a session, of a clip in memory, of a clip in parts.
fn scores(model: &Model, window: &[f32]) -> [[f32; 4]; 3] {
    let mut all = [[f32::NAN; 4]; 3];
    let session = Session::new(model, &SessionOptions::new(8000, 1)).expect("session");
    session.push_f32(window).expect("push");
    assert!(matches!(session.read(&mut all[0]).expect("read"), Read::Window(_)));
    model
        .classify(Clip { interleaved: window, channels: 1, sample_rate: 8000 }, &mut all[1])
        .expect("classify");
    let mut stream = model.clip_stream(8000, 1, &ClipOptions::default()).expect("stream");
    stream.push(window).expect("push");
    stream.finish();
    assert!(stream.read(&mut all[2]).expect("read").is_some());
    all
}

#[test]
fn an_operand_below_the_normal_range_is_0() {
    for threads in [1, 2] {
        for scores in scores(&probe(threads), &[1e-40; WINDOW]) {
            assert_eq!(scores.map(f32::to_bits), [0; 4]);
        }
    }
}

#[test]
fn a_result_below_the_normal_range_is_0() {
    let mut window = [0.0; WINDOW];
    window[..WINDOW / 2].fill(2e-38);
    for scores in scores(&probe(1), &window) {
        assert_eq!(scores, [2e-38, 0.0, 0.0, 2e-38], "the mean would be 1e-38");
    }
}

#[test]
fn the_caller_computes_with_denormals_as_before() {
    let (denormal, smallest) = (1e-40_f32, f32::MIN_POSITIVE);
    let model = probe(1);
    for _ in 0..2 {
        assert_eq!(black_box(denormal) + black_box(0.0), denormal);
        assert!(black_box(smallest) / black_box(2.0) > 0.0);
        scores(&model, &[denormal; WINDOW]);
    }
    let session = Session::new(&model, &SessionOptions::new(8000, 1)).expect("session");
    let mut few = [0.0; 3];
    session.read(&mut few).expect_err("too few: errors leave the state as it was, too");
    session.push_f32(&[f32::NAN; WINDOW]).expect("push");
    session.read(&mut [0.0; 4]).expect("read");
    assert_eq!(black_box(denormal) + black_box(0.0), denormal);
}
