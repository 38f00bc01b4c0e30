//! SESSIONS
//!
//! A session is one audio stream. Push into it as audio arrives, in pieces of any size; read until AURICLE_AGAIN.
//! How the audio is cut into pieces never changes a score.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytemuck::{Pod, Zeroable};

use super::model::auricle_model;
use super::pointer::{self, Out};
use super::status::{
    AURICLE_AGAIN, AURICLE_CANCELLED, AURICLE_DROPPED, AURICLE_END, AURICLE_OK, auricle_status,
};
use super::structs::{self, Sized32};
use super::{guard, guard_value};
use crate::error::{Error, Result, Status};
use crate::events::Event;
use crate::model::manifest::Stream;
use crate::pcm::{Format, MAX_CHANNELS};
use crate::ring::{Overflow, Pushed};
use crate::session::{Read, Session, SessionOptions, Wait, Window};

/// Sample format: unsigned 8 bit, 128 is silence.
pub const AURICLE_U8: i32 = 1;
/// Sample format: signed 16 bit.
pub const AURICLE_I16: i32 = 2;
/// Sample format: signed 24 bit, packed into 3 bytes, little-endian.
pub const AURICLE_I24: i32 = 3;
/// Sample format: signed 32 bit.
pub const AURICLE_I32: i32 = 4;
/// Sample format: float, full scale 1.0.
pub const AURICLE_F32: i32 = 5;
/// Sample format: double, full scale 1.0.
pub const AURICLE_F64: i32 = 6;

/// When the ring is full: the frames pushed last are lost (the default).
pub const AURICLE_DROP_NEWEST: i32 = 1;
/// When the ring is full: the frames that have waited longest are lost.
pub const AURICLE_DROP_OLDEST: i32 = 2;

const _: () = assert!(
    AURICLE_DROP_NEWEST == Overflow::DropNewest as i32 && AURICLE_DROP_OLDEST == Overflow::DropOldest as i32
);
const _: () = assert!(
    AURICLE_U8 == Format::U8 as i32
        && AURICLE_I16 == Format::I16 as i32
        && AURICLE_I24 == Format::I24 as i32
        && AURICLE_I32 == Format::I32 as i32
        && AURICLE_F32 == Format::F32 as i32
        && AURICLE_F64 == Format::F64 as i32
);

/// How a session is set up. Call auricle_session_options_init, then set what should differ from the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_session_options {
    /// Size of this struct; set by auricle_session_options_init.
    pub struct_size: u32,
    /// Rate of the audio that will be pushed, Hz; 8000 to 384000; 0: the model's.
    pub sample_rate: u32,
    /// Channels of that audio, 1 to 8, averaged to mono; 0: 1.
    pub channels: u32,
    /// After so many windows in a row a read returns AURICLE_AGAIN although more is waiting, so that a loop that reads
    /// until then (a frame of a game, say) does a bounded work; the next loop goes on. 0: no limit.
    pub max_windows_per_read: u32,
    /// Distance between windows, seconds, one sample of the model to 3600; 0: the one in stream_json, else the
    /// manifest's.
    pub hop_seconds: f64,
    /// How much audio can wait between push and read, seconds, one frame to 600; 0: 2.
    pub ring_seconds: f64,
    /// What is lost when the ring is full: AURICLE_DROP_NEWEST or AURICLE_DROP_OLDEST; 0: the newest.
    pub overflow: i32,
    /// Leave it 0.
    pub reserved: u32,
    /// Smoothing and events of this stream, JSON, in place of the `stream` object of the model's manifest, which
    /// docs/manifest.md describes. For example `{ "smoothing_seconds": 0.5, "events": { "on": 0.6 } }`. NULL: the
    /// manifest's. It is copied.
    pub stream_json: *const c_char,
}

