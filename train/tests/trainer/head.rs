//! New classes on a network that stays as it is.

use crate::common::*;
use crate::onnx;
use auricle::{Manifest, Model, ModelOptions};
use auricle_train::compress::measure::{accuracy, scores};
use auricle_train::dataset::Clip;
use auricle_train::export;
use auricle_train::head::{Head, candidates, embed, few};
use auricle_train::network::Architecture;
use auricle_train::onnx::pool::Pool;

#[test]
fn five_clips_a_class_make_a_model_of_an_untrained_network() {
    if !has_runtime() {
        return;
    }
    let backbone = plan(Architecture::Cnn, recipe(1, 1));
    let onnx = export::onnx(&train(&[clip(0, 1.0), clip(1, 1.0)], &backbone), &backbone, &about()).unwrap();
    let manifest = Model::load_memory(&onnx, None, &ModelOptions::default()).unwrap().manifest().clone();
    let tensors = candidates(&onnx).unwrap();
    // The pooled maps, before and after they are flattened.
    let vectors = tensors.iter().filter(|one| !one.rows);
    assert!(vectors.clone().count() == 2, "{tensors:?}");
    assert!(vectors.clone().all(|one| one.sizes.iter().product::<i64>().abs() == 256), "{tensors:?}");
    let embedding = &tensors.last().unwrap().tensor;

    // Low tones, high tones, noise: classes that the network never heard of.
    let clips: Vec<Clip> = (0..24)
        .map(|i| {
            let samples = match i % 3 {
                0 => tone(300.0 + 10.0 * i as f32, 1.3),
                1 => tone(3000.0 + 50.0 * i as f32, 1.3),
                _ => noise(i, 1.3),
            };
            Clip { file: format!("{i}.wav"), class: i % 3, samples, ..Clip::default() }
        })
        .collect();
    let (five, rest): (Vec<&Clip>, Vec<&Clip>) = (clips[..15].iter().collect(), clips[15..].iter().collect());
    let examples = embed(&onnx, &manifest, embedding, &five, &|| ()).unwrap();
    assert_eq!((examples.len(), examples[0].windows[0].len()), (15, 256));
    let head = Head::fit(&examples, 3, 1).unwrap();
    assert_eq!(head, Head::fit(&examples, 3, 1).unwrap());
    // The standardisation is in the weights: the clips that it learned from are all but certain.
    for example in &examples {
        let mut outputs = head.outputs(&example.windows[0]);
        auricle::stages::scores::Activation::Softmax.apply(&mut outputs, 1.0);
        assert!(outputs[example.classes[0]] > 0.97, "{:?}: {outputs:?}", example.classes);
    }
    let labels = ["low", "high", "noise"].map(str::to_owned);
    let (file, manifest) = head.join(&onnx, &manifest, embedding, &labels).unwrap();
    let model = Model::load_memory(&file, Some(&manifest.to_json()), &ModelOptions::default()).unwrap();
    assert_eq!(accuracy(&model, &rest, &labels).unwrap(), 1.0);
    // The file says what the head said of the embeddings.
    let mut expected = head.outputs(&examples[0].windows[0]);
    let window = &five[0].samples[..16_000];
    auricle::stages::scores::Activation::Softmax.apply(&mut expected, 1.0);
    let found = scores(&model, window).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    // The old last layer is gone.
    assert!(!candidates(&file).unwrap().iter().any(|one| one.tensor == "output"));
    let error = head.join(&onnx, &manifest, "nothing", &labels).unwrap_err().to_string();
    assert!(error.contains("\"nothing\""), "{error}");
}

/// Rows of 8 samples, half as large as they come, of as many samples as there are; a second input is the half. The sum of all
/// is carried from window to window.
fn network_with_rows(opset: u64) -> Vec<u8> {
    let open = |field: u32, name: &str, sizes: &[u64]| {
        let size = |&size: &u64| match size {
            0 => onnx::message(1, &[]),
            size => onnx::message(1, &[onnx::number(1, size)]),
        };
        let shape: Vec<Vec<u8>> = sizes.iter().map(size).collect();
        let tensor = onnx::message(1, &[onnx::number(1, 1), onnx::message(2, &shape)]);
        onnx::message(field, &[onnx::bytes(1, name), onnx::message(2, &[tensor])])
    };
    let constant =
        |name: &str, dims: &[u64], values: &[i64]| onnx::bytes(5, onnx::integers(name, dims, values));
    let graph = [
        onnx::bytes(2, "g"),
        open(11, "x", &[1, 0]),
        open(11, "half", &[1]),
        open(11, "before", &[1, 8]),
        open(12, "y", &[1, 8]),
        open(12, "after", &[1, 8]),
        constant("sizes", &[3], &[1, -1, 8]),
        constant("first", &[], &[0]),
        onnx::node("Reshape", &["x", "sizes"], &["blocks"], &[]),
        onnx::node("Mul", &["blocks", "half"], &["rows"], &[]),
        onnx::node("Gather", &["rows", "first"], &["y"], &[onnx::int("axis", 1)]),
        onnx::node("Add", &["y", "before"], &["after"], &[]),
    ];
    [onnx::number(1, 8), onnx::message(8, &[onnx::number(2, opset)]), onnx::message(7, &graph)].concat()
}

