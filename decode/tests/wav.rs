//! WAV as it is in the world: what ffmpeg and SoX read of it, to the same frames. Every file holds the same
//! tone.

#![allow(clippy::unwrap_used)]

mod support;

use support::{Whole, pcm, read_bytes, reason, tone};

const FRAMES: usize = 2000;
const RATE: u32 = 16_000;

fn sound() -> Vec<u8> {
    pcm((0..FRAMES).map(|k| tone(k, RATE)))
}

/// A fmt chunk of 16 bits, mono.
fn fmt(align: u16, bits: u16, byte_rate: u32) -> Vec<u8> {
    [
        &[1, 0, 1, 0][..],
        &RATE.to_le_bytes(),
        &byte_rate.to_le_bytes(),
        &align.to_le_bytes(),
        &bits.to_le_bytes(),
    ]
    .concat()
}

fn chunk(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    [&id[..], &size.to_le_bytes(), body].concat()
}

/// A whole file with a RIFF size of its own.
fn file(riff_size: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"RIFF", &riff_size.to_le_bytes()[..], b"WAVE", &chunks.concat()].concat()
}

fn plain() -> Vec<u8> {
    chunk(b"fmt ", 16, &fmt(2, 16, 32_000))
}

#[track_caller]
fn holds_the_tone(what: &str, bytes: &[u8]) -> Whole {
    let whole = read_bytes(bytes).unwrap_or_else(|reason| panic!("{what}: {reason}"));
    assert_eq!((whole.frames(), whole.channels, whole.sample_rate), (FRAMES, 1, RATE), "{what}");
    for (k, &sample) in whole.samples.iter().enumerate() {
        assert!((sample - tone(k, RATE)).abs() < 1e-4, "{what}: {sample} at {k}");
    }
    whole
}

#[test]
fn sizes_that_were_never_filled_in_or_are_wrong() {
    let (data, size) = (sound(), 2 * FRAMES as u32);
    let list = chunk(b"LIST", 26, b"INFOISFT\x0e\0\0\0Lavf60.16.100\0");
    for (what, riff_size, data_size) in [
        ("a pipe", u32::MAX, u32::MAX),
        ("SoX to a pipe", 0x7fff_f024, 0x7fff_f000),
        ("a recorder that died", 36, 0),
        ("both zero", 0, 0),
        ("a RIFF size of 0", 0, size),
        ("a RIFF size without the last chunk", 36, size),
        ("a RIFF size of 8 too few", size + 28, size),
        ("right", size + 36, size),
    ] {
        let whole = holds_the_tone(what, &file(riff_size, &[plain(), chunk(b"data", data_size, &data)]));
        assert!(whole.lost.is_nothing(), "{what}: {:?}", whole.losses);
        holds_the_tone(what, &file(riff_size, &[plain(), list.clone(), chunk(b"data", data_size, &data)]));
    }
    // It declares three times what there is; it may have been cut off, so that is told.
    let long = holds_the_tone("too long", &file(0, &[plain(), chunk(b"data", 3 * size, &data)]));
    assert_eq!((long.declared, long.lost.missing_frames), (Some(3 * FRAMES as u64), 2 * FRAMES as u64));
    assert!(reason(&file(36, &[plain(), chunk(b"data", 0, &[])])).contains("no frames"));
    let empty = file(0, &[plain(), chunk(b"data", 0, &[]), chunk(b"LIST", 4, b"INFO")]);
    assert!(reason(&empty).contains("no frames"), "a list is no sound");
}

#[test]
fn chunks_around_the_sound() {
    let (data, size) = (chunk(b"data", 2 * FRAMES as u32, &sound()), 2 * FRAMES as u32);
    let inner = chunk(b"LIST", 18, b"INFOINAM\xff\0\0\0abcd\0\0");
    let junk = chunk(b"JUNK", 28, &[0; 28]);
    let fact = chunk(b"fact", 4, &FRAMES.to_le_bytes()[..4]);
    let tag = chunk(b"id3 ", 10, b"ID3\x03\0\0\0\0\0\0");
    for (what, chunks) in [
        ("a list entry that is longer than its list", vec![plain(), inner, data.clone()]),
        ("chunks before", vec![junk, plain(), fact, data.clone()]),
        ("a tag behind", vec![plain(), data.clone(), tag]),
        ("a last chunk without an end", vec![plain(), data.clone(), chunk(b"LIST", u32::MAX, b"INFO")]),
    ] {
        assert!(holds_the_tone(what, &file(size, &chunks)).lost.is_nothing(), "{what}");
    }
    let halves = [chunk(b"data", size / 2, &sound()[..FRAMES]), chunk(b"data", size / 2, &sound()[FRAMES..])];
    holds_the_tone("two data chunks", &file(size, &[plain(), halves.concat()]));
    let odd = holds_the_tone(
        "half a frame",
        &file(size, &[plain(), chunk(b"data", size + 1, &[&sound()[..], &[18]].concat())]),
    );
    assert_eq!(odd.lost.bytes_left, 1);
    for (what, expected, chunks) in [
        ("no fmt", "no fmt chunk", vec![chunk(b"LIST", 4, b"INFO")]),
        ("no data", "no data chunk", vec![plain()]),
        ("the wrong order", "before its fmt chunk", vec![data, plain()]),
    ] {
        let reason = reason(&file(0, &chunks));
        assert!(reason.contains(expected), "{what}: {reason}");
    }
}

