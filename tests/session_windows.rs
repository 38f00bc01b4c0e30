//! A stream through the whole path. The probe network shows what each window saw: its first and last sample, mean, max.

#[path = "support/models.rs"]
mod models;
#[path = "support/random.rs"]
mod random;
#[path = "support/with.rs"]
mod with;

use auricle::{Clip, Model, Read, Session, SessionOptions, Status, Window};
use models::{probe, tiny};
use random::Random;
use with::with;

/// Noise and a few clicks, full scale about 0.5; the same on every machine.
fn noise(samples: usize) -> Vec<f32> {
    let mut random = Random(1);
    (0..samples)
        .map(|n| {
            let noise = 0.5 * random.sample();
            if n % 5000 == 0 { 0.9 } else { noise * (1.0 + (n as f32 * 0.0003).sin()) * 0.5 }
        })
        .collect()
}

/// A signal that tells where it is: sample n is n / 2^20.
fn ramp(range: std::ops::Range<usize>) -> Vec<f32> {
    range.map(|n| n as f32 / 1_048_576.0).collect()
}

fn place(sample: f32) -> usize {
    (sample * 1_048_576.0).round() as usize
}

fn drain(session: &Session) -> (Vec<(Window, Vec<f32>)>, Read) {
    let mut windows = Vec::new();
    let mut scores = vec![0.0; session.class_count()];
    loop {
        match session.read(&mut scores).expect("read") {
            Read::Window(window) => windows.push((window, scores.clone())),
            other => return (windows, other),
        }
    }
}

fn run(model: &Model, options: &SessionOptions, pcm: &[f32]) -> Vec<(Window, Vec<f32>)> {
    let session = Session::new(model, options).expect("session");
    let mut windows = Vec::new();
    for block in pcm.chunks(options.sample_rate as usize / 10 * options.channels as usize) {
        assert_eq!(session.push_f32(block).expect("push").dropped, 0);
        windows.extend(drain(&session).0);
    }
    session.finish().expect("finish");
    let (rest, last) = drain(&session);
    assert_eq!(last, Read::End);
    windows.extend(rest);
    windows
}

/// What must not depend on timing: all but the duration of the inference.
fn steady(windows: &[(Window, Vec<f32>)]) -> Vec<(Window, Vec<u32>)> {
    let bits = |scores: &Vec<f32>| scores.iter().map(|score| score.to_bits()).collect();
    windows
        .iter()
        .map(|(window, scores)| (with(*window, |o| o.inference_nanoseconds = 0), bits(scores)))
        .collect()
}

#[test]
fn windows_lie_where_the_manifest_puts_them() {
    let windows = run(&probe("zeros"), &SessionOptions::new(8000, 1), &ramp(0..2000));
    let ends: Vec<_> = windows.iter().map(|(window, _)| (window.first_frame, window.end_frame)).collect();
    assert_eq!(ends, [(0, 800), (400, 1200), (800, 1600), (1200, 2000)]);
    for (window, scores) in &windows {
        assert_eq!(place(scores[0]) as u64, window.first_frame);
        assert_eq!(place(scores[1]) as u64, window.end_frame - 1);
    }
}

#[test]
fn the_end_is_padded_as_the_manifest_says() {
    let pcm = ramp(100_000..101_000); // a second window from 400 holds 600 samples
    for (padding, last) in [("zeros", 0.0), ("repeat", pcm[400 + 199]), ("none", pcm[999])] {
        let windows = run(&probe(padding), &SessionOptions::new(8000, 1), &pcm);
        let (window, scores) = &windows[1];
        assert_eq!((windows.len(), window.first_frame, window.end_frame), (2, 400, 1000), "{padding}");
        assert_eq!((scores[0], scores[1]), (pcm[400], last), "{padding}");
    }
}

#[test]
fn a_hop_longer_than_the_window_leaves_audio_out() {
    let options = with(SessionOptions::new(8000, 1), |o| o.hop_seconds = Some(0.25));
    let windows = run(&probe("zeros"), &options, &ramp(0..6000));
    let starts: Vec<_> = windows.iter().map(|(_, scores)| (place(scores[0]), place(scores[1]))).collect();
    assert_eq!(starts, [(0, 799), (2000, 2799), (4000, 4799)]);
}

