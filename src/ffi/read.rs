//! READING
//!
//! The reading half of a session: windows with their scores, and events.

use std::time::Duration;

use bytemuck::{Pod, Zeroable};

use super::pointer::{self, Out};
use super::session::{auricle_session, with};
use super::status::{AURICLE_AGAIN, AURICLE_CANCELLED, AURICLE_END, AURICLE_OK, auricle_status};
use super::structs::{self, HasStructSize};
use crate::events::Event;
use crate::pipeline::Window;
use crate::session::{Read, Session, Wait};

/// Where a window lies in the stream, and what state its audio is in. Call auricle_result_init once; every read
/// that returns AURICLE_OK then fills it anew. Frames are the program's, as it pushed them, counted from 0; the
/// delays of conversion and features are taken out. Levels, and the counts of clipped and non-finite frames, are
/// taken in stretches of 10 ms: those that end in the window.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_result {
    /// Size of this struct; set by auricle_result_init.
    pub struct_size: u32,
    /// 1 if the RMS is below -80 dBFS, else 0.
    pub silent: u32,
    /// First frame of the window.
    pub first_frame: u64,
    /// One past its last frame.
    pub end_frame: u64,
    /// Number of the window on the grid of hops. A window that lies wholly in a gap is left out, its number too.
    pub sequence: u64,
    /// Highest absolute sample over all channels, dBFS; minus infinity for digital silence.
    pub peak_dbfs: f32,
    /// Root mean square of the mono signal, dBFS; minus infinity for digital silence.
    pub rms_dbfs: f32,
    /// Mean of the mono signal, full scale 1.0. Far from 0 means a faulty source.
    pub dc_offset: f32,
    /// 1 if the inference took longer than a hop, else 0: the machine cannot keep up with the stream.
    pub late: u32,
    /// Frames with a sample at full scale: the source was too loud.
    pub clipped_frames: u64,
    /// Frames with a sample that was NaN, infinite or absurd, and was taken as 0.
    pub non_finite_frames: u64,
    /// Frames of the window lost because the ring was full (AURICLE_DROPPED): exact, however many losses there were.
    /// They were taken as silence.
    pub dropped_frames: u64,
    /// Frames of the window that lie in gaps (auricle_session_gap): exact as well. They were taken as silence.
    pub gap_frames: u64,
    /// How long ONNX Runtime took, nanoseconds.
    pub inference_nanoseconds: u64,
    /// Estimate of the steady noise, dBFS: the level that the quietest tenth of the last 5 seconds does not exceed,
    /// in stretches of 10 ms without DC; minus infinity for digital silence. A sound that lasts longer counts as noise.
    pub noise_floor_dbfs: f32,
    /// Power of the window above the noise floor, to the noise floor, dB; minus infinity if nothing is above it.
    pub snr_db: f32,
}

// SAFETY: integers and floats, all valid as zeros.
unsafe impl Zeroable for auricle_result {}
// SAFETY: as above, and no padding (96 bytes; tests/c/header.c).
unsafe impl Pod for auricle_result {}
// SAFETY: as above.
unsafe impl HasStructSize for auricle_result {
    const NAME: &'static str = "auricle_result";
    const FIRST: usize = 88;
}

impl From<Window> for auricle_result {
    fn from(window: Window) -> Self {
        let health = window.health;
        Self {
            struct_size: size_of::<Self>() as u32,
            silent: health.silent.into(),
            first_frame: window.first_frame,
            end_frame: window.end_frame,
            sequence: window.sequence,
            peak_dbfs: health.peak_dbfs,
            rms_dbfs: health.rms_dbfs,
            noise_floor_dbfs: health.noise_floor_dbfs,
            snr_db: health.snr_db,
            dc_offset: health.dc_offset,
            late: window.late.into(),
            clipped_frames: health.clipped_frames,
            non_finite_frames: health.non_finite_frames,
            dropped_frames: health.dropped_frames,
            gap_frames: health.gap_frames,
            inference_nanoseconds: window.inference_nanoseconds,
        }
    }
}

/// A sound from its onset to its offset. It is reported twice with the same id: provisional as soon as its class is on
/// for long enough, and final once it is over. Call auricle_event_init once; every auricle_session_read_event that
/// returns AURICLE_OK then fills it anew. Frames are the program's.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_event {
    /// Size of this struct; set by auricle_event_init.
    pub struct_size: u32,
    /// 1 if the event is over and will not change any more, else 0.
    pub is_final: u32,
    /// Number of the event in its stream, from 1.
    pub id: u64,
    /// Index of the class: auricle_model_label.
    pub class_index: u64,
    /// First frame of the sound, to about a hop.
    pub onset_frame: u64,
    /// One past its last frame, to about a hop; of a provisional event, how far it has been heard.
    pub offset_frame: u64,
    /// End of the window that decided it.
    pub decided_frame: u64,
    /// Highest score of its windows.
    pub peak_score: f32,
    /// Mean score of its windows.
    pub mean_score: f32,
    /// Events that were given up just before this one, because 256 of them waited.
    pub lost_before: u64,
}

// SAFETY: integers and floats, all valid as zeros.
unsafe impl Zeroable for auricle_event {}
// SAFETY: as above, and no padding (64 bytes; tests/c/header.c).
unsafe impl Pod for auricle_event {}
// SAFETY: as above.
unsafe impl HasStructSize for auricle_event {
    const NAME: &'static str = "auricle_event";
    const FIRST: usize = 64;
}

