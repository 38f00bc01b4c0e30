//! A teacher's file is taken over as it is, a smaller network begins as a part of it, and learns to say the same.

use crate::common::*;
use crate::random::Random;
use auricle::Manifest;
use auricle::stages::scores::Activation;
use auricle::stages::tensor::Axis;
use auricle_train::augment::Augment;
use auricle_train::compress::{How, Int8, compress};
use auricle_train::dataset::Clip;
use auricle_train::distill::{Lessons, Teacher, begin, import, shrink, study};
use auricle_train::export;
use auricle_train::fit::{Options, Start, fit};
use auricle_train::front_end::FrontEndSpec;
use auricle_train::head::{Candidate, candidates};
use auricle_train::loss::Kind;
use auricle_train::network::mobilenet::{self, MobileNet};
use auricle_train::network::{Architecture, Network};
use auricle_train::onnx::Graph;
use auricle_train::plan::{Plan, Recipe};
use auricle_train::weights::replace;
use burn::tensor::{Device, Distribution, Tensor};

const LABELS: usize = 3;
const WIDE: [usize; 14] = [6, 8, 8, 8, 8, 8, 10, 10, 10, 10, 10, 10, 12, 12];
const NARROW: [usize; 14] = [5, 6, 6, 6, 6, 6, 8, 8, 8, 8, 8, 8, 10, 10];

fn labels() -> Vec<String> {
    (0..LABELS).map(|n| format!("sound {n}")).collect()
}

/// A network with random weights as a file, its manifest, and the name of its embedding.
fn teacher(network: &MobileNet) -> (Vec<u8>, Manifest, String) {
    let front_end = FrontEndSpec::mel().unwrap();
    let manifest = front_end.manifest(&about(), &labels(), Activation::Sigmoid).unwrap();
    let [bins, rows] = front_end.plan().unwrap().shape();
    let mut graph = Graph::default();
    let logits = network.write(&mut graph, "input");
    let json = manifest.to_json();
    let file = graph.finish(("input", &[1, bins, rows]), &logits, ("output", &[LABELS]), &json);
    let channels = network.channels()[13] as i64;
    let wide = |one: &Candidate| !one.rows && one.sizes.last() == Some(&channels);
    let found = candidates(&file).unwrap().into_iter().find(wide);
    (file, manifest, found.unwrap().tensor)
}

/// Random weights of a seed of their own: burn's generator is one for all tests, which run at the same time.
fn network(channels: &[usize; 14], outputs: usize, seed: u64) -> MobileNet {
    let mut random = Random(seed);
    let mut layer = |inputs: usize, outputs: usize| {
        let largest = (6.0 / inputs as f32).sqrt();
        let mut weights: Vec<f32> = (0..inputs * outputs).map(|_| largest * random.sample()).collect();
        weights.extend(vec![0.0; outputs]);
        weights
    };
    let mut weights = layer(9, channels[0]);
    for sides in channels.windows(2) {
        weights.extend(layer(9, sides[0]));
        weights.extend(layer(sides[0], sides[1]));
    }
    weights.extend(layer(channels[13], outputs));
    let network = Network::Mobilenet(MobileNet::new(channels, outputs, &Device::flex()));
    match replace(network, &weights) {
        Network::Mobilenet(network) => network,
        other => panic!("{other:?}"),
    }
}

fn apart(a: Tensor<2>, b: Tensor<2>) -> f32 {
    (a - b).abs().max().into_scalar::<f32>()
}

#[test]
fn weights_are_taken_over_whichever_axis_comes_first() {
    if !has_runtime() {
        return;
    }
    let network = network(&WIDE, LABELS, 5);
    let (file, mut manifest, _) = teacher(&network);
    let x = Tensor::<4>::random([2, 1, 64, 32], Distribution::Normal(0.0, 1.0), &Device::flex());
    let same = import(&file, &manifest).unwrap();
    assert!(apart(same.embedding(x.clone()), network.embedding(x.clone())) < 1e-5);
    manifest.input.layout = vec![Axis::Batch, Axis::Channel, Axis::Row, Axis::Bin];
    let turned = import(&file, &manifest).unwrap();
    let expected = network.embedding(x.clone().swap_dims(2, 3));
    assert!(apart(turned.embedding(x.clone()), expected.clone()) < 1e-5);
    assert!(apart(same.embedding(x), expected) > 1e-3, "the axes make no difference");
}

