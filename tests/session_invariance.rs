//! Streams as programs use them: whatever the pieces, the reads between them and the losses, the same windows and the
//! same events; and what a session costs.

mod support;
#[path = "support/with.rs"]
mod with;

use std::time::Duration;

use auricle::manifest::Stream;
use auricle::{Event, Model, Overflow, Read, Session, SessionOptions, Wait, Window};
use support::models::{probe, tiny};
use support::{Random, allocated_bytes, allocations};
use with::with;

fn stream(model: &Model, json: &str) -> Option<Stream> {
    Some(Stream::parse(json, model.manifest()).expect("a valid stream"))
}

/// Bursts of noise, of several lengths and levels, in a faint noise.
fn bursts(samples: usize, rate: usize) -> Vec<f32> {
    let mut random = Random(3);
    (0..samples).map(|n| random.sample() * if n * 10 / rate % 13 < 4 { 0.5 } else { 0.001 }).collect()
}

#[derive(Debug, Default, PartialEq)]
struct Heard {
    windows: Vec<(Window, Vec<u32>)>,
    events: Vec<Event>,
}

impl Heard {
    /// Reads what is there; false at the end.
    fn read(&mut self, session: &Session) -> bool {
        let mut scores = vec![0.0; session.class_count()];
        let last = loop {
            match session.read(&mut scores).expect("read") {
                Read::Window(window) => {
                    let bits = scores.iter().map(|score: &f32| score.to_bits()).collect();
                    self.windows.push((
                        with(window, |o| {
                            o.inference_nanoseconds = 0;
                            o.late = false;
                        }),
                        bits,
                    ));
                }
                other => break other,
            }
        };
        while let Some(event) = session.read_event().expect("events") {
            self.events.push(event);
        }
        last != Read::End
    }
}

/// The stream with losses of the source: `None` in place of a gap of 3,000 frames.
fn blocks(audio: &[f32]) -> Vec<Option<&[f32]>> {
    audio.chunks(40_000).flat_map(|block| [Some(block), None]).collect()
}

#[test]
fn neither_pieces_nor_reads_change_windows_or_events() {
    let model = tiny();
    let audio = bursts(5 * 44_100, 44_100);
    for json in [
        r#"{ "events": { "on": 0.42, "off": 0.41 } }"#,
        r#"{ "hop_seconds": 0.0317, "smoothing": "median", "smoothing_seconds": 0.2,
             "events": { "on": 0.41, "off": 0.405, "min_on_seconds": 0.1, "merge_seconds": 0.3 } }"#,
    ] {
        let ring_seconds = Some(9.0);
        let options = with(SessionOptions::new(44_100, 1), |o| {
            o.ring_seconds = ring_seconds;
            o.stream = stream(&model, json);
        });
        let session = Session::new(&model, &options).expect("a session");
        let (mut whole, mut random) = (Heard::default(), Random(1));
        for block in blocks(&audio) {
            match block {
                Some(block) => assert_eq!(session.push_f32(block).expect("push").dropped, 0),
                None => session.gap(3_000).expect("gap"),
            }
        }
        session.finish().expect("finish");
        while whole.read(&session) {}
        assert!(whole.windows.len() > 15 && whole.events.len() > 2, "{whole:?}");

        for longest in [7, 500, 9_000] {
            for limit in [0, 1, 3] {
                let options = with(options.clone(), |o| o.max_windows_per_read = limit);
                let session = Session::new(&model, &options).expect("a session");
                let mut pieces = Heard::default();
                for block in blocks(&audio) {
                    let Some(mut rest) = block else {
                        let part = u64::from(random.next() % 3_000);
                        session.gap(part).expect("gap");
                        session.gap(3_000 - part).expect("gap");
                        continue;
                    };
                    while !rest.is_empty() {
                        let frames = 1 + random.next() as usize % longest;
                        let (now, later) = rest.split_at(frames.min(rest.len()));
                        assert_eq!(session.push_f32(now).expect("push").dropped, 0);
                        rest = later;
                        match random.next() % 8 {
                            0 => assert!(pieces.read(&session)),
                            1 => drop(session.wait(Duration::ZERO).expect("wait")),
                            _ => {}
                        }
                    }
                }
                session.finish().expect("finish");
                while pieces.read(&session) {}
                for (a, b) in pieces.windows.iter().zip(&whole.windows) {
                    assert_eq!(a, b);
                }
                for (a, b) in pieces.events.iter().zip(&whole.events) {
                    assert_eq!(a, b);
                }
                assert!(pieces == whole, "pieces up to {longest}, limit {limit}, {json}");
            }
        }
    }
}

