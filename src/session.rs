//! One audio stream: conducts ring -> mono -> resample -> rows -> window -> inference -> scores.

use crate::error::{Error, Result, Status};
use crate::health::Health;
use crate::model::Model;
use crate::pcm::Format;

/// How a [`Session`] is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionOptions {
    /// Rate of the host's audio, Hz; valid 8000..=384000.
    pub sample_rate: u32,
    /// Channels of the host's audio; valid 1..=8. They are averaged to mono.
    pub channels: u32,
    /// Distance between windows, seconds; `None`: the manifest's `stream.hop_seconds`.
    pub hop_seconds: Option<f64>,
    /// How much audio can wait between push and read, seconds; `None`: 2 s.
    pub ring_seconds: Option<f64>,
}

impl SessionOptions {
    /// The defaults for audio of this rate and number of channels.
    pub fn new(sample_rate: u32, channels: u32) -> Self {
        Self { sample_rate, channels, hop_seconds: None, ring_seconds: None }
    }
}

/// What became of the frames of one push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Frames taken.
    pub accepted: usize,
    /// Frames lost because the ring was full. The health of the results they touch counts them too.
    pub dropped: usize,
}

/// What one read gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Read {
    /// The scores of one window were written.
    Window(Window),
    /// Not enough audio yet: push more.
    Again,
    /// The stream was finished and everything has been read.
    End,
}

/// One window of the stream: where it lies, what state its audio is in. Frames are the host's, every delay taken out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Number of the window on the grid of hops; a window that lies wholly in a gap is left out, its number too.
    pub sequence: u64,
    /// First frame of the window.
    pub first_frame: u64,
    /// One past the last frame of the window.
    pub end_frame: u64,
    /// What happened to the audio of the window.
    pub health: Health,
    /// How long ONNX Runtime took, nanoseconds.
    pub inference_nanoseconds: u64,
}

/// One audio stream. `push*`, `gap` and `finish` belong to one thread, `read` to one (other) thread; a second thread
/// in the same half gets [`Status::InvalidState`].
#[derive(Debug)]
pub struct Session {}

impl Session {
    /// Starts a stream for `model`, of which it keeps its own reference.
    pub fn new(model: &Model, options: &SessionOptions) -> Result<Self> {
        let _ = (model, options);
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// Pushes interleaved f32 samples (full scale 1.0). Never blocks or allocates.
    pub fn push_f32(&self, interleaved: &[f32]) -> Result<Pushed> {
        self.push(Format::F32, bytemuck::cast_slice(interleaved))
    }

    /// Pushes interleaved i16 samples. Never blocks or allocates.
    pub fn push_i16(&self, interleaved: &[i16]) -> Result<Pushed> {
        self.push(Format::I16, bytemuck::cast_slice(interleaved))
    }

    /// Pushes interleaved samples of any format; `bytes` need not be aligned. Never blocks or allocates.
    pub fn push(&self, format: Format, bytes: &[u8]) -> Result<Pushed> {
        let _ = (format, bytes);
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// Pushes one slice of samples for each channel. Never blocks or allocates.
    pub fn push_planar(&self, format: Format, channels: &[&[u8]]) -> Result<Pushed> {
        let _ = (format, channels);
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// The source lost `frames` frames here: the clock goes on by as many, silence stands in for them.
    pub fn gap(&self, frames: u64) -> Result<()> {
        let _ = frames;
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// No more input: `read` gives what is left, then [`Read::End`].
    pub fn finish(&self) -> Result<()> {
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// Does the work that is due and, if a window is complete, writes its scores (one a class).
    pub fn read(&self, scores: &mut [f32]) -> Result<Read> {
        let _ = scores;
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// Forgets the stream: frame 0 comes next. Neither half may be running.
    pub fn reset(&self) -> Result<()> {
        Err(Error::new(Status::Internal, "not yet"))
    }

    /// Classes a read writes scores for.
    pub fn class_count(&self) -> usize {
        0
    }

    /// Channels of the host's audio.
    pub fn channels(&self) -> u32 {
        0
    }
}
