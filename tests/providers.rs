//! Providers of ONNX Runtime: what is required runs the network or there is no model, what is preferred says what became
//! of it. Needs ONNX Runtime. Tests that need another build of it, or a plug-in, are run by the lane `providers`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use auricle::{Clip, Error, Model, ModelOptions, Progress, Provider, Stage, Status};
use serde_json::Value;

const MODEL: &[u8] = include_bytes!("../models/esc10.onnx");

fn load(providers: &[Provider]) -> Result<Model, Error> {
    let mut options = ModelOptions::default();
    options.providers = providers.to_vec();
    Model::load_memory(MODEL, None, &options)
}

fn record(model: &Model) -> Vec<Value> {
    let record: Value = serde_json::from_str(&model.describe().expect("fits")).expect("JSON");
    assert!(record["seconds_to_prepare"].as_f64().expect("a number") > 0.0, "{record}");
    record["providers"].as_array().expect("a list").clone()
}

fn scores(model: &Model) -> Vec<f32> {
    let samples: Vec<f32> = (0..48_000).map(|n| (n as f32 * n as f32 * 1e-5).sin() * 0.5).collect();
    let mut scores = vec![0.0; model.labels().len()];
    model
        .classify(Clip { interleaved: &samples, channels: 1, sample_rate: 16_000 }, &mut scores)
        .expect("scores");
    scores
}

