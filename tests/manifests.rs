//! The table of manifests in `tests/data/manifests.json` and the examples of `docs/manifest.md` and `docs/models`, as the parser judges
//! them. `manifest/check_schema.py` does the same with the JSON Schema, so that the two cannot drift apart.

use std::path::Path;

use auricle::Manifest;
use serde_json::{Value, json};

/// The table: the manifest that all rows start from; who refuses a row (`nobody`, `both`, the `parser` alone where it
/// takes arithmetic over several members), and what the row changes.
fn table() -> (Value, Vec<(String, Value)>) {
    let table: Value = serde_json::from_str(include_str!("data/manifests.json")).expect("JSON");
    let rows = serde_json::from_value(table["refused_by"].clone()).expect("pairs");
    (table["base"].clone(), rows)
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

fn examples(text: &str) -> Vec<Value> {
    let examples = text.split("```json\n").skip(1).filter_map(|part| part.split("```").next());
    examples.map(|example| serde_json::from_str(example).expect("an example is JSON")).collect()
}

/// Those of the page of the manifest and of all pages of models.
fn documented() -> Vec<Value> {
    let mut all = examples(include_str!("../docs/manifest.md"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/models");
    for page in std::fs::read_dir(folder).expect("pages") {
        let text = std::fs::read_to_string(page.expect("a page").path()).expect("text");
        let found = examples(&text);
        assert!(!found.is_empty() || text.contains("# What a manifest cannot say"), "{text}");
        all.extend(found);
    }
    all
}

#[test]
fn the_parser_accepts_and_refuses_what_the_table_says() {
    let (base, rows) = table();
    let mut accepted = documented();
    assert!(accepted.len() >= 12, "{} examples", accepted.len());
    for (refused_by, change) in rows {
        let mut manifest = base.clone();
        merge(&mut manifest, &change);
        match (refused_by.as_str(), Manifest::parse(&manifest.to_string())) {
            ("nobody", _) => accepted.push(manifest),
            ("both" | "parser", Err(error)) => {
                assert!(error.message().starts_with("manifest: "), "{error}: {change}");
            }
            (refused_by, parsed) => panic!("refused by {refused_by}: {change}: {parsed:?}"),
        }
    }
    let filled_in: Vec<Value> = accepted.iter().map(filled_in).collect();
    // The schema has to accept these too: manifest/check_schema.py reads them.
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manifests_filled_in.json");
    std::fs::write(file, Value::from(filled_in).to_string()).expect("written");
}

/// The manifest with every default, which must mean the same.
fn filled_in(manifest: &Value) -> Value {
    let parsed = Manifest::parse(&manifest.to_string()).unwrap_or_else(|e| panic!("{e}: {manifest}"));
    let json = parsed.to_json();
    assert_eq!(Manifest::parse(&json).as_ref(), Ok(&parsed), "defaults change nothing");
    serde_json::from_str(&json).expect("to_json gives JSON")
}

/// The manifest's resampler counts for the features of a clip too: a model trained behind torchaudio's sees its output.
#[test]
fn features_of_a_clip_go_through_the_resampler_of_the_manifest() {
    let (base, _) = table();
    let samples: Vec<f32> = (0..22_050).map(|i| (i as f32 * 2.3).sin()).collect();
    let clip = auricle::Clip { interleaved: &samples, channels: 1, sample_rate: 22_050 };
    let [bulk, low_latency, torchaudio] = ["bulk", "low_latency", "torchaudio"].map(|name| {
        let mut manifest = base.clone();
        manifest["input"]["resampler"] = name.into();
        let manifest = Manifest::parse(&manifest.to_string()).expect("valid");
        clip.features(&manifest).expect("computes").0
    });
    let most = bulk.iter().copied().fold(0.0, f32::max);
    let difference = |other: &[f32]| bulk.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference(&low_latency) < 1e-4 * most, "{}", difference(&low_latency) / most);
    assert!(difference(&torchaudio) > 1e-2 * most, "{}", difference(&torchaudio) / most);
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
