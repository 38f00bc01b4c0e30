//! Windows of a long clip, merged into a few spans of time that a person can read. Built while the windows come, in
//! memory that does not grow with the clip.

use auricle::Window;

use crate::ranking::ranked;

/// More spans than this are too many to read.
const MAX_SPANS: usize = 40;

/// A stretch of time with the same top class throughout.
#[derive(Debug, PartialEq)]
pub struct Span {
    pub first_frame: u64,
    pub end_frame: u64,
    pub class: usize,
    /// Mean of the class's scores over the windows of the span.
    pub score: f32,
}

/// The spans of a clip for 1, 2, 4, 8 … windows averaged at a time, as many as there can be.
#[derive(Default)]
pub struct Timeline {
    levels: Vec<Level>,
}

impl Timeline {
    /// Takes the next window.
    pub fn add(&mut self, window: &Window, scores: &[f32]) {
        let sums = scores.iter().map(|&score| f64::from(score)).collect();
        let (first_frame, end_frame) = (window.first_frame, window.end_frame);
        let last = (first_frame, end_frame);
        self.add_block(0, Block { sums, windows: 1, first: last, last });
    }

    fn add_block(&mut self, index: usize, block: Block) {
        if index == self.levels.len() {
            self.levels.push(Level::default());
        }
        let level = &mut self.levels[index];
        let whole = match level.half.take() {
            // Level 0 has blocks of one window; those of every other level are made of two of the level below.
            _ if index == 0 => block,
            Some(half) => half.and(block),
            None => {
                level.half = Some(block);
                return;
            }
        };
        level.take(&whole);
        self.add_block(index + 1, whole);
    }

    /// The spans of the clip, and how many windows were averaged at a time before the top class was taken: 1, or more if
    /// the spans would be too many to read.
    pub fn spans(mut self) -> (Vec<Span>, usize) {
        // What is left over at a level is a shorter block there, and part of one at the next.
        for index in 1..self.levels.len() {
            if let Some(rest) = self.levels[index].half.take() {
                self.levels[index].take(&rest);
                if index + 1 < self.levels.len() {
                    self.add_rest(index + 1, rest);
                }
            }
        }
        let found = self.levels.into_iter().enumerate().find(|(_, level)| !level.is_too_long());
        match found {
            Some((index, level)) => (level.spans.into_iter().map(Run::into_span).collect(), 1 << index),
            None => (Vec::new(), 1),
        }
    }

    fn add_rest(&mut self, index: usize, rest: Block) {
        let level = &mut self.levels[index];
        level.half = Some(match level.half.take() {
            Some(half) => half.and(rest),
            None => rest,
        });
    }
}

/// Neighbouring windows, averaged.
struct Block {
    /// Of the scores, one per class.
    sums: Vec<f64>,
    windows: u64,
    /// First frame and one past the last of the first and of the last window.
    first: (u64, u64),
    last: (u64, u64),
}

impl Block {
    fn and(mut self, next: Block) -> Block {
        self.sums.iter_mut().zip(&next.sums).for_each(|(sum, more)| *sum += more);
        Block { sums: self.sums, windows: self.windows + next.windows, first: self.first, last: next.last }
    }

    fn top(&self) -> Option<usize> {
        let sums: Vec<f32> = self.sums.iter().map(|&sum| sum as f32).collect();
        ranked(&sums).first().copied()
    }
}

/// Blocks of one size.
#[derive(Default)]
struct Level {
    /// The first of the two blocks of the level below that make one here.
    half: Option<Block>,
    /// One more than can be read at most.
    spans: Vec<Run>,
    last_window: (u64, u64),
}

/// Neighbouring blocks with the same top class.
struct Run {
    class: usize,
    sum: f64,
    windows: u64,
    first_frame: u64,
    end_frame: u64,
}

impl Run {
    fn into_span(self) -> Span {
        Span {
            first_frame: self.first_frame,
            end_frame: self.end_frame,
            class: self.class,
            score: (self.sum / self.windows as f64) as f32,
        }
    }
}

impl Level {
    fn is_too_long(&self) -> bool {
        self.spans.len() > MAX_SPANS
    }

