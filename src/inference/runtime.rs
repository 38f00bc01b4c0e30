//! Finding and opening ONNX Runtime, once for the process.
//!
//! It is opened by absolute path, never by searching the system's folders: an old `onnxruntime.dll` in System32 or a
//! package manager's copy is never picked up by accident. Nothing of `ort` is touched before the library was opened,
//! because `ort` panics then; the environment is kept for ever, because ONNX Runtime allows one a process.
//!
//! Without the feature `load-dynamic` ONNX Runtime is linked (iOS opens no libraries): the file that holds it is the one
//! that is open, and asking for another one is an error.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use ort::environment::{Environment, GlobalThreadPoolOptions};
#[cfg(feature = "load-dynamic")]
use ort::init_from;
use ort::logging::{LogLevel, LoggerFunction};

use super::known;
use super::threads::{Starter, ThreadStart};
use crate::error::{Error, Result, Status};
use crate::file;
use crate::float_env::FloatEnv;
use crate::log::{self, Level};
use crate::platform;

/// Names the file of ONNX Runtime's library.
const PATH_VARIABLE: &str = "ORT_DYLIB_PATH";

/// The most threads that a pool, or a model, can be asked for.
pub(crate) const MAX_THREADS: u32 = 256;

/// How ONNX Runtime is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RuntimeOptions {
    /// Threads of one pool for all models that ask for it by `ModelOptions::shared_pool`, the calling one included; valid
    /// 1..=256, 0: there is no pool. They start when ONNX Runtime is opened and never spin.
    pub shared_threads: u32,
    /// Whether a library file is refused whose SHA-256 sum is not that of an official release that this version of Auricle
    /// knows (`src/inference/known.txt`).
    pub known_only: bool,
    /// Is called on each thread that ONNX Runtime starts for the pool and for models.
    pub thread_start: Option<ThreadStart>,
}

struct Open {
    environment: Environment,
    file: PathBuf,
    version: String,
    /// SHA-256 of the file, if it was compared with the known ones.
    sum: Option<String>,
    shared_threads: u32,
    thread_start: Option<ThreadStart>,
}

/// Kept for ever: see the module's head. An attempt that fails leaves it empty for the next one.
static OPEN: OnceCell<Open> = OnceCell::new();

/// The file that `ort` has opened and keeps for ever, whether or not an environment came of it.
static KEPT: OnceCell<PathBuf> = OnceCell::new();

/// Opens ONNX Runtime (1.24 or later), once for the process. After a failure another path can be tried.
///
/// With a path: that file. With `None`: the file that the environment variable `ORT_DYLIB_PATH` names (except in a
/// process with more rights than who started it: set-user-id and the like), else `libonnxruntime.so*` (`libonnxruntime*.dylib`, `onnxruntime.dll`) in the folder of our own library, or in
/// the `lib` beside that folder if it is a `bin`.
/// Loading a model opens it when this was not called. Call it before threads run that read the environment from C,
/// because it sets `ORT_DISABLE_TELEMETRY=1` there (unless it is set) and removes `ORT_LOAD_CONFIG_FROM_MODEL`.
pub fn open(path: Option<&Path>) -> Result<()> {
    open_with(path, &RuntimeOptions::default())
}

/// [`open`] with options, before anything else opens it: they cannot be changed. A later call may ask for the same again;
/// what is left at its default it does not ask for.
pub fn open_with(path: Option<&Path>, options: &RuntimeOptions) -> Result<()> {
    opened(path, options).map(|_| ())
}

/// The file that ONNX Runtime was opened from, if it was.
pub fn file() -> Option<PathBuf> {
    OPEN.get().map(|open| open.file.clone())
}

/// Version of ONNX Runtime, such as `1.28.0`, if it was opened.
pub fn version() -> Option<String> {
    OPEN.get().map(|open| open.version.clone())
}

/// How the opened ONNX Runtime was built (branch, commit, flags), if it was opened.
pub fn build_info() -> Option<&'static str> {
    OPEN.get().map(|_| ort::info())
}

/// SHA-256 of the file that ONNX Runtime was opened from, if it was compared with those of the known releases.
pub fn sum() -> Option<&'static str> {
    OPEN.get().and_then(|open| open.sum.as_deref())
}

/// Threads of the pool for all models; an error if there is none. Opens nothing.
pub(crate) fn shared_threads() -> Result<u32> {
    let (threads, state) = match OPEN.get() {
        Some(open) => (open.shared_threads, "was opened without one"),
        None => (0, "is not open yet"),
    };
    if threads > 0 {
        return Ok(threads);
    }
    let message = format!(
        "shared_pool needs a pool of threads, and ONNX Runtime {state}: open it with shared_threads before the first \
         model (C: auricle_runtime_open_with)"
    );
    Err(Error::new(Status::InvalidState, message))
}

