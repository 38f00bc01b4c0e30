//! The loop: reproduced by its seed, resumed as if it had not been stopped, stopped early, gone on from; and the
//! formulas in it.

use std::fs;

use crate::common::*;
use auricle_train::checkpoint::Checkpoint;
use auricle_train::dataset::Clip;
use auricle_train::export;
use auricle_train::fit::{Options, Start, fit, optimiser};
use auricle_train::judge::judge;
use auricle_train::loss::{ClassWeights, Kind, Loss};
use auricle_train::network::{Architecture, Network};
use auricle_train::plan::{Plan, Point};
use auricle_train::sources::Sources;
use auricle_train::weights;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

fn clips(count: usize) -> Vec<Clip> {
    (0..count).map(|i| clip(i, 1.5)).collect()
}

#[test]
fn a_seed_reproduces_the_file_bit_for_bit() {
    let clips = &clips(4);
    let file = |seed| {
        let plan = &plan(Architecture::Resnet, recipe(2, seed));
        on_one_thread(|| export::onnx(&train(clips, plan), plan, &about()).unwrap())
    };
    let first = file(1);
    assert!(first == file(1), "two runs with one seed differ");
    assert!(first != file(2), "the seed makes no difference");
    // A run beside others: they must not draw from its numbers.
    let beside = std::thread::scope(|scope| {
        let runs: Vec<_> = [2, 1, 3].map(|seed| scope.spawn(move || file(seed))).into();
        runs.into_iter().map(|run| run.join().unwrap()).nth(1)
    });
    assert!(beside == Some(first), "runs at the same time disturb each other");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let clips = &clips(4);
    for architecture in [Architecture::Cnn, Architecture::Resnet, Architecture::Crnn] {
        let plan = &plan(architecture, recipe(2, 1));
        let weights = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| weights::flatten(&train(clips, plan)))
        };
        assert!(weights(1) == weights(3), "{architecture:?}");
    }
}

#[test]
fn a_resumed_run_ends_as_one_that_was_not_stopped() {
    let folder = Scratch::new("resume");
    let path = folder.0.join("run.checkpoint");
    let (clips, held) = (clips(6), [clip(8, 1.2), clip(9, 1.2)]);
    let (clips, held): (Vec<&Clip>, Vec<&Clip>) = (clips.iter().collect(), held.iter().collect());
    let plan = &plan(
        Architecture::Resnet,
        auricle_train::plan::Recipe { average: 0.9, patience: 50, label_smoothing: 0.1, ..recipe(6, 1) },
    );
    let run = |start: Start, stop_after: Option<usize>| {
        let mut points: Vec<Point> = Vec::new();
        let options = Options {
            held_out: &held,
            checkpoint: Some((path.clone(), 100)),
            stop_after,
            ..Options::default()
        };
        let network = fit(plan, &material(&clips), start, &options, |p| points.push(*p)).unwrap();
        (weights::flatten(&network), points)
    };
    on_one_thread(|| {
        let (whole, curve) = run(Start::New, None);
        // Two interruptions: in the middle, and before an evaluation.
        run(Start::New, Some(3));
        run(Start::Resume(Box::new(Checkpoint::load(&path).unwrap())), Some(5));
        let (resumed, rest) = run(Start::Resume(Box::new(Checkpoint::load(&path).unwrap())), None);
        assert!(whole == resumed, "the weights differ");
        assert_eq!(curve[5..], rest, "the curves differ");
        assert_eq!(Checkpoint::load(&path).unwrap().progress.history, curve);
    });
    // Of another run it is refused, with what differs; more steps are no other run.
    let resume = |other: &Plan, held: &[&Clip]| {
        let start = Start::Resume(Box::new(Checkpoint::load(&path).unwrap()));
        let mut last = 0;
        let options = Options { held_out: held, ..Options::default() };
        let done = fit(other, &material(&clips), start, &options, |point| last = point.step);
        done.map(|_| last).map_err(|error| error.to_string())
    };
    let with = |change: &dyn Fn(&mut Plan)| {
        let mut other = plan.clone();
        change(&mut other);
        other
    };
    let error = resume(&with(&|other| other.recipe.augment.mix = 0.25), &held).unwrap_err();
    assert!(error.contains("another run") && error.contains("recipe.augment.mix: 0.3"), "{error}");
    assert!(error.contains("and now 0.25") && !error.contains("seed"), "{error}");
    let error = resume(plan, &held[..1]).unwrap_err();
    assert!(error.contains("which of them are held out"), "{error}");
    assert_eq!(resume(&with(&|other| other.recipe.steps = 8), &held), Ok(8));
    let error = resume(&with(&|other| other.recipe.steps = 5), &held).unwrap_err();
    assert!(error.contains("has made 6 steps; --steps is 5"), "{error}");

    // What it heard cannot be held out of a run that goes on from it; what was held out can.
    let sources = Checkpoint::load(&path).unwrap().progress.sources;
    assert!(sources.check(&held).is_ok());
    let error = sources.check(&[clips[2], held[0]]).unwrap_err().to_string();
    assert!(error.contains("1 of the 2 clips") && error.contains("2.wav"), "{error}");
    let onnx =
        export::onnx(&Network::new(plan.architecture, [64, 63], 2, &Device::flex()).unwrap(), plan, &about());
    let onnx = sources.stamp(onnx.unwrap()).unwrap();
    assert_eq!(Sources::doubt(&onnx, &held).unwrap(), None);
    let doubt = Sources::doubt(&onnx, &clips).unwrap().unwrap();
    assert!(doubt.contains("6 of the 6 clips") && doubt.contains("0.wav, 1.wav, 2.wav"), "{doubt}");
}

