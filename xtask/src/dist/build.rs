//! What is shipped, compiled: without a path of the machine that compiles it, and for an old glibc where one is asked
//! for. Then zig links, which knows the symbols of every release, by cargo-zigbuild, both from pip's index.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::pip;
use crate::shell::{cargo, root, run, say};
use crate::target::Target;

/// The library, compiled.
pub struct Library {
    /// The folder with its files, named as cargo names them.
    pub folder: PathBuf,
    /// What a program links beside the static library, as rustc says: `-lm` and so on.
    pub native: Vec<String>,
}

/// pip's names and sums of the linker for an old glibc.
const ZIG: &str = "xtask/src/dist/zig.txt";

/// Where cargo works. What another linker has linked is not taken for what ours would.
fn workshop(target: &Target) -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|e| format!("own path: {e}"))?;
    let folder =
        own.ancestors().nth(2).ok_or_else(|| format!("{} is not in a cargo folder", own.display()))?;
    Ok(match &target.glibc {
        Some(glibc) => folder.join(format!("glibc-{glibc}")),
        None => folder.into(),
    })
}

/// The library's own: cargo gives its files the same names where it is a part of a program, and so would build either anew
/// whenever the other was built.
fn library_workshop(target: &Target) -> Result<PathBuf, String> {
    Ok(workshop(target)?.join("library"))
}

/// Where cargo's output for a target goes.
fn output(workshop: &Path, target: &Target) -> PathBuf {
    workshop.join(&target.triple).join("dist")
}

/// The shared and the static library.
pub fn library(target: &Target) -> Result<Library, String> {
    let workshop = library_workshop(target)?;
    // Only without the package's crate type `lib` does rustc optimise across crates.
    let mut command = build("rustc", target, &workshop)?;
    command.args(["--package", "auricle", "--lib", "--crate-type", "cdylib,staticlib"]);
    say(format_args!("cargo rustc --profile dist --target {} --package auricle --lib", target.triple));
    let output_of_cargo = command.stderr(Stdio::piped()).output().map_err(|e| format!("cargo: {e}"))?;
    let said = String::from_utf8_lossy(&output_of_cargo.stderr).into_owned();
    if !output_of_cargo.status.success() {
        return Err(format!("the library could not be built for {}:\n{said}", target.triple));
    }
    let native = said.lines().find_map(|line| line.split_once("native-static-libs: "));
    let (_, native) = native.ok_or_else(|| format!("rustc named no native libraries:\n{said}"))?;
    Ok(Library {
        folder: output(&workshop, target),
        native: without_repeats(native.split_whitespace().map(str::to_owned)),
    })
}

/// A copy of the static library without what no program gets: the standard library's debugging information and LLVM's
/// bitcode. 13 MB become 6. Elsewhere than on Linux it stays as it is.
pub fn slim(from: &Path, to: &Path, target: &Target) -> Result<(), String> {
    if target.os() != "linux" {
        return fs::copy(from, to).map(drop).map_err(|e| format!("{}: {e}", to.display()));
    }
    let sysroot = said_by_rustc(&["--print", "sysroot"])?;
    let own = Path::new(&sysroot).join("lib/rustlib").join(Target::host()?.triple).join("bin/rust-objcopy");
    // Distributions' rustc comes without one.
    let mut command = Command::new(if own.exists() { own.as_path() } else { Path::new("objcopy") });
    // rustup's looks for LLVM in a folder that has none.
    command.env("LD_LIBRARY_PATH", Path::new(&sysroot).join("lib"));
    command.args(["--strip-debug", "--remove-section=.llvmbc", "--remove-section=.llvmcmd"]);
    run(command.arg(from).arg(to))
}

/// A library that stands in the list twice is needed where it stands last.
fn without_repeats(words: impl DoubleEndedIterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in words.rev() {
        if !kept.contains(&word) {
            kept.insert(0, word);
        }
    }
    kept
}

/// Programs of the workspace; returns the folder with their files.
pub fn programs(target: &Target, packages: &[&str]) -> Result<PathBuf, String> {
    let workshop = workshop(target)?;
    if packages.is_empty() {
        return Ok(output(&workshop, target));
    }
    let mut command = build("build", target, &workshop)?;
    for package in packages {
        command.args(["--package", package]);
    }
    run(command.arg("--bins"))?;
    Ok(output(&workshop, target))
}

/// `cargo build` or `cargo rustc`.
fn build(what: &str, target: &Target, workshop: &Path) -> Result<Command, String> {
    let mut command = match &target.glibc {
        Some(glibc) => zig(what, &format!("{}.{glibc}", target.triple))?,
        None => {
            let mut command = cargo();
            command.args([what, "--target", &target.triple]);
            command
        }
    };
    command.args(["--locked", "--profile", "dist", "--target-dir"]).arg(workshop);
    // What the static library needs.
    let flags = flags()? + "\x1f--print=native-static-libs";
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags);
    // Cross compilers, where nobody has named another one.
    let linker = match target.triple.as_str() {
        "aarch64-unknown-linux-gnu" => Some("aarch64-linux-gnu-gcc"),
        "x86_64-pc-windows-gnu" => Some("x86_64-w64-mingw32-gcc"),
        _ => None,
    };
    let variable = format!("CARGO_TARGET_{}_LINKER", target.triple.to_uppercase().replace('-', "_"));
    if let Some(linker) = linker.filter(|_| Target::host().is_ok_and(|host| host.triple != target.triple))
        && env::var_os(&variable).is_none()
    {
        command.env(variable, linker);
    }
    Ok(command)
}

