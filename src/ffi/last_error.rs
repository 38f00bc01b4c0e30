//! The last error of each thread.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use crate::error::Status;

thread_local! {
    static LAST: RefCell<Option<CString>> = const { RefCell::new(None) };
}

/// Keeps `message` for this thread and returns the number of `status`.
pub(super) fn set(message: &str, status: Status) -> i32 {
    // A thread that is ending has lost its place for the message; the status still tells what happened.
    let _ = LAST.try_with(|last| *last.borrow_mut() = CString::new(message).ok());
    status as i32
}

/// The message, valid until the next one of this thread.
pub(super) fn get() -> *const c_char {
    let last = LAST.try_with(|last| last.borrow().as_ref().map(|message| message.as_ptr()));
    last.ok().flatten().unwrap_or(c"".as_ptr())
}
