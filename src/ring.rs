//! Bounded queue between the thread that pushes audio and the thread that reads scores: interleaved samples, and
//! marks where frames were lost, in the order of the stream. The producer's side is wait-free: no lock, no
//! allocation, no system call, and no loop but over the frames that it is given.
//!
//! All that is shared is atomic, so the two sides can even be in the same place: with [`Overflow::DropOldest`] the
//! producer writes over frames that the consumer may be copying. It announces how far it will write before it does,
//! and the consumer looks at that after its copy and throws away what was written over: the reader's half of a
//! seqlock (H. Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?", MSPC 2012).

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
#[cfg(not(loom))]
use std::sync::{Arc, atomic};

use atomic::{AtomicBool, AtomicU32, AtomicU64, fence};
#[cfg(loom)]
use loom::sync::{Arc, atomic};

/// How many marks can wait. When they are all taken, frames are lost (and counted) until one is free.
const MARKS: u64 = if cfg!(loom) { 2 } else { 64 };
/// Frames that the consumer hands out at a time.
const STEP: usize = if cfg!(loom) { 4 } else { 1024 };
/// Samples that the producer converts at a time; at least one frame of the most channels.
const CHUNK: usize = if cfg!(loom) { 4 } else { 512 };

/// What happens when frames are pushed and the ring is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Overflow {
    /// The frames that do not fit are lost.
    #[default]
    DropNewest = 1,
    /// The frames that have waited longest are lost.
    DropOldest = 2,
}

/// What became of the frames of one push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Frames of this push that went into the ring.
    pub accepted: usize,
    /// Frames lost because the ring was full: with [`Overflow::DropNewest`] those of this push that did not fit, with
    /// [`Overflow::DropOldest`] the ones written over (at most so many: the reader may just have had some).
    pub dropped: usize,
}

/// Frames that are missing, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Lost {
    gap: u64,
    dropped: u64,
}

/// Between the frames before and from `at` on, as counted by those that went into the ring, frames are missing: as
/// many as the sums grew since the mark before.
#[derive(Debug, Default)]
struct Mark {
    at: AtomicU64,
    gap: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Shared {
    /// Frame n lies at n modulo the capacity; the samples of a frame side by side, as bits.
    slots: Box<[AtomicU32]>,
    capacity: u64,
    channels: usize,
    overflow: Overflow,
    /// Frames that will have been written when the running push is over, and those that have been.
    reserved: AtomicU64,
    written: AtomicU64,
    /// Frames that the consumer is done with.
    taken: AtomicU64,
    marks: Box<[Mark]>,
    marks_reserved: AtomicU64,
    marks_written: AtomicU64,
    marks_taken: AtomicU64,
    /// The sums at the very end. Valid once `finished` is set.
    last_gap: AtomicU64,
    last_dropped: AtomicU64,
    finished: AtomicBool,
}

/// How full the ring is, for any thread.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<Shared>);

impl Gauge {
    /// Frames that wait to be read. While both sides run it may be too high for a moment, never too low for what was
    /// accepted before the call.
    pub fn pending_frames(&self) -> u64 {
        // Taken first: it never passes `written`.
        let taken = self.0.taken.load(Acquire);
        self.0.written.load(Acquire).saturating_sub(taken).min(self.0.capacity)
    }
}

/// Makes a ring for `frames` frames of `channels` samples. Both are at least 1.
pub fn ring(frames: usize, channels: usize, overflow: Overflow) -> (Producer, Consumer) {
    let (frames, channels) = (frames.max(1), channels.max(1));
    let shared = Arc::new(Shared {
        slots: (0..frames * channels).map(|_| AtomicU32::new(0)).collect(),
        capacity: frames as u64,
        channels,
        overflow,
        reserved: AtomicU64::new(0),
        written: AtomicU64::new(0),
        taken: AtomicU64::new(0),
        marks: (0..MARKS).map(|_| Mark::default()).collect(),
        marks_reserved: AtomicU64::new(0),
        marks_written: AtomicU64::new(0),
        marks_taken: AtomicU64::new(0),
        last_gap: AtomicU64::new(0),
        last_dropped: AtomicU64::new(0),
        finished: AtomicBool::new(false),
    });
    let producer = Producer { written: 0, marks: 0, lost: Lost::default(), marked: Lost::default(), shared };
    let consumer = Consumer {
        batch: vec![0.0; frames.min(STEP) * channels],
        taken: 0,
        marks: 0,
        seen: Lost::default(),
        untold: Lost::default(),
        shared: producer.shared.clone(),
    };
    (producer, consumer)
}

/// Empties the ring whose two sides these are, and counts from 0 again.
pub fn reset(producer: &mut Producer, consumer: &mut Consumer) {
    let shared = &producer.shared;
    assert!(Arc::ptr_eq(shared, &consumer.shared), "two sides of one ring");
    for counter in [
        &shared.taken,
        &shared.marks_taken,
        &shared.written,
        &shared.reserved,
        &shared.marks_written,
        &shared.marks_reserved,
        &shared.last_gap,
        &shared.last_dropped,
    ] {
        counter.store(0, Release);
    }
    shared.finished.store(false, Release);
    (producer.written, producer.marks) = (0, 0);
    (producer.lost, producer.marked) = (Lost::default(), Lost::default());
    (consumer.taken, consumer.marks) = (0, 0);
    (consumer.seen, consumer.untold) = (Lost::default(), Lost::default());
}

/// The side of the thread that pushes.
#[derive(Debug)]
pub struct Producer {
    written: u64,
    marks: u64,
    /// What was lost so far, and how much of it marks tell.
    lost: Lost,
    marked: Lost,
    shared: Arc<Shared>,
}

impl Producer {
    /// Offers `frames` frames. `fill(first, out)` is called to write the interleaved samples of the frames from
    /// `first` on into `out`, for as many frames as fit there. Nothing is accepted after `finish`.
    pub fn push(&mut self, frames: usize, mut fill: impl FnMut(usize, &mut [f32])) -> Pushed {
        if self.is_finished() {
            return Pushed::default();
        }
        let capacity = self.shared.capacity;
        let waiting = (self.written - self.shared.taken.load(Acquire)).min(capacity);
        let dropped = (waiting + frames as u64).saturating_sub(capacity) as usize;
        match self.shared.overflow {
            Overflow::DropOldest => {
                // With every mark taken, the oldest is written over, and the frames before it are lost.
                self.publish();
                // Of a push longer than the ring, only the end is written at all.
                let skipped = frames.saturating_sub(capacity as usize);
                self.write(skipped, frames, &mut fill);
                Pushed { accepted: frames - skipped, dropped }
            }
            Overflow::DropNewest => {
                // Without a mark for what was lost before them, frames would take its place.
                let accepted = if self.publish() { frames - dropped } else { 0 };
                self.write(0, accepted, &mut fill);
                self.lost.dropped += (frames - accepted) as u64;
                self.publish();
                Pushed { accepted, dropped: frames - accepted }
            }
        }
    }

