//! Many sessions on one model, and one session used by every thread that may: without the test harness, so that
//! ThreadSanitizer sees no threads but these. Each is joined: the end of a scope is not a thing that it can see, because
//! the standard library is not instrumented.

#[path = "support/models.rs"]
mod models;
#[path = "support/random.rs"]
mod random;
#[path = "support/with.rs"]
mod with;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use auricle::{Event, Model, Overflow, Read, Session, SessionOptions, Wait, Window};
use models::tiny;
use random::Random;
use with::with;

const RATE: u32 = 44_100;

type Scored = (Window, Vec<u32>);

fn noise(seed: u64, samples: usize) -> Vec<f32> {
    let mut random = Random(seed);
    (0..samples).map(|_| 0.5 * random.sample()).collect()
}

fn options(model: &Model) -> SessionOptions {
    let json =
        r#"{ "hop_seconds": 0.1, "smoothing_seconds": 0.2, "events": { "on": 0.3385, "off": 0.3375 } }"#;
    let stream = auricle::manifest::Stream::parse(json, model.manifest()).expect("a valid stream");
    with(SessionOptions::new(RATE, 1), |o| {
        o.ring_seconds = Some(20.0);
        o.stream = Some(stream);
    })
}

/// All windows and events of `audio`, pushed in blocks.
fn run(model: &Model, audio: &[f32]) -> (Vec<Scored>, Vec<Event>) {
    let session = Session::new(model, &options(model)).expect("a session");
    let (mut windows, mut events, mut scores) = (Vec::new(), Vec::new(), vec![0.0; 3]);
    for block in audio.chunks(441).map(Some).chain([None]) {
        match block {
            Some(block) => assert_eq!(session.push_f32(block).expect("push").dropped, 0),
            None => session.finish().expect("finish"),
        }
        while let Read::Window(window) = session.read(&mut scores).expect("read") {
            let bits = scores.iter().map(|score: &f32| score.to_bits()).collect();
            windows.push((
                with(window, |o| {
                    o.inference_nanoseconds = 0;
                    o.late = false;
                }),
                bits,
            ));
        }
        while let Some(event) = session.read_event().expect("events") {
            events.push(event);
        }
    }
    (windows, events)
}

fn sessions_on_one_model_do_not_touch_each_other(model: &Model) {
    let audio: Vec<Vec<f32>> = (1..=4).map(|seed| noise(seed, 3 * RATE as usize)).collect();
    let alone: Vec<_> = audio.iter().map(|audio| run(model, audio)).collect();
    assert!(alone[0].0 != alone[1].0, "the streams differ");
    assert!(alone.iter().all(|(windows, events)| windows.len() > 20 && !events.is_empty()));
    std::thread::scope(|scope| {
        let together: Vec<_> = audio.iter().map(|audio| scope.spawn(|| run(model, audio))).collect();
        for (together, alone) in together.into_iter().zip(&alone) {
            assert!(together.join().expect("a stream") == *alone, "together as alone");
        }
    });
}

fn every_thread_does_its_part(model: &Model, overflow: Overflow) {
    let options = with(options(model), |o| {
        o.ring_seconds = Some(0.2);
        o.overflow = overflow;
    });
    let session = Session::new(model, &options).expect("a session");
    let audio = noise(5, 4 * RATE as usize);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let pushing = scope.spawn(|| {
            for block in audio.chunks(441) {
                session.push_f32(block).expect("push");
                std::thread::sleep(Duration::from_millis(1));
            }
            session.gap(100).expect("gap");
            session.finish().expect("finish");
        });
        let asking = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                assert!(session.pending_frames() <= u64::from(RATE) / 5 + 1);
                std::thread::sleep(Duration::from_micros(100));
            }
        });
        let (mut last, mut scores) = (0, [0.0; 3]);
        loop {
            assert_eq!(session.wait(Duration::from_secs(60)).expect("wait"), Wait::Ready);
            match session.read(&mut scores).expect("read") {
                Read::Window(window) => last = window.end_frame,
                Read::End => break,
                other => panic!("ready, but {other:?}"),
            }
            while session.read_event().expect("events").is_some() {}
        }
        over.store(true, Ordering::Relaxed);
        pushing.join().expect("the pushing thread");
        asking.join().expect("the asking thread");
        // How much of it was lost depends on the machine.
        assert!((1..=audio.len() as u64 + 100).contains(&last), "{last} of {} frames", audio.len());
    });
}

fn a_cancel_ends_a_wait(model: &Model) {
    let session = Session::new(model, &options(model)).expect("a session");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| session.wait(Duration::from_secs(3600)));
        std::thread::sleep(Duration::from_millis(20));
        session.cancel();
        assert_eq!(waiting.join().expect("the waiting thread").expect("wait"), Wait::Cancelled);
    });
    assert_eq!(session.read(&mut []).expect("read"), Read::Cancelled);
    session.reset().expect("reset");
    assert_eq!(session.read(&mut []).expect("read"), Read::Again);
}

fn main() {
    let model = tiny();
    sessions_on_one_model_do_not_touch_each_other(&model);
    every_thread_does_its_part(&model, Overflow::DropNewest);
    every_thread_does_its_part(&model, Overflow::DropOldest);
    a_cancel_ends_a_wait(&model);
    println!("threads: 4 parts passed");
}