#[test]
fn damaged_checkpoints_are_refused() {
    let folder = Scratch::new("damaged");
    let path = folder.0.join("run.checkpoint");
    let clips = clips(2);
    let clips: Vec<&Clip> = clips.iter().collect();
    let plan = plan(Architecture::Resnet, recipe(1, 1));
    let options = Options { checkpoint: Some((path.clone(), 1)), ..Options::default() };
    fit(&plan, &material(&clips), Start::New, &options, |_| ()).unwrap();
    let bytes = fs::read(&path).unwrap();
    let mut longer = bytes.clone();
    longer.push(0);
    let mut boast = bytes.clone();
    boast[17..25].copy_from_slice(&u64::MAX.to_le_bytes());
    for damaged in [&b"RIFF"[..], &bytes[..20], &bytes[..300], &bytes[..bytes.len() - 1], &longer, &boast] {
        fs::write(&path, damaged).unwrap();
        let error = Checkpoint::load(&path).err().expect("it is damaged");
        assert!(format!("{error:#}").contains("run.checkpoint: no checkpoint"), "{error:#}");
    }
}

#[test]
fn early_stopping_takes_the_best_weights_and_ends() {
    // Held-out clips with the wrong labels: the more is learned, the worse they get.
    let clips = clips(4);
    let wrong: Vec<Clip> = (0..2).map(|i| Clip { class: 1 - i, ..clip(i, 1.2) }).collect();
    let (clips, wrong): (Vec<&Clip>, Vec<&Clip>) = (clips.iter().collect(), wrong.iter().collect());
    let recipe = auricle_train::plan::Recipe { patience: 2, evaluate_every: 3, batch: 4, ..recipe(60, 1) };
    let plan = plan(Architecture::Resnet, recipe);
    let mut points: Vec<Point> = Vec::new();
    let options = Options { held_out: &wrong, ..Options::default() };
    let network = fit(&plan, &material(&clips), Start::New, &options, |p| points.push(*p)).unwrap();
    let looks: Vec<(usize, f64)> =
        points.iter().filter_map(|p| p.held_out.map(|found| (p.step, found.loss))).collect();
    let best = *looks.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let last = points.last().unwrap().step;
    assert!(last < 60, "it never stopped: {looks:?}");
    assert_eq!(last, best.0 + 6, "{looks:?}");
    let found = judge(&network, &plan, &wrong, 1).unwrap();
    assert_eq!(found, judge(&network, &plan, &wrong, 3).unwrap(), "threads make a difference");
    assert!((found.loss - best.1).abs() < 1e-5, "{found:?}, but the best was {best:?}");
}

