//! `auricle classify` on sounds made here: what it prints and what it makes of bad input.

mod support;

use std::fs;
use std::path::Path;

use auricle::{Clip, ClipOptions, Model, ModelOptions, Session, SessionOptions, Window};
use serde_json::Value;
use support::{folder, model, run, sound, wav, write_wav};

fn loaded() -> Model {
    Model::load(model(), &ModelOptions::default()).expect("the test model loads")
}

fn classify(options: &[&str], files: &[&Path]) -> support::Run {
    let mut args: Vec<&std::ffi::OsStr> = vec!["classify".as_ref(), "--model".as_ref()];
    let model = model();
    args.push(model.as_ref());
    args.extend(options.iter().map(std::ffi::OsStr::new));
    args.extend(files.iter().map(|file| file.as_os_str()));
    run(args)
}

fn scores(value: &Value) -> Vec<f64> {
    let object = value.as_object().expect("scores are an object");
    loaded().labels().iter().map(|label| object[label].as_f64().expect("a score is a number")).collect()
}

#[test]
fn json_has_the_scores_of_the_library() {
    let folder = folder("classify_json");
    for seconds in [0.7, 1.0, 5.3] {
        let file = wav(&folder, "a.wav", seconds);
        let lines = classify(&["--json"], &[&file]).clean().json();
        assert_eq!(lines.len(), 1);
        let record = &lines[0];
        let frames = (22_050.0 * seconds) as u64;
        assert_eq!(record["file"], file.to_str().expect("UTF-8"));
        assert_eq!(record["sample_rate"], 22_050);
        assert_eq!(record["channels"], 2);
        assert_eq!(record["frames"], frames);
        assert_eq!(record["duration"], frames as f64 / 22_050.0);

        let samples = sound(22_050, 2, frames as usize);
        let model = loaded();
        let mut expected = vec![0.0; model.labels().len()];
        let clip = Clip { interleaved: &samples, channels: 2, sample_rate: 22_050 };
        model.classify(clip, &mut expected).expect("classifies");
        let given = scores(&record["scores"]);
        let bits: Vec<u32> = given.iter().map(|&score| (score as f32).to_bits()).collect();
        let expected: Vec<u32> = expected.iter().map(|score| score.to_bits()).collect();
        assert_eq!(bits, expected, "{seconds} s");
        assert!((given.iter().sum::<f64>() - 1.0).abs() < 1e-5, "softmax sums to 1: {given:?}");
        assert_eq!(record["health"]["clipped_frames"], 0);
        assert_eq!(record["health"]["non_finite_frames"], 0);
        assert_eq!(record["health"]["silent"], false);
    }
}

#[test]
fn json_windows_are_those_of_the_library() {
    let file = wav(&folder("classify_windows"), "a.wav", 4.0);
    for (options, hop) in [(&["--json"][..], None), (&["--json", "--hop", "0.5"][..], Some(0.5))] {
        let record = classify(options, &[&file]).clean().json().remove(0);
        let windows = record["windows"].as_array().expect("windows").clone();

        let (samples, mut options) = (sound(22_050, 2, 4 * 22_050), ClipOptions::default());
        options.hop_seconds = hop;
        let clip = Clip { interleaved: &samples, channels: 2, sample_rate: 22_050 };
        let mut given = windows.iter();
        let each = |read: &Window, expected: &[f32]| {
            let window = given.next().expect("as many windows");
            assert_eq!(window["first_frame"], read.first_frame);
            assert_eq!(window["end_frame"], read.end_frame);
            for (name, frame) in [("start", read.first_frame), ("end", read.end_frame)] {
                let seconds = window[name].as_f64().expect("a number");
                assert!((seconds - frame as f64 / 22_050.0).abs() < 1e-9, "{name} {seconds} {frame}");
            }
            assert_eq!(window["health"]["clipped_frames"], 0);
            let given: Vec<f32> = scores(&window["scores"]).iter().map(|&score| score as f32).collect();
            assert_eq!(given, expected);
        };
        loaded().windows_of(clip, &options, each).expect("classifies");
        assert_eq!(given.next(), None);
        assert!(windows.len() > 2, "{} windows", windows.len());
    }
}

