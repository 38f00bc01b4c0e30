//! What state the audio of a whole file is in, by the same judge that a session uses.

use auricle::health::SILENCE_DBFS;
use auricle::pcm::{Downmix, Stats};
use auricle_decode::Audio;
use serde::Serialize;

/// The audio of a file. `-inf` dBFS is digital silence (`null` in JSON).
#[derive(Serialize)]
pub struct FileHealth {
    /// Highest absolute sample over all channels, dBFS.
    pub peak_dbfs: f64,
    /// Root mean square of the mono signal, dBFS.
    pub rms_dbfs: f64,
    /// Mean of the mono signal, full scale 1.0.
    pub dc_offset: f64,
    /// Frames with a sample at full scale.
    pub clipped_frames: u64,
    /// Frames with a sample that was NaN, infinite or absurd, and was replaced by 0.
    pub non_finite_frames: u64,
    /// Whether the RMS is below -80 dBFS.
    pub silent: bool,
    /// Broken packets that the decoder left out; what follows one comes earlier than in the file.
    pub skipped_packets: u64,
}

impl FileHealth {
    pub fn of(audio: &Audio) -> auricle::Result<Self> {
        let downmix = Downmix::new(audio.channels as usize)?;
        let mut stats = Stats::default();
        let mut mono = [0.0; 4096];
        for block in audio.samples.chunks(mono.len() * audio.channels as usize) {
            downmix.mix(block, &mut mono, &mut stats);
        }
        let frames = stats.frames.max(1) as f64;
        let rms_dbfs = 10.0 * (stats.sum_squares / frames).log10();
        Ok(Self {
            peak_dbfs: 20.0 * f64::from(stats.peak).log10(),
            rms_dbfs,
            dc_offset: stats.sum / frames,
            clipped_frames: stats.clipped,
            non_finite_frames: stats.non_finite,
            silent: rms_dbfs < f64::from(SILENCE_DBFS),
            skipped_packets: audio.lost.skipped_packets,
        })
    }

    /// What a person should know before trusting the scores, in one line; `None` if all is well.
    pub fn warning(&self, frames: u64) -> Option<String> {
        let share = |count: u64| 100.0 * count as f64 / frames.max(1) as f64;
        let mut parts = Vec::new();
        if self.silent {
            parts.push(format!("silent (RMS {:.0} dBFS)", self.rms_dbfs));
        }
        if self.clipped_frames > 0 {
            let share = share(self.clipped_frames);
            parts.push(format!("{} frames clipped ({share:.2} %)", self.clipped_frames));
        }
        if self.non_finite_frames > 0 {
            let share = share(self.non_finite_frames);
            parts.push(format!("{} frames not finite, taken as 0 ({share:.2} %)", self.non_finite_frames));
        }
        if self.skipped_packets > 0 {
            parts.push(format!("{} broken packets left out", self.skipped_packets));
        }
        if parts.is_empty() { None } else { Some(parts.join(", ")) }
    }
}
