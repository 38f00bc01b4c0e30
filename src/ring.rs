//! Bounded queue between the thread that pushes audio and the thread that reads scores: interleaved samples, and
//! marks where frames were lost, in the order of the stream. The producer's side is wait-free: no lock, no
//! allocation, no system call, and no loop but over the frames that it is given.
//!
//! What was lost is counted in two sums, gaps and drops, that only grow. The sums of now belong behind the newest frame;
//! before a frame follows a loss, a mark keeps them with its place. So there is at most one mark before each frame that
//! waits, and a ring with room for one each never runs out of them, whatever is lost. A few more keep the order of gaps
//! and drops between the same two frames.
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

use crate::error::Result;
use crate::memory::filled;
#[cfg(not(loom))]
use crate::memory::zeroed;

/// Marks beside those that stand before a frame: for gaps that follow drops while the ring is full.
const SPARE_MARKS: usize = if cfg!(loom) { 1 } else { 4096 };
/// Frames that the consumer hands out at a time.
const STEP: usize = if cfg!(loom) { 4 } else { 1024 };
/// Samples that the producer converts at a time; at least one frame of the most channels.
const CHUNK: usize = if cfg!(loom) { 4 } else { 512 };
/// Memory that is touched before the producer comes there, so that the system need not find it during a push: this many
/// samples (64 MiB) and marks (the first ones are used first), one touch for each page of 4 KiB.
const TOUCHED_SAMPLES: usize = 1 << 24;
const TOUCHED_MARKS: usize = 1024;
const PAGE: usize = 4096;

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

/// Before frame `at`, as counted by those that went into the ring, frames are missing: as many as the sums of gaps and of
/// drops grew since the mark before, the gaps first.
type Mark = [AtomicU64; 3];

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
    /// Mark n lies at n - `first_mark`, modulo their number. Each time that none waits, they start anew at the first place,
    /// so that a stream with few losses uses little memory.
    marks: Box<[Mark]>,
    first_mark: AtomicU64,
    marks_reserved: AtomicU64,
    marks_written: AtomicU64,
    marks_taken: AtomicU64,
    /// What was lost up to now: the sums that belong behind the newest frame.
    lost_gap: AtomicU64,
    lost_dropped: AtomicU64,
    finished: AtomicBool,
}

impl Shared {
    /// Where mark `number` lies. For the producer, and for a consumer that has seen that it is written.
    fn mark(&self, number: u64) -> &Mark {
        let index = (number - self.first_mark.load(Relaxed)) % self.marks.len() as u64;
        &self.marks[index as usize]
    }
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
///
/// Beside the samples there are 24 bytes for each frame's mark; nothing touches those that are never needed.
pub fn ring(frames: usize, channels: usize, overflow: Overflow) -> Result<(Producer, Consumer)> {
    let (frames, channels) = (frames.max(1), channels.max(1));
    let slots: Box<[AtomicU32]> = zeroed(frames.saturating_mul(channels), "the frames of the ring")?;
    let marks: Box<[Mark]> = zeroed(frames.saturating_add(SPARE_MARKS), "the marks of the ring")?;
    let touched = slots.len().min(TOUCHED_SAMPLES);
    let first_slots = slots[..touched].iter().step_by(PAGE / size_of::<AtomicU32>());
    first_slots.chain(slots.last()).for_each(|slot| slot.store(0, Relaxed));
    let first_marks = marks.iter().take(TOUCHED_MARKS).step_by(PAGE / size_of::<Mark>());
    first_marks.for_each(|[at, ..]| at.store(0, Relaxed));
    let shared = Arc::new(Shared {
        slots,
        capacity: frames as u64,
        channels,
        overflow,
        reserved: AtomicU64::new(0),
        written: AtomicU64::new(0),
        taken: AtomicU64::new(0),
        marks,
        first_mark: AtomicU64::new(0),
        marks_reserved: AtomicU64::new(0),
        marks_written: AtomicU64::new(0),
        marks_taken: AtomicU64::new(0),
        lost_gap: AtomicU64::new(0),
        lost_dropped: AtomicU64::new(0),
        finished: AtomicBool::new(false),
    });
    let producer = Producer { written: 0, marks: 0, lost: Lost::default(), marked: Lost::default(), shared };
    let consumer = Consumer {
        batch: filled(frames.min(STEP) * channels, 0.0, "the frames of one step")?,
        taken: 0,
        marks: 0,
        seen: Lost::default(),
        pending_loss: Lost::default(),
        touched,
        shared: producer.shared.clone(),
    };
    Ok((producer, consumer))
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
        &shared.first_mark,
        &shared.lost_gap,
        &shared.lost_dropped,
    ] {
        counter.store(0, Release);
    }
    shared.finished.store(false, Release);
    (producer.written, producer.marks) = (0, 0);
    (producer.lost, producer.marked) = (Lost::default(), Lost::default());
    (consumer.taken, consumer.marks) = (0, 0);
    (consumer.seen, consumer.pending_loss) = (Lost::default(), Lost::default());
}

