//! `docs/manifest.schema.json` and the parser say the same, on a table of manifests and on the examples of
//! `docs/manifest.md`.

use auricle::Manifest;
use jsonschema::Validator;
use serde_json::{Value, json};

/// Who refuses a manifest.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Refused {
    Nobody,
    Both,
    /// It takes arithmetic over several members, which a schema cannot express.
    ParserAlone,
}
use Refused::{Both, Nobody, ParserAlone};

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(include_str!("../docs/manifest.schema.json")).expect("JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("a schema of draft 2020-12");
    jsonschema::draft202012::new(&schema).expect("a valid schema")
}

fn base() -> Value {
    json!({
        "auricle": 1,
        "labels": ["a", "b"],
        "input": {
            "sample_rate": 16000,
            "window_seconds": 1.0,
            "features": { "kind": "mel", "fft": 1024, "frame_hop": 512, "mel": { "bins": 64 } },
            "layout": ["batch", "channel", "bin", "row"],
        },
    })
}

/// JSON Merge Patch (RFC 7386): `null` takes a member away.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().expect("made one above").remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

fn check(schema: &Validator, manifest: &Value, refused: Refused) {
    let parsed = Manifest::parse(&manifest.to_string());
    let valid = schema.is_valid(manifest);
    let expected = (refused == Nobody, refused != Both);
    assert_eq!((parsed.is_ok(), valid), expected, "(parser, schema) accept {manifest}: {parsed:?}");
    if let Ok(parsed) = parsed {
        let filled_in: Value = serde_json::from_str(&parsed.to_json()).expect("to_json gives JSON");
        let errors: Vec<String> = schema.iter_errors(&filled_in).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "with its defaults: {errors:?} in {filled_in}");
        assert_eq!(Manifest::parse(&parsed.to_json()).as_ref(), Ok(&parsed), "defaults change nothing");
    }
}

#[test]
fn examples_of_the_documentation_are_valid() {
    let schema = schema();
    let text = include_str!("../docs/manifest.md");
    let examples: Vec<&str> =
        text.split("```json\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert!(examples.len() >= 6, "{} examples", examples.len());
    for example in examples {
        check(&schema, &serde_json::from_str(example).expect("JSON"), Nobody);
    }
}

#[test]
fn every_member_is_documented() {
    let schema: Value = serde_json::from_str(include_str!("../docs/manifest.schema.json")).expect("JSON");
    let text = include_str!("../docs/manifest.md");
    let mut names = Vec::new();
    collect(&schema, &mut names);
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("`{name}`")), "{name} is not in docs/manifest.md");
    }
}

/// Names of members, and the values that they can have, everywhere in a schema.
fn collect(schema: &Value, names: &mut Vec<String>) {
    if let Some(members) = schema["properties"].as_object() {
        names.extend(members.keys().cloned());
    }
    let values = schema["enum"].as_array().into_iter().flatten();
    names.extend(values.filter_map(|value| value.as_str().map(str::to_owned)));
    match schema {
        Value::Object(members) => members.values().for_each(|part| collect(part, names)),
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, names)),
        _ => {}
    }
}

