//! The library against values that other people's formulas give (tests/golden/make_golden.py says which), and its C
//! API against its Rust API, bit for bit.

use std::path::{Path, PathBuf};
use std::process::Command;

use auricle::{Clip, Manifest, Model, ModelOptions};

/// Largest difference between a score and the one computed elsewhere.
const SCORE: f32 = 1e-4;
/// Mean and largest difference between features and those computed elsewhere in float64: where a spectrum has a null,
/// its logarithm has few good digits in float32.
const FEATURES: (f32, f32) = (1e-5, 1e-3);

struct Case {
    name: String,
    model: PathBuf,
    manifest: Option<String>,
    /// Rows and their values, `[row, bin]`; none for a waveform.
    features: Option<(usize, Vec<f32>)>,
    scores: Vec<f32>,
}

impl Case {
    fn load(&self) -> Model {
        let onnx = std::fs::read(&self.model).expect("a file of the repository");
        Model::load_memory(&onnx, self.manifest.as_deref(), &ModelOptions::default()).expect(&self.name)
    }

    fn scores(&self, recording: &[f32]) -> Vec<f32> {
        let model = self.load();
        let mut scores = vec![0.0; model.labels().len()];
        model
            .classify(Clip { interleaved: recording, channels: 1, sample_rate: 16_000 }, &mut scores)
            .expect(&self.name);
        scores
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> Vec<Case> {
    let folder = root().join("tests/golden");
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file of the repository");
    let golden: serde_json::Value = serde_json::from_str(&text("golden.json")).expect("JSON");
    let case = |(name, value): (&String, &serde_json::Value)| Case {
        name: name.clone(),
        model: root().join(value["model"].as_str().expect("a path")),
        manifest: value["manifest"].as_str().map(text),
        features: value["features"].as_str().map(|file| npy(&folder.join(file))),
        scores: value["scores"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|s| s.as_f64().expect("a number") as f32)
            .collect(),
    };
    golden.as_object().expect("an object").iter().map(case).collect()
}

/// A two-dimensional float32 array in NumPy's format 1.0: its number of rows and its values.
fn npy(path: &Path) -> (usize, Vec<f32>) {
    let bytes = std::fs::read(path).expect("a file of the repository");
    let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..data]);
    assert!(header.contains("'descr': '<f4', 'fortran_order': False"), "{header}");
    let rows = header.split(['(', ',']).find_map(|word| word.trim().parse().ok()).expect("a shape");
    (rows, floats(&bytes[data..]))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn recording() -> Vec<f32> {
    let bytes = std::fs::read(root().join("tests/golden/golden.wav")).expect("a file of the repository");
    bytes[44..].chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect()
}

/// The largest difference and where it is.
fn worst(ours: &[f32], theirs: &[f32]) -> (f32, usize) {
    assert_eq!(ours.len(), theirs.len());
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    differences
        .enumerate()
        .fold((0.0, 0), |most, (at, d)| if d > most.0 || d.is_nan() { (d, at) } else { most })
}

#[test]
fn features_are_those_of_the_published_formulas() {
    let recording = recording();
    for case in cases() {
        let Some((rows, theirs)) = &case.features else { continue };
        let manifest: Manifest = case.load().manifest().clone();
        let clip = Clip { interleaved: &recording, channels: 1, sample_rate: 16_000 };
        let (ours, bins) = clip.features(&manifest).expect(&case.name);
        assert_eq!((ours.len() / bins, bins), (*rows, theirs.len() / rows), "{}: rows and bins", case.name);
        let (largest, at) = worst(&ours, theirs);
        let mean = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).sum::<f32>() / ours.len() as f32;
        println!("{}: mean difference {mean:.2e}, largest {largest:.2e}", case.name);
        assert!(
            mean <= FEATURES.0 && largest <= FEATURES.1,
            "{}: mean difference {mean:.2e}; row {}, bin {}: {} instead of {}",
            case.name,
            at / bins,
            at % bins,
            ours[at],
            theirs[at]
        );
    }
}

#[test]
fn scores_are_those_of_the_published_formulas() {
    let recording = recording();
    for case in cases() {
        let ours = case.scores(&recording);
        let (difference, class) = worst(&ours, &case.scores);
        println!("{}: largest difference {difference:.2e}", case.name);
        assert!(difference <= SCORE, "{}: class {class}: {ours:?} instead of {:?}", case.name, case.scores);
    }
}

#[test]
fn every_kind_of_features_has_a_case() {
    let cases = cases();
    let kinds: Vec<String> =
        cases.iter().map(|case| format!("{:?}", case.load().manifest().input.features.kind)).collect();
    for kind in ["Waveform", "Spectrogram", "Mel"] {
        assert!(kinds.iter().any(|have| have.contains(kind)), "{kind}: {kinds:?}");
    }
    let shipped = root().join("models/esc10.onnx");
    let covered = cases.iter().any(|case| case.model == shipped);
    assert_eq!(covered, shipped.exists(), "the shipped model has a case: run `cargo xtask golden`");
}

#[cfg(unix)]
#[test]
fn c_gives_the_very_same_scores() {
    let program = c_program();
    let recording = recording();
    let golden = root().join("tests/golden");
    for case in cases() {
        let mut command = Command::new(&program);
        command.arg(golden.join("golden.wav")).arg(&case.model);
        if case.manifest.is_some() {
            command.arg(golden.join(format!("{}.json", case.name)));
        }
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{}: {}", case.name, String::from_utf8_lossy(&output.stderr));
        let by_c = floats(&output.stdout);
        let bits = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        let by_rust = case.scores(&recording);
        assert_eq!(bits(&by_c), bits(&by_rust), "{}: {by_c:?} by C, {by_rust:?} by Rust", case.name);
    }
}

/// tests/golden/golden.c, linked to the library of this very build.
#[cfg(unix)]
fn c_program() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("target/tmp can be written");
    let (file, abi) = match cfg!(target_os = "macos") {
        true => ("libauricle.dylib", concat!("libauricle.", env!("AURICLE_ABI"), ".dylib")),
        false => ("libauricle.so", concat!("libauricle.so.", env!("AURICLE_ABI"))),
    };
    let built = std::env::current_exe().expect("own path").with_file_name(file);
    for name in [file, abi] {
        std::os::unix::fs::symlink(&built, folder.join(name)).expect("a link to the library");
    }
    let program = folder.join("golden");
    let mut compile = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    compile.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"]).arg(root().join("include"));
    compile.arg(root().join("tests/golden/golden.c")).arg("-L").arg(&folder).arg("-lauricle");
    compile.arg(format!("-Wl,-rpath,{}", folder.display())).arg("-o").arg(&program);
    let output = compile.output().expect("a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}
