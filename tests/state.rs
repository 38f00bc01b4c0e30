//! Networks with state: one run for each window of the grid, in order, whatever was lost.

#[path = "support/looping.rs"]
mod looping;
#[path = "support/memory_network.rs"]
mod memory_network;
#[path = "support/models.rs"]
mod models;
#[path = "support/onnx.rs"]
mod onnx;
#[path = "support/random.rs"]
mod random;
#[path = "support/with.rs"]
mod with;

use std::time::{Duration, Instant};

use auricle::{Clip, ClipOptions, Model, ModelOptions, Overflow, Read, Session, SessionOptions, Wait};
use memory_network::{OTHERS, WINDOW, expected, load, network, try_load};
use random::Random;
use with::with;

/// Multiples of 2^-10 up to 1/16, whose sums over a window are exact in 32-bit floats.
fn audio(seed: u64, samples: usize) -> Vec<f32> {
    let mut random = Random(seed);
    (0..samples).map(|_| (random.next() % 129) as f32 / 1024.0 - 1.0 / 16.0).collect()
}

fn options() -> SessionOptions {
    with(SessionOptions::new(16_000, 1), |o| o.ring_seconds = Some(20.0))
}

fn session(model: &Model) -> Session {
    Session::new(model, &options()).expect("a session")
}

type Heard = Vec<(u64, [f32; 3])>;

fn read(session: &Session, heard: &mut Heard) -> Read {
    let mut scores = [0.0; 3];
    loop {
        match session.read(&mut scores).expect("read") {
            Read::Window(window) => heard.push((window.sequence, scores)),
            other => return other,
        }
    }
}

fn push(session: &Session, audio: &[f32]) {
    assert_eq!(session.push_f32(audio).expect("push").dropped, 0);
}

#[test]
fn every_window_is_run_once_on_what_the_one_before_it_left() {
    let (model, audio) = (load(0.5, 1.0), audio(1, 40_000));
    let expected: Heard = (0..).zip(expected(&audio, 0.5, 1.0)).collect();
    assert_eq!(expected.len(), 49);
    let mut random = Random(2);
    for longest in [1, 40, 1000, 40_000] {
        let (session, mut heard, mut rest) = (session(&model), Heard::new(), &audio[..]);
        // The second stream is as the first: state begins anew.
        for _ in 0..2 {
            while !rest.is_empty() {
                let (now, later) = rest.split_at((1 + random.next() as usize % longest).min(rest.len()));
                push(&session, now);
                rest = later;
                if random.next().is_multiple_of(3) {
                    read(&session, &mut heard);
                }
            }
            session.finish().expect("finish");
            assert_eq!(read(&session, &mut heard), Read::End);
            assert!(heard == expected, "pieces up to {longest}: {heard:?}");
            session.reset().expect("reset");
            (heard, rest) = (Heard::new(), &audio);
        }
    }
}

#[test]
fn clips_begin_with_zeros_and_lengths_count_what_is_no_padding() {
    let (model, audio) = (load(0.5, 1.0), audio(3, 4_300));
    let mut filled = audio.clone();
    filled.resize(4_800, 0.0);
    let mut expected = expected(&filled, 0.5, 1.0);
    assert_eq!(expected.len(), 5);
    expected[4][2] = 4_300.0 - 3_200.0;
    for _ in 0..3 {
        let clip = Clip { interleaved: &audio, channels: 1, sample_rate: 16_000 };
        let mut windows = Vec::new();
        let each = |_: &auricle::Window, scores: &[f32]| windows.push([scores[0], scores[1], scores[2]]);
        model.windows_of(clip, &ClipOptions::default(), each).expect("classifies");
        assert_eq!(windows, expected);
        let mut scores = [0.0; 3];
        model.classify(clip, &mut scores).expect("classifies");
        assert_eq!(scores[1], 3.0, "the mean of 1 to 5");
    }
}

/// A gap, and frames that were dropped, are silence to the network, though windows of nothing else are not reported.
#[test]
fn lost_audio_is_silence_to_the_state() {
    // The state of the first network never comes to rest, so that every window has to be run; that of the second does.
    for (decay, decay_runs) in [(0.5, 1.0), (0.5, 0.5)] {
        let model = load(decay, decay_runs);
        let (before, after) = (audio(4, 5_000), audio(5, 6_000));
        for lost in [1, 799, 1_600, 5_000, 300_000] {
            let stream = [&before[..], &vec![0.0; lost], &after].concat();
            let expected = expected(&stream, decay, decay_runs);
            for limit in [0, 1, 7] {
                let limited = with(options(), |o| o.max_windows_per_read = limit);
                for waits in [false, true] {
                    let (session, mut heard) =
                        (Session::new(&model, &limited).expect("a session"), Heard::new());
                    push(&session, &before);
                    session.gap(lost as u64).expect("gap");
                    push(&session, &after);
                    session.finish().expect("finish");
                    while read(&session, &mut heard) != Read::End {
                        if waits {
                            assert_eq!(session.wait(Duration::MAX).expect("wait"), Wait::Ready);
                        }
                    }
                    let whole = heard.iter().filter(|(_, scores)| scores[2] == WINDOW as f32);
                    for (sequence, scores) in whole {
                        assert_eq!(*scores, expected[*sequence as usize], "window {sequence}, {lost} lost");
                    }
                    let kept = |k: &usize| k * 800 < 5_000 || k * 800 + WINDOW > 5_000 + lost;
                    let reported: Vec<usize> = (0..expected.len()).filter(kept).collect();
                    let heard: Vec<usize> = heard.iter().map(|(sequence, _)| *sequence as usize).collect();
                    assert_eq!(heard[..reported.len()], reported, "{lost} lost, limit {limit}");
                }
            }
        }
    }
}

