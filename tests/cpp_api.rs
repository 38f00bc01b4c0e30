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

use programs::{WARNINGS, build, exists, finish, folder, install, root, run, say};

/// What C has no use for.
const CPP_WARNINGS: [&str; 2] = ["-Wold-style-cast", "-Wsign-conversion"];

/// Programs of tests/cpp and the files that they are made of. The test of seeded faults has another one.
const PROGRAMS: [(&str, &[&str]); 16] = [
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
    ("outputs", &["outputs.cpp"]),
    ("provider", &["provider.cpp"]),
    ("read_many", &["read_many.cpp"]),
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

/// The compiler of the programs that are run: `AURICLE_CXX`, or g++.
fn compiler() -> String {
    std::env::var("AURICLE_CXX").unwrap_or_else(|_| "g++".into())
}

/// Builds a program of tests/cpp with the C++ compiler, against the library in `folder`.
fn program(folder: &Path, name: &str, files: &[&str]) -> PathBuf {
    let mut options = options("-std=c++17");
    if !files.iter().any(|file| throws(file)) {
        options.extend(["-fno-exceptions", "-fno-rtti"]);
    }
    let sources: Vec<_> = files.iter().map(|file| root().join("tests/cpp").join(file)).collect();
    build(&compiler(), &options, folder, name, &sources)
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
    let program =
        build(&compiler(), &options("-std=c++17"), &folder, "program", &[folder.join("program.cpp")]);

    let sound: Vec<u8> = (0..2 * 96_000_i64).flat_map(|k| ((k * k % 7919) as i16).to_le_bytes()).collect();
    let out = run(&program, &["tiny.onnx"], &sound);
    assert_eq!(out.lines().count(), 5, "2 s, windows of 1 s every 0.25 s:\n{out}");
    assert!(out.contains("   1.00 s  "), "{out}");
    let mut missing = Command::new(program);
    let output = missing.arg("no_such.onnx").output().expect("start");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains("no_such.onnx"), "{message}");
}

#[test]
fn the_program_of_the_readme_works() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let source =
        readme.split("```cpp\n").nth(1).and_then(|text| text.split("```").next()).expect("a program");
    let folder = folder("readme");
    install(&folder);
    std::fs::write(folder.join("readme.cpp"), source).expect("write the program");
    let program = build(&compiler(), &options("-std=c++17"), &folder, "readme", &[folder.join("readme.cpp")]);
    let mut command = Command::new(program);
    let output = finish("readme", command.current_dir(root()), &[]);
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.lines().count() == 10 && out.contains("helicopter "), "{out}");
}

/// Builds a program of examples/cpp against the library in `folder`, as a reader would, with all warnings.
fn example(folder: &Path, name: &str, source: &str, more: &[&str]) -> PathBuf {
    let options = [&["-std=c++17"][..], &CPP_WARNINGS, more].concat();
    build(&compiler(), &options, folder, name, &[root().join(source)])
}

/// Four seconds in which it crackles, as a fire does: bursts of noise that decay, 26 a second.
fn crackling(folder: &Path) -> PathBuf {
    let path = folder.join("crackling.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 22_050,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).expect("a WAV file");
    let mut state = 1_u64;
    let mut random = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        state as f64 / f64::from(1_u32 << 31)
    };
    let mut level = 0.0;
    for _ in 0..4 * 22_050 {
        if random() < 0.0012 {
            level = random();
        }
        level *= 0.99;
        let sample = level * (2.0 * random() - 1.0) * 0.9 + 0.01 * (2.0 * random() - 1.0);
        (0..2).for_each(|_| writer.write_sample((sample * 32_767.0) as i16).expect("a sample"));
    }
    writer.finalize().expect("a WAV file");
    path
}

/// The bundled model, seen from tests/data.
const BUNDLED: &str = "../../models/esc10.onnx";

#[test]
fn the_examples_hear_the_same_events() {
    let folder = folder("examples");
    install(&folder);
    let wav = crackling(&folder);
    let wav = wav.to_str().expect("UTF-8");
    let hear = |name: &str| {
        let program = example(&folder, name, &format!("examples/cpp/{name}.cpp"), &[]);
        let out = run(&program, &[BUNDLED, wav], &[]);
        let missing = Command::new(&program).args(["no_such.onnx", wav]).output().expect("start");
        let message = String::from_utf8_lossy(&missing.stderr);
        assert!(!missing.status.success() && message.contains("no_such.onnx"), "{name}: {message}");
        let unread = Command::new(&program).args([BUNDLED, BUNDLED]).output().expect("start");
        assert!(!unread.status.success() && !unread.stderr.is_empty(), "{name} takes what is no sound");
        out
    };
    // classify: "0.00 s to 4.00 s: fire_crackling, up to 0.95"; capture: "4.00 s: fire_crackling ends"
    let classified = hear("classify");
    let mut wanted: Vec<_> = classified
        .lines()
        .filter_map(|line| line.split_once(" s to ")?.1.split_once(", "))
        .map(|(event, _)| event)
        .collect();
    assert!(!wanted.is_empty(), "no events:\n{classified}");
    let captured = hear("capture");
    let mut ends: Vec<_> = captured.lines().filter_map(|line| line.strip_suffix(" ends")).collect();
    wanted.sort_unstable();
    ends.sort_unstable();
    assert_eq!(wanted, ends, "classify, and capture:\n{captured}");

    let counted = hear("event_loop");
    let total: usize =
        counted.lines().filter_map(|line| line.split_once(": ")?.1.parse::<usize>().ok()).sum();
    assert_eq!(total, wanted.len(), "event_loop:\n{counted}");
}

