//! Whatever is lost, in whatever number and mix: a session against a model of its stream that knows nothing of rings, marks
//! and resamplers. Which windows come, where they lie, how many of their frames are gaps and how many were dropped, what each
//! push returns and how much is pending must all be exactly what the model says.

mod support;

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use auricle::stages::resample::{Method, Resampler};
use auricle::{Overflow, Pushed, Read, Session, SessionOptions, Wait};
use support::Random;
use support::models::{probe_at, tiny};

/// So many unread losses keep their order while the ring is full; the sums are right for more too.
const ORDERED: usize = 4096;

/// Frames missing for one reason: `from..to`, and how many are before `from`.
#[derive(Default)]
struct Missing(Vec<(u64, u64, u64)>);

impl Missing {
    fn add(&mut self, from: u64, to: u64) {
        match self.0.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            Some(&mut (start, end, sum)) => self.0.push((from, to, sum + end - start)),
            None => self.0.push((from, to, 0)),
        }
    }

    fn before(&self, frame: u64) -> u64 {
        match self.0.partition_point(|run| run.0 < frame) {
            0 => 0,
            n => self.0[n - 1].2 + frame.min(self.0[n - 1].1) - self.0[n - 1].0,
        }
    }

    fn within(&self, frames: &Range<u64>) -> u64 {
        self.before(frames.end) - self.before(frames.start)
    }

    fn runs_within(&self, frames: &Range<u64>) -> usize {
        let before = |frame| self.0.partition_point(|run| run.0 < frame);
        before(frames.end) - before(frames.start)
    }
}

/// A window that must come.
#[derive(Debug, PartialEq)]
struct Expected {
    sequence: u64,
    frames: Range<u64>,
    gap: u64,
    dropped: u64,
}

/// The stream as its source sees it.
struct Stream {
    host_rate: u64,
    model_rate: u64,
    /// Samples at the model's rate.
    window: u64,
    hop: u64,
    /// The fewest that give a row of features.
    row: u64,
    capacity: u64,
    overflow: Overflow,
    /// Where the stream is: all frames so far, whatever became of them.
    frames: u64,
    /// Frames that wait in the ring.
    waiting: VecDeque<Range<u64>>,
    gaps: Missing,
    drops: Missing,
    /// Number of the next window.
    next: u64,
}

impl Stream {
    fn pending(&self) -> u64 {
        self.waiting.iter().map(|run| run.end - run.start).sum()
    }

    fn push(&mut self, frames: u64) -> Pushed {
        let free = self.capacity - self.pending();
        let end = self.frames + frames;
        let dropped = frames.saturating_sub(free);
        let accepted = match self.overflow {
            Overflow::DropNewest => frames - dropped,
            Overflow::DropOldest => frames.min(self.capacity),
        };
        match self.overflow {
            Overflow::DropNewest => {
                self.waiting.push_back(self.frames..end - dropped);
                if dropped > 0 {
                    self.drops.add(end - dropped, end);
                }
            }
            Overflow::DropOldest => {
                self.waiting.push_back(self.frames..end);
                for run in self.leave(self.capacity) {
                    self.drops.add(run.start, run.end);
                }
            }
        }
        self.frames = end;
        Pushed { accepted: accepted as usize, dropped: dropped as usize }
    }

    fn gap(&mut self, frames: u64) {
        if frames > 0 {
            self.gaps.add(self.frames, self.frames + frames);
        }
        self.frames += frames;
    }

    /// Takes the frames that have waited longest out of the ring, so that `left` wait.
    fn leave(&mut self, left: u64) -> Vec<Range<u64>> {
        let (mut surplus, mut out) = (self.pending().saturating_sub(left), Vec::new());
        while surplus > 0 {
            let run = self.waiting.front_mut().expect("they are pending");
            let frames = surplus.min(run.end - run.start);
            out.push(run.start..run.start + frames);
            run.start += frames;
            surplus -= frames;
            if run.is_empty() {
                self.waiting.pop_front();
            }
        }
        out
    }

