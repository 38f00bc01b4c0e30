//! New classes on a network that stays as it is.

use crate::common::*;
use auricle::{Model, ModelOptions};
use auricle_train::compress::measure::{accuracy, scores};
use auricle_train::dataset::Clip;
use auricle_train::export;
use auricle_train::head::{Head, candidates, embed, few};
use auricle_train::network::Architecture;

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
    assert!(tensors.iter().all(|(_, sizes)| sizes.iter().product::<i64>().abs() == 256), "{tensors:?}");
    let embedding = &tensors.last().unwrap().0;

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
    assert!(!candidates(&file).unwrap().iter().any(|(name, _)| name == "output"));
    let error = head.join(&onnx, &manifest, "nothing", &labels).unwrap_err().to_string();
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
