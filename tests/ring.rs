//! The ring: order, counts, and that no frame is ever unaccounted for.

mod support;

use auricle::Status;
use auricle::stages::ring::{self, Consumer, Item, Overflow, Producer};
use support::{Random, allocations};

fn ring(frames: usize, channels: usize) -> (Producer, Consumer) {
    ring_of(frames, channels, Overflow::DropNewest)
}

fn ring_of(frames: usize, channels: usize, overflow: Overflow) -> (Producer, Consumer) {
    ring::ring(frames, channels, overflow).expect("memory")
}

/// Pushes frames numbered from `first`, each sample being `frame * channels + channel`.
fn push(producer: &mut Producer, channels: usize, first: u64, frames: usize) -> usize {
    let pushed = producer.push(frames, |offset, out| {
        assert_eq!(out.len() % channels, 0, "a frame was split");
        for (index, sample) in out.iter_mut().enumerate() {
            *sample = ((first + offset as u64) * channels as u64 + index as u64) as f32;
        }
    });
    pushed.accepted
}

fn take(consumer: &mut Consumer, max_frames: usize) -> (Item, Vec<f32>) {
    let mut samples = Vec::new();
    let item = consumer.next(max_frames, |part| samples.extend_from_slice(part));
    (item, samples)
}

#[test]
fn samples_and_marks_keep_their_order() {
    let (mut producer, mut consumer) = ring(8, 2);
    assert_eq!(take(&mut consumer, 9).0, Item::Empty);
    assert_eq!(push(&mut producer, 2, 0, 3), 3);
    producer.gap(100);
    // 8 fit in all: 5 more, 2 are dropped.
    assert_eq!(push(&mut producer, 2, 3, 7), 5);
    assert_eq!(producer.gauge().pending_frames(), 8);
    assert_eq!(take(&mut consumer, 2), (Item::Samples(2), vec![0.0, 1.0, 2.0, 3.0]));
    // No further than to the mark, although more is wanted and there.
    assert_eq!(take(&mut consumer, 9), (Item::Samples(1), vec![4.0, 5.0]));
    assert_eq!(take(&mut consumer, 9), (Item::Gap(100), vec![]));
    assert_eq!(consumer.gauge().pending_frames(), 5);
    assert_eq!(push(&mut producer, 2, 10, 1), 1);
    // Frames 8 and 9 were dropped between 7 and 10.
    assert_eq!(take(&mut consumer, 9), (Item::Samples(5), (6..16).map(|x| x as f32).collect()));
    assert_eq!(take(&mut consumer, 9), (Item::Dropped(2), vec![]));
    assert_eq!(take(&mut consumer, 9), (Item::Samples(1), vec![20.0, 21.0]));
    assert_eq!(take(&mut consumer, 9).0, Item::Empty);
    producer.finish();
    assert_eq!(take(&mut consumer, 9).0, Item::End);
    assert_eq!(take(&mut consumer, 9).0, Item::End);
}

#[test]
fn nothing_is_taken_after_finish() {
    let (mut producer, mut consumer) = ring(8, 1);
    push(&mut producer, 1, 0, 2);
    producer.finish();
    assert!(producer.is_finished());
    assert_eq!(push(&mut producer, 1, 2, 1), 0);
    producer.gap(5);
    producer.finish();
    assert_eq!(take(&mut consumer, 0).0, Item::Empty);
    assert_eq!(take(&mut consumer, 9).0, Item::Samples(2));
    assert_eq!(take(&mut consumer, 9).0, Item::End);
}

/// What a reader gets of frames that carry their numbers in the stream: where it is, and the frames of each kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    frame: u64,
    samples: u64,
    gaps: u64,
    drops: u64,
}

impl Account {
    /// Takes the next item. False if there is none.
    fn take(&mut self, consumer: &mut Consumer) -> bool {
        let (item, samples) = take(consumer, 9);
        match item {
            Item::Samples(frames) => {
                let numbers: Vec<_> = (self.frame..self.frame + frames as u64).map(|n| n as f32).collect();
                assert_eq!(samples, numbers, "out of their place");
                self.samples += frames as u64;
                self.frame += frames as u64;
            }
            Item::Gap(frames) => (self.gaps, self.frame) = (self.gaps + frames, self.frame + frames),
            Item::Dropped(frames) => (self.drops, self.frame) = (self.drops + frames, self.frame + frames),
            Item::Empty | Item::End => return false,
        }
        true
    }
}

/// Nobody reads, and a gap is before every frame: all that fits is taken, and in its place.
#[test]
fn there_is_a_mark_for_every_frame() {
    for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
        let (mut producer, mut consumer) = ring_of(1_000, 1, overflow);
        for round in 0..3 {
            let first = 4_000 * round;
            for n in 0..1_000 {
                producer.gap(1);
                producer.gap(2);
                assert_eq!(push(&mut producer, 1, first + 4 * n + 3, 1), 1, "{overflow:?}");
            }
            for n in 0..1_000 {
                assert_eq!(take(&mut consumer, 9), (Item::Gap(3), vec![]));
                assert_eq!(take(&mut consumer, 9), (Item::Samples(1), vec![(first + 4 * n + 3) as f32]));
            }
            assert_eq!(take(&mut consumer, 9).0, Item::Empty);
        }
    }
}

