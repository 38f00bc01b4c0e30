//! Every architecture: trains, and comes out of the file that is written as it was in memory.

use crate::common::*;
use auricle_train::augment::Augment;
use auricle_train::dataset::Clip;
use auricle_train::export;
use auricle_train::front_end::{FrontEndSpec, InputArgs};
use auricle_train::golden;
use auricle_train::judge::{arg_max, clip_scores};
use auricle_train::loss::Kind;
use auricle_train::network::{Architecture, Network};
use auricle_train::plan::{Plan, Recipe};
use auricle_train::streaming;

/// Whole windows, a tail that is padded, a tail that is too short, less than one window.
const LENGTHS: [f32; 4] = [2.0, 2.33, 2.01, 0.7];

fn clips(count: usize) -> Vec<Clip> {
    (0..count).map(|i| clip(i, LENGTHS[i % 4])).collect()
}

/// The library has loaded the file and computes what the network does; another network is told apart from it.
fn agrees(network: &Network, plan: &Plan, clips: &[Clip]) -> Vec<u8> {
    let file = export::onnx(network, plan, &about()).unwrap();
    if has_runtime() {
        let clips: Vec<&Clip> = clips.iter().collect();
        let verify = |network: &Network| export::verify(&file, network, plan, &clips, &|| ());
        assert_eq!(verify(network).unwrap().clips, clips.len());
        let other = Plan { recipe: recipe(1, 9), ..plan.clone() };
        let other = train(&[clip(0, 1.0), clip(1, 1.0)], &other);
        assert!(verify(&other).is_err());
    }
    file
}

#[test]
fn resnet_learns_and_the_library_agrees_with_the_file() {
    let clips = clips(8);
    let plan = plan(Architecture::Resnet, recipe(30, 1));
    let network = train(&clips, &plan);
    let mut front_end = plan.front_end.plan().unwrap();
    for clip in &clips {
        let scores = clip_scores(&network, &mut front_end, &clip.samples, CLASSES, Kind::CrossEntropy);
        assert_eq!(arg_max(&scores), clip.class, "{}: {scores:?}", clip.file);
    }
    let file = agrees(&network, &plan, &clips);
    assert!(file.len() < 1_000_000, "{} bytes", file.len());
}

#[test]
fn cnn_is_in_the_file_as_it_was_trained() {
    let plan = plan(Architecture::Cnn, recipe(3, 1));
    let file = agrees(&train(&clips(4), &plan), &plan, &clips(4));
    assert!(file.len() < 2_000_000, "{} bytes", file.len());
}

#[test]
fn crnn_is_in_the_file_as_it_was_trained() {
    let plan = plan(Architecture::Crnn, recipe(2, 1));
    agrees(&train(&clips(4), &plan), &plan, &clips(4));
}

/// The library's stream is the network's stream and, once a window has been heard, what the network says of the window; at two
/// hops, and it is told apart from another network.
#[test]
fn stream_says_of_a_stream_what_it_says_of_its_windows() {
    for hop_seconds in [0.25, 0.1] {
        let input = InputArgs { input: Some("stream".into()), window_seconds: None, hop_seconds };
        let front_end = input.spec().unwrap();
        assert_eq!(front_end.plan().unwrap().shape(), [64, 39]);
        let plan = Plan { front_end, ..plan(Architecture::Stream, recipe(3, 1)) };
        let file = agrees(&train(&clips(4), &plan), &plan, &clips(4));
        assert!(file.len() < 1_000_000, "{} bytes", file.len());
        let manifest = export::manifest(&plan, &about()).unwrap();
        assert_eq!(manifest.input.others.len(), 6);
        if has_runtime() {
            golden::finish(&file, &manifest, None).unwrap();
        }
    }
    let refused = |input: &str, window_seconds: Option<f64>, hop_seconds: f64| {
        let input = InputArgs { input: Some(input.into()), window_seconds, hop_seconds };
        let plan = Plan { front_end: input.spec().unwrap(), ..plan(Architecture::Stream, recipe(1, 1)) };
        streaming::front_end(&plan.front_end).err().map_or_else(
            || {
                let network = Network::new(
                    plan.architecture,
                    plan.front_end.plan().unwrap().shape(),
                    CLASSES,
                    &burn::tensor::Device::flex(),
                );
                network.unwrap_err().to_string()
            },
            |error| error.to_string(),
        )
    };
    assert!(refused("mel", None, 0.25).contains("`features.center` false"));
    assert!(refused("stream", None, 0.09).contains("a multiple of 800 samples"));
    assert!(refused("stream", Some(1.0), 0.25).contains("38 rows; stream needs an odd number"));
    assert!(refused("stream", Some(0.3), 0.25).contains("64 bins × 10 rows"));
}

