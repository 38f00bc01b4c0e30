//! Every architecture in integers and with fewer channels: smaller, and nearly the same scores.

use std::fs;
use std::process::Command;

use crate::common::*;
use crate::dataset::wav;
use crate::random::Random;
use auricle::{Model, ModelOptions};
use auricle_train::checkpoint::Checkpoint;
use auricle_train::compress::measure::{accuracy, agreement, latencies, scores};
use auricle_train::compress::quantise::WeightBits;
use auricle_train::compress::{How, Int8, compress};
use auricle_train::dataset::Clip;
use auricle_train::export;
use auricle_train::fit::{Options, Start, fit};
use auricle_train::network::Architecture;
use auricle_train::onnx::Graph;

fn model(onnx: &[u8]) -> Model {
    Model::load_memory(onnx, None, &ModelOptions::default()).unwrap()
}

/// Largest difference of a score over the clips.
fn difference(a: &Model, b: &Model, clips: &[&Clip]) -> f32 {
    let apart = clips.iter().map(|clip| {
        let (a, b) = (scores(a, &clip.samples).unwrap(), scores(b, &clip.samples).unwrap());
        a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    });
    apart.fold(0.0, f32::max)
}

/// Operators of a file, by the names that stand in it.
fn holds(onnx: &[u8], operator: &str) -> bool {
    onnx.windows(operator.len()).any(|part| part == operator.as_bytes())
}

#[test]
fn integers_are_smaller_and_say_nearly_the_same() {
    if !has_runtime() {
        return;
    }
    let clips: Vec<Clip> = (0..6).map(|i| clip(i, 1.6)).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let owned: Vec<Clip> = clips.iter().map(|&clip| clip.clone()).collect();
    for (architecture, int8, smaller, operator) in [
        (Architecture::Cnn, Int8::Static, 3.3, "QuantizeLinear"),
        (Architecture::Resnet, Int8::Static, 3.0, "QuantizeLinear"),
        (Architecture::Crnn, Int8::Dynamic, 3.3, "DynamicQuantizeLSTM"),
        (Architecture::Crnn, Int8::Static, 3.6, "DynamicQuantizeLSTM"),
        (Architecture::Transformer, Int8::Dynamic, 3.3, "MatMulInteger"),
        (Architecture::Mobilenet, Int8::Weights, 3.6, "Cast"),
        (Architecture::Transformer, Int8::Weights, 3.3, "Cast"),
    ] {
        let plan = plan(architecture, recipe(3, 1));
        let onnx = export::onnx(&train(&owned, &plan), &plan, &about()).unwrap();
        let before = model(&onnx);
        let how = How { int8: Some(int8), weight_bits: Some(WeightBits::Seven), ..How::default() };
        let (file, done) = compress(&onnx, before.manifest(), &how, &clips).unwrap();
        let ratio = onnx.len() as f32 / file.len() as f32;
        assert!(ratio > smaller, "{architecture:?} {int8:?}: only {ratio} times smaller: {done}");
        assert!(holds(&file, operator), "{architecture:?} {int8:?}: no {operator}: {done}");
        let after = model(&file);
        let apart = difference(&before, &after, &clips);
        assert!(apart > 0.0 && apart < 0.03, "{architecture:?} {int8:?}: {apart}");
        // It has golden cases of its own.
        let rounding = if int8 == Int8::Weights { 1e-5 } else { 0.02 };
        assert!(after.self_check().unwrap() <= rounding);
        assert!(before.self_check().is_err());
    }
}