/// The ring is full, and gaps and drops take turns.
#[test]
fn losses_at_one_place_keep_their_order_and_then_their_sums() {
    for turns in [4_000, 20_000] {
        let (mut producer, mut consumer) = ring(4, 1);
        push(&mut producer, 1, 0, 4);
        for n in 1..=turns {
            assert_eq!(push(&mut producer, 1, 0, n), 0);
            producer.gap(3);
        }
        let dropped: u64 = (1..=turns as u64).sum();
        let mut account = Account::default();
        assert!(account.take(&mut consumer));
        // A frame is let in, and comes behind all that was lost before it.
        let next = 4 + dropped + 3 * turns as u64;
        assert_eq!(push(&mut producer, 1, next, 1), 1);
        if turns == 4_000 {
            for n in 1..=turns as u64 {
                assert_eq!(take(&mut consumer, 9), (Item::Dropped(n), vec![]));
                assert_eq!(take(&mut consumer, 9), (Item::Gap(3), vec![]));
            }
            assert_eq!(take(&mut consumer, 9), (Item::Samples(1), vec![next as f32]));
        } else {
            while account.take(&mut consumer) {}
            assert_eq!(
                account,
                Account { frame: next + 1, samples: 5, gaps: 3 * turns as u64, drops: dropped }
            );
        }
        assert_eq!(take(&mut consumer, 9).0, Item::Empty);
    }
}

#[test]
fn losses_at_the_very_end_are_told_before_the_end() {
    let (mut producer, mut consumer) = ring(1, 1);
    push(&mut producer, 1, 0, 1);
    for _ in 0..500 {
        producer.gap(2);
        push(&mut producer, 1, 1, 3);
    }
    producer.finish();
    let (mut gap, mut dropped) = (0, 0);
    loop {
        match take(&mut consumer, 9).0 {
            Item::Samples(frames) => assert_eq!(frames, 1),
            Item::Gap(frames) => gap += frames,
            Item::Dropped(frames) => dropped += frames,
            Item::Empty => panic!("finished"),
            Item::End => break,
        }
    }
    assert_eq!((gap, dropped), (1_000, 1_500));
}

/// Frames are numbered, and a gap skips its numbers as the audio it stands for would have: so every number says where in
/// the stream each gap and each drop was, and a mark one frame off shows.
#[test]
fn two_threads_account_for_every_frame() {
    const FRAMES: u64 = 40_000;
    let plans = [(1, 1, 2), (7, 2, 50), (64, 1, 3), (1_000, 3, 50)];
    let policies = [Overflow::DropNewest, Overflow::DropOldest];
    for ((capacity, channels, gap_every), overflow) in
        plans.into_iter().flat_map(|p| policies.map(|o| (p, o)))
    {
        let (mut producer, mut consumer) = ring_of(capacity, channels, overflow);
        let gauge = producer.gauge();
        let writer = std::thread::spawn(move || {
            let mut random = Random(capacity as u64);
            let (mut frame, mut dropped, mut gaps) = (0_u64, 0_u64, 0_u64);
            while frame < FRAMES {
                let frames = 1 + random.next() as usize % (2 * capacity);
                dropped += (frames - push(&mut producer, channels, frame, frames)) as u64;
                frame += frames as u64;
                if random.next().is_multiple_of(gap_every) {
                    let gap = u64::from(random.next() % 5);
                    producer.gap(gap);
                    frame += gap;
                    gaps += gap;
                }
                if random.next().is_multiple_of(64) {
                    std::thread::yield_now();
                }
            }
            producer.finish();
            (frame, dropped, gaps)
        });
        let mut random = Random(99);
        let (mut frame, mut dropped, mut gaps) = (0_u64, 0_u64, 0_u64);
        loop {
            let item = consumer.next(1 + random.next() as usize % (2 * capacity), |part| {
                for samples in part.chunks_exact(channels) {
                    for (channel, &sample) in samples.iter().enumerate() {
                        assert_eq!(sample as u64, frame * channels as u64 + channel as u64);
                    }
                    frame += 1;
                }
            });
            match item {
                Item::Samples(_) => {}
                Item::Gap(frames) => {
                    frame += frames;
                    gaps += frames;
                }
                Item::Dropped(frames) => {
                    frame += frames;
                    dropped += frames;
                }
                Item::Empty => std::thread::yield_now(),
                Item::End => break,
            }
            assert!(gauge.pending_frames() <= capacity as u64);
        }
        let written = writer.join().expect("the writer's own checks hold");
        // Every frame was handed out or told as lost: nothing is missing and nothing is twice.
        assert_eq!((frame, gaps), (written.0, written.2), "{overflow:?}, capacity {capacity}");
        match overflow {
            Overflow::DropNewest => assert_eq!(dropped, written.1, "capacity {capacity}"),
            // The writer says what did not fit into the ring at all; what it wrote over comes on top.
            Overflow::DropOldest => assert!(dropped >= written.1, "capacity {capacity}"),
        }
        assert_eq!(gauge.pending_frames(), 0);
    }
}

