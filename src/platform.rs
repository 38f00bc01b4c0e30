//! What the core needs that only `unsafe` gives: where our own library lies, whether the environment is a stranger's, a
//! variable of it that must be set before ONNX Runtime is opened, a first look at ONNX Runtime's
//! library, the libraries that its providers need, and the C library's free memory.
#![allow(unsafe_code)]

use std::error::Error as _;
use std::ffi::CStr;
use std::path::{Path, PathBuf};

/// The folder of the file that this code was loaded from: `libauricle.so`, or the program when linked statically.
pub(crate) fn own_directory() -> Option<PathBuf> {
    own_file()?.parent().map(PathBuf::from)
}

#[cfg(unix)]
fn own_file() -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    let here = own_file as fn() -> Option<PathBuf> as *const libc::c_void;
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
    // As it was opened. A relative path counts from the folder that was the working one then, which is known no more.
    if path.is_absolute() { Some(path) } else { mapped_file(here as usize) }
}

/// The file whose mapping into memory holds `address`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn mapped_file(address: usize) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    // A line: `start-end permissions offset device inode path`, numbers in hexadecimal (proc(5)).
    let maps = std::fs::read("/proc/self/maps").ok()?;
    maps.split(|&byte| byte == b'\n').find_map(|line| {
        let range = str::from_utf8(line.split(|&byte| byte == b' ').next()?).ok()?;
        let (start, end) = range.split_once('-')?;
        let address_of = |hexadecimal| usize::from_str_radix(hexadecimal, 16).ok();
        let path = &line[line.iter().position(|&byte| byte == b'/')?..];
        (address_of(start)?..address_of(end)?).contains(&address).then(|| OsStr::from_bytes(path).into())
    })
}

/// The file whose mapping into memory holds `address`.
#[cfg(target_os = "macos")]
fn mapped_file(address: usize) -> Option<PathBuf> {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let mut path = vec![0_u8; libc::PROC_PIDPATHINFO_MAXSIZE as usize];
    // SAFETY: the buffer is writable and as long as said; the length of the path comes back.
    let length = unsafe {
        libc::proc_regionfilename(libc::getpid(), address as u64, path.as_mut_ptr().cast(), path.len() as u32)
    };
    path.truncate(usize::try_from(length).ok().filter(|length| *length > 0)?);
    Some(OsString::from_vec(path).into())
}

/// Not known elsewhere.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android", target_os = "macos"))))]
fn mapped_file(_address: usize) -> Option<PathBuf> {
    None
}

#[cfg(windows)]
fn own_file() -> Option<PathBuf> {
    use std::ffi::{OsString, c_void};
    use std::os::windows::ffi::OsStringExt;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, name: *const c_void, module: *mut *mut c_void) -> i32;
        fn GetModuleFileNameW(module: *mut c_void, name: *mut u16, size: u32) -> u32;
    }
    /// GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS and _UNCHANGED_REFCOUNT (libloaderapi.h).
    const OF_ADDRESS: u32 = 4 | 2;
    /// The longest path, NUL among it.
    const MAX_PATH: usize = 1 << 15;

    let here = own_file as fn() -> Option<PathBuf> as *const c_void;
    let (mut module, mut name) = (std::ptr::null_mut(), vec![0_u16; MAX_PATH]);
    // SAFETY: `module` is writable; the address is one of this module, which stays while its code runs. The name's
    // buffer is writable and as long as said.
    let length = unsafe {
        if GetModuleHandleExW(OF_ADDRESS, here, &mut module) == 0 {
            return None;
        }
        GetModuleFileNameW(module, name.as_mut_ptr(), name.len() as u32) as usize
    };
    (1..MAX_PATH).contains(&length).then(|| OsString::from_wide(&name[..length]).into())
}

