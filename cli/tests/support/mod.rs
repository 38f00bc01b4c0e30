//! What the tests of the command share: running it, files to run it on.
#![allow(dead_code)] // each test file uses a part of it

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What one run of the command gave.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Standard output, one JSON value a line.
    pub fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// Fails the test unless the command succeeded and said nothing on standard error.
    pub fn clean(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self
    }
}

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auricle"));
    command.stdin(Stdio::null());
    command
}

pub fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    finish(command().args(args))
}

pub fn finish(command: &mut Command) -> Run {
    let output = command.output().expect("the command starts");
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// An empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// The small network of the repository's tests, with its manifest embedded.
pub fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/tiny.onnx")
}

/// A sound: `frames` frames of noise under a rising tone, the same every time. Amplitude below 0.9.
pub fn sound(rate: u32, channels: u16, frames: usize) -> Vec<f32> {
    let mut state = 1u32; // this noise, because tests know what the network hears in it
    let mut samples = Vec::with_capacity(frames * usize::from(channels));
    for frame in 0..frames {
        let t = frame as f32 / rate as f32;
        for channel in 0..channels {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / 8_388_608.0 - 1.0;
            let tone = (std::f32::consts::TAU * (300.0 + 200.0 * t + 50.0 * f32::from(channel)) * t).sin();
            samples.push(0.5 * tone + 0.3 * noise);
        }
    }
    samples
}

/// Writes a WAV file of 32-bit floats: every value survives, NaN too.
pub fn write_wav(path: &Path, rate: u32, channels: u16, samples: &[f32]) {
    let sample_format = hound::SampleFormat::Float;
    let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: 32, sample_format };
    let mut wav = hound::WavWriter::create(path, spec).expect("the WAV file is made");
    samples.iter().for_each(|sample| wav.write_sample(*sample).expect("the WAV file is written"));
    wav.finalize().expect("the WAV file is written");
}

/// A WAV file of [`sound`] in `folder`.
pub fn wav(folder: &Path, name: impl AsRef<Path>, seconds: f64) -> PathBuf {
    let path = folder.join(name);
    write_wav(&path, 22_050, 2, &sound(22_050, 2, (22_050.0 * seconds) as usize));
    path
}
