//! Model and manifest bytes that nobody vouches for: whatever they are, loading gives a model or an error.
//!
//! Input: one byte; if it is odd, a little-endian u16 and as many bytes of manifest; the rest is the ONNX file.

#![no_main]

use std::path::Path;
use std::sync::Once;

use auricle::{Clip, Model, ModelOptions};
use libfuzzer_sys::fuzz_target;

static RUNTIME: Once = Once::new();

fuzz_target!(|data: &[u8]| {
    RUNTIME.call_once(|| {
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/onnxruntime/onnxruntime");
        auricle::open_runtime(Some(&library)).expect("`cargo xtask setup` has put ONNX Runtime there");
    });
    let Some((manifest, onnx)) = split(data) else { return };
    let Ok(model) = Model::load_memory(onnx, manifest, &ModelOptions::default()) else { return };
    let mut scores = vec![0.0; model.class_count()];
    let samples: Vec<f32> = (0..4_000).map(|k| (k as f32 * 0.05).sin()).collect();
    let clip = Clip { interleaved: &samples, channels: 2, sample_rate: 22_050 };
    if model.classify(clip, &mut scores).is_ok() {
        assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
    }
    assert!(!model.describe().expect("there is memory").is_empty());
});

fn split(data: &[u8]) -> Option<(Option<&str>, &[u8])> {
    let (mode, rest) = data.split_first()?;
    if mode % 2 == 0 {
        return Some((None, rest));
    }
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (manifest, onnx) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    Some((Some(std::str::from_utf8(manifest).ok()?), onnx))
}