/// The 16 channels of a convolution, each `spread` times smaller than the one before it and read by weights so many
/// times larger: the same function whatever `spread` is.
fn uneven(spread: f32) -> Vec<u8> {
    let factor = |channel: usize| spread.powi(channel as i32 - 8);
    let seed = std::cell::Cell::new(1_u32);
    let random = |scale: f32| {
        seed.set(seed.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        ((seed.get() >> 8) as f32 / (1 << 24) as f32 - 0.5) * scale
    };
    let mut graph = Graph::default();
    let first: Vec<f32> = (0..16 * 9).map(|n| random(0.3) / factor(n / 9)).collect();
    let bias: Vec<f32> = (0..16).map(|channel| random(0.3) / factor(channel)).collect();
    let mut x = graph.conv("input", &first, [16, 1, 3, 3], &bias, [2, 2]);
    x = graph.relu(&x);
    x = graph.max_pool_2x2(&x);
    let second: Vec<f32> = (0..8 * 16).map(|n| random(0.5) * factor(n % 16)).collect();
    let bias: Vec<f32> = (0..8).map(|_| random(0.1)).collect();
    x = graph.conv(&x, &second, [8, 16, 1, 1], &bias, [1, 1]);
    x = graph.relu(&x);
    x = graph.global_max_pool(&x);
    let weight: Vec<f32> = (0..8 * 2).map(|_| random(1.0)).collect();
    let last = graph.linear(&x, &weight, [8, 2], &[0.0; 2]);
    let manifest = export::manifest(&plan(Architecture::Cnn, recipe(1, 1)), &about()).unwrap();
    graph.finish(("input", &[1, 64, 32]), &last, ("output", &[2]), &manifest.to_json())
}

/// Difference that static integers make, the mean over clips.
fn costs(onnx: &[u8], calibration: &[&Clip], test: &[&Clip]) -> f32 {
    let how = How { int8: Some(Int8::Static), weight_bits: Some(WeightBits::Seven), ..How::default() };
    let before = model(onnx);
    let (file, done) = compress(onnx, before.manifest(), &how, calibration).unwrap();
    assert_eq!(done.quantised.convolutions, 2, "{done}");
    agreement(&before, &model(&file), test).unwrap().mean
}

#[test]
fn channels_of_any_range_cost_no_more_than_even_ones() {
    if !has_runtime() {
        return;
    }
    let clips: Vec<Clip> = (0..4).map(|i| clip(i, 1.3)).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let (even, odd) = (uneven(1.0), uneven(3.0));
    let same = difference(&model(&even), &model(&odd), &clips);
    assert!(same < 1e-5, "the two are not one function: {same}");
    let (even, odd) = (costs(&even, &clips, &clips), costs(&odd, &clips, &clips));
    assert!(even > 0.0 && even < 0.02 && odd < 0.02, "{even} even, {odd} uneven");
}

#[test]
fn a_rare_clip_far_from_all_others_takes_few_of_their_steps() {
    if !has_runtime() {
        return;
    }
    let mut clips: Vec<Clip> = (0..120).map(|i| clip(i, 1.0)).collect();
    let usual = clips.clone();
    // Seen, but no judge. 200 dB louder, 46 more in units of the features, among which the others span 14.
    clips.insert(1, Clip { samples: noise(1, 1.0).iter().map(|s| 1e10 * s).collect(), ..clip(1, 1.0) });
    let (clips, usual): (Vec<&Clip>, Vec<&Clip>) = (clips.iter().collect(), usual.iter().collect());
    let onnx = uneven(1.0);
    let (without, with) = (costs(&onnx, &usual, &usual), costs(&onnx, &clips, &usual));
    // 2.4 times as much; 3.4 times with the largest value as the range.
    assert!(with < 3.0 * without, "{without} without the loud clip, {with} with it");
}

/// Convolutions with 16 and 8 channels, and a product. `dead` channels of the first one are 0.4
/// whatever is heard.
fn graph(dead: usize) -> Vec<u8> {
    let mut random = Random(1);
    let mut weights = |count: usize, scale: f32| -> Vec<f32> {
        (0..count).map(|_| 0.5 * scale * random.sample()).collect()
    };
    let mut graph = Graph::default();
    let mut first = weights(16 * 9, 0.3);
    let mut bias = weights(16, 0.3);
    for channel in (0..16).step_by(2).take(dead) {
        first[channel * 9..(channel + 1) * 9].fill(0.0);
        bias[channel] = 0.4;
    }
    let mut x = graph.conv("input", &first, [16, 1, 3, 3], &bias, [1, 1]);
    x = graph.relu(&x);
    x = graph.max_pool_2x2(&x);
    x = graph.conv(&x, &weights(8 * 16, 0.5), [8, 16, 1, 1], &weights(8, 0.1), [1, 1]);
    x = graph.relu(&x);
    x = graph.global_max_pool(&x);
    let last = graph.linear(&x, &weights(8 * 2, 1.0), [8, 2], &weights(2, 1.0));
    let manifest = export::manifest(&plan(Architecture::Cnn, recipe(1, 1)), &about()).unwrap();
    graph.finish(("input", &[1, 64, 32]), &last, ("output", &[2]), &manifest.to_json())
}

#[test]
fn channels_that_say_nothing_are_removed_without_a_trace() {
    if !has_runtime() {
        return;
    }
    let clips: Vec<Clip> = (0..4).map(|i| clip(i, 1.3)).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let prune = |onnx: &[u8], prune: f64| {
        let how = How { prune, ..How::default() };
        let (file, done) = compress(onnx, model(onnx).manifest(), &how, &clips).unwrap();
        (difference(&model(onnx), &model(&file), &clips), file.len(), done.pruned)
    };
    // Every second channel of the first convolution is dead; kept are multiples of 8.
    let manifest = export::manifest(&plan(Architecture::Cnn, recipe(1, 1)), &about()).unwrap();
    let onnx = auricle_train::golden::finish(&graph(8), &manifest, None).unwrap();
    let (apart, bytes, pruned) = prune(&onnx, 0.5);
    assert_eq!((pruned.channels, pruned.of_channels), (8, 24));
    assert!(apart < 1e-5, "removing dead channels costs {apart}");
    assert!(bytes < onnx.len(), "{bytes} {}", onnx.len());
    let (apart, ..) = prune(&graph(0), 0.5);
    assert!(apart > 1e-4, "removing live channels costs nothing: {apart}");
}

#[test]
fn channels_that_a_network_learned_to_do_without_cost_nothing() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("prune");
    let path = folder.0.join("run.checkpoint");
    let clips: Vec<Clip> = (0..6).map(|i| clip(i, 1.3)).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let how = How { prune: 0.5, ..How::default() };
    for (architecture, channels) in [(Architecture::Resnet, 96), (Architecture::Cnn, 240)] {
        let plan = plan(architecture, recipe(4, 1));
        let options = Options { checkpoint: Some((path.clone(), 100)), ..Options::default() };
        let dense = fit(&plan, &material(&clips), Start::New, &options, |_| ()).unwrap();
        let tuned = |prune| {
            let start = Start::From { checkpoint: Box::new(Checkpoint::load(&path).unwrap()), prune };
            fit(&plan, &material(&clips), start, &Options::default(), |_| ())
        };
        let lost = |network| {
            let onnx = export::onnx(network, &plan, &about()).unwrap();
            let (file, done) = compress(&onnx, model(&onnx).manifest(), &how, &clips).unwrap();
            assert_eq!(done.pruned.channels, channels, "{architecture:?}: {done}");
            difference(&model(&onnx), &model(&file), &clips)
        };
        let (without, with) = (lost(&dense), lost(&tuned(0.5).unwrap()));
        assert!(
            with < 1e-5 && without > 10.0 * with,
            "{architecture:?}: {with}, {without} without fine-tuning"
        );
        assert!(format!("{:#}", tuned(1.0).unwrap_err()).contains("valid 0 to below 1"));
        assert!(format!("{:#}", tuned(0.01).unwrap_err()).contains("takes nothing out"));
    }
}

