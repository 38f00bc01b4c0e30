//! Decoding of files that these tests write themselves.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use auricle_decode::{Recording, decode};
use support::{Scratch, wav};

fn reason(name: &str, bytes: &[u8]) -> String {
    let file = Scratch::new(name, bytes);
    let error = decode(&file.0).expect_err("the file is bad");
    let text = error.to_string();
    assert!(!text.contains('\n') && text.starts_with(&*file.0.to_string_lossy()), "{text}");
    error.reason().to_owned()
}

#[test]
fn sixteen_bit_stereo_comes_back_exactly() {
    // 3,001 frames: not a multiple of symphonia's packet of 1,152.
    let samples: Vec<i16> = (0..6002i32).map(|i| (i * 7919 % 65536 - 32768) as i16).collect();
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let file = Scratch::new("stereo.wav", &wav(1, 2, 44_100, 16, &data));
    let audio = decode(&file.0).unwrap();
    assert_eq!((audio.channels, audio.sample_rate, audio.lost.skipped_packets), (2, 44_100, 0));
    assert_eq!(audio.frames(), 3001);
    let expected: Vec<f32> = samples.iter().map(|&s| f32::from(s) / 32768.0).collect();
    assert_eq!(audio.samples, expected);
}

#[test]
fn float_beyond_full_scale_is_not_clipped() {
    let samples = [0.0f32, 1.5, -2.25, 1e-6];
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let file = Scratch::new("float.wav", &wav(3, 1, 8_000, 32, &data));
    assert_eq!(decode(&file.0).unwrap().samples, samples);
}

#[test]
fn twenty_four_and_eight_bits_have_the_same_full_scale() {
    let file = Scratch::new("24.wav", &wav(1, 1, 96_000, 24, &[0, 0, 0x40, 0, 0, 0x80]));
    assert_eq!(decode(&file.0).unwrap().samples, [0.5, -1.0]);
    let file = Scratch::new("8.wav", &wav(1, 1, 8_000, 8, &[192, 0]));
    assert_eq!(decode(&file.0).unwrap().samples, [0.5, -1.0]);
}

#[test]
fn the_contents_decide_not_the_name() {
    let file = Scratch::new("wav-inside.mp3", &wav(1, 1, 16_000, 16, &[0, 64]));
    assert_eq!(decode(&file.0).unwrap().samples, [0.5]);
}

#[test]
fn bad_files_say_why() {
    let missing = decode(&std::env::temp_dir().join("auricle-no-such-file.wav")).expect_err("missing");
    assert!(missing.reason().starts_with("cannot be opened: "), "{missing}");
    let folder = decode(&std::env::temp_dir()).expect_err("a folder");
    assert!(folder.reason().contains("folder"), "{folder}");
    assert!(reason("empty.wav", b"").contains("0 bytes"));
    assert!(reason("text.wav", b"these are words, and words make no sound\n").contains("not an audio file"));
    assert!(reason("zero.wav", &wav(1, 1, 16_000, 16, b"")).contains("no frames"));
    let gone = decode(Path::new("-/no such file")).expect_err("not standard input");
    assert!(gone.reason().starts_with("cannot be opened: "), "{gone}");
    let header = &wav(1, 1, 16_000, 16, &[0, 64])[..30];
    assert!(!reason("cut.wav", header).is_empty());
}

#[test]
fn an_unsupported_codec_is_named() {
    // An Ogg page that holds an Opus identification header (RFC 7845), then one with its tags.
    let head = b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0";
    let tags = b"OpusTags\0\0\0\0\0\0\0\0";
    let mut file = ogg_page(2, 0, head);
    file.extend(ogg_page(0, 1, tags));
    file.extend(ogg_page(4, 2, &[0xf8, 0xff, 0xfe]));
    let reason = reason("opus.ogg", &file);
    assert!(reason.contains("Opus"), "{reason}");
}

