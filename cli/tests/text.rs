//! What files and models say of themselves reaches the terminal as text, never as a command to it.

mod support;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use auricle::stages::text::is_hidden;
use serde_json::json;
use support::{folder, model, run, sound, write_wav};

/// A title, a colour, line ends, other directions, what nobody sees.
const HOSTILE: &str = "a\u{1b}]0;x\u{7}\u{9b}31m\u{7f}\n\r\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}\u{61c}\u{200b}\u{feff}z";
const SHOWN: &str = r"a\u{1b}]0;x\u{7}\u{9b}31m\u{7f}\n\r\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}\u{61c}\u{200b}\u{feff}z";

/// The probe, whose second label is hostile, beside a sound.
fn hostile(name: &str) -> (PathBuf, PathBuf) {
    let folder = folder(name);
    let onnx = folder.join("probe.onnx");
    fs::copy(model().with_file_name("probe.onnx"), &onnx).expect("copied");
    let manifest = json!({ "auricle": 1, "name": HOSTILE, "labels": ["first", HOSTILE, "mean", "max"],
        "input": { "sample_rate": 16000, "window_seconds": 0.1, "features": { "kind": "waveform" },
                   "layout": ["batch", "sample"] },
        "stream": { "events": { "on": 0.1 } } });
    fs::write(folder.join("probe.auricle.json"), manifest.to_string()).expect("written");
    let file = folder.join("b\u{1b}[31m\n\u{202e}.wav");
    write_wav(&file, 16_000, 1, &sound(16_000, 1, 16_000));
    (onnx, file)
}

fn check(text: &str) {
    let hidden: Vec<char> = text.chars().filter(|&c| is_hidden(c) && c != '\n').collect();
    assert!(hidden.is_empty(), "{hidden:?} in {text:?}");
}

fn args<'a>(args: &[&'a str], paths: [&'a Path; 2]) -> Vec<&'a OsStr> {
    args.iter().map(|&word| OsStr::new(word)).chain(paths.map(Path::as_os_str)).collect()
}

#[test]
fn results_are_text() {
    let (onnx, file) = hostile("text_results");
    for (options, lines) in [(&["classify", "-k", "4", "-m"][..], 5), (&["classify", "--events", "-m"], 2)] {
        let text = run(args(options, [&onnx, &file])).clean().stdout;
        check(&text);
        assert!(text.contains(SHOWN) && text.contains(r"b\u{1b}[31m\n\u{202e}.wav"), "{text}");
        assert!(text.lines().count() >= lines, "{text}");
    }
    let text = run(["inspect".as_ref(), onnx.as_os_str()]).clean().stdout;
    check(&text);
    assert!(text.contains(SHOWN), "{text}");
}

#[test]
fn json_is_the_same_value_with_escapes() {
    let (onnx, file) = hostile("text_json");
    for options in [&["classify", "--json", "-m"][..], &["classify", "--events", "--json", "-m"]] {
        let run = run(args(options, [&onnx, &file])).clean();
        check(&run.stdout);
        for record in run.json() {
            assert_eq!(record["file"], file.to_str().expect("UTF-8"));
            let labelled = record["label"] == HOSTILE || record["scores"].get(HOSTILE).is_some();
            assert!(labelled || record["label"].is_string(), "{record}");
        }
        assert!(run.stdout.contains(r"\u009b31m\u007f\n\r\u0085\u2028"), "{}", run.stdout);
    }
    let inspected = run(["inspect".as_ref(), "--json".as_ref(), onnx.as_os_str()]).clean().stdout;
    check(&inspected);
    let record: serde_json::Value = serde_json::from_str(&inspected).expect("JSON");
    assert_eq!(record["manifest"]["value"]["outputs"][0]["labels"][1], HOSTILE);
}

/// `auricle *` in a folder with strange names.
#[test]
fn wrong_usage_quotes_harmlessly() {
    for args in [&[HOSTILE][..], &["classify", "--top", HOSTILE, "a.wav"], &["features", "a.wav", HOSTILE]] {
        let run = run(args);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?}");
        check(&run.stderr);
        assert!(run.stderr.contains(r"\u{9b}31m"), "{}", run.stderr);
    }
}

#[test]
fn complaints_are_lines() {
    let (onnx, file) = hostile("text_complaints");
    let folder = onnx.parent().expect("a folder");
    let absent = folder.join(format!("{}.wav", &HOSTILE[..20]));
    let bad = folder.join("bad.json");
    fs::write(&bad, json!({ "auricle": 1, HOSTILE: 1 }).to_string()).expect("written");
    let stream = json!({ "events": { "classes": { (HOSTILE): { "on": "x" } } } }).to_string();
    for words in [
        args(&["classify", "-m"], [&onnx, &absent]),
        args(&["classify", "-m"], [&absent, &file]),
        args(&["features", "-o", "x.npy", "--manifest"], [&bad, &file]),
        args(&["features", "-o", HOSTILE, "--manifest"], [&absent, &file]),
        args(&["classify", "--events", "--stream", &stream, "-m"], [&onnx, &file]),
        args(&["--runtime", HOSTILE, "classify", "-m"], [&onnx, &file]),
    ] {
        let run = run(&words);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{words:?}");
        check(&run.stderr);
        assert!(run.stderr.contains(r"\u{1b}"), "{}", run.stderr);
        assert!(run.stderr.lines().all(|line| line.starts_with("auricle: ")), "{}", run.stderr);
    }
}
