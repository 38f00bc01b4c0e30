//! VERSIONS
//!
//! The AURICLE_VERSION macros are those of the header that the program was compiled with; the functions tell
//! those of the library that it runs with.

use std::ffi::c_char;

use super::guard::guard_value;

const fn number(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("a part of the version in Cargo.toml is not a number"),
    }
}

const ABI_VERSION: u32 = match number(env!("CARGO_PKG_VERSION_MAJOR")) {
    0 => number(env!("CARGO_PKG_VERSION_MINOR")),
    major => major * 1000,
};

/// Version of the library, "MAJOR.MINOR.PATCH". The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn auricle_version() -> *const c_char {
    guard_value(c"".as_ptr(), || Ok(concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()))
}

/// Version of the library's binary interface. A program runs with a library whose number equals the
/// AURICLE_ABI_VERSION that it was compiled with: MINOR below 1.0.0, then MAJOR * 1000. The file name of the
/// library carries it too (libauricle.so.0.MINOR, later libauricle.so.MAJOR), so the question arises only
/// for programs that load the library by hand. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn auricle_abi_version() -> u32 {
    guard_value(0, || Ok(ABI_VERSION))
}