fn ogg_page(flags: u8, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend_from_slice(&0u64.to_le_bytes());
    page.extend_from_slice(&7u32.to_le_bytes());
    page.extend_from_slice(&sequence.to_le_bytes());
    page.extend_from_slice(&0u32.to_le_bytes());
    page.push(1);
    page.push(body.len() as u8);
    page.extend_from_slice(body);
    // Ogg's CRC: polynomial 0x04c11db7, no reflection, start 0.
    let crc = page.iter().fold(0u32, |crc, &byte| {
        (0..8).fold(
            crc ^ (u32::from(byte) << 24),
            |c, _| if c >> 31 == 1 { c << 1 ^ 0x04c1_1db7 } else { c << 1 },
        )
    });
    page[22..26].copy_from_slice(&crc.to_le_bytes());
    page
}

/// MPEG-1 Layer III, 48 kHz, mono, 32 kbit/s: a frame is 96 bytes, and one whose side information is all
/// zeros is silence.
fn mp3_frames(count: usize) -> Vec<Vec<u8>> {
    let mut frame = vec![0u8; 96];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x14, 0xc0]);
    vec![frame; count]
}

#[test]
fn a_broken_packet_in_the_middle_is_bridged_and_counted() {
    let mut frames = mp3_frames(20);
    let whole = Scratch::new("whole.mp3", &frames.concat());
    let whole = decode(&whole.0).unwrap();
    assert!(whole.lost.is_nothing());
    // part2_3_length of the first granule, far larger than the frame: the bits it asks for are not there.
    frames[10][6..9].fill(0xff);
    let broken = Scratch::new("broken.mp3", &frames.concat());
    let broken = decode(&broken.0).unwrap();
    assert_eq!((broken.lost.skipped_packets, broken.lost.bridged_frames), (1, 1152));
    assert_eq!(broken.losses[0].at_frame, 10 * 1152);
    assert_eq!(broken.frames(), whole.frames());
}

/// What the child of the next test does: reads standard input, and says what it got.
#[test]
fn child() {
    if std::env::var("AURICLE_DECODE_STDIN").is_ok() {
        let mut recording = Recording::open(Path::new("-")).unwrap_or_else(|e| panic!("{e}"));
        while recording.next_block().unwrap().is_some() {}
        println!("\nframes: {}", recording.frames());
    }
}

fn through_stdin(input: Stdio, write: &[u8]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env("AURICLE_DECODE_STDIN", "1")
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(write).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn a_dash_is_standard_input() {
    let sound = wav(1, 1, 16_000, 16, &[0, 64].repeat(5000));
    assert!(through_stdin(Stdio::piped(), &sound).contains("frames: 5000"));
    // A file that is redirected can be sought in: its index is at its end.
    let name = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/index_last.m4a");
    let redirected = through_stdin(std::fs::File::open(name).unwrap().into(), b"");
    assert!(redirected.contains("frames: 8000"), "{redirected}");
    let piped = through_stdin(Stdio::piped(), &support::data("index_last.m4a"));
    assert!(piped.contains("standard input: is an MP4 file with its index at its end"), "{piped}");
    let nothing = through_stdin(Stdio::piped(), b"");
    assert!(nothing.contains("standard input: gave no bytes"), "{nothing}");
}

#[test]
#[cfg(unix)]
fn a_fifo_is_read_like_a_file() {
    let sound = wav(1, 2, 16_000, 16, &[0, 64, 0, 32].repeat(50_000));
    let fifo = Scratch::new("fifo", b"");
    std::fs::remove_file(&fifo.0).unwrap();
    assert!(Command::new("mkfifo").arg(&fifo.0).status().unwrap().success());
    let path = fifo.0.clone();
    let writer = std::thread::spawn(move || std::fs::write(path, sound).unwrap());
    let audio = decode(&fifo.0).unwrap();
    writer.join().unwrap();
    assert_eq!((audio.frames(), audio.channels, audio.lost.is_nothing()), (50_000, 2, true));
}
