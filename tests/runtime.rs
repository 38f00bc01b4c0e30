//! Files that are given for ONNX Runtime and are not; whose word counts for which file that is.
#![cfg(all(unix, feature = "load-dynamic"))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use auricle::stages::inference::runtime;
use auricle::{RuntimeOptions, Status, open_runtime, open_runtime_with};
use support::process::{alone, child, finish, is_child, within_seconds};

/// An empty folder for `name`.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtime").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("target/tmp can be written");
    folder
}

/// tests/c/decoy.c with one of its faults.
fn decoy(folder: &Path, fault: &str) -> PathBuf {
    let file = folder.join(format!("lib{fault}.so"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/decoy.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&file).arg(format!("-DFAULT={fault}")).arg(source);
    assert!(compiler.status().expect("a C compiler").success());
    file
}

fn good() -> PathBuf {
    std::env::var_os("ORT_DYLIB_PATH").expect("cargo sets it").into()
}

#[test]
fn what_is_not_onnx_runtime_is_refused_and_another_path_still_works() {
    if !is_child() {
        alone("what_is_not_onnx_runtime_is_refused_and_another_path_still_works");
        return;
    }
    let folder = folder("decoys");
    let pipe = folder.join("pipe.so");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let text = folder.join("text.so");
    fs::write(&text, "no library").expect("written");
    let decoys =
        ["NO_BASE", "NO_API", "NO_VERSION", "OLD", "ODD", "NO_SYMBOL"].map(|fault| decoy(&folder, fault));
    let files = [
        (decoys[0].clone(), "OrtGetApiBase gives NULL"),
        (decoys[1].clone(), "no interface of version 24"),
        (decoys[2].clone(), "its version is NULL"),
        (decoys[3].clone(), "its version is 1.23.2; at least 1.24"),
        (decoys[4].clone(), "its version is new; at least 1.24"),
        (decoys[5].clone(), "does not export OrtGetApiBase"),
        (pipe, "a named pipe"),
        (folder.clone(), "a folder"),
        ("/dev/zero".into(), "a device"),
        (text, "text.so"),
        (folder.join("absent.so"), "absent.so"),
    ];
    for (file, reason) in files {
        let opened = within_seconds({
            let file = file.clone();
            move || open_runtime(Some(&file))
        });
        let error = opened.expect_err("must be refused");
        assert_eq!(error.status(), Status::Runtime, "{error}");
        assert!(error.message().contains(reason), "{reason}: {error}");
        assert!(error.message().contains(file.to_str().expect("UTF-8")), "{error}");
        assert_eq!(runtime::file(), None);
    }
    open_runtime(Some(&good())).expect("another path still works");
    assert_eq!(runtime::file(), Some(good()));
    assert!(runtime::version().expect("open").starts_with("1."), "{:?}", runtime::version());
}

/// A library file with one byte changed, which would open as well as the original.
#[test]
fn a_file_that_is_not_as_it_was_published_is_refused_where_only_known_ones_are_wanted() {
    const NAME: &str = "a_file_that_is_not_as_it_was_published_is_refused_where_only_known_ones_are_wanted";
    if !is_child() {
        alone(NAME);
        return;
    }
    let mut known_only = RuntimeOptions::default();
    known_only.known_only = true;
    let changed = folder("changed").join("libonnxruntime.so");
    let mut bytes = fs::read(good()).expect("the library");
    // In the table of sections, which no loader reads.
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(&changed, bytes).expect("written");
    for (file, reason) in [
        (changed.clone(), "not that of an official release"),
        (changed.with_file_name("absent.so"), "it was not compared with the known releases: No such file"),
        (changed.with_file_name("").join("."), "a folder"),
    ] {
        let error = open_runtime_with(Some(&file), &known_only).expect_err("must be refused");
        assert_eq!(error.status(), Status::Runtime, "{error}");
        assert!(error.message().contains(reason), "{reason}: {error}");
        assert_eq!(runtime::file(), None);
    }
    let error = open_runtime_with(Some(&changed), &known_only).expect_err("must be refused");
    assert!(error.message().contains("1.28.0 ("), "it says which are known: {error}");
    open_runtime_with(Some(&good()), &known_only).expect("an official release");
    assert_eq!(runtime::sum().map(str::len), Some(64));
    open_runtime_with(None, &known_only).expect("it was compared");
    fs::remove_file(changed).expect("removed");
}

/// What was opened without a look is not vouched for afterwards.
#[test]
fn a_file_that_was_not_compared_when_it_was_opened_is_not_called_known() {
    if !is_child() {
        alone("a_file_that_was_not_compared_when_it_was_opened_is_not_called_known");
        return;
    }
    open_runtime(Some(&good())).expect("opens");
    let mut known_only = RuntimeOptions::default();
    known_only.known_only = true;
    let error = open_runtime_with(None, &known_only).expect_err("nobody has looked");
    assert_eq!(error.status(), Status::InvalidState, "{error}");
    assert!(error.message().contains("known_only"), "{error}");
    assert_eq!(runtime::sum(), None);
}

/// What is kept for the life of the process is never taken for the file that is asked for next.
#[test]
fn a_runtime_that_does_not_start_is_not_taken_for_another() {
    if !is_child() {
        alone("a_runtime_that_does_not_start_is_not_taken_for_another");
        return;
    }
    let broken = decoy(&folder("broken"), "NO_ENV");
    for _ in 0..2 {
        let error = open_runtime(Some(&broken)).expect_err("its environment cannot be made");
        assert_eq!(error.status(), Status::Runtime, "{error}");
        assert!(error.message().contains("no environment today"), "{error}");
    }
    let error = open_runtime(Some(&good())).expect_err("ONNX Runtime is there once a process");
    assert_eq!(error.status(), Status::Runtime, "{error}");
    assert!(error.message().contains(broken.to_str().expect("UTF-8")), "{error}");
    assert_eq!(runtime::file(), None);
}

/// Of a program that has more rights than who starts it, the environment is a stranger's. A copy of this test becomes
/// such a program, which takes root, or a group more than one.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn the_environment_of_a_set_user_id_program_does_not_choose_the_library() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;

    const NAME: &str = "the_environment_of_a_set_user_id_program_does_not_choose_the_library";
    const NOBODY: u32 = 65_534;
    if is_child() {
        let error = open_runtime(None).expect_err("nothing lies beside the copy");
        assert_eq!(error.status(), Status::Runtime, "{error}");
        let ignored = error.message().contains("ORT_DYLIB_PATH is ignored");
        assert_eq!(ignored, std::env::var_os("RIGHTS").is_some(), "{error}");
        return;
    }
    let ids = |option| {
        let output = Command::new("id").arg(option).output().expect("id");
        let ids = String::from_utf8_lossy(&output.stdout).into_owned();
        ids.split_whitespace().map(|id| id.parse().expect("a number")).collect::<Vec<u32>>()
    };
    let (root, own) = (ids("-u") == [0], ids("-g")[0]);
    let other_group = ids("-G").into_iter().find(|group| *group != own);
    if !root && other_group.is_none() {
        return println!("SKIPPED: a set-user-id program, which takes root (find_by has a test of its own)");
    }
    let folder = std::env::temp_dir().join(format!("auricle-rights-{}", std::process::id()));
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("readable by all");
    let run = |rights: bool| {
        let program = folder.join(if rights { "more" } else { "same" });
        fs::copy(std::env::current_exe().expect("own path"), &program).expect("copied");
        if let (false, Some(group)) = (root, other_group) {
            chown(&program, None, Some(group)).expect("one of the own groups");
        }
        let bits = if root { 0o4755 } else { 0o2755 };
        let mode = if rights { bits } else { 0o755 };
        fs::set_permissions(&program, fs::Permissions::from_mode(mode)).expect("set");
        let mut command = child(&program, NAME);
        command.current_dir("/").env("ORT_DYLIB_PATH", "/their/library.so");
        if rights {
            command.env("RIGHTS", "1");
        }
        if root {
            command.uid(NOBODY).gid(NOBODY);
        }
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| finish(command)))
    };
    let outcomes = [run(false), run(true)];
    fs::remove_dir_all(&folder).expect("removed");
    for outcome in outcomes {
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
}