    /// Sample `index` at the model's rate -> the nearest host frame.
    fn host(&self, index: u64) -> u64 {
        let (host, model) = (u128::from(self.host_rate), u128::from(self.model_rate));
        ((2 * u128::from(index) * host + model) / (2 * model)) as u64
    }

    /// How many samples at the model's rate lie before host frame `frame`.
    fn sample(&self, frame: u64) -> u64 {
        (u128::from(frame) * u128::from(self.model_rate)).div_ceil(self.host_rate.into()) as u64
    }

    fn lost(&self, frames: &Range<u64>) -> u64 {
        self.gaps.within(frames) + self.drops.within(frames)
    }

    /// The next window with a frame in it that is there. `ended`: the stream is over, and its end, which fills no whole
    /// window, is padded.
    fn expected(&self, ended: bool) -> Option<Expected> {
        let mut sequence = self.next;
        loop {
            let begin = sequence * self.hop;
            let mut frames = self.host(begin)..self.host(begin + self.window);
            if ended {
                let samples = self.sample(self.frames);
                if samples < begin + self.window {
                    // A rest that the window before has seen is none.
                    let seen = if sequence == 0 { 0 } else { begin - self.hop + self.window };
                    if samples < begin.max(seen) + self.row {
                        return None;
                    }
                    frames.end = frames.end.min(self.frames);
                }
            } else if frames.end > self.frames {
                return None;
            }
            let (gap, dropped) = (self.gaps.within(&frames), self.drops.within(&frames));
            if gap + dropped < frames.end - frames.start {
                return Some(Expected { sequence, frames, gap, dropped });
            }
            // On to the first window that can hold the next frame that is there.
            let (mut here, mut there) = (frames.start, self.frames);
            while here < there {
                let middle = here + (there - here) / 2;
                let lost = self.lost(&(frames.start..middle + 1)) == middle + 1 - frames.start;
                (here, there) = if lost { (middle + 1, there) } else { (here, middle) };
            }
            let sample = self.sample(here).saturating_sub(self.window + 2 * self.hop);
            sequence = (sequence + 1).max(sample / self.hop);
        }
    }
}

/// What a whole test has come across.
#[derive(Debug, Default)]
struct Seen {
    streams: usize,
    windows: usize,
    with_gaps: usize,
    with_drops: usize,
    with_both: usize,
    most_losses: usize,
    most_unread: usize,
}

/// A session, its model, and what was done last.
struct Run<'a> {
    session: &'a Session,
    stream: Stream,
    /// Frames that the resampler may hold back.
    delay: u64,
    finished: bool,
    unread: usize,
    seen: &'a mut Seen,
}

