//! Weights from files beside a model, merged into it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::*;
use crate::onnx;
use auricle::{Clip, Model, ModelOptions};
use auricle_train::onnx::merge::merge;

fn data(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)).unwrap()
}

fn scores(model: &[u8]) -> Vec<u32> {
    let model = Model::load_memory(model, None, &ModelOptions::default()).unwrap();
    let samples = noise(3, 1.5);
    let mut scores = vec![0.0; model.labels().len()];
    model.classify(Clip { interleaved: &samples, channels: 1, sample_rate: 16_000 }, &mut scores).unwrap();
    scores.iter().map(|score| score.to_bits()).collect()
}

/// A message with `change` in the place of each field `number`.
fn changed(message: &[u8], number: u64, change: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let varint = |at: &mut usize| {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = message[*at];
            *at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let (mut out, mut at) = (Vec::new(), 0);
    while at < message.len() {
        let start = at;
        let key = varint(&mut at);
        match key & 7 {
            0 => drop(varint(&mut at)),
            2 => {
                let length = varint(&mut at) as usize;
                at += length;
                if key >> 3 == number {
                    out.extend(change(&message[at - length..at]));
                    continue;
                }
            }
            kind => panic!("kind {kind} in the test's model"),
        }
        out.extend_from_slice(&message[start..at]);
    }
    out
}

/// The model with the values of its constants in a file of the name `location`, as other programs write it; and that file.
fn split(model: &[u8], location: &str) -> (Vec<u8>, Vec<u8>) {
    let mut weights = vec![0xee; 64]; // so that no offset is 0
    let mut tensor = |tensor: &[u8]| {
        let mut place = Vec::new();
        let mut moved = changed(tensor, 9, &mut |values| {
            place = vec![
                onnx::entry(13, "location", location),
                onnx::entry(13, "offset", &weights.len().to_string()),
                onnx::entry(13, "length", &values.len().to_string()),
                onnx::number(14, 1),
            ];
            weights.extend_from_slice(values);
            Vec::new()
        });
        moved.extend(place.concat());
        onnx::bytes(5, moved)
    };
    let mut graph = |graph: &[u8]| onnx::bytes(7, changed(graph, 5, &mut tensor));
    let model = changed(model, 7, &mut graph);
    (model, weights)
}

#[test]
fn a_model_in_two_files_becomes_the_one_that_it_was() {
    let folder = Scratch::new("merge");
    let whole = data("tiny.onnx");
    let (model, weights) = split(&whole, "tiny.onnx.data");
    assert!(weights.len() > 700 && model.len() < whole.len());
    fs::write(folder.0.join("tiny.onnx"), &model).unwrap();
    fs::write(folder.0.join("tiny.onnx.data"), &weights).unwrap();
    let (merged, files) = merge(&model, &folder.0).unwrap().expect("there is something to merge");
    assert_eq!(files, ["tiny.onnx.data"]);
    assert_eq!(merge(&merged, &folder.0).unwrap(), None);
    assert_eq!(merge(&whole, &folder.0).unwrap(), None);
    if !has_runtime() {
        return;
    }
    let refused = Model::load(folder.0.join("tiny.onnx"), &ModelOptions::default()).unwrap_err();
    assert!(refused.message().contains("auricle-train stamp"), "{refused}");
    assert_eq!(scores(&merged), scores(&whole));

    // What the refusal says to do, with the manifest that the file has; from another folder.
    let mut stamp = Command::new(env!("CARGO_BIN_EXE_auricle-train"));
    let output = stamp.arg("stamp").arg(folder.0.join("tiny.onnx")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("merged with tiny.onnx.data"), "{said}");
    fs::remove_file(folder.0.join("tiny.onnx.data")).unwrap();
    assert_eq!(scores(&fs::read(folder.0.join("tiny.onnx")).unwrap()), scores(&whole));
}

/// Wherever a tensor can stand; the scores of these models are the bytes of the file.
#[test]
fn values_are_found_wherever_a_file_can_name_them() {
    let folder = Scratch::new("merge-everywhere");
    fs::create_dir(folder.0.join("deep")).unwrap();
    let values: Vec<u8> = (100..116).collect();
    fs::write(folder.0.join("deep/weights.bin"), &values).unwrap();
    let scores: Vec<f32> = values.iter().map(|&value| value.into()).collect();
    let mut given = Vec::new();
    for (way, model) in onnx::readers("deep/weights.bin", 16) {
        let merged = match merge(&model, &folder.0) {
            Ok(merged) => merged.expect("there is something to merge").0,
            Err(error) => {
                // One has its location apart from its name of a file; the other one takes 128 bytes of these 16.
                let odd = ["a tensor in two parts", "the indices of a sparse initialiser"];
                assert!(odd.contains(&way), "{way}: {error:#}");
                continue;
            }
        };
        assert!(!merged.windows(8).any(|part| part == b"location"), "{way}");
        if !has_runtime() {
            continue;
        }
        // Not all of them make their output of the tensor, or are a model at all.
        let Ok(model) = Model::load_memory(&merged, None, &ModelOptions::default()) else { continue };
        let (samples, mut out) = (noise(1, 1.0), vec![0.0; 16]);
        let clip = Clip { interleaved: &samples, channels: 1, sample_rate: 16_000 };
        if model.classify(clip, &mut out).is_ok() && out == scores {
            given.push(way);
        }
    }
    for way in ["an initialiser", "a body of an If", "a sparse initialiser", "a constant", "a function"] {
        assert!(given.contains(&way) || !has_runtime(), "{way} is not among {given:?}");
    }
}

#[test]
fn every_other_byte_stays() {
    let folder = Scratch::new("merge-bytes");
    fs::write(folder.0.join("w"), [7, 8, 9, 10]).unwrap();
    let file = |tensor: Vec<u8>| {
        let unknown = [&[0xb8, 0x3e, 5][..], &[0xba, 0x3e, 2, 7, 7], &[0xbd, 0x3e, 1, 2, 3, 4]].concat();
        let graph =
            onnx::reader(4, &[onnx::bytes(5, [tensor, unknown.clone()].concat()), onnx::gather("w", "y")]);
        [onnx::head(4), onnx::message(7, &graph), unknown].concat()
    };
    let (merged, _) = merge(&file(onnx::external("w", "w", 4)), &folder.0).unwrap().unwrap();
    let plain = [onnx::number(1, 4), onnx::number(2, onnx::U8), onnx::bytes(8, "w")].concat();
    let values = onnx::bytes(9, [7, 8, 9, 10]);
    // The values come last in their tensor.
    let start = file([plain.clone(), onnx::bytes(9, [])].concat()).len();
    assert_eq!(merged.len(), start + 4);
    let unknown = [&[0xb8, 0x3e, 5][..], &[0xba, 0x3e, 2, 7, 7], &[0xbd, 0x3e, 1, 2, 3, 4]].concat();
    let tensor = [plain, unknown, values].concat();
    assert!(merged.windows(tensor.len()).any(|part| part == tensor));
}

#[test]
fn a_model_names_files_of_its_own_folder_only() {
    let folder = Scratch::new("merge-outside");
    let inside = folder.0.join("model");
    fs::create_dir(&inside).unwrap();
    fs::write(folder.0.join("secret"), [1; 16]).unwrap();
    fs::write(inside.join("short"), [1; 15]).unwrap();
    fs::create_dir(inside.join("folder")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.0.join("secret"), inside.join("link")).unwrap();
    let absolute = folder.0.join("secret");
    let with = |location: &str| {
        let tensor = onnx::external("w", location, 16);
        onnx::message(7, &onnx::reader(16, &[onnx::bytes(5, tensor), onnx::gather("w", "y")]))
    };
    for (location, reason) in [
        (absolute.to_str().unwrap(), "not a file of the model's folder"),
        ("../secret", "not a file of the model's folder"),
        ("folder/../../secret", "not a file of the model's folder"),
        ("", "not a file of the model's folder"),
        ("absent", "absent"),
        ("folder", "is not a file"),
        ("short", "bytes 0 to 16 of \"short\" are said to be its values; that file has 15"),
        #[cfg(unix)]
        ("link", "outside the model's folder"),
    ] {
        let error = format!("{:#}", merge(&with(location), &inside).unwrap_err());
        assert!(error.contains("tensor \"w\"") && error.contains(reason), "{location}: {error}");
    }
}

#[test]
fn what_a_tensor_says_of_its_values_must_fit() {
    let folder = Scratch::new("merge-sizes");
    fs::write(folder.0.join("w"), [1; 100]).unwrap();
    let tensor = |shape: &[u64], kind: u64, entries: &[(&str, &str)]| {
        let mut parts: Vec<Vec<u8>> = shape.iter().map(|&size| onnx::number(1, size)).collect();
        parts.extend([
            onnx::number(2, kind),
            onnx::bytes(8, "w"),
            onnx::entry(13, "location", "w"),
            onnx::number(14, 1),
        ]);
        parts.extend(entries.iter().map(|(key, value)| onnx::entry(13, key, value)));
        let file = onnx::message(7, &[onnx::bytes(5, parts.concat())]);
        merge(&file, &folder.0).map(|merged| merged.unwrap().0.len()).map_err(|error| format!("{error:#}"))
    };
    let base = tensor(&[0], 1, &[]).unwrap();
    // Without a length: what the shape needs, from the offset on.
    assert_eq!(tensor(&[2, 3], 1, &[("offset", "76")]), Ok(base + 24 + 2));
    assert_eq!(tensor(&[3], 21, &[("length", "2")]), Ok(base + 2), "two elements a byte");
    for (shape, kind, entries, reason) in [
        (&[2_u64, 3][..], 1, &[("offset", "77")][..], "bytes 77 to 101 of \"w\""),
        (&[2, 3], 1, &[("length", "25")], "25 bytes are said to be its values; its shape [2, 3] needs 24"),
        (&[2, 3], 1, &[("offset", "18446744073709551615")], "that file has 100"),
        (&[2, 3], 1, &[("offset", "-1")], "is no number"),
        (&[1 << 62, 1 << 62], 1, &[], "its shape is"),
        (&[u64::MAX], 1, &[], "its shape is [-1]"),
        (&[2], 8, &[], "strings"),
    ] {
        let error = tensor(shape, kind, entries).unwrap_err();
        assert!(error.contains(reason), "{reason}: {error}");
    }
    // More than an ONNX file can hold is refused before it is read: a file of holes takes no room.
    fs::File::options().write(true).open(folder.0.join("w")).unwrap().set_len(3 << 30).unwrap();
    let error = tensor(&[3 << 30], 2, &[]).unwrap_err();
    assert!(error.contains("ends at 2147483647"), "{error}");
}
