//! Inputs that once took the process down, or would have: each must come back as an error.

mod support;

use std::path::{Path, PathBuf};

use auricle::{Clip, Error, Model, ModelOptions, Status};
use support::process::{child, finish, is_child, within_seconds};

fn data(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    std::fs::read(path).expect("a file of the repository")
}

#[test]
fn a_manifest_cannot_ask_for_more_memory_than_there_is() {
    // 2^24 rows of 32769 bins are 2.2 TB, of which a copy is made; an allocation that fails aborts the process.
    let manifest = r#"{ "auricle": 1, "labels": ["a", "b", "c", "d"], "input": { "sample_rate": 8000,
        "window_seconds": 2097.152, "layout": ["batch", "row", "bin"],
        "features": { "kind": "spectrogram", "fft": 65536, "frame_hop": 1 } } }"#;
    let loaded = Model::load_memory(&data("golden/moments.onnx"), Some(manifest), &ModelOptions::default());
    let error = loaded.expect_err("must be refused");
    assert_eq!(error.status(), Status::Manifest, "{error}");
    assert!(error.message().contains("input.window_seconds") && error.message().contains("32769"), "{error}");
}

/// Wherever it could lie: tests/hostile_models.rs.
#[test]
fn weights_in_another_file_are_refused_with_what_to_do() {
    // Weights "in tiny.onnx", which does lie beside it.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/external.onnx");
    let by_path = Model::load(path, &ModelOptions::default());
    let by_bytes = Model::load_memory(&data("data/external.onnx"), None, &ModelOptions::default());
    for loaded in [&by_path, &by_bytes] {
        let error = loaded.as_ref().expect_err("must be refused");
        assert_eq!(error.status(), Status::Model, "{error}");
        let parts = ["tensor \"weights\"", "\"tiny.onnx\"", "auricle-train stamp"];
        assert!(parts.iter().all(|part| error.message().contains(part)), "{error}");
    }
    assert!(by_path.expect_err("refused").message().starts_with(path));
}

/// A folder for `name` with a model in it.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("untrusted").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("target/tmp can be written");
    folder
}

fn load(path: &Path) -> Error {
    let path = path.to_path_buf();
    let loaded = within_seconds(move || Model::load(path, &ModelOptions::default()));
    loaded.expect_err("must be refused")
}

#[test]
fn what_is_longer_than_an_onnx_file_can_be_is_not_read() {
    let folder = folder("long");
    let (model, manifest) = (folder.join("long.onnx"), folder.join("short.auricle.json"));
    // Holes, which take no room on the disk.
    std::fs::File::create(&model).and_then(|file| file.set_len(6_000_000_000)).expect("made");
    let error = load(&model);
    assert_eq!(error.status(), Status::File, "{error}");
    assert!(
        error.message().contains("6000000000 bytes") && error.message().contains("2147483647"),
        "{error}"
    );

    std::fs::write(folder.join("short.onnx"), data("data/probe.onnx")).expect("written");
    std::fs::File::create(&manifest).and_then(|file| file.set_len(16_777_217)).expect("made");
    let error = load(&folder.join("short.onnx"));
    assert_eq!(error.status(), Status::File, "{error}");
    assert!(error.message().contains("16777217 bytes") && error.message().contains("16777216"), "{error}");
    let text = format!("{}{{}}", " ".repeat(16_777_215));
    let given = Model::load_memory(&data("data/probe.onnx"), Some(&text), &ModelOptions::default());
    let error = given.expect_err("must be refused");
    assert_eq!(error.status(), Status::Manifest, "{error}");
    assert!(error.message().contains("16777217 bytes"), "{error}");
}

