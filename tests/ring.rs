//! The ring: order, counts, and that no frame is ever unaccounted for.

mod support;

use auricle::ring::{self, Consumer, Item, Overflow, Producer};
use support::{Random, allocations};

fn ring(frames: usize, channels: usize) -> (Producer, Consumer) {
    ring::ring(frames, channels, Overflow::DropNewest)
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

/// The reader sleeps, gaps and drops go on: the marks run out, and still every count is right, and what is
/// accepted later comes after all of them.
#[test]
fn marks_that_do_not_fit_are_merged_and_not_lost() {
    let (mut producer, mut consumer) = ring(4, 1);
    push(&mut producer, 1, 0, 2);
    for _ in 0..1_000 {
        producer.gap(3);
        assert!(push(&mut producer, 1, 2, 5) <= 2);
    }
    producer.gap(7);
    // Now there is room for samples and none for marks: a frame that is let in would overtake what waits.
    assert_eq!(take(&mut consumer, 2).0, Item::Samples(2));
    assert_eq!(push(&mut producer, 1, 5, 1), 0);
    let (mut samples, mut gap, mut dropped) = (2, 0, 0);
    loop {
        match take(&mut consumer, 9).0 {
            Item::Samples(frames) => samples += frames as u64,
            Item::Gap(frames) => gap += frames,
            Item::Dropped(frames) => dropped += frames,
            Item::Empty => break,
            Item::End => panic!("not finished"),
        }
    }
    assert_eq!(samples, 4);
    assert!(gap < 3_007, "some must still wait for a free mark, or this tests nothing");
    // What waited is marked before the next frame.
    assert_eq!(push(&mut producer, 1, 77, 1), 1);
    let Item::Gap(rest) = take(&mut consumer, 9).0 else { panic!("the rest of the gaps comes first") };
    let Item::Dropped(more) = take(&mut consumer, 9).0 else { panic!("then the rest of the drops") };
    assert_eq!(gap + rest, 3_007);
    assert_eq!(samples + dropped + more, 2 + 5_000 + 1);
    assert_eq!(take(&mut consumer, 9), (Item::Samples(1), vec![77.0]));
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
    // With 1 frame and many gaps the marks run out again and again.
    let plans = [(1, 1, 2), (7, 2, 50), (64, 1, 3), (1_000, 3, 50)];
    let policies = [Overflow::DropNewest, Overflow::DropOldest];
    for ((capacity, channels, gap_every), overflow) in
        plans.into_iter().flat_map(|p| policies.map(|o| (p, o)))
    {
        let (mut producer, mut consumer) = ring::ring(capacity, channels, overflow);
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
    let (mut producer, mut consumer) = ring::ring(4, 1, Overflow::DropOldest);
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

/// More gaps than marks: the frames before the oldest mark that is left are given up, and every later one is in its place.
#[test]
fn with_the_oldest_giving_way_marks_do_too() {
    let (mut producer, mut consumer) = ring::ring(1_000, 1, Overflow::DropOldest);
    for n in 0..100 {
        push(&mut producer, 1, 3 * n, 1);
        producer.gap(2);
    }
    push(&mut producer, 1, 300, 1);
    let (mut frame, mut taken, mut gaps) = (0, 0, 0);
    loop {
        let (item, samples) = take(&mut consumer, 9);
        match item {
            Item::Samples(frames) => {
                assert_eq!(samples[0] as u64, frame);
                (frame, taken) = (frame + frames as u64, taken + frames);
            }
            Item::Gap(frames) => (frame, gaps) = (frame + frames, gaps + frames),
            Item::Dropped(frames) => frame += frames,
            Item::Empty => break,
            Item::End => panic!("not finished"),
        }
    }
    assert_eq!((frame, gaps), (301, 200));
    assert!((1..101).contains(&taken), "{taken} of 101 frames");
}

#[test]
fn a_ring_is_like_new_after_reset() {
    for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
        let (mut producer, mut consumer) = ring::ring(4, 1, overflow);
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
        let (mut producer, mut consumer) = ring::ring(480, 2, overflow);
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