#[test]
fn top_level_and_input() {
    table(&[
        (Nobody, json!({})),
        (Nobody, json!({ "name": "n", "version": "v", "licence": "l" })),
        (Both, json!({ "name": 1 })),
        (Both, json!({ "colour": "red" })),
        (Both, json!({ "auricle": null })),
        (Both, json!({ "auricle": 2 })),
        (Both, json!({ "auricle": "1" })),
        (Both, json!({ "labels": null })),
        (Both, json!({ "labels": [] })),
        (Both, json!({ "labels": ["a", "a"] })),
        (Both, json!({ "labels": ["a", ""] })),
        (Both, json!({ "labels": ["a\u{0}"] })),
        (Both, json!({ "labels": [1] })),
        (Nobody, json!({ "labels": ["a b", "ä", "line\nbreak"] })),
        (Both, json!({ "input": null })),
        (Both, json!({ "input": { "gain": 1 } })),
        (Nobody, json!({ "input": { "tensor": "x", "dtype": "f32", "min_rows": 4, "padding": "repeat" } })),
        (Both, json!({ "input": { "dtype": "f16" } })),
        (Both, json!({ "input": { "padding": "reflect" } })),
        (Both, json!({ "input": { "min_rows": -1 } })),
        (Both, json!({ "input": { "min_rows": 1.5 } })),
        (ParserAlone, json!({ "input": { "min_rows": 1000 } })),
        (Both, json!({ "input": { "sample_rate": null } })),
        (Both, json!({ "input": { "sample_rate": 7999 } })),
        (Nobody, json!({ "input": { "sample_rate": 8000 } })),
        (Both, json!({ "input": { "sample_rate": 384_001 } })),
        (Both, json!({ "input": { "sample_rate": 16000.5 } })),
        (Both, json!({ "input": { "window_seconds": null } })),
        (Both, json!({ "input": { "window_seconds": 0 } })),
        (Both, json!({ "input": { "window_seconds": -1 } })),
        (Both, json!({ "input": { "window_seconds": "1 s" } })),
        (ParserAlone, json!({ "input": { "window_seconds": 1e6 } })),
        (ParserAlone, json!({ "input": { "window_seconds": 0.01 } })),
        (Both, json!({ "input": { "layout": null } })),
        (Both, json!({ "input": { "layout": [] } })),
        (Both, json!({ "input": { "layout": ["row"] } })),
        (Both, json!({ "input": { "layout": ["row", "bin", "row"] } })),
        (Both, json!({ "input": { "layout": ["batch", "sample"] } })),
        (Both, json!({ "input": { "layout": ["row", "bin", "time"] } })),
        (Nobody, json!({ "input": { "layout": ["row", "bin"] } })),
        (Nobody, json!({ "output": { "tensor": "y", "activation": "sigmoid" } })),
        (Both, json!({ "output": { "activation": "relu" } })),
        (Both, json!({ "output": { "shape": [1] } })),
        (Nobody, json!({ "stream": { "hop_seconds": 0.1 } })),
        (Both, json!({ "stream": { "hop_seconds": 0 } })),
        (Both, json!({ "stream": { "window_seconds": 1 } })),
        (ParserAlone, json!({ "stream": { "hop_seconds": 1e-9 } })),
    ]);
}

