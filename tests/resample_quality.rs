//! What the resampler does to sound: ripple, alias, distortion, delay, for every pair of rates, and equality with
//! soxr and torchaudio. The limits are those that the documentation promises.

#[path = "support/rubato.rs"]
mod rubato;
mod support;

use std::f64::consts::{PI, TAU};

use auricle::stages::resample::{Method, Resampler};
use npyz::npz::NpzArchive;
use realfft::RealFftPlanner;
use support::Random;

const HOST_RATES: [u32; 10] =
    [8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000];
const MODEL_RATES: [u32; 6] = [8_000, 16_000, 22_050, 32_000, 44_100, 48_000];
/// Rates of vibration and of body sounds.
const LOW_PAIRS: [(u32, u32); 8] = [
    (48_000, 1_000),
    (44_100, 1_000),
    (44_100, 4_000),
    (8_000, 2_000),
    (1_000, 8_000),
    (2_000, 44_100),
    (384_000, 1_000),
    (44_099, 1_001),
];
/// Hardly anything in common; nothing; almost equal.
const ODD_PAIRS: [(u32, u32); 8] = [
    (44_099, 16_000),
    (47_999, 16_000),
    (44_100, 16_001),
    (8_001, 16_000),
    (16_001, 44_100),
    (44_101, 44_100),
    (384_000, 8_003),
    (37_800, 16_000),
];

/// Edges as parts of the lower Nyquist frequency: 7.25 kHz and 8.3 kHz at 16 kHz.
const PASS: f64 = 7.25 / 8.0;
const STOP: f64 = 8.3 / 8.0;

const RIPPLE_DB: f64 = 0.01;
const SPURIOUS_DB: f64 = -100.0;
const DELAY_SAMPLES: f64 = 1e-4;
/// At most this long for rates from 8 kHz on, and below so many samples of the lower rate as those are at 8 kHz.
const LOW_LATENCY_SECONDS: f64 = 0.015;

/// How much longer than at 8 kHz a filter is.
fn stretch(from: u32, to: u32) -> f64 {
    (8_000.0 / f64::from(from.min(to))).max(1.0)
}

fn convert(from: u32, to: u32, method: Method, input: &[f32]) -> Vec<f32> {
    let mut resampler = Resampler::with_method(from, to, method).expect("valid rates");
    let mut out = Vec::new();
    resampler.push(input, |samples| out.extend_from_slice(samples));
    resampler.finish(|samples| out.extend_from_slice(samples));
    out
}

fn db(ratio: f64) -> f64 {
    20.0 * ratio.max(1e-20).log10()
}

/// What comes out of a tone of amplitude 0.5 that goes through the resampler.
#[derive(Debug)]
struct Tone {
    /// Of the tone itself.
    gain_db: f64,
    /// Everything else, relative to the tone that went in: distortion, noise, images, and all of an alias.
    spurious_db: f64,
    /// In samples of the output.
    delay: f64,
}