#[test]
fn any_split_of_the_pcm_gives_the_same_bits() {
    let (model, pcm) = (tiny(), noise(2 * 44_100 * 3));
    let options = SessionOptions::new(44_100, 2);
    let whole = run(&model, &options, &pcm);
    assert!(whole.len() >= 9, "{} windows", whole.len());
    let mut random = Random(7);
    for longest in [1_usize, 3, 200, 5000] {
        let session = Session::new(&model, &options).expect("session");
        let mut windows = Vec::new();
        let mut rest = &pcm[..];
        while !rest.is_empty() {
            let frames = 1 + random.next() as usize % longest;
            let (now, later) = rest.split_at((2 * frames).min(rest.len()));
            session.push_f32(now).expect("push");
            rest = later;
            if random.next() & 1 == 0 || later.is_empty() {
                windows.extend(drain(&session).0);
            }
        }
        session.finish().expect("finish");
        windows.extend(drain(&session).0);
        assert!(steady(&windows) == steady(&whole), "blocks of up to {longest} frames");
    }
}

#[test]
fn classify_is_the_mean_of_the_windows() {
    let (model, pcm) = (tiny(), noise(3 * 16_000 + 5000));
    let windows = run(&model, &SessionOptions::new(16_000, 1), &pcm);
    assert_eq!(windows.len(), 11, "10 whole ones and the end, of 53000 samples at a hop of 4000");
    let mut scores = [0.0; 3];
    let clip = Clip { interleaved: &pcm, channels: 1, sample_rate: 16_000 };
    model.classify(clip, &mut scores).expect("classify");
    for (class, score) in scores.iter().enumerate() {
        let sum: f64 = windows.iter().map(|(_, scores)| f64::from(scores[class])).sum();
        assert_eq!(*score, (sum / windows.len() as f64) as f32);
    }
    // One window: exactly its scores. And once more, because the second call reuses what the first one planned.
    for _ in 0..2 {
        let clip = Clip { interleaved: &pcm[..16_000], channels: 1, sample_rate: 16_000 };
        model.classify(clip, &mut scores).expect("classify");
        assert_eq!(scores, windows[0].1[..]);
    }
}

#[test]
fn every_format_carries_the_same_audio() {
    let model = probe("zeros");
    let i16s: Vec<i16> = (0..800).map(|n| ((n * 37) % 4001 - 2000) as i16).collect();
    let floats: Vec<f32> = i16s.iter().map(|&s| f32::from(s) / 32768.0).collect();
    let expected = run(&model, &SessionOptions::new(8000, 1), &floats);
    let session = Session::new(&model, &SessionOptions::new(8000, 1)).expect("session");
    session.push_i16(&i16s).expect("push");
    assert_eq!(steady(&drain(&session).0), steady(&expected));

    let bytes: Vec<u8> = i16s.iter().flat_map(|s| s.to_ne_bytes()).collect();
    let stereo = Session::new(&model, &SessionOptions::new(8000, 2)).expect("session");
    stereo.push_planar(auricle::stages::pcm::Format::I16, &[&bytes, &bytes]).expect("push");
    assert_eq!(steady(&drain(&stereo).0), steady(&expected));
}

#[test]
fn lost_audio_is_silence_and_the_clock_goes_on() {
    let model = probe("zeros");
    let (first, lost, second) = (ramp(1..1001), 700, ramp(1701..4001));
    let mut filled = first.clone();
    filled.resize(1700, 0.0);
    filled.extend(&second);
    let expected = run(&model, &SessionOptions::new(8000, 1), &filled);

    let session = Session::new(&model, &SessionOptions::new(8000, 1)).expect("session");
    session.push_f32(&first).expect("push");
    session.gap(lost).expect("gap");
    session.push_f32(&second).expect("push");
    session.finish().expect("finish");
    let (windows, _) = drain(&session);
    assert_eq!(windows.len(), expected.len());
    for ((window, scores), (other, wanted)) in windows.iter().zip(&expected) {
        assert_eq!((window.first_frame, window.end_frame), (other.first_frame, other.end_frame));
        assert_eq!(scores, wanted);
        let missing = window.end_frame.min(1700).saturating_sub(window.first_frame.max(1000));
        assert_eq!((window.health.gap_frames, window.health.dropped_frames), (missing, 0));
    }
}

