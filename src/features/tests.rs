//! The instruction sets compute the same, for every kind and for transforms of every radix.

use super::*;

fn signal(samples: usize) -> Vec<f32> {
    let mut state = 7u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..samples).map(|i| 0.3 * noise() + 0.3 * (i as f32 * 0.05).sin()).collect()
}

fn compute(spec: &str, isa: Isa, samples: &[f32]) -> Vec<f32> {
    let spec: Spec = serde_json::from_str(spec).expect(spec);
    let mut features = Features::with_isa(&spec, 16_000, "test", isa).expect("a valid specification");
    let mut rows = vec![f32::NAN; features.rows(samples.len()) * features.bins()];
    features.compute(samples, &mut rows);
    rows
}

/// Largest difference as a share of the largest value.
fn difference(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let peak = b.iter().fold(0.0f64, |m, &v| m.max(f64::from(v).abs()));
    a.iter().zip(b).fold(0.0f64, |m, (&a, &b)| m.max((f64::from(a) - f64::from(b)).abs())) / peak
}

/// How far instruction sets may differ, as a share of the peak, and in what. Logarithms magnify what rounding does to
/// small values.
const KINDS: [(f64, &str); 14] = [
    (1e-6, r#"{ "kind": "mel", "fft": 1024, "frame_hop": 512, "mel": { "bins": 61 } }"#),
    (
        1e-6,
        r#"{ "kind": "mel", "fft": 512, "frame_length": 397, "frame_hop": 160, "power": 1, "mel": { "bins": 40 } }"#,
    ),
    (1e-6, r#"{ "preset": "whisper", "log": { "kind": "none" } }"#),
    (1e-6, r#"{ "preset": "kaldi", "log": { "kind": "none" } }"#),
    (1e-6, r#"{ "preset": "ced", "log": { "kind": "none" } }"#),
    (1e-5, r#"{ "preset": "librosa", "kind": "mfcc" }"#),
    (1e-5, r#"{ "preset": "whisper" }"#),
    (1e-5, r#"{ "preset": "yamnet" }"#),
    (1e-5, r#"{ "preset": "ast" }"#),
    (1e-5, r#"{ "preset": "ced" }"#),
    (1e-5, r#"{ "preset": "kaldi" }"#),
    (1e-6, r#"{ "kind": "mel", "fft": 321, "frame_hop": 160, "mel": { "bins": 40 } }"#),
    (
        1e-5,
        r#"{ "kind": "mfcc", "fft": 514, "frame_hop": 160, "remove_dc": true, "pre_emphasis": 0.97,
             "mel": { "bins": 26, "triangles": "bins" }, "log": { "kind": "ln" }, "mfcc": { "count": 13, "energy": true } }"#,
    ),
    (1e-6, r#"{ "kind": "spectrogram", "fft": 98, "frame_length": 33, "frame_hop": 50, "center": false }"#),
];

#[test]
fn every_isa_computes_what_the_portable_one_does() {
    // Rows in numbers that are no multiple of the lanes, frames that are none of the chunks.
    let samples = signal(5_003);
    let mut isas = Isa::all().filter(|e| *e != Isa::Portable).peekable();
    if isas.peek().is_none() {
        println!("SKIPPED: this machine has no instruction set but the portable one");
    }
    #[cfg(target_arch = "x86_64")]
    for isa in [Isa::Avx512, Isa::Avx2] {
        if !Isa::all().any(|i| i == isa) {
            println!("SKIPPED: this machine has no {isa:?}");
        }
    }
    for isa in isas {
        for (limit, kind) in KINDS {
            let error = difference(&compute(kind, isa, &samples), &compute(kind, Isa::Portable, &samples));
            assert!(error < limit, "{isa:?} differs by {error:e} of the peak: {kind}");
        }
    }
}

/// Streams compute few rows at a time and clips many: they must not differ.
#[test]
fn a_row_has_the_same_bits_however_many_are_computed_with_it() {
    let samples = signal(40_003);
    for isa in Isa::all() {
        for (_, kind) in KINDS {
            let spec: Spec = serde_json::from_str(kind).expect(kind);
            let mut features = Features::with_isa(&spec, 16_000, "test", isa).expect("a valid specification");
            let (rows, bins) = (features.rows(samples.len()), features.inner_bins());
            let mut all = vec![f32::NAN; rows * bins];
            features.inner_rows(&samples, 0, &mut all);
            for at_once in [1, 3, 8, 9, 16, 23] {
                let mut some = vec![f32::NAN; rows * bins];
                for (i, out) in some.chunks_mut(at_once * bins).enumerate() {
                    features.inner_rows(&samples, i * at_once, out);
                }
                let differs = all.iter().zip(&some).position(|(a, b)| a.to_bits() != b.to_bits());
                assert_eq!(differs.map(|i| i / bins), None, "{isa:?}, {at_once} rows at once: {kind}");
            }
        }
    }
}

/// Every way of putting a transform together, against the definition in f64.
#[test]
fn transforms_of_every_size() {
    let samples = signal(4_000);
    for size in [
        8, 9, 10, 11, 12, 13, 14, 16, 18, 321, 401, 514, 1023, 1102, 24, 64, 128, 320, 400, 480, 512, 640,
        882, 1024, 1920, 2048,
    ] {
        let angle = |n: usize| std::f64::consts::TAU * (n % size) as f64 / size as f64;
        let frame: Vec<f64> =
            (0..size).map(|i| f64::from(samples[i]) * (0.5 - 0.5 * angle(i).cos())).collect();
        let want: Vec<f64> = (0..=size / 2)
            .map(|k| {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, x) in frame.iter().enumerate() {
                    re += x * angle(i * k).cos();
                    im += x * angle(i * k).sin();
                }
                re * re + im * im
            })
            .collect();
        let peak = want.iter().copied().fold(0.0, f64::max);
        let spec =
            format!(r#"{{ "kind": "spectrogram", "fft": {size}, "frame_hop": {size}, "center": false }}"#);
        for isa in Isa::all() {
            let got = compute(&spec, isa, &samples[..size]);
            assert_eq!(got.len(), want.len());
            let error =
                got.iter().zip(&want).fold(0.0f64, |m, (&g, w)| m.max((f64::from(g) - w).abs())) / peak;
            assert!(error < 5e-7, "{isa:?}, {size}: {error:e} of the peak");
        }
    }
}

#[test]
fn windows_have_their_references_values() {
    // torch 2.x: hann_window(5), hamming_window(5), blackman_window(5); numpy's symmetric ones; Kaldi's povey.
    let cases: [(Taper, [f64; 5]); 8] = [
        (Taper::Hann, [0.0, 0.345_492, 0.904_508, 0.904_508, 0.345_492]),
        (Taper::HannSymmetric, [0.0, 0.5, 1.0, 0.5, 0.0]),
        (Taper::Hamming, [0.08, 0.397_852, 0.912_148, 0.912_148, 0.397_852]),
        (Taper::HammingSymmetric, [0.08, 0.54, 1.0, 0.54, 0.08]),
        (Taper::Blackman, [0.0, 0.200_770, 0.849_230, 0.849_230, 0.200_770]),
        (Taper::BlackmanSymmetric, [0.0, 0.34, 1.0, 0.34, 0.0]),
        (Taper::Povey, [0.0, 0.554_785, 1.0, 0.554_785, 0.0]),
        (Taper::Rectangular, [1.0; 5]),
    ];
    for (taper, want) in cases {
        for (got, want) in taper.values(5).zip(want) {
            assert!((got - want).abs() < 1e-6, "{taper:?}: {got} is not {want}");
        }
    }
}