fn tone(from: u32, to: u32, method: Method, hertz: f64) -> Tone {
    let (from_hertz, to_hertz) = (f64::from(from), f64::from(to));
    let time = stretch(from, to);
    let input: Vec<f32> = (0..(0.16 * time * from_hertz) as usize)
        .map(|n| (0.5 * (TAU * hertz / from_hertz * n as f64).cos()) as f32)
        .collect();
    let out = convert(from, to, method, &input);
    let (first, last) = ((0.03 * time * to_hertz) as usize, (0.13 * time * to_hertz) as usize);

    // Least squares of a cos + b sin; above Nyquist there is no such tone and all of the output is spurious.
    let (mut cc, mut cs, mut ss, mut yc, mut ys, mut yy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    let step = TAU * hertz / to_hertz;
    for (m, &y) in out.iter().enumerate().take(last).skip(first) {
        let ((s, c), y) = ((step * m as f64).sin_cos(), f64::from(y));
        (cc, cs, ss) = (cc + c * c, cs + c * s, ss + s * s);
        (yc, ys, yy) = (yc + y * c, ys + y * s, yy + y * y);
    }
    let (mut a, mut b) = (0.0, 0.0);
    if hertz < 0.5 * to_hertz {
        let determinant = cc * ss - cs * cs;
        a = (yc * ss - ys * cs) / determinant;
        b = (ys * cc - yc * cs) / determinant;
    }
    let residual: f64 = out[first..last]
        .iter()
        .enumerate()
        .map(|(i, &y)| {
            let (s, c) = (step * (first + i) as f64).sin_cos();
            (f64::from(y) - a * c - b * s).powi(2)
        })
        .sum();
    let power = 0.5 * 0.5 * 0.5 * (last - first) as f64;
    Tone {
        gain_db: db(a.hypot(b) / 0.5),
        spurious_db: db((residual / power).sqrt()),
        delay: b.atan2(a) / step,
    }
}

/// Worst of all, printed so that the margins can be read.
#[derive(Debug, Default)]
struct Worst {
    ripple_db: f64,
    thd_n_db: f64,
    alias_db: f64,
    delay: f64,
}

fn measure(from: u32, to: u32, method: Method) {
    let nyquist = 0.5 * f64::from(from.min(to));
    let mut worst = Worst { thd_n_db: -300.0, alias_db: -300.0, ..Worst::default() };
    for part in [0.0125, 0.125, 0.33, 0.5, 0.71, 0.85, PASS] {
        let tone = tone(from, to, method, part * nyquist);
        worst.ripple_db = worst.ripple_db.max(tone.gain_db.abs());
        worst.thd_n_db = worst.thd_n_db.max(tone.spurious_db);
        worst.delay = worst.delay.max(tone.delay.abs());
    }
    // Going up, the images of what lies just below Nyquist; going down, what lies above it.
    let mut stop = vec![2.0 - STOP];
    if from > to {
        let top = 0.5 * f64::from(from) / nyquist;
        stop.extend((0..9).map(|i| STOP * (0.995 * top / STOP).powf(f64::from(i) / 8.0)));
        stop.retain(|&part| part < top);
    }
    for part in stop {
        worst.alias_db = worst.alias_db.max(tone(from, to, method, part * nyquist).spurious_db);
    }
    println!(
        "{from:>6} -> {to:>6} {method:?}: ripple {:.4} dB, THD+N {:.1} dB, alias {:.1} dB, delay {:.1e} samples",
        worst.ripple_db, worst.thd_n_db, worst.alias_db, worst.delay
    );
    assert!(worst.ripple_db <= RIPPLE_DB, "{from} -> {to} {method:?}: {worst:?}");
    assert!(worst.thd_n_db <= SPURIOUS_DB, "{from} -> {to} {method:?}: {worst:?}");
    assert!(worst.alias_db <= SPURIOUS_DB, "{from} -> {to} {method:?}: {worst:?}");
    assert!(worst.delay <= DELAY_SAMPLES, "{from} -> {to} {method:?}: {worst:?}");
}

fn pairs() -> impl Iterator<Item = (u32, u32)> {
    let listed = HOST_RATES.into_iter().flat_map(|from| MODEL_RATES.map(|to| (from, to)));
    listed.filter(|(from, to)| from != to).chain(ODD_PAIRS).chain(LOW_PAIRS)
}

#[test]
fn bulk_is_flat_and_clean_for_every_pair() {
    pairs().for_each(|(from, to)| measure(from, to, Method::Bulk));
}

#[test]
fn low_latency_is_flat_and_clean_for_every_pair() {
    pairs().for_each(|(from, to)| measure(from, to, Method::LowLatency));
}

/// Its block is one frame, so the delay is all that the output waits for.
#[test]
fn low_latency_waits_for_at_most_15_ms() {
    for (from, to) in pairs() {
        let resampler = Resampler::with_method(from, to, Method::LowLatency).expect("valid rates");
        let seconds = (1 + resampler.delay_frames()) as f64 / f64::from(from);
        assert!(seconds <= LOW_LATENCY_SECONDS * stretch(from, to), "{from} -> {to}: {seconds} s");
    }
}

/// The two engines are one filter, so they must agree: this finds a block that is cut at the wrong place.
#[test]
fn bulk_and_low_latency_give_the_same_samples() {
    let mut random = Random(1);
    let input: Vec<f32> = (0..60_000).map(|_| random.sample()).collect();
    for (from, to) in pairs() {
        let bulk = convert(from, to, Method::Bulk, &input);
        let direct = convert(from, to, Method::LowLatency, &input);
        let worst = bulk.iter().zip(&direct).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(bulk.len() == direct.len() && worst < 2e-5, "{from} -> {to}: {worst}");
    }
}

#[test]
fn qualities_have_fixed_names() {
    for (method, name) in
        [(Method::Bulk, "bulk"), (Method::LowLatency, "low_latency"), (Method::Torchaudio, "torchaudio")]
    {
        assert_eq!(serde_json::to_string(&method).expect("a name"), format!("\"{name}\""));
        assert_eq!(serde_json::from_str::<Method>(&format!("\"{name}\"")).expect("a method"), method);
    }
    assert_eq!(Method::default(), Method::Bulk);
}

/// torchaudio 2.11's definition of `resample` with its defaults, sample by sample: in f64, which is exact, or with the
/// kernel in f32, which is what it does.
fn torchaudio_by_definition(from: u32, to: u32, single: bool, input: &[f32]) -> Vec<f64> {
    let common = (1..=from.min(to))
        .rev()
        .find(|n| from.is_multiple_of(*n) && to.is_multiple_of(*n))
        .expect("1 divides all");
    let (from, to) = (f64::from(from / common), f64::from(to / common));
    let round = |x: f64| if single { f64::from(x as f32) } else { x };
    let cutoff = 0.99 * from.min(to);
    let length = (input.len() as f64 * to / from).ceil() as usize;
    let reach = (6.0 * from / cutoff).ceil() as isize;
    (0..length)
        .map(|m| {
            let (block, phase) = ((m as f64 / to).floor(), (m as f64 % to));
            let start = (block * from) as isize;
            let middle = (phase * from / to).floor() as isize;
            (middle - reach..=middle + reach + 1)
                .filter_map(|n| Some((n, *input.get(usize::try_from(start + n).ok()?)?)))
                .map(|(n, x)| {
                    let t = round(round(-phase / to) + round(n as f64 / from));
                    let t = round(t * round(cutoff)).clamp(-6.0, 6.0);
                    let angle = round(t * round(PI));
                    let sinc = if t == 0.0 { 1.0 } else { round(round(angle.sin()) / angle) };
                    let window = round(round(round(angle / 12.0).cos()).powi(2));
                    f64::from(x) * sinc * window * round(cutoff / from)
                })
                .sum()
        })
        .collect()
}

#[test]
fn torchaudio_follows_its_definition() {
    let mut random = Random(2);
    let input: Vec<f32> = (0..9_000).map(|_| random.sample()).collect();
    for (from, to) in pairs() {
        let out = convert(from, to, Method::Torchaudio, &input);
        // Rates with little in common may get the exact kernel: the f32 one is off by up to 1e-3 there.
        let kernels: &[bool] = if ODD_PAIRS.contains(&(from, to)) || (from, to) == (44_099, 1_001) {
            &[true, false]
        } else {
            &[true]
        };
        let worst = kernels
            .iter()
            .map(|&single| {
                let expected = torchaudio_by_definition(from, to, single, &input);
                assert_eq!(out.len(), expected.len());
                out.iter().zip(&expected).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max)
            })
            .fold(f64::INFINITY, f64::min);
        assert!(worst <= 1e-6, "{from} -> {to}: {worst:.2e}");
    }
}

