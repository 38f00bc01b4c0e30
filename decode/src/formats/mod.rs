//! One file a format: each takes a file apart into a track and its packets, and says what it could not read.
//! None of them decodes, none knows another's bytes, and none believes a length before the bytes are there.

use crate::codec::Coding;
use crate::source::Source;

pub(crate) mod adts;
pub(crate) mod aiff;
pub(crate) mod caf;
mod chunks;
mod esds;
mod fields;
pub(crate) mod flac;
pub(crate) mod mkv;
mod mkv_track;
pub(crate) mod mp4;
mod mp4_samples;
mod mp4_track;
pub(crate) mod mpeg;
pub(crate) mod ogg;
mod samples;
pub(crate) mod wav;

/// No packet of a sane file is larger.
const MAX_PACKET: usize = 16 << 20;

/// The rates that AAC has an index for, Hz (ISO 14496-3, table 1.18).
const AAC_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// What a file says of its sound. Times are in units of `timescale`.
#[derive(Debug, PartialEq)]
pub(crate) struct Track {
    pub coding: Coding,
    pub channels: u32,
    /// Hz.
    pub sample_rate: u32,
    /// Units a second.
    pub timescale: u32,
    /// What the encoder put before the sound.
    pub delay: u64,
    /// Length of the sound, without delay and padding.
    pub declared: Option<u64>,
    /// What follows the declared length is padding.
    pub padded: bool,
    /// Times may be off by so much; less is no gap.
    pub slack: u64,
}

impl Track {
    /// A track whose times are frames.
    fn new(coding: Coding, channels: u32, sample_rate: u32) -> Self {
        Self {
            coding,
            channels,
            sample_rate,
            timescale: sample_rate,
            delay: 0,
            declared: None,
            padded: false,
            slack: 0,
        }
    }
}

/// A piece of a track that can be decoded in one step.
#[derive(Debug, Default)]
pub(crate) struct Packet {
    pub data: Vec<u8>,
    /// When it begins, from the beginning of the track, delay included; `None`: where the last one ended.
    pub at: Option<u64>,
    /// How long it is, 0 if that is not known before it is decoded.
    pub length: u64,
    /// How much of its end is padding.
    pub discard: u64,
    /// There is no sound right before it: nothing that the decoder remembers belongs to it.
    pub fresh: bool,
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Step {
    /// The first track, or one that follows it: joined files, a change of rate or channels.
    Track(Box<Track>),
    Packet(Packet),
    /// A stretch that could not be read; without a length it is as long as the next packet's time says.
    Damage {
        length: Option<u64>,
        reason: String,
    },
    /// With the bytes behind the end that may be sound.
    End {
        bytes_left: u64,
    },
}

/// A file being taken apart. An error is one of reading or ends the file; damage is a [`Step`].
pub(crate) trait Format: Send {
    fn next(&mut self) -> Result<Step, String>;
}

/// What opens a file of one format, at its first byte.
pub(crate) type Open = fn(Source) -> Result<Box<dyn Format>, String>;
