//! The C tests of tests/c, built with every compiler that is there, as C and as C++, and run against the library as
//! programs use it. `support/programs.rs` says which variables change how they are built and run.
#![cfg(unix)] // the options of the compilers, and how libraries are named

#[path = "support/looping.rs"]
mod looping;
#[path = "support/onnx.rs"]
mod onnx;
#[path = "support/programs.rs"]
mod programs;

use std::path::{Path, PathBuf};
use std::process::Command;

use programs::{
    WARNINGS, build, built, compile, exists, finish, folder, install, root, run, run_rounds, say,
};

/// Programs of tests/c and the files that they are made of.
const PROGRAMS: [(&str, &[&str]); 16] = [
    ("header", &["header.c", "header_other.c"]),
    ("status", &["status.c"]),
    ("log", &["log.c"]),
    ("runtime", &["runtime.c"]),
    ("provider", &["provider.c"]),
    ("model", &["model.c"]),
    ("outputs", &["outputs.c"]),
    ("session", &["session.c"]),
    ("classify", &["classify.c"]),
    ("stream", &["stream.c"]),
    ("read_many", &["read_many.c"]),
    ("events", &["events.c"]),
    ("threads", &["threads.c"]),
    ("lifetime", &["lifetime.c"]),
    ("cancel", &["cancel.c"]),
    ("process", &["process.c"]),
];

/// The bundled model, seen from tests/data.
const BUNDLED: &str = "../../models/esc10.onnx";

fn a_c_compiler() -> &'static str {
    ["gcc", "clang"].into_iter().find(|compiler| exists(compiler)).expect("gcc or clang is installed")
}

/// Builds every program in every language version, and runs those of the last one.
fn build_and_run(compiler: &str, language: &[&str], versions: &[&str]) {
    if !exists(compiler) {
        return;
    }
    let (folder, tests) = (folder(compiler), root().join("tests/c"));
    install(&folder);
    std::fs::write(folder.join("looping.onnx"), looping::looping(0)).expect("target/tmp can be written");
    let own = folder.to_str().expect("UTF-8");
    // Where ONNX Runtime is linked, no other one can be named: see linked.rs.
    let opened = |(name, _): &(&str, _)| cfg!(feature = "load-dynamic") || *name != "runtime";
    for (name, files) in PROGRAMS.into_iter().filter(opened) {
        let sources: Vec<_> = files.iter().map(|file| tests.join(file)).collect();
        let mut program = PathBuf::new();
        for version in versions {
            let options: Vec<_> = [&[*version][..], language].concat();
            program = build(compiler, &options, &folder, name, &sources);
        }
        run(&program, &[".", BUNDLED, own], &[]);
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
fn a_thousand_rounds_of_create_and_free_do_not_grow() {
    let folder = folder("lifetime");
    install(&folder);
    let source = root().join("tests/c/lifetime.c");
    let program = build(a_c_compiler(), &["-std=c99"], &folder, "lifetime", &[source]);
    run_rounds(&program, &["."], &[], "1000");
}

#[test]
fn pushing_from_a_new_thread_of_a_program_that_loads_the_library_by_hand_allocates_nothing() {
    if cfg!(not(all(target_os = "linux", target_env = "gnu"))) {
        return say("SKIPPED: allocations of push, which are counted with glibc");
    }
    let (program, library) = build_by_hand("realtime");
    // Not under a tool: the program brings its own malloc.
    let mut command = Command::new(&program);
    finish("realtime", command.arg(root().join("tests/data")).arg(library), &[]);
}

/// Builds a program of tests/c that opens the library by hand. Returns the program and the library.
fn build_by_hand(name: &str) -> (PathBuf, PathBuf) {
    let folder = folder(name);
    install(&folder);
    let program = folder.join(name);
    let mut command = compile(a_c_compiler());
    command.args(WARNINGS).args(["-std=c99", "-rdynamic", "-pthread", "-I"]).arg(root().join("include"));
    command.arg(root().join(format!("tests/c/{name}.c"))).arg("-o").arg(&program).arg("-ldl");
    finish("build", &mut command, &[]);
    let library = if cfg!(target_os = "macos") { "libauricle.dylib" } else { "libauricle.so" };
    (program, folder.join(library))
}

#[test]
fn the_library_can_be_closed_and_opened_again_and_be_there_twice() {
    let (program, library) = build_by_hand("unload");
    let copy = library.with_file_name("copy");
    std::fs::copy(&library, &copy).expect("copy the library");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    run_rounds(&program, &[".", &path(&library), &path(&copy)], &[], "100");
}

#[test]
fn the_state_of_the_hosts_floating_point_unit_is_neither_used_nor_changed() {
    if cfg!(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))) {
        return say("SKIPPED: floating-point exceptions, which are unmasked with glibc on x86-64");
    }
    let folder = folder("float_env");
    install(&folder);
    let source = root().join("tests/c/float_env.c");
    let program = build(a_c_compiler(), &["-std=c99"], &folder, "float_env", &[source]);
    // Not under a tool: valgrind computes in a state of its own.
    let mut command = Command::new(program);
    finish("float_env", command.args([".", BUNDLED]).current_dir(root().join("tests/data")), &[]);
}