/// Opening a pipe waits for a writer, and reading `/dev/zero` never ends.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let folder = folder("kinds");
    let pipe = |name: &str| {
        let path = folder.join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        path
    };
    let socket = folder.join("socket.onnx");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let link = folder.join("link.onnx");
    std::os::unix::fs::symlink("/dev/zero", &link).expect("a link");
    for (path, kind) in [
        (pipe("pipe.onnx"), "a named pipe"),
        (socket, "a socket"),
        (folder.clone(), "a folder"),
        ("/dev/zero".into(), "a device"),
        (link, "a device"),
    ] {
        let error = load(&path);
        assert_eq!(error.status(), Status::File, "{error}");
        assert!(error.message().contains(&format!("is {kind}, not a file")), "{error}");
    }
    let model = folder.join("probe.onnx");
    std::fs::write(&model, data("data/probe.onnx")).expect("written");
    let manifest = pipe("probe.auricle.json");
    let error = load(&model);
    assert_eq!(error.status(), Status::File, "{error}");
    assert!(error.message().contains(manifest.to_str().expect("UTF-8")), "{error}");
    assert!(error.message().contains("a named pipe"), "{error}");
}

/// Every variable that ONNX Runtime 1.28.0 for the CPU looks at (its calls of getenv), with a value that does something.
const SWITCHES: [(&str, &str); 9] = [
    ("ORT_LOAD_CONFIG_FROM_MODEL", "1"),
    ("ALLOW_RELEASED_ONNX_OPSET_ONLY", "0"),
    ("ORT_DISABLE_FLASH_ATTENTION", "1"),
    ("ORT_GQA_DISABLE_FLASH_ATTENTION", "1"),
    ("ORT_DISABLE_DECODER_ATTENTION", "1"),
    ("ORT_BEAM_SEARCH_USE_FAST_TOPK", "0"),
    ("ORT_USE_MLAS_Q4_GEMM_MOE", "1"),
    ("ORT_MLAS_QKGEMM_S8_APPROX_VNNI", "1"),
    ("OMP_NUM_THREADS", "7"),
];

#[test]
fn neither_the_environment_nor_a_model_changes_the_settings_of_a_session() {
    if !is_child() {
        let run = |switches: &[(&str, &str)]| {
            let folder = folder("environment");
            let name = "neither_the_environment_nor_a_model_changes_the_settings_of_a_session";
            let mut command = child(&std::env::current_exe().expect("own path"), name);
            command.current_dir(&folder);
            for (name, _) in SWITCHES {
                command.env_remove(name);
            }
            command.envs(switches.iter().copied());
            let out = finish(command);
            let left = std::fs::read_dir(folder).expect("the folder").count();
            assert_eq!(left, 0, "files were left in the working folder");
            out.lines().find(|line| line.contains("threads")).expect("the line of the child").to_owned()
        };
        assert_eq!(run(&[]), run(&SWITCHES));
        return;
    }
    let tiny = data("data/tiny.onnx");
    let settings = r#"{ "session_options": { "enable_profiling": 1, "intra_op_num_threads": 7 } }"#;
    let with_settings = [&tiny[..], &support::onnx::entry(14, "ort_config", settings)].concat();
    let loaded = Model::load_memory(&with_settings, None, &ModelOptions::default());
    assert_eq!(loaded.map_err(|error| error.status()).expect_err("must be refused"), Status::Model);

    let model = Model::load_memory(&tiny, None, &ModelOptions::default()).expect("a model");
    let samples: Vec<f32> = (0..32_000).map(|k| (k as f32 * 0.05).sin()).collect();
    let mut scores = vec![0.0; 3];
    model
        .classify(Clip { interleaved: &samples, channels: 1, sample_rate: 16_000 }, &mut scores)
        .expect("scores");
    let bits: Vec<u32> = scores.iter().map(|score| score.to_bits()).collect();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default(); // on Linux
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).map(str::trim);
    println!("threads {threads:?}, scores {bits:08x?}");

    // SAFETY: nobody else reads the environment: this process runs one test.
    #[allow(unsafe_code, reason = "as a program in C would")]
    unsafe {
        std::env::set_var("ORT_LOAD_CONFIG_FROM_MODEL", "1");
    }
    let error = Model::load_memory(&tiny, None, &ModelOptions::default()).expect_err("must be refused");
    assert_eq!(error.status(), Status::Runtime, "{error}");
    assert!(error.message().contains("ORT_LOAD_CONFIG_FROM_MODEL is set again"), "{error}");
}
