//! What happened to the stream, kept until the windows that it touches have been read.

use std::collections::VecDeque;
use std::ops::Range;

use crate::error::Result;
use crate::health::{Health, NOISE_SECONDS, SILENCE_DBFS, dbfs};
use crate::memory::{filled, reserved};
use crate::pcm::Stats;

/// Levels are kept for blocks of this many a second, or of half a window where that is shorter. The levels of a window are
/// those of the blocks that end in it: later audio, of which there may be some already or not, plays no part.
const BLOCKS_A_SECOND: u64 = 100;
/// The most blocks that the noise floor is looked for in.
const NOISE_BLOCKS: u64 = BLOCKS_A_SECOND * NOISE_SECONDS as u64;

/// Why frames are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    Gap,
    Dropped,
}

#[derive(Debug)]
pub(super) struct Journal {
    /// Frames of one block.
    block: u64,
    /// Block number of `blocks[0]`.
    first: u64,
    blocks: VecDeque<Stats>,
    /// One bit each for every frame that a window can still touch: it is in a gap, it was dropped. That is exact for any
    /// number and mix of losses. Frame n is bit n % 64 of word n / 64, modulo the number of words.
    gaps: Vec<u64>,
    drops: Vec<u64>,
    /// Frames so far.
    frames: u64,
    /// Powers of blocks, to be sorted.
    powers: Vec<f64>,
}

impl Journal {
    /// `window` is its length in host frames, `span` how many can lie between the first frame of the next window and the
    /// newest frame.
    pub fn new(rate: u32, window: u64, span: u64) -> Result<Self> {
        let block = (u64::from(rate) / BLOCKS_A_SECOND).min(window / 2).max(1);
        let capacity = (span / block + NOISE_BLOCKS + 4) as usize;
        // The span need not start at the border of a word.
        let words = (span / 64 + 2) as usize;
        Ok(Self {
            block,
            first: 0,
            blocks: reserved(capacity, "the levels of a window")?.into(),
            gaps: filled(words, 0, "the losses of a window")?,
            drops: filled(words, 0, "the losses of a window")?,
            frames: 0,
            powers: reserved(NOISE_BLOCKS as usize, "the levels of the noise")?,
        })
    }

    pub fn clear(&mut self) {
        (self.first, self.frames) = (0, 0);
        self.blocks.clear();
    }

    /// The statistics of the block that `frame` lies in, and how many frames from `frame` on it takes.
    pub fn block_at(&mut self, frame: u64) -> (&mut Stats, usize) {
        let number = frame / self.block;
        // After a gap the blocks in between stay empty, or are left out where they would not fit.
        let newest = self.first + self.blocks.len() as u64;
        if self.blocks.is_empty() || number >= newest + self.blocks.capacity() as u64 {
            self.blocks.clear();
            self.first = number;
        }
        for _ in self.first + self.blocks.len() as u64..=number {
            if self.blocks.len() == self.blocks.capacity() {
                self.blocks.pop_front();
                self.first += 1;
            }
            self.blocks.push_back(Stats::default());
        }
        let index = (number - self.first) as usize;
        (&mut self.blocks[index], (self.block - frame % self.block) as usize)
    }

    /// The stream goes on by `frames` frames, which are there or missing.
    pub fn go_on(&mut self, frames: u64, loss: Option<Loss>) {
        let end = self.frames + frames;
        // Of more than the span, the end is all that a window can touch.
        let start = self.frames.max(end.saturating_sub((self.gaps.len() as u64 - 1) * 64));
        for (index, bits) in words(start..end, self.gaps.len()) {
            for (words, set) in [(&mut self.gaps, Loss::Gap), (&mut self.drops, Loss::Dropped)] {
                words[index] = if loss == Some(set) { words[index] | bits } else { words[index] & !bits };
            }
        }
        self.frames = end;
    }

    /// Forgets what no window from `frame` on can touch or compare with.
    pub fn forget_before(&mut self, frame: u64) {
        while self.blocks.len() > 1 && (self.first + 1 + NOISE_BLOCKS) * self.block <= frame {
            self.blocks.pop_front();
            self.first += 1;
        }
    }

    /// Whether not one frame of `window` is there.
    pub fn is_lost(&self, window: &Range<u64>) -> bool {
        let (dropped, gap) = self.lost(window);
        dropped + gap == window.end - window.start
    }

    /// Frames of `window` that were dropped, and that lie in gaps.
    fn lost(&self, window: &Range<u64>) -> (u64, u64) {
        let (mut dropped, mut gap) = (0, 0);
        for (index, bits) in words(window.start..window.end.min(self.frames), self.gaps.len()) {
            dropped += u64::from((self.drops[index] & bits).count_ones());
            gap += u64::from((self.gaps[index] & bits).count_ones());
        }
        (dropped, gap)
    }

