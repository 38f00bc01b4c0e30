//! One error type for the whole library: a [`Status`] that never changes its number, and a message that
//! holds the numbers that fix it.

use std::fmt;

use crate::text;

/// Result of a fallible Auricle call.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of error it is. The numbers are those of the C API's `auricle_status` and are never reused:
/// -1 to -99 the caller, -100 to -199 the model, -200 to -299 ONNX Runtime, -300 a defect of Auricle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum Status {
    /// The caller's [`Cancel`](crate::Cancel) was requested. It is no error, but there is no result.
    Cancelled = 4,
    /// An argument is null, out of its range, or does not fit another argument.
    InvalidArgument = -1,
    /// The call is not allowed now: push after finish, two threads in one half of a session, a poisoned session.
    InvalidState = -2,
    /// The caller's buffer is too small; the message says how much is needed.
    BufferTooSmall = -3,
    /// The clip is too short for the model to see even one row of features.
    ClipTooShort = -4,
    /// The memory that the call needs could not be had; the message says how much.
    Memory = -5,
    /// A file could not be read.
    File = -100,
    /// The model is damaged or not ONNX, reads other files, or ONNX Runtime refused it.
    Model = -101,
    /// There is no manifest, or it is not valid.
    Manifest = -102,
    /// The manifest and the network contradict each other.
    Mismatch = -103,
    /// ONNX Runtime was not found, could not be opened, or is too old.
    Runtime = -200,
    /// ONNX Runtime failed while running the network, or the network's output is not finite.
    Inference = -201,
    /// A provider of ONNX Runtime that was required cannot be had or does not run the network, or one has failed.
    Provider = -202,
    /// A defect of Auricle. The session that it happened in is poisoned; others are not.
    Internal = -300,
}

/// Longest path of a member in a message, bytes.
pub(crate) const MAX_PATH: usize = 1024;

/// An error: what kind, and a message for a person, with the numbers that fix it: one line of at most
/// [`text::MAX_MESSAGE`] bytes, with control characters as escapes, whatever a file or a name holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: Status,
    message: String,
}

impl Error {
    #[cold]
    pub(crate) fn new(status: Status, message: impl fmt::Display) -> Self {
        Self { status, message: text::message(message) }
    }

    /// A value that the caller gave is not acceptable.
    #[cold]
    pub(crate) fn argument(message: impl fmt::Display) -> Self {
        Self::new(Status::InvalidArgument, message)
    }

    /// The member of the manifest at `path` (for example `input.features.mel.bins`) is not acceptable.
    #[cold]
    pub(crate) fn manifest(path: &str, message: impl fmt::Display) -> Self {
        // Whoever wrote the manifest may have made either so long that the other has no room.
        let (path, message) = (text::shortened(path, MAX_PATH), text::shortened(message, 2 * MAX_PATH));
        Self::new(Status::Manifest, format_args!("manifest: {path}: {message}"))
    }

    /// What kind of error it is.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The message, without the kind.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The value of a member that neither the manifest, a preset nor a default gives is missing.
pub(crate) fn need<T>(value: Option<T>, path: &str, member: &str) -> Result<T> {
    value.ok_or_else(|| Error::manifest(&format!("{path}.{member}"), "is missing"))
}
