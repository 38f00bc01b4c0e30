//! Training sees what the library will show the network, bit for bit.

use std::fs;

use crate::common::*;
use auricle::stages::scores::Activation;
use auricle_train::front_end::{FrontEndSpec, InputArgs};

fn spec(input: &str) -> anyhow::Result<FrontEndSpec> {
    InputArgs { input: Some(input.into()), window_seconds: None, hop_seconds: 0.25 }.spec()
}

#[test]
fn features_of_training_are_those_of_the_library_bit_for_bit() {
    let folder = Scratch::new("front-end");
    let file = folder.0.join("input.json");
    let json = r#"{ "sample_rate": 22050, "window_seconds": 0.8, "padding": "repeat", "layout": ["row", "bin"],
        "features": { "kind": "mfcc", "fft": 512, "frame_hop": 200, "mel": { "bins": 40 },
                      "log": { "kind": "db", "floor": 1e-10, "range": 80 }, "mfcc": { "count": 20 } } }"#;
    fs::write(&file, json).unwrap();
    let shapes = [("mel", [64, 32]), ("log-stft", [257, 63]), (file.to_str().unwrap(), [20, 89])];
    for (name, shape) in shapes {
        let spec = spec(name).unwrap();
        let mut front_end = spec.plan().unwrap();
        assert_eq!(front_end.shape(), shape, "{name}");
        let window = noise(3, 2.0)[..front_end.window()].to_vec();
        let mut trained = Vec::new();
        front_end.append(&window, &mut trained);

        let manifest = spec.manifest(&about(), &["a".into(), "b".into()], Activation::Softmax).unwrap();
        let clip =
            auricle::Clip { interleaved: &window, channels: 1, sample_rate: manifest.input.sample_rate };
        let (rows, bins) = clip.features(&manifest).unwrap();
        let [_, count] = shape;
        let expected: Vec<u32> = (0..bins)
            .flat_map(|b| (0..count).map(move |r| (b, r)))
            .map(|(b, r)| rows[r * bins + b].to_bits())
            .collect();
        assert!(trained.iter().map(|v| v.to_bits()).eq(expected), "{name}: training sees other numbers");
    }
}

#[test]
fn normalisation_of_the_input_is_applied() {
    let mut input = FrontEndSpec::mel().unwrap().input;
    input.normalize = serde_json::from_str(r#"{ "kind": "window", "over": "all" }"#).unwrap();
    let mut front_end = FrontEndSpec::new(input, 0.25).unwrap().plan().unwrap();
    let mut out = Vec::new();
    front_end.append(&noise(1, 1.0), &mut out);
    let mean = out.iter().sum::<f32>() / out.len() as f32;
    let square = out.iter().map(|v| v * v).sum::<f32>() / out.len() as f32;
    assert!(mean.abs() < 1e-3 && (square - 1.0).abs() < 1e-2, "mean {mean}, square {square}");
}

#[test]
fn what_cannot_be_trained_with_is_refused_with_a_reason() {
    let mel = FrontEndSpec::mel().unwrap().input;
    let refused = |change: &dyn Fn(&mut serde_json::Value), expected: &str| {
        let mut json = serde_json::to_value(&mel).unwrap();
        change(&mut json);
        let error = FrontEndSpec::new(serde_json::from_value(json).unwrap(), 0.25).unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    };
    refused(&|j| j["padding"] = "none".into(), "`padding` is `none`");
    refused(&|j| j["resampler"] = "torchaudio".into(), "`resampler`");
    refused(&|j| j["window_seconds"] = 0.0.into(), "window_seconds");
    refused(&|j| j["features"]["frame_hop"] = 0.into(), "frame_hop");
    let error = spec("/nowhere/input.json").unwrap_err();
    assert!(format!("{error:#}").contains("neither `mel`, `log-stft` nor `stream`"), "{error:#}");
}

#[test]
fn window_and_hop_can_be_chosen() {
    let args = InputArgs { input: Some("mel".into()), window_seconds: Some(2.0), hop_seconds: 0.5 };
    let spec = args.spec().unwrap();
    let front_end = spec.plan().unwrap();
    assert_eq!(front_end.shape(), [64, 63]);
    // 0, 0.5, 1 s, and what is left from 1.5 s on.
    assert_eq!(front_end.windows(&noise(1, 3.2)).len(), 4);
    let manifest = spec.manifest(&about(), &["a".into(), "b".into()], Activation::Sigmoid).unwrap();
    assert_eq!((manifest.input.window_seconds, manifest.stream.hop_seconds), (Some(2.0), Some(0.5)));
}
