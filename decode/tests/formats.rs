//! Every kind of file gives the tone that went into it, at the right place and of the right length.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::Cursor;

use auricle_decode::Recording;
use support::{data, lateness, read, read_bytes};

/// Name, frames, how many of them are before the tone, and how far its samples may be off (RMS; the tone is
/// 0.354).
const FILES: [(&str, usize, usize, f64); 24] = [
    // The header of LAME says what is before and behind.
    ("info.mp3", 8000, 0, 0.13),
    // Without it there are the encoder's 576 and the decoder's 529.
    ("plain.mp3", 9216, 1105, 0.13),
    ("stereo.mp3", 9216, 1105, 0.13),
    ("half_rate.mp3", 5184, 1105, 0.13),
    ("layer2.mp2", 8064, 481, 0.05),
    // ADTS has no place for what ffmpeg's encoder puts before the sound; the edit list of MP4 has.
    ("adts.aac", 9216, 1024, 0.05),
    ("fragments.mp4", 9216, 1024, 0.05),
    ("aac.m4a", 8000, 0, 0.05),
    ("index_last.m4a", 8000, 0, 0.05),
    ("aac.mkv", 9216, 1024, 0.05),
    ("mp3.mkv", 9105, 1105, 0.13),
    ("alac.m4a", 8000, 0, 1e-4),
    ("alac.caf", 8000, 0, 1e-4),
    ("flac.flac", 8000, 0, 1e-4),
    ("flac.ogg", 8000, 0, 1e-4),
    ("vorbis.ogg", 8000, 0, 0.05),
    ("vorbis.webm", 8192, 0, 0.05),
    ("ms_adpcm.wav", 8000, 0, 0.02),
    ("ima_adpcm.wav", 8080, 0, 0.02),
    ("pcm.w64", 1600, 0, 1e-4),
    ("pcm.mov", 1600, 0, 1e-4),
    ("pcm.aiff", 1600, 0, 1e-4),
    ("pcm.caf", 1600, 0, 1e-4),
    ("mu_law.wav", 1600, 0, 0.02),
];

#[test]
fn every_kind_of_file_gives_its_tone() {
    for (name, frames, late, off) in FILES {
        let whole = read_bytes(&data(name)).unwrap();
        let (channels, rate) = match name {
            "stereo.mp3" => (2, 16_000),
            "half_rate.mp3" => (1, 8_000),
            _ => (1, 16_000),
        };
        assert_eq!((whole.channels, whole.sample_rate), (channels, rate), "{name}");
        assert_eq!(whole.frames(), frames, "{name}");
        assert!(whole.lost.is_nothing(), "{name}: {:?}", whole.losses);
        for channel in 0..channels as usize {
            let (best, difference) = lateness(&whole.channel(channel), rate);
            assert!(best == late && difference < off, "{name}: {best} frames late, off by {difference}");
        }
    }
}

#[test]
fn a_pipe_gives_what_a_file_gives() {
    for (name, ..) in FILES {
        let bytes = data(name);
        let file = read_bytes(&bytes).unwrap();
        match read(Recording::from_pipe(Cursor::new(bytes))) {
            Ok(pipe) => {
                assert_eq!(pipe.samples, file.samples, "{name}");
                assert!(pipe.lost.is_nothing(), "{name}: {:?}", pipe.losses);
            }
            // What is needed first lies behind the sound.
            Err(reason) => {
                assert!(
                    ["index_last.m4a", "alac.m4a", "pcm.mov", "alac.caf"].contains(&name),
                    "{name}: {reason}"
                );
                assert!(reason.contains("pipe") && reason.contains("at its end"), "{reason}");
            }
        }
    }
}

#[test]
fn what_a_file_declares_is_passed_on() {
    for (name, frames) in [("info.mp3", 8000), ("aac.m4a", 8000), ("flac.flac", 8000), ("pcm.w64", 1600)] {
        assert_eq!(read_bytes(&data(name)).unwrap().declared, Some(frames), "{name}");
    }
    assert_eq!(read_bytes(&data("plain.mp3")).unwrap().declared, None);
}

/// The old way of Apple: a comment with delay, padding and length.
#[test]
fn the_delay_of_itunes_is_taken_out() {
    let mut file = data("index_last.m4a");
    let at = |file: &[u8], kind: &[u8]| file.windows(4).position(|w| w == kind).unwrap();
    let edits = at(&file, b"edts");
    file[edits..edits + 4].copy_from_slice(b"free");
    assert_eq!(lateness(&read_bytes(&file).unwrap().samples, 16_000).0, 1024, "without an edit list");
    let moov = at(&file, b"moov") - 4;
    assert_eq!(moov + u32::from_be_bytes(file[moov..moov + 4].try_into().unwrap()) as usize, file.len());
    let mut comment = b"\0\0\0\0udta----iTunSMPB\0\0\0\x84data\0\0\0\x01\0\0\0\0".to_vec();
    comment.extend_from_slice(b" 00000000 00000400 000000C0 0000000000001F40 00000000 00000000");
    let size = comment.len() as u32;
    comment[..4].copy_from_slice(&size.to_be_bytes());
    file.extend_from_slice(&comment);
    let size = (file.len() - moov) as u32;
    file[moov..moov + 4].copy_from_slice(&size.to_be_bytes());
    let whole = read_bytes(&file).unwrap();
    assert_eq!((lateness(&whole.samples, 16_000).0, whole.frames()), (0, 8000));
}
