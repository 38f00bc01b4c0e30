//! The features against the outputs of the programs that define them: on one short signal with `tests/data`
//! (made by `tests/data/features.py` and, for whole front ends, `tests/data/front_ends.py`), and on real and synthetic ones with `../shared/reference`, whose README has
//! the parameters and versions.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use auricle::Manifest;
use auricle::manifest::default_normalize;
use auricle::stages::features::{Features, Spec};
use auricle::stages::rows::Rows;
use npyz::npz::NpzArchive;

/// How far a value may be from the reference's.
#[derive(Clone, Copy)]
enum Tolerance {
    /// This share of the reference's largest value.
    OfPeak(f64),
    /// This much, in values that are `scale` · ln(power), or so little that the magnitudes differ by less than
    /// [`ROUNDING`] of the row's largest: there the reference's own f32 rounding is larger (against float64,
    /// kaldi-native-fbank is off by 0.019 in a bin 107 dB below the peak, torchaudio by as much in a pure sine).
    Log { limit: f64, scale: f64 },
    /// This much.
    Absolute(f64),
}
use Tolerance::{Absolute, Log, OfPeak};

impl Tolerance {
    /// How far `got` is from `want`, and how far it may be.
    fn judge(self, got: &[f32], want: &[f64], bins: usize) -> (f64, f64) {
        match self {
            OfPeak(limit) => (of_peak(got, want), limit),
            Log { limit, scale } => (of_logs(got, want, bins, scale), limit),
            Absolute(limit) => (largest_difference(got, want), limit),
        }
    }
}

/// f32 rounding of a transform, as a share of the largest magnitude.
const ROUNDING: f64 = 2e-7;
const LN: f64 = 1.0;
const DB: f64 = 10.0 / std::f64::consts::LN_10;
const WHISPER: f64 = 0.25 / std::f64::consts::LN_10;

/// The reference's axes.
#[derive(Clone, Copy, PartialEq)]
enum Axes {
    BinRow,
    RowBin,
}
use Axes::{BinRow, RowBin};

const TORCH: &str = r#""fft": 1024, "frame_hop": 512, "mel": { "bins": 64"#;
const LIBROSA: &str = r#""preset": "librosa", "fft": 1024, "mel": { "bins": 64 }"#;