#[test]
fn rows_are_pooled_of_a_network_with_more_inputs_and_any_length() {
    if !has_runtime() {
        return;
    }
    let manifest = Manifest::parse(
        r#"{ "auricle": 1, "outputs": [{ "tensor": "y", "kind": "values" }],
             "input": { "tensor": "x", "sample_rate": 8000, "window_samples": 64, "padding": "none", "min_rows": 8,
                        "features": { "kind": "waveform" }, "layout": ["batch", "sample"],
                        "others": { "half": { "constant": 0.5 }, "before": { "state": "after" } } },
             "stream": { "hop_seconds": 0.008 } }"#,
    )
    .unwrap();
    // A whole window, less than one, two and a bit.
    let clips: Vec<Clip> = [64, 40, 136, 64, 40, 136]
        .into_iter()
        .enumerate()
        .map(|(k, count)| Clip {
            file: format!("{k}.wav"),
            class: k % 2,
            samples: noise(k + 1, 1.0)[..count].iter().map(|s| s + (k % 2) as f32).collect(),
            ..Clip::default()
        })
        .collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    type OfRows = fn(&[f32]) -> f32;
    let pools: [(Pool, OfRows); 3] = [
        (Pool::Mean, |column| column.iter().sum::<f32>() / column.len() as f32),
        (Pool::Max, |column| column.iter().copied().fold(f32::MIN, f32::max)),
        (Pool::Last, |column| column[column.len() - 1]),
    ];
    for (opset, (pool, of)) in [17, 18].into_iter().flat_map(|opset| pools.map(|pool| (opset, pool))) {
        let onnx = network_with_rows(opset);
        let tensors = candidates(&onnx).unwrap();
        assert!(tensors.iter().any(|one| one.tensor == "rows" && one.rows), "{tensors:?}");
        let (onnx, embedding) = pool.apply(&onnx, "rows").unwrap();
        let embedded = embed(&onnx, &manifest, &embedding, &clips, &|| ()).unwrap();
        for (clip, embedded) in clips.iter().zip(&embedded) {
            let windows: Vec<Vec<f32>> = clip
                .samples
                .chunks(64)
                .map(|window| {
                    let column =
                        |k: usize| window[k..].iter().step_by(8).map(|s| 0.5 * s).collect::<Vec<f32>>();
                    (0..8).map(|k| of(&column(k))).collect()
                })
                .collect();
            assert_eq!(embedded.windows.len(), windows.len());
            for (a, b) in embedded.windows.iter().flatten().zip(windows.iter().flatten()) {
                assert!((a - b).abs() < 1e-6, "{pool:?}: {a} {b}");
            }
        }
        let head = Head::fit(&embedded, 2, 1).unwrap();
        let labels = ["low", "high"].map(str::to_owned);
        let (file, manifest) = head.join(&onnx, &manifest, &embedding, &labels).unwrap();
        let model = Model::load_memory(&file, Some(&manifest.to_json()), &ModelOptions::default()).unwrap();
        assert_eq!(accuracy(&model, &clips, &labels).unwrap(), 1.0);
        let mut expected = head.outputs(&embedded[1].windows[0]);
        auricle::stages::scores::Activation::Softmax.apply(&mut expected, 1.0);
        let found = scores(&model, &clips[1].samples).unwrap();
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} {expected:?}");
    }
    let error = embed(&network_with_rows(17), &manifest, "rows", &clips, &|| ()).unwrap_err();
    assert!(format!("{error:#}").contains("--rows"), "{error:#}");
    let error = Pool::Mean.apply(&network_with_rows(17), "nothing").unwrap_err().to_string();
    assert!(error.contains("\"nothing\""), "{error}");
}

#[test]
fn few_clips_come_from_many_sources() {
    let clip = |class: usize, source: &str| Clip { class, source: source.into(), ..Clip::default() };
    let clips =
        [clip(0, "a"), clip(0, "a"), clip(0, "a"), clip(0, "b"), clip(1, "a"), clip(0, "c"), clip(1, "a")];
    let list: Vec<&Clip> = clips.iter().collect();
    let chosen = |shots| {
        let named = few(&list, shots).into_iter().map(|clip| format!("{}{}", clip.class, clip.source));
        named.collect::<Vec<_>>()
    };
    assert_eq!(chosen(1), ["0a", "1a"]);
    assert_eq!(chosen(3), ["0a", "0b", "1a", "0c", "1a"]);
    assert_eq!(chosen(4), ["0a", "0a", "0b", "1a", "0c", "1a"]);
}
