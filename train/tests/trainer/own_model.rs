//! The program of docs/bring-your-own-model.md, run as it stands there. Needs PyTorch: the Python of `cargo xtask
//! bench`'s peers, or the one that AURICLE_PEERS_PYTHON names.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::*;
use auricle::{Model, ModelOptions};

const PAGE: &str = include_str!("../../../docs/bring-your-own-model.md");

fn program() -> &'static str {
    PAGE.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap()
}

/// A Python that has torch and onnx.
fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let named = std::env::var_os("AURICLE_PEERS_PYTHON").map(PathBuf::from);
    let asked = named.is_some();
    let python = named.unwrap_or_else(|| root.join("target/peers/bin/python"));
    let has = Command::new(&python).args(["-c", "import torch, onnx"]).output();
    let found = has.is_ok_and(|output| output.status.success());
    assert!(
        found || !asked,
        "AURICLE_PEERS_PYTHON is {}, which has not both torch and onnx",
        python.display()
    );
    found.then_some(python)
}

fn stamp(folder: &Path, manifest: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auricle-train"));
    command.current_dir(folder).args(["stamp", "model.onnx", manifest, "--out", "stamped.onnx"]);
    command.output().unwrap()
}

#[test]
fn the_documented_program_makes_a_model_that_scores_as_pytorch_does() {
    let Some(python) = python().filter(|_| has_runtime()) else {
        // Past the capture of the test's output: a check that did not happen must be seen.
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED: the program of docs/bring-your-own-model.md was NOT run: not both torch and onnx \
             in target/peers, no Python named by AURICLE_PEERS_PYTHON, or no ONNX Runtime\n"
        );
        return;
    };
    let folder = Scratch::new("own-model");
    std::fs::write(folder.0.join("program.py"), program()).unwrap();
    let ran = Command::new(python).current_dir(&folder.0).arg("program.py").output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));

    // The golden case in the manifest is PyTorch's own answer.
    let stamped = stamp(&folder.0, "manifest.json");
    assert!(stamped.status.success(), "{}", String::from_utf8_lossy(&stamped.stderr));
    let model = Model::load(folder.0.join("stamped.onnx"), &ModelOptions::default()).unwrap();
    let apart = model.self_check().unwrap();
    assert!(apart < 1e-5, "{apart}");
    let scores = &model.manifest().golden[0].scores;
    assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{scores:?}");

    // A front end that is nearly right is found out.
    let manifest = std::fs::read_to_string(folder.0.join("manifest.json")).unwrap();
    std::fs::write(folder.0.join("wrong.json"), manifest.replace("\"kind\": \"ln\"", "\"kind\": \"log10\""))
        .unwrap();
    let refused = stamp(&folder.0, "wrong.json");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("golden[0]"), "{said}");
}