fn refused(providers: &[Provider], parts: &[&str]) {
    let error = load(providers).expect_err("refused");
    assert_eq!(error.status(), Status::Provider, "{error}");
    for part in parts {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[test]
fn without_a_list_the_cpu_runs_every_node() {
    let model = load(&[]).expect("loads");
    let record = record(&model);
    assert_eq!(record.len(), 1, "{record:?}");
    assert_eq!(record[0]["provider"], "CPUExecutionProvider");
    assert!(record[0]["node_count"].as_u64() > Some(5), "{record:?}");
    let nodes = record[0]["nodes"].as_array().expect("a list");
    assert!(nodes.iter().any(|node| node.as_str().is_some_and(|node| node.starts_with("Conv"))), "{nodes:?}");
    assert!(record[0]["need"].is_null() && record[0]["used"] == true, "{record:?}");
    let named = load(&[Provider::required("cpu").with_options(r#"{ "arena": false }"#)]).expect("loads");
    assert_eq!(scores(&named), scores(&model));
    assert_eq!(self::record(&named)[0]["options"]["arena"], false);
}

#[test]
fn what_is_required_and_missing_fails_the_load_and_says_what_to_install() {
    refused(
        &[Provider::required("cuda")],
        &["\"cuda\"", "not enabled in this build", "onnxruntime-gpu", "cuDNN 9"],
    );
    refused(&[Provider::required("tensorrt")], &["not enabled in this build", "libnvinfer"]);
    refused(&[Provider::preferred("cpu"), Provider::required("xnnpack")], &["XNNPACK", "Android"]);
    for name in ["tensorrt_rtx", "coreml", "directml", "qnn", "openvino", "webgpu", "nnapi"] {
        refused(&[Provider::required(name)], &[&format!("provider \"{name}\" cannot be used: ")]);
    }
}

#[test]
fn what_is_preferred_and_missing_leaves_the_cpu_and_says_so() {
    let model = load(&[Provider::preferred("tensorrt"), Provider::preferred("cuda")]).expect("loads");
    let record = record(&model);
    let names: Vec<_> = record.iter().map(|one| one["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["tensorrt", "cuda", "cpu"]);
    for one in &record[..2] {
        assert_eq!((&one["used"], &one["need"]), (&false.into(), &"preferred".into()), "{one}");
        assert!(one["reason"].as_str().is_some_and(|reason| reason.contains("not enabled")), "{one}");
    }
    assert_eq!(scores(&model), scores(&load(&[]).expect("loads")));
}

#[test]
fn a_plug_in_is_a_file_that_the_caller_names() {
    refused(&[Provider::required("/no/such/plugin.so")], &["/no/such/plugin.so", "No such file"]);
    refused(&[Provider::required("/dev/null/plugin.so")], &["Not a directory"]);
    refused(&[Provider::required("/dev/zero")], &["a device, not a file"]);
    let library = PathBuf::from(std::env::var_os("ORT_DYLIB_PATH").expect("cargo sets it"));
    let library = library.canonicalize().expect("exists");
    // A library, but no provider.
    refused(&[Provider::required(library.to_str().expect("UTF-8"))], &["CreateEpFactories"]);
    let preferred = Provider::preferred(library.to_str().expect("UTF-8"));
    assert_eq!(record(&load(&[preferred]).expect("loads"))[0]["used"], false);
}

#[test]
fn a_load_tells_its_stages_and_stops_where_it_is_told_to() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let load = |stop: Option<Stage>| {
        told.lock().expect("no panic").clear();
        let mut options = ModelOptions::default();
        options.self_check = true;
        let told = told.clone();
        options.progress = Some(Progress::new(move |stage, done| {
            assert!((0.0..=1.0).contains(&done));
            told.lock().expect("no panic").push(stage);
            if Some(stage) == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }));
        Model::load_memory(MODEL, None, &options)
    };
    load(None).expect("loads");
    let mut stages = told.lock().expect("no panic").clone();
    stages.dedup();
    assert_eq!(stages, [Stage::Read, Stage::Prepare, Stage::Warm, Stage::SelfCheck]);
    for stage in stages {
        let error = load(Some(stage)).expect_err("stopped");
        assert_eq!(error.status(), Status::Cancelled, "{error}");
        assert!(error.message().contains(stage.name()), "{error}");
        assert_eq!(told.lock().expect("no panic").last(), Some(&stage));
    }
}

/// With the build of ONNX Runtime that has CUDA and TensorRT, on a machine that has neither.
#[test]
#[ignore = "the lane `providers` runs it with onnxruntime-gpu"]
fn gpu_build_without_a_gpu_names_the_library_that_is_missing() {
    refused(
        &[Provider::required("cuda")],
        &["\"cuda\" cannot be used: Failed to load library", "libcublasLt.so.13", "cuDNN 9"],
    );
    refused(&[Provider::required("tensorrt")], &["Failed to load library", "libcublas.so.13", "libnvinfer"]);
    let model = load(&[Provider::preferred("tensorrt"), Provider::preferred("cuda")]).expect("loads");
    let record = record(&model);
    for one in &record[..2] {
        assert!(one["reason"].as_str().is_some_and(|reason| reason.contains("libcublas")), "{one}");
    }
    assert_eq!((&record[2]["name"], &record[2]["used"]), (&"cpu".into(), &true.into()));
    assert_eq!(scores(&model), scores(&load(&[]).expect("loads")));
}

/// How many windows a model scores in a second, on this thread.
fn windows_a_second(model: &Model) -> f64 {
    scores(model);
    let started = std::time::Instant::now();
    let mut windows = 0;
    while started.elapsed().as_secs_f64() < 1.0 {
        scores(model);
        windows += 1;
    }
    f64::from(windows) / started.elapsed().as_secs_f64()
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// ONNX Runtime built with OpenVINO, whose CPU kernels are its own: a second provider that runs on any x86-64 machine.
#[test]
#[ignore = "the lane `providers` runs it with onnxruntime-openvino"]
fn second_provider_runs_the_whole_network_and_its_scores_are_those_of_the_cpu() {
    let cpu = load(&[]).expect("loads");
    let only = load(&[Provider::required("openvino")]).expect("loads");
    let record = record(&only);
    assert_eq!((&record[0]["name"], &record[0]["used"]), (&"openvino".into(), &true.into()), "{record:?}");
    assert!(record[0]["node_count"].as_u64() > Some(0), "{record:?}");
    assert!(record[1..].iter().all(|one| one["node_count"] == 0), "{record:?}");
    let full = apart(&scores(&only), &scores(&cpu));
    assert!(full <= 1e-5, "{full}");
    let one = load(&[Provider::required("openvino").with_options(r#"{ "threads": 1 }"#)]).expect("loads");
    let threads = apart(&scores(&one), &scores(&cpu));
    assert!(threads <= 1e-5, "{threads}");
    let half = load(&[Provider::required("openvino").with_options(r#"{ "precision": "fp16" }"#)]);
    assert!(half.expect_err("refused").message().contains("computes in fp32"));
    println!(
        "largest difference of a score: {full:.1e}; windows a second: CPU {:.0}, OpenVINO {:.0}",
        windows_a_second(&cpu),
        windows_a_second(&only)
    );
}

#[test]
#[ignore = "the lane `providers` runs it with onnxruntime-openvino"]
fn second_provider_reproduces_the_golden_cases_or_the_model_is_refused() {
    let check = |model: &[u8]| {
        let mut options = ModelOptions::default();
        options.self_check = true;
        options.providers = vec![Provider::required("openvino")];
        Model::load_memory(model, None, &options)
    };
    check(MODEL).expect("reproduces them");
    // The first score of a golden case that is 0.1 or more, moved by 0.1.
    let mut broken = MODEL.to_vec();
    let golden = broken.windows(8).position(|bytes| bytes == b"\"scores\"").expect("golden cases");
    let score = |bytes: &[u8]| &bytes[..2] == b"0." && bytes[2] > b'0';
    let digit = broken[golden..].windows(3).position(score).expect("a score of 0.1 or more") + golden + 2;
    broken[digit] = if broken[digit] == b'9' { b'8' } else { broken[digit] + 1 };
    let error = check(&broken).expect_err("refused");
    assert!(error.message().contains("golden"), "{error}");
}

#[test]
#[ignore = "the lane `providers` runs it with onnxruntime-openvino"]
fn second_provider_keeps_what_it_compiled_in_the_folder_that_it_is_given() {
    let folder = std::env::temp_dir().join(format!("auricle-openvino-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a new folder");
    let options = serde_json::json!({ "cache": folder.to_str() }).to_string();
    let new_files = || {
        let model = load(&[Provider::required("openvino").with_options(options.clone())]).expect("loads");
        record(&model)[0]["cache"]["new_files"].as_u64()
    };
    let (first, second) = (new_files(), new_files());
    std::fs::remove_dir_all(&folder).expect("removed");
    println!("{first:?} then {second:?}");
    assert!(first > Some(0) && second == Some(0), "{first:?} {second:?}");
}

/// A plug-in for Intel's devices: elsewhere it is loaded and has none, which is to be said.
#[test]
#[ignore = "the lane `providers` runs it with OpenVINO's plug-in"]
fn plug_in_for_intel_runs_the_network_or_says_that_it_has_no_device() {
    let plugin = std::env::var("AURICLE_TEST_PLUGIN").expect("the path of the plug-in");
    let intel = std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains("GenuineIntel"));
    let required = [Provider::required(&plugin), Provider::required("cpu")];
    if !intel {
        refused(&required, &["offers no device", "that hardware's driver"]);
        let model = load(&[Provider::preferred(&plugin)]).expect("loads");
        assert_eq!(record(&model)[0]["used"], false);
        return println!("no Intel processor: the plug-in offers no device, and says so");
    }
    let (cpu, openvino) = (load(&[]).expect("loads"), load(&required).expect("loads"));
    let record = record(&openvino);
    println!("{}", serde_json::to_string_pretty(&record).expect("JSON"));
    assert!(record[0]["node_count"].as_u64() > Some(0), "{record:?}");
    let apart = apart(&scores(&cpu), &scores(&openvino));
    println!(
        "largest difference of a score {apart:.1e}; windows a second: CPU {:.0}, OpenVINO {:.0}",
        windows_a_second(&cpu),
        windows_a_second(&openvino)
    );
    assert!(apart <= 2e-2, "{apart}");
}
