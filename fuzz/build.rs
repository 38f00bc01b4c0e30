//! Compiles the C side of the target `session`.

fn main() {
    println!("cargo:rerun-if-changed=fuzz_targets/session.c");
    println!("cargo:rerun-if-changed=../include/auricle.h");
    cc::Build::new()
        .file("fuzz_targets/session.c")
        .include("../include")
        .std("c99")
        .extra_warnings(true)
        .warnings_into_errors(true)
        .compile("session");
}