#[test]
#[ignore = "needs a library and AURICLE_CFLAGS with the sanitizers: .ci/run sanitizers"]
fn the_sanitizers_report_seeded_faults() {
    let folder = folder("seeded_fault");
    install(&folder);
    let source = root().join("tests/c/seeded_fault.c");
    let program = build(a_c_compiler(), &["-std=c99"], &folder, "seeded_fault", &[source]);
    run(&program, &[".", "none"], &[]);
    for (fault, report) in [
        ("freed", "heap-use-after-free"),
        ("overflow", "heap-buffer-overflow"),
        ("leak", "LeakSanitizer: detected memory leaks"),
        ("undefined", "signed integer overflow"),
    ] {
        let mut command = Command::new(&program);
        let output =
            command.args([".", fault]).current_dir(root().join("tests/data")).output().expect("start");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && message.contains(report), "{fault}: {message}");
    }
}

#[test]
#[cfg(feature = "load-dynamic")]
fn onnx_runtime_is_found_beside_a_library_that_was_opened_by_a_relative_path() {
    let folder = folder("own_folder");
    let library = folder.join("lib");
    std::fs::create_dir(&library).expect("a folder");
    install(&library);
    let runtime = std::env::var_os("ORT_DYLIB_PATH").expect("cargo sets it");
    let runtime = std::fs::canonicalize(runtime).expect("`cargo xtask setup` has put it there");
    std::os::unix::fs::symlink(runtime, library.join("libonnxruntime.so")).expect("link ONNX Runtime");
    let program = folder.join("own_folder");
    let mut command = compile(a_c_compiler());
    command.args(WARNINGS).args(["-std=gnu99", "-Wno-pedantic", "-I"]).arg(root().join("include"));
    command.arg(root().join("tests/c/own_folder.c")).arg("-o").arg(&program).arg("-ldl");
    finish("build", &mut command, &[]);
    // What lies beside the program is not meant.
    std::fs::write(folder.join("libonnxruntime.so"), "a decoy").expect("written");
    finish("own_folder", Command::new(&program).arg(&folder).env_remove("ORT_DYLIB_PATH"), &[]);
}

#[test]
fn a_program_links_the_static_library() {
    let folder = folder("static");
    std::fs::copy(built("libauricle.a"), folder.join("libauricle.a")).expect("copy the library");
    let native = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];
    let program = folder.join("stream");
    let mut command = compile(a_c_compiler());
    command.arg("-I").arg(root().join("include")).arg(root().join("tests/c/stream.c"));
    command.arg(folder.join("libauricle.a"));
    if cfg!(not(feature = "load-dynamic")) {
        command.arg("-L").arg(std::env::var("ORT_LIB_PATH").expect("it was linked from there"));
        command.arg("-lonnxruntime");
    }
    command.args(native).arg("-o").arg(&program);
    finish("build", &mut command, &[]);
    run(&program, &["."], &[]);
}

