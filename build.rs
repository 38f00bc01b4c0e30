//! The names that the library carries inside. Below 1.0 every minor version may change the binary interface, so
//! the name has it too.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let var = |name: &str| env::var(name).unwrap_or_default();
    let abi = match var("CARGO_PKG_VERSION_MAJOR").as_str() {
        "0" => format!("0.{}", var("CARGO_PKG_VERSION_MINOR")),
        major => major.to_string(),
    };
    println!("cargo:rustc-env=AURICLE_ABI={abi}"); // for the tests
    let link = |argument: String| println!("cargo:rustc-cdylib-link-arg=-Wl,{argument}");
    let os = var("CARGO_CFG_TARGET_OS");
    // ONNX Runtime, which stays open, calls back into the library: see `platform::stay_loaded`.
    if matches!(os.as_str(), "linux" | "freebsd" | "android") {
        link("-z,nodelete".into());
    }
    match os.as_str() {
        "linux" | "freebsd" => {
            link(format!("-soname,libauricle.so.{abi}"));
            // A missing symbol is an error here, not in the program that loads the library. Code that a sanitizer or a
            // fuzzer has instrumented does lack symbols until then.
            if var("CARGO_CFG_SANITIZE").is_empty() && env::var_os("CARGO_CFG_FUZZING").is_none() {
                link("-z,defs".into());
            }
        }
        "android" => link("-soname,libauricle.so".into()), // Android knows no versioned libraries
        "macos" | "ios" => link(format!("-install_name,@rpath/libauricle.{abi}.dylib")),
        _ => {}
    }
}
