//! Where memory ends, a call gives a status and nothing else happens: every allocation of 4 kB and more of every call
//! fails once, alone and with all that follow it. In a process of its own, so that an abort is seen, and a word printed.
//!
//! What ONNX Runtime allocates is its own affair: its allocator is C++'s. Needs ONNX Runtime.

#![allow(unsafe_code, reason = "an allocator, and the C API")]

#[path = "support/looping.rs"]
mod looping;
#[path = "support/onnx.rs"]
mod onnx;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::process::Command;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use auricle::manifest::Stream;
use auricle::{
    Clip, ClipOptions, Error, Manifest, Model, ModelOptions, Read, Session, SessionOptions, Status,
};
use looping::{MANIFEST, WINDOW, file, floats, hungry};
use onnx::{bytes, int, node, value_info};

/// Smaller allocations always succeed.
const LARGE: usize = 4096;

thread_local! {
    /// Large allocations until one fails; `None`: none does.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    /// Whether all fail after that one.
    static FOR_GOOD: Cell<bool> = const { Cell::new(false) };
    static FAILED: Cell<usize> = const { Cell::new(0) };
    /// Bytes asked for.
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

struct Failing;

#[global_allocator]
static ALLOCATOR: Failing = Failing;

fn fails(size: usize) -> bool {
    TAKEN.set(TAKEN.get() + size);
    let Some(left) = LEFT.get().filter(|_| size >= LARGE) else { return false };
    let fail = left == 0 && (FAILED.get() == 0 || FOR_GOOD.get());
    LEFT.set(Some(left.saturating_sub(1)));
    FAILED.set(FAILED.get() + usize::from(fail));
    fail
}

// SAFETY: what does not fail is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        if fails(layout.size()) { null_mut() } else { unsafe { System.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        if fails(layout.size()) { null_mut() } else { unsafe { System.alloc_zeroed(layout) } }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `realloc`.
        if fails(size) { null_mut() } else { unsafe { System.realloc(pointer, layout, size) } }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// `call` without its large allocation `index`, and with `for_good` without those that follow; how many have failed.
fn without<T>(index: usize, for_good: bool, call: impl FnOnce() -> T) -> (T, usize) {
    FOR_GOOD.set(for_good);
    FAILED.set(0);
    LEFT.set(Some(index));
    let result = call();
    LEFT.set(None);
    (result, FAILED.get())
}

// The C API, as include/auricle.h has it.
unsafe extern "C" {
    fn auricle_model_load_memory(
        onnx: *const c_void,
        size: usize,
        manifest: *const c_char,
        options: *const c_void,
        model: *mut *mut c_void,
    ) -> i32;
    fn auricle_model_label(model: *const c_void, index: usize) -> *const c_char;
    fn auricle_model_describe(
        model: *const c_void,
        json: *mut c_char,
        capacity: usize,
        needed: *mut usize,
    ) -> i32;
    fn auricle_model_free(model: *mut c_void);
    fn auricle_last_error() -> *const c_char;
}

const CLASSES: usize = 2048;
const RATE: u32 = 44_100;

fn manifest() -> String {
    let labels: Vec<String> = (0..CLASSES).map(|class| format!("class {class}")).collect();
    let stream = serde_json::json!({ "hop_seconds": 0.5, "smoothing": "median", "smoothing_seconds": 2,
        "events": { "on": 0.5, "allow": labels, "classes": { "class 3": { "on": 0.75 } } } });
    let golden = serde_json::json!([{ "signal": { "kind": "noise", "seed": 1 }, "seconds": 1.5,
        "sample_rate": 22050, "scores": vec![0.0; CLASSES], "tolerance": 1e6 }]);
    serde_json::json!({ "auricle": 1, "labels": labels, "stream": stream, "golden": golden,
        "input": { "sample_rate": 16000, "window_seconds": 1, "layout": ["batch", "row", "bin"],
            "resampler": "low_latency", "features": { "preset": "librosa", "kind": "mfcc", "mfcc": { "count": 40 } } } })
    .to_string()
}

fn network(manifest: &str) -> Vec<u8> {
    let scores: Vec<f32> = (0..CLASSES).map(|class| class as f32 / CLASSES as f32).collect();
    let parts = [
        bytes(2, "g"),
        node("ReduceMean", &["input"], &["mean"], &[int("keepdims", 0)]),
        node("Add", &["mean", "scores"], &["output"], &[]),
        bytes(5, floats("scores", &[1, CLASSES as u64], &scores)),
        value_info(11, "input", &[1, 32, 40]),
        value_info(12, "output", &[1, CLASSES as u64]),
    ];
    file(manifest, &parts)
}

fn load(onnx: &[u8]) -> Result<Model, Error> {
    Model::load_memory(onnx, None, &ModelOptions::default())
}

fn noise(frames: usize) -> Vec<f32> {
    (0..frames as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5).collect()
}

/// What went wrong: the number of the status, and the message.
type Failure = (i32, String);

fn of(error: Error) -> Failure {
    (error.status() as i32, error.message().to_owned())
}

fn of_c(status: i32) -> Result<(), Failure> {
    // SAFETY: auricle_last_error always gives a string.
    let message = || unsafe { CStr::from_ptr(auricle_last_error()) }.to_string_lossy().into_owned();
    if status == 0 { Ok(()) } else { Err((status, message())) }
}

/// Every large allocation of `call`, which works on what `prepare` makes, fails once: an error that says so, and the
/// same call gives afterwards what it always gives. There must be at least so many.
fn walk<S, T: PartialEq>(
    name: &str,
    at_least: usize,
    prepare: impl Fn() -> S,
    call: impl Fn(&mut S) -> Result<T, Failure>,
) {
    let expected = call(&mut prepare()).unwrap_or_else(|(_, error)| panic!("{name}: {error}"));
    for for_good in [false, true] {
        for index in 0.. {
            let place = format!("{name}, allocation {index} of {LARGE} bytes or more");
            println!("{place}"); // the last one is where it was, should the process end
            let mut state = prepare();
            let (result, failed) = without(index, for_good, || call(&mut state));
            let (status, message) = match result {
                Ok(_) if failed == 0 => {
                    assert!(index >= at_least, "{name} makes {index} large allocations; expected {at_least}");
                    break;
                }
                Ok(_) => panic!("{place}: it failed, and nobody said so"),
                Err(failure) => failure,
            };
            assert_eq!((status, failed > 0), (Status::Memory as i32, true), "{place}: {message}");
            assert!(message.contains("bytes"), "{place}: {message}");
            let again = call(&mut state).unwrap_or_else(|(_, error)| panic!("{place}: afterwards: {error}"));
            assert!(again == expected, "{place}: afterwards another result");
        }
    }
}

fn classify(model: &Model, pcm: &[f32]) -> Result<Vec<f32>, Failure> {
    let mut scores = vec_of(CLASSES);
    model.classify(Clip { interleaved: pcm, channels: 1, sample_rate: RATE }, &mut scores).map_err(of)?;
    Ok(scores)
}

/// The test's own memory never fails.
fn vec_of(count: usize) -> Vec<f32> {
    own(|| vec![0.0; count])
}

fn own<T>(work: impl FnOnce() -> T) -> T {
    let left = LEFT.replace(None);
    let result = work();
    LEFT.set(left);
    result
}

fn models() {
    let manifest = manifest();
    let plain = network("");
    let file = network(&manifest);
    walk("load with the embedded manifest", 20, || (), |()| load(&file).map(drop).map_err(of));
    let given = CString::new(manifest.as_str()).expect("no NUL");
    let load_c = |()| {
        let mut model = null_mut();
        // SAFETY: the pointers are those of the header's conventions.
        of_c(unsafe {
            auricle_model_load_memory(plain.as_ptr().cast(), plain.len(), given.as_ptr(), null(), &mut model)
        })?;
        Ok(model)
    };
    walk(
        "load by C with a given manifest",
        20,
        || (),
        |_| {
            let model = load_c(())?;
            // SAFETY: a live model, and its last class.
            let label = unsafe { CStr::from_ptr(auricle_model_label(model, CLASSES - 1)) }.to_owned();
            // SAFETY: it is freed once.
            unsafe { auricle_model_free(model) };
            Ok(label)
        },
    );
    walk("self_check", 5, || load(&file).expect("loads"), |model| model.self_check().map_err(of));
    // How long each model took to load is its own.
    let timeless = |record: String| {
        own(|| record.lines().filter(|line| !line.contains("\"seconds_to_prepare\"")).collect::<String>())
    };
    walk("describe", 3, || load(&file).expect("loads"), |model| model.describe().map(timeless).map_err(of));
    let model = load_c(()).expect("loads");
    walk(
        "describe by C",
        3,
        || own(|| vec![0_u8; 1 << 20]),
        |json| {
            let mut needed = 0;
            // SAFETY: a live model; as many bytes as are said.
            of_c(unsafe {
                auricle_model_describe(model, json.as_mut_ptr().cast(), json.len(), &mut needed)
            })?;
            Ok(own(|| json[..needed].to_vec()))
        },
    );
    // SAFETY: it is freed once.
    unsafe { auricle_model_free(model) };
    let rules = serde_json::from_str::<serde_json::Value>(&manifest).expect("JSON")["stream"].to_string();
    let model = load(&file).expect("loads");
    walk("a stream's JSON", 2, || (), |()| Stream::parse(&rules, model.manifest()).map_err(of));
}

/// What a manifest makes us claim is bounded before it is claimed, whatever it says.
fn manifests() {
    let input = |features: &str| {
        format!(
            r#"{{ "auricle": 1, "labels": ["a", "b"], "input": {{ "sample_rate": 16000, "window_seconds": 1,
            "layout": ["batch", "row", "bin"], "features": {features} }} }}"#
        )
    };
    let with = |member: &str, list: &str| {
        format!(
            r#"{{ "auricle": 1, "labels": ["a", "b"], "{member}": {list}, "input": {{ "sample_rate": 16000,
            "window_seconds": 1, "layout": ["batch", "sample"], "features": {{ "kind": "waveform" }} }} }}"#
        )
    };
    let list = |entry: &str, bytes: usize| format!("[{}]", vec![entry; bytes / (entry.len() + 1)].join(","));
    let (large, signal) = (15_000_000, r#"{"signal":{"kind":"noise","seed":1},"seconds":1,"scores":[]}"#);
    let normalize = |list: &str| {
        input(r#"{ "kind": "mel", "fft": 512, "frame_hop": 160, "mel": { "bins": 64 } }"#).replace(
            r#""layout""#,
            &format!(r#""normalize": {{ "kind": "mean_std", "std": 1, "mean": {list} }}, "layout""#),
        )
    };
    let filters = r#"{ "kind": "mel", "fft": 65536, "frame_hop": 65536, "mel": { "bins": 4096 } }"#;
    let cosines = r#"{ "kind": "mfcc", "fft": 65536, "frame_hop": 512, "mel": { "bins": 4096 }, "mfcc": { "count": 4096 } }"#;
    let reference = r#"{ "kind": "spectrogram", "fft": 512, "frame_hop": 160, "log": { "kind": "db", "reference": LIST } }"#;
    let classes: Vec<String> = (0..1_000_000).map(|n| format!("\"{n}\":{{}}")).collect();
    let hostile = [
        ("a bank of 4096 filters over 32769 bins", input(filters)),
        ("a matrix of 4096 by 4096 cosines", input(cosines)),
        ("more bytes than are read", with("name", &list(r#""""#, 99_000_000))),
        ("a long string", with("name", &format!("\"{}\"", "n".repeat(large)))),
        ("a long name of a member", with(&"n".repeat(large), "1")),
        ("empty labels", with("name", "1").replace(r#"["a", "b"]"#, &list(r#""""#, large))),
        ("golden cases", with("golden", &list(signal, large))),
        ("scores", with("golden", &format!("[{}]", signal.replace("[]", &list("0", large))))),
        (
            "a list in a signal",
            with(
                "golden",
                &format!("[{}]", signal.replace(r#""seed":1"#, &format!(r#""seed":{}"#, list("[]", large)))),
            ),
        ),
        ("axes", input(filters).replace(r#"["batch", "row", "bin"]"#, &list(r#""row""#, large))),
        ("a mean of everything", normalize(&list("0", large))),
        ("a mean of lists", normalize(&list("[]", large))),
        ("a reference of lists", input(&reference.replace("LIST", &list("[]", large)))),
        (
            "allowed labels",
            with("stream", &format!(r#"{{ "events": {{ "allow": {} }} }}"#, list(r#""a""#, large))),
        ),
        (
            "rules",
            with("stream", &format!(r#"{{ "events": {{ "classes": {{ {} }} }} }}"#, classes.join(","))),
        ),
    ];
    for (name, json) in hostile {
        TAKEN.set(0);
        let started = Instant::now();
        let error = Manifest::parse(&json).expect_err(name);
        let (taken, took) = (TAKEN.get(), started.elapsed());
        println!("{name}: {taken} bytes, {took:?}: {error}");
        assert_eq!(error.status(), Status::Manifest, "{name}: {error}");
        assert!(error.message().len() < 4000, "{name}: {} bytes of message", error.message().len());
        assert!(taken < 48_000_000, "{name}: {taken} bytes");
        assert!(took < Duration::from_secs(5), "{name}: {took:?}");
    }
}

fn clips() {
    let file = network(&manifest());
    let pcm = noise(3 * RATE as usize);
    let fresh = || load(&file).expect("loads");
    walk("classify", 10, fresh, |model| classify(model, &pcm));
    let bytes: Vec<u8> = pcm.iter().flat_map(|sample| ((sample * 32768.0) as i16).to_le_bytes()).collect();
    walk("classify samples of 16 bits", 10, fresh, |model| {
        let (options, mut scores) = (ClipOptions::default(), vec_of(CLASSES));
        let format = auricle::stages::pcm::Format::I16;
        model.classify_bytes(format, &bytes, 1, RATE, &options, &mut scores).map_err(of)?;
        Ok(scores)
    });
    walk("a clip in parts of which nothing is read", 1, fresh, |model| {
        // Planned before, so that only what pushing takes can fail.
        let mut clip = own(|| model.clip_stream(RATE, 1, &ClipOptions::default())).map_err(of)?;
        (0..4).try_for_each(|_| clip.push(&pcm)).map_err(of)?;
        clip.finish();
        let mut scores = vec_of(CLASSES);
        let (mut windows, mut sum) = (0, 0.0);
        while clip.read(&mut scores).map_err(of)?.is_some() {
            (windows, sum) = (windows + 1, sum + scores[7]);
        }
        Ok((windows, sum))
    });
    let clip = Clip { interleaved: &pcm, channels: 1, sample_rate: RATE };
    walk("mono_at", 1, || (), |()| clip.mono_at(RATE).map_err(of));
    let model = fresh();
    walk("features", 12, || (), |()| clip.features(model.manifest()).map_err(of));
}

/// The plans of realfft, which rustfft makes, cannot fail, and are not large.
fn resamplers() {
    use auricle::stages::resample::{Method, Resampler};
    let plan = |from, to, method| Resampler::with_method(from, to, method).map(drop).map_err(of);
    for (from, to) in
        [(44_100, 16_000), (16_000, 44_100), (48_000, 16_000), (383_975, 1_000), (1_000, 383_975)]
    {
        for method in [Method::LowLatency, Method::Torchaudio] {
            walk("a resampler", 1, || (), |()| plan(from, to, method));
        }
        println!("a resampler in bulk, all allocations");
        let (result, failed) = without(0, true, || plan(from, to, Method::Bulk));
        assert_eq!(
            (result.map_err(|(status, _)| status), failed),
            (Err(Status::Memory as i32), 1),
            "claimed first"
        );
        TAKEN.set(0);
        plan(from, to, Method::Bulk).expect("there is memory");
        // What it claims first, its own blocks, and what realfft takes: the last is at most the first.
        println!("{from} -> {to} Hz: {} bytes", TAKEN.get());
        assert!(TAKEN.get() < 48_000_000, "{from} -> {to} Hz: {} bytes", TAKEN.get());
    }
}

/// What the network itself cannot have is told too: a tensor of 16 GB, where the process may have 4.
#[cfg(target_os = "linux")]
fn runtime() {
    let model = Model::load_memory(&hungry(), Some(&format!("{MANIFEST} }}")), &ModelOptions::default());
    let model = model.expect("silence takes nothing");
    let classify = |level: f32| {
        let mut scores = [0.0; 2];
        let clip = Clip { interleaved: &[level; WINDOW], channels: 1, sample_rate: 16_000 };
        model.classify(clip, &mut scores).map(|()| scores).map_err(of)
    };
    limit_address_space(4 << 30);
    assert_eq!(classify(0.0), Ok([0.0; 2]));
    let (status, message) = classify(1.0).expect_err("there is not so much");
    println!("{message}");
    assert_eq!(status, Status::Memory as i32, "{message}");
    assert!(message.contains("requested buffer of size 16000000"), "{message}");
    assert_eq!(classify(0.0), Ok([0.0; 2]), "later calls work");
}

#[cfg(target_os = "linux")]
fn limit_address_space(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: the pointer is valid during the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0, "the limit can be lowered");
}

fn sessions() {
    let file = network(&manifest());
    let model = load(&file).expect("loads");
    let options = || SessionOptions::new(RATE, 1);
    walk("a session", 10, || (), |()| Session::new(&model, &options()).map(drop).map_err(of));
    let pcm = noise(RATE as usize / 10);
    walk(
        "push",
        0,
        || Session::new(&model, &options()).expect("starts"),
        |session| session.push_f32(&pcm).map(drop).map_err(of),
    );
    // What a thread computes on is made by its first read, and a read that cannot have it costs its window: a new model
    // each time, since it is kept for the next session.
    let started = || {
        let session = Session::new(&load(&file).expect("loads"), &options()).expect("starts");
        for _ in 0..40 {
            session.push_f32(&pcm).expect("pushes");
        }
        session.finish().expect("was running");
        session
    };
    let windows = |session: &Session, scores: &mut [f32]| {
        let mut read = Vec::new();
        while let Read::Window(window) = session.read(scores).expect("there is memory") {
            read.push((window.sequence, scores[7].to_bits()));
        }
        read
    };
    let mut scores = vec![0.0; CLASSES];
    let expected = windows(&started(), &mut scores);
    for index in 0.. {
        let session = started();
        println!("read, allocation {index} of {LARGE} bytes or more");
        let (result, failed) = without(index, false, || session.read(&mut scores));
        if failed == 0 {
            assert!(index > 0 && matches!(result, Ok(Read::Window(_))), "{index}: {result:?}");
            break;
        }
        assert_eq!(result.expect_err("one has failed").status(), Status::Memory);
        // Smoothing has not seen the lost window, so that only numbers can be compared; the scores are those of a new one.
        let rest = windows(&session, &mut scores);
        let numbers = |windows: &[(u64, u32)]| windows.iter().map(|(number, _)| *number).collect::<Vec<_>>();
        assert_eq!(numbers(&rest), numbers(&expected[1..]));
        session.reset().expect("nobody is using it");
        for _ in 0..40 {
            session.push_f32(&pcm).expect("pushes");
        }
        session.finish().expect("was running");
        assert_eq!(windows(&session, &mut scores), expected);
    }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("walk models") => models(),
        Some("walk manifests") => manifests(),
        Some("walk clips") => clips(),
        Some("walk resamplers") => resamplers(),
        Some("walk sessions") => sessions(),
        #[cfg(target_os = "linux")]
        Some("walk runtime") => runtime(),
        _ => {
            ["manifests", "models", "clips", "resamplers", "sessions"].into_iter().for_each(run);
            match cfg!(target_os = "linux") {
                true => run("runtime"),
                false => println!("SKIPPED: a network's own memory, which is limited on Linux"),
            }
        }
    }
}

/// One part, in a process of its own.
fn run(part: &str) {
    let program = std::env::current_exe().expect("own path");
    let output = Command::new(program).arg(format!("walk {part}")).output().expect("starts");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let (last, err) = (lines.lines().last().unwrap_or("nothing"), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{part}: {} after: {last}\n{err}", output.status);
    assert!(err.is_empty(), "{part} printed, by: {last}\n{err}");
    println!("{part}: {} steps", lines.lines().count());
}