#[test]
fn the_program_that_opens_the_header_works() {
    let header = std::fs::read_to_string(root().join("include/auricle.h")).expect("the header");
    let code = |line: &&str| line.starts_with(" *     ") || *line == " *";
    let lines = header.lines().skip_while(|line| !line.contains("#include <auricle.h>")).take_while(code);
    let source = lines.map(|line| line.get(7..).unwrap_or("")).collect::<Vec<_>>().join("\n") + "\n";
    let folder = folder("program");
    install(&folder);
    std::fs::write(folder.join("program.c"), source).expect("write the program");
    let program = build(a_c_compiler(), &["-std=c99"], &folder, "program", &[folder.join("program.c")]);

    let sound: Vec<u8> = (0..2 * 96_000_i64).flat_map(|k| ((k * k % 7919) as i16).to_le_bytes()).collect();
    let out = run(&program, &["tiny.onnx"], &sound);
    assert_eq!(out.lines().count(), 5, "2 s, windows of 1 s every 0.25 s:\n{out}");
    assert!(out.contains("   1.00 s  "), "{out}");
}

#[test]
fn the_example_reads_a_wav_file_and_raw_floats_alike() {
    let folder = folder("example");
    install(&folder);
    let program =
        build(a_c_compiler(), &["-std=c99"], &folder, "classify", &[root().join("examples/c/classify.c")]);

    let samples: Vec<i16> = (0..2 * 44_100_i64).map(|k| (k * k % 7919) as i16).collect();
    let raw: Vec<u8> =
        samples.iter().flat_map(|&sample| (f32::from(sample) / 32_768.0).to_ne_bytes()).collect();
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample: 16, sample_format };
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).expect("a WAV file");
    samples.iter().for_each(|sample| writer.write_sample(*sample).expect("a sample"));
    writer.finalize().expect("a WAV file");
    let mut wav = file.into_inner();
    wav.splice(12..12, *b"LIST\x03\0\0\0abc\0"); // another chunk first, of an odd length
    let path = folder.join("sound.wav");
    std::fs::write(&path, &wav).expect("write the file");

    let from_file = run(&program, &["tiny.onnx", path.to_str().expect("UTF-8")], &[]);
    let from_pipe = run(&program, &["tiny.onnx", "-", "44100", "2"], &raw);
    let lines = |out: &str| out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&from_file), lines(&from_pipe));
    assert_eq!(lines(&from_file).len(), 1, "1 s is one window:\n{from_file}");
    assert!(
        from_file.contains("44100 Hz, 2 channels, 3 classes") && from_file.contains(" low "),
        "{from_file}"
    );

    for (name, bytes, problem) in [
        ("text.wav", &b"not audio"[..], "is not a WAV file"),
        ("cut.wav", &wav[..30], "ends before its data"),
        ("missing.wav", &[][..], "cannot be opened"),
    ] {
        let path = folder.join(name);
        if !bytes.is_empty() {
            std::fs::write(&path, bytes).expect("write the file");
        }
        let output = Command::new(&program).arg("tiny.onnx").arg(path).output().expect("start");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && message.contains(problem), "{name}: {message}");
    }
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

    let header = std::fs::read_to_string(root().join("include/auricle.h")).expect("the header");
    let (_, declarations) = header.split_once("#ifdef __cplusplus").expect("what is declared");
    let mut declared: Vec<_> = declarations
        .split("AURICLE_API")
        .skip(1)
        .filter_map(|text| text.split_once('(')?.0.rsplit([' ', '*', '\n']).next())
        .collect();
    declared.sort_unstable();
    assert_eq!(exported, declared, "exported, and declared in include/auricle.h");
}

/// A program that was added to tests/c and forgotten here would never run.
#[test]
fn every_file_of_tests_c_is_used() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).expect("a file of the repository");
    let users = ["tests/c_api.rs", "tests/runtime.rs", ".ci/hosts"].map(read).concat();
    for entry in std::fs::read_dir(root().join("tests/c")).expect("tests/c") {
        let name = entry.expect("a file").file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".c") {
            let names = [format!("\"{name}\""), format!("/{name}"), format!("\"{stem}\"")];
            assert!(names.iter().any(|name| users.contains(name)), "nothing builds tests/c/{name}");
        }
    }
}
