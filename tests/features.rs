//! How features behave: what is refused and how it is said, how rows are counted, and that rows do not depend on
//! where in a window they fall.
#![allow(clippy::unwrap_used)]

use auricle::stages::features::{Features, Spec};
use auricle::stages::normalize::Normalize;

const RATE: u32 = 16_000;

fn spec(json: &str) -> Spec {
    serde_json::from_str(json).unwrap()
}

fn features(json: &str) -> Features {
    Features::new(&spec(json), RATE, "input.features").unwrap()
}

fn refusal(json: &str) -> String {
    match Features::new(&spec(json), RATE, "input.features") {
        Ok(_) => panic!("{json} was accepted"),
        Err(e) => e.to_string(),
    }
}

/// A signal that is different everywhere.
fn signal(samples: usize) -> Vec<f32> {
    (0..samples)
        .map(|i| ((i * i) as f32 * 0.0007).sin() * 0.5 + ((i * 7919) % 1009) as f32 / 4036.0)
        .collect()
}

fn compute(features: &mut Features, samples: &[f32]) -> Vec<f32> {
    let mut rows = vec![f32::NAN; features.rows(samples.len()) * features.bins()];
    features.compute(samples, &mut rows);
    rows
}

#[test]
fn senseless_values_are_refused_with_path_and_numbers() {
    let mel = |rest: &str| {
        format!(r#"{{ "kind": "mel", "fft": 512, "frame_hop": 160, "mel": {{ "bins": 40{rest} }}"#)
    };
    let cases = [
        (r#"{ }"#.into(), "input.features", "kind is missing"),
        (r#"{ "kind": "waveform", "fft": 512 }"#.into(), "input.features.fft", "waveform"),
        (r#"{ "kind": "spectrogram", "frame_hop": 2 }"#.into(), "input.features.fft", "missing"),
        (r#"{ "kind": "spectrogram", "fft": 512 }"#.into(), "input.features.frame_hop", "missing"),
        (
            r#"{ "kind": "spectrogram", "fft": 512, "frame_hop": 0 }"#.into(),
            "input.features.frame_hop",
            "0 samples",
        ),
        (r#"{ "kind": "spectrogram", "fft": 7, "frame_hop": 9 }"#.into(), "input.features.fft", "is 7"),
        (
            r#"{ "kind": "spectrogram", "fft": 99999999999, "frame_hop": 9 }"#.into(),
            "input.features.fft",
            "65536",
        ),
        (
            r#"{ "kind": "spectrogram", "fft": 512, "frame_hop": 9, "frame_length": 513 }"#.into(),
            "input.features.frame_length",
            "513 samples; valid 2..=512; longer ones need center false",
        ),
        (
            r#"{ "kind": "spectrogram", "fft": 512, "frame_hop": 9, "power": 3 }"#.into(),
            "input.features.power",
            "3",
        ),
        (
            r#"{ "kind": "spectrogram", "fft": 512, "frame_hop": 9, "mel": {} }"#.into(),
            "input.features.mel",
            "no mel",
        ),
        (
            r#"{ "kind": "mel", "fft": 512, "frame_hop": 9, "snip_edges": true }"#.into(),
            "input.features.snip_edges",
            "mel",
        ),
        (r#"{ "kind": "mel", "fft": 512, "frame_hop": 9 }"#.into(), "input.features.mel.bins", "missing"),
        (
            r#"{ "kind": "fbank", "mel": { "bins": 40 }, "center": true }"#.into(),
            "input.features.center",
            "fbank",
        ),
        (
            mel(r#", "high_hz": 8001"#) + "}",
            "input.features.mel.high_hz",
            "8001 Hz; valid above 0 up to 8000",
        ),
        (mel(r#", "low_hz": 4000, "high_hz": 4000"#) + "}", "input.features.mel.low_hz", "4000"),
        (mel(r#", "low_hz": -1"#) + "}", "input.features.mel.low_hz", "-1 Hz"),
        (mel(r#", "low_hz": 10, "high_hz": 12"#) + "}", "input.features.mel.high_hz", "31.25 Hz apart"),
        (mel(r#", "first_bin": 300"#) + "}", "input.features.mel.first_bin", "300; valid 0..=256"),
        (mel(r#", "weights": "torch", "triangles": "mel""#) + "}", "input.features.mel.weights", "torch"),
        (mel("").replace("40", "0") + "}", "input.features.mel.bins", "0; valid 1..="),
        (mel("").replace("40", "5000") + "}", "input.features.mel.bins", "5000; valid 1..="),
        (mel(r#", "grid": 257"#) + "}", "input.features.mel.grid", "only triangles bins"),
        (mel(r#", "narrow": "peak""#) + "}", "input.features.mel.narrow", "only triangles bins"),
        (mel(r#", "triangles": "bins", "norm": "slaney""#) + "}", "input.features.mel.norm", "peak 1"),
        (mel(r#", "triangles": "bins", "grid": 514"#) + "}", "input.features.mel.grid", "514; valid 1..=513"),
        (
            mel(r#", "triangles": "bins", "high_hz": 16000"#) + "}",
            "input.features.mel.high_hz",
            "16000 Hz, beyond FFT bin 256",
        ),
        (mel("") + r#", "pad_last": true }"#, "input.features.pad_last", "center is true"),
        (
            r#"{ "preset": "librosa", "kind": "mfcc", "mfcc": { "energy": true }, "log": { "kind": "db", "range": 80 } }"#
                .into(),
            "input.features.mfcc.energy",
            "no log.range",
        ),
        (
            r#"{ "preset": "librosa", "kind": "mfcc", "mfcc": { "lifter_from": 2 } }"#.into(),
            "input.features.mfcc.lifter_from",
            "2; valid 0 and 1",
        ),
        (
            mel("") + r#", "log": { "kind": "ln", "floor": 0 } }"#,
            "input.features.log.floor",
            "minus infinity",
        ),
        (mel("") + r#", "log": { "kind": "ln", "offset": -1 } }"#, "input.features.log.offset", "-1"),
        (mel("") + r#", "log": { "kind": "ln", "reference": 2 } }"#, "input.features.log.reference", "db"),
        (mel("") + r#", "log": { "kind": "db", "reference": 0 } }"#, "input.features.log.reference", "0"),
        (mel("") + r#", "log": { "kind": "none", "range": 80 } }"#, "input.features.log.range", "none"),
        (mel("") + r#", "log": { "kind": "db", "range": -80 } }"#, "input.features.log.range", "-80"),
        (
            r#"{ "preset": "librosa", "kind": "mfcc", "mfcc": { "count": 129 } }"#.into(),
            "input.features.mfcc.count",
            "129; valid 1..=128",
        ),
    ];
    for (json, path, part) in cases {
        let message = refusal(&json);
        assert!(message.starts_with(&format!("manifest: {path}: ")), "{json}: {message}");
        assert!(message.contains(part), "{json}: {message}");
    }
}

#[test]
fn unknown_members_are_refused_with_their_names() {
    let error = |json: &str| serde_json::from_str::<Spec>(json).unwrap_err().to_string();
    assert!(error(r#"{ "kind": "mel", "n_fft": 512 }"#).contains("n_fft"));
    assert!(error(r#"{ "kind": "mel", "mel": { "n_mels": 64 } }"#).contains("n_mels"));
    assert!(error(r#"{ "kind": "melody" }"#).contains("melody"));
    assert!(error(r#"{ "log": { "reference": "min" } }"#).contains("\"max\""));
}

#[test]
fn every_preset_and_its_resolved_form_compute_the_same() {
    let samples = signal(8_000);
    for preset in ["torchaudio", "librosa", "whisper", "yamnet", "ast", "ced", "kaldi"] {
        let mut short = features(&format!(r#"{{ "preset": "{preset}" }}"#));
        let full = serde_json::to_string(short.spec()).unwrap();
        let mut long = Features::new(&spec(&full), RATE, "input.features").unwrap();
        assert_eq!(short.spec(), long.spec(), "{preset}");
        let rows = compute(&mut short, &samples);
        assert!(rows.iter().all(|v| v.is_finite()), "{preset}");
        assert_eq!(rows, compute(&mut long, &samples), "{preset}");
        // Named values need no name.
        let mut nameless = short.spec().clone();
        nameless.preset = None;
        let mut nameless = Features::new(&nameless, RATE, "input.features").unwrap();
        assert_eq!(rows, compute(&mut nameless, &samples), "{preset} without its name");
    }
}

#[test]
fn what_the_manifest_says_goes_before_the_preset() {
    let resolved = spec(r#"{ "preset": "whisper", "mel": { "bins": 128 }, "log": { "kind": "ln" } }"#)
        .resolved(RATE, "input.features")
        .unwrap();
    let (mel, log) = (resolved.mel.unwrap(), resolved.log.unwrap());
    assert_eq!((mel.bins, mel.high_hz, resolved.fft), (Some(128), Some(8000.0), Some(400)));
    assert_eq!(log.range, None, "another logarithm keeps nothing of the preset's");
}

#[test]
fn rows_are_counted_as_the_references_count_them() {
    let count = |json: &str, samples: usize| features(json).rows(samples);
    assert_eq!(count(r#"{ "kind": "waveform" }"#, 123), 123);
    let torch = r#"{ "kind": "spectrogram", "fft": 1024, "frame_hop": 512 }"#;
    assert_eq!([512, 513, 1023, 1024, 16_000].map(|n| count(torch, n)), [0, 2, 2, 3, 32]);
    let uncentred =
        r#"{ "kind": "spectrogram", "fft": 512, "frame_length": 400, "frame_hop": 160, "center": false }"#;
    assert_eq!([511, 512, 671, 672].map(|n| count(uncentred, n)), [0, 1, 1, 2]);
    let yamnet = r#"{ "preset": "yamnet" }"#;
    assert_eq!([399, 400, 559, 560, 15_600].map(|n| count(yamnet, n)), [0, 1, 1, 2, 96]);
    // librosa pads an odd FFT by one sample less than its size; python_speech_features pads the last frame.
    let odd = r#"{ "kind": "spectrogram", "fft": 321, "frame_hop": 160, "pad": "constant" }"#;
    assert_eq!([1, 160, 161, 144_000, 144_001].map(|n| count(odd, n)), [1, 1, 2, 900, 901]);
    let padded = r#"{ "kind": "spectrogram", "fft": 512, "frame_length": 400, "frame_hop": 160, "frame_align": "left",
                      "center": false, "pad_last": true }"#;
    assert_eq!([1, 400, 401, 560, 561, 16_000].map(|n| count(padded, n)), [1, 1, 2, 2, 3, 99]);
    let cut = r#"{ "kind": "spectrogram", "fft": 256, "frame_length": 320, "frame_hop": 160, "frame_align": "left",
                   "center": false }"#;
    assert_eq!([319, 320, 479, 480].map(|n| count(cut, n)), [0, 1, 1, 2]);
    let kaldi = r#"{ "preset": "kaldi" }"#;
    assert_eq!([399, 400, 16_000].map(|n| count(kaldi, n)), [0, 1, 98]);
    let ced = r#"{ "preset": "ced" }"#;
    assert_eq!([79, 80, 239, 240, 16_000].map(|n| count(ced, n)), [0, 1, 1, 2, 100]);
    assert_eq!([200, 201, 480, 16_000].map(|n| count(r#"{ "preset": "whisper" }"#, n)), [0, 1, 3, 100]);
    for json in [torch, uncentred, yamnet, odd, padded, cut, kaldi, ced] {
        let features = features(json);
        assert_eq!(features.rows(features.min_samples() - 1), 0, "{json}");
        assert_eq!(features.rows(features.min_samples()).min(1), 1, "{json}");
    }
}

#[test]
fn inner_rows_are_the_streams_rows_but_for_the_edges() {
    let hops = 40;
    for json in [
        r#"{ "kind": "mel", "fft": 1024, "frame_hop": 512, "mel": { "bins": 64 }, "log": { "kind": "ln" } }"#,
        r#"{ "kind": "spectrogram", "fft": 512, "frame_length": 300, "frame_hop": 128, "power": 1 }"#,
        r#"{ "preset": "whisper" }"#,
        r#"{ "preset": "kaldi" }"#,
        r#"{ "preset": "ced" }"#,
        r#"{ "preset": "yamnet" }"#,
        r#"{ "preset": "torchaudio", "kind": "mfcc" }"#,
        r#"{ "kind": "mel", "fft": 321, "frame_hop": 160, "mel": { "bins": 40 } }"#,
        r#"{ "kind": "mfcc", "fft": 512, "frame_length": 400, "frame_hop": 160, "frame_align": "left", "center": false,
             "pad_last": true, "mel": { "bins": 26, "triangles": "bins" }, "mfcc": { "count": 13, "energy": true } }"#,
    ] {
        let mut features = features(json);
        let (hop, bins) = (features.hop(), features.inner_bins());
        let stream = signal(hop * hops);
        let mut all = vec![0.0; features.rows(stream.len()) * bins];
        features.inner_rows(&stream, 0, &mut all);
        for first in [1, 3, 10] {
            let window = &stream[first * hop..(first + 23) * hop + hop / 3];
            let rows = features.rows(window.len());
            let (before, after) = features.edge_rows(window.len());
            let mut inner = vec![0.0; rows * bins];
            features.inner_rows(window, 0, &mut inner);
            let same = |row: usize| {
                inner[row * bins..][..bins]
                    .iter()
                    .zip(&all[(first + row) * bins..][..bins])
                    .all(|(a, b)| a.to_bits() == b.to_bits())
            };
            assert!((before..rows - after).all(same), "{json}: an inner row differs");
            assert!(
                (0..before).chain(rows - after..rows).all(|row| !same(row)),
                "{json}: an edge row does not"
            );
            // From the middle on.
            let mut late = vec![0.0; (rows - 5) * bins];
            features.inner_rows(window, 5, &mut late);
            assert_eq!(late, inner[5 * bins..], "{json}");
            // A finished window is what compute gives.
            let mut finished = vec![0.0; rows * features.bins()];
            features.finish_window(&inner, &mut finished);
            assert_eq!(finished, compute(&mut features, window), "{json}");
        }
    }
}

#[test]
fn normalisations() {
    let apply = |json: &str, rows: &[f32], bins: usize| {
        let normalize: Normalize = serde_json::from_str(json).unwrap();
        normalize.validate("input.normalize", bins).unwrap();
        let mut rows = rows.to_vec();
        let mut scratch = vec![0.0; normalize.room(rows.len() / bins)];
        normalize.apply(&mut rows, bins, &mut scratch);
        rows
    };
    let rows = [1.0, 10.0, 3.0, 20.0, 5.0, 60.0];
    assert_eq!(apply("{}", &rows, 2), rows);
    assert_eq!(apply(r#"{ "kind": "mean_std", "mean": -4, "std": 4 }"#, &[0.0, -8.0], 2), [1.0, -1.0]);
    assert_eq!(
        apply(r#"{ "kind": "mean_std", "mean": [1, 10], "std": [2, 5] }"#, &rows, 2),
        [0.0, 0.0, 1.0, 2.0, 2.0, 10.0]
    );
    assert_eq!(
        apply(r#"{ "kind": "window", "over": "bin", "variance": false }"#, &rows, 2),
        [-2.0, -20.0, 0.0, -10.0, 2.0, 30.0]
    );
    // wav2vec2: mean 2.5, variance 1.25.
    let wav2vec2 = apply(r#"{ "kind": "window", "over": "all" }"#, &[1.0, 2.0, 3.0, 4.0], 1);
    for (got, want) in wav2vec2.iter().zip([-1.341_640_7, -0.447_213_6, 0.447_213_6, 1.341_640_7]) {
        assert!((got - want).abs() < 1e-6, "{wav2vec2:?}");
    }
    assert_eq!(apply(r#"{ "kind": "min_max", "over": "all" }"#, &[2.0, 4.0, 6.0], 1), [0.0, 0.5, 1.0]);
    assert_eq!(apply(r#"{ "kind": "min_max", "over": "bin" }"#, &rows, 2)[1], 0.0);
    assert_eq!(apply(r#"{ "kind": "min_max", "over": "all" }"#, &[7.0, 7.0], 1), [0.0, 0.0], "silence");
    assert_eq!(apply(r#"{ "kind": "window", "over": "all" }"#, &[0.0, 0.0], 1), [0.0, 0.0], "silence");
    // torch: (x - x.mean()) / (x.std() + 0.5), where std is √(5 / 3).
    let torch =
        r#"{ "kind": "window", "over": "all", "unbiased": true, "epsilon": 0.5, "epsilon_in": "std" }"#;
    for (got, want) in apply(torch, &[1.0, 2.0, 3.0, 4.0], 1).iter().zip([-1.5, -0.5, 0.5, 1.5]) {
        assert!((f64::from(*got) - want / ((5.0f64 / 3.0).sqrt() + 0.5)).abs() < 1e-6, "{got}, {want}");
    }
    let clip = r#"{ "kind": "mean_std", "mean": 0, "std": 1, "clip": [0, 1], "steps": 4 }"#;
    assert_eq!(apply(clip, &[-1.0, 0.1, 0.2, 0.5, 0.9, 9.0], 1), [0.0, 0.0, 0.25, 0.5, 0.75, 0.75]);
    // The rows 0, 3, 9 with a mirror at each end: 0 0 3 9 9; their means are 1, 4, 7.
    let means = r#"{ "kind": "sliding", "rows": 3, "variance": false }"#;
    assert_eq!(apply(means, &[0.0, 7.0, 3.0, 7.0, 9.0, 7.0], 2), [-1.0, 0.0, -1.0, 0.0, 2.0, 0.0]);
}

#[test]
fn senseless_normalisations_are_refused() {
    for (json, path, part) in [
        (r#"{ "kind": "mean_std", "std": 1 }"#, "input.normalize.mean", "missing"),
        (r#"{ "kind": "mean_std", "mean": 0, "std": 0 }"#, "input.normalize.std", "is 0"),
        (
            r#"{ "kind": "mean_std", "mean": [0, 1, 2], "std": 1 }"#,
            "input.normalize.mean",
            "3 values; the features have 2",
        ),
        (r#"{ "kind": "window" }"#, "input.normalize.over", "missing"),
        (r#"{ "kind": "window", "over": "all", "epsilon": 0 }"#, "input.normalize.epsilon", "is 0"),
        (r#"{ "kind": "none", "mean": 0 }"#, "input.normalize.mean", "no mean"),
        (r#"{ "kind": "sliding" }"#, "input.normalize.rows", "missing"),
        (r#"{ "kind": "sliding", "rows": 100 }"#, "input.normalize.rows", "is 100; valid odd"),
        (r#"{ "kind": "sliding", "rows": 101, "over": "bin" }"#, "input.normalize.over", "no over"),
        (r#"{ "clip": [1, 0] }"#, "input.normalize.clip", "[1, 0]"),
        (r#"{ "steps": 256 }"#, "input.normalize.steps", "needs clip"),
    ] {
        let normalize: Normalize = serde_json::from_str(json).unwrap();
        let message = normalize.validate("input.normalize", 2).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("manifest: {path}: ")) && message.contains(part),
            "{json}: {message}"
        );
    }
}
