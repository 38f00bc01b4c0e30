//! Bulk resampling against soxr HQ: one core, CPU time, interleaved rounds, with the equality of the outputs.
//!
//! soxr is opened at run time: the file that `AURICLE_SOXR` names, or the system's `libsoxr.so.0` (Debian: `libsoxr0`).
#![allow(unsafe_code, reason = "soxr is a C library, and so is the clock of CPU time")]

#[path = "../tests/support/rubato.rs"]
mod rubato;

use std::ffi::{CStr, CString, c_char, c_uint, c_ulong, c_void};
use std::hint::black_box;

use auricle::stages::resample::{Method, Resampler};

const SECONDS: usize = 10;
const ROUNDS: usize = 21;
/// Calls whose best counts in one round.
const REPEATS: usize = 3;
const SOXR_HQ: c_ulong = 4;

type Create = unsafe extern "C" fn(
    f64,
    f64,
    c_uint,
    *mut *const c_char,
    *const c_void,
    *const QualitySpec,
    *const c_void,
) -> *mut c_void;
type Clear = unsafe extern "C" fn(*mut c_void) -> *const c_char;
type Recipe = unsafe extern "C" fn(c_ulong, c_ulong) -> QualitySpec;
type Process = unsafe extern "C" fn(
    *mut c_void,
    *const f32,
    usize,
    *mut usize,
    *mut f32,
    usize,
    *mut usize,
) -> *const c_char;

/// `soxr_quality_spec_t` of soxr 0.1.3.
#[repr(C)]
struct QualitySpec {
    precision: f64,
    phase_response: f64,
    passband_end: f64,
    stopband_begin: f64,
    reserved: *mut c_void,
    flags: c_ulong,
}

struct Soxr {
    create: Create,
    process: Process,
    clear: Clear,
    quality: Recipe,
    version: String,
}

impl Soxr {
    fn open() -> Option<Self> {
        let file = std::env::var("AURICLE_SOXR").unwrap_or_else(|_| "libsoxr.so.0".into());
        let file = CString::new(file).ok()?;
        // SAFETY: soxr's initialisers have no requirements.
        let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW) };
        if library.is_null() {
            return None;
        }
        // SAFETY: the names are those of soxr.h and the types are its declarations; the library stays open.
        unsafe {
            let symbol = |name: &CStr| libc::dlsym(library, name.as_ptr());
            let version: unsafe extern "C" fn() -> *const c_char =
                std::mem::transmute(symbol(c"soxr_version"));
            Some(Self {
                create: std::mem::transmute::<*mut c_void, Create>(symbol(c"soxr_create")),
                process: std::mem::transmute::<*mut c_void, Process>(symbol(c"soxr_process")),
                clear: std::mem::transmute::<*mut c_void, Clear>(symbol(c"soxr_clear")),
                quality: std::mem::transmute::<*mut c_void, Recipe>(symbol(c"soxr_quality_spec")),
                version: CStr::from_ptr(version()).to_string_lossy().into_owned(),
            })
        }
    }

    /// Plans once, and gives the conversion of one whole clip.
    fn plan(&self, from: u32, to: u32) -> impl FnMut(&[f32], &mut Vec<f32>) + use<> {
        let (clear, process) = (self.clear, self.process);
        // SAFETY: null means the defaults (interleaved f32, one thread) and that the reason of an error is not wanted.
        let handle = unsafe {
            let quality = (self.quality)(SOXR_HQ, 0);
            let null = std::ptr::null();
            (self.create)(from.into(), to.into(), 1, std::ptr::null_mut(), null, &quality, null)
        };
        assert!(!handle.is_null(), "soxr refused {from} -> {to}");
        move |input, out| {
            let length = (input.len() as u64 * u64::from(to)).div_ceil(from.into()) as usize;
            out.resize(length, 0.0);
            let (mut first, mut rest) = (0, 0);
            // SAFETY: both buffers are as long as is said; a null input ends the stream.
            unsafe {
                let none = std::ptr::null_mut();
                process(handle, input.as_ptr(), input.len(), none, out.as_mut_ptr(), length, &mut first);
                process(
                    handle,
                    std::ptr::null(),
                    0,
                    none,
                    out[first..].as_mut_ptr(),
                    length - first,
                    &mut rest,
                );
                clear(handle);
            }
            out.truncate(first + rest);
        }
    }
}