/// A piece of the next test's reference that is always here: four blocks of 441 frames, and torchaudio's samples for the
/// two in the middle. From Freesound sound 172649 by senorstudy, CC0.
#[test]
fn torchaudio_equals_the_stored_piece() {
    let read = |name: &str| {
        let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
        npyz::NpyFile::new(std::fs::File::open(path).expect("it is part of the project")).expect("an array")
    };
    let input: Vec<i16> = read("torchaudio_in_44100.npy").into_vec().expect("16 bits");
    let input: Vec<f32> = input.iter().map(|&x| f32::from(x) / 32_768.0).collect();
    let expected: Vec<f32> = read("torchaudio_out_16000.npy").into_vec().expect("f32");
    let out = convert(44_100, 16_000, Method::Torchaudio, &input);
    assert_eq!((out.len(), expected.len()), (640, 320));
    let worst = out[160..480].iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 1e-6, "{worst:.2e}");
}

fn reference(clip: &str) -> Option<NpzArchive<std::io::BufReader<std::fs::File>>> {
    let path = format!("{}/../shared/reference/{clip}.npz", env!("CARGO_MANIFEST_DIR"));
    let archive = NpzArchive::open(&path).ok();
    if archive.is_none() {
        println!("SKIPPED: {path} is absent");
    }
    archive
}