#[test]
fn a_long_gap_is_stepped_over_on_the_same_grid() {
    // 44.1 kHz, so that the resampler is in the way; the stretch after the gap must come out as if the gap had been fed.
    let model = tiny();
    let options = SessionOptions::new(44_100, 1);
    let (before, after) = (noise(60_000), noise(120_000));
    for gap in [100_000_u64, 44_100 * 20 + 12_345] {
        let mut filled = before.clone();
        filled.resize(before.len() + gap as usize, 0.0);
        filled.extend(&after);
        let expected = run(&model, &options, &filled);

        let options = with(options.clone(), |o| o.ring_seconds = Some(10.0));
        let session = Session::new(&model, &options).expect("session");
        session.push_f32(&before).expect("push");
        session.gap(gap).expect("gap");
        session.push_f32(&after).expect("push");
        session.finish().expect("finish");
        let (windows, _) = drain(&session);
        let lost = before.len() as u64..before.len() as u64 + gap;
        let wanted: Vec<_> = expected
            .iter()
            .filter(|(window, _)| window.first_frame < lost.start || window.end_frame > lost.end)
            .collect();
        assert_eq!(windows.len(), wanted.len(), "gap of {gap}");
        for ((window, scores), (other, expected)) in windows.iter().zip(wanted) {
            assert_eq!(
                (window.sequence, window.first_frame),
                (other.sequence, other.first_frame),
                "gap of {gap}"
            );
            assert_eq!(scores, expected, "gap of {gap}, window {}", window.sequence);
        }
    }
}

#[test]
fn an_absurd_gap_costs_no_time() {
    let session = Session::new(&tiny(), &SessionOptions::new(48_000, 1)).expect("session");
    session.push_f32(&noise(10_000)).expect("push");
    session.gap(u64::MAX).expect("gap");
    session.gap(u64::MAX).expect("gap");
    session.push_f32(&noise(60_000)).expect("push");
    session.finish().expect("finish");
    assert_eq!(drain(&session).1, Read::End);
}

#[test]
fn a_full_ring_drops_and_says_so() {
    let options = with(SessionOptions::new(8000, 1), |o| o.ring_seconds = Some(0.1));
    let session = Session::new(&probe("zeros"), &options).expect("session");
    let pushed = session.push_f32(&ramp(0..1000)).expect("push");
    assert_eq!((pushed.accepted, pushed.dropped), (800, 200));
    let (mut windows, _) = drain(&session);
    session.push_f32(&ramp(1000..1700)).expect("push");
    session.finish().expect("finish");
    windows.extend(drain(&session).0);
    let dropped: Vec<_> =
        windows.iter().map(|(window, _)| (window.first_frame, window.health.dropped_frames)).collect();
    assert_eq!(dropped, [(0, 0), (400, 200), (800, 200), (1200, 0)]);
    assert_eq!(place(windows[2].1[1]), 1599, "the clock is right after the loss");
}

#[test]
fn health_says_what_is_wrong_with_the_audio() {
    let mut pcm = vec![0.5_f32; 400];
    pcm.extend(vec![-0.25; 400]);
    (pcm[10], pcm[11], pcm[12], pcm[13]) = (f32::NAN, f32::INFINITY, 1.0, 2e9);
    let windows = run(&probe("zeros"), &SessionOptions::new(8000, 1), &pcm);
    let (window, scores) = &windows[0];
    let health = window.health;
    assert_eq!((health.non_finite_frames, health.clipped_frames), (3, 1));
    assert_eq!((health.peak_dbfs, health.silent), (0.0, false));
    let mean = (0.5 * 396.0 + 1.0 - 0.25 * 400.0) / 800.0;
    let rms = ((0.25 * 396.0 + 1.0 + 0.0625 * 400.0) / 800.0_f32).sqrt();
    assert!((health.dc_offset - mean).abs() < 1e-6, "{health:?}");
    assert!((health.rms_dbfs - 20.0 * rms.log10()).abs() < 1e-4, "{health:?}");
    assert_eq!(scores[3], 1.0, "what is not finite does not reach the network");

    let silence = run(&probe("zeros"), &SessionOptions::new(8000, 1), &[0.0; 800]);
    assert!(silence[0].0.health.silent);
    assert_eq!(silence[0].0.health.peak_dbfs, f32::NEG_INFINITY);
}

