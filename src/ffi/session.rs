//! SESSIONS
//!
//! A session is one audio stream. Push into it as audio arrives, in pieces of any size; read until AURICLE_AGAIN.
//! How the audio is cut into pieces never changes a score.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::{Pod, Zeroable};

use super::model::auricle_model;
use super::pointer::{self, Out};
use super::status::{AURICLE_AGAIN, AURICLE_DROPPED, AURICLE_END, AURICLE_OK, auricle_status};
use super::structs::{self, Sized32};
use super::{guard, guard_value};
use crate::error::{Error, Result, Status};
use crate::pcm::{Format, MAX_CHANNELS};
use crate::session::{Pushed, Read, Session, SessionOptions, Window};

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
    /// Leave it 0.
    pub reserved: u32,
    /// Distance between windows, seconds, one sample of the model to 3600; 0: the manifest's.
    pub hop_seconds: f64,
    /// How much audio can wait between push and read, seconds, one frame to 600; 0: 2.
    pub ring_seconds: f64,
}

// SAFETY: integers and floats, no padding (32 bytes; tests/c/header.c).
unsafe impl Zeroable for auricle_session_options {}
// SAFETY: as above.
unsafe impl Pod for auricle_session_options {}
impl Sized32 for auricle_session_options {
    const NAME: &'static str = "auricle_session_options";
    const FIRST: usize = 32;
}

/// Where a window lies in the stream, and what state its audio is in. Call auricle_result_init once; every read
/// that returns AURICLE_OK then fills it anew. Frames are the program's, as it pushed them, counted from 0; the
/// delays of conversion and features are taken out.
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
    /// 0.
    pub reserved: u32,
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
}

// SAFETY: integers and floats, no padding (88 bytes; tests/c/header.c).
unsafe impl Zeroable for auricle_result {}
// SAFETY: as above.
unsafe impl Pod for auricle_result {}
impl Sized32 for auricle_result {
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
            dc_offset: health.dc_offset,
            reserved: 0,
            clipped_frames: health.clipped_frames,
            non_finite_frames: health.non_finite_frames,
            dropped_frames: health.dropped_frames,
            gap_frames: health.gap_frames,
            inference_nanoseconds: window.inference_nanoseconds,
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
    Ok(SessionOptions {
        sample_rate: if given.sample_rate == 0 { model.core.sample_rate() } else { given.sample_rate },
        channels: given.channels.max(1),
        hop_seconds: (given.hop_seconds != 0.0).then_some(given.hop_seconds),
        ring_seconds: (given.ring_seconds != 0.0).then_some(given.ring_seconds),
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
/// - AURICLE_DROPPED: the ring is full. What fits was taken, the rest is lost. Read more often, or ask for a longer
///   ring. The stream goes on: its clock counts the lost frames.
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
/// behind them is not touched. `result` takes the place of the window and the state of its audio; prepare it
/// once with auricle_result_init. Both are written with AURICLE_OK only.
///
/// The reading thread. Takes as long as an inference when a window is due.
/// - AURICLE_OK: one window was written; there may be more.
/// - AURICLE_AGAIN: not enough audio yet. Push more first.
/// - AURICLE_END: the stream was finished and all of it has been read.
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `result` was not prepared. Nothing was consumed.
/// - AURICLE_BUFFER_TOO_SMALL: `capacity` is below the number of classes. Nothing was consumed.
/// - AURICLE_CLIP_TOO_SHORT: the stream was finished before the model could see even one row of features. It has
///   no windows: reset or free the session.
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
        })
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
