//! Features allocate nothing once they are planned.

mod support;

use auricle::stages::features::{Features, Spec};
use auricle::stages::normalize::Normalize;
use support::allocations;

#[test]
fn nothing_is_allocated_after_planning() {
    let samples: Vec<f32> = (0..20_000).map(|i| (i as f32 * 0.01).sin()).collect();
    for (features, normalize) in [
        (r#"{ "kind": "waveform" }"#, r#"{ "kind": "window", "over": "all" }"#),
        (
            r#"{ "kind": "spectrogram", "fft": 480, "frame_hop": 160 }"#,
            r#"{ "kind": "min_max", "over": "bin" }"#,
        ),
        (r#"{ "preset": "whisper" }"#, r#"{ "kind": "mean_std", "mean": -4, "std": 4 }"#),
        (r#"{ "preset": "librosa", "kind": "mfcc" }"#, r#"{ "kind": "window", "over": "bin" }"#),
        (r#"{ "preset": "kaldi" }"#, "{}"),
    ] {
        let spec: Spec = serde_json::from_str(features).expect("valid");
        let normalize: Normalize = serde_json::from_str(normalize).expect("valid");
        let mut planned = Features::new(&spec, 16_000, "input.features").expect("valid");
        let rows = planned.rows(samples.len());
        let mut inner = vec![0.0; rows * planned.inner_bins()];
        let mut out = vec![0.0; rows * planned.bins()];
        let count = allocations(|| {
            planned.compute(&samples, &mut out);
            planned.inner_rows(&samples, 0, &mut inner);
            planned.finish_window(&inner, &mut out);
            normalize.apply(&mut out, planned.bins(), &mut []);
        });
        assert_eq!(count, 0, "{features}");
    }
}
