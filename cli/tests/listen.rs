//! `auricle listen` with a microphone made of software: an ALSA device that plays a file in real time.
#![cfg(all(feature = "microphone", target_os = "linux"))]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use support::{command, folder, model, run, sound, write_wav};

const RATE: u32 = 48_000;
/// `high` is on while there is sound and off in silence.
const STREAM: &str = r#"{ "hop_seconds": 0.25, "events": { "on": 0.31, "off": 0.28, "allow": ["high"] } }"#;

/// Length of the scene, seconds.
const SECONDS: f64 = 4.0;

/// A sound that is over, and one that is on until the end. A grid of 8 bits, so that it is the same in every format.
fn scene(channels: u16) -> Vec<i8> {
    let frames = |seconds: f64| (seconds * f64::from(RATE)) as usize;
    let silence = |seconds: f64| vec![0_i8; frames(seconds) * usize::from(channels)];
    let sound: Vec<i8> =
        sound(RATE, channels, frames(1.25)).iter().map(|sample| (sample * 100.0) as i8).collect();
    [silence(0.5), sound.clone(), silence(1.0), sound].concat()
}

/// The bytes of a sample in one of ALSA's formats.
fn encoded(sample: i8, format: &str) -> Vec<u8> {
    let wide = i32::from(sample);
    match format {
        "S8" => sample.to_le_bytes().to_vec(),
        "U8" => ((wide + 128) as u8).to_le_bytes().to_vec(),
        "S16_LE" => ((wide << 8) as i16).to_le_bytes().to_vec(),
        "U16_LE" => (((wide + 128) << 8) as u16).to_le_bytes().to_vec(),
        "S24_LE" => (wide << 16).to_le_bytes().to_vec(),
        "U24_LE" => (((wide + 128) << 16) as u32).to_le_bytes().to_vec(),
        "S32_LE" => (wide << 24).to_le_bytes().to_vec(),
        "U32_LE" => (((wide + 128) as u32) << 24).to_le_bytes().to_vec(),
        "FLOAT_LE" => (wide as f32 / 128.0).to_le_bytes().to_vec(),
        "FLOAT64_LE" => (f64::from(wide) / 128.0).to_le_bytes().to_vec(),
        other => panic!("{other}"),
    }
}

/// The plugin for ALSA, compiled once.
fn plugin() -> &'static Path {
    static PLUGIN: OnceLock<PathBuf> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/listen/microphone.c");
        let plugin = folder("listen_plugin").join("microphone.so");
        let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-DPIC", "-o"]);
        let output = compiler.arg(&plugin).arg(source).arg("-lasound").output().expect("a C compiler");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        plugin
    })
}

/// Writes ALSA's configuration with one microphone, `default`, that hears the scene; `more` are further settings of it.
fn microphone(name: &str, format: &str, channels: u16, more: &str) -> PathBuf {
    let folder = folder(name);
    let (raw, config) = (folder.join("scene.raw"), folder.join("asound.conf"));
    let bytes: Vec<u8> = scene(channels).iter().flat_map(|&sample| encoded(sample, format)).collect();
    fs::write(&raw, bytes).expect("written");
    let text = format!(
        "pcm_type.microphone {{ lib \"{}\" }}\npcm.!default {{ type microphone file \"{}\" format {format} rate {RATE} \
         channels {channels} {more} hint {{ show on description \"Test microphone\" }} }}\n",
        plugin().display(),
        raw.display()
    );
    fs::write(&config, text).expect("written");
    config
}

