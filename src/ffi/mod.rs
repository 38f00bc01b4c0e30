//! Auricle: sound classification for native software. Push PCM, read scores.
//!
//! A complete program. It classifies raw 16-bit stereo at 48 kHz from its standard input, as it arrives:
//!
//! ```c
//! #include <auricle.h>
//! #include <stdio.h>
//!
//! int main(int argc, char **argv)
//! {
//!     auricle_model *model = NULL;
//!     auricle_session *session = NULL;
//!     auricle_session_options options;
//!     auricle_result result;
//!     auricle_status status;
//!     int16_t block[480 * 2];                      // 10 ms
//!     float scores[1024];
//!     size_t frames, i, best;
//!
//!     auricle_session_options_init(&options);
//!     options.sample_rate = 48000;
//!     options.channels = 2;
//!     auricle_result_init(&result);
//!     status = auricle_model_load(argc > 1 ? argv[1] : "model.onnx", NULL, &model);
//!     if (status == AURICLE_OK)
//!         status = auricle_session_create(model, &options, &session);
//!     while (status >= AURICLE_OK && status != AURICLE_END) {
//!         frames = fread(block, 2 * sizeof *block, 480, stdin);
//!         if (frames > 0)
//!             status = auricle_session_push_i16(session, block, frames);
//!         else
//!             status = auricle_session_finish(session);
//!         while (status >= AURICLE_OK
//!                && (status = auricle_session_read(session, scores, 1024, &result)) == AURICLE_OK) {
//!             for (best = 0, i = 1; i < auricle_model_class_count(model); i++)
//!                 if (scores[i] > scores[best])
//!                     best = i;
//!             printf("%7.2f s  %s %.2f\n", (double)result.first_frame / 48000,
//!                    auricle_model_label(model, best), (double)scores[best]);
//!         }
//!     }
//!     if (status < 0)
//!         fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
//!     auricle_session_free(session);
//!     auricle_model_free(model);
//!     return status < 0;
//! }
//! ```
//!
//! CONVENTIONS, valid for every function unless its own text says otherwise
//!
//! Words. A frame is one sample for each channel at one instant. A window is the stretch of audio that one
//! inference sees; the hop is the distance between the starts of two windows. A score is what the model
//! says of one class for one window.
//!
//! Units. Rates are in Hz, lengths and positions of audio in frames, times in seconds where the name ends
//! in _seconds, levels in dBFS, sizes in bytes. Floating-point audio has its full scale at -1.0 to 1.0.
//!
//! Statuses. A function that can fail returns an auricle_status: 0 is success; positive is success of
//! another kind (AURICLE_AGAIN, AURICLE_END, AURICLE_DROPPED, AURICLE_CANCELLED); negative is an error. After an error
//! auricle_last_error() has a sentence with the numbers that fix it, for the thread that saw the error.
//! Any function may also return AURICLE_INTERNAL, and any function that takes a session returns
//! AURICLE_INVALID_STATE after that happened in the session; their texts do not repeat it.
//!
//! Arguments. No pointer may be NULL, except where the text says so, where the count that goes with it is
//! 0, and in the _free functions, where NULL does nothing. A NULL that is not allowed, a count whose bytes
//! would not fit into memory, and a misaligned pointer give AURICLE_INVALID_ARGUMENT. That is as far as a
//! pointer can be checked: what it points at must be what the text says, for as long as the call runs.
//! Outputs are written only on success.
//!
//! Ownership. What a function hands out through a `type **out` belongs to the caller, who ends it with
//! the _free function of that type, once. Strings that a function returns are borrowed: never free them.
//! The library keeps no pointer that it is given, but the log callback and its user data.
//! A session keeps its own reference to its model: free them in any order.
//!
//! Threads. A `const` handle may be used by any number of threads at once, so models are shared freely. A
//! session has two halves: one thread may push (and call gap and finish) while another one reads (and calls
//! read_event and wait); pending and cancel are for any thread. A program with one thread simply pushes, then
//! reads. A second thread in the same half, and reset while a half is running, get AURICLE_INVALID_STATE
//! and change nothing. free is for when no call runs: that cannot be detected.
//! Pushing is made for audio callbacks: it takes no lock, allocates nothing and makes no system call (but
//! an error puts its sentence together, which allocates). All the work is done by the thread that reads.
//! The library starts no thread, except the ones that auricle_model_options.threads asks for.
//!
//! Structs. The first member, struct_size, is the size of the struct in the program that made it; the
//! _init function sets it, and everything else to 0, which means "default" for every option. Later
//! versions append members, and the library touches no byte beyond struct_size, so an older program works
//! with a newer library. A newer program works with an older library as long as it leaves the options that
//! the library does not know at 0: they are refused rather than ignored. Results that the library does not
//! know stay as they were. Refused too: a struct_size below that of the first version, or above 4096.
//!
//! Manners. Nothing is printed: see auricle_set_log. No function opens a socket or writes a file. No C++
//! exception, exit or abort crosses this interface; a defect inside the library is caught and returned as
//! AURICLE_INTERNAL.
//!
//! Files. Read are the model, the manifest beside it, ONNX Runtime's library and what that reads of the system
//! (the processor, the time zone). A model reads no other file: one whose weights lie in other files is
//! refused. A path must name a file: pipes, devices and folders are refused, and nothing waits for them.
//!
//! Environment. These variables play a part; ONNX Runtime 1.28.0 for the CPU reads no others.
//! ORT_DYLIB_PATH names ONNX Runtime's library; see auricle_runtime_open. It is ignored in a process that has
//! more rights than who started it (set-user-id, set-group-id, file capabilities).
//! ORT_DISABLE_TELEMETRY is set to 1, unless it has a value, when ONNX Runtime is opened.
//! ORT_LOAD_CONFIG_FROM_MODEL is removed then, because with it ONNX Runtime ignores the settings of its
//! sessions. While the program has set it again, no model loads (AURICLE_RUNTIME).
//! ALLOW_RELEASED_ONNX_OPSET_ONLY=0 lets ONNX Runtime load models for operator sets that are not released.
//! ORT_DISABLE_FLASH_ATTENTION, ORT_GQA_DISABLE_FLASH_ATTENTION, ORT_DISABLE_DECODER_ATTENTION,
//! ORT_MLAS_QKGEMM_S8_APPROX_VNNI, ORT_BEAM_SEARCH_USE_FAST_TOPK and ORT_USE_MLAS_Q4_GEMM_MOE choose between
//! kernels of ONNX Runtime for attention, beam search and mixtures of experts: a model with such operators
//! can be faster or slower, and its scores can differ in their last digits.
#![allow(unsafe_code, non_camel_case_types)]