    fn take(&mut self, block: &Block) {
        let Some(class) = block.top().filter(|_| !self.is_too_long()) else { return };
        // Windows overlap, spans must not: one ends halfway between the centres of its last window and the next one.
        let (from, to) = (block.first, std::mem::replace(&mut self.last_window, block.last));
        let boundary = (to.0 + to.1 + from.0 + from.1) / 4;
        match self.spans.last_mut() {
            Some(run) if run.class == class => {
                run.sum += block.sums[class];
                run.windows += block.windows;
                run.end_frame = block.last.1;
                return;
            }
            Some(run) => run.end_frame = boundary,
            None => {}
        }
        self.spans.push(Run {
            class,
            sum: block.sums[class],
            windows: block.windows,
            first_frame: if self.spans.is_empty() { block.first.0 } else { boundary },
            end_frame: block.last.1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Windows of 100 frames, 25 apart, one for each class named.
    fn timeline(classes: impl IntoIterator<Item = usize>) -> Timeline {
        let mut timeline = Timeline::default();
        for (sequence, class) in (0_u64..).zip(classes) {
            let mut window = Window::default();
            (window.first_frame, window.end_frame) = (25 * sequence, 25 * sequence + 100);
            timeline.add(&window, &[0, 1, 2].map(|c| if c == class { 0.75 } else { 0.125 }));
        }
        timeline
    }

    #[test]
    fn windows_of_one_class_become_one_span() {
        let (spans, together) = timeline([1, 1, 1, 2, 2]).spans();
        assert_eq!(together, 1);
        // Windows 2 (50..150) and 3 (75..175) have their centres at 100 and 125.
        let expected = [
            Span { first_frame: 0, end_frame: 112, class: 1, score: 0.75 },
            Span { first_frame: 112, end_frame: 200, class: 2, score: 0.75 },
        ];
        assert_eq!(spans, expected);
    }

    #[test]
    fn a_restless_clip_stays_readable_and_whole() {
        for windows in [41, 64, 999, 1000, 1001, 1023, 1024, 1025] {
            let (spans, together) = timeline((0..windows).map(|i| i % 3)).spans();
            assert!(together > 1 && spans.len() <= MAX_SPANS, "{together} {}", spans.len());
            let last = 25 * (windows as u64 - 1) + 100;
            assert_eq!((spans[0].first_frame, spans[spans.len() - 1].end_frame), (0, last), "{windows}");
            assert!(spans.windows(2).all(|pair| pair[0].end_frame == pair[1].first_frame));
        }
    }

    /// Against the definition: cut the whole list into blocks of 1, 2, 4 … and merge neighbours with the same top class.
    #[test]
    fn levels_are_those_of_the_whole_list() {
        let mut random = Random(1);
        for windows in [1, 2, 3, 40, 41, 100, 333, 1000] {
            let classes: Vec<usize> =
                (0..windows).map(|_| [0, 1, 1, 2][random.next() as usize % 4]).collect();
            let mut size = 1;
            let expected = loop {
                let tops: Vec<(usize, usize)> = classes
                    .chunks(size)
                    .map(|block| {
                        let count = |class| block.iter().filter(|&&c| c == class).count();
                        // The first of equals.
                        let top = (0..3).rev().max_by_key(|&class| count(class)).expect("three classes");
                        (top, block.len())
                    })
                    .collect();
                let runs: Vec<_> = tops
                    .chunk_by(|a, b| a.0 == b.0)
                    .map(|run| (run[0].0, run.iter().map(|block| block.1).sum::<usize>()))
                    .collect();
                if runs.len() <= MAX_SPANS {
                    break runs;
                }
                size *= 2;
            };
            let (spans, together) = timeline(classes.iter().copied()).spans();
            assert_eq!(together, size, "{windows}");
            assert_eq!(spans.len(), expected.len(), "{windows}");
            let mut first = 0;
            for (span, (class, count)) in spans.iter().zip(expected) {
                let scores =
                    classes[first..first + count].iter().map(|&c| if c == class { 0.75 } else { 0.125 });
                let mean = scores.sum::<f64>() / count as f64;
                let boundary = if first == 0 { 0 } else { 25 * first as u64 + 37 };
                assert_eq!((span.class, span.first_frame), (class, boundary), "{windows}");
                assert!((f64::from(span.score) - mean).abs() < 1e-6, "{windows}: {span:?} {mean}");
                first += count;
            }
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_clip() {
        let timeline = timeline((0..200_000).map(|i| i * 7 % 3));
        let spans: usize = timeline.levels.iter().map(|level| level.spans.len()).sum();
        assert!(timeline.levels.len() <= 19 && spans <= 19 * (MAX_SPANS + 1), "{}", timeline.levels.len());
    }

    #[test]
    fn no_windows_no_spans() {
        assert_eq!(Timeline::default().spans(), (vec![], 1));
    }
}