#[test]
fn dropped_frames_are_silence_too() {
    let model = load(0.5, 1.0);
    let small = with(options(), |o| (o.ring_seconds, o.overflow) = (Some(0.5), Overflow::DropNewest));
    let (session, mut heard, audio) =
        (Session::new(&model, &small).expect("a session"), Heard::new(), audio(6, 30_000));
    let taken = session.push_f32(&audio[..20_000]).expect("push").accepted;
    assert!(taken < 10_000, "{taken}");
    read(&session, &mut heard);
    push(&session, &audio[20_000..25_000]);
    read(&session, &mut heard);
    let stream = [&audio[..taken], &vec![0.0; 20_000 - taken], &audio[20_000..25_000]].concat();
    let expected = expected(&stream, 0.5, 1.0);
    assert!(heard.len() > 10 && heard.len() < expected.len());
    for (sequence, scores) in heard {
        assert_eq!(scores, expected[sequence as usize], "window {sequence}");
    }
}

/// 2^40 frames are two years: the state has come to rest long before, and the rest is stepped over.
#[test]
fn a_state_at_rest_needs_no_runs_on_silence() {
    let model = load(0.5, 0.5);
    let (begun, lost) = (Instant::now(), 1_u64 << 40);
    let (session, mut heard) = (session(&model), Heard::new());
    push(&session, &audio(7, 5_000));
    session.gap(lost).expect("gap");
    let after = audio(8, 6_000);
    push(&session, &after);
    assert_eq!(read(&session, &mut heard), Read::Again);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    // Silence of another length behind which windows lie as they do here.
    let short = 400_000 + (5_000 + lost) % 800 - 5_000 % 800;
    let stream = [&audio(7, 5_000)[..], &vec![0.0; short as usize], &after].concat();
    let expected = expected(&stream, 0.5, 0.5);
    let (heard, expected) = (&heard[heard.len() - 6..], &expected[expected.len() - 6..]);
    assert!(heard.iter().map(|(_, scores)| scores).eq(expected), "{heard:?} {expected:?}");
}

#[test]
fn streams_on_one_model_have_a_state_each() {
    let model = load(0.5, 1.0);
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let model = &model;
            scope.spawn(move || {
                let (session, mut heard, audio) = (session(model), Heard::new(), audio(10 + seed, 40_000));
                for block in audio.chunks(900) {
                    push(&session, block);
                    read(&session, &mut heard);
                }
                let expected: Heard = (0..).zip(expected(&audio, 0.5, 1.0)).collect();
                assert!(heard == expected, "stream {seed}");
            });
        }
    });
}

#[test]
fn a_cancelled_stream_begins_anew() {
    let (model, audio) = (load(0.5, 1.0), audio(20, 40_000));
    let session = session(&model);
    push(&session, &audio);
    session.gap(1 << 40).expect("gap");
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(&session, &mut Heard::new()));
        std::thread::sleep(Duration::from_millis(30));
        session.cancel();
        assert_eq!(reading.join().expect("the reader"), Read::Cancelled, "in a gap that would take years");
    });
    session.reset().expect("reset");
    let mut heard = Heard::new();
    push(&session, &audio);
    read(&session, &mut heard);
    assert_eq!(heard, (0..).zip(expected(&audio, 0.5, 1.0)).collect::<Heard>());
}

