//! A sound file on its way into a model, block by block; its health is taken as it passes. Memory does not grow with its
//! length.

use std::path::Path;

use auricle_decode::Recording;

use crate::health::{FileHealth, Meter};
use crate::out::shown_text;

/// So many losses are printed for people; --json has more of them, and all are counted.
const MAX_PRINTED: usize = 5;

pub struct Sound {
    recording: Recording,
    channel: u32,
    meter: Meter,
}

impl Sound {
    /// Opens a file, a pipe, or standard input ("-"), of which `channel` (from 1; 0: the mean of all) will be heard. The
    /// error is the reason alone.
    pub fn open(file: &Path, channel: u32) -> Result<Self, String> {
        let recording = Recording::open(file).map_err(|e| e.reason().to_owned())?;
        let meter = Meter::new(recording.channels(), channel).map_err(|e| e.to_string())?;
        Ok(Self { recording, channel, meter })
    }

    /// Hz.
    pub fn sample_rate(&self) -> u32 {
        self.recording.sample_rate()
    }

    /// Channels of the file.
    pub fn channels(&self) -> u32 {
        self.recording.channels()
    }

    /// The channel that is heard, from 1; 0: the mean of all.
    pub fn channel(&self) -> u32 {
        self.channel
    }

    /// The next interleaved samples, full scale 1.0; `None` at the end. The error is the reason alone.
    pub fn next_block(&mut self) -> Result<Option<&[f32]>, String> {
        match self.recording.next_block() {
            Ok(Some(block)) => {
                self.meter.take(block);
                Ok(Some(block))
            }
            Ok(None) => Ok(None),
            Err(e) => Err(e.reason().to_owned()),
        }
    }

    /// Frames that the file says it holds.
    pub fn declared_frames(&self) -> Option<u64> {
        self.recording.declared_frames()
    }

    /// Frames so far, silence in the place of lost audio included.
    pub fn frames(&self) -> u64 {
        self.recording.frames()
    }

    /// Seconds so far.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.sample_rate())
    }

    /// The audio so far.
    pub fn health(&self) -> FileHealth {
        self.meter.health(self.recording.lost().skipped_packets)
    }

    /// What of the file did not come out of it as sound.
    pub fn lost(&self) -> Lost<'_> {
        Lost::of(&self.recording)
    }

    /// What a person should know before trusting what was made of the file, each on a line of its own.
    pub fn warnings(&self) -> Vec<String> {
        let losses = self.recording.losses();
        let mut lines: Vec<String> = self.health().warning(self.frames()).into_iter().collect();
        lines.extend(losses.iter().take(MAX_PRINTED).map(|loss| shown_text(&loss.to_string())));
        let lost = self.recording.lost();
        let printed = losses.len().min(MAX_PRINTED) as u64;
        if lost.places > printed {
            lines.push(format!(
                "and {} more places like these: in all {} frames of silence in the place of audio, {} frames missing, {} \
                 packets that could not be decoded",
                lost.places - printed,
                lost.bridged_frames,
                lost.missing_frames,
                lost.skipped_packets
            ));
        }
        lines
    }
}

/// What `--json` has of losses.
#[derive(serde::Serialize)]
pub struct Lost<'a> {
    places: u64,
    bridged_frames: u64,
    missing_frames: u64,
    skipped_packets: u64,
    bytes_left: u64,
    /// The first places.
    list: Vec<Place<'a>>,
}

#[derive(serde::Serialize)]
struct Place<'a> {
    seconds: f64,
    at_frame: u64,
    frames: Option<u64>,
    bridged: bool,
    reason: &'a str,
}

impl<'a> Lost<'a> {
    fn of(recording: &'a Recording) -> Self {
        let lost = recording.lost();
        let place = |loss: &'a auricle_decode::Loss| Place {
            seconds: loss.at_frame as f64 / f64::from(recording.sample_rate()),
            at_frame: loss.at_frame,
            frames: loss.frames,
            bridged: loss.bridged,
            reason: &loss.reason,
        };
        Self {
            places: lost.places,
            bridged_frames: lost.bridged_frames,
            missing_frames: lost.missing_frames,
            skipped_packets: lost.skipped_packets,
            bytes_left: lost.bytes_left,
            list: recording.losses().iter().map(place).collect(),
        }
    }

    pub fn is_nothing(&self) -> bool {
        (self.places, self.skipped_packets, self.bytes_left) == (0, 0, 0)
    }
}
