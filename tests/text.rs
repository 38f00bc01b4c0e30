//! What a file or a name says of itself comes out of the library as one short line that no terminal obeys.

use std::sync::{Arc, Mutex};

use auricle::log::{self, Level};
use auricle::manifest::Stream;
use auricle::stages::text::{MAX_MESSAGE, is_hidden};
use auricle::{Error, Manifest, Model, ModelOptions, Status};

const TINY: &[u8] = include_bytes!("data/tiny.onnx");
const PROBE: &[u8] = include_bytes!("data/probe.onnx");
/// A terminal's title, a colour, line ends, another direction: as JSON, and as a message may show it.
const HOSTILE: &str = r"\u001b]0;title\u0007\u009b31m\n\u202e\u2066\u2028";
const SHOWN: &str = r"\u{1b}]0;title\u{7}\u{9b}31m\n\u{202e}\u{2066}\u{2028}";

/// For probe.onnx, if `members` have four labels and nothing wrong.
fn manifest(members: &str) -> String {
    format!(
        r#"{{ "auricle": 1, {members}, "input": {{ "sample_rate": 8000, "window_seconds": 0.1,
              "features": {{ "kind": "waveform" }}, "layout": ["batch", "sample"] }} }}"#
    )
}

fn check(error: &Error, part: &str) {
    let message = error.message();
    assert!(message.contains(part), "{part} in {message}");
    assert!(message.len() <= MAX_MESSAGE && !message.chars().any(is_hidden), "{message:?}");
}

#[test]
fn names_in_manifests_are_shown_not_obeyed() {
    for members in [
        format!(r#""labels": ["a"], "{HOSTILE}": 1"#),
        format!(r#""labels": ["a"], "output": {{ "activation": "{HOSTILE}" }}"#),
        format!(r#""labels": ["a"], "output": {{ "{HOSTILE}": 1 }}"#),
        format!(r#""labels": ["{HOSTILE}", "{HOSTILE}"]"#),
        format!(r#""labels": ["a"], "stream": {{ "events": {{ "classes": {{ "{HOSTILE}": {{}} }} }} }}"#),
    ] {
        check(&Manifest::parse(&manifest(&members)).expect_err("refused"), SHOWN);
    }
    let hostile = Manifest::parse(&manifest(&format!(r#""labels": ["{HOSTILE}"]"#))).expect("valid");
    let stream = Stream::parse(r#"{ "events": { "deny": ["b"] } }"#, &hostile);
    check(&stream.expect_err("refused"), SHOWN);
}

#[test]
fn paths_and_operators_are_shown_not_obeyed() {
    let options = ModelOptions::default();
    let absent = Model::load("no\n\u{1b}such\u{202e}.onnx", &options);
    check(&absent.expect_err("absent"), r"no\n\u{1b}such\u{202e}.onnx");
    // ONNX Runtime names the operator that it does not know.
    let operator = TINY.windows(10).position(|name| name == b"ReduceMean").expect("tiny.onnx has one");
    let mut onnx = TINY.to_vec();
    onnx[operator..operator + 10].copy_from_slice(b"\x1b[31m\nMean");
    let error = Model::load_memory(&onnx, None, &options).expect_err("refused");
    check(&error, r"\u{1b}[31m");
    assert_eq!(error.status(), Status::Model);
}

#[test]
fn a_message_is_short_however_long_the_name() {
    for length in [500_000, 100_000_000] {
        let name = "x".repeat(length);
        for members in
            [format!(r#""{name}": 1"#), format!(r#""labels": ["a"], "output": {{ "activation": "{name}" }}"#)]
        {
            let error = Manifest::parse(&manifest(&members)).expect_err("refused");
            assert!(error.message().len() <= MAX_MESSAGE, "{} bytes", error.message().len());
            let limit = if length == 500_000 { "1024 bytes" } else { "valid up to" };
            assert!(error.message().contains(limit), "what is allowed: {error}");
        }
    }
}

#[test]
fn log_messages_are_lines() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let to = heard.clone();
    let sink = move |_, message: &str| to.lock().expect("nobody panics").push(message.to_owned());
    log::set(Some((Arc::new(sink), Level::Debug)));
    let named = manifest(r#""name": "a\n\u001b[31m\u2029", "labels": ["a", "b", "c", "d"]"#);
    Model::load_memory(PROBE, Some(&named), &ModelOptions::default()).expect("loads");
    log::set(None);
    let heard = heard.lock().expect("nobody panics");
    assert!(heard.iter().any(|message| message.contains("loaded model \"a")), "{heard:?}");
    assert!(heard.iter().all(|message| !message.chars().any(is_hidden)), "{heard:?}");
}