/// The first window begins before the audio, as the code of Silero VAD and other streaming networks has it.
#[test]
fn silence_can_lead() {
    let manifest = |lead: usize| {
        format!(
            r#"{{ "auricle": 1, "labels": ["first", "last", "mean", "max"],
                 "input": {{ "sample_rate": 8000, "window_seconds": 0.1, "lead_samples": {lead},
                            "features": {{ "kind": "waveform" }}, "layout": ["batch", "sample"] }},
                 "stream": {{ "hop_seconds": 0.05 }} }}"#
        )
    };
    let load = |lead| Model::load_memory(models::PROBE, Some(&manifest(lead)), &ModelOptions::default());
    let ramp: Vec<f32> = (1..2_001).map(|n| n as f32 / 1_048_576.0).collect();
    let model = load(300).expect("loads");
    let run = |rate: u32, audio: &[f32]| {
        let session = Session::new(&model, &SessionOptions::new(rate, 1)).expect("a session");
        session.push_f32(audio).expect("push");
        session.finish().expect("finish");
        let (mut windows, mut scores) = (Vec::new(), [0.0; 4]);
        while let Read::Window(window) = session.read(&mut scores).expect("read") {
            windows.push((window, scores));
        }
        windows
    };
    let places: Vec<_> = run(8_000, &ramp)
        .iter()
        .map(|(w, s)| (w.first_frame, w.end_frame, (s[0] * 1_048_576.0) as u64, (s[1] * 1_048_576.0) as u64))
        .collect();
    let expected = [(0, 500, 0, 500), (100, 900, 101, 900), (500, 1300, 501, 1300), (900, 1700, 901, 1700)];
    assert_eq!(places[..4], expected);
    // The last one is filled up.
    assert_eq!(places[4..], [(1300, 2000, 1301, 0)]);
    let half_rate: Vec<_> = run(16_000, &ramp).iter().map(|(w, _)| (w.first_frame, w.end_frame)).collect();
    assert_eq!(half_rate, [(0, 1000), (200, 1800), (1000, 2000)]);
    let mut scores = [0.0; 4];
    let clip = Clip { interleaved: &ramp[..100], channels: 1, sample_rate: 8_000 };
    model.classify(clip, &mut scores).expect("one window");
    assert!((scores[2] - ramp[..100].iter().sum::<f32>() / 800.0).abs() < 1e-9, "{scores:?}");
    let error = load(800).expect_err("no audio in the first window");
    assert!(error.message().contains("input.lead_samples: 800; valid below the 800 samples"), "{error}");
}

#[test]
fn all_that_is_not_said_is_told_at_once() {
    let network = network(0.5, 1.0);
    let refused = |others: &str| try_load(&network, others).expect_err(others).message().to_owned();
    let message = refused("{}");
    for name in [r#""before" (f32 [1, 2])"#, r#""gain" (i64 [])"#, r#""given" (f32 [1, 1])"#] {
        assert!(message.contains(name), "{message}");
    }
    let with = |name: &str, said: &str| {
        let mut others: serde_json::Value = serde_json::from_str(OTHERS).expect("JSON");
        others[name] = serde_json::from_str(said).expect("JSON");
        refused(&others.to_string())
    };
    for (name, said, expected) in [
        (
            "before",
            r#"{ "state": "later" }"#,
            "the network has no output \"later\"; it has: \"scores\", \"after\"",
        ),
        ("before", r#"{ "state": "scores" }"#, "is f32 [1, 2]; the output \"scores\" is f32 [1, 3]"),
        (
            "before",
            r#"{ "state": "after", "shape": [2, 2] }"#,
            "shape: is [2, 2]; the network declares [1, 2]",
        ),
        ("gain", r#"{ "state": "after" }"#, "is i64 []; the output \"after\" is f32 [1, 2]"),
        ("gain", r#"{ "constant": 0.5 }"#, "constant: 0.5; i64 holds whole numbers"),
        (
            "before",
            r#"{ "constant": 1e39 }"#,
            "constant: 1000000000000000000000000000000000000000 is too large for f32",
        ),
        ("gain", r#"{ "constant": [1, 2] }"#, "constant: 2 numbers; the tensor has 1 elements"),
        ("before", r#"{ "constant": [1, 2, 3] }"#, "constant: 3 numbers; the tensor has 2 elements"),
        ("other", r#"{ "ones": true }"#, "the network has no input \"other\""),
        ("audio", r#"{ "ones": true }"#, "names every input of the network; one is for the audio"),
        ("gain", r#"{ "ones": true, "constant": 1 }"#, "say one of constant, ones, length and state"),
        ("gain", "{}", "say one of constant, ones, length and state"),
        ("gain", r#"{ "constant": [] }"#, "a finite number, or a list of them"),
        (
            "before",
            r#"{ "state": "after", "shape": ["batch", "sample"] }"#,
            "have the same sizes in every run",
        ),
    ] {
        let message = with(name, said);
        assert!(message.contains(expected), "{name}: {said}: {message}");
    }
}

/// A network with state moves on as in its training: another hop would give other scores, and no error.
#[test]
fn the_hop_of_a_state_is_said_and_stays() {
    let unsaid = memory_network::manifest(OTHERS).replace(r#""hop_seconds": 0.05"#, "");
    let error = Model::load_memory(&network(0.5, 1.0), Some(&unsaid), &ModelOptions::default())
        .expect_err("no hop is said");
    assert!(error.message().contains("stream.hop_seconds: is needed with a state"), "{error}");
    let model = load(0.5, 1.0);
    let with_hop = |seconds| with(options(), |o| o.hop_seconds = Some(seconds));
    let error = Session::new(&model, &with_hop(0.1)).expect_err("another hop");
    assert!(error.message().contains("moves on by the 0.05 s of its manifest"), "{error}");
    Session::new(&model, &with_hop(0.05)).expect("its own hop");
    let (audio, options) = (audio(6, 4_000), with(ClipOptions::default(), |o| o.hop_seconds = Some(0.025)));
    let clip = Clip { interleaved: &audio, channels: 1, sample_rate: 16_000 };
    assert!(model.windows_of(clip, &options, |_, _| ()).is_err());
}