#[test]
fn too_short_a_clip_is_an_error_with_the_numbers() {
    let (model, mut scores) = (tiny(), [0.0; 3]);
    let clip = |samples| Clip { interleaved: samples, channels: 1, sample_rate: 16_000 };
    let error = model.classify(clip(&[0.1; 100]), &mut scores).expect_err("too short");
    assert_eq!(error.status(), Status::ClipTooShort);
    assert!(error.message().contains("100 frames") && error.message().contains("513"), "{error}");
    assert_eq!(model.classify(clip(&[]), &mut scores).expect_err("empty").status(), Status::ClipTooShort);
    model.classify(clip(&noise(513)), &mut scores).expect("one row is enough");

    let session = Session::new(&model, &SessionOptions::new(16_000, 1)).expect("session");
    session.push_f32(&[0.1; 100]).expect("push");
    session.finish().expect("finish");
    assert_eq!(session.read(&mut scores).expect_err("too short").status(), Status::ClipTooShort);
}

#[test]
fn the_states_of_a_session() {
    let model = probe("zeros");
    let session = Session::new(&model, &SessionOptions::new(8000, 1)).expect("session");
    let mut scores = [0.0; 4];
    assert_eq!(session.read(&mut scores).expect("read"), Read::Again);
    session.push_f32(&ramp(0..1000)).expect("push");
    let (once, _) = drain(&session);
    session.finish().expect("finish");
    session.finish().expect("twice is fine");
    assert_eq!(session.push_f32(&[0.0]).expect_err("finished").status(), Status::InvalidState);
    assert_eq!(session.gap(1).expect_err("finished").status(), Status::InvalidState);
    assert_eq!(drain(&session).1, Read::End);
    assert_eq!(session.read(&mut scores).expect("read"), Read::End);

    session.reset().expect("reset");
    session.push_f32(&ramp(0..1000)).expect("push");
    assert_eq!(steady(&drain(&session).0), steady(&once), "a reset session is a new one");
    assert_eq!(session.read(&mut scores[..3]).expect_err("too small").status(), Status::BufferTooSmall);
}

#[test]
fn options_out_of_range_are_refused_with_the_range() {
    let model = tiny();
    let good = SessionOptions::new(16_000, 1);
    for (options, wanted) in [
        (SessionOptions::new(999, 1), "999"),
        (SessionOptions::new(384_001, 1), "384001"),
        (SessionOptions::new(16_000, 0), "1..=8"),
        (SessionOptions::new(16_000, 9), "1..=8"),
        (with(good.clone(), |o| o.hop_seconds = Some(0.0)), "hop_seconds is 0"),
        (with(good.clone(), |o| o.hop_seconds = Some(f64::NAN)), "hop_seconds is NaN"),
        (with(good.clone(), |o| o.hop_seconds = Some(-1.0)), "hop_seconds is -1"),
        (with(good.clone(), |o| o.ring_seconds = Some(f64::INFINITY)), "ring_seconds is inf"),
        (with(good.clone(), |o| o.ring_seconds = Some(0.0)), "ring_seconds is 0"),
    ] {
        let error = Session::new(&model, &options).expect_err("must be refused");
        assert_eq!(error.status(), Status::InvalidArgument);
        assert!(error.message().contains(wanted), "{options:?}: {error}");
    }
}

#[test]
fn two_threads_push_and_read_and_every_frame_is_accounted_for() {
    let options = with(SessionOptions::new(8000, 1), |o| o.ring_seconds = Some(0.05));
    let session = Session::new(&probe("none"), &options).expect("session");
    let pcm = ramp(1..200_001);
    let (mut windows, mut dropped) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut windows = Vec::new();
            loop {
                let (some, last) = drain(&session);
                windows.extend(some);
                if last == Read::End {
                    return windows;
                }
                std::thread::yield_now();
            }
        });
        for block in pcm.chunks(97) {
            dropped += session.push_f32(block).expect("push").dropped;
            std::thread::sleep(std::time::Duration::from_micros(20));
        }
        session.finish().expect("finish");
        windows = reading.join().expect("reader");
    });
    // Every second window: they tile the stream, so each lost frame shows exactly once.
    let whole = windows.iter().filter(|(window, _)| window.sequence % 2 == 0);
    let counted: u64 = whole.clone().map(|(window, _)| window.health.dropped_frames).sum();
    let missing = (0..250_u64).filter(|k| !whole.clone().any(|(window, _)| window.sequence == 2 * k)).count();
    assert_eq!(counted + 800 * missing as u64, dropped as u64);
    for (window, scores) in &windows {
        if window.health.dropped_frames == 0 {
            assert_eq!(place(scores[0]) as u64, window.first_frame + 1, "the clock");
        }
    }
}
