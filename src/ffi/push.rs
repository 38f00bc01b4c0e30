//! PUSHING
//!
//! The pushing half of a session, made for audio callbacks.

use std::ffi::c_void;

use super::pointer;
use super::session::{auricle_session, with};
use super::status::{AURICLE_DROPPED, AURICLE_OK, auricle_status};
use crate::error::Result;
use crate::pcm::{self, Format, MAX_CHANNELS};
use crate::ring::Pushed;
use crate::session::Session;

fn pushed(pushed: Pushed) -> i32 {
    if pushed.dropped == 0 { AURICLE_OK } else { AURICLE_DROPPED }
}

/// # Safety
/// `session` is null or a live session; `data` is null or `frames` frames of its channels.
unsafe fn push(
    session: *mut auricle_session,
    format: Result<Format>,
    name: &str,
    data: *const c_void,
    frames: usize,
) -> i32 {
    let body = |session: &Session| {
        let format = format?;
        let size = pcm::bytes(frames, session.channels() as usize, format)?;
        // SAFETY: by contract; bytes need no alignment.
        let data = unsafe { pointer::slice(name, data.cast::<u8>(), "frames", size) }?;
        Ok(pushed(session.push(format, data)?))
    };
    // SAFETY: by contract.
    unsafe { with(session, body) }
}

/// # Safety
/// `session` is null or a live session; `channels` is null or a pointer for each of its channels, each of them
/// null or `frames` samples.
unsafe fn push_planar(
    session: *mut auricle_session,
    format: Result<Format>,
    channels: *const *const c_void,
    frames: usize,
) -> i32 {
    let body = |session: &Session| {
        let format = format?;
        let size = pcm::bytes(frames, 1, format)?;
        let count = if frames == 0 { 0 } else { session.channels() as usize };
        // SAFETY: by contract.
        let pointers = unsafe { pointer::slice("channels", channels, "channels", count) }?;
        let mut planes = [&[][..]; MAX_CHANNELS];
        for (plane, &data) in planes.iter_mut().zip(pointers) {
            // SAFETY: by contract; bytes need no alignment.
            *plane = unsafe { pointer::slice("a channel", data.cast::<u8>(), "frames", size) }?;
        }
        Ok(pushed(session.push_planar(format, &planes[..session.channels() as usize])?))
    };
    // SAFETY: by contract.
    unsafe { with(session, body) }
}

/// Pushes `frames` frames of interleaved floats, full scale 1.0; `interleaved` has frames * channels of them.
/// Samples that are NaN or infinite are taken as 0 and counted in the result.
///
/// The pushing thread. Never blocks, locks or allocates, at any number of frames.
/// - AURICLE_OK
/// - AURICLE_DROPPED: the ring is full: auricle_session_pending and `frames` are more than it holds. What does not fit
///   is lost, or with AURICLE_DROP_OLDEST what has waited longest. Read more often, or ask for a longer ring. The
///   stream goes on: its clock counts the lost frames.
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `frames` is absurd. Nothing was taken.
/// - AURICLE_INVALID_STATE: the stream was finished (reset it first), or another thread is pushing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_push_f32(
    session: *mut auricle_session,
    interleaved: *const f32,
    frames: usize,
) -> auricle_status {
    // SAFETY: the header's conventions.
    unsafe { push(session, Ok(Format::F32), "interleaved", interleaved.cast(), frames) }
}

/// Pushes `frames` frames of interleaved 16-bit samples. Otherwise as auricle_session_push_f32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_push_i16(
    session: *mut auricle_session,
    interleaved: *const i16,
    frames: usize,
) -> auricle_status {
    // SAFETY: the header's conventions.
    unsafe { push(session, Ok(Format::I16), "interleaved", interleaved.cast(), frames) }
}

/// Pushes `frames` frames of interleaved samples of any format: AURICLE_U8 to AURICLE_F64. `data` needs no
/// alignment. A `format` that is none of these gives AURICLE_INVALID_ARGUMENT. Otherwise as
/// auricle_session_push_f32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_push_bytes(
    session: *mut auricle_session,
    format: i32,
    data: *const c_void,
    frames: usize,
) -> auricle_status {
    // SAFETY: the header's conventions.
    unsafe { push(session, Format::try_from(format), "data", data, frames) }
}

/// Pushes `frames` frames of floats that lie in one array for each channel: `channels` has as many pointers as
/// the session has channels, none of them NULL unless `frames` is 0. Otherwise as auricle_session_push_f32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_push_planar_f32(
    session: *mut auricle_session,
    channels: *const *const f32,
    frames: usize,
) -> auricle_status {
    // SAFETY: the header's conventions.
    unsafe { push_planar(session, Ok(Format::F32), channels.cast(), frames) }
}

/// Pushes `frames` frames of any format, AURICLE_U8 to AURICLE_F64, that lie in one array for each channel.
/// The arrays need no alignment. Otherwise as auricle_session_push_planar_f32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_push_planar_bytes(
    session: *mut auricle_session,
    format: i32,
    channels: *const *const c_void,
    frames: usize,
) -> auricle_status {
    // SAFETY: the header's conventions.
    unsafe { push_planar(session, Format::try_from(format), channels, frames) }
}

/// Says that the source lost `lost_frames` frames here (an overrun of the device, a lost packet). The clock of
/// the stream goes on by as many, silence stands in for them, and gap_frames of the results that they touch
/// counts them, so that later results stay in their true place. A gap takes no room in the ring, and any number of
/// them may wait to be read.
///
/// The pushing thread. Never blocks, locks or allocates.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: `session` is NULL.
/// - AURICLE_INVALID_STATE: as for auricle_session_push_f32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_gap(
    session: *mut auricle_session,
    lost_frames: u64,
) -> auricle_status {
    let body = |session: &Session| session.gap(lost_frames).map(|()| AURICLE_OK);
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}

/// Says that no more input comes. Reads go on to the end of the audio: if its last stretch fills no whole window,
/// it gets one that is padded as the manifest says, unless it has not one new row of features. Then they
/// return AURICLE_END. Finishing twice is fine.
///
/// The pushing thread. Never blocks, locks or allocates.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: `session` is NULL.
/// - AURICLE_INVALID_STATE: another thread is pushing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_finish(session: *mut auricle_session) -> auricle_status {
    let body = |session: &Session| session.finish().map(|()| AURICLE_OK);
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}
