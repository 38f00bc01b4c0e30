//! Programs and libraries of different age, as real programs: built against one header, run with another library.
#![cfg(unix)] // the options of the compiler, and how libraries are named

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a program of tomorrow knows more.
const TOMORROW: &str = "\nint auricle_tomorrow(void);\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).expect("a file of the repository")
}

/// An empty folder for `name`, with `include/auricle.h` as given.
fn folder(name: &str, header: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("abi").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("include")).expect("target/tmp can be written");
    std::fs::write(folder.join("include/auricle.h"), header).expect("written");
    folder
}

/// The name that a program asks for when it is linked to binary interface `abi`.
fn file_name(abi: &str) -> String {
    if cfg!(target_os = "macos") { format!("libauricle.{abi}.dylib") } else { format!("libauricle.so.{abi}") }
}

/// The library of this very build, under the name that programs of binary interface `abi` ask for.
fn install(folder: &Path, abi: &str) {
    let built = std::env::current_exe().expect("own path");
    let built =
        built.with_file_name(if cfg!(target_os = "macos") { "libauricle.dylib" } else { "libauricle.so" });
    std::fs::copy(built, folder.join(file_name(abi))).expect("copy the library");
}

fn compile(folder: &Path, source: &str, options: &[&str], name: &str) -> PathBuf {
    let file = folder.join(name).with_extension("c");
    std::fs::write(&file, source).expect("written");
    let program = folder.join(name);
    let mut compiler = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    compiler.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"]).arg(folder.join("include")).arg(&file);
    compiler.arg("-o").arg(&program).args(options).arg(format!("-Wl,-rpath,{}", folder.display()));
    let output = compiler.output().expect("a C compiler");
    assert!(output.status.success(), "{compiler:?}\n{}", String::from_utf8_lossy(&output.stderr));
    program
}

fn run(program: &Path) -> Output {
    let model = root().join("tests/data/tiny.onnx");
    Command::new(program).arg(model).stdin(std::process::Stdio::null()).output().expect("the program starts")
}

/// The program that opens a header.
fn opening_program(header: &str) -> String {
    let code = |line: &&str| line.starts_with(" *     ") || *line == " *";
    let lines = header.lines().skip_while(|line| !line.contains("#include <auricle.h>")).take_while(code);
    lines.map(|line| line.get(7..).unwrap_or("")).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn a_program_of_the_last_release_runs_with_todays_library() {
    let header = read("tests/abi/last/auricle.h");
    let folder = folder("last", &header);
    // Linked by its full name: only the header is old.
    install(&folder, env!("AURICLE_ABI"));
    let library = folder.join(file_name(env!("AURICLE_ABI")));
    let source = opening_program(&header);
    assert!(source.contains("auricle_session_read"), "{source}");
    let program = compile(&folder, &source, &[library.to_str().expect("UTF-8")], "program");
    // Half a second of silence, and the end.
    let mut command = Command::new(&program);
    command.arg(root().join("tests/data/tiny.onnx")).stdin(std::process::Stdio::piped());
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("the program starts");
    let sound = vec![0_u8; 2 * 2 * 96_000];
    let mut pipe = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut pipe, &sound));
    let output = child.wait_with_output().expect("it ends");
    let _ = writer.join();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{out}");
    assert_eq!(out.lines().count(), 5, "2 s, windows of 1 s every 0.25 s:\n{out}");
}

/// A program that was built against tomorrow's header and a library of tomorrow, of binary interface `abi`. Beside it
/// lies the library of today.
fn of_tomorrow(name: &str, abi: &str) -> PathBuf {
    let folder = folder(name, &(read("include/auricle.h") + TOMORROW));
    let soname = match cfg!(target_os = "macos") {
        true => format!("-Wl,-install_name,@rpath/{}", file_name(abi)),
        false => format!("-Wl,-soname,{}", file_name(abi)),
    };
    let library = compile(
        &folder,
        "#include <auricle.h>\nint auricle_tomorrow(void) { return 1; }\n",
        &["-shared", "-fPIC", &soname],
        "libtomorrow.so",
    );
    let source = "#include <auricle.h>\nint main(void) { return auricle_tomorrow() != 1; }\n";
    let program = compile(&folder, source, &[library.to_str().expect("UTF-8")], "program");
    std::fs::remove_file(library).expect("tomorrow is gone");
    install(&folder, env!("AURICLE_ABI"));
    program
}

#[test]
fn a_program_that_needs_a_newer_binary_interface_does_not_start_and_the_loader_names_it() {
    let program = of_tomorrow("newer", "0.999");
    let output = run(&program);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains(&file_name("0.999")), "{message}");
}

#[test]
fn a_function_that_the_library_lacks_is_named_when_the_program_starts_or_calls_it() {
    let program = of_tomorrow("function", env!("AURICLE_ABI"));
    let output = run(&program);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains("auricle_tomorrow"), "{message}");
}

#[test]
fn an_option_that_the_library_does_not_know_is_refused_with_its_place_and_the_version() {
    let folder = folder("option", &read("include/auricle.h"));
    install(&folder, env!("AURICLE_ABI"));
    let library = folder.join(file_name(env!("AURICLE_ABI")));
    // The options of tomorrow: today's, and one more.
    let source = "#include <auricle.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    struct { auricle_session_options known; uint64_t tomorrow; } options;
    auricle_model *model = NULL;
    auricle_session *session = NULL;
    if (argc < 2 || auricle_model_load(argv[1], NULL, &model) != AURICLE_OK)
        return fprintf(stderr, \"%s\\n\", auricle_last_error()), 1;
    memset(&options, 0, sizeof options);
    options.known.struct_size = sizeof options;
    options.known.sample_rate = 16000;
    options.known.channels = 1;
    if (auricle_session_create(model, &options.known, &session) != AURICLE_OK)
        return fprintf(stderr, \"unset, it must do no harm: %s\\n\", auricle_last_error()), 1;
    auricle_session_free(session);
    options.tomorrow = 1;
    if (auricle_session_create(model, &options.known, &session) != AURICLE_INVALID_ARGUMENT)
        return fprintf(stderr, \"it was taken\\n\"), 1;
    puts(auricle_last_error());
    auricle_model_free(model);
    return 0;
}
";
    let program = compile(&folder, source, &[library.to_str().expect("UTF-8")], "program");
    let output = run(&program);
    let [out, error] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(output.status.success(), "{error}");
    let version = concat!("is not known to Auricle ", env!("CARGO_PKG_VERSION"));
    assert!(out.contains(version) && out.contains("use a newer library"), "{out}");
}
