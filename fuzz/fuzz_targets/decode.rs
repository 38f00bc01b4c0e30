//! Sound files that nobody vouches for: whatever the bytes are, they give audio or an error, and every frame
//! is counted. That memory does not grow by what a header claims is libFuzzer's to see (`-malloc_limit_mb`).
//!
//! Input: the bytes of a file, read as a file and through a pipe.

#![no_main]

use std::io::Cursor;

use auricle_decode::{DecodeError, Recording};
use libfuzzer_sys::fuzz_target;

/// A file of a kilobyte may stand for hours of silence; after so many frames the point is made.
const ENOUGH: u64 = 1 << 22;

fuzz_target!(|data: &[u8]| {
    let bytes = data.to_vec();
    read(Recording::from_bytes(bytes.clone()));
    read(Recording::from_pipe(Cursor::new(bytes)));
});

fn read(recording: Result<Recording, DecodeError>) {
    let Ok(mut recording) = recording else { return };
    let (channels, mut frames) = (recording.channels() as usize, 0);
    assert!(channels > 0 && recording.sample_rate() > 0);
    while frames < ENOUGH {
        match recording.next_block() {
            Ok(Some(block)) => {
                assert!(!block.is_empty() && block.len() % channels == 0 && block.len() / channels <= 4096);
                frames += (block.len() / channels) as u64;
            }
            Ok(None) => {
                assert!(matches!(recording.next_block(), Ok(None)), "it goes on behind its end");
                assert!(recording.lost().bridged_frames <= frames, "more silence than frames");
                break;
            }
            Err(error) => {
                assert!(!error.reason().contains("defect"), "{error}");
                break;
            }
        }
        assert_eq!(recording.frames(), frames);
    }
    assert!(recording.losses().len() as u64 <= recording.lost().places);
    assert!(recording.losses().is_sorted_by_key(|loss| loss.at_frame), "{:?}", recording.losses());
}
