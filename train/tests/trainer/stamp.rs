//! Manifests in files that others made.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::*;
use crate::onnx;
use auricle::manifest::golden::Signal;
use auricle::{Manifest, Model, ModelOptions};
use auricle_train::golden;
use auricle_train::onnx::edit::Editor;
use auricle_train::onnx::stamp::stamp;

fn data(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)).unwrap()
}

/// For tests/data/probe.onnx, which has none: first, last, mean and largest sample.
const PROBE: &str = r#"{ "auricle": 1, "labels": ["first", "last", "mean", "most"],
    "input": { "sample_rate": 16000, "window_seconds": 1.0, "features": { "kind": "waveform" },
               "layout": ["batch", "sample"] } }"#;

#[test]
fn a_manifest_is_added_and_replaced_and_all_else_stays() {
    let bare = data("probe.onnx");
    let once = stamp(&bare, "{\"first\": true}").unwrap();
    assert!(once.starts_with(&bare), "what was there has changed");
    let twice = stamp(&once, PROBE).unwrap();
    assert_eq!(twice, stamp(&bare, PROBE).unwrap(), "the first manifest is still in it");
    // Fields that no schema knows: number 999, one of each kind that protobuf has.
    let unknown = [&bare[..], &[0xb8, 0x3e, 5], &[0xba, 0x3e, 2, 7, 7], &[0xbd, 0x3e, 1, 2, 3, 4]].concat();
    let stamped = stamp(&unknown, PROBE).unwrap();
    assert!(stamped.starts_with(&unknown));
    if has_runtime() {
        let model = Model::load_memory(&stamped, None, &ModelOptions::default()).unwrap();
        assert_eq!(model.labels()[3], "most");
    }
}

#[test]
fn damaged_files_and_weights_elsewhere_are_refused() {
    let error = |bytes: &[u8]| format!("{:#}", stamp(bytes, PROBE).unwrap_err());
    let bare = data("probe.onnx");
    assert!(error(&bare[..bare.len() - 1]).contains("damaged, or not an ONNX file"));
    assert!(error(b"not at all").contains("at byte 0"));
    let elsewhere = format!("{:#}", Editor::check(&data("external.onnx")).unwrap_err());
    assert!(
        elsewhere.contains("lies in another file") && elsewhere.contains("auricle-train stamp"),
        "{elsewhere}"
    );
    assert!(format!("{:#}", Editor::check(b"").unwrap_err()).contains("no graph"));
}

/// The library refuses a model that brings settings of ONNX Runtime, and says that `stamp` takes them out.
#[test]
fn settings_of_onnx_runtime_are_taken_out() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("settings");
    let path = folder.0.join("tiny.onnx");
    fs::write(&path, [data("tiny.onnx"), onnx::entry(14, "ort_config", "{}")].concat()).unwrap();
    let refused = Model::load(&path, &ModelOptions::default()).unwrap_err();
    assert!(refused.message().contains("auricle-train stamp"), "{refused}");
    let run = Command::new(env!("CARGO_BIN_EXE_auricle-train")).arg("stamp").arg(&path).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Model::load(&path, &ModelOptions::default()).unwrap();
}

#[test]
fn golden_cases_are_made_once_and_kept() {
    if !has_runtime() {
        return;
    }
    let manifest = Manifest::parse(PROBE).unwrap();
    let file = golden::finish(&data("probe.onnx"), &manifest, Some(1e-4)).unwrap();
    let mut check = ModelOptions::default();
    check.self_check = true;
    let model = Model::load_memory(&file, None, &check).unwrap();
    let cases = &model.manifest().golden;
    // Whose numbers they are; and what shows a wrong front end: little level, silence, a clip that is filled.
    assert!(cases.iter().all(|case| case.by == "auricle"));
    assert!(cases.iter().any(|case| case.level < 0.05));
    assert!(cases.iter().any(|case| case.signal == Signal::Silence {}));
    assert!(cases.iter().any(|case| case.seconds < 1.0));
    assert!(cases.iter().all(|case| case.tolerance == 1e-4));
    assert!(cases.iter().any(|case| case.sample_rate != Some(16_000)), "the resampler is not checked");
    // Cases that the manifest brings are believed, and must come out.
    assert_eq!(golden::finish(&data("probe.onnx"), model.manifest(), Some(1.0)).unwrap(), file);
    let mut wrong = model.manifest().clone();
    wrong.golden[0].scores[3] += 0.5;
    let error = format!("{:#}", golden::finish(&data("probe.onnx"), &wrong, Some(1e-4)).unwrap_err());
    assert!(error.contains("golden[0]") && error.contains("\"most\""), "{error}");
    // A score below the normal range, which the library reads as 0.
    let mut tiny = model.manifest().clone();
    (tiny.golden[0].scores[0], tiny.golden[0].tolerance) = (6e-39, 10.0);
    golden::finish(&data("probe.onnx"), &tiny, None).unwrap();
    // A manifest that does not fit the network.
    let short = PROBE.replace(", \"most\"", "");
    let error =
        golden::finish(&data("probe.onnx"), &Manifest::parse(&short).unwrap(), Some(1e-4)).unwrap_err();
    assert!(format!("{error:#}").contains("3 labels"), "{error:#}");
}

/// Scores of integers may be rounded the other way elsewhere; large values may be further apart than scores.
#[test]
fn tolerance_knows_integers_and_the_scale() {
    let cases = |onnx: &[u8], manifest: &Manifest| {
        let file = golden::finish(onnx, manifest, None).unwrap();
        Model::load_memory(&file, None, &ModelOptions::default()).unwrap().manifest().golden.clone()
    };
    if !has_runtime() {
        return;
    }
    let mut manifest = Manifest::parse(PROBE).unwrap();
    assert!(cases(&data("probe.onnx"), &manifest).iter().all(|case| case.tolerance == 1e-3));
    // Samples of 16 bits: the largest one of silence is 0, that of the others some thousands.
    manifest.input.normalize =
        Some(serde_json::from_str(r#"{ "kind": "mean_std", "mean": 0, "std": 3.0517578125e-5 }"#).unwrap());
    for case in cases(&data("probe.onnx"), &manifest) {
        let largest = case.scores.iter().fold(1.0_f32, |max, score| max.max(score.abs()));
        assert_eq!(case.tolerance, 1e-3 * f64::from(largest));
    }
    let mut graph =
        onnx::reader(4, &[onnx::bytes(5, onnx::integers("w", &[4], &[1, 2, 3, 4])), onnx::gather("w", "z")]);
    graph.push(onnx::node("DynamicQuantizeLinear", &["z"], &["q", "scale", "zero_point"], &[]));
    graph.push(onnx::node("DequantizeLinear", &["q", "scale", "zero_point"], &["y"], &[]));
    let integers = [onnx::head(4), onnx::message(7, &graph)].concat();
    let manifest = Manifest::parse(&onnx::manifest(4)).unwrap();
    assert!(cases(&integers, &manifest).iter().all(|case| case.tolerance >= 2e-2));
}