fn cases() -> Vec<(&'static str, Axes, String, Tolerance)> {
    vec![
        // torch's f32 is itself up to 2.7e-7 from the same in float64, the next but one, which is the yardstick.
        ("ta_mel64_power", BinRow, format!(r#""preset": "torchaudio", {TORCH} }}"#), OfPeak(3.5e-7)),
        // torch's weights are this far from the exact ones.
        ("ta_mel64_power", BinRow, format!(r#""kind": "mel", {TORCH} }}"#), OfPeak(3.5e-6)),
        ("ta_mel64_power_f64", BinRow, format!(r#""preset": "torchaudio", {TORCH} }}"#), OfPeak(3e-7)),
        (
            "ta_mel64_db80",
            BinRow,
            format!(r#""preset": "torchaudio", {TORCH} }}, "log": {{ "kind": "db", "range": 80 }}"#),
            Log { limit: 2e-3, scale: DB },
        ),
        ("librosa_slaney64_power", BinRow, format!(r#"{LIBROSA}, "pad": "reflect""#), OfPeak(5e-7)),
        ("librosa_slaney64_power_zeropad", BinRow, LIBROSA.into(), OfPeak(5e-7)),
        (
            "librosa_stft_mag_1024_512",
            BinRow,
            r#""kind": "spectrogram", "fft": 1024, "frame_hop": 512, "power": 1"#.into(),
            OfPeak(5e-7),
        ),
        ("kaldi_fbank80", RowBin, r#""preset": "kaldi""#.into(), Log { limit: 2e-3, scale: LN }),
        (
            "kaldi_fbank80_unit",
            RowBin,
            r#""preset": "kaldi", "gain": 1"#.into(),
            Log { limit: 2e-3, scale: LN },
        ),
        (
            "ta_kaldi_fbank128_hann_ast",
            RowBin,
            r#""kind": "fbank", "window": "hann_symmetric", "gain": 1, "mel": { "bins": 128 }"#.into(),
            Log { limit: 2e-3, scale: LN },
        ),
        ("ced_power64", RowBin, r#""preset": "ced", "log": { "kind": "none" }"#.into(), OfPeak(5e-6)),
        ("ced_db64", RowBin, r#""preset": "ced""#.into(), Log { limit: 2e-3, scale: DB }),
        ("whisper80", BinRow, r#""preset": "whisper""#.into(), Log { limit: 5e-5, scale: WHISPER }),
    ]
}

fn reference_folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: {} is not there", folder.display());
    None
}

fn array(file: &Path, key: &str) -> Vec<f64> {
    let mut archive = NpzArchive::open(file).unwrap();
    let array = archive.by_name(key).unwrap().unwrap_or_else(|| panic!("{}: no {key}", file.display()));
    let shape: Vec<usize> = array.shape().iter().map(|&n| n as usize).collect();
    let fortran = array.order() == npyz::Order::Fortran && shape.len() == 2;
    let values: Vec<f64> = match array.dtype().descr().as_str() {
        d if d.contains("i2") => array.into_vec::<i16>().unwrap().into_iter().map(f64::from).collect(),
        d if d.contains("f4") => array.into_vec::<f32>().unwrap().into_iter().map(f64::from).collect(),
        _ => array.into_vec::<f64>().unwrap(),
    };
    if fortran { transposed(&values, shape[1]) } else { values }
}

/// `[a, b]` -> `[b, a]`, where a is `rows`.
fn transposed(values: &[f64], rows: usize) -> Vec<f64> {
    let columns = values.len() / rows;
    (0..values.len()).map(|i| values[i % rows * columns + i / rows]).collect()
}

fn computed(spec: &str, samples: &[f32]) -> (Vec<f32>, usize) {
    let spec: Spec = serde_json::from_str(spec).unwrap();
    let mut features = Features::new(&spec, 16_000, "input.features").unwrap();
    let mut rows = vec![0.0; features.rows(samples.len()) * features.bins()];
    features.compute(samples, &mut rows);
    default_normalize(&spec).apply(&mut rows, features.bins(), &mut []);
    (rows, features.bins())
}

fn of_peak(got: &[f32], want: &[f64]) -> f64 {
    let peak = want.iter().fold(0.0f64, |a, v| a.max(v.abs()));
    let worst = largest_difference(got, want);
    if peak > 0.0 { worst / peak } else { worst }
}

fn largest_difference(got: &[f32], want: &[f64]) -> f64 {
    got.iter().zip(want).map(|(&g, w)| (f64::from(g) - w).abs()).fold(0.0, f64::max)
}

fn of_logs(got: &[f32], want: &[f64], bins: usize, scale: f64) -> f64 {
    let magnitude = |v: f64| (v / scale / 2.0).exp();
    let mut worst = 0.0f64;
    for (got, want) in got.chunks_exact(bins).zip(want.chunks_exact(bins)) {
        let largest = magnitude(want.iter().copied().fold(f64::MIN, f64::max));
        for (g, &w) in got.iter().map(|&g| f64::from(g)).zip(want) {
            if (magnitude(g) - magnitude(w)).abs() > ROUNDING * largest {
                worst = worst.max((g - w).abs());
            }
        }
    }
    worst
}

#[test]
fn every_reference_on_every_signal() {
    let Some(folder) = reference_folder() else { return };
    let mut failures = Vec::new();
    for (key, axes, spec, tolerance) in cases() {
        for name in [
            "1-100032-A",
            "1-172649-A",
            "1-187207-A",
            "1-27724-A",
            "syn_impulse",
            "syn_noise",
            "syn_silence",
            "syn_sine1k",
        ] {
            let file = folder.join(format!("{name}.npz"));
            let samples: Vec<f32> = array(&file, "pcm_i16").iter().map(|&v| v as f32 / 32768.0).collect();
            let want = array(&file, key);
            let (got, bins) = computed(&format!("{{ {spec} }}"), &samples);
            let want = if axes == BinRow { transposed(&want, bins) } else { want };
            assert_eq!(got.len(), want.len(), "{key} on {name}: number of values");
            let (error, limit) = tolerance.judge(&got, &want, bins);
            let line = format!("{key:32} {name:12} {error:9.2e} of {limit:.0e}");
            println!("{line}");
            if error.is_nan() || error > limit {
                failures.push(line);
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The cases of `tests/data/<file>.json`: name, what is computed, and how far off it may be.
fn committed(file: &str) -> (PathBuf, Vec<(String, serde_json::Value, Tolerance)>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let text = std::fs::read_to_string(folder.join(file).with_extension("json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let tolerance = |given: &serde_json::Value| match (given["of_peak"].as_f64(), given["absolute"].as_f64())
    {
        (Some(limit), _) => OfPeak(limit),
        (_, Some(limit)) => Absolute(limit),
        _ => {
            let log = |member: &str| given["log"][member].as_f64().unwrap();
            Log { limit: log("limit"), scale: log("scale") }
        }
    };
    let case = |case: serde_json::Value| {
        (case["name"].as_str().unwrap().into(), case.clone(), tolerance(&case["tolerance"]))
    };
    (folder.join(file).with_extension("npz"), cases.into_iter().map(case).collect())
}

fn pcm(file: &Path, key: &str) -> Vec<f32> {
    array(file, key).iter().map(|&v| v as f32 / 32768.0).collect()
}

/// Prints how far off a case is; a line if that is too far.
fn judged(name: &str, (got, bins): (&[f32], usize), want: &[f64], tolerance: Tolerance) -> Option<String> {
    assert_eq!(got.len(), want.len(), "{name}: number of values");
    let (error, limit) = tolerance.judge(got, want, bins);
    let line = format!("{name:28} {error:9.2e} of {limit:.0e}");
    println!("{line}");
    (error.is_nan() || error > limit).then_some(line)
}

#[test]
fn every_committed_case() {
    let (file, cases) = committed("features");
    let samples = pcm(&file, "pcm");
    let failures = cases.iter().filter_map(|(name, case, tolerance)| {
        let (got, bins) = computed(&case["features"].to_string(), &samples);
        judged(name, (&got, bins), &array(&file, name), *tolerance)
    });
    let failures: Vec<String> = failures.collect();
    assert!(cases.len() > 30 && failures.is_empty(), "{}", failures.join("\n"));
}

/// From samples to the rows that the network gets, as `input` says.
#[test]
fn every_committed_front_end() {
    let (file, cases) = committed("front_ends");
    let samples = pcm(&file.with_file_name("features.npz"), "pcm");
    let noisy = pcm(&file, "noisy");
    let failures = cases.iter().filter_map(|(name, case, tolerance)| {
        let samples = if name.starts_with("noisy") { &noisy } else { &samples };
        let mut input = case["input"].clone();
        let waveform = input["features"]["kind"] == "waveform";
        input["sample_rate"] = 16_000.into();
        if input["window_samples"].is_null() && input["window_rows"].is_null() {
            input["window_samples"] = samples.len().into();
        }
        input["layout"] = if waveform { vec!["sample"].into() } else { vec!["row", "bin"].into() };
        let manifest = serde_json::json!({ "auricle": 1, "labels": ["a"], "input": input });
        let manifest =
            Manifest::parse(&manifest.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut rows = Rows::plan(&manifest.input).unwrap();
        let mut window = samples.clone();
        window.resize(manifest.window_samples(), 0.0);
        let (got, bins) = rows.of(0, &mut window, samples.len()).unwrap();
        judged(name, (got, bins), &array(&file, name), *tolerance)
    });
    let failures: Vec<String> = failures.collect();
    assert!(cases.len() >= 20 && failures.is_empty(), "{}", failures.join("\n"));
}
