//! Sound files to PCM, for the command line, the trainer and the tests. The library itself takes PCM and
//! never opens an audio file.
//!
//! A file is what a stranger sent: it may be damaged, cut off, joined, or made to do harm. Whatever it holds,
//! a [`Recording`] gives its audio or an error, in memory that does not depend on what it claims; and audio
//! that could not be read is a [`Loss`], never just gone. The containers are taken apart here; the codecs are
//! those of [symphonia](https://docs.rs/symphonia), behind a fence.

use std::fmt;
use std::path::{Path, PathBuf};

mod codec;
mod fence;
mod formats;
mod losses;
mod pcm;
mod recording;
mod sniff;
mod source;
mod timeline;
mod vorbis;

pub use losses::{Loss, Lost};
pub use recording::Recording;

/// A decoded file: the first audio track, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Interleaved samples; full scale is ±1. Encoder delay and padding that the file declares are taken out.
    pub samples: Vec<f32>,
    /// Channels in one frame, 1 or more.
    pub channels: u32,
    /// Frames a second, in Hz.
    pub sample_rate: u32,
    /// Where audio is missing: the first places, in the order of time.
    pub losses: Vec<Loss>,
    /// The sums of all losses.
    pub lost: Lost,
}

impl Audio {
    /// Frames (samples in one channel).
    pub fn frames(&self) -> usize {
        self.samples.len() / self.channels.max(1) as usize
    }
}

/// Why a file could not be decoded. Its text is one line that begins with the file's path.
#[derive(Debug)]
pub struct DecodeError {
    path: PathBuf,
    reason: String,
}

impl DecodeError {
    /// The reason alone, without the path.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_os_str() == "-" {
            true => write!(f, "standard input: {}", self.reason),
            false => write!(f, "{}: {}", self.path.display(), self.reason),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes the whole of the first audio track of the file at `path` into memory, as [`Recording`] reads it.
pub fn decode(path: &Path) -> Result<Audio, DecodeError> {
    let mut recording = Recording::open(path)?;
    let mut samples = Vec::new();
    while let Some(block) = recording.next_block()? {
        samples.extend_from_slice(block);
    }
    Ok(Audio {
        samples,
        channels: recording.channels(),
        sample_rate: recording.sample_rate(),
        losses: recording.losses().to_vec(),
        lost: recording.lost(),
    })
}