/// The side of the thread that pushes.
#[derive(Debug)]
pub struct Producer {
    written: u64,
    marks: u64,
    /// What was lost so far, and the sums of the newest mark.
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
                // Of a push longer than the ring, only the end is written at all.
                let skipped = frames.saturating_sub(capacity as usize);
                self.write(skipped, frames, &mut fill);
                Pushed { accepted: frames - skipped, dropped }
            }
            Overflow::DropNewest => {
                let accepted = frames - dropped;
                self.write(0, accepted, &mut fill);
                if dropped > 0 {
                    self.lost.dropped += dropped as u64;
                    self.shared.lost_dropped.store(self.lost.dropped, Release);
                }
                Pushed { accepted, dropped }
            }
        }
    }

    /// Writes the frames from `first` to before `end` of a push; the ones before `first` count as written.
    fn write(&mut self, first: usize, end: usize, fill: &mut impl FnMut(usize, &mut [f32])) {
        if first == end {
            return;
        }
        if self.lost != self.marked {
            self.mark();
        }
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

    /// The source lost `frames` frames here. Where gaps and drops take turns while the ring is full and thousands of marks
    /// wait, those between the same two accepted frames reach the reader as one gap and one drop.
    pub fn gap(&mut self, frames: u64) {
        if self.is_finished() || frames == 0 {
            return;
        }
        let waiting = self.marks - self.shared.marks_taken.load(Acquire);
        if self.lost.dropped > self.marked.dropped && waiting < SPARE_MARKS as u64 {
            self.mark();
        }
        self.lost.gap = self.lost.gap.saturating_add(frames);
        self.shared.lost_gap.store(self.lost.gap, Release);
    }

    /// Says that no more will come.
    pub fn finish(&mut self) {
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

    /// Marks what was lost before the next frame. There is always a place for it: unread marks stand before frames that wait,
    /// one each, and of those there are fewer than the capacity, because one more is let in now; spare ones come on top. With
    /// [`Overflow::DropOldest`], a mark that is written over stands before a frame that is, too.
    fn mark(&mut self) {
        let shared = &*self.shared;
        if shared.marks_taken.load(Acquire) == self.marks {
            shared.first_mark.store(self.marks, Relaxed);
        }
        shared.marks_reserved.store(self.marks + 1, Relaxed);
        fence(Release);
        let [at, gap, dropped] = shared.mark(self.marks);
        at.store(self.written, Relaxed);
        gap.store(self.lost.gap, Relaxed);
        dropped.store(self.lost.dropped, Relaxed);
        self.marks += 1;
        shared.marks_written.store(self.marks, Release);
        self.marked = self.lost;
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
    /// The sums up to frame `taken`.
    seen: Lost,
    /// What was lost just before frame `taken` and has not been reported yet.
    pending_loss: Lost,
    /// Slots whose memory has been touched.
    touched: usize,
    shared: Arc<Shared>,
}

impl Consumer {
    /// Takes the next item of the stream. If it is samples, `sink` gets 1..=`max_frames` frames of them.
    pub fn next(&mut self, max_frames: usize, mut sink: impl FnMut(&[f32])) -> Item {
        self.touch_ahead();
        while self.pending_loss == Lost::default() {
            // In this order: a mark is written before the samples that follow it, and the end comes after all.
            let finished = self.shared.finished.load(Acquire);
            let written = self.shared.written.load(Acquire);
            match self.mark() {
                Some((at, sums)) if at == self.taken => {
                    self.lose(sums);
                    self.marks += 1;
                    self.shared.marks_taken.store(self.marks, Release);
                }
                None if written == self.taken => match self.lost_here() {
                    Some(sums) if sums != self.seen => self.lose(sums),
                    Some(_) if finished => return Item::End,
                    _ => return Item::Empty,
                },
                mark => {
                    let end = mark.map_or(written, |(at, _)| at.min(written));
                    let most = max_frames.min(self.batch.len() / self.shared.channels) as u64;
                    return self.copy(end.saturating_sub(self.taken).min(most) as usize, &mut sink);
                }
            }
        }
        if self.pending_loss.gap > 0 {
            return Item::Gap(std::mem::take(&mut self.pending_loss.gap));
        }
        Item::Dropped(std::mem::take(&mut self.pending_loss.dropped))
    }

    /// Touches the memory that the producer comes to next, which is only needed in the first round of a large ring.
    fn touch_ahead(&mut self) {
        let slots = &self.shared.slots;
        if self.touched < slots.len() {
            let written = self.shared.written.load(Relaxed).saturating_mul(self.shared.channels as u64);
            let end = written.saturating_add(TOUCHED_SAMPLES as u64).min(slots.len() as u64) as usize;
            let end = end.max(self.touched);
            for slot in slots[self.touched..end].iter().step_by(PAGE / size_of::<AtomicU32>()) {
                // A write that changes nothing, of which the compiler makes no read (as it does of `fetch_or`). If the
                // producer has been here, there is nothing to do.
                let _ = slot.compare_exchange(0, 0, Relaxed, Relaxed);
            }
            self.touched = end;
        }
    }

    /// The sums behind frame `taken`, the newest, unless something has come after it in the meantime.
    fn lost_here(&self) -> Option<Lost> {
        let shared = &*self.shared;
        // In this order: a drop that is seen follows the gaps that are seen, and what is seen of either follows any mark
        // or frame that came before it.
        let dropped = shared.lost_dropped.load(Acquire);
        let gap = shared.lost_gap.load(Acquire);
        let newest =
            shared.reserved.load(Relaxed) == self.taken && shared.marks_written.load(Relaxed) == self.marks;
        newest.then_some(Lost { gap, dropped })
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
            let [at, gap, dropped] = shared.mark(self.marks);
            let at = at.load(Relaxed);
            let sums = Lost { gap: gap.load(Relaxed), dropped: dropped.load(Relaxed) };
            fence(Acquire);
            let oldest = shared.marks_reserved.load(Relaxed).saturating_sub(shared.marks.len() as u64);
            if oldest <= self.marks {
                if lapped {
                    self.pending_loss.dropped += at - self.taken;
                    self.taken = at;
                    shared.taken.store(at, Release);
                }
                return Some((at, sums));
            }
            (self.marks, lapped) = (oldest, true);
        }
    }

    /// What the sums have grown by is missing before frame `taken`.
    fn lose(&mut self, sums: Lost) {
        self.pending_loss.gap += sums.gap - self.seen.gap;
        self.pending_loss.dropped += sums.dropped - self.seen.dropped;
        self.seen = sums;
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

/// loom's atomics are more than their values.
#[cfg(loom)]
fn zeroed<T: Default>(count: usize, _: &str) -> Result<Box<[T]>> {
    Ok((0..count).map(|_| T::default()).collect())
}