#[test]
fn what_cannot_be_done_says_so() {
    if !has_runtime() {
        return;
    }
    let clips = [clip(0, 1.3)];
    let clips: Vec<&Clip> = clips.iter().collect();
    let onnx = graph(0);
    let manifest = model(&onnx).manifest().clone();
    let error =
        |how: How, clips: &[&Clip]| format!("{:#}", compress(&onnx, &manifest, &how, clips).unwrap_err());
    assert!(error(How::default(), &clips).contains("nothing to do"));
    assert!(error(How { prune: 1.0, ..How::default() }, &clips).contains("valid 0 to below 1"));
    let too_few = error(How { prune: 0.4, ..How::default() }, &clips);
    assert!(too_few.contains("8 at a time, and 24 are where"), "{too_few}");
    let dynamic = How { int8: Some(Int8::Dynamic), ..How::default() };
    assert!(error(dynamic, &clips).contains("--int8 static does convolutions"));
    let fixed = How { int8: Some(Int8::Static), ..How::default() };
    assert!(error(fixed, &[]).contains("no clips"));
    let bad = compress(b"no network", &manifest, &How { prune: 0.5, ..How::default() }, &clips).unwrap_err();
    assert!(format!("{bad:#}").contains("not an ONNX file"), "{bad:#}");
}

