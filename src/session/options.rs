//! How a session is set up.

use crate::error::{Error, Result};
use crate::manifest::Stream;
use crate::ring::Overflow;

const DEFAULT_RING_SECONDS: f64 = 2.0;
const MAX_RING_SECONDS: f64 = 600.0;

/// How a [`Session`](super::Session) is set up.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Rate of the host's audio, Hz; valid 1000..=384000.
    pub sample_rate: u32,
    /// Channels of the host's audio; valid 1..=8.
    pub channels: u32,
    /// The channel that is heard, counted from 1; 0: the mean of all.
    pub channel: u32,
    /// Distance between windows, seconds, rounded to samples of the model; `None`: the one of `stream`, else of the
    /// manifest.
    pub hop_seconds: Option<f64>,
    /// How much audio can wait between push and read, seconds; up to 600, `None`: 2.
    pub ring_seconds: Option<f64>,
    /// What is lost when the ring is full.
    pub overflow: Overflow,
    /// After so many windows in a row a read returns [`Read::Again`](super::Read::Again) although more is waiting, so that a
    /// loop that reads until then does a bounded work; 0: no limit.
    pub max_windows_per_read: u32,
    /// Smoothing and events, in place of the manifest's `stream`.
    pub stream: Option<Stream>,
}

impl SessionOptions {
    /// The defaults for audio of this rate and number of channels.
    pub fn new(sample_rate: u32, channels: u32) -> Self {
        Self {
            sample_rate,
            channels,
            channel: 0,
            hop_seconds: None,
            ring_seconds: None,
            overflow: Overflow::default(),
            max_windows_per_read: 0,
            stream: None,
        }
    }

    pub(super) fn ring_frames(&self) -> Result<usize> {
        let rate = f64::from(self.sample_rate);
        let seconds = self.ring_seconds.unwrap_or(DEFAULT_RING_SECONDS);
        let frames = seconds * rate;
        if !(1.0..=MAX_RING_SECONDS * rate).contains(&frames) {
            return Err(Error::argument(format!(
                "ring_seconds is {seconds}; valid one frame ({:.6}) to {MAX_RING_SECONDS}",
                1.0 / rate
            )));
        }
        Ok(frames.ceil() as usize)
    }
}
