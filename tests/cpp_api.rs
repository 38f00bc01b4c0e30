//! The C++ tests of tests/cpp: `include/auricle.hpp` by every compiler that is there, in every version of the language and
//! both forms of errors; built and run once. `support/programs.rs` says which variables change how.
#![cfg(unix)] // the options of the compilers, and how libraries are named

#[path = "support/looping.rs"]
mod looping;
#[path = "support/onnx.rs"]
mod onnx;
#[path = "support/programs.rs"]
mod programs;

use std::path::{Path, PathBuf};
use std::process::Command;

use programs::{WARNINGS, build, compile, exists, finish, folder, install, root, run, say};

/// What C has no use for.
const CPP_WARNINGS: [&str; 2] = ["-Wold-style-cast", "-Wsign-conversion"];

/// Programs of tests/cpp and the files that they are made of. The test of seeded faults has another one.
const PROGRAMS: [(&str, &[&str]); 13] = [
    ("header", &["header.cpp", "header_other.cpp"]),
    ("status", &["status.cpp"]),
    ("log", &["log.cpp"]),
    ("runtime", &["runtime.cpp"]),
    ("model", &["model.cpp"]),
    ("session", &["session.cpp"]),
    ("classify", &["classify.cpp"]),
    ("stream", &["stream.cpp"]),
    ("events", &["events.cpp"]),
    ("threads", &["threads.cpp"]),
    ("lifetime", &["lifetime.cpp"]),
    ("cancel", &["cancel.cpp"]),
    ("exceptions", &["exceptions.cpp"]),
];

/// Whether a file of tests/cpp throws; all others are built without exceptions and run-time types.
fn throws(file: &str) -> bool {
    let text = std::fs::read_to_string(root().join("tests/cpp").join(file)).expect("a file of tests/cpp");
    text.contains("#define AURICLE_EXCEPTIONS")
}

/// What every file of tests/cpp is compiled with. The C tests' header has casts of C.
fn options(standard: &'static str) -> Vec<&'static str> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c");
    [&[standard, "-isystem", own][..], &CPP_WARNINGS].concat()
}

/// Builds a program of tests/cpp with the C++ compiler, against the library in `folder`.
fn program(folder: &Path, name: &str, files: &[&str]) -> PathBuf {
    let mut options = options("-std=c++17");
    if !files.iter().any(|file| throws(file)) {
        options.extend(["-fno-exceptions", "-fno-rtti"]);
    }
    let sources: Vec<_> = files.iter().map(|file| root().join("tests/cpp").join(file)).collect();
    build("g++", &options, folder, name, &sources)
}

#[test]
fn every_program_works() {
    let folder = folder("programs");
    install(&folder);
    std::fs::write(folder.join("looping.onnx"), looping::looping(0)).expect("target/tmp can be written");
    let own = folder.to_str().expect("UTF-8");
    for (name, files) in PROGRAMS {
        run(&program(&folder, name, files), &[".", "unused", own], &[]);
    }
}

/// Compiles, without making anything, what uses every template of the header; the header alone too.
fn compiles(compiler: &str) {
    if !exists(compiler) {
        return;
    }
    let file = |name: &str| root().join("tests/cpp").join(name);
    let syntax = |standard, form: &[&str], sources: Vec<PathBuf>| {
        let mut command = Command::new(compiler);
        command.args(options(standard)).args(WARNINGS).args(form).arg("-fsyntax-only");
        finish("compile", command.arg("-I").arg(root().join("include")).args(sources), &[]);
    };
    let without = ["-fno-exceptions", "-fno-rtti"];
    for standard in ["-std=c++17", "-std=c++20", "-std=c++2b"] {
        syntax(standard, &[], vec![file("header.cpp"), file("exceptions.cpp")]);
        syntax(standard, &without, vec![file("session.cpp")]);
    }
    let alone = folder(compiler).join("alone.cpp");
    std::fs::write(&alone, "#include <auricle.hpp>\n").expect("target/tmp can be written");
    for form in [&[][..], &without, &["-DAURICLE_EXCEPTIONS"]] {
        syntax("-std=c++17", form, vec![alone.clone()]);
    }
}

#[test]
fn the_header_compiles_by_gxx() {
    compiles("g++");
}

#[test]
fn the_header_compiles_by_clang() {
    compiles("clang++");
}