// SAFETY: integers, floats and a pointer, all valid as zeros.
unsafe impl Zeroable for auricle_session_options {}
// SAFETY: as above; `repr(C)`.
unsafe impl Sized32 for auricle_session_options {
    const NAME: &'static str = "auricle_session_options";
    const FIRST: usize = 32;
}

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
    /// Frames lost because the ring was full (AURICLE_DROPPED). They were taken as silence.
    pub dropped_frames: u64,
    /// Frames that auricle_session_gap told of. They were taken as silence.
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
unsafe impl Sized32 for auricle_result {
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

/// A sound from its onset to its offset. It is told twice under the same id: provisional as soon as its class is on
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
unsafe impl Sized32 for auricle_event {
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

/// One audio stream.
///
/// Made by auricle_session_create; then, for each piece of audio, push and read until AURICLE_AGAIN; at the end
/// of the stream auricle_session_finish and read until AURICLE_END; ended by auricle_session_free.
pub struct auricle_session {
    core: Session,
    /// A call panicked, so `core` may be in any state.
    poisoned: AtomicBool,
}

const _: () = {
    const fn shared_by_two_threads<T: Send + Sync>() {}
    shared_by_two_threads::<auricle_model>();
    shared_by_two_threads::<auricle_session>();
};

/// Poisons a session if the body that uses it panics.
struct Poison<'a>(&'a AtomicBool);

impl Drop for Poison<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Release);
        }
    }
}

/// [`guard`] for the functions of a session.
///
/// # Safety
/// `session` is null or a live session.
unsafe fn with(session: *mut auricle_session, body: impl FnOnce(&Session) -> Result<i32>) -> i32 {
    guard(|| {
        // SAFETY: by contract.
        let session = unsafe { pointer::reference("session", session) }?;
        if session.poisoned.load(Ordering::Acquire) {
            return Err(Error::new(
                Status::InvalidState,
                "a defect of Auricle happened in this session (AURICLE_INTERNAL): it can only be freed",
            ));
        }
        let _poison = Poison(&session.poisoned);
        body(&session.core)
    })
}

/// # Safety
/// `options` is null or a struct as long as its `struct_size` says.
unsafe fn options(model: &auricle_model, options: *const auricle_session_options) -> Result<SessionOptions> {
    let given = match options.is_null() {
        true => auricle_session_options::zeroed(),
        // SAFETY: by contract.
        false => unsafe { structs::read("options", options) }?,
    };
    if given.reserved != 0 {
        return Err(Error::argument(format!("options->reserved is {}; it must be 0", given.reserved)));
    }
    let overflow = match given.overflow {
        0 | AURICLE_DROP_NEWEST => Overflow::DropNewest,
        AURICLE_DROP_OLDEST => Overflow::DropOldest,
        other => return Err(Error::argument(format!("options->overflow is {other}; valid 0..=2"))),
    };
    // SAFETY: by contract.
    let json = unsafe { pointer::optional_string("options->stream_json", given.stream_json) }?;
    let activation = model.core.manifest().output.activation;
    let utf8 = |json| pointer::utf8("options->stream_json", json);
    let stream = |json| Stream::parse(utf8(json)?, model.core.labels(), activation);
    Ok(SessionOptions {
        sample_rate: if given.sample_rate == 0 { model.core.sample_rate() } else { given.sample_rate },
        channels: given.channels.max(1),
        hop_seconds: (given.hop_seconds != 0.0).then_some(given.hop_seconds),
        ring_seconds: (given.ring_seconds != 0.0).then_some(given.ring_seconds),
        overflow,
        max_windows_per_read: given.max_windows_per_read,
        stream: json.map(stream).transpose()?,
    })
}

fn pushed(pushed: Pushed) -> i32 {
    if pushed.dropped == 0 { AURICLE_OK } else { AURICLE_DROPPED }
}

