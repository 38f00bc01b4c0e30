//! The program itself: that no run is lost to a bad argument.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{Scratch, has_runtime, noise, tone};

/// Two classes of six clips of half a second each.
pub fn sounds(folder: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    for (class, index) in (0..12).map(|n| (["noise", "tone"][n % 2], n)) {
        fs::create_dir_all(folder.join(class)).unwrap();
        let samples = if class == "tone" { tone(300.0 + 9.0 * index as f32, 0.5) } else { noise(index, 0.5) };
        let mut file =
            hound::WavWriter::create(folder.join(class).join(format!("{index}.wav")), spec).unwrap();
        samples.iter().for_each(|sample| file.write_sample(*sample).unwrap());
        file.finalize().unwrap();
    }
}

/// Exit, and all that was printed.
pub fn run(folder: &Path, arguments: &str) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_auricle-train"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    (done.status.success(), text)
}

const TRAIN: &str =
    "train --data sounds --no-cache --steps 2 --batch 2 --name x --licence y --window-seconds 0.4";

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_work() {
    let folder = Scratch::new("places");
    sounds(&folder.0.join("sounds"));
    fs::create_dir_all(folder.0.join("model.onnx")).unwrap();
    for (arguments, expected) in [
        (format!("{TRAIN} --out nowhere/o.onnx"), "nowhere/o.onnx: the folder nowhere is not there"),
        (format!("{TRAIN} --out model.onnx"), "model.onnx: is a folder"),
        (
            format!("{TRAIN} --out o.onnx --hold-out 1 --report nowhere/r.json"),
            "the folder nowhere is not there",
        ),
        (
            format!("{TRAIN} --out o.onnx --checkpoint nowhere/c"),
            "nowhere/c: the folder nowhere is not there",
        ),
        ("cross-validate --data sounds --report nowhere/r.json".into(), "the folder nowhere is not there"),
    ] {
        let (fine, text) = run(&folder.0, &arguments);
        assert!(!fine && text.contains(expected), "{arguments}: {text}");
        assert!(!text.contains("clips,") && !text.contains("steps"), "it began to work: {text}");
    }
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2, "something was left behind");
}

#[test]
fn a_run_is_kept_beside_the_model_and_never_overwritten() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("kept");
    sounds(&folder.0.join("sounds"));
    let good = |arguments: &str| {
        let (fine, text) = run(&folder.0, arguments);
        assert!(fine, "{arguments}: {text}");
        text
    };
    let bad = |arguments: &str, expected: &str| {
        let (fine, text) = run(&folder.0, arguments);
        assert!(!fine && text.contains(expected), "{arguments}: {text}");
    };
    let train = format!("{TRAIN} --out o.onnx --hold-out 1 --report r.json");
    let text = good(&train);
    assert!(text.contains("on 3 clips the library gives the same answers"), "{text}");
    for file in ["o.onnx", "o.ckpt", "r.json", "r.html"] {
        assert!(folder.0.join(file).is_file(), "{file}");
    }
    // The run that lies beside its model goes with it; one without its model, or by a name of its own, stays.
    good(&train);
    fs::remove_file(folder.0.join("o.onnx")).unwrap();
    bad(&train, "o.ckpt: holds another run");
    bad(&format!("{train} --checkpoint o.ckpt"), "o.ckpt: holds another run");
    let text = good(&format!("{train} --resume"));
    assert!(!text.contains("2/2 steps") && folder.0.join("o.onnx").is_file(), "{text}");
    // The last --steps counts.
    bad(&format!("{train} --resume").replace("--batch 2", "--batch 3"), "recipe.batch: 2 and now 3");

    // Other labels deal other folds: what the run heard must not be held out after it.
    fs::create_dir_all(folder.0.join("sounds/a")).unwrap();
    fs::rename(folder.0.join("sounds/tone/1.wav"), folder.0.join("sounds/a/1.wav")).unwrap();
    let tune = "finetune --from o.ckpt --data sounds --no-cache --steps 1 --batch 2 --name x --licence y --out t.onnx";
    bad(&format!("{tune} --hold-out 3"), "come from sources that the checkpoint was trained on");
    good(tune);
}