/// The frames of this stream say where they are, so that a window in the wrong place shows.
#[test]
fn windows_that_no_loss_touches_are_those_of_the_whole_stream() {
    let model = probe("zeros");
    let audio: Vec<f32> = (0..60_000).map(|n| n as f32 / 1_048_576.0).collect();
    let events = r#"{ "hop_seconds": 0.05, "events": { "on": 2.0 } }"#;
    for overflow in [Overflow::DropNewest, Overflow::DropOldest] {
        for seed in 1..20 {
            let options = with(SessionOptions::new(8_000, 1), |o| {
                o.ring_seconds = Some(0.07);
                o.overflow = overflow;
                o.stream = stream(&model, events);
            });
            let session = Session::new(&model, &options).expect("a session");
            let (mut heard, mut random, mut rest) = (Heard::default(), Random(seed), &audio[..]);
            while !rest.is_empty() {
                let (now, later) = rest.split_at((1 + random.next() as usize % 300).min(rest.len()));
                session.push_f32(now).expect("push");
                rest = later;
                if random.next().is_multiple_of(3) {
                    heard.read(&session);
                }
            }
            session.finish().expect("finish");
            while heard.read(&session) {}
            let (mut sound, mut dropped) = (0, 0);
            for (window, scores) in &heard.windows {
                assert_eq!(
                    (window.first_frame, window.end_frame - window.first_frame),
                    (400 * window.sequence, 800)
                );
                let (first, last) = (f32::from_bits(scores[0]), f32::from_bits(scores[1]));
                let range = window.first_frame as usize..window.end_frame as usize;
                if window.health.dropped_frames == 0 {
                    assert_eq!(
                        (first, last),
                        (audio[range.start], audio[range.end - 1]),
                        "{overflow:?}, seed {seed}"
                    );
                    sound += 1;
                } else {
                    dropped += 1;
                    let missing = |sample: f32, frame: usize| sample == 0.0 || sample == audio[frame];
                    assert!(
                        missing(first, range.start) && missing(last, range.end - 1),
                        "{overflow:?}, seed {seed}"
                    );
                }
            }
            assert!(sound > 3 && dropped > 3, "{overflow:?}, seed {seed}: {sound} whole, {dropped} touched");
        }
    }
}

#[test]
fn the_noise_floor_and_what_rises_above_it() {
    const RATE: usize = 8_000;
    let mut random = Random(9);
    // Uniform noise of 1/100 has an RMS of 1/100/sqrt(3): -44.8 dBFS. From second 6 on a tone of -20 dBFS, 5 s long.
    let mut frame = |n: usize| {
        let noise = (random.next() as f32 / 2_147_483_648.0 - 1.0) * 0.01;
        let tone = if (6 * RATE..11 * RATE).contains(&n) { 0.2_f32.sqrt() / 10f32.sqrt() } else { 0.0 };
        0.25 + noise + tone * (n as f32 * 0.7).sin()
    };
    let audio: Vec<f32> = (0..14 * RATE).map(&mut frame).collect();
    let model = probe("zeros");
    let options = with(SessionOptions::new(8_000, 1), |o| o.ring_seconds = Some(15.0));
    let session = Session::new(&model, &options).expect("a session");
    session.push_f32(&audio).expect("push");
    let mut scores = [0.0; 4];
    while let Read::Window(window) = session.read(&mut scores).expect("read") {
        let health = window.health;
        let (start, end) = (window.first_frame as usize, window.end_frame as usize);
        if end <= 6 * RATE {
            assert!((health.noise_floor_dbfs + 44.8).abs() < 1.5, "{health:?}");
            assert!(health.snr_db < -3.0, "{health:?}");
            assert!((health.dc_offset - 0.25).abs() < 0.001);
        } else if start >= 6 * RATE && end <= 10 * RATE {
            // The tone's power is 1/100, the noise's 1/30000.
            assert!((health.noise_floor_dbfs + 44.8).abs() < 1.5, "{health:?}");
            assert!((health.snr_db - 24.8).abs() < 1.5, "{health:?}");
        } else if start >= 12 * RATE {
            assert!((health.noise_floor_dbfs + 44.8).abs() < 1.5, "{health:?}");
        }
    }

    let session = Session::new(&model, &options).expect("a session");
    session.push_f32(&[0.0; 800]).expect("push");
    let Read::Window(window) = session.read(&mut scores).expect("read") else { panic!("a window") };
    assert_eq!(
        (window.health.noise_floor_dbfs, window.health.snr_db),
        (f32::NEG_INFINITY, f32::NEG_INFINITY)
    );
}