impl Run<'_> {
    fn push(&mut self, audio: &[f32], frames: u64) {
        let channels = self.session.channels() as usize;
        let pushed = self.session.push_f32(&audio[..frames as usize * channels]).expect("push");
        assert_eq!(pushed, self.stream.push(frames), "a push of {frames} frames");
        assert_eq!(self.session.pending_frames(), self.stream.pending(), "after a push of {frames} frames");
        self.unread += usize::from(pushed.dropped > 0);
    }

    fn gap(&mut self, frames: u64) {
        self.session.gap(frames).expect("gap");
        self.stream.gap(frames);
        self.unread += 1;
        self.seen.most_unread = self.seen.most_unread.max(self.unread);
    }

    fn read(&mut self, scores: &mut [f32]) -> Read {
        let read = self.session.read(scores).expect("read");
        let pending = self.session.pending_frames();
        assert!(pending <= self.stream.pending(), "a read adds no frames");
        self.stream.leave(pending);
        let expected = self.stream.expected(self.finished);
        match read {
            Read::Window(window) => {
                let health = window.health;
                let got = Expected {
                    sequence: window.sequence,
                    frames: window.first_frame..window.end_frame,
                    gap: health.gap_frames,
                    dropped: health.dropped_frames,
                };
                assert_eq!(Some(got), expected);
                self.stream.next = window.sequence + 1;
                self.seen.windows += 1;
                let (gap, dropped) = (health.gap_frames > 0, health.dropped_frames > 0);
                self.seen.with_gaps += usize::from(gap);
                self.seen.with_drops += usize::from(dropped);
                self.seen.with_both += usize::from(gap && dropped);
                let frames = window.first_frame..window.end_frame;
                let losses = self.stream.gaps.runs_within(&frames) + self.stream.drops.runs_within(&frames);
                self.seen.most_losses = self.seen.most_losses.max(losses);
            }
            Read::Again => {
                assert!(!self.finished, "a finished stream has an end");
                assert_eq!(pending, 0, "all that waits was taken");
                let due = expected.filter(|window| window.frames.end + self.delay <= self.stream.frames);
                assert_eq!(due, None, "its audio is there, {} frames", self.stream.frames);
                self.unread = 0;
            }
            Read::End => {
                assert!(self.finished, "it was not finished");
                assert_eq!((expected, pending), (None, 0));
            }
            other => panic!("nobody cancels: {other:?}"),
        }
        read
    }

    /// Reads until nothing more is due.
    fn drain(&mut self, scores: &mut [f32]) -> Read {
        loop {
            match self.read(scores) {
                Read::Window(_) => {}
                last => return last,
            }
        }
    }
}

/// One random stream.
fn play(run: &mut Run<'_>, random: &mut Random, audio: &[f32], scores: &mut [f32]) {
    let mut one_of = |choices: &[u64]| choices[random.next() as usize % choices.len()];
    let rate = run.stream.host_rate;
    let (capacity, channels) = (run.stream.capacity, run.session.channels() as u64);
    let longest = audio.len() as u64 / channels;
    // How much audio is pushed in all, how long a push, a gap and a burst of both can be, and how often is read.
    let style = one_of(&[0, 1, 2, 3, 4]);
    let mut left = one_of(&[rate / 4, rate, 3 * rate]);
    let read_every = one_of(&[1, 1, 3, 50, 1000]);
    while left > 0 {
        let (pushes, gaps, losses): (&[u64], &[u64], u64) = match style {
            // A source that stutters: a few frames, a loss, and so on.
            0 => (&[1, 2, 3], &[1, 2, 7, 60, 200], one_of(&[1, 20, 140, 3000])),
            // Every other frame is missing.
            1 => (&[1], &[1], 2000),
            // All sizes.
            2 => (
                &[1, 7, 128, 480, 1024, 1025, rate / 10, rate / 2, capacity, capacity + 17],
                &[0, 1, 100, rate / 3, rate, 100 * rate, 1 << 40],
                1,
            ),
            // Pushes that do not fit, with gaps between.
            3 => (
                &[capacity / 2, capacity, capacity + 1, capacity + 30],
                &[0, 1, 5, 300],
                one_of(&[1, 3, 100]),
            ),
            // A long audio with single losses.
            _ => (&[rate / 100, 441], &[0, 0, 0, 0, 0, 1, 480], 10),
        };
        for _ in 0..losses {
            if run.unread + 2 > ORDERED {
                run.drain(scores);
            }
            run.gap(one_of(gaps));
            let frames = one_of(pushes).clamp(1, longest);
            run.push(audio, frames);
            left = left.saturating_sub(frames);
            match one_of(&[0, 1, 2, 3]) {
                0 => run.gap(one_of(gaps)),
                1 if one_of(&[1, 2, 3, 4, 5, 6]) == read_every.min(6) => drop(run.read(scores)),
                _ => {}
            }
            if read_every == 1 {
                run.drain(scores);
            }
        }
        if one_of(&[0, 1, 2, 3, 4, 5, 6, 7]) == 0 {
            assert_ne!(run.session.wait(Duration::ZERO).expect("wait"), Wait::Cancelled);
            run.stream.leave(run.session.pending_frames());
        }
        if one_of(&[1, 2, 3]) >= read_every.min(3) {
            run.drain(scores);
        }
    }
}

