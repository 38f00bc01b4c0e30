//! What the library costs beside ONNX Runtime, and how long a program waits for its first score: figures for
//! benches/README.md. `cargo bench -p auricle --bench classify`

#[path = "../tests/support/random.rs"]
mod random;
#[path = "../tests/support/with.rs"]
mod with;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use auricle::{Clip, Model, ModelOptions, Read, Session, SessionOptions};
use random::Random;
use with::with;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/esc10.onnx");
const ROUNDS: usize = 21;

fn main() -> auricle::Result<()> {
    if std::env::args().any(|argument| argument == "--first-score") {
        let model = Model::load(MODEL, &ModelOptions::default())?;
        let mut scores = vec![0.0; model.labels().len()];
        model.classify(clip(&noise(16_000), 16_000), &mut scores)?;
        println!("{}", scores[0]);
        return Ok(());
    }
    let model = Model::load(MODEL, &ModelOptions::default())?;
    for rate in [16_000, 44_100] {
        share(&model, rate)?;
    }
    first_score();
    size();
    Ok(())
}

/// Rounds of one `classify` of 5 s, and of a session over the same audio, which tells the time of each inference.
fn share(model: &Model, rate: u32) -> auricle::Result<()> {
    let pcm = noise(5 * rate as usize);
    let mut scores = vec![0.0; model.labels().len()];
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        let started = Instant::now();
        model.classify(clip(&pcm, rate), &mut scores)?;
        let whole = started.elapsed();
        rounds.push((whole, inference(model, &pcm, rate)?));
    }
    rounds.remove(0); // the first one plans
    let outside =
        median(rounds.iter().map(|(whole, inference)| 1.0 - inference.as_secs_f64() / whole.as_secs_f64()));
    let whole = median(rounds.iter().map(|(whole, _)| whole.as_secs_f64() * 1e3));
    println!(
        "classify 5 s at {rate} Hz: {:.1} % outside ONNX Runtime (median of {ROUNDS}; {whole:.2} ms in all)",
        100.0 * outside
    );
    Ok(())
}

fn inference(model: &Model, pcm: &[f32], rate: u32) -> auricle::Result<Duration> {
    let options = with(SessionOptions::new(rate, 1), |o| o.ring_seconds = Some(6.0));
    let session = Session::new(model, &options)?;
    session.push_f32(pcm)?;
    session.finish()?;
    let mut scores = vec![0.0; session.class_count()];
    let mut nanoseconds = 0;
    while let Read::Window(window) = session.read(&mut scores)? {
        nanoseconds += window.inference_nanoseconds;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// A process that loads ONNX Runtime and the model and classifies one second.
fn first_score() {
    let program = std::env::current_exe().expect("own path");
    let wait = || {
        let started = Instant::now();
        let mut child =
            Command::new(&program).arg("--first-score").stdout(Stdio::piped()).spawn().expect("own program");
        let mut first = [0];
        child.stdout.take().expect("piped").read_exact(&mut first).expect("a score");
        let waited = started.elapsed().as_secs_f64() * 1e3;
        child.wait().expect("child");
        waited
    };
    let cold = wait();
    let warm = median((0..ROUNDS).map(|_| wait()));
    println!("process start to first score: {warm:.0} ms (median of {ROUNDS}; the first took {cold:.0} ms)");
}

fn size() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/dist/libauricle.so");
    match std::fs::metadata(&library) {
        Ok(file) => println!("stripped libauricle.so: {:.2} MB", file.len() as f64 / 1e6),
        Err(_) => println!("MISSING: {}; `cargo build --profile dist` makes it", library.display()),
    }
}

fn clip(pcm: &[f32], sample_rate: u32) -> Clip<'_> {
    Clip { interleaved: pcm, channels: 1, sample_rate }
}

fn noise(samples: usize) -> Vec<f32> {
    let mut random = Random(1);
    (0..samples).map(|_| 0.5 * random.sample()).collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