/// Who is told of each thread that ONNX Runtime starts.
pub(super) fn starter() -> Option<Starter> {
    OPEN.get().and_then(|open| open.thread_start.clone()).map(Starter)
}

/// The process's environment of ONNX Runtime; opens it where needed. For the trainer, which looks inside networks; not
/// part of the API.
#[doc(hidden)]
pub fn environment() -> Result<&'static Environment> {
    opened(None, &RuntimeOptions::default()).map(|open| &open.environment)
}

fn opened(path: Option<&Path>, options: &RuntimeOptions) -> Result<&'static Open> {
    if options.shared_threads > MAX_THREADS {
        let message =
            format!("shared_threads is {}; valid 1..={MAX_THREADS}, 0: no pool", options.shared_threads);
        return Err(Error::argument(message));
    }
    let wanted = path.map(absolute).transpose()?;
    let mut first = false;
    let open = OPEN.get_or_try_init(|| {
        let file = match platform::linked_onnxruntime() {
            Some(file) => file,
            None => wanted.clone().map_or_else(find, Ok)?,
        };
        let open = create(file, options)?;
        first = true;
        Ok(open)
    })?;
    if first {
        // Only now: who takes the message may load a model, which waits here for the opening to end.
        log::emit(Level::Info, || format!("opened ONNX Runtime from {}", open.file.display()));
    }
    match open.other_than(wanted.as_deref(), options) {
        None => Ok(open),
        Some((how, asked)) => Err(Error::new(
            Status::InvalidState,
            format!("ONNX Runtime is open already, {how}; a process can have only one (asked for {asked})"),
        )),
    }
}

impl Open {
    /// How it is open and what is asked for, where the two differ.
    fn other_than(&self, wanted: Option<&Path>, options: &RuntimeOptions) -> Option<(String, String)> {
        let RuntimeOptions { shared_threads, known_only, thread_start } = options;
        let file = self.file.display();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != self.file) {
            return Some((format!("from {file}"), wanted.display().to_string()));
        }
        if *shared_threads != 0 && *shared_threads != self.shared_threads {
            let own = self.shared_threads;
            return Some((format!("with shared_threads {own}"), shared_threads.to_string()));
        }
        if *known_only && self.sum.is_none() {
            let how = format!("from {file}, which was not compared with the known releases then");
            return Some((how, "known_only".into()));
        }
        let same = |start: &ThreadStart| self.thread_start.as_ref().is_some_and(|own| own.is(start));
        let other = !thread_start.as_ref().is_none_or(same);
        other.then(|| ("without this thread_start".into(), "it".into()))
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        Error::new(
            Status::Runtime,
            format!("ONNX Runtime: {:?} is not a usable path: {error}", path.display()),
        )
    })
}

fn find() -> Result<PathBuf> {
    let value = std::env::var_os(PATH_VARIABLE).filter(|value| !value.is_empty());
    find_by(value.as_deref(), platform::runs_with_others_rights())
}

/// `variable` is the value of [`PATH_VARIABLE`]; `strangers` tells that it is not to be believed.
fn find_by(variable: Option<&OsStr>, strangers: bool) -> Result<PathBuf> {
    let ignored = variable.is_some() && strangers;
    if let Some(value) = variable.filter(|_| !ignored) {
        return absolute(Path::new(value));
    }
    if cfg!(target_os = "android") {
        return Ok(PathBuf::from("libonnxruntime.so")); // found by the linker namespace of the app
    }
    let folders = platform::own_directory().map(folders_beside).unwrap_or_default();
    if let Some(found) = folders.iter().find_map(|folder| library_in(folder)) {
        return Ok(found);
    }
    let beside: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let beside = if beside.is_empty() { "its own folder (unknown)".into() } else { beside.join(" or ") };
    let (variable, set) = match ignored {
        true => ("is ignored (this process has more rights than who started it)", String::new()),
        false => ("is not set", format!(", set {PATH_VARIABLE} to its file")),
    };
    Err(Error::new(
        Status::Runtime,
        format!(
            "ONNX Runtime not found: no path was given, {PATH_VARIABLE} {variable}, and there is no {} in {beside}. \
             Put it there{set}, or give the path (C: auricle_runtime_open)",
            library_name()
        ),
    ))
}

/// Where ONNX Runtime may lie for code in `own`: there, and in `lib` beside a `bin`, where an installation has it.
fn folders_beside(own: PathBuf) -> Vec<PathBuf> {
    let lib = own.parent().filter(|_| own.ends_with("bin")).map(|prefix| prefix.join("lib"));
    [own].into_iter().chain(lib).collect()
}

fn library_name() -> &'static str {
    if cfg!(windows) {
        "onnxruntime.dll"
    } else if cfg!(target_vendor = "apple") {
        "libonnxruntime*.dylib"
    } else {
        "libonnxruntime.so*"
    }
}

