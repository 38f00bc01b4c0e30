//! ONNX RUNTIME
//!
//! The library computes with ONNX Runtime 1.24 or newer, a shared library that is opened when it is first needed.

use std::ffi::{c_char, c_void};

use bytemuck::Zeroable;

use super::guard::guard;
use super::pointer;
use super::status::{AURICLE_OK, auricle_status};
use super::structs::{self, HasStructSize};
use crate::error::Result;
use crate::inference::{RuntimeOptions, ThreadStart, runtime};

/// Is called on each thread that ONNX Runtime starts, before the thread does anything else: to give it a priority, the
/// cores that it may run on, or a name. `user` is that of auricle_runtime_options. Several threads may be in it at once. It
/// may call nothing of Auricle. Neither an exception nor longjmp may leave it.
pub type auricle_thread_fn = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// How ONNX Runtime is opened. Call auricle_runtime_options_init, then set what should differ from the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_runtime_options {
    /// Size of this struct; set by auricle_runtime_options_init.
    pub struct_size: u32,
    /// Threads of one pool for all models that are loaded with auricle_model_options.shared_pool, 1 to 256, the thread that
    /// reads or classifies among them; 0: there is no pool. All but that one start at once, stay, and never spin.
    pub shared_threads: u32,
    /// 1: a library file is refused (AURICLE_RUNTIME) unless its SHA-256 sum is that of an official release that this
    /// version of Auricle knows (docs/providers.md lists them); 0: any is opened.
    pub known_only: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Is told of each thread that ONNX Runtime starts, for the pool and for models (auricle_model_options.threads above
    /// 1); NULL: nobody is. It stays set for the life of the process, and so must `user` stay valid.
    pub thread_start: auricle_thread_fn,
    /// Passed to `thread_start`.
    pub user: *mut c_void,
}

// SAFETY: integers, a pointer and a function that may be missing, all valid as zeros.
unsafe impl Zeroable for auricle_runtime_options {}
// SAFETY: as above; `repr(C)`.
unsafe impl HasStructSize for auricle_runtime_options {
    const NAME: &'static str = "auricle_runtime_options";
    const FIRST: usize = size_of::<Self>();
}

struct Callback {
    function: unsafe extern "C" fn(*mut c_void),
    user: *mut c_void,
}
// SAFETY: the header demands a function that may be called on any thread with its user data.
unsafe impl Send for Callback {}
// SAFETY: as above, by several threads at once.
unsafe impl Sync for Callback {}

impl Callback {
    fn call(&self) {
        // SAFETY: the program gave this function for this purpose.
        unsafe { (self.function)(self.user) }
    }
}

fn thread_start(function: auricle_thread_fn, user: *mut c_void) -> Option<ThreadStart> {
    let function = function?;
    let callback = Callback { function, user };
    Some(ThreadStart::of_c(move || callback.call(), (function as usize, user.addr())))
}

/// # Safety
/// `options` is null or a struct as long as its `struct_size` says.
unsafe fn options(options: *const auricle_runtime_options) -> Result<RuntimeOptions> {
    if options.is_null() {
        return Ok(RuntimeOptions::default());
    }
    // SAFETY: the header's conventions.
    let options = unsafe { structs::read("options", options) }?;
    structs::unused(options.reserved)?;
    Ok(RuntimeOptions {
        shared_threads: options.shared_threads,
        known_only: structs::flag("known_only", options.known_only)?,
        thread_start: thread_start(options.thread_start, options.user),
    })
}

/// Opens ONNX Runtime. Optional: loading the first model does it with NULL. A program that brings its own
/// ONNX Runtime calls this first.
///
/// `library` is the path of the library file (onnxruntime.dll, libonnxruntime.so.1.28.0,
/// libonnxruntime.1.28.0.dylib). NULL looks at the environment variable ORT_DYLIB_PATH (but not in a process that
/// has more rights than who started it), then for that file in the folder of the Auricle library, whichever way that
/// was opened, and in the folder "lib" beside that if it is called "bin", where programs lie that have the static library.
///
/// Before it is opened, the environment variable ORT_DISABLE_TELEMETRY of this process is set to 1 unless it has a
/// value: ONNX Runtime 1.29 and newer would otherwise write and upload usage data. ORT_LOAD_CONFIG_FROM_MODEL is
/// removed if it is there: models would change the settings of sessions. The C library does not let one thread set
/// a variable while another one reads it, so a program whose other threads call getenv opens ONNX Runtime before it
/// starts them.
///
/// It is opened once, for the life of the process. A later call with NULL or with the same file does nothing;
/// with another file it fails and says which one is open.
///
/// Any thread; others that need ONNX Runtime wait.
/// - AURICLE_OK
/// - AURICLE_RUNTIME: it was not found, is no library, is built for another processor, is not ONNX Runtime, or is
///   too old; the last error names the file that was tried and the reason. Call again with another path.
/// - AURICLE_INVALID_STATE: another file is open already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_runtime_open(library: *const c_char) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let library = unsafe { pointer::optional_string("library", library) }?;
        let path = library.map(|text| pointer::path("library", text)).transpose()?;
        runtime::open(path)?;
        Ok(AURICLE_OK)
    })
}

/// auricle_runtime_open with options, which may be NULL: all defaults. It is for before the first model, because a later
/// call changes nothing: it may ask for what is there, and what it leaves 0 it does not ask for.
///
/// With `known_only` the file is read and compared before it is opened. Who may write into its folder could change it
/// between the two. A file that was changed after Microsoft published it (signed anew for an app store, stripped) is not
/// known, nor is one that an app or its linker finds by name (Android, iOS).
///
/// Where several copies of Auricle open the same ONNX Runtime, the pool is that of the first; where that has none, models
/// with `shared_pool` are refused by ONNX Runtime (AURICLE_MODEL).
///
/// Any thread; others that need ONNX Runtime wait.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: an option is out of its range.
/// - AURICLE_RUNTIME: as for auricle_runtime_open; or, with `known_only`, the file is not known, and the last error has its
///   sum and those that are. It was not opened.
/// - AURICLE_INVALID_STATE: ONNX Runtime is open already, from another file, or not as `options` ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_runtime_open_with(
    library: *const c_char,
    options: *const auricle_runtime_options,
) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let (library, options) =
            unsafe { (pointer::optional_string("library", library)?, self::options(options)?) };
        let path = library.map(|text| pointer::path("library", text)).transpose()?;
        runtime::open_with(path, &options)?;
        Ok(AURICLE_OK)
    })
}
