//! Sound files as they come: through pipes, cut off, damaged. What is missing is said, and the other files are done.

mod support;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;
use support::{command, finish, folder, model, run, sound, wav, write_wav};

/// `classify` with options.
fn args(options: &[&str], files: &[&Path]) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["classify".into(), "-m".into(), model().into()];
    args.extend(options.iter().map(OsString::from));
    args.extend(files.iter().map(OsString::from));
    args
}

fn start(options: &[&str], file: &Path, stdin: Stdio) -> Child {
    let mut command = command();
    command.args(args(options, &[file])).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the command starts")
}

/// The lines that a run gave, without the name of the file.
fn records(child: Child) -> Vec<Value> {
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let parse = |line| {
        let mut record: Value = serde_json::from_str(line).expect("JSON");
        record.as_object_mut().expect("an object").remove("file").expect("the file's name");
        record
    };
    text.lines().map(parse).collect()
}

#[cfg(unix)]
#[test]
fn a_pipe_gives_what_a_file_gives() {
    let folder = folder("recordings_pipes");
    let (file, fifo) = (wav(&folder, "a.wav", 5.0), folder.join("fifo"));
    let bytes = fs::read(&file).expect("read");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
    assert!(made.success());
    let low = r#"{ "events": { "on": 0.2 } }"#;
    for options in [&["--json"][..], &["--events", "--json", "--hop", "0.5", "--stream", low]] {
        let expected = records(start(options, &file, Stdio::null()));
        assert!(!expected.is_empty(), "{options:?}");
        for name in ["-", "/dev/stdin"] {
            let mut child = start(options, Path::new(name), Stdio::piped());
            child.stdin.take().expect("piped").write_all(&bytes).expect("written");
            assert_eq!(records(child), expected, "{name} {options:?}");
            let redirected = File::open(&file).expect("opened");
            assert_eq!(records(start(options, Path::new(name), redirected.into())), expected, "{name}");
        }
        let child = start(options, &fifo, Stdio::null());
        File::options().write(true).open(&fifo).expect("opened").write_all(&bytes).expect("written");
        assert_eq!(records(child), expected, "{options:?}");
    }
    let (one, other) = (folder.join("a.npy"), folder.join("b.npy"));
    finish(command().arg("features").arg(&file).arg("-m").arg(model()).arg("-o").arg(&one)).clean();
    let mut piped = command();
    piped.args(["features", "-", "-m"]).arg(model()).arg("-o").arg(&other);
    finish(piped.stdin(File::open(&file).expect("opened"))).clean();
    assert_eq!(fs::read(one).expect("an array"), fs::read(other).expect("an array"));

    let nothing = run(args(&[], &[Path::new("-")]));
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(1), ""));
    let said = &nothing.stderr;
    assert!(said.starts_with("auricle: -: ") && said.contains("no bytes"), "{said}");
}

