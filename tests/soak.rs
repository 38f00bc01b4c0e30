//! A long stream, as fast as it goes: memory does not grow, and the clock is exact at the end. Hours of audio and a model
//! are arguments: `cargo test --release --test soak -- 24 models/esc10.onnx`; a tenth of an hour of tests/data/tiny.onnx
//! without. Losses of all kinds are in it.

mod support;
#[path = "support/with.rs"]
mod with;

use auricle::manifest::Stream;
use auricle::{Model, ModelOptions, Read, Session, SessionOptions};
use support::Random;
use with::with;

const RATE: u32 = 44_100;

/// Resident memory, kB; `None` where the system does not say.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
}

fn main() {
    // What cargo itself passes on begins with a dash.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let hours: f64 = arguments.next().map_or(0.1, |hours| hours.parse().expect("hours"));
    let model = arguments.next().unwrap_or_else(|| "tests/data/tiny.onnx".into());
    let model = Model::load(model, &ModelOptions::default()).expect("a model");
    let stream =
        r#"{ "hop_seconds": 1, "smoothing_seconds": 2, "events": { "on": 0.34, "merge_seconds": 3 } }"#;
    let options = with(SessionOptions::new(RATE, 1), |o| {
        o.stream = Some(Stream::parse(stream, model.manifest()).expect("a stream"))
    });
    let session = Session::new(&model, &options).expect("a session");

    let mut random = Random(1);
    let noise: Vec<f32> = (0..3 * RATE).map(|_| random.sample()).collect();
    let total = (hours * 3600.0 * f64::from(RATE)) as u64;
    let (mut frame, mut dropped, mut gaps, mut block) = (0, 0, 0, vec![0.0; 9_000]);
    let (mut windows, mut counted, mut events, mut last) = (0_u64, (0, 0), 0_u64, 0);
    let mut scores = vec![0.0; session.class_count()];
    let mut read = || {
        let read = session.read(&mut scores).expect("read");
        if let Read::Window(window) = read {
            assert!(window.first_frame >= last && window.first_frame == window.sequence * u64::from(RATE));
            (windows, last) = (windows + 1, window.end_frame);
            let health = window.health;
            counted = (counted.0 + health.dropped_frames, counted.1 + health.gap_frames);
            events += std::iter::from_fn(|| session.read_event().expect("events")).count() as u64;
        }
        read
    };
    let (mut before, mut hour) = (None, 0);
    while frame < total {
        let frames = 1 + random.next() as usize % block.len();
        let (start, gain) = (random.next() as usize % (noise.len() - frames), random.sample());
        block[..frames].iter_mut().zip(&noise[start..]).for_each(|(b, n)| *b = n * gain);
        dropped += session.push_f32(&block[..frames]).expect("push").dropped as u64;
        frame += frames as u64;
        if random.next().is_multiple_of(500) {
            let gap = u64::from(random.next() % RATE);
            session.gap(gap).expect("gap");
            (frame, gaps) = (frame + gap, gaps + gap);
        }
        // Now and then the reader is away for longer than the ring lasts.
        if frame % 1_000_000 > 120_000 {
            while let Read::Window(_) = read() {}
        }
        // A first stretch fills what is filled only once.
        if before.is_none() && frame > total / 10 {
            before = resident();
        }
        if frame / (u64::from(RATE) * 3600) > hour {
            hour += 1;
            println!("{hour} h: {} kB resident", resident().unwrap_or(0));
        }
    }
    // To the next whole second but one, so that a whole window ends with the stream.
    while let Read::Window(_) = read() {}
    let rest = 2 * u64::from(RATE) - frame % u64::from(RATE);
    assert_eq!(session.push_f32(&noise[..rest as usize]).expect("push").dropped, 0);
    frame += rest;
    session.finish().expect("finish");
    while read() != Read::End {}

    println!(
        "{:.2} h of audio, {windows} windows, {events} events, {dropped} frames dropped and {gaps} in gaps; resident {} kB \
         after a tenth, {} kB at the end",
        frame as f64 / f64::from(RATE) / 3600.0,
        before.unwrap_or(0),
        resident().unwrap_or(0)
    );
    // Windows tile the stream, so each loss is in one of them, but for a window that is lost as a whole and left out.
    assert_eq!(last, frame, "the clock");
    let missing = frame / u64::from(RATE) - windows;
    assert!(counted.0 <= dropped && counted.1 <= gaps, "{counted:?}");
    assert!(
        dropped + gaps - counted.0 - counted.1 <= missing * u64::from(RATE),
        "{missing} windows left out"
    );
    assert!(missing > 0 || (dropped, gaps) == counted, "{counted:?} in the windows");
    assert!(dropped > 0 && gaps > 0 && events > 0, "nothing happened");
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after <= before + 1024, "memory grew from {before} kB to {after} kB");
    }
}