#[test]
fn the_header_leaves_no_macro_behind() {
    let macros = |headers: &str| {
        let mut command = Command::new("g++");
        command.args(["-std=c++17", "-dM", "-E", "-x", "c++", "-", "-I"]).arg(root().join("include"));
        let output = finish("macros", &mut command, headers.as_bytes());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let header = std::fs::read_to_string(root().join("include/auricle.hpp")).expect("the header");
    let included: String =
        header.lines().filter(|line| line.starts_with("#include ")).map(|line| format!("{line}\n")).collect();
    let (before, after) =
        (macros(&format!("{included}#include <variant>\n")), macros("#include <auricle.hpp>\n"));
    let left: Vec<_> = after.difference(&before).collect();
    assert_eq!(left, ["#define AURICLE_HPP "]);
}

#[test]
fn a_log_function_that_may_throw_does_not_compile() {
    for (function, compiles) in [("noexcept", true), ("", false)] {
        let source = format!(
            "#include <auricle.hpp>\nint main() {{\n    static auto log = [](auricle::LogLevel, const char *) {function} {{}};\n    \
             return !auricle::set_log(auricle::LogLevel::info, log);\n}}\n"
        );
        let path = folder("log_that_throws").join("log.cpp");
        std::fs::write(&path, source).expect("target/tmp can be written");
        let mut command = Command::new("g++");
        command.args(["-std=c++17", "-fsyntax-only", "-I"]).arg(root().join("include")).arg(&path);
        let output = command.output().expect("g++ is installed");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), compiles, "{message}");
        assert!(compiles || message.contains("no exception may cross C"), "{message}");
    }
}

#[test]
fn the_program_that_opens_the_header_works() {
    let header = std::fs::read_to_string(root().join("include/auricle.hpp")).expect("the header");
    let code = |line: &&str| line.starts_with(" *     ") || *line == " *";
    let lines =
        header.lines().skip_while(|line| !line.contains("    #include <auricle.hpp>")).take_while(code);
    let source = lines.map(|line| line.get(7..).unwrap_or("")).collect::<Vec<_>>().join("\n") + "\n";
    let folder = folder("program");
    install(&folder);
    std::fs::write(folder.join("program.cpp"), source).expect("write the program");
    let program = build("g++", &options("-std=c++17"), &folder, "program", &[folder.join("program.cpp")]);

    let sound: Vec<u8> = (0..2 * 96_000_i64).flat_map(|k| ((k * k % 7919) as i16).to_le_bytes()).collect();
    let out = run(&program, &["tiny.onnx"], &sound);
    assert_eq!(out.lines().count(), 5, "2 s, windows of 1 s every 0.25 s:\n{out}");
    assert!(out.contains("   1.00 s  "), "{out}");
    let mut missing = Command::new(program);
    let output = missing.arg("no_such.onnx").output().expect("start");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains("no_such.onnx"), "{message}");
}

/// What a tool must report of `fault`, or an empty text where that is not for this tool.
fn report(tool: &str, fault: &str) -> &'static str {
    match (tool, fault) {
        ("sanitizers", "freed") => "heap-use-after-free",
        ("sanitizers", "twice") => "use-after-free",
        ("sanitizers", "overflow") => "heap-buffer-overflow",
        ("sanitizers", "leak") => "LeakSanitizer: detected memory leaks",
        ("sanitizers", "undefined") => "signed integer overflow",
        ("thread_sanitizer", "race") => "ThreadSanitizer: data race",
        ("valgrind", "freed") => "Invalid read of size 1",
        ("valgrind", "twice" | "overflow") => "Invalid read",
        ("valgrind", "leak") => "definitely lost",
        _ => "",
    }
}

#[test]
#[ignore = "needs a tool, named by AURICLE_TOOL: lanes of .ci/run"]
fn the_tool_reports_seeded_faults() {
    let tool = std::env::var("AURICLE_TOOL").expect("AURICLE_TOOL is set");
    let folder = folder("seeded_fault");
    install(&folder);
    let program = program(&folder, "seeded_fault", &["seeded_fault.cpp"]);
    run(&program, &[".", "none"], &[]);
    let mut tried = 0;
    for fault in ["freed", "twice", "overflow", "leak", "undefined", "race"] {
        let report = report(&tool, fault);
        if !report.is_empty() {
            let output = programs::command(&program).args([".", fault]).output().expect("start");
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && message.contains(report), "{fault}: {message}");
            tried += 1;
        }
    }
    assert!(tried > 0, "AURICLE_TOOL is {tool}, which is none");
}

/// A program that was added to tests/cpp and forgotten here would never run.
#[test]
fn every_file_of_tests_cpp_is_used() {
    let own = std::fs::read_to_string(root().join("tests/cpp_api.rs")).expect("this file");
    for entry in std::fs::read_dir(root().join("tests/cpp")).expect("tests/cpp") {
        let name = entry.expect("a file").file_name().to_string_lossy().into_owned();
        let used = own.contains(&format!("\"{name}\"")) || name == "check.hpp";
        assert!(used, "nothing builds tests/cpp/{name}");
    }
}
