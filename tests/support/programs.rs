//! Programs in C and C++ that are built against the library and run: what `c_api.rs` and `cpp_api.rs` share.
//! `AURICLE_RUN_UNDER` puts a command before each program (`valgrind -q --error-exitcode=9`); `AURICLE_CFLAGS` gives every
//! compiler more options (`-fsanitize=address,undefined`); `AURICLE_CXX` names the C++ compiler.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const WARNINGS: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"];

/// How often lifetime.c and lifetime.cpp create and free.
const ROUNDS: &str = "AURICLE_TEST_ROUNDS";

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a test that passes wants to be seen nevertheless.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An empty folder for `name`.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("target/tmp can be written");
    folder
}

/// Where cargo puts the libraries of this very build: beside the test program.
pub fn built(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("own path");
    let path = program.with_file_name(name);
    assert!(path.exists(), "{} was not built", path.display());
    path
}

/// Lays the shared library out in `folder` as an installation does, with the name that is written in it.
pub fn install(folder: &Path) {
    let abi = env!("AURICLE_ABI"); // from build.rs
    let (file, linked, loaded) = if cfg!(target_os = "macos") {
        ("libauricle.dylib", "libauricle.dylib".into(), format!("libauricle.{abi}.dylib"))
    } else {
        ("libauricle.so", "libauricle.so".to_string(), format!("libauricle.so.{abi}"))
    };
    std::fs::copy(built(file), folder.join(&loaded)).expect("copy the library");
    std::os::unix::fs::symlink(&loaded, folder.join(linked)).expect("link the library");
}

pub fn finish(what: &str, command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{what}: {command:?}: {error}"));
    let mut pipe = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().expect("wait");
    let _ = writer.join();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {}\n{command:?}\n{out}{err}", output.status);
    output
}

pub fn run(program: &Path, arguments: &[&str], input: &[u8]) -> String {
    run_rounds(program, arguments, input, "20")
}

/// `program` under the tool that AURICLE_RUN_UNDER names, in the folder of the models.
pub fn command(program: &Path) -> Command {
    let mut command = match std::env::var("AURICLE_RUN_UNDER") {
        Ok(under) if !under.trim().is_empty() => {
            let mut words = under.split_whitespace();
            let mut command = Command::new(words.next().expect("not empty"));
            command.args(words).arg(program);
            command
        }
        _ => Command::new(program),
    };
    command.current_dir(root().join("tests/data"));
    command
}

pub fn run_rounds(program: &Path, arguments: &[&str], input: &[u8], rounds: &str) -> String {
    let mut command = command(program);
    command.args(arguments);
    if std::env::var_os(ROUNDS).is_none() {
        command.env(ROUNDS, rounds);
    }
    let output = finish(&program.display().to_string(), &mut command, input);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in out.lines().filter(|line| line.starts_with("SKIPPED") || line.starts_with("MEASURED")) {
        say(line);
    }
    out
}

/// `compiler`, with the options that the environment asks for.
pub fn compile(compiler: &str) -> Command {
    let mut command = Command::new(compiler);
    command.args(std::env::var("AURICLE_CFLAGS").unwrap_or_default().split_whitespace());
    command
}

/// Builds `sources` with `compiler` into `folder`, against the library there.
pub fn build(compiler: &str, options: &[&str], folder: &Path, name: &str, sources: &[PathBuf]) -> PathBuf {
    let program = folder.join(name);
    let mut command = compile(compiler);
    command.args(options).args(WARNINGS).args(["-gdwarf-4", "-O1", "-pthread"]);
    command.arg("-I").arg(root().join("include")).arg("-o").arg(&program).args(sources);
    command.args(["-x", "none", "-L"]).arg(folder);
    command.arg(format!("-Wl,-rpath,{}", folder.display())).args(["-lauricle", "-lm"]);
    finish("build", &mut command, &[]);
    program
}

pub fn exists(compiler: &str) -> bool {
    let found = Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        say(&format!("SKIPPED: the tests with {compiler}, which is not installed"));
    }
    found
}
