//! Times Auricle's features: CPU time of this process, one thread, medians of interleaved rounds.
//!
//! Without arguments it prints a table of all works beside the crate `mel_spec`, which computes two of them, and how
//! long each instruction set of this machine takes.
//! With `serve` it does as standard input says, line by line, so that another program (`peers.py`) can interleave its
//! own peers round by round: `time WORK` answers with nanoseconds, `rows WORK PATH` writes the rows as raw f32.

use std::error::Error;
use std::io::{BufRead, Write};

use auricle::stages::features::{Features, Isa, Spec};
use mel_spec::fbank::{Fbank, FbankConfig};
use mel_spec::mel::{BatchLogMelConfig, BatchLogMelSpectrogram};

const RATE: u32 = 16_000;
const SECONDS: usize = 10;
const ROUNDS: usize = 31;
/// Of the sliding window.
const HOPS_A_SECOND: usize = 10;
/// Best of this many runs in a row counts as one round.
const REPEATS: usize = 3;

/// Name, `input.features`, and samples; 0: the whole signal once, else as often as a window moves on in it.
const WORKS: [(&str, &str, usize); 9] = [
    ("mel", r#"{ "preset": "torchaudio", "fft": 1024, "frame_hop": 512, "mel": { "bins": 64 } }"#, 0),
    (
        "logmel",
        r#"{ "kind": "mel", "fft": 1024, "frame_hop": 512, "mel": { "bins": 64 }, "log": { "kind": "ln" } }"#,
        0,
    ),
    ("librosa", r#"{ "preset": "librosa", "fft": 1024, "pad": "reflect", "mel": { "bins": 64 } }"#, 0),
    ("kaldi80", r#"{ "preset": "kaldi" }"#, 0),
    ("kaldi128", r#"{ "preset": "kaldi", "mel": { "bins": 128 } }"#, 0),
    ("ced", r#"{ "preset": "ced" }"#, 0),
    ("whisper", r#"{ "preset": "whisper" }"#, 0),
    // A window of 1 s that moves on by 100 ms: all 98 rows, or the 10 new ones.
    ("window98", r#"{ "preset": "kaldi" }"#, 16_000),
    ("window10", r#"{ "preset": "kaldi" }"#, 1_840),
];

/// CPU time of this process in nanoseconds.
#[allow(unsafe_code)]
fn cpu_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Best of [`REPEATS`] runs.
fn time(mut work: impl FnMut()) -> u64 {
    let once = |work: &mut dyn FnMut()| {
        let start = cpu_time();
        work();
        cpu_time() - start
    };
    (0..REPEATS).map(|_| once(&mut work)).min().unwrap_or(0)
}

/// White noise at a tenth of full scale and a rising tone: never silent, the same everywhere (`peers.py` makes it too).
fn signal() -> Vec<f32> {
    let mut state = 1u32;
    (0..SECONDS * RATE as usize)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 8) / f64::from(1 << 24) - 0.5;
            let seconds = i as f64 / f64::from(RATE);
            let tone = (std::f64::consts::TAU * (200.0 + 150.0 * seconds) * seconds).sin();
            (0.2 * noise + 0.3 * tone) as f32
        })
        .collect()
}

struct Work {
    name: &'static str,
    features: Features,
    samples: Vec<f32>,
    out: Vec<f32>,
}

impl Work {
    fn all(signal: &[f32], isa: Isa) -> Result<Vec<Self>, Box<dyn Error>> {
        WORKS
            .iter()
            .map(|&(name, spec, samples)| {
                let spec: Spec = serde_json::from_str(spec)?;
                let features = Features::with_isa(&spec, RATE, name, isa)?;
                let samples = if samples == 0 { signal.to_vec() } else { signal[..samples].to_vec() };
                let out = vec![0.0; features.rows(samples.len()) * features.bins()];
                Ok(Self { name, features, samples, out })
            })
            .collect()
    }

    fn run(&mut self) {
        for _ in 0..self.times() {
            self.features.compute(&self.samples, &mut self.out);
            std::hint::black_box(&self.out);
        }
    }

    fn times(&self) -> usize {
        if self.samples.len() < SECONDS * RATE as usize { SECONDS * HOPS_A_SECOND } else { 1 }
    }
}

fn serve(works: &mut [Work]) -> Result<(), Box<dyn Error>> {
    let mut stdout = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let (verb, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let work = works.iter_mut().find(|w| w.name == name).ok_or_else(|| format!("no work {name:?}"))?;
        match verb {
            "time" => writeln!(stdout, "{}", time(|| work.run()))?,
            "rows" => {
                work.run();
                let bytes: Vec<u8> = work.out.iter().flat_map(|v| v.to_le_bytes()).collect();
                std::fs::write(words.next().ok_or("rows needs a path")?, bytes)?;
                writeln!(stdout, "{} {}", work.out.len() / work.features.bins(), work.features.bins())?;
            }
            _ => return Err(format!("unknown request {line:?}").into()),
        }
        stdout.flush()?;
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<(), Box<dyn Error>> {
    let signal = signal();
    let isas: Vec<Isa> = Isa::all().collect();
    let mut works = Work::all(&signal, isas[0])?;
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve(&mut works);
    }
    let log_mel = BatchLogMelConfig {
        n_fft: 1024,
        win_length: 1024,
        hop_length: 512,
        n_mels: 64,
        htk: true,
        norm: false,
        ..Default::default()
    };
    let log_mel = BatchLogMelSpectrogram::new(log_mel)?;
    let mut scratch = log_mel.scratch();
    let fbank = Fbank::new(FbankConfig { apply_cmn: false, ..Default::default() });
    let mut times = vec![Vec::new(); works.len() + 2];
    for _ in 0..ROUNDS {
        for (work, times) in works.iter_mut().zip(&mut times) {
            times.push(time(|| work.run()) as f64);
        }
        let count = works.len();
        times[count]
            .push(time(|| drop(std::hint::black_box(log_mel.compute_with_scratch(&signal, &mut scratch))))
                as f64);
        times[count + 1].push(time(|| drop(std::hint::black_box(fbank.compute(&signal)))) as f64);
    }
    let names: Vec<&str> = works.iter().map(|w| w.name).collect();
    let place = |name: &str| names.iter().position(|n| *n == name).unwrap_or(0);
    let ratio = |peer: &[f64], ours: &[f64]| {
        median(&mut peer.iter().zip(ours).map(|(p, o)| p / o).collect::<Vec<_>>())
    };
    println!("{:10} {:>10} {:>10} {:>9} {:>12}", "work", "median ms", "least ms", "us a row", "x real time");
    for (work, times) in works.iter().zip(&times) {
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        let middle = median(&mut times.clone());
        let rows = (work.times() * work.out.len() / work.features.bins()) as f64;
        println!(
            "{:10} {:10.4} {:10.4} {:9.3} {:12.0}",
            work.name,
            middle / 1e6,
            least / 1e6,
            least / rows / 1e3,
            SECONDS as f64 * 1e9 / middle
        );
    }
    println!("\n{:44} {:>6}", "CPU time of the peer / of Auricle, median", "ratio");
    println!(
        "{:44} {:6.2}",
        "crate mel_spec BatchLogMel / logmel",
        ratio(&times[works.len()], &times[place("logmel")])
    );
    println!(
        "{:44} {:6.2}",
        "crate mel_spec Fbank / kaldi80",
        ratio(&times[works.len() + 1], &times[place("kaldi80")])
    );
    println!(
        "{:44} {:6.2}",
        "all 98 rows of a window / its 10 new ones",
        ratio(&times[place("window98")], &times[place("window10")])
    );
    compare_isas(&signal, &isas)
}

/// Prints the times of every instruction set, and how many times as long as the fastest each takes.
fn compare_isas(signal: &[f32], isas: &[Isa]) -> Result<(), Box<dyn Error>> {
    let mut sets = isas.iter().map(|isa| Work::all(signal, *isa)).collect::<Result<Vec<_>, _>>()?;
    print!("\n{:10}", "us a row");
    isas.iter().for_each(|isa| print!(" {:>9}", format!("{isa:?}")));
    println!("   time / that of {:?}, medians", isas[0]);
    for w in 0..WORKS.len() {
        let mut times = vec![Vec::new(); isas.len()];
        for _ in 0..ROUNDS {
            for (works, times) in sets.iter_mut().zip(&mut times) {
                times.push(time(|| works[w].run()) as f64);
            }
        }
        let work = &sets[0][w];
        let rows = (work.times() * work.out.len() / work.features.bins()) as f64;
        print!("{:10}", work.name);
        times.iter().for_each(|times| print!(" {:9.3}", median(&mut times.clone()) / rows / 1e3));
        for slower in &times[1..] {
            let ratios = slower.iter().zip(&times[0]).map(|(slower, fastest)| slower / fastest);
            print!(" {:6.2}", median(&mut ratios.collect::<Vec<_>>()));
        }
        println!();
    }
    Ok(())
}
