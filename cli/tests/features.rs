//! `auricle features`: the array has the values that the library computes.

mod support;

use std::fs;
use std::path::Path;

use auricle::{Clip, Manifest, Model, ModelOptions};
use support::{command, finish, folder, model, sound, wav, write_wav};

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

/// A long recording is computed in parts, of whatever front end: padding at both ends, mirrored or not, a range below
/// the loudest value of all, a cosine transform behind it. The bits are those of all of it at once.
#[test]
fn parts_give_the_bits_of_the_whole() {
    let folder = folder("features_parts");
    let (json, array) = (folder.join("m.json"), folder.join("a.npy"));
    let fronts = [
        r#"{ "preset": "kaldi" }"#,
        r#"{ "preset": "kaldi", "snip_edges": false }"#,
        r#"{ "preset": "whisper" }"#,
        r#"{ "preset": "librosa", "kind": "mfcc" }"#,
        r#"{ "preset": "ced" }"#,
        r#"{ "kind": "spectrogram", "fft": 512, "frame_hop": 700 }"#,
        r#"{ "kind": "mel", "fft": 1024, "frame_hop": 17, "mel": { "bins": 8 } }"#,
        r#"{ "kind": "waveform" }"#,
    ];
    for (rate, channels, seconds) in [(16_000, 1, 9.3), (44_100, 2, 9.3), (16_000, 1, 0.09)] {
        let mut samples = sound(rate, channels, (f64::from(rate) * seconds) as usize);
        // Far below the loudest in the first third of the clip, and in most of its parts.
        let (first, last) = (samples.len() / 3, samples.len() * 9 / 10);
        samples[..first].iter_mut().for_each(|sample| *sample *= 1e-6);
        samples[last..].iter_mut().for_each(|sample| *sample *= 1e-7);
        let file = folder.join("a.wav");
        write_wav(&file, rate, channels, &samples);
        for front in fronts {
            let manifest = format!(
                r#"{{ "auricle": 1, "labels": ["a"], "input": {{ "sample_rate": 16000, "window_seconds": 1,
                    "features": {front}, "layout": ["batch", {}] }} }}"#,
                if front.contains("waveform") { r#""sample""# } else { r#""row", "bin""# }
            );
            fs::write(&json, &manifest).expect("written");
            for channel in 0..=u32::from(channels).min(2) {
                let run = finish(
                    command()
                        .arg("features")
                        .arg(&file)
                        .args(["-c", &channel.to_string(), "--manifest"])
                        .arg(&json)
                        .arg("-o")
                        .arg(&array),
                );
                run.clean();
                let one: Vec<f32> = match channel as usize {
                    0 => samples.clone(),
                    channel => samples.iter().skip(channel - 1).step_by(channels.into()).copied().collect(),
                };
                let channels = if channel == 0 { channels.into() } else { 1 };
                let clip = Clip { interleaved: &one, channels, sample_rate: rate };
                let manifest = Manifest::parse(&manifest).expect("valid");
                let (expected, bins) = clip.features(&manifest).expect("computes");
                let (shape, values) = read_npy(&array);
                assert_eq!(shape, [expected.len() / bins, bins], "{front}");
                assert!(values == expected, "{front}, {rate} Hz, {seconds} s, channel {channel}");
            }
        }
    }
}