#[test]
fn weights_stored_as_integers_are_taken_over_as_the_floats_that_they_stand_for() {
    if !has_runtime() {
        return;
    }
    let network = network(&mobilenet::CHANNELS, LABELS, 5);
    let (file, manifest, _) = teacher(&network);
    let clips: Vec<Clip> = (0..2).map(|n| clip(n, 1.5)).collect();
    let how = How { int8: Some(Int8::Weights), ..How::default() };
    let (stored, _) = compress(&file, &manifest, &how, &clips.iter().collect::<Vec<_>>()).unwrap();
    let x = Tensor::<4>::random([2, 1, 64, 32], Distribution::Normal(0.0, 1.0), &Device::flex());
    let expected = network.embedding(x.clone());
    let largest = expected.clone().abs().max().into_scalar::<f32>();
    let found = apart(import(&stored, &manifest).unwrap().embedding(x.clone()), expected);
    assert!(found > 0.0 && found < 0.1 * largest, "{found} of {largest}");

    // And a run goes on from it.
    let slow = Recipe { learning_rate: 1e-6, ..recipe(1, 1) };
    let started = begin(&stored, &slow).unwrap();
    let plan =
        Plan { classes: vec!["a".into(), "b".into()], recipe: slow.clone(), ..started.progress.plan.clone() };
    let clips: Vec<&Clip> = clips.iter().collect();
    let start = Start::From { checkpoint: Box::new(started), prune: 0.0 };
    let gone_on = fit(&plan, &material(&clips), start, &Options::default(), |_| ()).unwrap();
    let Network::Mobilenet(gone_on) = gone_on else { panic!("{gone_on:?}") };
    let known = import(&stored, &manifest).unwrap().embedding(x.clone());
    let moved = apart(gone_on.embedding(x), known);
    assert!(moved > 0.0 && moved < 0.01 * largest, "{moved} of {largest}");
    let (narrow, _, _) = teacher(&self::network(&NARROW, LABELS, 5));
    let error = begin(&narrow, &recipe(1, 1)).err().unwrap().to_string();
    assert!(error.contains("its channels are [5, 6, 6"), "{error}");
}

#[test]
fn another_network_is_no_mobilenet() {
    let plan = plan(Architecture::Resnet, recipe(1, 1));
    let file = export::onnx(&train(&[clip(0, 1.0), clip(1, 1.0)], &plan), &plan, &about()).unwrap();
    let manifest = export::manifest(&plan, &about()).unwrap();
    let error = import(&file, &manifest).unwrap_err().to_string();
    assert!(error.contains("convolutions; a MobileNet has 27"), "{error}");
}

#[test]
fn a_student_learns_what_its_teacher_says_and_knows_much_of_it_if_it_begins_as_a_part_of_it() {
    if !has_runtime() {
        return;
    }
    let network = network(&WIDE, LABELS, 5);
    let (file, manifest, embedding) = teacher(&network);
    let teacher = Teacher::new(file.clone(), manifest.clone(), embedding).unwrap();
    let clips: Vec<Clip> = (0..6).map(|n| clip(n, 1.5)).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let front_end = teacher.front_end(0.25).unwrap();
    let augment = Augment { mix: 0.5, gain_db: 20.0, noise: 0.5, ..Augment::none() };
    let lessons = |seed: u64| {
        Lessons::new(&teacher, &front_end, &material(&clips), &augment, seed, 160, &|| ()).unwrap()
    };
    let taught = lessons(1);
    assert_eq!(taught.sizes(), [WIDE[13], LABELS]);
    assert!(taught.inputs == lessons(1).inputs && taught.inputs != lessons(2).inputs);

    let large = import(&file, &manifest).unwrap();
    let begun = shrink(&large, &NARROW, &taught, &|| ());
    // All lessons in every step, or chance decides which step has the easy ones.
    let recipe = Recipe { batch: 160, learning_rate: 1e-3, loss: Kind::Binary, ..recipe(30, 1) };
    // Loss of the first step, and mean of the last ten.
    let learn = |network: MobileNet| {
        let mut losses = Vec::new();
        let report = |point: &auricle_train::plan::Point| losses.push(point.loss);
        let student = study(Network::Mobilenet(network), &taught, &recipe, &Device::flex(), report).unwrap();
        let end = losses[losses.len() - 10..].iter().sum::<f32>() / 10.0;
        (student, losses[0], end)
    };
    let (_, from_nothing, end) = learn(self::network(&NARROW, WIDE[13] + LABELS, 6));
    assert!(end < from_nothing, "{from_nothing} at the beginning, {end} at the end");
    let (student, from_a_part, _) = learn(begun);
    assert!(from_a_part < 0.7 * from_nothing, "{from_a_part} and from nothing {from_nothing}");
    let plan = Plan { classes: labels(), front_end, ..plan(Architecture::Mobilenet, recipe) };
    let file = export::onnx(&student, &plan, &about()).unwrap();
    assert_eq!(export::verify(&file, &student, &plan, &clips, &|| ()).unwrap().clips, 6);
}
