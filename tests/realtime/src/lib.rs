//! The library's ring alone, so that nothing else is built with the options of a model checker or a sanitizer.

#[path = "../../../src/error.rs"]
#[allow(dead_code)]
pub mod error;
#[path = "../../../src/memory.rs"]
#[allow(dead_code)]
mod memory;
#[path = "../../../src/ring.rs"]
pub mod ring;
#[path = "../../../src/text.rs"]
#[allow(dead_code)]
mod text;

use ring::{Consumer, Item, Producer};

/// Pushes `frames` frames that carry their numbers in the stream, from `first` on.
pub fn push(producer: &mut Producer, first: u64, frames: usize) -> usize {
    let number = |offset: usize, out: &mut [f32]| {
        out.iter_mut().enumerate().for_each(|(n, sample)| *sample = (first + (offset + n) as u64) as f32);
    };
    producer.push(frames, number).accepted
}

/// Where a reader is, and what it counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Frames of the stream so far: handed out, dropped and gaps.
    pub frames: u64,
    /// Of these, the ones that the source lost.
    pub gaps: u64,
}

impl Account {
    /// Takes the next item; every frame handed out must be the one that is next in the stream. False if there is nothing.
    pub fn take(&mut self, consumer: &mut Consumer) -> bool {
        let frames = &mut self.frames;
        let item = consumer.next(8, |samples| {
            for &sample in samples {
                assert_eq!(sample as u64, *frames, "a frame out of its place");
                *frames += 1;
            }
        });
        match item {
            Item::Samples(_) => {}
            Item::Gap(frames) => (self.frames, self.gaps) = (self.frames + frames, self.gaps + frames),
            Item::Dropped(frames) => self.frames += frames,
            Item::Empty | Item::End => return false,
        }
        true
    }
}
