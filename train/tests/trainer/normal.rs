//! The distance from normal: scikit-learn's numbers, its file, its threshold.

use crate::common::*;
use crate::random::Random;
use auricle::{Model, ModelOptions};
use auricle_train::export;
use auricle_train::head::{candidates, embed};
use auricle_train::network::Architecture;
use auricle_train::normal::{Normal, Threshold};

/// 40 windows of 6 values, as `data/make_normal.py` makes them.
fn windows() -> Vec<Vec<f32>> {
    let mut random = Random(1);
    let window = |_| {
        let x: Vec<f32> = (0..6).map(|_| random.sample()).collect();
        vec![x[0] + 3.0, x[0] + 0.2 * x[1], 2.0 * x[2], x[3] - x[2], 0.1 * x[4], x[5] + x[0] - 1.0]
    };
    (0..40).map(window).collect()
}

#[test]
fn distances_and_shrinkage_are_those_of_scikit_learn() {
    let windows = windows();
    let list: Vec<&[f32]> = windows.iter().map(Vec::as_slice).collect();
    let normal = Normal::fit(&list).unwrap();
    let expected: serde_json::Value = serde_json::from_str(include_str!("../data/normal.json")).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    assert!((normal.shrinkage - number(&expected["shrinkage"])).abs() < 1e-6, "{}", normal.shrinkage);
    for (index, distance) in expected["distances"].as_array().unwrap().iter().enumerate() {
        let found = normal.distance(list[index]);
        assert!((found - number(distance)).abs() < 1e-5, "window {index}: {found}, {distance}");
    }
    assert!(Normal::fit(&[&[1.0, 2.0], &[1.0, 2.0]]).unwrap_err().to_string().contains("all alike"));
}

#[test]
fn a_threshold_is_as_often_beyond_as_was_asked_for() {
    let distances: Vec<f64> = (0..1000).map(f64::from).collect();
    let threshold = Threshold::new(&distances, 0.01).unwrap();
    assert_eq!(distances.iter().filter(|d| threshold.score(**d) >= 0.5).count(), 10);
    assert!((threshold.score(500.0) - 0.018).abs() < 1e-3);
    let error = Threshold::new(&distances[..300], 0.01).unwrap_err().to_string();
    assert!(error.contains("500 are needed") && error.contains("from 0.0167 on"), "{error}");
}

#[test]
fn the_file_has_the_distance() {
    if !has_runtime() {
        return;
    }
    let clips: Vec<_> = (0..8).map(|n| clip(2 * n, 1.5)).collect();
    let plan = plan(Architecture::Resnet, recipe(2, 1));
    let onnx = export::onnx(&train(&[clip(0, 1.0), clip(1, 1.0)], &plan), &plan, &about()).unwrap();
    let manifest = export::manifest(&plan, &about()).unwrap();
    let tensor = candidates(&onnx).unwrap().into_iter().find(|one| one.sizes[1..] == [320]).unwrap().tensor;
    let list: Vec<_> = clips.iter().collect();
    let embedded = embed(&onnx, &manifest, &tensor, &list, &|| ()).unwrap();
    let windows: Vec<&[f32]> = embedded.iter().flat_map(|clip| &clip.windows).map(Vec::as_slice).collect();
    let normal = Normal::fit(&windows).unwrap();
    let threshold = Threshold { distance: 20.0, scale: 3.0 };
    let (file, manifest) = normal.join(threshold, &onnx, &manifest, &tensor).unwrap();
    let model = Model::load_memory(&file, Some(&manifest.to_json()), &ModelOptions::default()).unwrap();
    assert_eq!(model.labels(), ["unusual"]);
    let score = |samples: &[f32]| {
        let mut score = [0.0];
        let sound = auricle::Clip { interleaved: samples, channels: 1, sample_rate: 16_000 };
        model.classify(sound, &mut score).unwrap();
        f64::from(score[0])
    };
    for (clip, embedded) in clips.iter().zip(&embedded) {
        let expected: f64 = embedded.windows.iter().map(|w| threshold.score(normal.distance(w))).sum::<f64>()
            / embedded.windows.len() as f64;
        assert!((score(&clip.samples) - expected).abs() < 1e-3, "{}, {expected}", score(&clip.samples));
    }
    assert!(score(&noise(5, 1.5)) > score(&clips[3].samples), "noise is no more unusual than a tone");
}