/// Whether the process has rights that who started it has not (set-user-id, set-group-id, file capabilities). Its
/// environment is then that of a stranger.
pub(crate) fn runs_with_others_rights() -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: getauxval reads what the kernel gave the process at its start.
    let others = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd", target_os = "openbsd"))]
    // SAFETY: issetugid takes nothing and always succeeds.
    let others = unsafe { libc::issetugid() } != 0;
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    )))]
    let others = false;
    others
}

/// With the value 1, ONNX Runtime takes the settings of every session from the model's metadata, or from its defaults
/// where the model has none, and forgets what the program set (threads, spinning, where weights may lie).
pub(crate) const SETTINGS_FROM_MODEL: &str = "ORT_LOAD_CONFIG_FROM_MODEL";

/// Sets `ORT_DISABLE_TELEMETRY=1` unless the variable is set. ONNX Runtime 1.29 and later reads it when it creates its
/// environment and, without it, writes and uploads usage data (docs/Privacy.md of ONNX Runtime). Removes
/// [`SETTINGS_FROM_MODEL`].
pub(crate) fn tame_environment() {
    const NO_TELEMETRY: &str = "ORT_DISABLE_TELEMETRY";
    // SAFETY: other Rust threads are held off by std's lock. A C thread that calls getenv at this very moment could race;
    // `open` documents that it is to be called before such threads run.
    unsafe {
        if std::env::var_os(NO_TELEMETRY).is_none() {
            std::env::set_var(NO_TELEMETRY, "1");
        }
        if std::env::var_os(SETTINGS_FROM_MODEL).is_some() {
            std::env::remove_var(SETTINGS_FROM_MODEL);
        }
    }
}

/// ONNX Runtime's library, held open.
pub(crate) struct Library {
    _handle: Handle,
    /// As it says itself, for example `1.28.0`.
    pub version: String,
}

#[cfg(feature = "load-dynamic")]
type Handle = libloading::Library;
/// What is linked is open for as long as we are.
#[cfg(not(feature = "load-dynamic"))]
type Handle = ();

/// The file that holds the ONNX Runtime which this code is linked to; `None` where it is opened instead.
#[cfg(feature = "load-dynamic")]
pub(crate) fn linked_onnxruntime() -> Option<PathBuf> {
    None
}

/// As above.
#[cfg(not(feature = "load-dynamic"))]
pub(crate) fn linked_onnxruntime() -> Option<PathBuf> {
    #[cfg(unix)]
    if let Some(file) = api_base(Path::new("")).ok().and_then(|(_, base)| mapped_file(base.GetApi as usize)) {
        return Some(file);
    }
    own_file()
}

#[cfg(not(feature = "load-dynamic"))]
fn api_base(_file: &Path) -> Result<(Handle, &'static ort::sys::OrtApiBase), String> {
    // SAFETY: linked, with the signature of onnxruntime_c_api.h; it gives NULL or a table for ever.
    let base = unsafe { ort::sys::OrtGetApiBase().as_ref() };
    Ok(((), base.ok_or("its OrtGetApiBase gives NULL")?))
}

/// The table stays for as long as the handle.
#[cfg(feature = "load-dynamic")]
fn api_base(file: &Path) -> Result<(Handle, &'static ort::sys::OrtApiBase), String> {
    type GetApiBase = unsafe extern "system" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: opening runs the file's initialisers: the caller asked for this file's code.
    let library = unsafe { libloading::Library::new(file) }
        .map_err(|error| error.source().map_or_else(|| error.to_string(), |system| system.to_string()))?;
    // SAFETY: the signature of OrtGetApiBase is that of onnxruntime_c_api.h since ONNX Runtime 1.0.
    let base = unsafe {
        let get_api_base = library
            .get::<GetApiBase>(b"OrtGetApiBase")
            .map_err(|_| "it is not ONNX Runtime (it does not export OrtGetApiBase)")?;
        get_api_base().as_ref().ok_or("it is not ONNX Runtime (its OrtGetApiBase gives NULL)")?
    };
    Ok((library, base))
}

