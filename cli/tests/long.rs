//! Long recordings: the memory that they take does not grow with their length.
#![cfg(target_os = "linux")]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use support::{command, folder, model, sound, write_wav};

/// What 20 minutes may take more than one minute. Their samples alone are 38 MB.
const SLACK_KB: u64 = 5_000;

/// The most memory that a run of the command has held, kB, as the system counts it.
fn peak(args: &[&OsStr]) -> u64 {
    let mut child = command().args(args).stdout(Stdio::null()).spawn().expect("the command starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        // It only grows: what is missed is what came in the last milliseconds.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        if let Some(ended) = child.try_wait().expect("its state") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(ended.success() && peak > 1_000, "{args:?}: {ended}, {peak} kB");
    peak
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_file() {
    let folder = folder("long_memory");
    let minute = sound(8_000, 1, 60 * 8_000);
    let files = [1, 20].map(|minutes| {
        let file = folder.join(format!("{minutes}.wav"));
        write_wav(&file, 8_000, 1, &minute.repeat(minutes));
        file
    });
    let whisper = folder.join("whisper.json");
    let manifest = r#"{ "auricle": 1, "labels": ["a"], "input": { "sample_rate": 16000, "window_seconds": 1,
        "features": { "preset": "whisper" }, "layout": ["batch", "row", "bin"] } }"#;
    fs::write(&whisper, manifest).expect("written");
    let (model, array) = (model(), folder.join("a.npy"));
    let runs: [(&[&str], Option<&Path>); 6] = [
        (&["classify", "-m"], None),
        (&["classify", "--json", "-m"], None),
        (&["classify", "--events", "-m"], None),
        (&["classify", "--events", "--json", "--stream", r#"{ "events": { "on": 0.3 } }"#, "-m"], None),
        (&["features", "-o", array.to_str().expect("UTF-8"), "-m"], None),
        (&["features", "-o", array.to_str().expect("UTF-8"), "--manifest"], Some(&whisper)),
    ];
    for (words, manifest) in runs {
        let [short, long] = [&files[0], &files[1]].map(|file| {
            let what = manifest.unwrap_or(&model);
            let args = words.iter().map(OsStr::new).chain([what.as_os_str(), file.as_os_str()]);
            peak(&args.collect::<Vec<_>>())
        });
        assert!(long < short + SLACK_KB, "{words:?}: {short} kB for a minute, {long} kB for 20");
    }
    fs::remove_dir_all(folder).expect("removed");
}