#[test]
fn mobilenet_is_in_the_file_as_it_was_trained() {
    let plan = plan(Architecture::Mobilenet, Recipe { learning_rate: 1e-4, ..recipe(2, 1) });
    let file = agrees(&train(&clips(4), &plan), &plan, &clips(4));
    assert!(file.len() < 4_000_000, "{} bytes", file.len());
}

/// 23 bins × 21 rows: odd where a network halves them.
#[test]
fn sizes_that_cannot_be_halved_are_in_the_file_as_they_were_trained() {
    let mut front_end = FrontEndSpec::mel().unwrap();
    front_end.input.features.mel.as_mut().unwrap().bins = Some(23);
    front_end.input.window_seconds = Some(0.65);
    assert_eq!(front_end.plan().unwrap().shape(), [23, 21]);
    for architecture in [Architecture::Cnn, Architecture::Crnn, Architecture::Resnet] {
        let plan = Plan { front_end: front_end.clone(), ..plan(architecture, recipe(2, 1)) };
        agrees(&train(&clips(4), &plan), &plan, &clips(4));
    }
}

#[test]
fn transformer_is_in_the_file_as_it_was_trained() {
    let plan = plan(Architecture::Transformer, recipe(3, 1));
    agrees(&train(&clips(4), &plan), &plan, &clips(4));
}

#[test]
fn several_classes_at_once_become_independent_scores() {
    let mut both = clip(0, 1.5);
    both.samples.iter_mut().zip(noise(3, 1.5)).for_each(|(s, n)| *s += n);
    both.also = vec![1];
    let clips = [clip(0, 1.5), clip(1, 1.5), both];
    let mut recipe = recipe(40, 1);
    recipe.loss = Kind::Binary;
    recipe.augment = Augment::none();
    let plan = plan(Architecture::Resnet, recipe);
    let list: Vec<&Clip> = clips.iter().collect();
    let material = auricle_train::crops::Material { multi_label: true, ..material(&list) };
    let start = auricle_train::fit::Start::New;
    let network = auricle_train::fit::fit(&plan, &material, start, &Default::default(), |_| ()).unwrap();
    let mut front_end = plan.front_end.plan().unwrap();
    let heard = |samples: &[f32], front_end: &mut _| {
        let scores = clip_scores(&network, front_end, samples, CLASSES, Kind::Binary);
        scores.iter().map(|s| *s > 0.5).collect::<Vec<_>>()
    };
    for (clip, expected) in clips.iter().zip([[true, false], [false, true], [true, true]]) {
        assert_eq!(heard(&clip.samples, &mut front_end), expected, "{}", clip.file);
    }
    agrees(&network, &plan, &clips);
}

#[test]
fn windows_that_are_too_small_are_refused_with_the_numbers() {
    let mut spec = FrontEndSpec::mel().unwrap();
    spec.input.window_seconds = Some(0.2);
    let plan = Plan { front_end: spec, ..plan(Architecture::Transformer, recipe(1, 1)) };
    let clips = [clip(0, 1.0), clip(1, 1.0)];
    let list: Vec<&Clip> = clips.iter().collect();
    let start = auricle_train::fit::Start::New;
    let error = auricle_train::fit::fit(&plan, &material(&list), start, &Default::default(), |_| ());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("64 bins × 7 rows") && error.contains("16 × 16"), "{error}");
}

/// Every length must come through the file: seconds that JSON rounds, golden cases of odd lengths, rows that do not divide.
#[test]
fn a_step_of_training_makes_a_file_at_every_window_length() {
    if !has_runtime() {
        return;
    }
    let json = r#"{ "sample_rate": 4000, "window_seconds": 1.0, "padding": "zeros", "layout": ["batch", "bin", "row"],
        "features": { "kind": "mel", "fft": 128, "frame_hop": 64, "mel": { "bins": 8 } } }"#;
    let mut failed = Vec::new();
    for tenth in 3..=100 {
        let seconds = f64::from(tenth) / 10.0;
        let mut input: auricle::manifest::Input = serde_json::from_str(json).unwrap();
        input.window_seconds = Some(seconds);
        let front_end = FrontEndSpec::new(input, seconds).unwrap();
        let plan = Plan { front_end, ..plan(Architecture::Resnet, Recipe { batch: 2, ..recipe(1, 1) }) };
        let network = train(&[clip(0, 0.5), clip(1, 0.5)], &plan);
        let file = export::onnx(&network, &plan, &about()).unwrap();
        let manifest = export::manifest(&plan, &about()).unwrap();
        if let Err(error) = golden::finish(&file, &manifest, None) {
            failed.push(format!("{seconds} s: {error:#}"));
        }
    }
    assert!(failed.is_empty(), "{} of 98 lengths: {failed:#?}", failed.len());
}