#[test]
fn any_number_and_mix_of_losses_is_counted_exactly() {
    let models = [
        (probe_at(8_000, 0.1, "zeros"), 8_000, 800, 1),
        (probe_at(16_000, 0.5, "zeros"), 16_000, 8_000, 1),
        (probe_at(22_050, 0.01, "zeros"), 22_050, 221, 1),
        (tiny(), 16_000, 16_000, 513),
    ];
    let mut noise = Random(1);
    let audio: Vec<f32> = (0..2 * 96_000).map(|_| noise.sample() * 0.1).collect();
    let mut seen = Seen::default();
    let seeds = match std::env::var("AURICLE_TEST_SEEDS") {
        Ok(seeds) => seeds.parse().expect("a number"),
        Err(_) => 60,
    };
    for seed in 0..seeds {
        println!("seed {seed}");
        let mut random = Random(seed);
        let mut one_of = |choices: &[u64]| choices[random.next() as usize % choices.len()];
        let (model, model_rate, window, row) = &models[one_of(&[0, 0, 1, 2, 3]) as usize];
        let model_rate = *model_rate;
        let host_rate = one_of(&[
            model_rate, model_rate, model_rate, 8_000, 8_001, 11_025, 22_050, 37_800, 44_100, 44_101, 48_000,
            96_000,
        ]);
        let channels = one_of(&[1, 1, 2, 3, 8]) as u32;
        // Of a window, in hundredths.
        let hop = (window * one_of(&[100, 25, 33, 7, 150, 400]) / 100).max(1);
        let capacity = one_of(&[2, 7, 100, host_rate / 20, host_rate / 3, 2 * host_rate]);
        let mut options = SessionOptions::new(host_rate as u32, channels);
        options.hop_seconds = Some(hop as f64 / model_rate as f64);
        options.ring_seconds = Some(capacity as f64 / host_rate as f64);
        options.overflow = if one_of(&[0, 1]) == 0 { Overflow::DropNewest } else { Overflow::DropOldest };
        // In case that the seconds are rounded up to one frame more.
        let capacity = (options.ring_seconds.expect("given") * host_rate as f64).ceil() as u64;
        let session = Session::new(model, &options).expect("a session");
        let resampler = Resampler::with_method(host_rate as u32, model_rate as u32, Method::LowLatency);
        let delay = resampler.expect("valid rates").delay_frames() as u64 + 1;
        let mut scores = vec![0.0; session.class_count()];
        for _ in 0..2 {
            let stream = Stream {
                host_rate,
                model_rate,
                window: *window,
                row: *row,
                hop,
                capacity,
                overflow: options.overflow,
                frames: 0,
                waiting: VecDeque::new(),
                gaps: Missing::default(),
                drops: Missing::default(),
                next: 0,
            };
            let delay = if host_rate == model_rate { 0 } else { delay };
            let mut run =
                Run { session: &session, stream, delay, finished: false, unread: 0, seen: &mut seen };
            play(&mut run, &mut random, &audio, &mut scores);
            if random.next().is_multiple_of(4) {
                // Given up in the middle.
                session.reset().expect("reset");
                continue;
            }
            session.finish().expect("finish");
            run.finished = true;
            assert_eq!(run.drain(&mut scores), Read::End);
            assert_eq!(run.read(&mut scores), Read::End);
            assert!(session.push_f32(&audio[..channels as usize]).is_err(), "it was finished");
            session.reset().expect("reset");
            seen.streams += 1;
        }
    }
    println!("{seen:?}");
    assert!(seen.most_losses >= 2_000 && seen.most_unread >= 2_000, "{seen:?}");
    assert!(seen.with_gaps.min(seen.with_drops).min(seen.with_both) >= 500, "{seen:?}");
}
