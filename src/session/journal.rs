//! What happened to the stream, kept until the windows that it touches have been read.

use std::collections::VecDeque;
use std::ops::Range;

use crate::health::{Health, SILENCE_DBFS, dbfs};
use crate::pcm::Stats;

/// Levels are kept for stretches of this many a second: a window's levels are those of the stretches it touches.
const BLOCKS_A_SECOND: u32 = 100;
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
}

impl Journal {
    /// `span`: host frames that can lie between the first frame of the next window and the newest frame.
    pub fn new(rate: u32, span: u64) -> Self {
        let block = u64::from(rate / BLOCKS_A_SECOND);
        let capacity = (span / block + 4) as usize;
        Self {
            block,
            first: 0,
            blocks: VecDeque::with_capacity(capacity),
            losses: VecDeque::with_capacity(MAX_LOSSES),
        }
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

    /// Forgets what no window from `frame` on can touch.
    pub fn forget_before(&mut self, frame: u64) {
        while self.blocks.len() > 1 && (self.first + 1) * self.block <= frame {
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

    pub fn health(&self, window: &Range<u64>) -> Health {
        let mut stats = Stats::default();
        let touched = window.start / self.block..window.end.div_ceil(self.block);
        for number in touched.start.max(self.first)..touched.end {
            match self.blocks.get((number - self.first) as usize) {
                Some(block) => stats.merge(block),
                None => break,
            }
        }
        let (dropped_frames, gap_frames) = self.lost(window);
        let frames = stats.frames.max(1) as f64;
        let rms_dbfs = dbfs((stats.sum_squares / frames).sqrt());
        Health {
            peak_dbfs: dbfs(f64::from(stats.peak)),
            rms_dbfs,
            dc_offset: (stats.sum / frames) as f32,
            clipped_frames: stats.clipped,
            non_finite_frames: stats.non_finite,
            dropped_frames,
            gap_frames,
            silent: rms_dbfs < SILENCE_DBFS,
        }
    }
}
