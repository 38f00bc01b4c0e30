//! STATUSES AND THE LAST ERROR
//!
//! The numbers are kept for ever and never reused: -1 to -99 the call, -100 to -199 the model, -200 to -299
//! ONNX Runtime, -300 a defect of Auricle. Later versions may add some: treat every negative number as an error.

use std::ffi::c_char;

use super::guard::guard_value;
use super::last_error;

/// What became of a call: 0 success, positive success of another kind, negative an error.
pub type auricle_status = i32;

/// Done.
pub const AURICLE_OK: i32 = 0;
/// Read: not enough audio for the next window yet. Push more, then read again.
pub const AURICLE_AGAIN: i32 = 1;
/// Read: the stream was finished and everything has been read. Free or reset the session.
pub const AURICLE_END: i32 = 2;
/// Push: the ring was full, and frames were lost; the clock of the stream counts them, and so does dropped_frames
/// of the results that they touch. Read more often, or ask for a longer ring.
pub const AURICLE_DROPPED: i32 = 3;
/// Read and wait: auricle_session_cancel was called. Free or reset the session.
pub const AURICLE_CANCELLED: i32 = 4;
/// An argument is NULL, out of its range, or does not fit another argument: a mistake in the calling program.
pub const AURICLE_INVALID_ARGUMENT: i32 = -1;
/// The call is not allowed now: push after finish, two threads in the same half of a session, or a session in
/// which AURICLE_INTERNAL happened.
pub const AURICLE_INVALID_STATE: i32 = -2;
/// The buffer is too small; the last error says how much is needed. Nothing was consumed: call again with more.
pub const AURICLE_BUFFER_TOO_SMALL: i32 = -3;
/// The clip is too short for the model to see even one row of features.
pub const AURICLE_CLIP_TOO_SHORT: i32 = -4;
/// The memory that the call needs could not be had; the last error says how much.
pub const AURICLE_MEMORY: i32 = -5;
/// A file could not be read.
pub const AURICLE_FILE: i32 = -100;
/// The model is refused: it is damaged, is not ONNX, reads other files, or needs a newer ONNX Runtime.
pub const AURICLE_MODEL: i32 = -101;
/// The model has no manifest, or the manifest is not valid.
pub const AURICLE_MANIFEST: i32 = -102;
/// The manifest and the network contradict each other.
pub const AURICLE_MISMATCH: i32 = -103;
/// ONNX Runtime was not found, could not be opened, or is too old. See auricle_runtime_open.
pub const AURICLE_RUNTIME: i32 = -200;
/// ONNX Runtime failed while running the network, or the network gave a score that is not finite.
pub const AURICLE_INFERENCE: i32 = -201;
/// A provider of ONNX Runtime that was required cannot be had or does not run the network; or one has failed while it
/// ran, and the model has to be loaded anew. The last error has the reason, and what to install.
pub const AURICLE_PROVIDER: i32 = -202;
/// A defect of Auricle, caught: please report the last error. If it happened in a session, that session can
/// only be freed; other sessions and the model are not touched.
pub const AURICLE_INTERNAL: i32 = -300;

/// What kind of outcome a status is, in a few words, for any number. The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn auricle_status_text(status: i32) -> *const c_char {
    guard_value(c"".as_ptr(), || {
        Ok(match status {
            AURICLE_OK => c"ok",
            AURICLE_AGAIN => c"push more audio",
            AURICLE_END => c"end of the stream",
            AURICLE_DROPPED => c"frames were dropped",
            AURICLE_CANCELLED => c"cancelled",
            AURICLE_INVALID_ARGUMENT => c"invalid argument",
            AURICLE_INVALID_STATE => c"not allowed in this state",
            AURICLE_BUFFER_TOO_SMALL => c"buffer too small",
            AURICLE_CLIP_TOO_SHORT => c"clip too short",
            AURICLE_MEMORY => c"out of memory",
            AURICLE_FILE => c"file cannot be read",
            AURICLE_MODEL => c"model refused",
            AURICLE_MANIFEST => c"manifest missing or not valid",
            AURICLE_MISMATCH => c"manifest and network contradict each other",
            AURICLE_RUNTIME => c"ONNX Runtime not available",
            AURICLE_INFERENCE => c"inference failed",
            AURICLE_PROVIDER => c"provider not available",
            AURICLE_INTERNAL => c"internal error",
            _ => c"unknown status",
        }
        .as_ptr())
    })
}

/// What went wrong in the latest call of this thread that failed, with the numbers that fix it, for a person
/// to read; "" if none failed yet. Calls that succeed leave it as it is, so ask only after a failure. UTF-8, one
/// line of at most 4096 bytes: control characters and line ends that come out of a file or a name are escapes such
/// as \n and \u{1b}. Borrowed: valid until the next failure on this thread, or its end. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn auricle_last_error() -> *const c_char {
    guard_value(c"".as_ptr(), || Ok(last_error::get()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    #[test]
    fn every_status_of_the_core_has_a_text() {
        use Status::*;
        let all = [
            Cancelled,
            InvalidArgument,
            InvalidState,
            BufferTooSmall,
            ClipTooShort,
            Memory,
            File,
            Model,
            Manifest,
            Mismatch,
            Runtime,
            Inference,
            Provider,
            Internal,
        ];
        let mut texts = std::collections::HashSet::new();
        for status in all {
            assert!(texts.insert(auricle_status_text(status as i32)), "{status:?} has no text of its own");
        }
        assert!(!texts.contains(&auricle_status_text(i32::MIN)));
    }
}