/// Each round stops somewhere else: before an inference, in it, behind it. Another session takes over the network.
#[test]
fn a_cancelled_inference_harms_nobody() {
    let model = tiny();
    let audio = bursts(20 * 16_000, 16_000);
    let options = with(SessionOptions::new(16_000, 1), |o| {
        o.ring_seconds = Some(30.0);
        o.hop_seconds = Some(0.01);
    });
    let mut scores = [0.0; 3];
    let mut first = |session: &Session| {
        session.push_f32(&audio).expect("push");
        assert!(matches!(session.read(&mut scores).expect("read"), Read::Window(_)));
        scores
    };
    let session = Session::new(&model, &options).expect("a session");
    let expected = first(&session);
    for round in 0..40 {
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut scores = [0.0; 3];
                loop {
                    match session.read(&mut scores).expect("read") {
                        Read::Window(_) => {}
                        other => return other,
                    }
                }
            });
            std::thread::sleep(Duration::from_micros(100 * round));
            session.cancel();
            assert_eq!(reading.join().expect("the reader"), Read::Cancelled);
        });
        assert_eq!(session.wait(Duration::MAX).expect("wait"), Wait::Cancelled);
        let other = Session::new(&model, &options).expect("a session");
        assert_eq!(first(&other), expected);
        session.reset().expect("reset");
        assert_eq!(first(&session), expected);
    }
}

#[test]
fn a_session_is_small_and_pushing_and_waiting_allocate_nothing() {
    let model = tiny();
    let options = with(SessionOptions::new(16_000, 1), |o| {
        o.stream = stream(&model, r#"{ "smoothing_seconds": 1, "events": { "on": 0.34, "off": 0.33 } }"#)
    });
    let mut session = None;
    let bytes = allocated_bytes(|| session = Some(Session::new(&model, &options).expect("a session")));
    // Marks of losses, one a frame of the ring and 4096 more: room that takes no memory until it is used.
    let bytes = bytes - 24 * (2 * 16_000 + 4_096);
    println!("{bytes} bytes for a session of 16 kHz mono with windows of 1 s");
    assert!(bytes <= 300_000, "{bytes} bytes");

    let session = session.expect("made above");
    let audio = bursts(16_000, 16_000);
    let mut scores = [0.0; 3];
    let mut round = || {
        session.push_f32(&audio[..8_000]).expect("push");
        session.wait(Duration::ZERO).expect("wait");
        session.gap(10).expect("gap");
        session.push_f32(&audio[8_000..]).expect("push");
        let windows = std::iter::from_fn(|| match session.read(&mut scores).expect("read") {
            Read::Window(_) => Some(()),
            _ => None,
        });
        let windows = windows.count();
        while session.read_event().expect("events").is_some() {}
        windows
    };
    round();
    let mut windows = 0;
    let count = allocations(|| windows = round());
    // What ort makes for each run: the names of inputs and outputs. Nothing of ours, however much audio it is.
    println!("{count} allocations for {windows} windows");
    assert!(windows == 4 && count <= 2 * windows, "{count} allocations for {windows} windows");
    let count = allocations(|| {
        session.push_f32(&audio[..100]).expect("push");
        session.wait(Duration::ZERO).expect("wait");
        session.pending_frames();
        assert_eq!(session.read(&mut scores).expect("read"), Read::Again);
        session.finish().expect("finish");
    });
    assert_eq!(count, 0);
}

#[test]
fn reading_events_of_a_stream_without_is_an_error() {
    let model = tiny();
    let session = Session::new(&model, &SessionOptions::new(16_000, 1)).expect("a session");
    let error = session.read_event().expect_err("no events");
    assert!(error.message().contains("`events`"), "{error}");
}
