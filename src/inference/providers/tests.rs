use super::*;

fn settings(name: &str, json: &str) -> Result<Settings> {
    Ok(Asked::new(&Provider::required(name).with_options(json))?.settings)
}

fn message(name: &str, json: &str) -> String {
    let error = settings(name, json).expect_err("refused");
    assert_eq!(error.status(), Status::InvalidArgument, "{error}");
    error.message().to_owned()
}

#[test]
fn an_unknown_name_is_refused_with_those_that_are_known() {
    let said = message("cudda", "");
    for part in ["\"cudda\"", "cpu, cuda, tensorrt, tensorrt_rtx, coreml", "webgpu", "the path of a plug-in"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let twice = Providers::new(&[Provider::required("cuda"), Provider::preferred("cuda")]);
    assert!(twice.expect_err("refused").message().contains("\"cuda\" is named twice"));
}

#[test]
fn an_unknown_option_is_refused_with_those_that_are_known() {
    let said = message("cuda", r#"{ "fp17": true }"#);
    for part in ["provider \"cuda\"", "`fp17`", "`device`", "`tf32`", "`memory_limit`", "`libraries`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(message("tensorrt", r#"{ "fp16": "yes" }"#).contains("expected a boolean"));
    assert!(message("coreml", r#"{ "compute_units": "gpu" }"#).contains("`cpu_and_neural_engine`"));
    assert!(message("cuda", "{").contains("EOF"));
    assert!(message("cpu", "[]").contains("provider \"cpu\""));
    assert!(message("./plugin.so", r#"{ "devise": 1 }"#).contains("`device`"));
}

#[test]
fn options_become_what_onnx_runtime_reads() {
    let json = r#"{ "device": 1, "tf32": true, "memory_limit": 1073741824, "arena": "as_needed",
                    "convolutions": "exhaustive", "more": { "prefer_nhwc": "1" } }"#;
    let pairs = settings("cuda", json).expect("valid").pairs;
    let expected = [
        ("arena_extend_strategy", "kSameAsRequested"),
        ("cudnn_conv_algo_search", "EXHAUSTIVE"),
        ("device_id", "1"),
        ("gpu_mem_limit", "1073741824"),
        ("prefer_nhwc", "1"),
        ("use_tf32", "1"),
    ];
    assert_eq!(pairs, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    // Scores like the CPU's unless the caller says otherwise.
    assert_eq!(settings("cuda", "").expect("valid").pairs["use_tf32"], "0");
    let said = message("cuda", r#"{ "more": { "use_tf32": "1" } }"#);
    assert!(said.contains("\"use_tf32\", which an option of its own sets"), "{said}");
    assert!(message("cuda", r#"{ "more": { "enable_cuda_graph": "1" } }"#).contains("old ones"));
    assert!(message("tensorrt", r#"{ "cache": "/no/such/folder" }"#).contains("no folder"));
    let cached = settings("tensorrt", r#"{ "cache": "." }"#).expect("valid").pairs;
    assert_eq!((&*cached["trt_engine_cache_path"], &*cached["trt_timing_cache_enable"]), (".", "1"));
}

#[test]
fn half_precision_is_refused_where_openvino_has_none() {
    let message = message("openvino", r#"{ "precision": "fp16" }"#);
    assert!(message.contains("\"CPU\" computes in fp32"), "{message}");
    settings("openvino", r#"{ "precision": "fp16", "device": "GPU" }"#).expect("fits");
}

#[test]
fn the_tolerance_grows_with_what_is_left_out() {
    let precision = |name, json| settings(name, json).expect("valid").precision;
    let order = [
        precision("cpu", ""),
        precision("cuda", ""),
        precision("cuda", r#"{ "tf32": true }"#),
        precision("tensorrt", r#"{ "fp16": true }"#),
    ];
    assert!(
        order.windows(2).all(|pair| pair[0] < pair[1] && pair[0].tolerance() < pair[1].tolerance()),
        "{order:?}"
    );
}

#[test]
fn preferred_ones_are_given_up_one_by_one_and_required_ones_never() {
    let mut providers = Providers::new(&[
        Provider::preferred("tensorrt"),
        Provider::required("cuda"),
        Provider::preferred("xnnpack"),
        Provider::preferred("cpu"),
    ])
    .expect("valid");
    let refused = || Error::new(Status::Model, "no kernel for it");
    providers.give_up_one(refused()).expect("tensorrt goes");
    providers.give_up_one(refused()).expect("xnnpack goes");
    assert_eq!(providers.give_up_one(refused()), Err(refused()));
    let missing: Vec<_> = providers.asked.iter().map(|one| one.missing.is_some()).collect();
    assert_eq!(missing, [true, false, true, false]);
}
