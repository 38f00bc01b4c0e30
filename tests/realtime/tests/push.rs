//! Every call that an audio thread may make, from a function that RealtimeSanitizer watches: a call of malloc, of a lock
//! or of anything else that may block ends the program. With the argument `allocate` it does such a thing, which shows
//! that somebody watches.
#![cfg_attr(rtsan, feature(sanitize))]

use std::ffi::{CString, c_char, c_void};
use std::hint::black_box;
use std::ptr::{null, null_mut};

// The library's C API, as include/auricle.h declares it.
unsafe extern "C" {
    fn auricle_model_load(path: *const c_char, options: *const c_void, model: *mut *mut c_void) -> i32;
    fn auricle_session_create(model: *const c_void, options: *const c_void, session: *mut *mut c_void)
    -> i32;
    fn auricle_session_push_f32(session: *mut c_void, samples: *const f32, frames: usize) -> i32;
    fn auricle_session_push_i16(session: *mut c_void, samples: *const i16, frames: usize) -> i32;
    fn auricle_session_push_bytes(session: *mut c_void, format: i32, data: *const u8, frames: usize) -> i32;
    fn auricle_session_push_planar_f32(session: *mut c_void, data: *const *const f32, frames: usize) -> i32;
    fn auricle_session_push_planar_bytes(
        session: *mut c_void,
        format: i32,
        data: *const *const u8,
        frames: usize,
    ) -> i32;
    fn auricle_session_gap(session: *mut c_void, frames: u64) -> i32;
    fn auricle_session_pending(session: *mut c_void, frames: *mut u64) -> i32;
    fn auricle_session_finish(session: *mut c_void) -> i32;
    fn auricle_session_reset(session: *mut c_void) -> i32;
}

/// `auricle_session_options`.
#[repr(C)]
struct Options {
    struct_size: u32,
    sample_rate: u32,
    channels: u32,
    max_windows_per_read: u32,
    hop_seconds: f64,
    ring_seconds: f64,
    overflow: i32,
    reserved: u32,
    stream_json: *const c_char,
}

/// Blocks of all sizes, until long after the ring is full. The greatest status of each kind of call.
#[cfg_attr(rtsan, sanitize(realtime = "nonblocking"))]
fn audio_thread(session: *mut c_void, bytes: &[u8], whole: &[i16], samples: &[f32]) -> [i32; 8] {
    let mut most = [0; 8];
    for frames in [0, 1, 2, 63, 64, 441, 4096, samples.len()] {
        let (plane, pending) = ([samples.as_ptr()], &mut 0);
        for _ in 0..3 {
            // SAFETY: a live session of one channel; all buffers hold `frames` frames of any format.
            let statuses = unsafe {
                [
                    auricle_session_push_f32(session, samples.as_ptr(), frames),
                    auricle_session_push_i16(session, whole.as_ptr(), frames),
                    (1..=6)
                        .map(|f| auricle_session_push_bytes(session, f, bytes.as_ptr(), frames))
                        .max()
                        .unwrap_or(-1),
                    auricle_session_push_planar_f32(session, plane.as_ptr(), frames),
                    auricle_session_push_planar_bytes(session, 1, [bytes.as_ptr()].as_ptr(), frames),
                    auricle_session_gap(session, 5),
                    auricle_session_pending(session, pending),
                    0,
                ]
            };
            for (most, status) in most.iter_mut().zip(statuses) {
                *most = if status < 0 { status } else { (*most).max(status) };
            }
        }
    }
    // SAFETY: as above.
    most[7] = unsafe { auricle_session_finish(session) };
    most
}

#[cfg_attr(rtsan, sanitize(realtime = "nonblocking"))]
fn allocate() -> Vec<u8> {
    black_box(vec![1; black_box(1000)])
}

fn main() {
    if std::env::args().any(|argument| argument == "allocate") {
        println!("allocated {} bytes", allocate().len());
        return;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/tiny.onnx");
    let path = CString::new(path).expect("no NUL");
    const FRAMES: usize = 3 * 48_000;
    let (bytes, whole, samples) = (vec![7; 8 * FRAMES], vec![300; FRAMES], vec![0.1; FRAMES]);
    let mut model = null_mut();
    // SAFETY: valid pointers; NULL options are the defaults.
    assert_eq!(unsafe { auricle_model_load(path.as_ptr(), null(), &mut model) }, 0);
    for overflow in [1, 2] {
        let options = Options {
            struct_size: size_of::<Options>() as u32,
            sample_rate: 48_000,
            channels: 1,
            max_windows_per_read: 0,
            hop_seconds: 0.0,
            ring_seconds: 1.0,
            overflow,
            reserved: 0,
            stream_json: null(),
        };
        let mut session = null_mut();
        // SAFETY: valid pointers, and options as long as they say.
        assert_eq!(unsafe { auricle_session_create(model, (&raw const options).cast(), &mut session) }, 0);
        for _ in 0..2 {
            assert_eq!(audio_thread(session, &bytes, &whole, &samples), [3, 3, 3, 3, 3, 0, 0, 0]);
            // SAFETY: a live session.
            assert_eq!(unsafe { auricle_session_reset(session) }, 0);
        }
    }
    println!("pushed from a function that must not block");
    // The library's symbols come from its crate.
    black_box(auricle::VERSION);
}
