//! The panic boundary: nothing but a status leaves the body of an exported function.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::last_error;
use crate::error::{Result, Status};
use crate::float_env::FloatEnv;
use crate::text;

/// Runs the body of an exported function. An error becomes its status and the thread's last error; so does a panic.
pub(super) fn guard(body: impl FnOnce() -> Result<i32>) -> i32 {
    caught(body).unwrap_or_else(|status| status)
}

/// [`guard`] for functions that return something else than a status: `failed` stands for every failure.
pub(super) fn guard_value<T>(failed: T, body: impl FnOnce() -> Result<T>) -> T {
    caught(body).unwrap_or(failed)
}

fn caught<T>(body: impl FnOnce() -> Result<T>) -> std::result::Result<T, i32> {
    let _float_env = FloatEnv::enter(); // for pushing too: converting a sample can trap, and round
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let _inside = Inside::enter();
        body()
    }));
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(last_error::set(error.message(), error.status())),
        Err(_) => Err(Status::Internal as i32), // the panic hook has set the last error
    }
}

/// Guarded bodies that are running, on all threads. Not thread-local: in a program that loads this library by hand a
/// thread's first touch of thread-local memory allocates, and that could be its first push.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

struct Inside;

impl Inside {
    /// Also makes sure, once, that a panic of ours is not printed: what the hook would print is the last error instead.
    fn enter() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let others = panic::take_hook();
            panic::set_hook(Box::new(move |info| match RUNNING.load(Ordering::Relaxed) {
                0 => others(info), // of a Rust program that we are linked into
                _ => {
                    let message =
                        text::message(format_args!("a defect of Auricle, please report it: {info}"));
                    last_error::set(&message, Status::Internal);
                }
            }));
        });
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::ffi::status;
    use crate::ffi::status::auricle_last_error;
    use std::ffi::CStr;

    fn last() -> String {
        // SAFETY: auricle_last_error always returns a string.
        unsafe { CStr::from_ptr(auricle_last_error()) }.to_string_lossy().into_owned()
    }

    #[test]
    fn a_panic_becomes_a_status_and_names_its_place() {
        let shares: Vec<u32> = vec![];
        assert_eq!(guard(|| Ok(shares[7] as i32)), status::AURICLE_INTERNAL);
        assert!(last().contains("index is 7") && last().contains("guard.rs"), "{}", last());
        assert_eq!(guard_value(-1.0, || -> Result<f32> { panic!("oops") }), -1.0);
        assert!(last().contains("oops"), "{}", last());
    }

    #[test]
    fn an_error_becomes_its_number_and_a_message_without_nul() {
        assert_eq!(guard(|| Err(Error::new(Status::File, "a\0b"))), -100);
        assert_eq!(last(), "a\\u{0}b");
        assert_eq!(guard(|| Ok(2)), 2);
        assert_eq!(last(), "a\\u{0}b", "success leaves the last error alone");
    }
}
