//! How late a session answers, what a push costs the audio thread, and how many streams one core takes: figures for
//! benches/README.md. `cargo bench -p auricle --bench stream [-- SECONDS]`, on a machine that does nothing else.

#[path = "../tests/support/random.rs"]
mod random;
#[path = "../tests/support/with.rs"]
mod with;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use auricle::{Model, ModelOptions, Read, Session, SessionOptions, Wait};
use random::Random;
use with::with;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/esc10.onnx");
const RATE: u32 = 48_000;
const BLOCK: usize = 256;
/// Streams that take turns when the load is measured.
const STREAMS: usize = 32;

fn main() -> auricle::Result<()> {
    let seconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(30.0);
    let model = Model::load(Path::new(MODEL), &ModelOptions::default())?;
    latency(&model, seconds)?;
    push(&model)?;
    for hop in [0.25, 0.256] {
        load(&model, hop)?;
    }
    Ok(())
}

/// A click at the last frame of every window, pushed in real time. How long after the push that brought it does a thread
/// that waits have the scores of the window that it ends? The health of that window must show the click.
fn latency(model: &Model, seconds: f64) -> auricle::Result<()> {
    let options = with(SessionOptions::new(RATE, 1), |o| o.hop_seconds = Some(0.1));
    let session = Session::new(model, &options)?;
    let hop = RATE as usize / 10;
    let blocks = (seconds * f64::from(RATE)) as usize / BLOCK;
    let mut audio = vec![0.0_f32; blocks * BLOCK];
    audio.iter_mut().skip(hop - 1).step_by(hop).for_each(|sample| *sample = 0.9);
    let started = Instant::now() + Duration::from_millis(100);
    let due = |frames: usize| started + Duration::from_secs_f64(frames as f64 / f64::from(RATE));

    let (mut pushes, mut answers) = (Vec::with_capacity(blocks), Vec::new());
    thread::scope(|scope| -> auricle::Result<()> {
        let pushing = scope.spawn(|| -> auricle::Result<()> {
            for (number, block) in audio.chunks_exact(BLOCK).enumerate() {
                // A sound card hands a block over when its last frame has been there.
                thread::sleep(due((number + 1) * BLOCK).saturating_duration_since(Instant::now()));
                let before = Instant::now();
                session.push_f32(block)?;
                pushes.push((before, before.elapsed()));
            }
            session.finish()
        });
        let mut scores = vec![0.0; session.class_count()];
        loop {
            assert_eq!(session.wait(Duration::from_secs(10))?, Wait::Ready);
            match session.read(&mut scores)? {
                Read::Window(window) if window.end_frame.is_multiple_of(hop as u64) => {
                    assert!(window.health.peak_dbfs > -1.0, "the click is not in {window:?}");
                    answers.push((window.end_frame, Instant::now()));
                }
                Read::Window(_) => {} // the end, padded
                _ => break,
            }
        }
        pushing.join().expect("the pushing thread")
    })?;

    let after = |&(end, read): &(u64, Instant)| {
        let (pushed, _) = pushes[(end as usize - 1) / BLOCK];
        read.saturating_duration_since(pushed).as_secs_f64() * 1e3
    };
    let late = sorted(answers.iter().map(after));
    println!(
        "{} windows of 1 s, one every 0.1 s, {RATE} Hz in blocks of {BLOCK}, {seconds} s in real time",
        late.len()
    );
    println!("sound pushed -> score read, ms: {}", quantiles(&late));
    histogram(&late);
    let push = sorted(pushes.iter().map(|(_, took)| took.as_secs_f64() * 1e6));
    println!(
        "one push of {BLOCK} frames in real time, after a sleep of the thread, us: {}",
        quantiles(&push)
    );
    Ok(())
}

/// A push whose code and data are in the caches: what the library does, without what waking up costs the machine.
fn push(model: &Model) -> auricle::Result<()> {
    let session = Session::new(model, &SessionOptions::new(RATE, 1))?;
    let block = [0.1_f32; BLOCK];
    let mut took = Vec::new();
    for _ in 0..20_000 {
        let before = Instant::now();
        session.push_f32(&block)?;
        took.push(before.elapsed().as_secs_f64() * 1e6);
        if let Wait::Ready = session.wait(Duration::ZERO)? {
            session.read(&mut [])?;
        }
    }
    println!("one push of {BLOCK} frames, one after another, us: {}", quantiles(&sorted(took.into_iter())));
    Ok(())
}

/// Many streams in turn on this thread, as fast as it goes.
fn load(model: &Model, hop: f64) -> auricle::Result<()> {
    const SECONDS: usize = 20;
    let rate = model.sample_rate() as usize;
    let options = with(SessionOptions::new(rate as u32, 1), |o| o.hop_seconds = Some(hop));
    let sessions =
        (0..STREAMS).map(|_| Session::new(model, &options)).collect::<auricle::Result<Vec<_>>>()?;
    let mut random = Random(1);
    let audio: Vec<f32> = (0..rate).map(|_| 0.5 * random.sample()).collect();
    let mut scores = vec![0.0; model.labels().len()];
    let mut inference = 0;
    // The first second fills the windows.
    let mut started = Instant::now();
    for second in 0..=SECONDS {
        if second == 1 {
            (started, inference) = (Instant::now(), 0);
        }
        for block in audio.chunks(rate / 100) {
            for session in &sessions {
                session.push_f32(block)?;
                while let Read::Window(window) = session.read(&mut scores)? {
                    inference += window.inference_nanoseconds;
                }
            }
        }
    }
    let took = started.elapsed().as_secs_f64();
    println!(
        "{STREAMS} streams of {rate} Hz in turn, one window every {hop} s: {:.0} streams in real time a core, {:.1} % of the \
         time in ONNX Runtime",
        (STREAMS * SECONDS) as f64 / took,
        100.0 * inference as f64 / 1e9 / took
    );
    Ok(())
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn quantiles(sorted: &[f64]) -> String {
    let quantile = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let (p50, p99, p999, most) = (quantile(0.5), quantile(0.99), quantile(0.999), quantile(1.0));
    format!("p50 {p50:.2}, p99 {p99:.2}, p99.9 {p999:.2}, most {most:.2}")
}

fn histogram(sorted: &[f64]) {
    for from in (0..20).step_by(2).map(f64::from) {
        let to = if from == 18.0 { f64::INFINITY } else { from + 2.0 };
        let count = sorted.iter().filter(|v| (from..to).contains(*v)).count();
        println!("  {from:2} ms {count:6} {}", "#".repeat(count * 60 / sorted.len()));
    }
}