fn array<T: npyz::Deserialize>(
    archive: &mut NpzArchive<std::io::BufReader<std::fs::File>>,
    key: &str,
) -> Vec<T> {
    let file = archive.by_name(key).expect("a readable archive").expect("the key is there");
    file.into_vec().expect("an array of this type")
}

const CLIPS: [&str; 4] = ["1-100032-A", "1-172649-A", "1-187207-A", "1-27724-A"];

#[test]
fn torchaudio_equals_its_own_output() {
    for clip in CLIPS {
        let Some(mut archive) = reference(clip) else { continue };
        let input: Vec<f32> =
            array::<i16>(&mut archive, "pcm44_i16").iter().map(|&x| f32::from(x) / 32_768.0).collect();
        let expected: Vec<f32> = array(&mut archive, "ta_sinc_hann_16k");
        let out = convert(44_100, 16_000, Method::Torchaudio, &input);
        assert_eq!(out.len(), expected.len());
        let worst = out.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{clip}: {worst:.2e} from torchaudio");
        assert!(worst <= 1e-6, "{clip}: {worst:.2e}");
    }
}

/// Up to 6.5 kHz both are flat, so what is left of the difference there is error of one of them. Above, soxr begins to
/// fall (0.01 dB at 7.3 kHz is -59 dB) and equality means nothing.
#[test]
fn bulk_equals_soxr_in_the_pass_band() {
    for clip in CLIPS {
        let Some(mut archive) = reference(clip) else { continue };
        let input: Vec<f32> =
            array::<i16>(&mut archive, "pcm44_i16").iter().map(|&x| f32::from(x) / 32_768.0).collect();
        let out = convert(44_100, 16_000, Method::Bulk, &input);
        for (key, limit) in [("soxr_vhq_16k", -80.0), ("soxr_hq_16k", -80.0)] {
            let expected: Vec<f32> = array(&mut archive, key);
            assert_eq!(out.len(), expected.len());
            let difference: Vec<f64> = out.iter().zip(&expected).map(|(a, b)| f64::from(a - b)).collect();
            let signal: Vec<f64> = expected.iter().map(|&x| x.into()).collect();
            let level = 0.5 * db(band_energy(difference) / band_energy(signal));
            println!("{clip}: {level:.1} dB from {key}");
            assert!(level <= limit, "{clip}: {level:.1} dB from {key}");
        }
    }
}

/// Another design of the same thing: up to 6.5 kHz both are flat, and rubato's blocks put its delay on whole samples.
#[test]
fn bulk_equals_rubato_in_the_pass_band() {
    for (from, seed) in [(48_000, 1), (32_000, 2), (44_100, 3)] {
        let mut random = Random(seed);
        let mut smooth = 0.0;
        let input: Vec<f32> = (0..3 * from)
            .map(|n| {
                smooth += 0.5 * (random.sample() - smooth); // music has less treble than white noise
                let t = n as f32 / from as f32;
                smooth * (std::f32::consts::PI * t / 3.0).sin().powi(2)
            })
            .collect();
        let ours = convert(from, 16_000, Method::Bulk, &input);
        let mut theirs = Vec::new();
        rubato::rubato(from, 16_000)(&input, &mut theirs);
        assert!(ours.len().abs_diff(theirs.len()) <= 1, "{} and {}", ours.len(), theirs.len());
        let difference = ours.iter().zip(&theirs).map(|(a, b)| f64::from(a - b)).collect();
        let signal = theirs.iter().map(|&x| f64::from(x)).collect();
        let level = 0.5 * db(band_energy(difference) / band_energy(signal));
        println!("{from} -> 16000: {level:.1} dB from rubato");
        assert!(level <= -80.0, "{from} -> 16000: {level:.1} dB from rubato");
    }
}

/// Energy of 16 kHz sound up to 6.5 kHz, seen through a Hann window.
fn band_energy(mut signal: Vec<f64>) -> f64 {
    let size = signal.len();
    for (n, x) in signal.iter_mut().enumerate() {
        *x *= (PI * n as f64 / size as f64).sin().powi(2);
    }
    let plan = RealFftPlanner::new().plan_fft_forward(size);
    let mut spectrum = plan.make_output_vec();
    plan.process(&mut signal, &mut spectrum).expect("the buffers were made for this plan");
    let bins = (6.5 / 8.0 * spectrum.len() as f64) as usize;
    spectrum[..bins].iter().map(|bin| bin.norm_sqr()).sum()
}