/// cargo-zigbuild, in a virtual environment of its own.
fn zig(what: &str, target: &str) -> Result<Command, String> {
    let folder = root().join("target").join("tools").join("zig");
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = programs.join("cargo-zigbuild");
    if !program.exists() {
        run(pip::python()?.args(["-m", "venv"]).arg(&folder))?;
        let mut install = Command::new(programs.join("python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        run(install.args(["--require-hashes", "-r"]).arg(root().join(ZIG)))?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs].into_iter().chain(env::split_paths(&path)));
    let mut command = Command::new(program);
    command.current_dir(root()).env("PATH", path.map_err(|e| format!("PATH: {e}"))?);
    let what = if what == "build" { "zigbuild" } else { what };
    command.args([what, "--target", target]);
    Ok(command)
}

/// Refuses a file that asks glibc for more than the release that was promised.
pub fn check_glibc(file: &Path, target: &Target) -> Result<(), String> {
    let Some(promised) = &target.glibc else { return Ok(()) };
    let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let needed = newest_glibc(&bytes).ok_or_else(|| format!("{} asks for no glibc", file.display()))?;
    match needed <= release(promised) {
        true => Ok(()),
        false => Err(format!("{} needs glibc {needed:?}; {promised} was asked for", file.display())),
    }
}

/// The newest release of glibc whose symbols a file asks for, by its table of names.
fn newest_glibc(bytes: &[u8]) -> Option<Vec<u32>> {
    const MARK: &[u8] = b"GLIBC_";
    let names = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    let releases = names.map(|(at, _)| {
        let rest = &bytes[at + MARK.len()..];
        let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(rest.len());
        release(&String::from_utf8_lossy(&rest[..end]))
    });
    releases.filter(|release| !release.is_empty()).max()
}

fn release(text: &str) -> Vec<u32> {
    text.split('.').filter_map(|number| number.parse().ok()).collect()
}

/// The flags of the environment, and a name for every folder of this machine that would otherwise end in messages and
/// in debugging information of what is built.
pub fn flags() -> Result<String, String> {
    let given = env::var("CARGO_ENCODED_RUSTFLAGS").or_else(|_| {
        env::var("RUSTFLAGS").map(|flags| flags.split_whitespace().collect::<Vec<_>>().join("\x1f"))
    });
    let mut flags: Vec<String> = given.ok().filter(|flags| !flags.is_empty()).into_iter().collect();
    for (folder, name) in folders()? {
        flags.push(format!("--remap-path-prefix={}={name}", folder.display()));
    }
    Ok(flags.join("\x1f"))
}

fn said_by_rustc(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("rustc").args(arguments).output().map_err(|e| format!("rustc: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Of two names for a path, rustc takes the later one.
fn folders() -> Result<Vec<(PathBuf, String)>, String> {
    let verbose = said_by_rustc(&["-vV"])?;
    let commit = verbose.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let home = cargo_home().ok_or("there is no home folder, and CARGO_HOME is not set")?;
    let own = env::current_exe().map_err(|e| format!("own path: {e}"))?;
    let mut folders = vec![
        (home.clone(), "/cargo".into()),
        (own.ancestors().nth(2).unwrap_or(Path::new("/")).into(), "/target".into()),
        (root().into(), "/auricle".into()),
        (
            Path::new(&said_by_rustc(&["--print", "sysroot"])?).join("lib/rustlib/src/rust"),
            format!("/rustc/{commit}"),
        ),
    ];
    let registries = fs::read_dir(home.join("registry").join("src")).into_iter().flatten();
    folders.extend(registries.filter_map(|entry| Some((entry.ok()?.path(), "/crates".into()))));
    Ok(folders)
}

/// Cargo's own folder.
pub fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_counts_as_numbers_and_not_as_text() {
        let bytes = b"\0GLIBC_2.2.5\0GLIBC_2.17\0GLIBC_2.9\0GLIBC_PRIVATE\0";
        assert_eq!(newest_glibc(bytes), Some(vec![2, 17]));
        assert_eq!(newest_glibc(b"none"), None);
    }

    #[test]
    fn a_library_is_linked_after_all_that_need_it() {
        let words = ["-ldl", "-lgcc_s", "-lm", "-ldl", "-lc"].map(str::to_owned);
        assert_eq!(without_repeats(words.into_iter()), ["-lgcc_s", "-lm", "-ldl", "-lc"]);
    }
}