#[test]
fn fmt_chunks_that_contradict_themselves() {
    let data = chunk(b"data", 2 * FRAMES as u32, &sound());
    let long =
        |bytes: usize| chunk(b"fmt ", 16 + bytes as u32, &[fmt(2, 16, 32_000), vec![0; bytes]].concat());
    for (what, fmt) in [
        ("a block length in bits", chunk(b"fmt ", 16, &fmt(16, 16, 32_000))),
        ("a block length of 0", chunk(b"fmt ", 16, &fmt(0, 16, 32_000))),
        ("a byte rate of 0", chunk(b"fmt ", 16, &fmt(2, 16, 0))),
        ("18 bytes", long(2)),
        ("20 bytes", long(4)),
        ("40 bytes", long(24)),
    ] {
        assert!(holds_the_tone(what, &file(0, &[fmt, data.clone()])).lost.is_nothing(), "{what}");
    }
    let extensible = |valid: u16| {
        let head =
            [&[0xfe, 0xff, 1, 0][..], &RATE.to_le_bytes(), &[0, 125, 0, 0, 2, 0, 16, 0, 22, 0]].concat();
        let guid = b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71";
        chunk(b"fmt ", 40, &[&head[..], &valid.to_le_bytes(), &[0; 4], guid].concat())
    };
    for valid in [0, 12, 16] {
        holds_the_tone("extensible", &file(0, &[extensible(valid), data.clone()]));
    }
    let with = |at: usize, bytes: &[u8]| {
        let mut fmt = fmt(2, 16, 32_000);
        fmt[at..at + bytes.len()].copy_from_slice(bytes);
        reason(&file(0, &[chunk(b"fmt ", 16, &fmt), data.clone()]))
    };
    for (what, reason, expected) in [
        ("0 Hz", with(4, &[0; 4]), "0 Hz; valid 1..="),
        ("4 GHz", with(4, &[255; 4]), "4294967295 Hz"),
        ("no channels", with(2, &[0, 0]), "0 channels"),
        ("1000 channels", with(2, &[0xe8, 3]), "1000 channels; valid 1..=64"),
        ("12 bits", with(14, &[12, 0]), "12 bits; valid are 8, 16"),
        ("MP3 in WAV", with(0, &[0x55, 0]), "MP3, which is not supported"),
        ("an unknown tag", with(0, &[0x34, 0x12]), "0x1234"),
    ] {
        assert!(reason.contains(expected), "{what}: {reason}");
    }
}

#[test]
fn larger_and_older_relatives() {
    let (data, size) = (sound(), 2 * FRAMES as u64);
    for magic in [b"RF64", b"BW64"] {
        let long =
            [&(size + 72).to_le_bytes()[..], &size.to_le_bytes(), &(FRAMES as u64).to_le_bytes(), &[0; 4]]
                .concat();
        let chunks =
            [chunk(b"ds64", 28, &long), plain(), chunk(b"data", u32::MAX, &data), chunk(b"LIST", 4, b"INFO")];
        let file = [&magic[..], &[255; 4], b"WAVE", &chunks.concat()].concat();
        let whole = holds_the_tone("RF64", &file);
        assert_eq!((whole.declared, whole.lost.is_nothing()), (Some(FRAMES as u64), true));
    }
    // RIFX: everything is big-endian, the samples too.
    let swapped: Vec<u8> = data.chunks(2).flat_map(|b| [b[1], b[0]]).collect();
    let head = [&[0, 1, 0, 1][..], &RATE.to_be_bytes(), &32_000u32.to_be_bytes(), &[0, 2, 0, 16]].concat();
    let rifx =
        [b"RIFX\0\0\0\0WAVEfmt \0\0\0\x10", &head[..], b"data", &(size as u32).to_be_bytes(), &swapped]
            .concat();
    holds_the_tone("RIFX", &rifx);
    // W64: GUIDs, sizes of 64 bits with the header, and chunks of multiples of 8.
    let tail = *b"\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a";
    let long = |id: &[u8; 4], body: &[u8]| {
        let mut chunk = [&id[..], &tail, &(24 + body.len() as u64).to_le_bytes(), body].concat();
        chunk.resize(chunk.len().next_multiple_of(8), 0);
        chunk
    };
    let riff = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0";
    let body = [long(b"fact", &[0; 3]), long(b"fmt ", &fmt(2, 16, 32_000)), long(b"data", &data)].concat();
    let w64 = [&riff[..], &[0; 8], b"wave", &tail, &body].concat();
    holds_the_tone("W64", &w64);
    // As ffmpeg leaves it in a pipe.
    let mut unfilled = w64;
    let size = unfilled.windows(4).position(|w| w == b"data").unwrap() + 16;
    unfilled[size..size + 8].copy_from_slice(&(i64::MAX as u64).to_le_bytes());
    assert!(holds_the_tone("W64 of a pipe", &unfilled).lost.is_nothing());
}

#[test]
fn values_of_floats_are_passed_on() {
    let values = [0.0, 1.5, -32_767.0, 1e-40, f32::INFINITY];
    let data: Vec<u8> = values.iter().flat_map(|s: &f32| s.to_le_bytes()).collect();
    let whole = read_bytes(&support::wav(3, 1, RATE, 32, &data)).unwrap();
    assert_eq!(whole.samples, values);
}