impl From<Event> for auricle_event {
    fn from(event: Event) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            is_final: event.is_final.into(),
            id: event.id,
            class_index: event.class as u64,
            onset_frame: event.onset_frame,
            offset_frame: event.offset_frame,
            decided_frame: event.decided_frame,
            peak_score: event.peak_score,
            mean_score: event.mean_score,
            lost_before: event.lost_before,
        }
    }
}

/// Does the work that is due (conversion, features, inference) and gives the next window's scores. Call it until
/// it returns something else than AURICLE_OK.
///
/// `scores` has room for `capacity` values and takes one for each class (auricle_model_class_count); what lies
/// behind them is not touched. A capacity of 0, with NULL: only events are wanted. `result` takes the
/// place of the window and the state of its audio; prepare it once with auricle_result_init. Both are written with AURICLE_OK only.
///
/// The reading thread. Takes as long as an inference when a window is due.
/// - AURICLE_OK: one window was written; there may be more.
/// - AURICLE_AGAIN: not enough audio yet: push more first. Or max_windows_per_read was reached.
/// - AURICLE_END: the stream was finished and all of it has been read.
/// - AURICLE_CANCELLED: auricle_session_cancel was called.
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `result` was not prepared. Nothing was consumed.
/// - AURICLE_BUFFER_TOO_SMALL: `capacity` is below the number of classes. Nothing was consumed.
/// - AURICLE_CLIP_TOO_SHORT: the stream was finished before the model could see even one row of features. It has
///   no windows; the next read gives AURICLE_END.
/// - AURICLE_INFERENCE, AURICLE_MODEL: ONNX Runtime failed; the last error has its reason. This window is lost;
///   the next read goes on behind it.
/// - AURICLE_MEMORY: what the network asks for, or the buffers for a thread that reads for the first time, cannot be
///   had. This window is lost; the next read goes on behind it.
/// - AURICLE_INVALID_STATE: another thread is reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_read(
    session: *mut auricle_session,
    scores: *mut f32,
    capacity: usize,
    result: *mut auricle_result,
) -> auricle_status {
    let body = |session: &Session| {
        // SAFETY: the header's conventions.
        let (scores, out) = unsafe {
            let scores = pointer::slice_mut("scores", scores, "capacity", capacity)?;
            (scores, structs::ResultOut::new("result", result)?)
        };
        let classes = session.class_count().min(capacity);
        Ok(match session.read(&mut scores[..classes])? {
            Read::Window(window) => {
                out.set(&window.into());
                AURICLE_OK
            }
            Read::Again => AURICLE_AGAIN,
            Read::End => AURICLE_END,
            Read::Cancelled => AURICLE_CANCELLED,
        })
    };
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}

/// Gives the next event that the windows read so far have made. Call it, after reading, until it returns something
/// else than AURICLE_OK. `event` is written with AURICLE_OK only; prepare it once with auricle_event_init.
///
/// The reading thread. Short.
/// - AURICLE_OK: one event was written; there may be more.
/// - AURICLE_AGAIN: none is waiting.
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `event` was not prepared.
/// - AURICLE_INVALID_STATE: neither the manifest's `stream` nor stream_json has `events`; or another thread is
///   reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_read_event(
    session: *mut auricle_session,
    event: *mut auricle_event,
) -> auricle_status {
    let body = |session: &Session| {
        // SAFETY: the header's conventions.
        let out = unsafe { structs::ResultOut::new("event", event) }?;
        Ok(match session.read_event()? {
            Some(event) => {
                out.set(&event.into());
                AURICLE_OK
            }
            None => AURICLE_AGAIN,
        })
    };
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}

/// Waits until a read has something to give, for at most `timeout_ms` milliseconds: for programs with a thread of
/// their own for reading. Audio that comes in meanwhile is taken out of the ring. Pushing makes no system call and so
/// wakes nobody; the waiting thread sleeps until the next window can be due, and looks again: it may answer a
/// few milliseconds late, and up to 50 ms after auricle_session_finish.
///
/// The reading thread.
/// - AURICLE_OK: read now.
/// - AURICLE_AGAIN: nothing came in that time.
/// - AURICLE_CANCELLED: auricle_session_cancel was called.
/// - AURICLE_INVALID_ARGUMENT: `session` is NULL.
/// - AURICLE_INVALID_STATE: another thread is reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_wait(
    session: *mut auricle_session,
    timeout_ms: u32,
) -> auricle_status {
    let body = |session: &Session| {
        Ok(match session.wait(Duration::from_millis(timeout_ms.into()))? {
            Wait::Ready => AURICLE_OK,
            Wait::TimedOut => AURICLE_AGAIN,
            Wait::Cancelled => AURICLE_CANCELLED,
        })
    };
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}

/// Wakes a thread that waits in auricle_session_wait, and ends a running inference as soon as its running kernel
/// does. Waits and reads return AURICLE_CANCELLED from now on, until auricle_session_reset: to end a reading thread.
///
/// Any thread but the audio thread: it locks.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: `session` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_cancel(session: *mut auricle_session) -> auricle_status {
    let body = |session: &Session| {
        session.cancel();
        Ok(AURICLE_OK)
    };
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}

/// Says how many frames were pushed and have not been read yet: how far the reading thread is behind.
///
/// Any thread. Never blocks, locks or allocates.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_pending(
    session: *mut auricle_session,
    frames: *mut u64,
) -> auricle_status {
    let body = |session: &Session| {
        // SAFETY: the header's conventions.
        unsafe { Out::new("frames", frames) }?.set(session.pending_frames());
        Ok(AURICLE_OK)
    };
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}