fn listen(config: &Path, options: &[&str]) -> Command {
    let mut command = command();
    command.args(["listen", "--stream", STREAM, "--model"]).arg(model()).args(options);
    command.env("ALSA_CONFIG_PATH", config).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A command that listens; it never outlives its test.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(config: &Path, options: &[&str]) -> Listening {
    Listening(listen(config, options).spawn().expect("the command starts"))
}

impl Listening {
    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(status.expect("kill").success());
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("its state").is_none()
    }

    /// What it gave, once it has ended by itself, which is soon.
    fn end(mut self) -> Output {
        for _ in 0..200 {
            if !self.is_running() {
                break;
            }
            sleep(Duration::from_millis(100));
        }
        assert!(!self.is_running(), "it does not end");
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.0.stdout.take().expect("piped").read_to_end(&mut stdout).expect("its output");
        self.0.stderr.take().expect("piped").read_to_end(&mut stderr).expect("its output");
        Output { status: self.0.wait().expect("its status"), stdout, stderr }
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn json(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The events of the scene, read from a file.
fn expected(name: &str, channels: u16) -> Vec<Value> {
    expected_of(name, channels, "0")
}

/// Of one channel, or with "0" of their mean.
fn expected_of(name: &str, channels: u16, channel: &str) -> Vec<Value> {
    let file = folder(name).join("scene.wav");
    let samples: Vec<f32> = scene(channels).iter().map(|&sample| f32::from(sample) / 128.0).collect();
    write_wav(&file, RATE, channels, &samples);
    let mut args: Vec<&std::ffi::OsStr> =
        ["classify", "--events", "--json", "--stream", STREAM, "--channel", channel, "--model"]
            .map(AsRef::as_ref)
            .to_vec();
    let model = model();
    args.extend([model.as_os_str(), file.as_os_str()]);
    let mut events = run(args).clean().json();
    for event in &mut events {
        event.as_object_mut().expect("an object").remove("file").expect("the file's name");
    }
    let kinds: Vec<_> = events.iter().map(|event| event["final"] == true).collect();
    assert_eq!(kinds, [false, true, false, true], "two sounds: {events:?}");
    assert_eq!(
        events[3]["decided_frame"],
        SECONDS * f64::from(RATE),
        "the second is on until the end: {events:?}"
    );
    events
}

/// The same places exactly, and the same scores but for the resampler: a stream has the filter of a file in another form.
fn assert_same(given: &[Value], expected: &[Value], what: &str) {
    assert_eq!(given.len(), expected.len(), "{what}");
    for (given, expected) in given.iter().zip(expected) {
        let (mut given, mut expected) = (given.clone(), expected.clone());
        for name in ["peak_score", "mean_score"] {
            let score = |event: &mut Value| event[name].take().as_f64().expect("a score");
            let (given, expected) = (score(&mut given), score(&mut expected));
            assert!((given - expected).abs() < 1e-5, "{what}: {name} {given} {expected}");
        }
        assert_eq!(given, expected, "{what}");
    }
}

/// In every format the events are those of the same samples in a file; then the device goes away.
#[test]
fn a_microphone_gives_what_a_file_gives_until_it_is_pulled_out() {
    for channels in [1, 2] {
        let expected = expected(&format!("listen_expected_{channels}"), channels);
        let formats: &[&str] = match channels {
            1 => &[
                "S8",
                "U8",
                "S16_LE",
                "U16_LE",
                "S24_LE",
                "U24_LE",
                "S32_LE",
                "U32_LE",
                "FLOAT_LE",
                "FLOAT64_LE",
            ],
            _ => &["S16_LE", "S24_LE", "FLOAT_LE"],
        };
        let begin = |format: &&str| {
            let config = microphone(&format!("listen_{format}_{channels}"), format, channels, "then lost");
            (format.to_string(), start(&config, &["--json"]))
        };
        for (format, child) in formats.iter().map(begin).collect::<Vec<_>>() {
            let output = child.end();
            let (_, stderr) = texts(&output);
            assert_eq!(output.status.code(), Some(1), "{format}: {stderr}");
            assert!(stderr.starts_with("auricle: Default Audio Device (default): "), "{format}: {stderr}");
            assert!(stderr.contains("isconnected") && stderr.lines().count() == 1, "{format}: {stderr}");
            let events = json(&output);
            // The last block is filled up with silence, so only the end of the sound that is on may lie later.
            assert_same(&events[..3], &expected[..3], &format);
            assert_eq!((&events[3]["id"], &events[3]["final"]), (&2.into(), &true.into()), "{format}");
            assert_eq!(events.len(), expected.len(), "{format}");
        }
    }
}

#[test]
fn without_a_terminal_each_event_is_a_line_and_ctrl_c_is_no_error() {
    for (name, signal_name) in [("listen_int", "INT"), ("listen_term", "TERM")] {
        let child = start(&microphone(name, "S16_LE", 1, ""), &[]);
        sleep(Duration::from_secs_f64(SECONDS + 1.5));
        child.signal(signal_name);
        let output = child.end();
        let (stdout, stderr) = texts(&output);
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{stdout}");
        let label = expected(name, 1)[0]["label"].as_str().expect("a label").to_owned();
        assert_eq!(stdout.lines().count(), 2, "both are over at the end: {stdout}");
        let line = |line: &str| line.starts_with("0:0") && line.contains(" - ") && line.ends_with(&label);
        assert!(stdout.lines().all(line), "{stdout}");
        assert!(!stdout.contains('\u{1b}'), "{stdout:?}");
    }
}

/// The device says that it lost audio: what comes later stays in its place.
#[test]
fn an_overrun_of_the_device_is_a_gap() {
    // Half a second of the device's clock goes missing, before the first sound.
    let config = microphone("listen_stumble", "S16_LE", 1, "stumble 12000");
    let child = start(&config, &["--json"]);
    sleep(Duration::from_millis(5_500));
    child.signal("INT");
    let output = child.end();
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let lost: f64 = stderr
        .strip_prefix("auricle: ")
        .and_then(|text| text.split(' ').next())
        .and_then(|frames| frames.parse().ok())
        .unwrap_or_else(|| panic!("how many frames were lost: {stderr}"));
    let lost = lost / f64::from(RATE);
    assert!((0.5..1.0).contains(&lost), "{stderr}");
    let (events, plain) = (json(&output), expected("listen_stumble_expected", 1));
    for name in ["onset_seconds", "offset_seconds"] {
        let time = |events: &[Value]| events[1][name].as_f64().expect("a number");
        let late = time(&events) - time(&plain);
        assert!((late - lost).abs() <= 0.26, "{name} is {late} s later, to a hop: {stderr}{stdout}");
    }
}

#[test]
fn one_channel_of_the_microphone_can_be_heard() {
    let config = microphone("listen_channel", "S16_LE", 2, "then lost");
    let expected = expected_of("listen_channel_expected", 2, "2");
    let output = start(&config, &["--json", "--channel", "2"]).end();
    assert_same(&json(&output)[..3], &expected[..3], "channel 2");
    let (stdout, stderr) = texts(&start(&config, &["--channel", "3"]).end());
    assert!(stdout.is_empty() && stderr.contains("channel is 3; valid 1..=2"), "{stdout}{stderr}");
}

#[test]
fn microphones_have_names() {
    let config = microphone("listen_names", "S16_LE", 1, "then lost");
    let output = listen(&config, &["--list-devices"]).output().expect("runs");
    assert_eq!(texts(&output), ("Test microphone (default)\n".to_owned(), String::new()));
    for (name, found) in
        [("default", true), ("test MICRO", true), ("Test microphone (default)", true), ("hw:7", false)]
    {
        let mut child = start(&config, &["--device", name]);
        sleep(Duration::from_millis(if found { 2_500 } else { 0 }));
        if found {
            assert!(child.is_running(), "{name}");
            child.signal("INT");
        }
        let output = child.end();
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(i32::from(!found)), "{name}: {stdout}{stderr}");
        assert!(
            found || stderr.contains("\"hw:7\"") && stderr.contains("Test microphone (default)"),
            "{stderr}"
        );
    }
}

/// On a terminal, of `script` (Debian: bsdutils): the view comes, and the terminal is itself again however it ends.
#[test]
fn the_terminal_is_itself_again() {
    let lost = microphone("listen_view_lost", "S16_LE", 1, "then lost");
    let quiet = microphone("listen_view", "S16_LE", 1, "");
    for (config, key, code, words) in [
        (&quiet, "q", 0, ""),
        (&quiet, "\u{3}", 0, ""), // Ctrl-C
        (&lost, "", 1, "isconnected"),
    ] {
        let command = listen(config, &[]);
        let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().expect("UTF-8"));
        let words_of = std::iter::once(command.get_program()).chain(command.get_args());
        let line = words_of.map(quoted).collect::<Vec<_>>().join(" ");
        let child = Command::new("script")
            .args([
                "-qefc",
                &format!("stty rows 40 cols 100; {line}; code=$?; stty -a; exit $code"),
                "/dev/null",
            ])
            .env("ALSA_CONFIG_PATH", config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("script (of bsdutils)");
        let mut child = Listening(child);
        let mut keyboard = child.0.stdin.take().expect("piped");
        sleep(Duration::from_millis(2_500));
        keyboard.write_all(key.as_bytes()).expect("a key");
        keyboard.flush().expect("a key");
        let output = child.end();
        drop(keyboard);
        let (text, _) = texts(&output);
        assert_eq!(output.status.code(), Some(code), "{key:?}: {text}");
        let (enter, leave) = ("\u{1b}[?1049h", "\u{1b}[?1049l");
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what:?} in {text:?}"));
        assert!(place(enter) < place("scores") && place("scores") < place(leave), "{text:?}");
        let after = &text[place(leave)..];
        assert!(after.contains(" icanon") && after.contains(" echo "), "the terminal stays raw: {after:?}");
        assert!(after.contains(words), "{after:?}");
    }
}
