//! The writer pushes past a full ring and tells of gaps while the reader reads: nothing is out of place, and nothing is
//! unaccounted for.

use auricle_realtime::ring::{Overflow, ring};
use auricle_realtime::{Account, push};

/// Two sides that overtake each other in a ring of `capacity` frames, with one mark more. `script`: the frames of pushes, and
/// behind each those of a gap. The reader takes
/// `takes` items before it waits for the writer.
#[cfg(loom)]
fn every_order(overflow: Overflow, capacity: usize, takes: usize, script: &'static [(usize, u64)]) {
    // Two switches away from a running thread find nearly every bug that more of them would (M. Musuvathi, S. Qadeer:
    // "Iterative Context Bounding", PLDI 2007). LOOM_MAX_PREEMPTIONS=3 takes three minutes.
    let mut model = loom::model::Builder::new();
    model.preemption_bound.get_or_insert(2);
    model.check(move || {
        let (mut producer, mut consumer) = ring(capacity, 1, overflow).expect("memory");
        let writer = loom::thread::spawn(move || {
            let mut frame = 0;
            for &(frames, gap) in script {
                push(&mut producer, frame, frames);
                producer.gap(gap);
                frame += frames as u64 + gap;
            }
            producer.finish();
        });
        let mut account = Account::default();
        for _ in 0..takes {
            account.take(&mut consumer);
        }
        writer.join().expect("the writer");
        while account.take(&mut consumer) {}
        let gaps = script.iter().map(|&(_, gap)| gap).sum();
        let frames = gaps + script.iter().map(|&(frames, _)| frames as u64).sum::<u64>();
        assert_eq!(account, Account { frames, gaps });
    });
}

#[cfg(not(loom))]
fn two_threads(overflow: Overflow) {
    for capacity in [1, 3, 64] {
        let (mut producer, mut consumer) = ring(capacity, 1, overflow).expect("memory");
        let gauge = producer.gauge();
        let writer = std::thread::spawn(move || {
            let (mut frame, mut gaps) = (0, 0);
            for n in 0..50_000_u64 {
                let frames = 1 + (n * 7 % 5) as usize;
                push(&mut producer, frame, frames);
                frame += frames as u64;
                if n % 11 == 0 {
                    producer.gap(n % 3);
                    (frame, gaps) = (frame + n % 3, gaps + n % 3);
                }
            }
            producer.finish();
            Account { frames: frame, gaps }
        });
        let mut account = Account::default();
        while !writer.is_finished() {
            account.take(&mut consumer);
            assert!(gauge.pending_frames() <= capacity as u64);
        }
        while account.take(&mut consumer) {}
        assert_eq!(account, writer.join().expect("the writer"), "{overflow:?}, {capacity} frames");
    }
}

fn main() {
    for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
        #[cfg(loom)]
        for (capacity, takes, script) in [
            (2, 3, &[(1, 2), (2, 1), (1, 0)][..]),
            // With the oldest giving way, more marks than there are places.
            (1, 2, &[(1, 1), (1, 1), (1, 1), (1, 0)][..]),
            // With the newest giving way, a gap between two drops at one place.
            (1, 3, &[(2, 1), (1, 2), (1, 0)][..]),
        ] {
            every_order(overflow, capacity, takes, script);
        }
        #[cfg(not(loom))]
        two_threads(overflow);
        println!("{overflow:?}: every frame accounted for");
    }
}