    /// Writes the frames from `first` to before `end` of a push; the ones before `first` count as written.
    fn write(&mut self, first: usize, end: usize, fill: &mut impl FnMut(usize, &mut [f32])) {
        let shared = &*self.shared;
        let mut samples = [0.0; CHUNK];
        shared.reserved.store(self.written + end as u64, Relaxed);
        // Who sees a slot that is written below, sees what was reserved too.
        fence(Release);
        let mut next = first;
        while next < end {
            let place = ((self.written + next as u64) % shared.capacity) as usize;
            let frames = (end - next).min(CHUNK / shared.channels).min(shared.capacity as usize - place);
            let samples = &mut samples[..frames * shared.channels];
            fill(next, samples);
            for (slot, sample) in shared.slots[place * shared.channels..].iter().zip(samples) {
                slot.store(sample.to_bits(), Relaxed);
            }
            next += frames;
        }
        self.written += end as u64;
        shared.written.store(self.written, Release);
    }

    /// The source lost `frames` frames here. Gaps and drops between the same two accepted frames may reach the
    /// reader as one gap and one drop.
    pub fn gap(&mut self, frames: u64) {
        if !self.is_finished() {
            self.lost.gap = self.lost.gap.saturating_add(frames);
            self.publish();
        }
    }

    /// Says that no more will come.
    pub fn finish(&mut self) {
        if self.is_finished() {
            return;
        }
        self.shared.last_gap.store(self.lost.gap, Relaxed);
        self.shared.last_dropped.store(self.lost.dropped, Relaxed);
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

    /// Marks what was lost. False if there is no free mark.
    fn publish(&mut self) -> bool {
        if self.lost == self.marked {
            return true;
        }
        let shared = &*self.shared;
        if shared.overflow == Overflow::DropNewest && self.marks - shared.marks_taken.load(Acquire) >= MARKS {
            return false;
        }
        shared.marks_reserved.store(self.marks + 1, Relaxed);
        fence(Release);
        let mark = &shared.marks[(self.marks % MARKS) as usize];
        mark.at.store(self.written, Relaxed);
        mark.gap.store(self.lost.gap, Relaxed);
        mark.dropped.store(self.lost.dropped, Relaxed);
        self.marks += 1;
        shared.marks_written.store(self.marks, Release);
        self.marked = self.lost;
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
    /// This many frames were lost here because the ring was full.
    Dropped(u64),
    /// Nothing yet.
    Empty,
    /// Nothing ever again.
    End,
}

/// The side of the thread that reads.
#[derive(Debug)]
pub struct Consumer {
    batch: Vec<f32>,
    taken: u64,
    marks: u64,
    /// The sums of the last mark that was passed.
    seen: Lost,
    /// What was lost just before frame `taken` and has not been told yet.
    untold: Lost,
    shared: Arc<Shared>,
}

impl Consumer {
    /// Takes the next item of the stream. If it is samples, `sink` gets 1..=`max_frames` frames of them.
    pub fn next(&mut self, max_frames: usize, mut sink: impl FnMut(&[f32])) -> Item {
        if self.untold == Lost::default() {
            // In this order: a mark is written before the samples that follow it, and the end comes after all.
            let finished = self.shared.finished.load(Acquire);
            let written = self.shared.written.load(Acquire);
            let mark = self.mark();
            if let Some((at, sums)) = mark.filter(|&(at, _)| at == self.taken) {
                self.pass(at, sums);
            } else if finished && written == self.taken && mark.is_none() {
                let sums = Lost {
                    gap: self.shared.last_gap.load(Relaxed),
                    dropped: self.shared.last_dropped.load(Relaxed),
                };
                self.untold = self.since(sums);
                if self.untold == Lost::default() {
                    return Item::End;
                }
                self.seen = sums;
            } else {
                let end = mark.map_or(written, |(at, _)| at.min(written));
                let most = max_frames.min(self.batch.len() / self.shared.channels) as u64;
                return self.copy(end.saturating_sub(self.taken).min(most) as usize, &mut sink);
            }
        }
        if self.untold.gap > 0 {
            return Item::Gap(std::mem::take(&mut self.untold.gap));
        }
        Item::Dropped(std::mem::take(&mut self.untold.dropped))
    }

    /// The next mark: where it is, and its sums. If marks were written over, the frames before the oldest that is
    /// left are given up, because their place in the stream is not known any more.
    fn mark(&mut self) -> Option<(u64, Lost)> {
        let shared = self.shared.clone();
        let mut lapped = false;
        loop {
            if shared.marks_written.load(Acquire) == self.marks {
                return None;
            }
            let mark = &shared.marks[(self.marks % MARKS) as usize];
            let at = mark.at.load(Relaxed);
            let sums = Lost { gap: mark.gap.load(Relaxed), dropped: mark.dropped.load(Relaxed) };
            fence(Acquire);
            let oldest = shared.marks_reserved.load(Relaxed).saturating_sub(MARKS);
            if oldest <= self.marks {
                if lapped {
                    self.untold.dropped += at - self.taken;
                    self.taken = at;
                    shared.taken.store(at, Release);
                }
                return Some((at, sums));
            }
            (self.marks, lapped) = (oldest, true);
        }
    }

    /// Goes past a mark.
    fn pass(&mut self, at: u64, sums: Lost) {
        debug_assert_eq!(at, self.taken);
        let lost = self.since(sums);
        self.untold = Lost { gap: lost.gap, dropped: self.untold.dropped + lost.dropped };
        self.seen = sums;
        self.marks += 1;
        self.shared.marks_taken.store(self.marks, Release);
    }

    fn since(&self, sums: Lost) -> Lost {
        Lost { gap: sums.gap - self.seen.gap, dropped: sums.dropped - self.seen.dropped }
    }

    /// Hands out the next `frames` frames, or tells how many of them have been written over.
    fn copy(&mut self, frames: usize, sink: &mut impl FnMut(&[f32])) -> Item {
        if frames == 0 {
            return Item::Empty;
        }
        let shared = &*self.shared;
        let start = (self.taken % shared.capacity) as usize * shared.channels;
        let batch = &mut self.batch[..frames * shared.channels];
        let (to_end, from_start) =
            batch.split_at_mut((shared.slots.len() - start).min(frames * shared.channels));
        for (part, slots) in [(to_end, &shared.slots[start..]), (from_start, &shared.slots[..])] {
            for (sample, slot) in part.iter_mut().zip(slots) {
                *sample = f32::from_bits(slot.load(Relaxed));
            }
        }
        fence(Acquire);
        let oldest = shared.reserved.load(Relaxed).saturating_sub(shared.capacity);
        let lost = oldest.saturating_sub(self.taken).min(frames as u64);
        let item = match lost {
            0 => {
                sink(batch);
                Item::Samples(frames)
            }
            lost => Item::Dropped(lost),
        };
        self.taken += if lost > 0 { lost } else { frames as u64 };
        shared.taken.store(self.taken, Release);
        item
    }

    /// How full the ring is.
    pub fn gauge(&self) -> Gauge {
        Gauge(self.shared.clone())
    }
}
