//! How many streams of a model one core takes, models in turn: `cargo bench -p auricle-train --bench hops -- MODEL[@HOP]…`. Twenty
//! seconds of audio through a session at a time, CPU time of the thread, medians of 15 rounds. Linux.

#[path = "../../tests/support/random.rs"]
mod random;

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use auricle::{Model, ModelOptions, Read, Session, SessionOptions};
use random::Random;

const SECONDS: usize = 20;
const ROUNDS: usize = 15;

fn main() -> Result<()> {
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut rows = Vec::new();
    for name in &names {
        let (path, hop) = name.split_once('@').map_or((name.as_str(), None), |(path, hop)| (path, Some(hop)));
        let hop = hop.map(str::parse::<f64>).transpose().context("seconds behind @")?;
        let model = Model::load(path, &ModelOptions::default())?;
        let mut random = Random(1);
        let audio: Vec<f32> = (0..model.sample_rate() as usize).map(|_| 0.1 * random.sample()).collect();
        rows.push((name, model, hop, audio, Vec::new()));
    }
    for _ in 0..=ROUNDS {
        for (_, model, hop, audio, times) in &mut rows {
            let mut options = SessionOptions::new(model.sample_rate(), 1);
            options.hop_seconds = *hop;
            let session = Session::new(model, &options)?;
            let mut scores = vec![0.0; session.class_count()];
            let before = cpu()?;
            for _ in 0..SECONDS {
                session.push_f32(audio)?;
                while let Read::Window(_) = session.read(&mut scores)? {}
            }
            times.push((cpu()? - before).as_secs_f64());
        }
    }
    for (name, _, _, _, times) in &mut rows {
        times.remove(0);
        times.sort_by(f64::total_cmp);
        println!("{name}: {:.0} streams a core", SECONDS as f64 / times[ROUNDS / 2]);
    }
    Ok(())
}

/// CPU time of this thread.
fn cpu() -> Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").context("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().unwrap_or_default().parse()?))
}
