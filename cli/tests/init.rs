//! `auricle init`: what files say is written down, what they do not say is refused, and nothing is guessed.

#[path = "../../tests/support/onnx.rs"]
mod onnx;
mod support;

use std::fs;
use std::path::Path;

use auricle::Manifest;
use serde_json::{Value, json};
use support::{folder, run};

/// An ONNX file with these inputs and outputs; 0 is an axis of any size.
fn network(path: &Path, inputs: &[(&str, u64, &[u64])], outputs: &[(&str, u64, &[u64])]) {
    let value = |field: u32, (name, code, sizes): &(&str, u64, &[u64])| {
        let size = |&size: &u64| match size {
            0 => onnx::message(1, &[onnx::bytes(2, "any")]),
            _ => onnx::message(1, &[onnx::number(1, size)]),
        };
        let sizes: Vec<Vec<u8>> = sizes.iter().map(size).collect();
        let tensor = onnx::message(1, &[onnx::number(1, *code), onnx::message(2, &sizes)]);
        onnx::message(field, &[onnx::bytes(1, name), onnx::message(2, &[tensor])])
    };
    let mut graph: Vec<Vec<u8>> = inputs.iter().map(|input| value(11, input)).collect();
    graph.extend(outputs.iter().map(|output| value(12, output)));
    fs::write(path, onnx::message(7, &graph)).expect("written");
}

const F32: u64 = 1;

fn init(from: &Path) -> support::Run {
    run(["init".as_ref(), from.as_os_str()])
}

/// A folder of Transformers, and the manifest that comes of it.
fn of_folder(
    name: &str,
    config: &Value,
    extractor: &Value,
    input: (&str, u64, &[u64]),
) -> (support::Run, Value) {
    let folder = folder(&format!("init_{name}"));
    fs::create_dir(folder.join("onnx")).expect("made");
    let inputs = match name {
        "wav2vec2" | "seamless" | "masked" => vec![input, ("attention_mask", onnx::I64, &[0, 0][..])],
        _ => vec![input],
    };
    network(&folder.join("onnx/model.onnx"), &inputs, &[("logits", F32, &[0, 2])]);
    fs::write(folder.join("config.json"), config.to_string()).expect("written");
    fs::write(folder.join("preprocessor_config.json"), extractor.to_string()).expect("written");
    let made = init(&folder);
    let manifest = serde_json::from_str(&made.stdout).unwrap_or_default();
    (made, manifest)
}