#[test]
fn fine_tuning_learns_new_classes_from_five_clips_each() {
    let folder = Scratch::new("finetune");
    let path = folder.0.join("run.checkpoint");
    let list = clips(6);
    let list: Vec<&Clip> = list.iter().collect();
    let before = plan(Architecture::Resnet, auricle_train::plan::Recipe { average: 0.9, ..recipe(20, 1) });
    let options = Options { checkpoint: Some((path.clone(), 100)), ..Options::default() };
    let trained = fit(&before, &material(&list), Start::New, &options, |_| ()).unwrap();

    // Low tones, high tones, noise: 5 clips each.
    let new = |count: usize, offset: usize| -> Vec<Clip> {
        let sound = |i: usize| match i % 3 {
            0 => tone(250.0 + 7.0 * (i + offset) as f32, 1.2),
            1 => tone(2500.0 + 70.0 * (i + offset) as f32, 1.2),
            _ => noise(i + offset, 1.2),
        };
        (0..count).map(|i| Clip { class: i % 3, samples: sound(i), ..Clip::default() }).collect()
    };
    let few = new(15, 0);
    let few: Vec<&Clip> = few.iter().collect();
    let plan = Plan {
        classes: vec!["low".into(), "high".into(), "noise".into()],
        recipe: auricle_train::plan::Recipe { learning_rate: 1e-3, ..recipe(25, 1) },
        ..before.clone()
    };
    let start = || Start::From { checkpoint: Box::new(Checkpoint::load(&path).unwrap()), prune: 0.0 };
    let material = auricle_train::crops::Material { classes: 3, ..material(&few) };
    let network = fit(&plan, &material, start(), &Options::default(), |_| ()).unwrap();
    let test = new(9, 3);
    let test: Vec<&Clip> = test.iter().collect();
    let found = judge(&network, &plan, &test, 2).unwrap();
    assert!(found.accuracy == 1.0, "{found:?}");

    // It begins with the average that the run before came to: with no learning at all, only the head is new.
    let frozen = Plan {
        recipe: auricle_train::plan::Recipe { learning_rate: 0.0, steps: 1, ..recipe(1, 1) },
        ..plan.clone()
    };
    let frozen = fit(&frozen, &material, start(), &Options::default(), |_| ()).unwrap();
    let (old, new) = (weights::flatten(&trained), weights::flatten(&frozen));
    let same = old.iter().zip(&new).filter(|(a, b)| a == b).count();
    assert!(same > old.len() * 95 / 100, "{same} of {} numbers are those of the run before", old.len());
}

#[test]
fn gradients_are_clipped_by_the_norm_of_all_of_them() {
    let device = Device::flex().autodiff();
    let network = Network::new(Architecture::Resnet, [64, 32], CLASSES, &device).unwrap();
    let gradients = || {
        let input = Tensor::<4>::ones([2, 1, 64, 32], &device) * 3.0;
        GradientsParams::from_grads((network.forward(input) * 100.0).sum().backward(), &network)
    };
    let mut clipped = gradients();
    let norm = weights::clip_global_norm(&network, &mut clipped, 0.5);
    assert!(norm > 1.0, "the gradients are too small to be clipped: {norm}");
    let after = weights::clip_global_norm(&network, &mut clipped, f64::INFINITY);
    assert!((after - 0.5).abs() < 1e-3, "{after}");
    // Below the bound nothing changes.
    let mut kept = gradients();
    weights::clip_global_norm(&network, &mut kept, norm * 2.0);
    assert_eq!(weights::clip_global_norm(&network, &mut kept, f64::INFINITY), norm);
}

