//! Golden cases: a model proves on loading that it gives here what it gave where it was made. Needs ONNX Runtime.

use auricle::manifest::golden::{Golden, Signal};
use auricle::{Clip, Error, Manifest, Model, ModelOptions, Status};

const TINY: &[u8] = include_bytes!("data/tiny.onnx");

/// A chirp at a rate that has to be converted, and noise shorter than a window, with the scores of tiny.onnx.
fn manifest() -> Manifest {
    let model = Model::load_memory(TINY, None, &ModelOptions::default()).expect("loads");
    let mut manifest = model.manifest().clone();
    let chirp = (Signal::Chirp { from_hz: 50.0, to_hz: 7000.0 }, 2.5, Some(44_100));
    let noise = (Signal::Noise { seed: 7 }, 0.4, None);
    for (signal, seconds, sample_rate) in [chirp, noise] {
        let (level, by) = (if sample_rate.is_some() { 1.0 } else { 0.25 }, String::new());
        let mut case =
            Golden { signal, seconds, sample_rate, level, by, scores: vec![0.0; 3], tolerance: 1e-5 };
        let (samples, sample_rate) = case.clip(model.sample_rate());
        let clip = Clip { interleaved: &samples, channels: 1, sample_rate };
        model.classify(clip, &mut case.scores).expect("classifies");
        manifest.golden.push(case);
    }
    manifest
}

fn load(manifest: &Manifest) -> Result<Model, Error> {
    let mut options = ModelOptions::default();
    options.self_check = true;
    Model::load_memory(TINY, Some(&manifest.to_json()), &options)
}

#[test]
fn a_model_that_reproduces_its_golden_cases_is_loaded() {
    let model = load(&manifest()).expect("the same machine gives the same scores");
    assert_eq!(model.self_check(), Ok(0.0));
    assert!(model.describe().expect("fits").contains("\"self_check\": true"));
}

#[test]
fn a_model_that_does_not_is_refused_with_the_numbers() {
    let mut wrong = manifest();
    wrong.golden[1].scores[2] += 0.25;
    let error = load(&wrong).expect_err("refused");
    assert_eq!(error.status(), Status::Mismatch);
    for part in ["golden[1]", "\"high\"", "0.00001 is allowed", &wrong.golden[1].scores[2].to_string()] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    for (by, said) in
        [("auricle", "Auricle gave, where the case was made, "), ("torch 2.11", "torch 2.11 gave ")]
    {
        wrong.golden[1].by = by.into();
        let error = load(&wrong).expect_err("refused");
        assert!(error.message().contains(said), "{error}");
    }
    let mut louder = manifest();
    louder.golden[1].level = 0.3;
    assert_eq!(load(&louder).expect_err("refused").status(), Status::Mismatch);
    // What it is made for: pre-processing that is nearly right, and a window that starts elsewhere.
    let mut other = manifest();
    other.input.features.power = Some(1.0);
    assert_eq!(load(&other).expect_err("refused").status(), Status::Mismatch);
    let mut other = manifest();
    other.input.resampler = Some(auricle::stages::resample::Method::Torchaudio);
    assert_eq!(load(&other).expect_err("refused").status(), Status::Mismatch);
    // Nobody asked: the model loads, as it did before there were golden cases.
    Model::load_memory(TINY, Some(&wrong.to_json()), &ModelOptions::default()).expect("loads");
}

#[test]
fn a_check_of_nothing_does_not_pass() {
    let mut none = manifest();
    none.golden.clear();
    let error = load(&none).expect_err("refused");
    assert!(error.status() == Status::Manifest && error.message().contains("no golden cases"), "{error}");
}

#[test]
fn temperature_is_what_the_outputs_are_divided_by() {
    let mut manifest = manifest();
    manifest.golden.clear();
    let scores = |manifest: &Manifest| {
        let model =
            Model::load_memory(TINY, Some(&manifest.to_json()), &ModelOptions::default()).expect("loads");
        let samples = Signal::Noise { seed: 3 }.samples(16_000, 16_000);
        let mut scores = vec![0.0; 3];
        model
            .classify(Clip { interleaved: &samples, channels: 1, sample_rate: 16_000 }, &mut scores)
            .expect("fits");
        scores
    };
    let cold = scores(&manifest);
    manifest.outputs[0].temperature = 3.0;
    let warm = scores(&manifest);
    // Softmax: the ratio of two scores is exp of the outputs' difference, so it goes to the power of 1/3.
    for (a, b) in [(0, 1), (1, 2)] {
        let expected = (cold[a] / cold[b]).powf(1.0 / 3.0);
        assert!((warm[a] / warm[b] / expected - 1.0).abs() < 1e-5, "{cold:?} {warm:?}");
    }
}
