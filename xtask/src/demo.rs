//! `cargo xtask demo [FILE…]`: the library, a C program that links it, and recordings classified by the bundled model.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::dist::{self, tree::Tree};
use crate::shell::{cargo, root, run, say};
use crate::target::Target;
use crate::{pip, scene, setup};

/// The default recording: 8.3 s of a helicopter, mono, 22050 Hz. It lies in the examples of the crate
/// `fyrox-sound` (MIT), so cargo itself can fetch it.
const CRATE: (&str, &str) = ("fyrox-sound", "1.0.1");
const RECORDING: &str = "examples/data/helicopter.wav";
const RECORDING_SHA256: &str = "da6447feabc45a1a88f189f3de48555c23a741df9a33602dfa5d7895acbe5458";

/// Builds everything and classifies `files`, or the default recording when there are none.
pub fn run_on(files: &[&str]) -> Result<(), String> {
    if cfg!(windows) {
        return Err("the demo compiles its C program with a Unix compiler's options; on Windows use \
                    `cargo run -p auricle-cli -- classify FILE` instead"
            .into());
    }
    setup::run()?;
    let folder = root().join("target").join("demo");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let program = compile(&folder)?;
    let recordings =
        if files.is_empty() { vec![default_recording(&folder)?] } else { as_wav(files, &folder)? };
    let model = root().join("models").join("esc10.onnx");
    let runtime = env::var_os("ORT_DYLIB_PATH").unwrap_or_else(|| setup::library().into());
    for recording in &recordings {
        println!();
        hear(Command::new(&program).arg(&model).arg(recording).env("ORT_DYLIB_PATH", &runtime))?;
    }
    if recordings.iter().any(|path| path.ends_with(RECORDING)) {
        println!("\nIt is a helicopter. All windows with their scores: target/demo/classify MODEL FILE");
    }
    println!("{LINK}");
    Ok(())
}

/// How to link what was built here. CMake, pkg-config and an installation are in docs/.
const LINK: &str = "
To link the library from C, or from C++17 with <auricle.hpp> and c++:
  cc main.c -Iinclude -Ltarget/demo/lib -lauricle -Wl,-rpath,$PWD/target/demo/lib -o main
  export ORT_DYLIB_PATH=$PWD/target/onnxruntime/onnxruntime
  ./main models/esc10.onnx";

/// Runs the program and shows the events that it hears, each once it is over.
fn hear(program: &mut Command) -> Result<(), String> {
    let output = program.stderr(Stdio::inherit()).output().map_err(|e| format!("{program:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{program:?}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let over = |line: &&str| line.starts_with("event ") && line.contains(" to ");
    let events: Vec<&str> =
        text.lines().filter(over).filter_map(|line| line.strip_prefix("event ")).collect();
    println!("{}", text.lines().next().unwrap_or_default());
    for event in &events {
        println!("  {event}");
    }
    if events.is_empty() {
        println!("  nothing that the model is sure of");
    }
    Ok(())
}

/// The shared library as it is shipped, and `examples/c/classify.c` linked to it.
fn compile(folder: &Path) -> Result<PathBuf, String> {
    let target = Target::host()?;
    let library = dist::build::library(&target)?;
    let _ = fs::remove_dir_all(folder.join("lib"));
    Tree { folder, target: &target }.shared_library(&library)?;
    let library = folder.join("lib");
    let program = folder.join("classify");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(compiler);
    command.current_dir(root()).args([
        "-std=c99",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Iinclude",
        "examples/c/classify.c",
    ]);
    command.arg("-L").arg(&library).arg("-lauricle").arg(format!("-Wl,-rpath,{}", library.display()));
    run(command.args(["-lm", "-o"]).arg(&program))
        .map_err(|e| format!("{e} (is there a C compiler? CC names it)"))?;
    Ok(program)
}

fn default_recording(folder: &Path) -> Result<PathBuf, String> {
    let name = format!("{}-{}", CRATE.0, CRATE.1);
    let found = find_in_registry(&name).or_else(|| {
        say(format_args!("fetching a recording (1.5 MB): {RECORDING} of the crate {name}, MIT licence"));
        let mut fetch = cargo();
        // `cargo info` downloads this one crate, and not what it depends on.
        fetch.args(["info", "--quiet", &format!("{}@{}", CRATE.0, CRATE.1)]);
        let _ = fetch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        find_in_registry(&name)
    });
    if let Some(recording) = found {
        pip::check(&recording, RECORDING_SHA256)?;
        return Ok(recording);
    }
    say("the recording cannot be fetched (no network?), so here is a scene of synthesised sounds instead:");
    say("4 s of rain-like noise, 4 s of clock-like ticks, 4 s of helicopter-like thuds");
    let path = folder.join("scene.wav");
    scene::write(&path)?;
    Ok(path)
}

/// The recording, if cargo has unpacked its crate on this machine.
fn find_in_registry(name: &str) -> Option<PathBuf> {
    let registries = fs::read_dir(dist::build::cargo_home()?.join("registry").join("src")).ok()?;
    registries
        .filter_map(|entry| Some(entry.ok()?.path().join(name).join(RECORDING)))
        .find(|path| path.is_file())
}

/// The files as 16-bit WAV, which is what the C program reads, in `folder`.
fn as_wav(files: &[&str], folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut wavs = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let file = Path::new(file);
        let audio = auricle_decode::decode(file).map_err(|e| e.to_string())?;
        let wav = folder.join(format!(
            "{}-{}.wav",
            index + 1,
            file.file_stem().unwrap_or_default().to_string_lossy()
        ));
        scene::write_wav(&wav, &audio.samples, audio.channels, audio.sample_rate)?;
        say(format_args!("{} -> {}", file.display(), wav.display()));
        wavs.push(wav);
    }
    Ok(wavs)
}
