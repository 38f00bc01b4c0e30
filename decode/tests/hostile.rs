//! Files that were made to do harm, or broken as if: an error and no panic, and memory by what is there, not
//! by what a header claims.

#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;

use support::{data, read_bytes, reason, wav};

#[test]
fn what_ended_the_program_is_an_error() {
    let sound = b"\0\x10".repeat(8000);
    assert!(reason(&wav(1, 1, 0, 16, &sound)).contains("0 Hz"));
    // A sample rate of 80 bits that is not a number.
    let common = b"COMM\0\0\0\x12\0\x01\0\0\x1f\x40\0\x10\xff\xff\x80\0\0\0\0\0\0\0";
    let aiff = [b"FORM\0\0\0\0AIFF", &common[..], b"SSND\0\0\x3e\x88\0\0\0\0\0\0\0\0", &sound].concat();
    assert!(reason(&aiff).contains("NaN"));
    let mut adpcm = data("ms_adpcm.wav");
    let fmt = adpcm.windows(4).position(|w| w == b"fmt ").unwrap();
    adpcm[fmt + 10] = 5;
    assert!(reason(&adpcm).contains("5 channels; valid 1..=2"));
}

/// Every byte of every header replaced, once by 0xff and once with one bit changed: what comes is audio or an
/// error in one line.
#[test]
fn broken_headers_of_all_formats() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let file = data(&name);
        for at in (0..file.len().min(700)).step_by(3) {
            for change in [0xff, 1 << (at % 8)] {
                let mut file = file.clone();
                file[at] ^= change;
                if let Err(reason) = read_bytes(&file) {
                    assert!(
                        !reason.contains('\n') && !reason.contains("defect"),
                        "{name}, byte {at}: {reason}"
                    );
                }
            }
        }
        for keep in (0..file.len()).step_by(97) {
            if let Err(reason) = read_bytes(&file[..keep]) {
                assert!(
                    !reason.contains('\n') && !reason.contains("defect"),
                    "{name}, {keep} bytes: {reason}"
                );
            }
        }
    }
}

/// Files that claim much more than they are. Each is far below a megabyte.
fn greedy() -> Vec<(&'static str, Vec<u8>)> {
    let patched = |name: &str, mark: &[u8], offset: usize, bytes: &[u8]| {
        let mut file = data(name);
        let at = file.windows(mark.len()).position(|w| w == mark).unwrap() + mark.len() + offset;
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let huge = [0xff; 4];
    // A picture of 4 GB in a block of 40 bytes.
    let picture = [&b"\x06\0\0\x28\0\0\0\x03"[..], &huge, &[0; 32]].concat();
    let flac = data("flac.flac");
    let flac = [&flac[..42], &picture, &flac[42..]].concat();
    vec![
        ("sample sizes", patched("aac.m4a", b"stsz", 8, &huge)),
        ("a size for all samples", patched("aac.m4a", b"stsz", 4, &[0x7f, 0xff, 0xff, 0xff])),
        ("sample times", patched("aac.m4a", b"stts", 4, &huge)),
        ("one sample's time", patched("aac.m4a", b"stts", 12, &huge)),
        ("chunk offsets", patched("aac.m4a", b"stco", 4, &huge)),
        ("edits", patched("aac.m4a", b"elst", 4, &huge)),
        ("a box", patched("index_last.m4a", b"mvhd", 100, &huge)),
        ("samples of a fragment", patched("fragments.mp4", b"trun", 4, &huge)),
        ("a picture in FLAC", flac),
        ("frames in FLAC", patched("flac.flac", b"fLaC", 18, &[0xff, 0xff, 0xff, 0xff, 0xff])),
        ("a packet of ALAC", patched("alac.caf", b"kuki", 8 + 24, &huge)),
        ("a packet table", patched("alac.caf", b"pakt", 8, &[0x7f; 8])),
        ("a codebook", patched("vorbis.ogg", b"BCV", 0, &[0xff, 0xff, 0xff, 0xff, 0xff])),
        // Not the mark in the table of contents.
        ("an element", patched("aac.mkv", b"\0\0\x16\x54\xae\x6b", 0, &[0x08, 255, 255, 255, 255])),
        ("a private header", patched("aac.mkv", b"\x63\xa2", 0, &[0x08, 0xff, 0xff, 0xff])),
        ("a chunk", patched("pcm.w64", b"fmt ", 12, &[0xff; 8])),
    ]
}

/// What a child of this program does; prints its peak of memory.
#[test]
fn child() {
    let Ok(job) = std::env::var("AURICLE_DECODE_CHILD") else { return };
    match job.as_str() {
        "greedy" => {
            for (name, file) in greedy() {
                match read_bytes(&file) {
                    Ok(whole) => println!("{name}: {} frames", whole.frames()),
                    Err(reason) => println!("{name}: {reason}"),
                }
            }
        }
        job => stream(job.parse().unwrap()),
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("\n{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap());
}

/// Peak of memory of a child, kB.
fn peak(job: &str) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["child", "--exact", "--nocapture", "--test-threads=1"]).env("AURICLE_DECODE_CHILD", job);
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let line = text.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_header_claims_is_not_allocated() {
    let peak = peak("greedy");
    // A reader that is not fooled needs some MB for one file; the claims are of gigabytes.
    assert!(peak < 64 << 10, "{peak} kB");
}

/// A WAV of `minutes`, made while it is read: 16 bits, stereo, 16 kHz, its length never filled in.
struct Endless {
    head: Vec<u8>,
    at: u64,
    size: u64,
}

impl std::io::Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = (self.size - self.at).min(out.len() as u64) as usize;
        for (k, byte) in out[..count].iter_mut().enumerate() {
            let at = self.at as usize + k;
            *byte = self.head.get(at).copied().unwrap_or((at * 7) as u8);
        }
        self.at += count as u64;
        Ok(count)
    }
}

fn stream(minutes: u64) {
    let mut head = wav(1, 2, 16_000, 16, &[]);
    let size = head.len();
    head[size - 4..].fill(0xff);
    let frames = minutes * 60 * 16_000;
    let pipe = Endless { at: 0, size: size as u64 + 4 * frames, head };
    let mut recording = auricle_decode::Recording::from_pipe(pipe).unwrap();
    while recording.next_block().unwrap().is_some() {}
    assert_eq!(recording.frames(), frames);
    assert!(recording.lost().is_nothing());
}

#[test]
#[cfg(target_os = "linux")]
fn three_hours_need_the_memory_of_ten_minutes() {
    let (short, long) = (peak("10"), peak("180"));
    assert!(long < short + 5 * 1024, "{short} kB for 10 minutes, {long} kB for 3 hours");
}