/// Opens `file`, unless ONNX Runtime is linked, and asks everything of it that `ort` takes for granted: `ort` would panic, or keep the file for ever.
/// The error is a reason.
pub(crate) fn open_onnxruntime(file: &Path) -> Result<Library, String> {
    let (handle, base) = api_base(file)?;
    // SAFETY: GetVersionString gives NULL or a constant C string, which is copied while `handle` holds the file.
    let version = unsafe {
        let version = (base.GetVersionString)();
        if version.is_null() {
            return Err("it is not ONNX Runtime (its version is NULL)".into());
        }
        CStr::from_ptr(version).to_string_lossy().into_owned()
    };
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0);
    if minor < ort::sys::ORT_API_VERSION {
        return Err(format!("its version is {version}; at least 1.{} is needed", ort::sys::ORT_API_VERSION));
    }
    // SAFETY: GetApi gives NULL or a table for ever.
    match unsafe { (base.GetApi)(ort::sys::ORT_API_VERSION) }.is_null() {
        false => Ok(Library { _handle: handle, version }),
        true => Err(format!(
            "it says that its version is {version}, but has no interface of version {}",
            ort::sys::ORT_API_VERSION
        )),
    }
}

/// Opens, and keeps open, the files of `folder` whose names begin with `prefixes`, in that order: a library that names one
/// of them later gets it from there. The error is a reason.
pub(crate) fn open_all(folder: &Path, prefixes: &[&str]) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    for prefix in prefixes {
        // `libcudnn.so.9` before `libcudnn.so.9.20.0`, which is the same library.
        let Some(name) = names.iter().find(|name| name.starts_with(prefix)) else { continue };
        let file = folder.join(name);
        // SAFETY: opening runs the file's initialisers: the caller named the folder for this.
        let library = unsafe { libloading::Library::new(&file) }.map_err(|error| {
            let system = error.source().map_or_else(|| error.to_string(), |system| system.to_string());
            format!("{}: {system}", file.display())
        })?;
        std::mem::forget(library);
    }
    Ok(())
}

/// The first of these libraries that the process has open already.
pub(crate) fn already_open<const N: usize>(names: [&str; N]) -> Option<libloading::Library> {
    #[cfg(unix)]
    let open = |name: &str| {
        use libloading::os::unix::{Library, RTLD_LAZY};
        // SAFETY: nothing is opened, so no initialiser runs.
        unsafe { Library::open(Some(name), RTLD_LAZY | libc::RTLD_NOLOAD) }.ok().map(Into::into)
    };
    #[cfg(windows)]
    let open = |name: &str| {
        libloading::os::windows::Library::open_already_loaded(name).ok().map(libloading::Library::from)
    };
    #[cfg(not(any(unix, windows)))]
    let open = |_: &str| None;
    names.into_iter().find_map(open)
}

/// What appends NNAPI to the options of a session, with its flags.
pub(crate) type AppendNnapi =
    unsafe extern "C" fn(*mut ort::sys::OrtSessionOptions, u32) -> ort::sys::OrtStatusPtr;

/// ONNX Runtime's function for NNAPI, which is not in its table, from the library that was opened from `file`.
pub(crate) fn nnapi(file: &Path) -> Option<AppendNnapi> {
    // SAFETY: the file is open already, so no initialiser runs.
    let library = unsafe { libloading::Library::new(file) }.ok()?;
    // SAFETY: the signature is that of ONNX Runtime's nnapi_provider_factory.h; the library stays open for ever.
    unsafe { library.get::<AppendNnapi>(b"OrtSessionOptionsAppendExecutionProvider_Nnapi") }
        .ok()
        .map(|symbol| *symbol)
}

/// Gives memory that was freed back to the system, where the C library would keep it for later (glibc).
pub(crate) fn return_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: for any thread at any time; it takes the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
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
