//! The C tests of tests/c, built with every compiler that is there, as C and as C++, and run against the library as
//! programs use it. `AURICLE_RUN_UNDER` puts a command before each program (`valgrind -q --error-exitcode=9`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const WARNINGS: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"];

/// Programs of tests/c and the files that they are made of.
const PROGRAMS: [(&str, &[&str]); 10] = [
    ("header", &["header.c", "header_other.c"]),
    ("status", &["status.c"]),
    ("log", &["log.c"]),
    ("runtime", &["runtime.c"]),
    ("model", &["model.c"]),
    ("session", &["session.c"]),
    ("classify", &["classify.c"]),
    ("stream", &["stream.c"]),
    ("threads", &["threads.c"]),
    ("lifetime", &["lifetime.c"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a test that passes wants to be seen nevertheless.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An empty folder for `name`.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_api").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("target/tmp can be written");
    folder
}

/// Where cargo puts the libraries of this very build: beside the test program.
fn built(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("own path");
    let path = program.with_file_name(name);
    assert!(path.exists(), "{} was not built", path.display());
    path
}

/// Lays the shared library out in `folder` as an installation does, with the name that is written in it.
fn install(folder: &Path) {
    let abi = match env!("CARGO_PKG_VERSION_MAJOR") {
        "0" => concat!("0.", env!("CARGO_PKG_VERSION_MINOR")),
        major => major,
    };
    let (file, linked, loaded) = if cfg!(target_os = "macos") {
        ("libauricle.dylib", "libauricle.dylib".into(), format!("libauricle.{abi}.dylib"))
    } else {
        ("libauricle.so", "libauricle.so".to_string(), format!("libauricle.so.{abi}"))
    };
    std::fs::copy(built(file), folder.join(&loaded)).expect("copy the library");
    std::os::unix::fs::symlink(&loaded, folder.join(linked)).expect("link the library");
}

fn finish(what: &str, command: &mut Command, input: &[u8]) -> Output {
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

fn run(program: &Path, arguments: &[&str], input: &[u8]) -> String {
    let mut command = match std::env::var("AURICLE_RUN_UNDER") {
        Ok(under) if !under.trim().is_empty() => {
            let mut words = under.split_whitespace();
            let mut command = Command::new(words.next().expect("not empty"));
            command.args(words).arg(program);
            command
        }
        _ => Command::new(program),
    };
    command.args(arguments).current_dir(root().join("tests/data"));
    let output = finish(&program.display().to_string(), &mut command, input);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in out.lines().filter(|line| line.starts_with("SKIPPED")) {
        say(line);
    }
    out
}

/// Builds `sources` with `compiler` into `folder`, against the library there.
fn build(compiler: &str, options: &[&str], folder: &Path, name: &str, sources: &[PathBuf]) -> PathBuf {
    let program = folder.join(name);
    let mut command = Command::new(compiler);
    command.args(options).args(WARNINGS).args(["-g", "-O1", "-pthread"]);
    command.arg("-I").arg(root().join("include")).arg("-o").arg(&program).args(sources);
    command.args(["-x", "none", "-L"]).arg(folder);
    command.arg(format!("-Wl,-rpath,{}", folder.display())).args(["-lauricle", "-lm"]);
    finish("build", &mut command, &[]);
    program
}

fn exists(compiler: &str) -> bool {
    let found = Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        say(&format!("SKIPPED: the C tests with {compiler}, which is not installed"));
    }
    found
}

/// Builds every program in every language version, and runs those of the last one.
fn build_and_run(compiler: &str, language: &[&str], versions: &[&str]) {
    if !exists(compiler) {
        return;
    }
    let (folder, tests) = (folder(compiler), root().join("tests/c"));
    install(&folder);
    for (name, files) in PROGRAMS {
        let sources: Vec<_> = files.iter().map(|file| tests.join(file)).collect();
        let mut program = PathBuf::new();
        for version in versions {
            let options: Vec<_> = [&[*version][..], language].concat();
            program = build(compiler, &options, &folder, name, &sources);
        }
        run(&program, &["."], &[]);
    }
}

const C: [&str; 3] = ["-std=c11", "-std=c17", "-std=c99"];
const STRICT: [&str; 3] = ["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wdeclaration-after-statement"];

#[test]
fn c_by_gcc() {
    build_and_run("gcc", &STRICT, &C);
}

#[test]
fn c_by_clang() {
    build_and_run("clang", &STRICT, &C);
}

#[test]
fn cpp_by_gxx() {
    build_and_run("g++", &["-x", "c++"], &["-std=c++20", "-std=c++17", "-std=c++11"]);
}

#[test]
fn some_compiler_is_there() {
    assert!(exists("gcc") || exists("clang") || exists("cc"), "no C compiler: install gcc or clang");
}

#[test]
fn a_program_links_the_static_library() {
    let compiler = ["gcc", "clang"].into_iter().find(|compiler| exists(compiler)).expect("a C compiler");
    let folder = folder("static");
    std::fs::copy(built("libauricle.a"), folder.join("libauricle.a")).expect("copy the library");
    let native = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];
    let program = folder.join("stream");
    let mut command = Command::new(compiler);
    command.arg("-I").arg(root().join("include")).arg(root().join("tests/c/stream.c"));
    command.arg(folder.join("libauricle.a")).args(native).arg("-o").arg(&program);
    finish("build", &mut command, &[]);
    run(&program, &["."], &[]);
}

#[test]
fn the_program_that_opens_the_header_works() {
    let compiler = ["gcc", "clang"].into_iter().find(|compiler| exists(compiler)).expect("a C compiler");
    let header = std::fs::read_to_string(root().join("include/auricle.h")).expect("the header");
    let code = |line: &&str| line.starts_with(" *     ") || *line == " *";
    let lines = header.lines().skip_while(|line| !line.contains("#include <auricle.h>")).take_while(code);
    let source = lines.map(|line| line.get(7..).unwrap_or("")).collect::<Vec<_>>().join("\n") + "\n";
    let folder = folder("program");
    install(&folder);
    std::fs::write(folder.join("program.c"), source).expect("write the program");
    let program = build(compiler, &["-std=c99"], &folder, "program", &[folder.join("program.c")]);

    let sound: Vec<u8> = (0..2 * 96_000_i32).flat_map(|k| ((k * k % 7919) as i16).to_le_bytes()).collect();
    let out = run(&program, &["tiny.onnx"], &sound);
    assert_eq!(out.lines().count(), 5, "2 s, windows of 1 s every 0.25 s:\n{out}");
    assert!(out.contains("   1.00 s  "), "{out}");
}

#[test]
fn the_library_exports_what_the_list_says() {
    if cfg!(not(target_os = "linux")) {
        return say("SKIPPED: exported symbols, which are looked at on Linux");
    }
    let mut nm = Command::new("nm");
    let output = finish("nm", nm.args(["-D", "--defined-only", "-j"]).arg(built("libauricle.so")), &[]);
    let mut exported: Vec<_> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    exported.sort();
    let list = std::fs::read_to_string(root().join("tests/abi/symbols.txt")).expect("the list");
    assert_eq!(exported, list.lines().collect::<Vec<_>>(), "exported, and tests/abi/symbols.txt");
}