#[test]
fn a_juce_plug_in_hears_while_its_host_prepares_and_releases() {
    let folder = folder("juce");
    install(&folder);
    let wav = crackling(&folder);
    let own = [
        "-fno-exceptions",
        concat!("-I", env!("CARGO_MANIFEST_DIR"), "/tests/cpp/juce"),
        concat!("-I", env!("CARGO_MANIFEST_DIR"), "/examples/cpp/juce"),
        concat!("-I", env!("CARGO_MANIFEST_DIR"), "/examples/cpp"),
    ];
    let host = example(&folder, "juce_host", "tests/cpp/juce_host.cpp", &own);
    let out = run(&host, &[BUNDLED, wav.to_str().expect("UTF-8")], &[]);
    let lines: Vec<_> = out.lines().collect();
    assert!(lines.len() >= 2 && lines.len().is_multiple_of(2), "{out}");
    assert_eq!(lines[..lines.len() / 2], lines[lines.len() / 2..], "both rounds:\n{out}");
    let output =
        Command::new(host).args(["no_such.onnx", wav.to_str().expect("UTF-8")]).output().expect("start");
    let problems = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && problems.contains("problem: no_such.onnx"), "{problems}");
}

/// The messages of docs/errors.md are those that the library has. `cargo xtask errors` writes it.
#[test]
fn what_to_do_about_errors_is_said_of_real_messages() {
    if cfg!(not(target_os = "linux")) {
        return say("SKIPPED: docs/errors.md, which has the messages of Linux");
    }
    let folder = folder("errors");
    install(&folder);
    let program = program(&folder, "errors", &["errors.cpp"]);
    let runtime = std::env::var("ORT_DYLIB_PATH").expect("cargo sets it");
    // Not under a tool: it limits its memory.
    let output = finish("errors", Command::new(program).arg(".").current_dir(root().join("tests/data")), &[]);
    let runtime = std::fs::canonicalize(runtime).map(|path| path.display().to_string());
    let runtime = runtime.expect("`cargo xtask setup` has put it there");
    let link = std::env::var("ORT_DYLIB_PATH").expect("cargo sets it");
    let data = root().join("tests/data").display().to_string();
    let page = String::from_utf8(output.stdout).expect("UTF-8");
    let page = [&runtime, &link]
        .into_iter()
        .fold(page, |page, path| page.replace(path, "/app/lib/libonnxruntime.so"));
    let page = page.replace(&data, "/app");

    let place = root().join("docs/errors.md");
    if std::env::var_os("AURICLE_WRITE").is_some() {
        return std::fs::write(place, page).expect("docs can be written");
    }
    let kept = std::fs::read_to_string(place).expect("docs/errors.md");
    let lines = kept.lines().zip(page.lines()).find(|(kept, new)| kept != new);
    assert!(kept == page, "docs/errors.md is not what the library says; run `cargo xtask errors`\n{lines:?}");
}

/// Another ONNX Runtime, linked by the same program.
#[test]
#[ignore = "needs the folder of another ONNX Runtime in AURICLE_OTHER_RUNTIME, its version in AURICLE_OTHER_VERSION: .ci/run two_runtimes"]
fn a_program_that_links_another_onnx_runtime_has_both() {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set"));
    let (other, version) = (variable("AURICLE_OTHER_RUNTIME"), variable("AURICLE_OTHER_VERSION"));
    let folder = folder("two_runtimes");
    install(&folder);
    for name in ["libonnxruntime.so", "libonnxruntime.so.1"] {
        let from = Path::new(&other).join(format!("libonnxruntime.so.{version}"));
        std::fs::copy(from, folder.join(name)).expect("the other ONNX Runtime");
    }
    let source = root().join("tests/cpp/two_runtimes.cpp");
    let linked = folder.join("libonnxruntime.so");
    let program = build(&compiler(), &options("-std=c++17"), &folder, "two_runtimes", &[source, linked]);
    run(&program, &[".", &version], &[]);
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
        let names = [format!("\"{name}\""), format!("/{name}\"")];
        let used = names.iter().any(|name| own.contains(name)) || name == "check.hpp";
        assert!(used, "nothing builds tests/cpp/{name}");
    }
}