    /// The blocks that are kept of these.
    fn blocks(&self, numbers: Range<u64>) -> impl Iterator<Item = &Stats> {
        let index = |number: u64| (number.saturating_sub(self.first) as usize).min(self.blocks.len());
        self.blocks.range(index(numbers.start)..index(numbers.end))
    }

    /// Power of the noise up to `end`: the tenth of whole blocks with the least power has no more.
    fn noise(&mut self, end: u64) -> Option<f64> {
        let end = end / self.block;
        let mut powers = std::mem::take(&mut self.powers);
        let whole = self.blocks(end.saturating_sub(NOISE_BLOCKS)..end).filter(|b| b.frames == self.block);
        powers.clear();
        powers.extend(whole.map(power));
        let tenth = powers.len() / 10;
        let noise = (!powers.is_empty()).then(|| *powers.select_nth_unstable_by(tenth, f64::total_cmp).1);
        self.powers = powers;
        noise
    }

    /// `last`: the stream ends with this window, so that its last block is not to be waited for.
    pub fn health(&mut self, window: &Range<u64>, last: bool) -> Health {
        let mut stats = Stats::default();
        let end = if last { window.end.div_ceil(self.block) } else { window.end / self.block };
        self.blocks(window.start / self.block..end).for_each(|block| stats.merge(block));
        // Less than a block of audio has nothing to compare with.
        let noise = self.noise(window.end).unwrap_or_else(|| power(&stats));
        let (dropped_frames, gap_frames) = self.lost(window);
        let frames = stats.frames.max(1) as f64;
        let rms_dbfs = dbfs((stats.sum_squares / frames).sqrt());
        Health {
            peak_dbfs: dbfs(f64::from(stats.peak)),
            rms_dbfs,
            noise_floor_dbfs: dbfs(noise.sqrt()),
            snr_db: match power(&stats) - noise {
                above if above > 0.0 => (10.0 * (above / noise).log10()) as f32,
                _ => f32::NEG_INFINITY,
            },
            dc_offset: (stats.sum / frames) as f32,
            clipped_frames: stats.clipped,
            non_finite_frames: stats.non_finite,
            dropped_frames,
            gap_frames,
            silent: rms_dbfs < SILENCE_DBFS,
        }
    }
}

/// The words among `count` that have bits for these frames, and which bits.
fn words(frames: Range<u64>, count: usize) -> impl Iterator<Item = (usize, u64)> {
    (frames.start / 64..frames.end.div_ceil(64)).map(move |word| {
        let from = frames.start.saturating_sub(word * 64);
        let to = (frames.end - word * 64).min(64);
        ((word % count as u64) as usize, u64::MAX << from & u64::MAX >> (64 - to))
    })
}

/// Mean power without DC.
fn power(stats: &Stats) -> f64 {
    let frames = stats.frames.max(1) as f64;
    (stats.sum_squares / frames - (stats.sum / frames).powi(2)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of all lengths, against one entry a frame: every count of every window that the span allows.
    #[test]
    fn losses_are_counted_frame_by_frame() {
        for span in [1_u64, 63, 64, 65, 1_000] {
            let mut journal = Journal::new(8_000, span, span).expect("memory");
            for round in 0..2 {
                let (mut frames, mut state) = (Vec::new(), span as u32 + round);
                for _ in 0..300 {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let loss = [None, Some(Loss::Gap), Some(Loss::Dropped)][(state >> 8) as usize % 3];
                    let length = [1, 2, 30, 64, 700, 3_000][(state >> 16) as usize % 6];
                    journal.go_on(length, loss);
                    frames.resize(frames.len() + length as usize, loss);
                    let end = frames.len();
                    let oldest = end.saturating_sub(span as usize);
                    for window in [oldest..end, end - 1..end, oldest..end - 1, (oldest + end) / 2..end] {
                        let count =
                            |loss| frames[window.clone()].iter().filter(|&&f| f == Some(loss)).count() as u64;
                        let expected = (count(Loss::Dropped), count(Loss::Gap));
                        let window = window.start as u64..window.end as u64;
                        assert_eq!(journal.lost(&window), expected, "span {span}, {window:?}");
                        assert_eq!(
                            journal.is_lost(&window),
                            expected.0 + expected.1 == window.end - window.start
                        );
                    }
                    // What has not come yet is not missing, whatever lay in its place before.
                    let (dropped, gap) = journal.lost(&(end as u64 - 1..end as u64 + 50));
                    assert!(dropped + gap <= 1);
                }
                journal.clear();
            }
        }
    }

    /// 35 years of gap in no time, and what follows is counted right.
    #[test]
    fn a_loss_longer_than_any_window_is_cut_to_what_matters() {
        let mut journal = Journal::new(8_000, 800, 2_000).expect("memory");
        journal.go_on(u64::from(u32::MAX) << 11, Some(Loss::Gap));
        let end = u64::from(u32::MAX) << 11;
        journal.go_on(100, None);
        journal.go_on(50, Some(Loss::Dropped));
        assert_eq!(journal.lost(&(end - 1_850..end + 150)), (50, 1_850));
    }
}