#[test]
fn features() {
    let waveform = json!({ "input": { "features": { "fft": null, "frame_hop": null, "mel": null,
        "kind": "waveform" }, "layout": ["batch", "sample"] } });
    let spectrogram = json!({ "input": { "features": { "kind": "spectrogram", "mel": null } } });
    let mfcc = json!({ "input": { "features": { "kind": "mfcc", "mfcc": { "count": 20 } } } });
    let fbank = json!({ "input": { "features": { "kind": "fbank", "fft": null, "frame_hop": null } } });
    table(&[(Nobody, waveform.clone()), (Nobody, spectrogram.clone()), (Nobody, mfcc.clone()), (Nobody, fbank.clone())]);
    for (whole, refused, member) in [
        (&waveform, Both, json!({ "fft": 512 })),
        (&waveform, Both, json!({ "preset": "colour" })),
        (&spectrogram, Both, json!({ "mel": { "bins": 64 } })),
        (&spectrogram, Both, json!({ "mfcc": { "count": 3 } })),
        (&spectrogram, Both, json!({ "snip_edges": true })),
        (&spectrogram, Both, json!({ "fft": null })),
        (&mfcc, Both, json!({ "mfcc": { "count": null } })),
        (&mfcc, Both, json!({ "mfcc": { "count": 0 } })),
        (&mfcc, ParserAlone, json!({ "mfcc": { "count": 65 } })),
        (&mfcc, Nobody, json!({ "mfcc": { "norm": "tensorflow", "lifter": 22 } })),
        (&mfcc, Both, json!({ "mfcc": { "norm": "none" } })),
        (&mfcc, Both, json!({ "mfcc": { "lifter": -1 } })),
        (&mfcc, Both, json!({ "snip_edges": true })),
        (&fbank, Nobody, json!({ "snip_edges": false })),
        (&fbank, Both, json!({ "center": true })),
        (&fbank, Both, json!({ "pad": "reflect" })),
        (&fbank, Both, json!({ "drop_last": true })),
        (&fbank, Both, json!({ "frame_align": "left" })),
        (&fbank, Both, json!({ "mel": null })),
    ] {
        let mut manifest = base();
        merge(&mut manifest, whole);
        merge(&mut manifest, &json!({ "input": { "features": member } }));
        check(&schema(), &manifest, refused);
    }
    of_features(&[
        (Both, json!({ "kind": null })),
        (Both, json!({ "kind": "melspec" })),
        (Both, json!({ "colour": 1 })),
        (Both, json!({ "fft": null })),
        (Both, json!({ "fft": 1023 })),
        (Both, json!({ "fft": 6 })),
        (Both, json!({ "fft": 131_072 })),
        (Both, json!({ "fft": -1024 })),
        (ParserAlone, json!({ "fft": 1034 })),
        (Nobody, json!({ "fft": 960 })),
        (Both, json!({ "frame_hop": null })),
        (Both, json!({ "frame_hop": 0 })),
        (Both, json!({ "frame_length": 1 })),
        (ParserAlone, json!({ "frame_length": 1025 })),
        (Nobody, json!({ "frame_length": 400, "frame_align": "left", "window": "povey" })),
        (Both, json!({ "frame_align": "right" })),
        (Both, json!({ "window": "kaiser" })),
        (Nobody, json!({ "center": true, "pad": "constant", "drop_last": true })),
        (Both, json!({ "center": "yes" })),
        (Both, json!({ "pad": "edge" })),
        (Both, json!({ "snip_edges": true })),
        (Nobody, json!({ "gain": 32768, "remove_dc": true, "pre_emphasis": 0.97, "power": 1 })),
        (Both, json!({ "gain": 0 })),
        (Both, json!({ "pre_emphasis": 1.1 })),
        (Both, json!({ "power": 3 })),
        (Both, json!({ "mel": null })),
        (Both, json!({ "mel": { "bins": null } })),
        (Both, json!({ "mel": { "bins": 0 } })),
        (Both, json!({ "mel": { "bins": 5000 } })),
        (Both, json!({ "mel": { "width": 1 } })),
        (Nobody, json!({ "mel": { "scale": "slaney", "norm": "slaney", "weights": "torch", "first_bin": 1 } })),
        (Nobody, json!({ "mel": { "triangles": "mel", "low_hz": 125, "high_hz": 7500 } })),
        (Both, json!({ "mel": { "scale": "bark" } })),
        (Both, json!({ "mel": { "norm": "area" } })),
        (Both, json!({ "mel": { "triangles": "mel", "weights": "torch" } })),
        (Both, json!({ "mel": { "low_hz": -1 } })),
        (Both, json!({ "mel": { "high_hz": 0 } })),
        (ParserAlone, json!({ "mel": { "high_hz": 8001 } })),
        (ParserAlone, json!({ "mel": { "low_hz": 500, "high_hz": 400 } })),
        (ParserAlone, json!({ "mel": { "first_bin": 513 } })),
        (Nobody, json!({ "log": { "kind": "ln", "offset": 1e-6 } })),
        (Nobody, json!({ "log": { "kind": "db", "reference": "max", "range": 80 } })),
        (Nobody, json!({ "log": { "kind": "log10", "floor": 1e-10, "range": 8 } })),
        (Nobody, json!({ "log": { "kind": "none" } })),
        (Both, json!({ "log": { "kind": "log2" } })),
        (Both, json!({ "log": { "kind": "ln", "offset": -1 } })),
        (ParserAlone, json!({ "log": { "kind": "ln", "offset": 0, "floor": 0 } })),
        (Both, json!({ "log": { "kind": "ln", "reference": 2 } })),
        (Both, json!({ "log": { "kind": "ln", "reference": "max" } })),
        (Both, json!({ "log": { "kind": "db", "reference": "min" } })),
        (Both, json!({ "log": { "kind": "db", "reference": 0 } })),
        (Both, json!({ "log": { "kind": "db", "range": 0 } })),
        (Both, json!({ "log": { "kind": "none", "range": 80 } })),
        (Both, json!({ "mfcc": { "count": 20 } })),
    ]);
}

