//! Rows of features of a recording of any length, computed as it comes: the same bits as from all of it at once.

use std::io;

use auricle::stages::features::Features;
use auricle::stages::pcm::{Downmix, Stats};
use auricle::stages::resample::Resampler;
use auricle::{Manifest, Result};

use crate::sound::Sound;

/// Mono samples at the model's rate are collected until there are this many, at least, to compute rows from.
const BATCH: usize = 1 << 16;
/// Rows that are computed, or finished, at a time.
pub const ROWS: usize = 64;

/// Interleaved frames -> inner rows: those that do not depend on the whole clip.
pub struct Rows {
    downmix: Downmix,
    channels: usize,
    mono: Vec<f32>,
    resampler: Resampler,
    features: Features,
    /// Samples that are still needed; the first of them is where row `first_row` would begin without an edge.
    samples: Vec<f32>,
    first_row: usize,
    next_row: usize,
    total: u64,
    row: Vec<f32>,
}

impl Rows {
    /// `features` are planned as `manifest` says.
    pub fn new(features: Features, manifest: &Manifest, sound: &Sound) -> Result<Self> {
        let (channels, channel) = (sound.channels() as usize, sound.channel() as usize);
        let input = &manifest.input;
        Ok(Self {
            downmix: Downmix::of_channel(channels, channel)?,
            channels,
            mono: vec![0.0; 4096],
            resampler: Resampler::with_method(
                sound.sample_rate(),
                input.sample_rate,
                input.resampler.unwrap_or_default(),
            )?,
            row: vec![0.0; ROWS * features.inner_bins()],
            features,
            samples: Vec::new(),
            first_row: 0,
            next_row: 0,
            total: 0,
        })
    }

    /// Rows so far.
    pub fn count(&self) -> usize {
        self.next_row
    }

    /// Samples at the model's rate so far.
    pub fn samples(&self) -> u64 {
        self.total
    }

    /// Takes a block of the recording; `sink` gets the inner rows that it completes.
    pub fn push(
        &mut self,
        interleaved: &[f32],
        mut sink: impl FnMut(&[f32]) -> io::Result<()>,
    ) -> io::Result<()> {
        for block in interleaved.chunks(self.mono.len() * self.channels) {
            let frames = self.downmix.mix(block, &mut self.mono, &mut Stats::default());
            self.resampler.push(&self.mono[..frames], |out| self.samples.extend_from_slice(out));
            if self.samples.len() >= BATCH + self.context() * self.features.hop() {
                self.compute(false, &mut sink)?;
            }
        }
        Ok(())
    }

    /// The end of the recording; `sink` gets the rest of its rows.
    pub fn finish(&mut self, mut sink: impl FnMut(&[f32]) -> io::Result<()>) -> io::Result<()> {
        self.resampler.finish(|out| self.samples.extend_from_slice(out));
        self.compute(true, &mut sink)
    }

    /// Rows before the next one whose samples are kept: as many as an edge of the samples changes, and enough for the
    /// mirror image at their end.
    fn context(&self) -> usize {
        let features = &self.features;
        let samples = features.min_samples().max(features.frame_length());
        2 * samples.div_ceil(features.hop()) + 1
    }

    fn compute(&mut self, at_end: bool, sink: &mut impl FnMut(&[f32]) -> io::Result<()>) -> io::Result<()> {
        let context = self.context();
        let features = &mut self.features;
        let rows = features.rows(self.samples.len());
        let (_, edge) = features.edge_rows(self.samples.len());
        // The end of the samples is the end of the recording only at the end of the recording.
        let end = self.first_row + if at_end { rows } else { rows - edge };
        while self.next_row < end {
            let count = ROWS.min(end - self.next_row);
            let row = &mut self.row[..count * features.inner_bins()];
            features.inner_rows(&self.samples, self.next_row - self.first_row, row);
            sink(row)?;
            self.next_row += count;
        }
        let keep = self.next_row.saturating_sub(context).max(self.first_row);
        let drop = (keep - self.first_row) * self.features.hop();
        self.total += drop as u64;
        self.samples.drain(..drop);
        self.first_row = keep;
        if at_end {
            self.total += self.samples.len() as u64;
        }
        Ok(())
    }
}
