//! Everything that a developer runs: `cargo xtask <verb>`.

mod bench;
mod demo;
mod golden;
mod header;
mod pip;
mod scene;
mod setup;
mod test;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
usage: cargo xtask <verb>

  setup           fetch ONNX Runtime into target/onnxruntime (the other verbs call it when needed)
  test            run every test
  demo [FILE…]    build the library and a C program, and classify recordings with the bundled model
  bench           measure the ratios of benches/README.md; installs the peers (torch among them, 6 GB)
  header [--check]
                  write include/auricle.h from src/ffi, or check that it is up to date
  golden [--check]
                  compute tests/golden by its Python script, or check that it is up to date";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["setup"] => setup::run(),
        ["test"] => test::run_all(),
        ["bench"] => bench::run_all(),
        ["golden"] => golden::make(false),
        ["golden", "--check"] => golden::make(true),
        ["demo", ref files @ ..] => demo::run_on(files),
        ["header"] => header::run(false),
        ["header", "--check"] => header::run(true),
        [] | ["help" | "-h" | "--help"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("not understood: {}\n\n{HELP}", words.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("cargo xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root folder.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The folder where cargo puts the output of a profile: `debug`, `release`, `dist`.
fn output_of(profile: &str) -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|e| format!("own path: {e}"))?;
    let target = me.ancestors().nth(2).ok_or_else(|| format!("{} is not in a cargo folder", me.display()))?;
    Ok(target.join(profile))
}

/// Says what is about to happen.
fn say(what: impl std::fmt::Display) {
    println!("xtask: {what}");
}

/// Cargo, in the repository's root.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Shows and runs a command; anything but exit code 0 is an error.
fn run(command: &mut Command) -> Result<(), String> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let shown = format!("{name} {}", words.join(" "));
    say(&shown);
    std::io::stdout().flush().map_err(|e| format!("standard output: {e}"))?;
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed: {status}")),
        Err(e) => Err(format!("`{shown}` could not be started: {e}")),
    }
}