/// The library in `folder`; of several, the one whose name sorts first (`libonnxruntime.so` before `.so.1`).
fn library_in(folder: &Path) -> Option<PathBuf> {
    let (start, end) = library_name().split_once('*').unwrap_or((library_name(), ""));
    let fits = |name: &str| name.starts_with(start) && name.ends_with(end) && !name.contains("providers");
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(fits))
        .min()
}

/// Where ONNX Runtime is linked, nothing is opened.
#[cfg(not(feature = "load-dynamic"))]
fn init_from(
    _file: &Path,
) -> std::result::Result<ort::environment::EnvironmentBuilder, std::convert::Infallible> {
    Ok(ort::init())
}

fn create(file: PathBuf, options: &RuntimeOptions) -> Result<Open> {
    let failed = |reason: String| {
        Error::new(
            Status::Runtime,
            format!("ONNX Runtime could not be opened from {}: {reason}", file.display()),
        )
    };
    if let Some(kept) = KEPT.get().filter(|kept| **kept != file) {
        let message =
            format!("a process can have only one, and {} was opened, but did not start", kept.display());
        return Err(failed(message));
    }
    // Opening a pipe would wait for someone to write into it.
    if let Some(kind) = file.metadata().ok().and_then(|metadata| file::kind(metadata.file_type())) {
        return Err(failed(format!("it is {kind}, not a file")));
    }
    let sum = options.known_only.then(|| known::check(&file)).transpose().map_err(failed)?;
    platform::tame_environment();
    platform::stay_loaded();
    let library = platform::open_onnxruntime(&file).map_err(failed)?;
    let builder = init_from(&file).map_err(|error| failed(error.to_string()))?;
    KEPT.get_or_init(|| file.clone());
    // The pool's threads start here, in the state of this one.
    let _float_env = FloatEnv::enter();
    let builder = match options.shared_threads {
        0 => Ok(builder),
        _ => pool(options).map(|pool| builder.with_global_thread_pool(pool)),
    };
    let environment = builder
        .and_then(|builder| {
            builder.with_name("auricle").with_telemetry(false).with_logger(logger(Level::Warning)).build()
        })
        .map_err(|error| failed(error.message().to_string()))?;
    let RuntimeOptions { shared_threads, thread_start, .. } = options.clone();
    Ok(Open { environment, file, version: library.version, sum, shared_threads, thread_start })
}

/// Threads for all models.
fn pool(options: &RuntimeOptions) -> ort::Result<GlobalThreadPoolOptions> {
    let pool = GlobalThreadPoolOptions::default()
        .with_intra_threads(options.shared_threads as usize)?
        .with_inter_threads(1)?
        .with_spin_control(false)?
        .with_flush_to_zero()?; // see `float_env`
    match &options.thread_start {
        Some(start) => pool.with_thread_manager(Starter(start.clone())),
        None => Ok(pool),
    }
}

/// ONNX Runtime's messages up to `max`, to our log.
///
/// Each session has such a logger, so that of several copies of Auricle that share an ONNX Runtime each is told what
/// concerns its models. The environment, which says what belongs to no session, has that of the copy that came first;
/// its details are left out, for they are of the memory of everyone's sessions.
pub(super) fn logger(max: Level) -> LoggerFunction {
    Arc::new(move |level, _category, _id, _location, message| {
        let level = level_of(level);
        if level <= max {
            log::emit(level, || format!("ONNX Runtime: {message}"));
        }
    })
}

fn level_of(level: LogLevel) -> Level {
    match level {
        LogLevel::Fatal | LogLevel::Error => Level::Error,
        LogLevel::Warning => Level::Warning,
        LogLevel::Info => Level::Info,
        LogLevel::Verbose => Level::Debug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_environment_does_not_choose_the_library() {
        let variable = Some(OsStr::new("/their/library.so"));
        assert_eq!(find_by(variable, false).expect("believed"), Path::new("/their/library.so"));
        let error = find_by(variable, true).expect_err("nothing lies beside this test");
        assert!(error.message().contains("ORT_DYLIB_PATH is ignored"), "{error}");
        assert!(!error.message().contains("set ORT_DYLIB_PATH"), "advice that does not help: {error}");
        let error = find_by(None, true).expect_err("nothing lies beside this test");
        assert!(error.message().contains("ORT_DYLIB_PATH is not set"), "{error}");
    }

    #[test]
    fn an_installed_program_looks_into_the_folder_of_libraries() {
        let beside = |own: &str| folders_beside(own.into());
        assert_eq!(beside("/opt/auricle/bin"), ["/opt/auricle/bin", "/opt/auricle/lib"].map(PathBuf::from));
        assert_eq!(beside("/opt/auricle/lib"), [PathBuf::from("/opt/auricle/lib")]);
        assert_eq!(beside("/opt/cabin"), [PathBuf::from("/opt/cabin")]);
    }
}
