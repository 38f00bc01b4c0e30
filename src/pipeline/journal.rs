//! What happened to the stream, kept until the windows that it touches have been read.

use std::collections::VecDeque;
use std::ops::Range;

use crate::error::Result;
use crate::health::{Health, NOISE_SECONDS, SILENCE_DBFS, dbfs};
use crate::memory::reserved;
use crate::pcm::Stats;

/// Levels are kept for blocks of this many a second, or of half a window where that is shorter. The levels of a window are
/// those of the blocks that end in it: later audio, of which there may be some already or not, plays no part.
const BLOCKS_A_SECOND: u64 = 100;
/// The most blocks that the noise floor is looked for in.
const NOISE_BLOCKS: u64 = BLOCKS_A_SECOND * NOISE_SECONDS as u64;
/// Losses that can touch one window before the two oldest are told as one.
const MAX_LOSSES: usize = 64;

/// Frames `from..to` of the stream are missing.
#[derive(Clone, Copy, Debug)]
struct Loss {
    from: u64,
    to: u64,
    dropped: bool,
}

#[derive(Debug)]
pub(super) struct Journal {
    /// Frames of one block.
    block: u64,
    /// Block number of `blocks[0]`.
    first: u64,
    blocks: VecDeque<Stats>,
    losses: VecDeque<Loss>,
    /// Powers of blocks, to be sorted.
    powers: Vec<f64>,
}

impl Journal {
    /// `window` is its length in host frames, `span` how many can lie between the first frame of the next window and the
    /// newest frame.
    pub fn new(rate: u32, window: u64, span: u64) -> Result<Self> {
        let block = (u64::from(rate) / BLOCKS_A_SECOND).min(window / 2).max(1);
        let capacity = (span / block + NOISE_BLOCKS + 4) as usize;
        Ok(Self {
            block,
            first: 0,
            blocks: reserved(capacity, "the levels of a window")?.into(),
            losses: reserved(MAX_LOSSES, "the losses of a window")?.into(),
            powers: reserved(NOISE_BLOCKS as usize, "the levels of the noise")?,
        })
    }

    pub fn clear(&mut self) {
        self.first = 0;
        self.blocks.clear();
        self.losses.clear();
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

    /// Frames `from..to` are missing.
    pub fn lose(&mut self, from: u64, to: u64, dropped: bool) {
        if self.losses.len() == MAX_LOSSES
            && let Some(oldest) = self.losses.pop_front()
            && let Some(second) = self.losses.front_mut()
        {
            // Counts stay right, only the place becomes coarser.
            let missing = oldest.to - oldest.from;
            second.from -= missing.min(second.from);
        }
        self.losses.push_back(Loss { from, to, dropped });
    }

    /// Forgets what no window from `frame` on can touch or compare with.
    pub fn forget_before(&mut self, frame: u64) {
        while self.blocks.len() > 1 && (self.first + 1 + NOISE_BLOCKS) * self.block <= frame {
            self.blocks.pop_front();
            self.first += 1;
        }
        while self.losses.front().is_some_and(|loss| loss.to <= frame) {
            self.losses.pop_front();
        }
    }

    /// Whether not one frame of `window` is there.
    pub fn is_lost(&self, window: &Range<u64>) -> bool {
        let (dropped, gap) = self.lost(window);
        dropped + gap >= window.end - window.start
    }

    fn lost(&self, window: &Range<u64>) -> (u64, u64) {
        let (mut dropped, mut gap) = (0, 0);
        for loss in &self.losses {
            let missing = loss.to.min(window.end).saturating_sub(loss.from.max(window.start));
            *if loss.dropped { &mut dropped } else { &mut gap } += missing;
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

/// Mean power without DC.
fn power(stats: &Stats) -> f64 {
    let frames = stats.frames.max(1) as f64;
    (stats.sum_squares / frames - (stats.sum / frames).powi(2)).max(0.0)
}
