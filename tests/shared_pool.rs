//! One pool of threads for several models, what is told of threads that start, and what a model holds of the memory.
//! Needs ONNX Runtime, and Linux's `/proc`.
#![cfg(target_os = "linux")]

#[path = "support/looping.rs"]
mod looping;
mod support;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auricle::stages::inference::runtime;
use auricle::{Clip, Model, ModelOptions, RuntimeOptions, Status, ThreadStart, open_runtime_with};
use looping::{MANIFEST, WINDOW, file, floats};
use support::onnx;
use support::onnx::{bytes, node, value_info};
use support::process::{alone, is_child};

/// Values between the two layers of the network.
const HIDDEN: usize = 4096;
/// Bytes of its weights.
const WEIGHTS: u64 = 4 * (WINDOW * HIDDEN + HIDDEN * 2) as u64;

/// Two layers, 26 MB.
fn network() -> Vec<u8> {
    let weights = |count: usize, seed: u32| -> Vec<f32> {
        let number =
            |n: u32| (n.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / (1 << 24) as f32 - 0.5;
        (0..count as u32).map(|n| number(n) / 32.0).collect()
    };
    let parts = [
        bytes(2, "g"),
        node("MatMul", &["input", "first"], &["sums"], &[]),
        node("Relu", &["sums"], &["hidden"], &[]),
        node("MatMul", &["hidden", "second"], &["output"], &[]),
        bytes(5, floats("first", &[WINDOW as u64, HIDDEN as u64], &weights(WINDOW * HIDDEN, 1))),
        bytes(5, floats("second", &[HIDDEN as u64, 2], &weights(HIDDEN * 2, 2))),
        value_info(11, "input", &[1, WINDOW as u64]),
        value_info(12, "output", &[1, 2]),
    ];
    file(&format!("{MANIFEST} }}"), &parts)
}

fn options(threads: u32, shared_pool: bool) -> ModelOptions {
    let mut options = ModelOptions::default();
    (options.threads, options.shared_pool) = (threads, shared_pool);
    options
}

fn runtime_options(shared_threads: u32) -> RuntimeOptions {
    let mut options = RuntimeOptions::default();
    options.shared_threads = shared_threads;
    options
}

fn scores(model: &Model) -> [u32; 2] {
    let samples: Vec<f32> = (0..WINDOW).map(|n| (n as f32 * 0.37).sin()).collect();
    let mut scores = [0.0; 2];
    let clip = Clip { interleaved: &samples, channels: 1, sample_rate: 16_000 };
    model.classify(clip, &mut scores).expect("classifies");
    assert!(scores[0] != 0.0 && scores[0] != scores[1], "{scores:?}");
    scores.map(f32::to_bits)
}

/// Threads of this process.
fn threads() -> HashSet<String> {
    let entries = std::fs::read_dir("/proc/self/task").expect("/proc");
    entries.map(|entry| entry.expect("a thread").file_name().to_string_lossy().into_owned()).collect()
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn models_that_share_the_pool_start_no_threads() {
    if !is_child() {
        alone("models_that_share_the_pool_start_no_threads");
        return;
    }
    let onnx = network();
    let load = |options: &ModelOptions| Model::load_memory(&onnx, None, options);
    let error = load(&options(0, true)).expect_err("there is no pool");
    assert_eq!(error.status(), Status::InvalidState, "{error}");
    assert!(
        error.message().contains("shared_threads") && error.message().contains("not open yet"),
        "{error}"
    );
    assert_eq!(runtime::file(), None, "so that the pool can still be asked for");
    let error = open_runtime_with(None, &runtime_options(257)).expect_err("too many");
    assert_eq!(error.status(), Status::InvalidArgument, "{error}");
    assert!(error.message().contains("257; valid 1..=256"), "{error}");

    let before = threads().len();
    open_runtime_with(None, &runtime_options(4)).expect("opens");
    // A thread that has ended stays in /proc for a moment.
    let there_are = |more: usize, what: &str| wait_for(what, || threads().len() == before + more);
    there_are(3, "the pool's, but the one that calls");
    open_runtime_with(None, &runtime_options(4)).expect("as it is");
    open_runtime_with(None, &runtime_options(0)).expect("does not ask for a pool");
    let error = open_runtime_with(None, &runtime_options(2)).expect_err("another pool");
    assert_eq!(error.status(), Status::InvalidState, "{error}");
    assert!(
        error.message().contains("with shared_threads 4; a process can have only one (asked for 2)"),
        "{error}"
    );
    let error = load(&options(4, true)).expect_err("both");
    assert_eq!(error.status(), Status::InvalidArgument, "{error}");

    let shared: Vec<_> = (0..3).map(|_| load(&options(0, true)).expect("loads")).collect();
    let own = load(&options(1, false)).expect("loads");
    let at_once = std::thread::scope(|scope| {
        let runs: Vec<_> =
            shared.iter().map(|model| scope.spawn(|| (0..20).map(|_| scores(model)).collect())).collect();
        runs.into_iter().map(|run| run.join().expect("runs")).collect::<Vec<Vec<_>>>().concat()
    });
    there_are(3, "three models on one pool, and one on the calling thread");
    let record: serde_json::Value = serde_json::from_str(&shared[0].describe().expect("fits")).expect("JSON");
    assert_eq!(record["options"]["threads"], 4);
    assert_eq!(record["options"]["shared_pool"], true);

    let four = load(&options(4, false)).expect("loads");
    there_are(6, "threads of its own beside the pool");
    let expected = scores(&four);
    assert!(at_once.iter().all(|scores| *scores == expected), "the bits of own threads");
    drop((shared, own, four));
    there_are(3, "the pool stays");
}

#[test]
fn a_pool_is_not_taken_for_granted_where_onnx_runtime_is_open_without_one() {
    if !is_child() {
        alone("a_pool_is_not_taken_for_granted_where_onnx_runtime_is_open_without_one");
        return;
    }
    let onnx = network();
    Model::load_memory(&onnx, None, &options(0, false)).expect("loads");
    let error = Model::load_memory(&onnx, None, &options(0, true)).expect_err("there is no pool");
    assert_eq!(error.status(), Status::InvalidState, "{error}");
    assert!(error.message().contains("opened without one"), "{error}");
    let error = open_runtime_with(None, &runtime_options(4)).expect_err("too late");
    assert_eq!(error.status(), Status::InvalidState, "{error}");
    assert!(
        error.message().contains("with shared_threads 0; a process can have only one (asked for 4)"),
        "{error}"
    );
}

#[test]
fn every_thread_of_onnx_runtime_is_told_of_on_itself() {
    if !is_child() {
        alone("every_thread_of_onnx_runtime_is_told_of_on_itself");
        return;
    }
    let told = Arc::new(Mutex::new(HashSet::new()));
    let start = ThreadStart::new({
        let told = told.clone();
        move || {
            let own = std::fs::read_link("/proc/thread-self").expect("/proc");
            told.lock()
                .expect("whole")
                .insert(own.file_name().expect("a number").to_string_lossy().into_owned());
        }
    });
    let mut options = runtime_options(3);
    options.thread_start = Some(start.clone());
    let before = threads();
    open_runtime_with(None, &options).expect("opens");
    let started = || threads().difference(&before).cloned().collect::<HashSet<_>>();
    let all_told = |count: usize| {
        wait_for("every thread is told of", || told.lock().expect("whole").len() == count);
        assert_eq!(*told.lock().expect("whole"), started());
    };
    all_told(2);
    open_runtime_with(None, &options).expect("the same again");
    options.thread_start = Some(ThreadStart::new(|| ()));
    let error = open_runtime_with(None, &options).expect_err("another one");
    assert_eq!(error.status(), Status::InvalidState, "{error}");

    let onnx = network();
    let load = |options: &ModelOptions| Model::load_memory(&onnx, None, options).expect("loads");
    let (shared, own) = (load(&self::options(0, true)), load(&self::options(4, false)));
    all_told(5);
    assert_eq!(scores(&shared), scores(&own));
}

#[test]
fn a_start_that_panics_does_not_stop_the_pool() {
    if !is_child() {
        alone("a_start_that_panics_does_not_stop_the_pool");
        return;
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let mut options = runtime_options(3);
    options.thread_start = Some(ThreadStart::new({
        let calls = calls.clone();
        move || {
            calls.fetch_add(1, Ordering::Relaxed);
            panic!("of a test");
        }
    }));
    open_runtime_with(None, &options).expect("opens");
    let model = Model::load_memory(&network(), None, &self::options(0, true)).expect("loads");
    scores(&model);
    wait_for("both threads were told of", || calls.load(Ordering::Relaxed) == 2);
}

/// Bytes of the process that are in memory and in no file.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("Linux 4.5 or newer");
    1024 * line.split_whitespace().next().expect("a number").parse::<u64>().expect("kB")
}

/// What the record says of a model's memory, beside what the process takes more with it.
#[test]
fn the_record_says_how_much_memory_a_model_holds() {
    if !is_child() {
        alone("the_record_says_how_much_memory_a_model_holds");
        return;
    }
    let onnx = network();
    let load = || {
        let model = Model::load_memory(&onnx, None, &ModelOptions::default()).expect("loads");
        scores(&model);
        model
    };
    // What the first load takes for all that follow is not a model's; freed, the C library would keep it for the next one.
    let first = load();
    let before = resident();
    let models: Vec<_> = (0..4).map(|_| load()).collect();
    let taken = resident() - before;
    let mut held = 0;
    for model in &models {
        let record: serde_json::Value = serde_json::from_str(&model.describe().expect("fits")).expect("JSON");
        let memory = |name: &str| record["memory"][name].as_u64().expect(name);
        println!("{}", record["memory"]);
        assert_eq!(memory("weights_bytes"), WEIGHTS);
        let (arena, peak, used) =
            (memory("arena_bytes"), memory("arena_peak_bytes"), memory("arena_in_use_bytes"));
        assert!(WEIGHTS <= used && used <= peak && peak <= arena, "{WEIGHTS}, {used}, {peak}, {arena}");
        held += peak;
    }
    println!("held {held}, taken {taken}: {:.3}", taken as f64 / held as f64);
    assert!((held * 4 / 5..=held * 5 / 4).contains(&taken), "held {held}, taken {taken}");
    drop(first);
}
