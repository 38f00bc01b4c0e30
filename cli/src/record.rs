//! What `classify --json` prints for a file.

use std::path::Path;

use auricle::Health;
use serde::{Serialize, Serializer};

use crate::analysis::{Analysis, Scored};
use crate::health::FileHealth;

/// One file. `null` stands for a level of -inf dBFS.
#[derive(Serialize)]
pub struct Record<'a> {
    file: String,
    sample_rate: u32,
    channels: u32,
    frames: u64,
    duration: f64,
    health: &'a FileHealth,
    scores: Scores<'a>,
    windows: Vec<WindowRecord<'a>>,
}

#[derive(Serialize)]
struct WindowRecord<'a> {
    start: f64,
    end: f64,
    first_frame: u64,
    end_frame: u64,
    scores: Scores<'a>,
    health: WindowHealth,
}

#[derive(Serialize)]
struct WindowHealth {
    peak_dbfs: f32,
    rms_dbfs: f32,
    dc_offset: f32,
    clipped_frames: u64,
    non_finite_frames: u64,
    silent: bool,
}

/// An object of scores by label, in the order of the model.
struct Scores<'a> {
    labels: &'a [String],
    scores: &'a [f32],
}

impl Serialize for Scores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.labels.iter().zip(self.scores))
    }
}

impl<'a> Record<'a> {
    pub fn of(file: &Path, analysis: &'a Analysis, labels: &'a [String]) -> Self {
        let window = |scored: &'a Scored| WindowRecord {
            start: analysis.seconds(scored.window.first_frame),
            end: analysis.seconds(scored.window.end_frame),
            first_frame: scored.window.first_frame,
            end_frame: scored.window.end_frame,
            scores: Scores { labels, scores: &scored.scores },
            health: WindowHealth::of(&scored.window.health),
        };
        Self {
            file: file.to_string_lossy().into_owned(),
            sample_rate: analysis.sample_rate,
            channels: analysis.channels,
            frames: analysis.frames,
            duration: analysis.seconds(analysis.frames),
            health: &analysis.health,
            scores: Scores { labels, scores: &analysis.scores },
            windows: analysis.windows.iter().map(window).collect(),
        }
    }

    /// One line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("the keys are strings, and writing to memory cannot fail")
    }
}

impl WindowHealth {
    fn of(health: &Health) -> Self {
        Self {
            peak_dbfs: health.peak_dbfs,
            rms_dbfs: health.rms_dbfs,
            dc_offset: health.dc_offset,
            clipped_frames: health.clipped_frames,
            non_finite_frames: health.non_finite_frames,
            silent: health.silent,
        }
    }
}
