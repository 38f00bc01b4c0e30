//! What state the audio of a whole file is in, by the same judge that a session uses.

use auricle::stages::health::SILENCE_DBFS;
use auricle::stages::pcm::{Downmix, MAX_LEVEL, Stats};
use serde::Serialize;

/// Mean of the signal, full scale 1.0, from which on a file is warned of. No converter in order has so much, and a sound
/// has it by chance only if it is a cut-off cycle in a very short clip: a full-scale tone of 20 Hz that ends after half
/// a cycle more than whole ones leaves 0.05 in a third of a second.
const DC_OFFSET: f64 = 0.05;

/// The mean of n channels that have nothing to do with each other has 1/n of their power. A tenth of that is left only
/// if they cancel each other.
const CANCELLED: f64 = 0.1;

/// The audio of a file. `-inf` dBFS is digital silence (`null` in JSON).
#[derive(Serialize)]
pub struct FileHealth {
    /// Highest absolute sample of all channels that are heard, dBFS.
    pub peak_dbfs: f64,
    /// Root mean square of the mono signal, dBFS.
    pub rms_dbfs: f64,
    /// Root mean square over all channels of the file, before they are mixed to mono, dBFS.
    pub channels_rms_dbfs: f64,
    /// Mean of the mono signal, full scale 1.0.
    pub dc_offset: f64,
    /// Frames with a sample at full scale.
    pub clipped_frames: u64,
    /// Frames with a sample that was NaN, infinite or absurd, and was replaced by 0.
    pub non_finite_frames: u64,
    /// Whether the RMS is below -80 dBFS.
    pub silent: bool,
    /// Whether the channels cancel each other, so that little is left of them in mono.
    pub cancelling: bool,
    /// Packets that could not be decoded.
    pub skipped_packets: u64,
}

/// Takes the health of a file, block by block.
pub struct Meter {
    channels: usize,
    /// One channel alone is heard, which nothing can cancel.
    one: bool,
    downmix: Downmix,
    mono: [f32; 1024],
    stats: Stats,
    /// Of the squares of all channels' samples.
    sum_squares: f64,
}

impl Meter {
    /// For `channels` channels, of which `channel` (from 1; 0: the mean of all) is heard.
    pub fn new(channels: u32, channel: u32) -> auricle::Result<Self> {
        let (channels, channel) = (channels as usize, channel as usize);
        let downmix = Downmix::of_channel(channels, channel)?;
        let (mono, stats) = ([0.0; 1024], Stats::default());
        Ok(Self { channels, one: channel > 0, downmix, mono, stats, sum_squares: 0.0 })
    }

    pub fn take(&mut self, interleaved: &[f32]) {
        for block in interleaved.chunks(self.mono.len() * self.channels) {
            self.downmix.mix(block, &mut self.mono, &mut self.stats);
        }
        // NaN is no level at all.
        let valid = interleaved.iter().filter(|sample| sample.abs() <= MAX_LEVEL);
        self.sum_squares += valid.map(|&sample| f64::from(sample).powi(2)).sum::<f64>();
    }

    pub fn health(&self, skipped_packets: u64) -> FileHealth {
        let stats = &self.stats;
        let (frames, channels) = (stats.frames.max(1) as f64, self.channels as f64);
        let dbfs = |power: f64| 10.0 * power.log10();
        let (power, all) = (stats.sum_squares / frames, self.sum_squares / (frames * channels));
        let silence = f64::from(SILENCE_DBFS);
        FileHealth {
            peak_dbfs: 20.0 * f64::from(stats.peak).log10(),
            rms_dbfs: dbfs(power),
            channels_rms_dbfs: dbfs(all),
            dc_offset: stats.sum / frames,
            clipped_frames: stats.clipped,
            non_finite_frames: stats.non_finite,
            silent: dbfs(power) < silence,
            cancelling: dbfs(all) >= silence && power < CANCELLED * all / channels && !self.one,
            skipped_packets,
        }
    }
}