/// One step of `torch.optim.AdamW` (2.x) with its defaults, written out: p ← p (1 − lr · wd) − lr · m̂ / (√v̂ + ε) with
/// β 0.9 and 0.999, ε 1e-8, wd 0.01; after one step m̂ = g and v̂ = g².
#[test]
fn the_optimiser_steps_as_pytorchs_does() {
    #[derive(Module, Debug)]
    struct One {
        p: burn::module::Param<Tensor<1>>,
    }
    let device = Device::flex().autodiff();
    let (start, gradient, rate) = ([1.0f32, -2.0, 0.5], [3.0f32, 1e-7, -0.2], 0.1f32);
    let one = One { p: burn::module::Param::from_data(start, &device) };
    let g = Tensor::<1>::from_data(gradient, &device);
    let gradients = GradientsParams::from_grads((one.p.val() * g).sum().backward(), &one);
    let one = optimiser(&recipe(1, 1)).step(f64::from(rate), one, gradients);
    let found: Vec<f32> = one.p.val().into_data().try_to_vec().unwrap();
    for k in 0..3 {
        let expected = start[k] * (1.0 - rate * 0.01) - rate * gradient[k] / (gradient[k].abs() + 1e-8);
        assert!((found[k] - expected).abs() < 1e-5, "{found:?}, expected {expected} at {k}");
    }
}

fn loss(kind: Kind, weights: Option<Vec<f32>>, smoothing: f32, logits: [f32; 4], target: [f32; 4]) -> f32 {
    let device = Device::flex();
    let tensor = |v: [f32; 4]| Tensor::<2>::from_data(TensorData::new(v.to_vec(), [2, 2]), &device);
    Loss::new(kind, weights, smoothing, 2, &device)
        .forward(tensor(logits), tensor(target))
        .into_scalar::<f32>()
}

#[test]
fn losses_are_those_of_the_formulas() {
    let logits = [2.0, -1.0, 0.5, 0.25];
    let target = [1.0, 0.0, 0.0, 1.0];
    let p = |a: f64, b: f64| a.exp() / (a.exp() + b.exp());
    let (first, second) = (-p(2.0, -1.0).ln(), -p(0.25, 0.5).ln());
    let close = |found: f32, expected: f64| {
        assert!((f64::from(found) - expected).abs() < 1e-5, "{found}, expected {expected}")
    };
    close(loss(Kind::CrossEntropy, None, 0.0, logits, target), (first + second) / 2.0);
    let weighted = (3.0 * first + second) / 4.0;
    close(loss(Kind::CrossEntropy, Some(vec![3.0, 1.0]), 0.0, logits, target), weighted);
    let (other, another) = (-p(-1.0, 2.0).ln(), -p(0.5, 0.25).ln());
    let smooth = (0.95 * first + 0.05 * other + 0.95 * second + 0.05 * another) / 2.0;
    close(loss(Kind::CrossEntropy, None, 0.1, logits, target), smooth);

    let s = |x: f64| 1.0 / (1.0 + (-x).exp());
    let none = [-s(2.0).ln(), -(1.0 - s(-1.0)).ln(), -(1.0 - s(0.5)).ln(), -s(0.25).ln()];
    close(loss(Kind::Binary, None, 0.0, logits, target), none.iter().sum::<f64>() / 4.0);
    let weighted = 2.0 * none[0] + none[1] + none[2] + 5.0 * none[3];
    close(loss(Kind::Binary, Some(vec![2.0, 5.0]), 0.0, logits, target), weighted / 4.0);
    // Far from 0 the logarithm must not become infinite.
    assert!(loss(Kind::Binary, None, 0.0, [-200.0, 200.0, 200.0, -200.0], target).is_finite());
}

#[test]
fn balanced_weights_come_from_the_counts() {
    let clips = [clip(0, 0.1), clip(2, 0.1), clip(4, 0.1), clip(1, 0.1)];
    let clips: Vec<&Clip> = clips.iter().collect();
    let balanced = |kind| ClassWeights::Balanced.resolve(&clips, 2, kind).unwrap().unwrap();
    assert_eq!(balanced(Kind::CrossEntropy), [4.0 / 6.0, 2.0]);
    assert_eq!(balanced(Kind::Binary), [1.0 / 3.0, 3.0]);
    let error = ClassWeights::Balanced.resolve(&clips, 3, Kind::CrossEntropy).unwrap_err().to_string();
    assert!(error.contains("class 2 has 0 of 4"), "{error}");
    let given: ClassWeights = "1, 2.5".parse().unwrap();
    assert_eq!(given.resolve(&clips, 2, Kind::Binary).unwrap(), Some(vec![1.0, 2.5]));
    assert!(given.resolve(&clips, 3, Kind::Binary).is_err());
    assert!("1,-2".parse::<ClassWeights>().is_err());
}
