//! What the core needs that only `unsafe` gives: where our own library lies, an environment variable that must be set
//! before ONNX Runtime is opened, and ONNX Runtime's version, which `ort` does not tell.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::path::{Path, PathBuf};

/// The folder of the file that this code was loaded from: `libauricle.so`, or the program when linked statically.
#[cfg(unix)]
pub(crate) fn own_directory() -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    let here = own_directory as fn() -> Option<PathBuf> as *const libc::c_void;
    // SAFETY: `info` is writable; dladdr accepts any address. It fills `info` if it returns non-zero; otherwise the
    // zeroed bytes are a valid Dl_info of null pointers.
    let info = unsafe {
        libc::dladdr(here, info.as_mut_ptr());
        info.assume_init()
    };
    if info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dli_fname is a C string that lives as long as the object that holds this very function.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
    // The main program's own name may be a relative one: only then ask for the real path.
    let path = if path.is_absolute() { path } else { std::env::current_exe().ok()? };
    path.parent().map(PathBuf::from)
}

/// The folder of the program (a DLL is looked for there too).
#[cfg(not(unix))]
pub(crate) fn own_directory() -> Option<PathBuf> {
    std::env::current_exe().ok()?.parent().map(PathBuf::from)
}

/// Sets `ORT_DISABLE_TELEMETRY=1` unless the variable is set. ONNX Runtime 1.29 and later reads it when it creates its
/// environment and, without it, writes and uploads usage data (docs/Privacy.md of ONNX Runtime).
pub(crate) fn disable_telemetry() {
    const NAME: &str = "ORT_DISABLE_TELEMETRY";
    if std::env::var_os(NAME).is_none() {
        // SAFETY: other Rust threads are held off by std's lock. A C thread that calls getenv at this very moment
        // could race; `open` documents that it is to be called before such threads run.
        unsafe { std::env::set_var(NAME, "1") };
    }
}

/// Version of the ONNX Runtime in `file`, which is open already.
pub(crate) fn onnxruntime_version(file: &Path) -> Option<String> {
    type GetApiBase = unsafe extern "system" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: the file is loaded already: this counts one more reference and runs none of its code.
    let library = unsafe { libloading::Library::new(file) }.ok()?;
    // SAFETY: the signature of OrtGetApiBase is that of onnxruntime_c_api.h since ONNX Runtime 1.0.
    let base = unsafe {
        let get_api_base = library.get::<GetApiBase>(b"OrtGetApiBase").ok()?;
        get_api_base().as_ref()?
    };
    // SAFETY: GetVersionString gives a constant C string, which is copied while `library` holds the file.
    let version = unsafe { CStr::from_ptr((base.GetVersionString)()) };
    Some(version.to_string_lossy().into_owned())
}

/// Keeps the file that this code was loaded from in memory until the process ends, although the host closes it: ONNX
/// Runtime stays open and has pointers to our functions. The shared library says the same of itself on Linux, Android
/// and FreeBSD (build.rs); this is for macOS, and for a plug-in that the static library or the crate is linked into.
#[cfg(not(windows))]
pub(crate) fn stay_loaded() {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_vendor = "apple"))]
    {
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: `info` is writable; dladdr accepts any address, and zeroed bytes are a valid Dl_info. The name lives as
        // long as the object; it is open already, so nothing is loaded and no initialiser runs. The handle is never
        // closed. It fails for a main program, which is never unloaded either.
        unsafe {
            libc::dladdr(stay_loaded as fn() as *const libc::c_void, info.as_mut_ptr());
            let name = info.assume_init().dli_fname;
            if !name.is_null() {
                libc::dlopen(name, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
            }
        }
    }
}

/// As above.
#[cfg(windows)]
pub(crate) fn stay_loaded() {
    use std::ffi::c_void;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, name: *const c_void, module: *mut *mut c_void) -> i32;
    }
    /// GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS and _PIN (libloaderapi.h).
    const PIN_BY_ADDRESS: u32 = 4 | 1;
    let mut module = std::ptr::null_mut();
    // SAFETY: `module` is writable; the address is one of this module.
    unsafe { GetModuleHandleExW(PIN_BY_ADDRESS, stay_loaded as fn() as *const c_void, &mut module) };
}
