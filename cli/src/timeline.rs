//! Windows of a long clip, merged into a few spans of time that a person can read.

use crate::analysis::{Scored, top};

/// More spans than this are too many to read.
const MOST_SPANS: usize = 40;

/// A stretch of time with the same top class throughout.
#[derive(Debug, PartialEq)]
pub struct Span {
    pub first_frame: u64,
    pub end_frame: u64,
    pub class: usize,
    /// Mean of the class's scores over the windows of the span.
    pub score: f32,
}

/// The spans of a clip, and how many windows were averaged at a time before the top class was taken: 1, or more if
/// the spans would be too many to read.
pub fn spans(windows: &[Scored]) -> (Vec<Span>, usize) {
    let mut together = 1;
    loop {
        let spans = spans_of(windows, together);
        if spans.len() <= MOST_SPANS {
            return (spans, together);
        }
        together *= 2;
    }
}

fn spans_of(windows: &[Scored], together: usize) -> Vec<Span> {
    let blocks: Vec<&[Scored]> = windows.chunks(together).collect();
    let mut spans = Vec::new();
    let mut first = 0; // window that the span under way begins with
    for run in blocks.chunk_by(|a, b| top_of(a) == top_of(b)) {
        let end = first + run.iter().map(|block| block.len()).sum::<usize>();
        if let Some(class) = top_of(run[0]) {
            let scores = windows[first..end].iter().map(|w| f64::from(w.scores[class]));
            spans.push(Span {
                first_frame: boundary(windows, first),
                end_frame: boundary(windows, end),
                class,
                score: (scores.sum::<f64>() / (end - first) as f64) as f32,
            });
        }
        first = end;
    }
    spans
}

/// The top class of the mean of some windows.
fn top_of(block: &[Scored]) -> Option<usize> {
    let mut sum = block.first()?.scores.clone();
    for window in &block[1..] {
        sum.iter_mut().zip(&window.scores).for_each(|(sum, score)| *sum += score);
    }
    top(&sum)
}

/// Where window `index` takes over from the one before it. Windows overlap, spans must not: halfway between their
/// centres; at both ends of the clip, the window's own edge.
fn boundary(windows: &[Scored], index: usize) -> u64 {
    match (index.checked_sub(1).and_then(|i| windows.get(i)), windows.get(index)) {
        (None, Some(next)) => next.window.first_frame,
        (Some(last), None) => last.window.end_frame,
        (Some(last), Some(next)) => {
            let (last, next) = (&last.window, &next.window);
            (last.first_frame + last.end_frame + next.first_frame + next.end_frame) / 4
        }
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use auricle::Window;

    use super::*;

    /// Windows of 100 frames, 25 apart, one for each class named.
    fn windows(classes: &[usize]) -> Vec<Scored> {
        let window = |sequence: usize| {
            let mut window = Window::default();
            window.sequence = sequence as u64;
            window.first_frame = 25 * sequence as u64;
            window.end_frame = 25 * sequence as u64 + 100;
            window
        };
        let scores = |class: usize| (0..3).map(|c| if c == class { 0.75 } else { 0.125 }).collect();
        classes.iter().enumerate().map(|(i, &c)| Scored { window: window(i), scores: scores(c) }).collect()
    }

    #[test]
    fn windows_of_one_class_become_one_span() {
        let (spans, together) = spans(&windows(&[1, 1, 1, 2, 2]));
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
        let restless: Vec<usize> = (0..1000).map(|i| i % 3).collect();
        let (spans, together) = spans(&windows(&restless));
        assert!(together > 1 && spans.len() <= MOST_SPANS, "{together} {}", spans.len());
        assert_eq!((spans[0].first_frame, spans[spans.len() - 1].end_frame), (0, 25 * 999 + 100));
        assert!(spans.windows(2).all(|pair| pair[0].end_frame == pair[1].first_frame));
    }

    #[test]
    fn no_windows_no_spans() {
        assert_eq!(spans(&[]), (vec![], 1));
    }
}