fn classes() -> Value {
    json!({ "id2label": { "1": "rain", "0": "dog" }, "problem_type": "multi_label_classification",
            "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2] })
}

#[test]
fn a_bare_file_gives_unknowns_that_the_library_refuses() {
    let folder = folder("init_bare");
    let file = folder.join("vad.onnx");
    let inputs: [(&str, u64, &[u64]); 3] =
        [("input", F32, &[0, 576]), ("state", F32, &[2, 0, 128]), ("sr", onnx::I64, &[])];
    network(&file, &inputs, &[("output", F32, &[0, 1]), ("stateN", F32, &[2, 0, 128])]);
    let made = init(&file);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let manifest: Value = serde_json::from_str(&made.stdout).expect("JSON");
    assert_eq!(
        (&manifest["input"]["tensor"], &manifest["outputs"][0]["tensor"]),
        (&json!("input"), &json!("output"))
    );
    assert_eq!(manifest["outputs"].as_array().map(Vec::len), Some(1), "a state is no result");
    let refused = Manifest::parse(&made.stdout).expect_err("nothing is known").message().to_owned();
    for unknown in [
        "input.sample_rate: ",
        "input.window_seconds: ",
        "input.features: ",
        "input.normalize: ",
        "input.padding: ",
        "input.layout: ",
        "input.others.state: f32 [2, any, 128]: { \"state\": \"stateN\" }",
        "input.others.sr: i64 []: ",
        "outputs.0.kind: ",
        "outputs.0.labels: 1 names",
        "outputs.0.activation: ",
        "input.lead_samples: ",
        "stream.hop_seconds: ",
    ] {
        assert!(refused.contains(unknown), "{unknown}: {refused}");
        assert!(made.stderr.contains(unknown), "{unknown}: {}", made.stderr);
    }
    // Nothing is overwritten.
    let out = folder.join("vad.auricle.json");
    let written = |code| {
        let done = run(["init".as_ref(), file.as_os_str(), "-o".as_ref(), out.as_os_str()]);
        assert_eq!(done.code, Some(code), "{}", done.stderr);
        fs::read_to_string(&out).expect("written")
    };
    let first = written(0);
    assert_eq!((first.trim_end(), written(1)), (made.stdout.trim_end(), first.clone()));
}

#[test]
fn a_folder_of_transformers_gives_a_whole_manifest() {
    let extractor = json!({ "feature_extractor_type": "ASTFeatureExtractor", "num_mel_bins": 64, "max_length": 512,
                            "mean": -4.25, "std": 4.5, "sampling_rate": 16000 });
    let (made, manifest) = of_folder("ast", &classes(), &extractor, ("input_values", F32, &[0, 512, 64]));
    assert_eq!(
        manifest,
        json!({
            "auricle": 1, "name": "model",
            "input": {
                "tensor": "input_values", "sample_rate": 16000, "window_rows": 512,
                "features": { "preset": "ast", "mel": { "bins": 64 } },
                "normalize": { "kind": "mean_std", "mean": -4.25, "std": 9.0 },
                "padding": { "of": "rows", "with": 0 },
                "layout": ["batch", "row", "bin"],
            },
            "outputs": [{ "tensor": "logits", "kind": "scores", "labels": ["dog", "rain"], "activation": "sigmoid" }],
        }),
        "{}",
        made.stderr
    );
    Manifest::parse(&made.clean().stdout).expect("is whole");

    let extractor = json!({ "feature_extractor_type": "Wav2Vec2FeatureExtractor", "do_normalize": true });
    let (made, manifest) = of_folder("wav2vec2", &classes(), &extractor, ("input_values", F32, &[0, 0]));
    Manifest::parse(&made.stdout).expect("is whole");
    assert!(made.stderr.contains("window_seconds 30"), "{}", made.stderr);
    let input = &manifest["input"];
    assert_eq!((&input["min_rows"], &input["padding"]), (&json!(400), &json!("none")));
    assert_eq!(input["others"], json!({ "attention_mask": { "ones": true, "shape": ["batch", "sample"] } }));

    for (name, extractor, input) in [
        ("whisper", json!({ "feature_extractor_type": "WhisperFeatureExtractor" }), &[0, 80, 3000][..]),
        (
            "clap",
            json!({ "feature_extractor_type": "ClapFeatureExtractor", "truncation": "rand_trunc" }),
            &[0, 1, 1001, 64],
        ),
        ("seamless", json!({ "feature_extractor_type": "SeamlessM4TFeatureExtractor" }), &[0, 0, 160]),
    ] {
        let (made, _) = of_folder(name, &classes(), &extractor, ("input_features", F32, input));
        Manifest::parse(&made.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {}", made.stderr));
    }
}

/// What a network ends in is in the file, and goes before what config.json says or leaves open.
#[test]
fn an_activation_inside_is_seen() {
    let folder = folder("init_ends");
    let made = |ops: &[&str], config: &Value| {
        let name = |k: usize| if k == ops.len() { "logits".to_owned() } else { format!("t{k}") };
        let nodes = ops.iter().enumerate().map(|(k, op)| onnx::node(op, &[&name(k)], &[&name(k + 1)], &[]));
        let mut graph: Vec<Vec<u8>> = nodes.collect();
        graph.push(onnx::value_info(11, "input_values", &[1, 1024, 128]));
        graph.push(onnx::value_info(12, "logits", &[1, 2]));
        fs::write(folder.join("model.onnx"), onnx::message(7, &graph)).expect("written");
        fs::write(folder.join("config.json"), config.to_string()).expect("written");
        let extractor = json!({ "feature_extractor_type": "ASTFeatureExtractor" });
        fs::write(folder.join("preprocessor_config.json"), extractor.to_string()).expect("written");
        let made = init(&folder);
        let manifest: Value = serde_json::from_str(&made.stdout).unwrap_or_default();
        (manifest["outputs"][0]["activation"].clone(), made)
    };
    let mut open = classes();
    open["problem_type"] = Value::Null;
    assert_eq!(made(&["Gemm"], &open).0, "softmax");
    for config in [&open, &classes()] {
        let (activation, made) = made(&["Gemm", "Sigmoid", "Identity"], config);
        assert!(activation == "none" && made.stderr.contains("ends in a Sigmoid"), "{}", made.stderr);
    }
    // Softmax of one class is always 1.
    let one = json!({ "id2label": { "0": "speech" } });
    let (activation, made) = made(&["Gemm"], &one);
    assert!(activation.as_str().is_some_and(|text| text.starts_with("unknown: ")), "{}", made.stderr);
    // Of a bare file it is told.
    fs::remove_file(folder.join("config.json")).expect("removed");
    let told = init(&folder.join("model.onnx")).stdout;
    assert!(told.contains("the network ends in a plain layer"), "{told}");
}

#[test]
fn what_the_files_do_not_say_or_no_manifest_can_is_refused_by_name() {
    let ast = || json!({ "feature_extractor_type": "ASTFeatureExtractor" });
    let with = |extractor: Value, name: &str, value: Value| {
        let mut extractor = extractor;
        extractor[name] = value;
        extractor
    };
    let gap = json!({ "id2label": { "0": "dog", "2": "rain" } });
    let clap = json!({ "feature_extractor_type": "ClapFeatureExtractor" });
    let whisper = || json!({ "feature_extractor_type": "WhisperFeatureExtractor" });
    let seamless = || json!({ "feature_extractor_type": "SeamlessM4TFeatureExtractor" });
    let wav2vec2 = || json!({ "feature_extractor_type": "Wav2Vec2FeatureExtractor" });
    let strange = json!({ "id2label": { "0": "a", "1": "b" }, "problem_type": "ranking" });
    for (config, extractor, reason) in [
        (classes(), clap, "fusion"),
        (classes(), with(whisper(), "dither", json!(0.1)), "dither is 0.1"),
        (classes(), with(whisper(), "n_fft", json!(401)), "n_fft is 401; init knows even ones only"),
        (classes(), with(whisper(), "padding_side", json!("left")), "padding_side is \"left\""),
        (classes(), with(ast(), "auto_map", json!({ "AutoFeatureExtractor": "own.Own" })), "auto_map"),
        (classes(), with(ast(), "sampling_rate", json!(8000)), "sampling_rate is 8000"),
        (classes(), seamless(), "attention_mask"),
        (classes(), with(seamless(), "stride", json!(3)), "stride is 3"),
        (classes(), with(wav2vec2(), "feature_size", json!(2)), "feature_size is 2"),
        (strange, ast(), "problem_type of config.json is \"ranking\""),
        (classes(), with(ast(), "sampling_rate", json!(16000.5)), "sampling_rate is 16000.5"),
        (classes(), with(ast(), "mean", json!("low")), "mean is \"low\""),
        (classes(), with(ast(), "max_length", json!(1e300)), "max_length is"),
        (classes(), with(wav2vec2(), "sampling_rate", json!(1)), "[batch, samples]"),
        (classes(), json!({ "feature_extractor_type": "MadeUpExtractor" }), "MadeUpExtractor"),
        (classes(), json!({ "sampling_rate": 16000 }), "feature_extractor_type"),
        (gap, ast(), "none of them is 1"),
        (json!({}), ast(), "no id2label"),
    ] {
        let (made, _) = of_folder("refused", &config, &extractor, ("input_values", F32, &[0, 1024, 128]));
        assert!(made.code == Some(1) && made.stderr.contains(reason), "{reason}: {}", made.stderr);
        assert_eq!(made.stdout, "", "{reason}");
    }
    let (made, _) = of_folder("masked", &classes(), &whisper(), ("input_features", F32, &[0, 80, 3000]));
    assert!(made.stderr.contains("a manifest has no mask but ones"), "{}", made.stderr);
    // How a clip is filled up to a window that is fixed, no file says.
    let (made, manifest) = of_folder("fixed", &classes(), &wav2vec2(), ("input_values", F32, &[0, 16_000]));
    let padding = manifest["input"]["padding"].as_str().unwrap_or_default().to_owned();
    assert!(padding.starts_with("unknown: ") && made.stderr.contains("input.padding"), "{}", made.stderr);
    // Two files that contradict each other.
    let both = folder("init_both");
    network(&both.join("a.onnx"), &[("input_values", F32, &[0, 1024, 128])], &[("logits", F32, &[0, 2])]);
    fs::write(both.join("config.json"), classes().to_string()).expect("written");
    fs::write(both.join("preprocessor_config.json"), ast().to_string()).expect("written");
    let processor = |extractor: Value| {
        fs::write(both.join("processor_config.json"), json!({ "feature_extractor": extractor }).to_string())
            .expect("written");
        init(&both)
    };
    assert_eq!(processor(ast()).code, Some(0));
    assert!(processor(with(ast(), "mean", json!(1))).stderr.contains("say different things"));
    let empty = folder("init_empty");
    assert!(init(&empty).stderr.contains("has no ONNX file"));
    network(&empty.join("a.onnx"), &[("x", F32, &[1])], &[("y", F32, &[1])]);
    assert!(init(&empty).stderr.contains("give the ONNX file itself"));
    network(&empty.join("b.onnx"), &[("x", F32, &[1])], &[("y", F32, &[1])]);
    assert!(init(&empty).stderr.contains("2 ONNX files"));
}
