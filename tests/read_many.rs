//! Reading many sessions at once gives what reading each alone gives. Needs ONNX Runtime.

mod support;

use std::time::{Duration, Instant};

use auricle::{Error, Model, ModelOptions, Read, Session, SessionOptions, Status, read_many};
use support::Random;

const PROBE: &[u8] = include_bytes!("data/probe.onnx");
const MANIFEST: &str = r#"{ "auricle": 1, "labels": ["first", "last", "mean", "max"], "output": { "activation": "none" },
    "input": { "sample_rate": 16000, "window_seconds": 0.1, "features": { "kind": "waveform" },
               "layout": ["batch", "sample"] }, "stream": { "hop_seconds": 0.025 } }"#;

fn model(max_batch: u32) -> Result<Model, Error> {
    let mut options = ModelOptions::default();
    options.max_batch = max_batch;
    Model::load_memory(PROBE, Some(MANIFEST), &options)
}

fn sessions(model: &Model, count: usize) -> Vec<Session> {
    (0..count).map(|_| Session::new(model, &SessionOptions::new(16_000, 1)).expect("a session")).collect()
}

/// Every window of a session, read alone.
fn alone(session: &Session, into: &mut Vec<(u64, Vec<f32>)>) -> Read {
    let mut scores = vec![0.0; 4];
    loop {
        match session.read(&mut scores).expect("reads") {
            Read::Window(window) => into.push((window.first_frame, scores.clone())),
            other => return other,
        }
    }
}

#[test]
fn each_session_gets_what_it_would_have_read_alone() {
    let model = model(16).expect("loads");
    let mut random = Random(7);
    let count = 13;
    let (together, single) = (sessions(&model, count), sessions(&model, count));
    let list: Vec<&Session> = together.iter().collect();
    let (mut got, mut expected) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    let (mut shared, mut ended) = (0, vec![false; count]);
    for round in 0..40 {
        for (a, b) in together.iter().zip(&single) {
            // From nothing to a few windows; the last round ends some streams in the middle of a window.
            let length = ((random.sample() + 1.0) * 1250.0) as usize;
            let samples: Vec<f32> = (0..length).map(|_| random.sample()).collect();
            for session in [a, b] {
                session.push_f32(&samples).expect("pushes");
                if round == 39 {
                    session.finish().expect("finishes");
                }
            }
        }
        loop {
            let mut scores = vec![f32::NAN; count * 4];
            let mut reads = vec![Ok(Read::Again); count];
            let windows = read_many(&list, Duration::ZERO, &mut scores, &mut reads).expect("reads");
            let mut times = Vec::new();
            for (index, read) in reads.iter().enumerate() {
                let scores = &scores[index * 4..][..4];
                match read.as_ref().expect("no error") {
                    Read::Window(window) => {
                        got[index].push((window.first_frame, scores.to_vec()));
                        times.push(window.inference_nanoseconds);
                    }
                    Read::End => ended[index] = true,
                    _ => assert!(scores.iter().all(|score| score.is_nan()), "written without a window"),
                }
            }
            assert_eq!(times.len(), windows);
            // Windows of one run have its time.
            shared += times.windows(2).filter(|pair| pair[0] == pair[1]).count();
            if windows == 0 {
                break;
            }
        }
        for (session, into) in single.iter().zip(&mut expected) {
            alone(session, into);
        }
    }
    assert!(got.iter().all(|windows| windows.len() > 50), "too little was read");
    assert!(got == expected, "scores differ from those of single reads");
    assert!(shared > 0, "nothing ran together");
    assert_eq!(ended, vec![true; count]);
}

#[test]
fn it_waits_for_the_deadline_and_no_longer() {
    let model = model(4).expect("loads");
    let sessions = sessions(&model, 2);
    let list: Vec<&Session> = sessions.iter().collect();
    sessions[0].push_f32(&[0.5; 1600]).expect("pushes");
    let (mut scores, mut reads) = (vec![0.0; 8], vec![Ok(Read::Again); 2]);
    let started = Instant::now();
    let windows = read_many(&list, Duration::from_millis(120), &mut scores, &mut reads).expect("reads");
    assert!(started.elapsed() >= Duration::from_millis(120), "{:?}", started.elapsed());
    assert_eq!((windows, &reads[1]), (1, &Ok(Read::Again)));
    // What comes within the time is waited for.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(60));
            for session in &sessions {
                session.push_f32(&[0.5; 1600]).expect("pushes");
            }
        });
        let started = Instant::now();
        let windows = read_many(&list, Duration::from_secs(30), &mut scores, &mut reads).expect("reads");
        assert_eq!(windows, 2);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    });
    sessions[1].cancel();
    read_many(&list, Duration::ZERO, &mut scores, &mut reads).expect("reads");
    assert_eq!(reads[1], Ok(Read::Cancelled));
}

#[test]
fn mistakes_are_refused_with_the_numbers_and_consume_nothing() {
    let (one, other) = (model(2).expect("loads"), model(2).expect("loads"));
    let (a, b) = (sessions(&one, 1), sessions(&other, 1));
    a[0].push_f32(&[0.5; 1600]).expect("pushes");
    let (mut scores, mut reads) = (vec![0.0; 8], vec![Ok(Read::Again); 2]);
    let mut refused = |list: &[&Session], room: usize, status, part: &str| {
        let error = read_many(list, Duration::ZERO, &mut scores[..room], &mut reads).expect_err("refused");
        assert_eq!(error.status(), status, "{error}");
        assert!(error.message().contains(part), "{error}");
    };
    refused(&[&a[0], &b[0]], 8, Status::InvalidArgument, "sessions[1] has another model");
    refused(&[&a[0], &a[0]], 7, Status::BufferTooSmall, "room for 1");
    // The same session twice: its second reader finds it busy.
    assert_eq!(read_many(&[&a[0], &a[0]], Duration::ZERO, &mut scores, &mut reads), Ok(1));
    assert!(matches!(&reads[0], Ok(Read::Window(window)) if window.first_frame == 0), "{reads:?}");
    assert_eq!(reads[1].as_ref().expect_err("busy").status(), Status::InvalidState);

    let error = model(1025).expect_err("refused");
    assert!(error.message().contains("max_batch is 1025; valid 1..=1024"), "{error}");
    let fixed = MANIFEST.replace("[\"batch\", \"sample\"]", "[\"channel\", \"sample\"]");
    let mut options = ModelOptions::default();
    options.max_batch = 2;
    let error = Model::load_memory(PROBE, Some(&fixed), &options).expect_err("no batch axis");
    assert_eq!(error.status(), Status::Mismatch, "{error}");
    assert!(error.message().contains("the first axis of its input is not \"batch\""), "{error}");
}