/// Folds of --test are neither trained on nor looked at: the run is the same without their clips.
#[test]
fn a_test_set_has_no_say() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("test-set");
    sounds(&folder.0.join("sounds"));
    let mut csv = String::from("file,class,fold\n");
    for (class, index) in (0..12).map(|n| (["noise", "tone"][n % 2], n)) {
        csv += &format!("{class}/{index}.wav,{class},{}\n", 1 + index / 4);
    }
    fs::write(folder.0.join("sounds/all.csv"), &csv).unwrap();
    let fewer: Vec<&str> = csv.lines().filter(|line| !line.ends_with(",3")).collect();
    fs::write(folder.0.join("sounds/fewer.csv"), fewer.join("\n")).unwrap();
    let with =
        format!("{TRAIN} --labels all.csv --hold-out 1 --test 3 --out a.onnx --log log --report r.json");
    let (fine, text) = run(&folder.0, &with);
    assert!(fine && text.contains("folds [3], which had none"), "{text}");
    let (fine, text) = run(&folder.0, &format!("{TRAIN} --labels fewer.csv --hold-out 1 --out b.onnx"));
    assert!(fine, "{text}");
    // The sources that were held out, which the file keeps, are others; the network is the same.
    let weights = |name: &str| {
        let bytes = fs::read(folder.0.join(name)).unwrap();
        auricle_train::onnx::edit::Editor::read(&bytes).unwrap().floats("w2").unwrap().values
    };
    assert!(weights("a.onnx") == weights("b.onnx"), "the clips of --test had a say");
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.0.join("r.json")).unwrap()).unwrap();
    assert_eq!((&report["folds"][0]["fold"], report["folds"].as_array().unwrap().len()), (&3.into(), 1));
    assert_eq!(fs::read_to_string(folder.0.join("log/steps.csv")).unwrap().lines().count(), 3);
    let (fine, text) =
        run(&folder.0, &format!("{TRAIN} --labels all.csv --hold-out 3 --test 3 --out c.onnx"));
    assert!(!fine && text.contains("fold 3 is in --hold-out and in --test"), "{text}");
}

#[test]
fn a_search_keeps_its_limits_and_its_winner_can_be_trained() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("search");
    sounds(&folder.0.join("sounds"));
    let search = "search --data sounds --no-cache --steps 4 --batch 2 --hold-out 1 --trials 4 --max-ms 1000 --out found \
                  --window-seconds 0.5";
    let (fine, text) = run(&folder.0, &search.replace("\\\n", " "));
    assert!(fine && text.contains("4 candidates within 1000 ms"), "{text}");
    let found: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.0.join("found/search.json")).unwrap()).unwrap();
    let best = &found[0];
    assert!(best["on_front"] == true && best["steps"] == 4, "{found}");
    let size = ["width", "depth", "kernel"].map(|member| format!("--{member} {}", best["size"][member]));
    let train = format!(
        "train --data sounds --no-cache --steps 1 --batch 2 --name x --licence y --input found/input1.json {} --out w.onnx",
        size.join(" ")
    );
    let (fine, text) = run(&folder.0, &train);
    assert!(fine, "{text}");
    let bytes = fs::metadata(folder.0.join("w.onnx")).unwrap().len() as f64;
    assert!((bytes / 1e3 / best["kb"].as_f64().unwrap() - 1.0).abs() < 0.1, "{bytes} bytes, {best}");
    let (fine, text) = run(&folder.0, &search.replace("--max-ms 1000", "--max-ms 1000 --max-kb 1"));
    assert!(!fine && text.contains("raise --max-ms or --max-kb"), "{text}");
}

#[test]
fn a_head_and_a_finetuning_begin_with_the_general_network() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("general");
    sounds(&folder.0.join("sounds"));
    let clips = "--data sounds --no-cache --hold-out 1 --name x --licence y --plain";
    let (fine, text) = run(&folder.0, &format!("head {clips} --out head.onnx"));
    assert!(fine && text.contains("held out: 100.00 %"), "{text}");
    let tuned = format!("finetune {clips} --steps 2 --batch 4 --learning-rate 3e-4 --out tuned.onnx");
    let (fine, text) = run(&folder.0, &tuned);
    assert!(fine && text.contains("a support vector machine on MFCCs"), "{text}");

    // What `cut` keeps of a model is what `head` can begin with too.
    let (fine, text) = run(&folder.0, "head tuned.onnx --data sounds --out x.onnx --name x --licence y");
    assert!(!fine && text.contains("reducemean"), "{text}");
    let tensor = text.split_whitespace().find(|word| word.starts_with("reducemean")).unwrap();
    let (fine, text) = run(&folder.0, &format!("cut tuned.onnx --embedding {tensor} --out cut.onnx"));
    assert!(fine, "{text}");
    let (fine, text) = run(&folder.0, &format!("head cut.onnx {clips} --out again.onnx"));
    assert!(fine && text.contains("held out: 100.00 %"), "{text}");
    let multiplies =
        |file: &str| fs::read(folder.0.join(file)).unwrap().windows(4).any(|part| part == b"Gemm");
    assert!(multiplies("tuned.onnx") && !multiplies("cut.onnx"), "the last layer is still there");
}