fn auricle(from: u32, to: u32, method: Method) -> impl FnMut(&[f32], &mut Vec<f32>) {
    let mut resampler = Resampler::with_method(from, to, method).expect("valid rates");
    move |input, out| {
        out.clear();
        resampler.push(input, |samples| out.extend_from_slice(samples));
        resampler.finish(|samples| out.extend_from_slice(samples));
    }
}

/// CPU time of this thread, in seconds.
fn cpu() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Chirp from 20 Hz to 7 kHz, where all pass bands agree, so that outputs can be compared.
fn chirp(rate: u32) -> Vec<f32> {
    let seconds = SECONDS as f64;
    (0..SECONDS * rate as usize)
        .map(|n| {
            let t = n as f64 / f64::from(rate);
            let edge = (t.min(seconds - t) / 0.1).min(1.0);
            (0.5 * edge * (std::f64::consts::TAU * (20.0 * t + 0.5 * 6_980.0 / seconds * t * t)).sin()) as f32
        })
        .collect()
}

type Candidate = (&'static str, Box<dyn FnMut(&[f32], &mut Vec<f32>)>);

fn main() {
    let soxr = Soxr::open();
    match &soxr {
        Some(soxr) => println!("peer: {} HQ", soxr.version),
        None => {
            println!("MISSING: soxr (install libsoxr0 or name the library in AURICLE_SOXR): no ratio to it")
        }
    }
    for (from, to) in [(44_100, 16_000), (48_000, 16_000)] {
        let input = chirp(from);
        let mut candidates: Vec<Candidate> = vec![
            ("auricle bulk", Box::new(auricle(from, to, Method::Bulk))),
            ("auricle low_latency", Box::new(auricle(from, to, Method::LowLatency))),
            ("rubato Fft", Box::new(rubato::rubato(from, to))),
            ("auricle torchaudio", Box::new(auricle(from, to, Method::Torchaudio))),
        ];
        if let Some(soxr) = &soxr {
            candidates.insert(0, ("soxr HQ", Box::new(soxr.plan(from, to))));
        }
        let mut outputs = vec![Vec::new(); candidates.len()];
        let mut times = vec![Vec::new(); candidates.len()];
        for _ in 0..ROUNDS {
            for (((_, work), out), times) in candidates.iter_mut().zip(&mut outputs).zip(&mut times) {
                let best = (0..REPEATS)
                    .map(|_| {
                        let start = cpu();
                        work(black_box(&input), out);
                        black_box(&out);
                        cpu() - start
                    })
                    .fold(f64::INFINITY, f64::min);
                times.push(best);
            }
        }
        println!("\n{from} -> {to} Hz, {SECONDS} s mono f32, {ROUNDS} rounds, CPU time");
        println!(
            "| method | median ms | min ms | times real time | soxr HQ / this | largest difference from the first row |"
        );
        println!("| --- | --- | --- | --- | --- | --- |");
        for ((name, _), (out, times)) in candidates.iter().zip(outputs.iter().zip(&times_of(&times))) {
            assert!(out.len().abs_diff(outputs[0].len()) <= 1, "{name}: {} samples", out.len());
            let ratio = match &soxr {
                Some(_) => format!("{:.2}", times.ratio),
                None => "-".into(),
            };
            let difference = out.iter().zip(&outputs[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!(
                "| {name} | {:.3} | {:.3} | {:.0} | {ratio} | {difference:.1e} |",
                1e3 * times.median,
                1e3 * times.least,
                SECONDS as f64 / times.median
            );
        }
    }
}

struct Times {
    median: f64,
    least: f64,
    /// Median over the rounds of the first candidate's time / this one's.
    ratio: f64,
}

fn times_of(rounds: &[Vec<f64>]) -> Vec<Times> {
    rounds
        .iter()
        .map(|times| Times {
            median: median(times),
            least: times.iter().copied().fold(f64::INFINITY, f64::min),
            ratio: median(&rounds[0].iter().zip(times).map(|(peer, own)| peer / own).collect::<Vec<_>>()),
        })
        .collect()
}