/// Bit for bit, at the model's rate and through the resampler, all channels and one of them.
#[test]
fn scores_are_those_of_classify_bit_for_bit() {
    let folder = folder("classify_bits");
    for (rate, channels, seconds) in [(16_000, 1, 3.7), (44_100, 2, 3.7), (44_100, 2, 0.4), (48_000, 3, 10.0)]
    {
        let samples = sound(rate, channels, (f64::from(rate) * seconds) as usize);
        let file = folder.join("a.wav");
        write_wav(&file, rate, channels, &samples);
        for channel in 0..=u32::from(channels) {
            let mut options = ClipOptions::default();
            options.channel = channel;
            let mut expected = vec![0.0; 3];
            let clip = Clip { interleaved: &samples, channels: channels.into(), sample_rate: rate };
            loaded().classify_with(clip, &options, &mut expected).expect("classifies");
            let record =
                classify(&["--json", "--channel", &channel.to_string()], &[&file]).clean().json().remove(0);
            assert_eq!(record["channel"], channel);
            let given: Vec<f32> = scores(&record["scores"]).iter().map(|&score| score as f32).collect();
            assert_eq!(given, expected, "{rate} Hz, channel {channel} of {channels}");
        }
    }
    let run = classify(&["--channel", "4"], &[&folder.join("a.wav")]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("channel is 4; valid 1..=3"), "{}", run.stderr);
}

