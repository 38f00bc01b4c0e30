//! Where a window lies in its stream.

use crate::health::Health;

/// One window: where it lies, what state its audio is in. Frames are the host's, every delay taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Window {
    /// Number of the window on the grid of hops; a window that lies wholly in lost audio is left out, its number too.
    pub sequence: u64,
    /// First frame of the window.
    pub first_frame: u64,
    /// One past the last frame of the window.
    pub end_frame: u64,
    /// What happened to the audio of the window.
    pub health: Health,
    /// How long ONNX Runtime took, nanoseconds.
    pub inference_nanoseconds: u64,
    /// That was longer than a hop: this machine cannot keep up with the stream.
    pub late: bool,
}
