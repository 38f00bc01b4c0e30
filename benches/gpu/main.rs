//! What a provider of ONNX Runtime is worth: its scores beside the CPU's, windows a second, whole streams. `run.sh` calls it
//! where there is a GPU; benches/gpu.md has the figures.
//!
//! ```text
//! gpu describe PROVIDER MODEL [BATCH]                  what runs where, on what
//! gpu scores   PROVIDER MODEL…                         largest difference to the CPU's scores
//! gpu windows  PROVIDER THREADS BATCH,… MODEL          windows a second inside ONNX Runtime
//! gpu streams  PROVIDER BATCH COUNT THREADS SECONDS MODEL   streams at a hop of 250 ms: as fast as it goes, then on time
//! ```
//! PROVIDER is a name or the path of a plug-in, with options behind `=`: `cuda={"tf32":true}`.

use std::time::{Duration, Instant};

use auricle::{Clip, Model, ModelOptions, Provider, Read, Result, Session, SessionOptions, read_many};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    fn number<T: std::str::FromStr<Err = std::num::ParseIntError>>(text: &str) -> T {
        text.parse().expect("a number")
    }
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["describe", provider, model] => println!("{}", load(provider, 1, 0, model)?.describe()?),
        ["describe", provider, model, batch] => {
            println!("{}", load(provider, 1, number(batch), model)?.describe()?);
        }
        ["scores", provider, ref models @ ..] => {
            models.iter().try_for_each(|model| scores(provider, model))?
        }
        ["windows", provider, threads, batches, model] => {
            let batches: Vec<u32> = batches.split(',').map(number).collect();
            let model = load(provider, number(threads), 0, model)?;
            for batch in batches {
                let rate = windows(&model, batch as usize)?;
                println!(
                    "windows {provider}, {threads} threads, {name}: {batch} at a time: {rate}",
                    name = model.manifest().name
                );
            }
        }
        ["streams", provider, batch, count, threads, seconds, model] => {
            let model = load(provider, 1, number(batch), model)?;
            streams(&model, number(count), number(threads), number(seconds))?;
        }
        _ => println!("see the head of benches/gpu/main.rs"),
    }
    Ok(())
}

fn load(provider: &str, threads: u32, batch: u32, model: &str) -> Result<Model> {
    let mut options = ModelOptions::default();
    (options.threads, options.max_batch) = (threads, batch);
    let (name, json) = provider.split_once('=').unwrap_or((provider, ""));
    options.providers = vec![Provider::required(name).with_options(json)];
    let started = Instant::now();
    let model = Model::load(model, &options)?;
    eprintln!("loaded in {:.2} s", started.elapsed().as_secs_f64());
    Ok(model)
}

/// Chirps whose pitch and level depend on `seed`, mono at `rate`.
fn sound(seed: usize, rate: u32, count: usize) -> Vec<f32> {
    let (rate, seed) = (rate as f32, seed as f32);
    (0..count)
        .map(|n| {
            let t = n as f32 / rate;
            (0.1 + 0.01 * (seed % 40.0)) * (400.0 * t * (1.0 + seed % 17.0 + 3.0 * t)).sin()
        })
        .collect()
}

fn scores(provider: &str, path: &str) -> Result<()> {
    let (cpu, other) = (load("cpu", 1, 0, path)?, load(provider, 1, 0, path)?);
    let (rate, window) = (cpu.sample_rate(), cpu.manifest().window_samples());
    let mut apart = 0_f32;
    let mut largest = 0_f32;
    for seed in 0..8 {
        let samples = sound(seed, rate, 2 * window);
        let clip = Clip { interleaved: &samples, channels: 1, sample_rate: rate };
        let (mut a, mut b) = (vec![0.0; cpu.labels().len()], vec![0.0; cpu.labels().len()]);
        cpu.classify(clip, &mut a)?;
        other.classify(clip, &mut b)?;
        apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(apart, f32::max);
        largest = a.into_iter().fold(largest, f32::max);
    }
    println!("scores  {provider:<28} {path}: largest difference {apart:.2e} (largest score {largest:.3})");
    Ok(())
}

