//! LOG

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use super::guard::guard;
use super::status::{AURICLE_OK, auricle_status};
use crate::error::{Error, Result};
use crate::log::{self, Level};

/// Something did not work.
pub const AURICLE_LOG_ERROR: i32 = 1;
/// It works, but not as it should.
pub const AURICLE_LOG_WARNING: i32 = 2;
/// What was opened and loaded.
pub const AURICLE_LOG_INFO: i32 = 3;
/// Details.
pub const AURICLE_LOG_DEBUG: i32 = 4;

/// Takes a message. `user` is what auricle_set_log was given, `level` one of the AURICLE_LOG numbers, `message`
/// UTF-8 like that of auricle_last_error (one line, nothing that a terminal obeys) and valid during the call only. It
/// is called on whatever thread has something to say, by several at once: it must be safe for that. It may call
/// Auricle. (If it loads models, call auricle_runtime_open before setting it: a load waits until ONNX Runtime is open, and
/// a warning may come during that.) Neither an exception nor longjmp may leave it.
pub type auricle_log_fn = Option<unsafe extern "C" fn(user: *mut c_void, level: i32, message: *const c_char)>;

struct Callback {
    function: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
    user: *mut c_void,
}
// SAFETY: the header demands a function that may be called on any thread with its user data.
unsafe impl Send for Callback {}
// SAFETY: as above, by several threads at once.
unsafe impl Sync for Callback {}

impl Callback {
    fn call(&self, level: Level, message: &str) {
        let message = CString::new(message).unwrap_or_default(); // its control characters, NUL too, are escapes
        // SAFETY: the program gave this function for this purpose; the message lives until it returns.
        unsafe { (self.function)(self.user, level as i32, message.as_ptr()) }
    }
}

fn level(number: i32) -> Result<Level> {
    Ok(match number {
        AURICLE_LOG_ERROR => Level::Error,
        AURICLE_LOG_WARNING => Level::Warning,
        AURICLE_LOG_INFO => Level::Info,
        AURICLE_LOG_DEBUG => Level::Debug,
        _ => {
            return Err(Error::argument(format!(
                "level is {number}; valid 1..=4 (AURICLE_LOG_ERROR..AURICLE_LOG_DEBUG)"
            )));
        }
    })
}

/// Sends messages up to `level` (one of the AURICLE_LOG numbers) to `function`, which gets `user` with each.
/// Without it, and with `function` NULL, messages go nowhere; NULL ignores `level`. Each copy of the library in
/// a process has one log. What ONNX Runtime says of a model goes to the copy that loaded it; its warnings and errors
/// that belong to no model, to the copy that opened it first. Nothing is ever logged by the push functions.
///
/// `user` may be NULL. Both must stay valid until another call replaces them, and a little longer: a call to
/// the old function that is running on another thread goes on.
///
/// Any thread.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: `level` is none of the numbers. The log is as it was.
#[unsafe(no_mangle)]
pub extern "C" fn auricle_set_log(function: auricle_log_fn, user: *mut c_void, level: i32) -> auricle_status {
    guard(|| {
        let sink = match function {
            Some(function) => {
                let max = self::level(level)?;
                let callback = Callback { function, user };
                let sink: log::Sink = Arc::new(move |level, message: &str| callback.call(level, message));
                Some((sink, max))
            }
            None => None,
        };
        log::set(sink);
        Ok(AURICLE_OK)
    })
}