#[test]
fn a_model_is_measured_by_names_of_classes() {
    if !has_runtime() {
        return;
    }
    let model = model(&graph(0));
    let clips: Vec<Clip> = (0..4).map(|i| clip(i, 1.3)).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let names = |names: [&str; 2]| names.map(str::to_owned);
    let right = accuracy(&model, &clips, &names(["tone", "noise"])).unwrap();
    let swapped = accuracy(&model, &clips, &names(["noise", "tone"])).unwrap();
    assert_eq!(right + swapped, 1.0);
    let error = accuracy(&model, &clips, &names(["tone", "rain"])).unwrap_err().to_string();
    assert!(error.contains("\"rain\"") && error.contains("tone"), "{error}");
    assert!(latencies(&[&model, &model]).unwrap().iter().all(|seconds| *seconds > 0.0));
}

#[test]
fn the_command_measures_and_writes_nothing_that_lost_too_much() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("compress");
    fs::write(folder.0.join("model.onnx"), graph(0)).unwrap();
    for i in 0..10 {
        let class = folder.0.join("data").join(["tone", "noise"][i % 2]);
        fs::create_dir_all(&class).unwrap();
        let pcm: Vec<i16> = clip(i, 1.1).samples.iter().map(|s| (s * 32_767.0) as i16).collect();
        fs::write(class.join(format!("{i}.wav")), wav(16_000, 1, &pcm)).unwrap();
    }
    let run = |max_drop: &str| {
        let args = "compress model.onnx --int8 static --data data --hold-out 2 --no-cache --out small.onnx";
        let mut command = Command::new(env!("CARGO_BIN_EXE_auricle-train"));
        let output = command.current_dir(&folder.0).args(args.split(' ')).arg(max_drop).output().unwrap();
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let small = folder.0.join("small.onnx");
    let [_, refused] = run("--max-drop=-101");
    assert!(refused.contains("--max-drop allows -101") && !small.exists(), "{refused}");
    let [said, _] = run("--max-drop=100");
    assert!(said.contains("best class the same for"), "{said}");
    for part in
        ["2 convolutions in integers", "smaller", "before", "after", "accuracy on the 2 clips of fold 2"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(model(&fs::read(small).unwrap()).self_check().is_ok());
}

#[test]
fn a_model_of_other_classes_is_measured_by_how_often_it_says_the_same() {
    if !has_runtime() {
        return;
    }
    let folder = Scratch::new("agreement");
    fs::write(folder.0.join("model.onnx"), graph(0)).unwrap();
    for i in 0..4 {
        let class = folder.0.join("data").join(["whistle", "rain"][i % 2]);
        fs::create_dir_all(&class).unwrap();
        let pcm: Vec<i16> = clip(i, 1.1).samples.iter().map(|s| (s * 32_767.0) as i16).collect();
        fs::write(class.join(format!("{i}.wav")), wav(16_000, 1, &pcm)).unwrap();
    }
    let run = |max_drop: &str| {
        let args = "compress model.onnx --int8 static --data data --folds 2 --hold-out 2 --no-cache --out small.onnx";
        let mut command = Command::new(env!("CARGO_BIN_EXE_auricle-train"));
        let output = command.current_dir(&folder.0).args(args.split(' ')).arg(max_drop).output().unwrap();
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let [said, refused] = run("--max-drop=-101");
    assert!(refused.contains("points of agreement are lost"), "{refused}");
    assert!(said.contains("the model has other classes than the 2 clips of fold 2"), "{said}");
    let [_, refused] = run("--max-drop=100");
    assert!(folder.0.join("small.onnx").exists(), "{refused}");
}