#[test]
fn presets() {
    for (refused, features) in [
        (Nobody, json!({ "preset": "torchaudio" })),
        (Nobody, json!({ "preset": "librosa" })),
        (Nobody, json!({ "preset": "whisper" })),
        (Nobody, json!({ "preset": "whisper", "mel": { "bins": 128 } })),
        (Nobody, json!({ "preset": "yamnet" })),
        (Nobody, json!({ "preset": "ast" })),
        (Nobody, json!({ "preset": "ced" })),
        (Nobody, json!({ "preset": "kaldi", "snip_edges": false })),
        (Nobody, json!({ "preset": "librosa", "kind": "mfcc" })),
        (Nobody, json!({ "preset": "torchaudio", "kind": "spectrogram" })),
        (Nobody, json!({ "preset": "whisper", "kind": "mfcc", "mfcc": { "count": 13 } })),
        (Both, json!({ "preset": "whisper", "kind": "mfcc" })),
        (Both, json!({ "preset": "kaldi", "center": true })),
        (Both, json!({ "preset": "whisper", "snip_edges": true })),
        (Both, json!({ "preset": "whisper", "mfcc": { "count": 13 } })),
        (Both, json!({ "preset": "vggish" })),
        (Both, json!({})),
    ] {
        let mut manifest = base();
        manifest["input"]["features"] = features;
        check(&schema(), &manifest, refused);
    }
}

#[test]
fn normalize() {
    let each = |value: f64| json!(vec![value; 64]);
    for (refused, normalize) in [
        (Nobody, json!({})),
        (Nobody, json!({ "kind": "none" })),
        (Nobody, json!({ "kind": "mean_std", "mean": -4, "std": 4 })),
        (Nobody, json!({ "kind": "mean_std", "mean": each(-4.0), "std": each(0.5) })),
        (ParserAlone, json!({ "kind": "mean_std", "mean": [1, 2], "std": 4 })),
        (Both, json!({ "kind": "mean_std", "mean": -4 })),
        (Both, json!({ "kind": "mean_std", "mean": -4, "std": 0 })),
        (Both, json!({ "kind": "mean_std", "mean": -4, "std": each(-1.0) })),
        (Both, json!({ "kind": "mean_std", "mean": "-4", "std": 1 })),
        (Both, json!({ "kind": "none", "mean": -4, "std": 4 })),
        (Both, json!({ "mean": -4, "std": 4 })),
        (Nobody, json!({ "kind": "window", "over": "all", "epsilon": 1e-5, "variance": false })),
        (Both, json!({ "kind": "window" })),
        (Both, json!({ "kind": "window", "over": "row" })),
        (Both, json!({ "kind": "window", "over": "bin", "epsilon": 0 })),
        (Both, json!({ "kind": "window", "over": "bin", "mean": 1 })),
        (Nobody, json!({ "kind": "min_max", "over": "bin" })),
        (Both, json!({ "kind": "min_max", "over": "bin", "epsilon": 1e-5 })),
        (Both, json!({ "kind": "pcen" })),
        (Both, json!({ "colour": 1 })),
    ] {
        let mut manifest = base();
        manifest["input"]["normalize"] = normalize;
        check(&schema(), &manifest, refused);
    }
}

fn of_features(rows: &[(Refused, Value)]) {
    let whole: Vec<_> =
        rows.iter().map(|(refused, f)| (*refused, json!({ "input": { "features": f } }))).collect();
    table(&whole);
}

fn table(rows: &[(Refused, Value)]) {
    let schema = schema();
    for (refused, patch) in rows {
        let mut manifest = base();
        merge(&mut manifest, patch);
        check(&schema, &manifest, *refused);
    }
}
