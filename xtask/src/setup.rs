//! `cargo xtask setup`: ONNX Runtime, pinned, into `target/onnxruntime/`.
//!
//! 1.28.0 is the last release whose official builds hold no telemetry; see SECURITY.md.

use std::fs;
use std::path::{Path, PathBuf};

use crate::pip::{self, Wheel};
use crate::shell::{root, say};
use crate::target::Target;

const REQUIREMENT: &str = "onnxruntime==1.28.0";
pub const VERSION: &str = "1.28.0";
/// What the wheel has to say of its licence, and of those of what is in it.
pub const LICENCES: [&str; 2] = ["LICENSE", "ThirdPartyNotices.txt"];

/// The wheel for a platform, as `std::env::consts` names it.
fn wheel(os: &str, arch: &str) -> Result<Wheel, String> {
    let (platforms, sha256, bytes): (&[&str], _, _) = match (os, arch) {
        ("linux", "x86_64") => (
            &["manylinux_2_28_x86_64", "manylinux_2_27_x86_64"],
            "0a83bdb70d143cede762b677789bf2a7acca54b3fb82565601d5c30695aa933c",
            19_214_257,
        ),
        ("linux", "aarch64") => (
            &["manylinux_2_28_aarch64", "manylinux_2_27_aarch64"],
            "4e81a23df16e7acb9d51b06d30cc098e49315ef9180f97bc2221d167b4b04d9c",
            17_050_628,
        ),
        ("macos", "aarch64") => (
            &["macosx_14_0_arm64"],
            "26ff0fdd06efb6c155bae95387a09db1a2be89c7a03e4d0bffd5a171cc2826da",
            19_141_362,
        ),
        ("windows", "x86_64") => {
            (&["win_amd64"], "c35064f9b3c43c81c5d5d282091401d0f1ff22796d93ccade4ea2ece5e137ab8", 13_755_036)
        }
        ("windows", "aarch64") => {
            (&["win_arm64"], "e02feeb0165c5f13b4cc954738078d59b90128516ac12b671ee24a530242bf02", 13_454_462)
        }
        ("macos", "x86_64") => {
            return Err(format!(
                "there is no {REQUIREMENT} wheel for macOS on x86_64 (the last one is 1.23.2, and Auricle needs \
                 1.24 or newer); build ONNX Runtime yourself and set ORT_DYLIB_PATH to its library"
            ));
        }
        _ => {
            return Err(format!(
                "there is no {REQUIREMENT} wheel for {os} on {arch}; set ORT_DYLIB_PATH to an ONNX Runtime \
                 library of version 1.24 or newer"
            ));
        }
    };
    Ok(Wheel { requirement: REQUIREMENT, platforms, sha256, bytes })
}

/// Puts ONNX Runtime into `target/onnxruntime/`; does nothing when it is there.
pub fn run() -> Result<(), String> {
    run_for(&Target::host()?).map(drop)
}

/// The same for a platform, another one's in a folder of its own. Returns the library's file.
pub fn run_for(target: &Target) -> Result<PathBuf, String> {
    let (os, arch) = (target.os(), target.arch());
    if target.triple.contains("-musl") {
        return Err(format!(
            "there is no {REQUIREMENT} wheel for musl; set ORT_DYLIB_PATH to a library of your own"
        ));
    }
    let own = (os, arch) == (std::env::consts::OS, std::env::consts::ARCH);
    // Always the repository's own folder: `.cargo/config.toml` points there, wherever cargo's output goes.
    let name = if own { "onnxruntime".into() } else { format!("onnxruntime-{os}-{arch}") };
    let place = root().join("target").join(name);
    put_into(&place, &wheel(os, arch)?)?;
    fs::canonicalize(place.join("onnxruntime")).map_err(|e| format!("{}: {e}", place.display()))
}

/// The same, for a target of rustc.
pub fn run_for_target(triple: &str) -> Result<(), String> {
    let library = run_for(&Target { triple: triple.into(), glibc: None })?;
    say(format_args!("{REQUIREMENT} for {triple} is {}", library.display()));
    Ok(())
}

