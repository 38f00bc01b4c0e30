//! `auricle inspect`: the library's record, whole, as JSON and for people.

#[path = "../../tests/support/onnx.rs"]
mod onnx;
mod support;

use auricle::{Model, ModelOptions};
use serde_json::{Value, json};
use support::{folder, model, run};

#[test]
fn json_is_the_record_of_the_library() {
    let path = model();
    let json = run(["inspect".as_ref(), "--json".as_ref(), path.as_os_str()]).clean().stdout;
    let mut given: Value = serde_json::from_str(&json).expect("JSON");
    let network =
        given.as_object_mut().and_then(|record| record.remove("network")).expect("what the file says");
    assert_eq!((&network["sha256"], &network["refused"]), (&given["model"]["sha256"], &Value::Null));
    let record = Model::load(&path, &ModelOptions::default())
        .expect("the test model loads")
        .describe()
        .expect("fits into memory");
    let mut expected: Value = serde_json::from_str(&record).expect("JSON");
    expected["golden"] = "none in the manifest".into();
    // The time of another load.
    expected["seconds_to_prepare"] = given["seconds_to_prepare"].clone();
    assert_eq!(given, expected);
    assert_eq!(given["manifest"]["value"]["labels"], serde_json::json!(["low", "middle", "high"]));
}

#[test]
fn golden_cases_are_run_and_reported() {
    let folder = folder("inspect_golden");
    let onnx = folder.join("probe.onnx");
    std::fs::copy(model().with_file_name("probe.onnx"), &onnx).expect("copied");
    // The network's outputs for one window: first sample, last sample, mean, maximum.
    let check = |first: f64| {
        let case = json!({ "signal": { "kind": "chirp", "from_hz": 4000, "to_hz": 4000 }, "seconds": 1,
                           "scores": [first, -0.5, 0, 0.5], "tolerance": 1e-6 });
        let manifest = json!({ "auricle": 1, "labels": ["first", "last", "mean", "most"], "golden": [case],
            "input": { "sample_rate": 16000, "window_seconds": 1, "features": { "kind": "waveform" },
                       "layout": ["batch", "sample"] } });
        std::fs::write(folder.join("probe.auricle.json"), manifest.to_string()).expect("written");
        run(["inspect".as_ref(), "--json".as_ref(), onnx.as_os_str()])
    };
    let record: Value = serde_json::from_str(&check(0.0).clean().stdout).expect("JSON");
    let said = record["golden"].as_str().expect("text");
    assert!(said.starts_with("1 cases reproduced"), "{said}");
    let refused = check(0.3);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("golden[0]: the score of \"first\" is 0, the manifest says 0.3"),
        "{}",
        refused.stderr
    );
}

#[test]
fn text_has_every_value_of_the_record() {
    let path = model();
    let text = run(["inspect".as_ref(), path.as_os_str()]).clean().stdout;
    let json = run(["inspect".as_ref(), "--json".as_ref(), path.as_os_str()]).clean().stdout;
    let mut leaves = Vec::new();
    collect("", &serde_json::from_str(&json).expect("JSON"), &mut leaves);
    assert!(leaves.len() > 20, "{json}");
    // The time of another load.
    for (name, value) in leaves.into_iter().filter(|(name, _)| name != "seconds_to_prepare") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let line = text.lines().find(|line| {
            let mut words = line.trim_start().splitn(2, ' ');
            words.next() == Some(&name) && words.next().is_some_and(|rest| rest.trim_start() == value)
        });
        assert!(line.is_some(), "no line with {name} {value}:\n{text}");
    }
}

#[test]
fn a_file_without_a_manifest_is_listed() {
    let folder = folder("inspect_bare");
    let file = folder.join("bare.onnx");
    let graph = [
        onnx::value_info(11, "x", &[1, 576]),
        onnx::value_info(12, "esc\u{1b}aped", &[1]),
        onnx::bytes(5, onnx::external("w", "w.data", 4)),
    ];
    let opset = onnx::message(8, &[onnx::number(2, 17)]);
    std::fs::write(&file, [onnx::number(1, 8), opset, onnx::message(7, &graph)].concat()).expect("written");
    // Without ONNX Runtime too: the file that is named is none.
    let listed = |json: &[&str]| {
        let file = file.to_str().expect("UTF-8");
        run([&["inspect", "--runtime", "nothing", file], json].concat()).clean().stdout
    };
    let text = listed(&[]);
    for line in ["input   \"x\" f32 [1, 576]", "opset   ai.onnx 17", "weights in  w.data", "bytes "] {
        assert!(text.lines().any(|l| l.starts_with(line)), "{line}: {text}");
    }
    assert!(
        text.contains("`auricle init ") && text.contains("stamp MODEL.onnx") && !text.contains('\u{1b}'),
        "{text}"
    );
    let json: Value = serde_json::from_str(&listed(&["--json"])).expect("JSON");
    assert_eq!(json["network"]["inputs"], json!([{ "name": "x", "element": "f32", "axes": [1, 576] }]));
    assert_eq!(json["network"]["outputs"][0]["name"], "esc\u{1b}aped");

    std::fs::write(&file, b"PK\x03\x04").expect("written");
    let refused = run(["inspect", file.to_str().expect("UTF-8")]);
    assert!(refused.code == Some(1) && refused.stderr.contains("ZIP archive"), "{}", refused.stderr);
}

/// Numbers, truth values and non-empty strings with the name of their member.
fn collect(name: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| collect(name, value, leaves)),
        Value::Null | Value::Array(_) => {}
        Value::String(text) if text.is_empty() => {}
        leaf => leaves.push((name.to_owned(), leaf.clone())),
    }
}