/// `count` sessions whose next windows wait.
fn sessions(model: &Model, count: usize, hop: Option<f64>) -> Result<Vec<Session>> {
    let mut options = SessionOptions::new(model.sample_rate(), 1);
    options.hop_seconds = hop;
    (0..count).map(|_| Session::new(model, &options)).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The network alone, on silence, again and again.
fn windows(model: &Model, batch: usize) -> Result<String> {
    let mut rates = Vec::new();
    for _ in 0..3 {
        model.run_silence(batch)?;
    }
    let started = Instant::now();
    while (started.elapsed().as_secs_f64() < 2.0 && rates.len() < 500) || rates.len() < 3 {
        let run = Instant::now();
        model.run_silence(batch)?;
        rates.push(batch as f64 / run.elapsed().as_secs_f64());
    }
    Ok(format!("{:.0} windows/s", median(rates)))
}

/// What one thread has seen: windows a second, and the times from a push to the scores, seconds.
type Seen = (f64, Vec<f64>);

fn streams(model: &Model, count: usize, threads: usize, seconds: u64) -> Result<()> {
    const HOP: f64 = 0.25;
    let run = |count: usize, paced: bool| -> Result<(f64, f64, f64)> {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let model = model.clone();
                let mine = count / threads + usize::from(worker < count % threads);
                std::thread::spawn(move || follow(&model, mine.max(1), seconds, paced.then_some(HOP)))
            })
            .collect();
        let seen: Result<Vec<Seen>> =
            workers.into_iter().map(|worker| worker.join().expect("a worker")).collect();
        let seen = seen?;
        let rate = seen.iter().map(|(rate, _)| rate).sum();
        let mut late: Vec<f64> = seen.into_iter().flat_map(|(_, late)| late).collect();
        late.sort_by(f64::total_cmp);
        Ok((rate, late[late.len() / 2], late[late.len() * 99 / 100]))
    };
    let (rate, ..) = run(count, false)?;
    println!(
        "streams {}, as fast as it goes: {count} sessions, {threads} threads: {rate:.0} windows/s = {:.0} streams",
        model.manifest().name,
        rate * HOP
    );
    // The most whose scores are there before the next hop, 99 times of 100.
    let mut on_time = rate * HOP * 0.9;
    for _ in 0..6 {
        let streams = (on_time as usize).max(threads);
        let (rate, middle, p99) = run(streams, true)?;
        println!(
            "streams {}, on time: {streams} streams, {threads} threads, {rate:.0} windows/s; push to scores: median {:.1} ms, p99 \
             {:.1} ms",
            model.manifest().name,
            middle * 1e3,
            p99 * 1e3
        );
        if p99 < HOP {
            break;
        }
        on_time *= 0.7;
    }
    Ok(())
}

/// Pushes a hop into each of `count` sessions and reads them, again and again; once a hop, or as fast as it goes.
fn follow(model: &Model, count: usize, seconds: u64, hop: Option<f64>) -> Result<Seen> {
    let sessions = sessions(model, count, Some(0.25))?;
    let list: Vec<&Session> = sessions.iter().collect();
    let mut scores = vec![0.0; count * model.labels().len()];
    let mut reads = vec![Ok(Read::Again); count];
    let samples = sound(3, model.sample_rate(), model.sample_rate() as usize / 4);
    let (mut windows, mut late) = (0, Vec::new());
    let started = Instant::now();
    let mut tick = 0_u32;
    while started.elapsed().as_secs() < seconds {
        if let Some(hop) = hop {
            let due = started + Duration::from_secs_f64(hop * f64::from(tick));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        tick += 1;
        let pushed = Instant::now();
        for session in &list {
            session.push_f32(&samples)?;
        }
        loop {
            let now = read_many(&list, Duration::ZERO, &mut scores, &mut reads)?;
            windows += now;
            if now == 0 {
                break;
            }
            late.push(pushed.elapsed().as_secs_f64()); // of the slowest of them
        }
    }
    let rate = windows as f64 / started.elapsed().as_secs_f64();
    Ok((rate, if late.is_empty() { vec![f64::NAN] } else { late }))
}
