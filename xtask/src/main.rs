//! Everything that a developer runs: `cargo xtask <verb>`.

mod abi;
mod bench;
mod demo;
mod dist;
mod golden;
mod header;
mod pip;
mod providers;
mod scene;
mod setup;
mod shell;
mod target;
mod test;
mod version;

use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask <verb>

  setup [--target TRIPLE]
                  fetch ONNX Runtime into target/onnxruntime (the other verbs call it when needed), or that of another
                  platform into target/onnxruntime-SYSTEM-PROCESSOR
  setup --gpu     fetch ONNX Runtime with CUDA, and NVIDIA's libraries for it, into target/onnxruntime-gpu (1.6 GB)
  setup --provider NAME…
                  fetch what a provider needs: gpu, cuda (the two of --gpu), openvino, webgpu
  test            run every test
  demo [FILE…]    build the library and a C program, and classify recordings with the bundled model
  dist [--library] [--target TRIPLE] [--glibc RELEASE] [--tree FOLDER]
                  pack what is shipped into target/dist/auricle-VERSION-TARGET.tar.gz, without the programs or for an old
                  glibc if you like; or only lay it out in a folder
  dist --apple    pack the Swift package for apps, with xcframeworks for iOS, into target/dist/auricle-swift-VERSION.tar.gz
  dist --swift FOLDER
                  lay out the Swift package alone, for systems where the library is installed
  bench           measure the ratios of benches/README.md; installs the peers (torch among them, 6 GB)
  header [--check]
                  write include/auricle.h and docs/statuses.md from src/ffi, or check that they are up to date
  errors          write docs/errors.md from what the library answers to mistakes
  abi [--accept]  compare include/auricle.h with that of the last release, or take it for that
  golden [--check]
                  compute tests/golden by its Python script, or check that it is up to date";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["setup"] => setup::run(),
        ["setup", "--target", triple] => setup::run_for_target(triple),
        ["setup", "--gpu"] => providers::run(&["gpu", "cuda"]),
        ["setup", "--provider", ref names @ ..] => providers::run(names),
        ["test"] => test::run_all(),
        ["bench"] => bench::run_all(),
        ["golden"] => golden::make(false),
        ["golden", "--check"] => golden::make(true),
        ["abi"] => abi::run(false),
        ["abi", "--accept"] => abi::run(true),
        ["demo", ref files @ ..] => demo::run_on(files),
        ["dist", ref arguments @ ..] => dist::run_with(arguments),
        ["header"] => header::run(false),
        ["header", "--check"] => header::run(true),
        ["errors"] => test::write_errors(),
        [] | ["help" | "-h" | "--help"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("unknown command: {}\n\n{HELP}", words.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("cargo xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
