//! The command as a citizen of a shell: usage, pipes, names, ONNX Runtime.

mod support;

use std::fs::{self, File};
use std::io::Read;
use std::process::Stdio;

use support::{command, finish, folder, model, run, wav};

#[test]
fn wrong_usage_exits_with_2() {
    let none: [&str; 0] = [];
    for args in [&none[..], &["classify"], &["fly"], &["classify", "--loud", "a.wav"], &["features", "a.wav"]]
    {
        let run = run(args);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(run.stderr.contains("Usage"), "{args:?}: {}", run.stderr);
    }
    assert_eq!(run(["--help"]).clean().stdout.lines().next(), Some("Classifies sound with ONNX models"));
}

/// The microphone is not in every build, and the command says how to get it.
#[cfg(not(feature = "microphone"))]
#[test]
fn listening_without_the_feature_says_what_to_do() {
    let run = run(["listen", "--json"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.lines().count()), (Some(1), "", 1));
    assert!(run.stderr.contains("-p auricle-cli --features microphone"), "{}", run.stderr);
}

#[test]
fn version_names_the_library_and_the_runtime() {
    let text = run(["--version"]).clean().stdout;
    assert!(text.starts_with(&format!("auricle {}\n", auricle::VERSION)), "{text}");
    assert!(text.contains("ONNX Runtime 1."), "{text}");
}

#[test]
fn a_missing_runtime_is_explained() {
    let folder = folder("command_runtime");
    let file = wav(&folder, "a.wav", 1.0);
    let (absent, text) = (folder.join("absent.so"), folder.join("text.so"));
    fs::write(&text, "no library").expect("written");
    for runtime in [&absent, &text] {
        let mut by_option = command();
        by_option.arg("--runtime").arg(runtime);
        let mut by_variable = command();
        by_variable.env("ORT_DYLIB_PATH", runtime);
        for command in [&mut by_option, &mut by_variable] {
            let run = finish(command.arg("classify").arg("-m").arg(model()).arg(&file));
            assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
            assert!(run.stderr.contains(runtime.to_str().expect("UTF-8")), "which file: {}", run.stderr);
            assert!(run.stderr.contains("--runtime"), "what to do: {}", run.stderr);
            assert!(run.stderr.lines().all(|line| line.starts_with("auricle: ")), "{}", run.stderr);
        }
    }
    let none = finish(command().env_remove("ORT_DYLIB_PATH").arg("inspect").arg(model()));
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("ORT_DYLIB_PATH"), "{}", none.stderr);
    // A missing runtime must not keep the version from being told.
    let version = finish(command().env_remove("ORT_DYLIB_PATH").arg("--version"));
    assert_eq!(version.code, Some(0), "{}", version.stderr);
    assert!(version.stdout.starts_with("auricle "), "{}", version.stdout);
    assert!(version.stdout.contains("ORT_DYLIB_PATH is not set"), "why not: {}", version.stdout);
    let version = finish(command().env("ORT_DYLIB_PATH", &text).arg("--version"));
    assert_eq!(version.code, Some(0), "{}", version.stderr);
    let why = format!("could not be opened from {}: ", text.display());
    assert!(version.stdout.lines().count() == 2 && version.stdout.contains(&why), "{}", version.stdout);
}

#[test]
fn a_bad_model_is_named() {
    let folder = folder("command_model");
    let (absent, text) = (folder.join("absent.onnx"), folder.join("text.onnx"));
    fs::write(&text, "no network").expect("written");
    for model in [&absent, &text, &folder] {
        let name = model.to_str().expect("UTF-8");
        for args in [&["inspect", name][..], &["classify", "-m", name, "a.wav"]] {
            let run = run(args);
            assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{args:?}");
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
            assert_eq!(run.stderr.matches(name).count(), 1, "named once: {}", run.stderr);
        }
    }
}

/// Whoever asks, the library's own words; also where the weights do lie in the working folder.
#[test]
fn a_model_with_weights_elsewhere_is_refused_with_what_to_do() {
    let model = model().with_file_name("external.onnx");
    for args in [&["classify", "a.wav", "-m"][..], &["features", "a.wav", "-o", "a.npy", "-m"]] {
        let mut command = command();
        command.current_dir(model.parent().expect("a folder")).args(args).arg(&model);
        let run = finish(&mut command);
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.lines().count()), (Some(1), "", 1), "{args:?}");
        assert!(run.stderr.contains("\"tiny.onnx\""), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains("`auricle-train stamp MODEL.onnx`"), "{args:?}: {}", run.stderr);
    }
}

/// The reader goes away after a few bytes, as `| head -c 10` does.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    let file = wav(&folder("command_pipe"), "a.wav", 5.0);
    let mut child = command()
        .args(["classify", "--json", "--hop", "0.1", "-m"])
        .arg(model())
        .args(vec![&file; 30])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut few = [0; 10];
    child.stdout.take().expect("a pipe").read_exact(&mut few).expect("some output");
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

/// A full disk is an error, even though the output fits into the buffer.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = File::options().write(true).open("/dev/full").expect("/dev/full");
    let run = finish(command().arg("--version").stdout(full));
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.starts_with("auricle: standard output: "), "{}", run.stderr);
}

/// A program that is started without a standard output must not look as if it had printed something.
#[cfg(unix)]
#[test]
fn no_standard_output_is_an_error() {
    let file = wav(&folder("command_closed"), "a.wav", 1.0);
    let shell = |script: &str| {
        let mut shell = std::process::Command::new("sh");
        finish(shell.args(["-c", script, env!("CARGO_BIN_EXE_auricle")]).arg(model()).arg(&file))
    };
    for args in ["--version", "inspect \"$1\"", "classify -m \"$1\" \"$2\""] {
        let run = shell(&format!("\"$0\" {args} >&-"));
        assert_eq!(
            (run.code, run.stderr.as_str()),
            (Some(1), "auricle: standard output: is closed\n"),
            "{args}"
        );
        // Results that nobody wants are another thing.
        for null in [">/dev/null", "1<>/dev/null"] {
            let run = shell(&format!("\"$0\" {args} {null}"));
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args} {null}");
        }
    }
}

/// Linux alone lets a file have any bytes for a name.
#[cfg(target_os = "linux")]
#[test]
fn names_need_not_be_utf8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = folder("command_names");
    let name = OsStr::from_bytes(b"gr\xfc\xdfe.wav"); // Latin-1
    let file = wav(&folder, name, 1.0);
    let its_model = folder.join(OsStr::from_bytes(b"mod\xe8le.onnx"));
    fs::copy(model(), &its_model).expect("copied");
    let array = folder.join(OsStr::from_bytes(b"\xff.npy"));

    let json = finish(command().args(["classify", "--json", "-m"]).arg(&its_model).arg(&file)).clean();
    assert!(json.json()[0]["file"].as_str().is_some_and(|f| f.ends_with("gr\u{fffd}\u{fffd}e.wav")));
    finish(command().arg("features").arg(&file).arg("-m").arg(&its_model).arg("-o").arg(&array)).clean();
    assert!(array.exists());
    finish(command().arg("inspect").arg(&its_model)).clean();

    let absent = folder.join(OsStr::from_bytes(b"\x1b[31m\n\xff.wav"));
    let run = finish(command().args(["classify", "-m"]).arg(&its_model).arg(&absent));
    assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "an escape sequence reaches the terminal: {:?}", run.stderr);
}