/// `arecord | auricle classify --events -`: an event is printed when it is decided, not when the recording ends.
#[test]
fn events_come_while_the_pipe_is_open() {
    let folder = folder("recordings_live");
    let mut samples = vec![0.0; 16_000];
    samples.extend(sound(16_000, 1, 32_000));
    samples.extend(vec![0.0; 160_000]);
    let file = folder.join("a.wav");
    write_wav(&file, 16_000, 1, &samples);
    let stream = r#"{ "events": { "on": 0.31, "off": 0.28, "allow": ["high"] } }"#;
    for json in [true, false] {
        let mut options = vec!["--events", "--hop", "0.25", "--stream", stream];
        options.extend(json.then_some("--json"));
        let mut child = start(&options, Path::new("-"), Stdio::piped());
        let mut pipe = child.stdin.take().expect("piped");
        pipe.write_all(&fs::read(&file).expect("read")).expect("written");
        // The pipe stays open: this would wait for ever if the event came at the end.
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || lines.next().expect("a line").expect("read");
        let (first, second) = (line(), line());
        let expected = match json {
            true => first.contains(r#""final":false"#) && second.contains(r#""final":true"#),
            false => first.contains("16000 Hz, mono") && second.ends_with("high"),
        };
        assert!(expected, "{first}\n{second}");
        drop(pipe);
        assert_eq!(child.wait().expect("ends").code(), Some(0));
    }
}

/// Three seconds are declared, two are there.
#[test]
fn what_is_missing_is_said_and_counted() {
    let folder = folder("recordings_cut");
    let (file, cut) = (wav(&folder, "a.wav", 3.0), folder.join("cut.wav"));
    let mut bytes = fs::read(&file).expect("read");
    bytes.truncate(bytes.len() - 22_050 * 2 * 4);
    fs::write(&cut, bytes).expect("written");
    let run = |options: &[&str], file: &Path| run(args(options, &[file])).clean();
    let said = "\n  warning: at 2.000 s (frame 44100) 1.000 s (22050 frames) are missing";
    for options in [&[][..], &["--events"]] {
        let text = run(options, &cut).stdout;
        assert!(text.contains(said), "{text}");
        let whole = run(options, &file).stdout;
        assert!(!whole.contains("warning"), "{whole}");
    }
    let record = run(&["--json"], &cut).json().remove(0);
    let lost = &record["lost"];
    assert_eq!((&record["frames"], &lost["places"]), (&44_100.into(), &1.into()), "{record}");
    assert_eq!((&lost["missing_frames"], &lost["bridged_frames"]), (&22_050.into(), &0.into()), "{lost}");
    let place = &lost["list"][0];
    assert_eq!((&place["at_frame"], &place["frames"]), (&44_100.into(), &22_050.into()), "{lost}");
    assert_eq!((&place["seconds"], &place["bridged"]), (&2.0.into(), &false.into()), "{lost}");
    assert!(place["reason"].is_string(), "{lost}");
    let whole = run(&["--json"], &file).json().remove(0);
    assert_eq!((&whole["lost"]["places"], &whole["lost"]["list"]), (&0.into(), &Value::Array(vec![])));

    let events = run(&["--events", "--json"], &cut).json();
    assert_eq!(events.last().expect("a line")["lost"], *lost);
    assert_eq!(events.iter().filter(|record| record.get("lost").is_some()).count(), 1, "{events:?}");
    let whole = run(&["--events", "--json"], &file).json();
    assert!(whole.iter().all(|record| record.get("lost").is_none()), "{whole:?}");

    let array = folder.join("a.npy");
    let mut features = command();
    features.arg("features").arg(&cut).arg("-m").arg(model()).arg("-o").arg(&array);
    let text = finish(&mut features).clean().stdout;
    assert!(text.contains(said), "{text}");
}

/// Headers that once ended the program. The files around them are done, and the exit code says that one was not.
#[test]
fn no_file_ends_the_others() {
    let folder = folder("recordings_bad");
    let good = wav(&folder, "good.wav", 1.0);
    let bytes = fs::read(&good).expect("read");
    let changed = |name: &str, at: usize, to: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        let file = folder.join(name);
        fs::write(&file, bytes).expect("written");
        file
    };
    // An AIFF whose rate is an 80-bit NaN.
    let mut aiff = b"FORM\0\0\0\x2eAIFFCOMM\0\0\0\x12\0\x01\0\0\0\x01\0\x10".to_vec();
    aiff.extend([0xff; 10]);
    aiff.extend(b"SSND\0\0\0\x0a\0\0\0\0\0\0\0\0\x12\x34");
    let no_number = folder.join("rate.aiff");
    fs::write(&no_number, aiff).expect("written");
    for bad in [changed("rate.wav", 24, &[0; 4]), changed("channels.wav", 22, &[0; 2]), no_number] {
        for options in [&["--json"][..], &["--events"], &[]] {
            let run = run(args(options, &[&good, &bad, &good]));
            assert_eq!(run.code, Some(1), "{}", bad.display());
            assert!(run.stderr.starts_with(&format!("auricle: {}: ", bad.display())), "{}", run.stderr);
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
            let name = good.to_str().expect("UTF-8");
            assert_eq!(run.stdout.matches(name).count(), 2, "{}", run.stdout);
        }
    }
}
