//! `cargo xtask bench`: every ratio that benches/README.md records, measured on this machine now.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{cargo, output_of, root, run, say};
use crate::{pip, setup};

/// Installs the peers, then runs the benches one after the other. A peer that cannot be installed is named as
/// missing, by us and by the bench.
pub fn run_all() -> Result<(), String> {
    setup::run()?;
    let folder = root().join("target").join("peers");
    let python = python_peers(&folder)?;
    run(cargo().args([
        "rustc",
        "--profile",
        "dist",
        "--package",
        "auricle",
        "--lib",
        "--crate-type",
        "cdylib,staticlib",
    ]))?;
    run(cargo().args(["build", "--release", "--package", "auricle-bench-features"]))?;
    let program = output_of("release")?.join("bench-features");
    run(&mut Command::new(&program))?; // beside mel_spec, and a hop beside a whole window
    run(Command::new(&python).arg(root().join("benches/peers.py")).arg(program))?;
    match std::env::var_os("AURICLE_YAMNET") {
        // The file, then what `compress` made of it, separated as in PATH.
        Some(files) => {
            let files = std::env::split_paths(&files);
            run(Command::new(&python).arg(root().join("benches/litert.py")).args(files))?;
        }
        None => say(format_args!("MISSING: AURICLE_YAMNET: no network to run beside LiteRT")),
    }
    let mut resample = cargo();
    resample.args(["bench", "--package", "auricle", "--bench", "resample"]);
    match soxr(&folder) {
        Ok(library) => drop(resample.env("AURICLE_SOXR", library)),
        Err(reason) => say(format_args!("MISSING: soxr: {reason}")),
    }
    run(&mut resample)?;
    run(cargo().args(["bench", "--package", "auricle", "--bench", "classify"]))?;
    run(cargo().args(["bench", "--package", "auricle", "--bench", "engine"]))?;
    run(cargo().args(["bench", "--package", "auricle", "--bench", "stream"]))
}

/// A virtual environment with what could be installed of benches/peers.txt.
fn python_peers(folder: &Path) -> Result<PathBuf, String> {
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        run(pip::python()?.args(["-m", "venv"]).arg(folder))?;
    }
    let list = root().join("benches").join("peers.txt");
    let peers = fs::read_to_string(&list).map_err(|e| format!("{}: {e}", list.display()))?;
    for peer in peers.lines() {
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", peer]);
        if let Err(reason) = run(&mut install) {
            say(format_args!("MISSING: {peer}: {reason}"));
        }
    }
    Ok(python)
}

/// The system's libsoxr, else Debian's package, unpacked without being installed.
fn soxr(folder: &Path) -> Result<PathBuf, String> {
    let folder = folder.join("soxr");
    let found = |folder: &Path| find(folder, "libsoxr.so.0");
    if let Some(library) = found(Path::new("/usr/lib")).or_else(|| found(&folder)) {
        return Ok(library);
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    run(Command::new("apt-get").current_dir(&folder).args(["download", "--quiet", "libsoxr0"]))?;
    let package = find(&folder, "libsoxr0_").ok_or("apt-get downloaded nothing")?;
    run(Command::new("dpkg").arg("-x").arg(package).arg(&folder))?;
    found(&folder).ok_or_else(|| "the package has no libsoxr.so.0".into())
}

/// The first file below `folder` whose name starts with `start`.
fn find(folder: &Path, start: &str) -> Option<PathBuf> {
    let entries: Vec<_> = fs::read_dir(folder).ok()?.filter_map(Result::ok).collect();
    let here = entries.iter().find(|entry| entry.file_name().to_string_lossy().starts_with(start));
    here.map(|entry| entry.path()).or_else(|| {
        let folders = entries.iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders.filter_map(|entry| find(&entry.path(), start)).next()
    })
}