#[test]
fn only_arrays_are_replaced() {
    let folder = folder("features_replace");
    let (file, onnx, array) = (wav(&folder, "a.wav", 1.0), folder.join("m.onnx"), folder.join("a.npy"));
    fs::copy(model(), &onnx).expect("copied");
    let (other, text, inner) = (wav(&folder, "b.wav", 1.0), folder.join("notes.txt"), folder.join("inner"));
    fs::write(&text, "mine").expect("written");
    fs::create_dir(&inner).expect("a folder");
    let features =
        |array: &Path| finish(command().arg("features").arg(&file).arg("-m").arg(&onnx).arg("-o").arg(array));
    let mut kept = vec![file.clone(), onnx.clone(), other, text, inner];
    #[cfg(unix)]
    {
        let (hard, soft) = (folder.join("hard.npy"), folder.join("soft.npy"));
        fs::hard_link(&file, &hard).expect("linked");
        std::os::unix::fs::symlink("m.onnx", &soft).expect("linked");
        kept.extend([hard, soft, "/dev/null".into()]);
    }
    let contents = |path: &Path| fs::read(path).ok();
    for path in &kept {
        let before = contents(path);
        let run = features(path);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{}", path.display());
        assert!(
            run.stderr.starts_with(&format!("auricle: {}: exists and is no ", path.display())),
            "{}",
            run.stderr
        );
        assert_eq!(contents(path), before, "{}", path.display());
    }
    let before: Vec<_> =
        fs::read_dir(&folder).expect("a folder").map(|e| e.expect("read").file_name()).collect();

    // An array is replaced, through a link too, and so is an empty file.
    features(&array).clean();
    let expected = contents(&array);
    fs::write(&array, b"\x93NUMPY of another time").expect("written");
    features(&array).clean();
    assert_eq!(contents(&array), expected);
    fs::write(&array, b"").expect("written");
    features(&array).clean();
    assert_eq!(contents(&array), expected);
    #[cfg(unix)]
    {
        fs::write(&array, b"").expect("written");
        let link = folder.join("link.npy");
        std::os::unix::fs::symlink("a.npy", &link).expect("linked");
        features(&link).clean();
        assert_eq!(contents(&array), expected);
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        fs::remove_file(&link).expect("removed");
    }
    fs::remove_file(&array).expect("removed");
    let after: Vec<_> =
        fs::read_dir(&folder).expect("a folder").map(|e| e.expect("read").file_name()).collect();
    assert_eq!(after, before, "nothing else is left");
}

/// A limit on the size of a file stands for a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing() {
    let folder = folder("features_full");
    let file = wav(&folder, "a.wav", 20.0);
    let json = folder.join("m.json");
    for front in [r#"{ "preset": "kaldi" }"#, r#"{ "preset": "whisper" }"#] {
        let manifest = format!(
            r#"{{ "auricle": 1, "labels": ["a"], "input": {{ "sample_rate": 16000, "window_seconds": 1,
                "features": {front}, "layout": ["batch", "row", "bin"] }} }}"#
        );
        fs::write(&json, &manifest).expect("written");
        for array in ["new.npy", "old.npy"] {
            let array = folder.join(array);
            if array.ends_with("old.npy") {
                fs::write(&array, b"\x93NUMPY, old").expect("written");
            }
            let script = r#"trap "" XFSZ; ulimit -f 64; exec "$0" features "$1" --manifest "$2" -o "$3""#;
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", script, env!("CARGO_BIN_EXE_auricle")]).arg(&file).arg(&json).arg(&array);
            let run = finish(&mut shell);
            assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
            assert!(run.stderr.starts_with(&format!("auricle: {}: ", array.display())), "{}", run.stderr);
        }
        let mut left: Vec<_> =
            fs::read_dir(&folder).expect("read").map(|e| e.expect("read").file_name()).collect();
        left.sort();
        assert_eq!(left, ["a.wav", "m.json", "old.npy"]);
        assert_eq!(fs::read(folder.join("old.npy")).expect("read"), b"\x93NUMPY, old");
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
    #[cfg(unix)]
    {
        let mut endless = command();
        endless.arg("features").arg(&file).args(["--manifest", "/dev/zero", "-o"]).arg(&array);
        let run = finish(&mut endless);
        assert_eq!(
            (run.code, run.stderr.as_str()),
            (Some(1), "auricle: /dev/zero: has more than 16777216 bytes\n")
        );
    }
    assert!(!array.exists(), "nothing is written when something is wrong");
    let both = finish(command().args(["features", "a.wav", "-m", "m", "--manifest", "j", "-o", "o"]));
    assert_eq!(both.code, Some(2));
}