#[test]
fn prints_the_top_classes_and_a_timeline() {
    let folder = folder("classify_text");
    let (short, long) = (wav(&folder, "short.wav", 0.8), wav(&folder, "long.wav", 20.0));
    let text = classify(&["--top", "1"], &[&short]).clean().stdout;
    assert!(text.starts_with(&format!("{}: 0.80 s, 22050 Hz, stereo\n", short.display())), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");

    let text = classify(&["--top", "2"], &[&long]).clean().stdout;
    assert!(text.lines().nth(3).is_some_and(|line| line.contains("0:00.00 - ")), "{text}");
    assert!(text.lines().last().is_some_and(|line| line.contains(" - 0:20.00 ")), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe: {text}");
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let folder = folder("classify_bad");
    let good = wav(&folder, "good.wav", 1.0);
    let (missing, empty, text) =
        (folder.join("missing.wav"), folder.join("empty.wav"), folder.join("text.wav"));
    fs::write(&empty, b"").expect("written");
    fs::write(&text, "this is no sound at all, just a text\n".repeat(100)).expect("written");
    let too_many = folder.join("channels.wav");
    write_wav(&too_many, 16_000, 9, &vec![0.1; 9 * 16_000]);
    let slow = folder.join("slow.wav");
    write_wav(&slow, 500, 1, &vec![0.1; 500]);

    let bad = [&missing, &empty, &text, &folder, &too_many, &slow];
    for bad in bad {
        let run = classify(&["--json"], &[&good, bad, &good]);
        assert_eq!(run.code, Some(1), "{}", bad.display());
        assert_eq!(run.json().len(), 2, "{}", bad.display());
        let start = format!("auricle: {}: ", bad.display());
        assert!(run.stderr.starts_with(&start) && run.stderr.len() > start.len() + 5, "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    assert!(classify(&[], &[&too_many]).stderr.contains("1..=8"));
    assert!(classify(&[], &[&slow]).stderr.contains("500 Hz"));
}

#[test]
fn a_bad_hop_is_refused() {
    let file = wav(&folder("classify_hop"), "a.wav", 1.0);
    for hop in ["0", "-1", "nan", "inf", "1e30"] {
        let run = classify(&[&format!("--hop={hop}")], &[&file]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{hop}");
        assert!(run.stderr.contains("hop"), "{}", run.stderr);
    }
    for (option, value) in [("--hop", "often"), ("--top", "0"), ("--top", "-1")] {
        assert_eq!(classify(&[&format!("{option}={value}")], &[&file]).code, Some(2), "{option} {value}");
    }
}

#[test]
fn warns_of_what_spoils_the_scores() {
    let folder = folder("classify_health");
    let mut samples = sound(22_050, 1, 22_050 * 3);
    samples[100] = f32::NAN;
    samples[200] = f32::INFINITY;
    samples[30_000..30_007].fill(1.0);
    let file = folder.join("spoilt.wav");
    write_wav(&file, 22_050, 1, &samples);
    let text = classify(&[], &[&file]).clean().stdout;
    let warning = text.lines().find(|line| line.contains("warning")).expect("a warning");
    assert!(warning.contains("7 frames clipped") && warning.contains("2 frames not finite"), "{warning}");
    let record = classify(&["--json"], &[&file]).clean().json().remove(0);
    assert_eq!(record["health"]["clipped_frames"], 7);
    assert_eq!(record["health"]["non_finite_frames"], 2);
    let first = &record["windows"][0];
    assert_eq!(first["health"]["non_finite_frames"], 2, "{first}");

    // A tone and its negative, and a source that is off by 0.4.
    let opposite: Vec<f32> = sound(22_050, 1, 22_050).iter().flat_map(|&sample| [sample, -sample]).collect();
    let file = folder.join("opposite.wav");
    write_wav(&file, 22_050, 2, &opposite);
    let text = classify(&[], &[&file]).clean().stdout;
    assert!(text.contains("warning: the channels cancel each other (RMS -8 dBFS"), "{text}");
    assert!(text.contains("--channel") && !text.contains("silent"), "{text}");
    let one = classify(&["--channel", "2"], &[&file]).clean().stdout;
    assert!(one.starts_with(&format!("{}: 1.00 s, 22050 Hz, channel 2 of 2\n", file.display())), "{one}");
    assert!(!one.contains("warning"), "{one}");
    let record = classify(&["--json"], &[&file]).clean().json().remove(0);
    assert_eq!(record["health"]["cancelling"], true);
    let shifted: Vec<f32> = sound(22_050, 1, 22_050).iter().map(|sample| 0.5 * sample + 0.4).collect();
    write_wav(&file, 22_050, 1, &shifted);
    let text = classify(&[], &[&file]).clean().stdout;
    assert!(text.contains("warning: DC offset of 0.40 (full scale is 1)"), "{text}");

    let silence = folder.join("silence.wav");
    write_wav(&silence, 22_050, 1, &[0.0; 22_050]);
    let text = classify(&[], &[&silence]).clean().stdout;
    assert!(text.contains("warning: silent"), "{text}");
    let record = classify(&["--json"], &[&silence]).clean().json().remove(0);
    assert_eq!(record["health"]["rms_dbfs"], Value::Null);
    assert_eq!(record["health"]["silent"], true);
}

/// The numbers that a percentage would be.
#[test]
fn thresholds_that_no_score_reaches_are_refused() {
    let file = wav(&folder("classify_percent"), "a.wav", 1.0);
    let run = classify(&["--events", "--stream", r#"{ "events": { "on": 60 } }"#], &[&file]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("stream.events.on: 60; valid 0.0..=1.0"), "{}", run.stderr);
}

/// Silence, sound, silence: `high` of the test model is on in the middle.
fn scene(folder: &Path) -> (std::path::PathBuf, Vec<f32>) {
    let mut samples = vec![0.0; 22_050];
    samples.extend(sound(22_050, 1, 33_075));
    samples.extend(vec![0.0; 33_075]);
    let file = folder.join("scene.wav");
    write_wav(&file, 22_050, 1, &samples);
    (file, samples)
}

const STREAM: &str = r#"{ "events": { "on": 0.31, "off": 0.28, "allow": ["high"] } }"#;

#[test]
fn events_are_those_of_a_session() {
    let folder = folder("classify_events");
    let (file, samples) = scene(&folder);
    let json = folder.join("stream.json");
    fs::write(&json, STREAM).expect("written");

    let model = loaded();
    let mut session_options = SessionOptions::new(22_050, 1);
    session_options.ring_seconds = Some(5.0);
    session_options.hop_seconds = Some(0.25);
    session_options.stream = Some(auricle::manifest::Stream::parse(STREAM, model.manifest()).expect("valid"));
    let session = Session::new(&model, &session_options).expect("a session");
    session.push_f32(&samples).expect("pushes");
    session.finish().expect("finishes");
    while let auricle::Read::Window(_) = session.read(&mut []).expect("reads") {}
    let expected: Vec<_> = std::iter::from_fn(|| session.read_event().expect("has events")).collect();
    assert!(expected.len() >= 2 && expected.iter().any(|event| event.is_final), "{expected:?}");

    for stream in [STREAM, json.to_str().expect("UTF-8")] {
        let options = ["--events", "--json", "--hop", "0.25", "--stream", stream];
        let events = classify(&options, &[&file]).clean().json();
        assert_eq!(events.len(), expected.len());
        for (given, expected) in events.iter().zip(&expected) {
            assert_eq!(given["file"], file.to_str().expect("UTF-8"));
            assert_eq!((&given["id"], &given["final"]), (&expected.id.into(), &expected.is_final.into()));
            assert_eq!(given["label"], "high");
            for (name, frame) in [("onset", expected.onset_frame), ("offset", expected.offset_frame)] {
                assert_eq!(given[format!("{name}_frame")], frame);
                let seconds = given[format!("{name}_seconds")].as_f64().expect("a number");
                assert!((seconds - frame as f64 / 22_050.0).abs() < 1e-9, "{name} {seconds} {frame}");
            }
            assert_eq!(given["decided_frame"], expected.decided_frame);
            for (name, score) in [("peak_score", expected.peak_score), ("mean_score", expected.mean_score)] {
                let given = given[name].as_f64().expect("a number");
                assert!((given - f64::from(score)).abs() < 1e-6, "{name} {given} {score}");
            }
            assert_eq!(given["lost_before"], 0);
        }
    }
    // People get the ones that are over.
    let text = classify(&["--events", "--hop", "0.25", "--stream", STREAM], &[&file]).clean().stdout;
    let finals: Vec<_> = expected.iter().filter(|event| event.is_final).collect();
    assert_eq!(text.lines().count(), 1 + finals.len(), "{text}");
    let onset = format!("  0:{:05.2} - 0:", finals[0].onset_frame as f64 / 22_050.0);
    let line = text.lines().nth(1).expect("an event");
    assert!(
        line.starts_with(&onset) && line.ends_with(&format!("{:6.3}  high", finals[0].peak_score)),
        "{onset}{text}"
    );
}

/// Without rules of the model an event begins at 0.5. The probe's score is the largest sample of 0.1 s.
#[test]
fn a_model_may_have_rules_and_need_not() {
    let folder = folder("classify_default_events");
    let probe = folder.join("probe.onnx");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/probe.onnx"), &probe).expect("copied");
    let samples: Vec<f32> =
        [0.0, 0.45, 0.0, 0.55, 0.0].iter().flat_map(|&level| vec![level; 8_000]).collect();
    let file = folder.join("steps.wav");
    write_wav(&file, 16_000, 1, &samples);
    for (rules, expected) in
        [("", &[24_000][..]), (r#", "stream": { "events": { "on": 0.4 } }"#, &[8_000, 24_000])]
    {
        let manifest = format!(
            r#"{{ "auricle": 1, "labels": ["first", "last", "mean", "max"], "output": {{ "activation": "none" }},
                "input": {{ "sample_rate": 16000, "window_seconds": 0.1, "features": {{ "kind": "waveform" }},
                           "layout": ["batch", "sample"] }}{rules} }}"#
        );
        fs::write(folder.join("probe.auricle.json"), manifest).expect("written");
        let args =
            ["classify".as_ref(), "--events".as_ref(), "--json".as_ref(), "-m".as_ref(), probe.as_os_str()];
        let events = run(args.into_iter().chain([file.as_os_str()])).clean().json();
        let finals = events.iter().filter(|event| event["final"] == true && event["label"] == "max");
        let onsets: Vec<_> = finals.filter_map(|event| event["onset_frame"].as_u64()).collect();
        assert_eq!(onsets, expected, "{events:?}");
    }
}

#[test]
fn bad_rules_are_refused_with_what_fixes_them() {
    let folder = folder("classify_bad_events");
    let file = wav(&folder, "a.wav", 1.0);
    let (absent, text) = (folder.join("absent.json"), folder.join("text.json"));
    fs::write(&text, "no JSON").expect("written");
    for (stream, word) in [
        (r#"{ "events": { "on": 0.5, "off": 0.6 } }"#, "valid up to"),
        (r#"{ "events": { "allow": ["cat"] } }"#, "\"cat\""),
        (r#"{ "event": {} }"#, "unknown"),
        ("{", "EOF"),
        (absent.to_str().expect("UTF-8"), "absent.json"),
        (text.to_str().expect("UTF-8"), "text.json"),
    ] {
        let run = classify(&["--events", "--stream", stream], &[&file]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{stream}");
        assert!(run.stderr.contains(word) && run.stderr.lines().count() == 1, "{stream}: {}", run.stderr);
    }
    assert_eq!(classify(&["--stream", STREAM], &[&file]).code, Some(2), "--stream is for --events");
}

/// Mean and maximum as scores; first and last sample and the mean as a vector.
#[test]
fn json_has_every_output() {
    let folder = folder("classify_outputs");
    let model = folder.join("heads.onnx");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/heads.onnx"), &model).expect("copied");
    let samples: Vec<f32> = [0.25, 0.5].iter().flat_map(|&level| vec![level; 800]).collect();
    let file = folder.join("steps.wav");
    write_wav(&file, 8_000, 1, &samples);
    let args = |more: &[&str]| {
        let args =
            [&["classify", "-m", model.to_str().expect("UTF-8")][..], more, &[file.to_str().expect("UTF-8")]];
        run(args.concat()).clean()
    };
    let record = &args(&["--json"]).json()[0];
    let window = &record["windows"][1];
    assert_eq!(window["outputs"]["vector"], serde_json::json!([0.5, 0.5, 0.5]));
    assert_eq!(window["outputs"]["levels"], window["scores"]);
    assert_eq!(record["outputs"]["vector"], serde_json::json!([0.375, 0.375, 0.375]));
    assert_eq!(record["outputs"]["levels"], record["scores"]);

    let manifest = r#"{ "auricle": 1, "outputs": [{ "tensor": "vector", "kind": "embedding" }],
        "input": { "sample_rate": 8000, "window_seconds": 0.1, "features": { "kind": "waveform" },
                   "layout": ["batch", "sample"] } }"#;
    let probe = folder.join("vector.onnx");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/probe.onnx"), &probe).expect("copied");
    let manifest = manifest.replace("\"tensor\": \"vector\", ", "");
    fs::write(folder.join("vector.auricle.json"), manifest).expect("written");
    let args = |more: &[&str]| {
        let args =
            [&["classify", "-m", probe.to_str().expect("UTF-8")][..], more, &[file.to_str().expect("UTF-8")]];
        run(args.concat())
    };
    let record = &args(&["--json"]).clean().json()[0];
    assert_eq!(record["outputs"]["output"], serde_json::json!([0.375, 0.375, 0.375, 0.375]));
    assert!(record.get("scores").is_none() && record["windows"][0].get("scores").is_none(), "{record}");
    assert!(args(&[]).stdout.contains("4 values, no scores"));
    let events = args(&["--events"]);
    assert!(events.code == Some(1) && events.stderr.contains("no scores, so there are no events"));
}