mod classify;
mod log;
mod model;
mod pointer;
mod runtime;
mod session;
mod status;
mod structs;
mod version;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Result;

/// Runs the body of an exported function. An error becomes its status and the thread's last error; so does a panic.
fn guard(body: impl FnOnce() -> Result<i32>) -> i32 {
    caught(body).unwrap_or_else(|status| status)
}

/// [`guard`] for functions that return something else than a status: `failed` stands for every failure.
fn guard_value<T>(failed: T, body: impl FnOnce() -> Result<T>) -> T {
    caught(body).unwrap_or(failed)
}

fn caught<T>(body: impl FnOnce() -> Result<T>) -> std::result::Result<T, i32> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let _inside = Inside::enter();
        body()
    }));
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(status::set_last(error.message(), error.status())),
        Err(_) => Err(status::AURICLE_INTERNAL), // the panic hook has set the last error
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
                    let message = format!("a defect of Auricle, please report it: {info}");
                    status::set_last(&message, crate::Status::Internal);
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
    use crate::{Error, Status};
    use std::ffi::CStr;

    fn last() -> String {
        // SAFETY: auricle_last_error always returns a string.
        unsafe { CStr::from_ptr(status::auricle_last_error()) }.to_string_lossy().into_owned()
    }

    #[test]
    fn a_panic_becomes_a_status_and_names_its_place() {
        let shares: Vec<u32> = vec![];
        assert_eq!(guard(|| Ok(shares[7] as i32)), status::AURICLE_INTERNAL);
        assert!(last().contains("index is 7") && last().contains("mod.rs"), "{}", last());
        assert_eq!(guard_value(-1.0, || -> Result<f32> { panic!("oops") }), -1.0);
        assert!(last().contains("oops"), "{}", last());
    }

    #[test]
    fn an_error_becomes_its_number_and_a_message_without_nul() {
        assert_eq!(guard(|| Err(Error::new(Status::File, "a\0b"))), -100);
        assert_eq!(last(), "a b");
        assert_eq!(guard(|| Ok(2)), 2);
        assert_eq!(last(), "a b", "success leaves the last error alone");
    }
}