impl FileHealth {
    /// What a person should know before trusting the scores, in one line; `None` if all is well.
    pub fn warning(&self, frames: u64) -> Option<String> {
        let share = |count: u64| 100.0 * count as f64 / frames.max(1) as f64;
        let mut parts = Vec::new();
        if self.cancelling {
            parts.push(format!(
                "the channels cancel each other (RMS {:.0} dBFS before they are averaged, {:.0} dBFS after): take one with \
                 --channel",
                self.channels_rms_dbfs, self.rms_dbfs
            ));
        } else if self.silent {
            parts.push(format!("silent (RMS {:.0} dBFS)", self.rms_dbfs));
        }
        if self.dc_offset.abs() > DC_OFFSET {
            parts.push(format!("DC offset of {:.2} (full scale is 1)", self.dc_offset));
        }
        if self.clipped_frames > 0 {
            let share = share(self.clipped_frames);
            parts.push(format!("{} frames clipped ({share:.2} %)", self.clipped_frames));
        }
        if self.non_finite_frames > 0 {
            let share = share(self.non_finite_frames);
            parts.push(format!("{} frames not finite, taken as 0 ({share:.2} %)", self.non_finite_frames));
        }
        if parts.is_empty() { None } else { Some(parts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of channels, each a sum of shares of three unrelated sounds.
    fn heard(shares: &[[f32; 3]]) -> FileHealth {
        let mut meter = Meter::new(shares.len() as u32, 0).expect("valid");
        for n in 0..16_000_u32 {
            let noise = |seed: u32| (n.wrapping_mul(2_654_435_761) ^ seed).wrapping_mul(2_246_822_519) >> 8;
            let sounds = [7, 77, 777].map(|seed| noise(seed) as f32 / 8_388_608.0 - 1.0);
            let mix = |share: &[f32; 3]| 0.3 * share.iter().zip(sounds).map(|(a, b)| a * b).sum::<f32>();
            meter.take(&shares.iter().map(mix).collect::<Vec<_>>());
        }
        meter.health(0)
    }

    #[test]
    fn channels_that_cancel_are_not_called_silent() {
        let one = [1.0, 0.0, 0.0];
        for (shares, cancelling) in [
            (&[one, [-1.0, 0.0, 0.0]][..], true),
            (&[one, [-0.9, 0.1, 0.0]], true),
            (&[one, [-1.0, 0.0, 0.0], one, [-1.0, 0.0, 0.0]], true),
            (&[one], false),
            (&[one, one], false),
            (&[one, [0.0; 3]], false),
            (&[one, [0.0, 1.0, 0.0]], false),
            (&[one, [-0.5, 0.5, 0.0]], false),
            (&[one, [0.0; 3], [0.0; 3], [0.0; 3], [0.0; 3], [0.0; 3]], false),
            (&[one, [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], false),
            (&[[0.0; 3], [0.0; 3]], false),
        ] {
            let health = heard(shares);
            assert_eq!(health.cancelling, cancelling, "{shares:?}");
            let warning = health.warning(16_000).unwrap_or_default();
            assert_eq!(warning.contains("cancel each other"), cancelling, "{warning}");
            assert_eq!(warning.contains("silent"), shares[0][0] == 0.0, "{warning}");
        }
    }

    #[test]
    fn an_offset_is_warned_of_and_a_sound_is_not() {
        for (offset, warned) in [(0.4, true), (-0.4, true), (0.06, true), (0.03, false), (0.0, false)] {
            let mut meter = Meter::new(1, 0).expect("valid");
            let tone = |n: u32| 0.3 * (n as f32 * 0.05).sin() + offset;
            meter.take(&(0..8000).map(tone).collect::<Vec<_>>());
            let warning = meter.health(0).warning(8000).unwrap_or_default();
            assert_eq!(warning.contains("DC offset"), warned, "{offset}: {warning}");
        }
    }
}