fn put_into(place: &Path, wheel: &Wheel) -> Result<(), String> {
    if is_ready(place, wheel) {
        return Ok(());
    }
    say(format_args!("ONNX Runtime is not in {} yet", place.display()));
    // Everything happens in a folder of this process's own; the last step puts it in place in one go.
    let partial = place.with_file_name(format!("onnxruntime.partial-{}", std::process::id()));
    let outcome = fetch(wheel, &partial).and_then(|()| put(&partial, place, wheel));
    let _ = fs::remove_dir_all(&partial);
    outcome?;
    say(format_args!("{REQUIREMENT} is ready in {}", place.display()));
    Ok(())
}

/// The library that `run` puts in place.
pub fn library() -> PathBuf {
    root().join("target").join("onnxruntime").join("onnxruntime")
}

/// The stamp says which wheel was unpacked; it is written last.
fn is_ready(place: &Path, wheel: &Wheel) -> bool {
    fs::read_to_string(place.join("wheel.sha256")).is_ok_and(|stamp| stamp == wheel.sha256)
        && fs::metadata(place.join("onnxruntime")).is_ok_and(|library| library.len() > 1_000_000)
        && LICENCES.iter().all(|name| place.join(name).exists())
}

fn fetch(wheel: &Wheel, folder: &Path) -> Result<(), String> {
    let download = folder.join("download");
    let file = pip::download(wheel, &download)?;
    let prefixes = [
        "onnxruntime/capi/libonnxruntime",
        "onnxruntime/capi/onnxruntime.dll",
        "onnxruntime/capi/onnxruntime_providers",
        "onnxruntime/LICENSE",
        "onnxruntime/ThirdPartyNotices.txt",
    ];
    pip::unpack(&file, &prefixes, folder)?;
    fs::remove_dir_all(&download).map_err(|e| format!("{}: {e}", download.display()))?;
    let names = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let library = names
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find(|name| ["so.1.28.0", "1.28.0.dylib", "onnxruntime.dll"].iter().any(|end| name.ends_with(end)))
        .ok_or_else(|| format!("the wheel {} holds no ONNX Runtime library", file.display()))?;
    // One name for `.cargo/config.toml` on every platform.
    link(&library, folder).map_err(|e| format!("{}: {e}", folder.join("onnxruntime").display()))?;
    fs::write(folder.join("wheel.sha256"), wheel.sha256).map_err(|e| format!("{}: {e}", folder.display()))
}

#[cfg(unix)]
fn link(library: &str, folder: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(library, folder.join("onnxruntime"))
}

#[cfg(not(unix))]
fn link(library: &str, folder: &Path) -> std::io::Result<()> {
    fs::copy(folder.join(library), folder.join("onnxruntime")).map(|_| ())
}

fn put(partial: &Path, place: &Path, wheel: &Wheel) -> Result<(), String> {
    let _ = fs::remove_dir_all(place);
    match fs::rename(partial, place) {
        Ok(()) => Ok(()),
        // Another `setup` was faster.
        Err(_) if is_ready(place, wheel) => Ok(()),
        Err(e) => Err(format!("{} -> {}: {e}", partial.display(), place.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intel_mac_is_told_the_last_release_that_runs_there() {
        let message = wheel("macos", "x86_64").err().expect("no wheel");
        assert!(message.contains("1.23.2") && message.contains("ORT_DYLIB_PATH"), "{message}");
        assert!(wheel("linux", "riscv64").err().expect("no wheel").contains("riscv64"));
    }

    #[test]
    fn musl_does_not_get_a_library_that_needs_glibc() {
        let target = Target { triple: "x86_64-unknown-linux-musl".into(), glibc: None };
        assert!(run_for(&target).expect_err("no wheel").contains("ORT_DYLIB_PATH"));
    }

    #[test]
    fn a_stamp_without_the_library_does_not_count() {
        let place = std::env::temp_dir().join(format!("auricle-setup-{}", std::process::id()));
        fs::create_dir_all(&place).expect("a temporary folder");
        let wheel = wheel("linux", "x86_64").expect("a wheel");
        fs::write(place.join("wheel.sha256"), wheel.sha256).expect("a stamp");
        let stamp_alone = is_ready(&place, &wheel);
        fs::write(place.join("onnxruntime"), vec![0; 1_000_001]).expect("a library");
        LICENCES.iter().for_each(|name| fs::write(place.join(name), "").expect("a licence"));
        let both = is_ready(&place, &wheel);
        fs::write(place.join("wheel.sha256"), "another").expect("a stamp");
        let other_wheel = is_ready(&place, &wheel);
        let _ = fs::remove_dir_all(&place);
        assert_eq!((stamp_alone, both, other_wheel), (false, true, false));
    }
}
