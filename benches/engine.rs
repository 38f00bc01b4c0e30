//! One network for many threads: memory, first answers, throughput, and what our layer costs over ONNX Runtime's own `Run`.
//! `cargo bench -p auricle --bench engine -- [MODEL.onnx]`; figures for benches/README.md.

#[path = "../tests/support/random.rs"]
mod random;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::time::Instant;

use auricle::stages::inference::runtime;
use auricle::{Clip, Model, ModelOptions, Read, Session, SessionOptions};
use ort::session::Session as Raw;
use ort::value::{Tensor, ValueType};
use random::Random;

const BUNDLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/esc10.onnx");
/// Windows that each thread scores.
const WINDOWS: usize = 200;
/// Windows in a row, of ours and of ONNX Runtime alone.
const BLOCK: usize = 20;

fn main() -> auricle::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--child", "threads", model, count] => threads(model, count.parse().expect("a number")),
        ["--child", "raw", model] => raw(model),
        ["--child", "overhead", model] => overhead(model),
        [] => parent(Path::new(BUNDLED)),
        [model] => parent(&PathBuf::from(model)),
        _ => panic!("one model at most"),
    }
}

/// Each measurement in a process of its own, because memory is the process's.
fn parent(model: &Path) -> auricle::Result<()> {
    let me = std::env::current_exe().expect("own path");
    let child = |arguments: &[&str]| {
        let status = Command::new(&me).arg("--child").args(arguments).status().expect("own program");
        assert!(status.success(), "{arguments:?}");
    };
    let model = model.to_str().expect("UTF-8");
    let bytes = std::fs::metadata(model).expect("a model").len();
    println!("{model}: {:.2} MB", bytes as f64 / 1e6);
    child(&["raw", model]);
    for count in ["1", "2", "4", "8"] {
        child(&["threads", model, count]);
    }
    child(&["overhead", model]);
    Ok(())
}

/// Resident memory of this process, MB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).expect("kB") * 1024.0 / 1e6
}

fn noise(count: usize) -> Vec<f32> {
    let mut random = Random(1);
    (0..count).map(|_| 0.5 * random.sample()).collect()
}

fn threads(model: &str, count: usize) -> auricle::Result<()> {
    runtime::open(None)?;
    let opened = resident();
    let model = Model::load(model, &ModelOptions::default())?;
    let loaded = resident();
    let pcm = Arc::new(noise(model.manifest().window_samples()));
    let classify = |model: &Model, pcm: &[f32]| {
        let mut scores = vec![0.0; model.labels().len()];
        let started = Instant::now();
        let clip = Clip { interleaved: pcm, channels: 1, sample_rate: model.sample_rate() };
        model.classify(clip, &mut scores).expect("scores");
        started.elapsed().as_secs_f64() * 1e3
    };
    classify(&model, &pcm);
    let start = Arc::new(Barrier::new(count));
    let began = Instant::now();
    let workers: Vec<_> = (0..count)
        .map(|_| {
            let (model, pcm, start) = (model.clone(), pcm.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                let first = classify(&model, &pcm);
                let mut later: Vec<f64> = (0..WINDOWS).map(|_| classify(&model, &pcm)).collect();
                later.sort_by(f64::total_cmp);
                (first, later[WINDOWS / 2])
            })
        })
        .collect();
    let mut times: Vec<_> = workers.into_iter().map(|worker| worker.join().expect("a worker")).collect();
    let rate = (count * (WINDOWS + 1)) as f64 / began.elapsed().as_secs_f64();
    let all = resident();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, later) = times[count - 1];
    println!(
        "{count} threads: runtime {opened:.1} MB, + model {:.1} MB, all {all:.1} MB; slowest first answer {first:.2} ms, \
         a later one {later:.2} ms; {rate:.0} windows/s",
        loaded - opened
    );
    Ok(())
}

/// A session of ONNX Runtime alone, with the options that we give it, on its own input of zeros.
fn raw_session(model: &str) -> ort::Result<(Raw, Tensor<f32>)> {
    let environment = runtime::environment().expect("ONNX Runtime");
    let session = Raw::builder(environment)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .commit_from_file(model)?;
    let ValueType::Tensor { shape, .. } = session.inputs()[0].dtype() else { panic!("a tensor") };
    let shape: Vec<i64> = shape.iter().map(|&size| size.max(1)).collect();
    Ok((session, Tensor::<f32>::new(&ort::memory::Allocator::default(), shape)?))
}

fn raw(model: &str) -> auricle::Result<()> {
    runtime::open(None)?;
    let opened = resident();
    let (mut session, input) = raw_session(model).expect("a session");
    let loaded = resident();
    for _ in 0..WINDOWS {
        session.run(ort::inputs![&input]).expect("a run");
    }
    println!("ONNX Runtime alone: + model {:.1} MB, all {:.1} MB", loaded - opened, resident());
    Ok(())
}

/// Windows in turn through ONNX Runtime alone and through a session, which tells how long each inference took.
fn overhead(path: &str) -> auricle::Result<()> {
    let model = Model::load(path, &ModelOptions::default())?;
    let pcm = noise(model.manifest().window_samples());
    let session = Session::new(&model, &SessionOptions::new(model.sample_rate(), 1))?;
    let (mut raw, input) = raw_session(path).expect("a session");
    let mut scores = vec![0.0; model.labels().len()];
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // In blocks, so that each finds its own weights in the cache.
    for _ in 0..50 {
        for _ in 0..BLOCK {
            session.push_f32(&pcm)?;
            if let Read::Window(window) = session.read(&mut scores)? {
                ours.push(window.inference_nanoseconds as f64 / 1e6);
            }
        }
        for _ in 0..BLOCK {
            let started = Instant::now();
            raw.run(ort::inputs![&input]).expect("a run");
            theirs.push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!(
        "inference: ours {ours:.4} ms, ONNX Runtime alone {theirs:.4} ms, {:+.2} %",
        100.0 * (ours / theirs - 1.0)
    );
    Ok(())
}
