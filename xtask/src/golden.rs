//! `cargo xtask golden [--check]`: recomputes what the tests compare with, by Python and other people's formulas.

use std::fs;

use crate::pip;
use crate::shell::{root, run, say};

/// What `tests/golden/make_golden.py` imports, pinned.
const PACKAGES: [&str; 3] = ["numpy==2.4.6", "onnx==1.23.2", "onnxruntime==1.28.0"];

/// Runs the script; with `check` it writes nothing and fails where the committed values differ.
pub fn make(check: bool) -> Result<(), String> {
    let folder = root().join("target").join("golden-python");
    let stamp = folder.join("packages.txt");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        say(format_args!("installing {} into {}", PACKAGES.join(", "), folder.display()));
        let _ = fs::remove_dir_all(&folder);
        let mut install = pip::python()?;
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        run(install.args(["--only-binary=:all:", "--target"]).arg(&folder).args(PACKAGES))?;
        fs::write(&stamp, wanted).map_err(|e| format!("{}: {e}", stamp.display()))?;
    }
    let mut script = pip::python()?;
    script.env("PYTHONPATH", &folder).env("ORT_DISABLE_TELEMETRY", "1");
    run(script.arg(root().join("tests/golden/make_golden.py")).args(check.then_some("--check")))
}