#[test]
fn the_oldest_give_way_where_asked() {
    let (mut producer, mut consumer) = ring_of(4, 1, Overflow::DropOldest);
    let mut push = |first: u64, frames: usize| {
        let pushed = producer.push(frames, |offset, out| {
            out.iter_mut().enumerate().for_each(|(n, s)| *s = (first as usize + offset + n) as f32);
        });
        (pushed.accepted, pushed.dropped)
    };
    assert_eq!(push(0, 3), (3, 0));
    assert_eq!(push(3, 3), (3, 2));
    assert_eq!(take(&mut consumer, 9), (Item::Dropped(2), vec![]));
    assert_eq!(take(&mut consumer, 9), (Item::Samples(4), vec![2.0, 3.0, 4.0, 5.0]));
    // Longer than the ring: what waits goes, and the start of the push itself.
    assert_eq!(push(6, 1), (1, 0));
    assert_eq!(push(7, 10), (4, 7));
    assert_eq!(take(&mut consumer, 3), (Item::Dropped(3), vec![]));
    assert_eq!(take(&mut consumer, 9), (Item::Dropped(4), vec![]));
    assert_eq!(take(&mut consumer, 9), (Item::Samples(4), vec![13.0, 14.0, 15.0, 16.0]));
    assert_eq!(take(&mut consumer, 9).0, Item::Empty);
}

/// The reader sleeps through more losses than there are marks: all are counted, and what is left is in its place.
#[test]
fn with_the_oldest_giving_way_marks_do_too() {
    for pushes in [5_000, 50_000] {
        let (mut producer, mut consumer) = ring_of(10, 1, Overflow::DropOldest);
        for n in 0..pushes {
            assert_eq!(push(&mut producer, 1, 3 * n, 1), 1);
            producer.gap(2);
        }
        let mut account = Account::default();
        while account.take(&mut consumer) {}
        let expected = Account { frame: 3 * pushes, samples: 10, gaps: 2 * pushes, drops: pushes - 10 };
        assert_eq!(account, expected);
    }
}

#[test]
fn a_ring_too_large_for_any_memory_is_an_error() {
    let error = ring::ring(1 << 50, 8, Overflow::DropNewest).expect_err("32 PiB");
    assert_eq!(error.status(), Status::Memory);
    assert!(error.message().contains(&(1_u64 << 55).to_string()), "{error}");
}

/// Frames of memory that the system had to find for this thread.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a call of the system")]
fn page_faults() -> i64 {
    // SAFETY: a struct of numbers, for which zeros are valid, and which the call fills.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_THREAD, &mut usage), 0);
        usage.ru_minflt + usage.ru_majflt
    }
}

/// Two seconds as most sessions have them, and a ring larger than what is touched when it is made.
#[test]
#[cfg(target_os = "linux")]
fn pushing_finds_its_memory_touched() {
    for frames in [96_000, (1 << 24) + 9_000_000] {
        let (mut producer, mut consumer) = ring(frames, 1);
        let (mut faults, mut pushed) = (0, 0);
        while pushed < 2 * frames {
            let before = page_faults();
            producer.gap(1);
            producer.push(5_000, |_, out| out.fill(0.5));
            // The first push finds the code.
            faults += if pushed > 0 { page_faults() - before } else { 0 };
            pushed += 5_000;
            while consumer.next(5_000, |_| {}) != Item::Empty {}
        }
        assert_eq!(faults, 0, "{frames} frames");
    }
}

#[test]
fn a_ring_is_like_new_after_reset() {
    for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
        let (mut producer, mut consumer) = ring_of(4, 1, overflow);
        producer.gap(3);
        push(&mut producer, 1, 0, 7);
        take(&mut consumer, 1);
        producer.finish();
        ring::reset(&mut producer, &mut consumer);
        assert_eq!(producer.gauge().pending_frames(), 0);
        assert_eq!(take(&mut consumer, 9).0, Item::Empty);
        assert_eq!(push(&mut producer, 1, 20, 2), 2);
        producer.finish();
        assert_eq!(take(&mut consumer, 9), (Item::Samples(2), vec![20.0, 21.0]));
        assert_eq!(take(&mut consumer, 9).0, Item::End);
    }
}

#[test]
fn neither_side_allocates() {
    for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
        let (mut producer, mut consumer) = ring_of(480, 2, overflow);
        let count = allocations(|| {
            for _ in 0..200 {
                producer.push(333, |_, out| out.fill(0.5));
                producer.gap(1);
                while consumer.next(100, |_| {}) != Item::Empty {}
                producer.push(1_000, |_, out| out.fill(0.5));
            }
            producer.finish();
        });
        assert_eq!(count, 0);
    }
}
