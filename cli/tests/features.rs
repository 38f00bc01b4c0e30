//! `auricle features`: the array has the values that the library computes.

mod support;

use std::fs;
use std::path::Path;

use auricle::{Clip, Manifest, Model, ModelOptions};
use support::{command, finish, folder, model, sound, wav};

/// Reads a `.npy` file of float32 as NumPy's documentation of the format says: its shape, its values.
fn read_npy(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let bytes = fs::read(path).expect("the array is there");
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!(start % 64, 0, "the data are aligned");
    let header = std::str::from_utf8(&bytes[10..start]).expect("ASCII");
    assert!(header.ends_with('\n') && header.contains("'descr': '<f4'"), "{header}");
    assert!(header.contains("'fortran_order': False"), "{header}");
    let shape = header.split(['(', ')']).nth(1).expect("a shape");
    let shape = shape.split(',').map(|n| n.trim().parse().expect("a number")).collect();
    let values = bytes[start..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    (shape, values.collect())
}

#[test]
fn writes_what_the_library_computes() {
    let folder = folder("features");
    let file = wav(&folder, "a.wav", 2.0);
    let manifest: Manifest =
        Model::load(model(), &ModelOptions::default()).expect("the test model loads").manifest().clone();
    let json = folder.join("manifest.json");
    fs::write(&json, manifest.to_json()).expect("written");

    let samples = sound(22_050, 2, 2 * 22_050);
    let clip = Clip { interleaved: &samples, channels: 2, sample_rate: 22_050 };
    let (expected, bins) = clip.features(&manifest).expect("computes");

    let by_model = folder.join("model.npy");
    let mut command_ = command();
    command_.arg("features").arg(&file).arg("-m").arg(model()).arg("-o").arg(&by_model);
    let text = finish(&mut command_).clean().stdout;
    assert!(text.contains(&format!("float32 [{}, {bins}]", expected.len() / bins)), "{text}");

    // A manifest alone does without ONNX Runtime.
    let by_manifest = folder.join("manifest.npy");
    let mut command_ = command();
    command_.env("ORT_DYLIB_PATH", folder.join("absent"));
    command_.arg("features").arg(&file).arg("--manifest").arg(&json).arg("-o").arg(&by_manifest);
    finish(&mut command_).clean();

    for array in [&by_model, &by_manifest] {
        let (shape, values) = read_npy(array);
        assert_eq!(shape, [expected.len() / bins, bins]);
        assert_eq!(values, expected);
    }
}

#[test]
fn says_which_file_is_wrong() {
    let folder = folder("features_bad");
    let file = wav(&folder, "a.wav", 1.0);
    let (array, absent, json) = (folder.join("a.npy"), folder.join("absent"), folder.join("bad.json"));
    fs::write(&json, r#"{ "auricle": 1, "labels": ["a"], "colour": "red" }"#).expect("written");
    let nowhere = folder.join("no/such/folder.npy");
    let model = model();
    let cases = [
        ([&absent, &model, &array], "--model", &absent),
        ([&file, &absent, &array], "--model", &absent),
        ([&file, &absent, &array], "--manifest", &absent),
        ([&file, &json, &array], "--manifest", &json),
        ([&file, &model, &nowhere], "--model", &nowhere),
    ];
    for ([file, what, array], option, wrong) in cases {
        let run = finish(command().arg("features").arg(file).arg(option).arg(what).arg("-o").arg(array));
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
        assert!(run.stderr.starts_with(&format!("auricle: {}", wrong.display())), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    assert!(!array.exists(), "nothing is written when something is wrong");
    let both = finish(command().args(["features", "a.wav", "-m", "m", "--manifest", "j", "-o", "o"]));
    assert_eq!(both.code, Some(2));
}