/// Bytes of `frames` frames with `channels` samples each.
fn bytes(frames: usize, channels: usize, format: Format) -> Result<usize> {
    let frame = channels * format.bytes();
    let size = frames.checked_mul(frame).filter(|&size| size <= isize::MAX as usize);
    size.ok_or_else(|| {
        Error::argument(format!(
            "frames is {frames}; at most {} of {frame} bytes",
            isize::MAX as usize / frame
        ))
    })
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
        let size = bytes(frames, session.channels() as usize, format)?;
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
        let size = bytes(frames, 1, format)?;
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

/// Starts a stream. `options` may be NULL: all defaults. The session keeps its own reference to the model,
/// which may be freed at once. `*session` then belongs to the caller: auricle_session_free.
///
/// All memory is taken here: about 4 bytes for each sample that the ring holds, and the buffers of the model.
///
/// Any thread.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or an option is out of its range; the last error has the
///   range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_create(
    model: *const auricle_model,
    options: *const auricle_session_options,
    session: *mut *mut auricle_session,
) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let (model, out) = unsafe { (pointer::reference("model", model)?, Out::new("session", session)?) };
        // SAFETY: the header's conventions.
        let core = Session::new(&model.core, &unsafe { self::options(model, options) }?)?;
        out.set(Box::into_raw(Box::new(auricle_session { core, poisoned: AtomicBool::new(false) })));
        Ok(AURICLE_OK)
    })
}

/// Pushes `frames` frames of interleaved floats, full scale 1.0; `interleaved` has frames * channels of them.
/// Samples that are NaN or infinite are taken as 0 and counted in the result.
///
/// The pushing thread. Never blocks, locks or allocates, at any number of frames.
/// - AURICLE_OK
/// - AURICLE_DROPPED: the ring is full. What does not fit is lost, or with AURICLE_DROP_OLDEST what has waited
///   longest. Read more often, or ask for a longer ring. The stream goes on: its clock counts the lost frames.
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
/// counts them, so that later results stay in their true place.
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
/// it gets one that is filled up as the manifest says, unless it has not one new row of features. Then they
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

/// Does the work that is due (conversion, features, inference) and gives the next window's scores. Call it until
/// it returns something else than AURICLE_OK.
///
/// `scores` has room for `capacity` values and takes one for each class (auricle_model_class_count); what lies
/// behind them is not touched. A capacity of 0, with NULL, is for who wants the events alone. `result` takes the
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
            (scores, structs::Out::new("result", result)?)
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
        let out = unsafe { structs::Out::new("event", event) }?;
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

/// Forgets the stream, finished or not: the next frame pushed is frame 0. Faster than a new session.
///
/// When neither half is running.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: `session` is NULL.
/// - AURICLE_INVALID_STATE: a thread is pushing or reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_reset(session: *mut auricle_session) -> auricle_status {
    let body = |session: &Session| session.reset().map(|()| AURICLE_OK);
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}

/// Ends a session. NULL does nothing. No other call with this handle may be running or follow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_free(session: *mut auricle_session) {
    guard_value((), || {
        if !session.is_null() {
            // SAFETY: made by Box::into_raw in auricle_session_create; by the header's conventions freed once.
            drop(unsafe { Box::from_raw(session) });
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::status::{AURICLE_INTERNAL, AURICLE_INVALID_STATE};
    use std::ptr::null;

    #[test]
    fn a_panic_poisons_its_session_and_no_other() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.onnx");
        let core =
            crate::Model::load(file, &Default::default()).expect("tiny.onnx, and ONNX Runtime to run it");
        let model = auricle_model::new(core);
        let mut sessions = [std::ptr::null_mut(); 2];
        // SAFETY: live handles; no pointer but NULL with a count of 0.
        unsafe {
            for session in &mut sessions {
                assert_eq!(auricle_session_create(&model, null(), session), AURICLE_OK);
            }
            let [broken, sound] = sessions;
            assert_eq!(with(broken, |_| panic!("defect")), AURICLE_INTERNAL);
            assert_eq!(auricle_session_push_f32(broken, null(), 0), AURICLE_INVALID_STATE);
            assert_eq!(auricle_session_reset(broken), AURICLE_INVALID_STATE);
            assert_eq!(auricle_session_push_f32(sound, null(), 0), AURICLE_OK);
            auricle_session_free(broken);
            auricle_session_free(sound);
        }
    }
}
