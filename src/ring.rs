//! Bounded queue between the thread that pushes audio and the thread that reads scores: interleaved samples, and
//! marks where frames were lost, in the order of the stream. The producer's side is wait-free: no lock, no
//! allocation, no system call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// How many marks can wait. When they are all taken, frames are dropped (and counted) until one is free.
const MARKS: usize = 64;

/// Frames that are missing just before frame `at` of those that were accepted.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: u64,
    lost: Lost,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Lost {
    gap: u64,
    dropped: u64,
}

#[derive(Debug, Default)]
struct Shared {
    accepted: AtomicU64,
    taken: AtomicU64,
    /// Losses at the very end that found no free mark. Valid once `finished` is set.
    last_gap: AtomicU64,
    last_dropped: AtomicU64,
    finished: AtomicBool,
}

/// How full the ring is, for any thread.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<Shared>);

impl Gauge {
    /// Frames that were accepted and not read yet. While both sides run it may be too high for a moment, never too low
    /// for what was accepted before the call.
    pub fn pending_frames(&self) -> u64 {
        // Taken first: it never passes `accepted`, so the difference is never negative.
        let taken = self.0.taken.load(Acquire);
        self.0.accepted.load(Acquire) - taken
    }
}

/// Makes a ring for `frames` frames of `channels` samples. Both are at least 1.
pub fn ring(frames: usize, channels: usize) -> (Producer, Consumer) {
    // A whole number of frames, so that no frame is ever split at the end of the buffer.
    let (samples_in, samples_out) = rtrb::RingBuffer::new(frames.max(1) * channels.max(1));
    let (marks_in, marks_out) = rtrb::RingBuffer::new(MARKS);
    let shared = Arc::new(Shared::default());
    (
        Producer {
            samples: samples_in,
            marks: marks_in,
            channels: channels.max(1),
            accepted: 0,
            pending: Lost::default(),
            shared: shared.clone(),
        },
        Consumer {
            samples: samples_out,
            marks: marks_out,
            channels: channels.max(1),
            taken: 0,
            lost: Lost::default(),
            shared,
        },
    )
}

/// The side of the thread that pushes.
#[derive(Debug)]
pub struct Producer {
    samples: rtrb::Producer<f32>,
    marks: rtrb::Producer<Mark>,
    channels: usize,
    accepted: u64,
    /// What was lost after the last accepted frame and has not been marked yet.
    pending: Lost,
    shared: Arc<Shared>,
}

impl Producer {
    /// Offers `frames` frames. `fill(first, out)` is called at most twice, to write the interleaved samples of
    /// the frames from `first` on into `out`. Returns how many frames were accepted: the first ones, as many as
    /// fit. The others are dropped, and the reader will be told. Nothing is accepted after `finish`.
    pub fn push(&mut self, frames: usize, mut fill: impl FnMut(usize, &mut [f32])) -> usize {
        if self.is_finished() {
            return 0;
        }
        let room = if self.publish() { self.samples.slots() / self.channels } else { 0 };
        let accepted = frames.min(room);
        if let Ok(mut chunk) = self.samples.write_chunk(accepted * self.channels) {
            let (first, second) = chunk.as_mut_slices();
            fill(0, first);
            if !second.is_empty() {
                fill(first.len() / self.channels, second);
            }
            // Before the samples are visible, so that nobody sees more taken than accepted.
            self.accepted += accepted as u64;
            self.shared.accepted.store(self.accepted, Release);
            chunk.commit_all();
        }
        self.pending.dropped += (frames - accepted) as u64;
        self.publish();
        accepted
    }

    /// The source lost `frames` frames here. Gaps and drops between the same two accepted frames may reach the
    /// reader as one gap and one drop.
    pub fn gap(&mut self, frames: u64) {
        if !self.is_finished() {
            self.pending.gap = self.pending.gap.saturating_add(frames);
            self.publish();
        }
    }

    /// Says that no more will come.
    pub fn finish(&mut self) {
        if self.is_finished() {
            return;
        }
        self.shared.last_gap.store(self.pending.gap, Relaxed);
        self.shared.last_dropped.store(self.pending.dropped, Relaxed);
        self.shared.finished.store(true, Release);
    }

    /// Whether [`finish`](Self::finish) was called.
    pub fn is_finished(&self) -> bool {
        self.shared.finished.load(Relaxed)
    }

    /// How full the ring is.
    pub fn gauge(&self) -> Gauge {
        Gauge(self.shared.clone())
    }

    /// Marks what was lost. False if there is no free mark: then no frame may be accepted, or it would
    /// overtake the mark.
    fn publish(&mut self) -> bool {
        if self.pending != Lost::default() {
            let mark = Mark { at: self.accepted, lost: self.pending };
            if self.marks.push(mark).is_err() {
                return false;
            }
            self.pending = Lost::default();
        }
        true
    }
}

/// What comes next in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// This many frames were handed out.
    Samples(usize),
    /// The source lost this many frames here.
    Gap(u64),
    /// This many frames did not fit into the ring here.
    Dropped(u64),
    /// Nothing yet.
    Empty,
    /// Nothing ever again.
    End,
}

/// The side of the thread that reads.
#[derive(Debug)]
pub struct Consumer {
    samples: rtrb::Consumer<f32>,
    marks: rtrb::Consumer<Mark>,
    channels: usize,
    taken: u64,
    /// What was lost just before frame `taken` and has not been told yet.
    lost: Lost,
    shared: Arc<Shared>,
}

impl Consumer {
    /// Takes the next item of the stream. If it is samples, `sink` gets 1..=`max_frames` frames of them in one
    /// or two interleaved slices, without a copy.
    pub fn next(&mut self, max_frames: usize, mut sink: impl FnMut(&[f32])) -> Item {
        // In this order: a mark is published before the samples that follow it, and the end comes after all.
        let finished = self.shared.finished.load(Acquire);
        let available = self.samples.slots() / self.channels;
        let ahead = match self.marks.peek() {
            Ok(mark) => mark.at - self.taken,
            Err(_) => u64::MAX,
        };
        if ahead == 0
            && self.lost == Lost::default()
            && let Ok(mark) = self.marks.pop()
        {
            self.lost = mark.lost;
        } else if finished && available == 0 && ahead == u64::MAX && self.lost == Lost::default() {
            self.lost.gap = self.shared.last_gap.swap(0, Relaxed);
            self.lost.dropped = self.shared.last_dropped.swap(0, Relaxed);
            if self.lost == Lost::default() {
                return Item::End;
            }
        }
        if self.lost.gap > 0 {
            return Item::Gap(std::mem::take(&mut self.lost.gap));
        }
        if self.lost.dropped > 0 {
            return Item::Dropped(std::mem::take(&mut self.lost.dropped));
        }
        let frames = available.min(max_frames).min(usize::try_from(ahead).unwrap_or(usize::MAX));
        match self.samples.read_chunk(frames * self.channels) {
            Ok(chunk) if frames > 0 => {
                let (first, second) = chunk.as_slices();
                sink(first);
                if !second.is_empty() {
                    sink(second);
                }
                chunk.commit_all();
                self.taken += frames as u64;
                self.shared.taken.store(self.taken, Release);
                Item::Samples(frames)
            }
            _ => Item::Empty,
        }
    }

    /// How full the ring is.
    pub fn gauge(&self) -> Gauge {
        Gauge(self.shared.clone())
    }
}
