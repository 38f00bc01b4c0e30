//! SESSIONS
//!
//! A session is one audio stream. Push into it as audio arrives, in pieces of any size; read until AURICLE_AGAIN.
//! How the audio is cut into pieces never changes a score.

use std::ffi::c_char;
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::Zeroable;

use super::guard::{guard, guard_value};
use super::model::auricle_model;
use super::pointer::{self, Out};
use super::status::{AURICLE_OK, auricle_status};
use super::structs::{self, HasStructSize};
use crate::error::{Error, Result, Status};
use crate::manifest::Stream;
use crate::memory::reserved;
use crate::ring::Overflow;
use crate::session::{Session, SessionOptions};

/// When the ring is full: the frames pushed last are lost (the default).
pub const AURICLE_DROP_NEWEST: i32 = 1;
/// When the ring is full: the frames that have waited longest are lost.
pub const AURICLE_DROP_OLDEST: i32 = 2;

const _: () = assert!(
    AURICLE_DROP_NEWEST == Overflow::DropNewest as i32 && AURICLE_DROP_OLDEST == Overflow::DropOldest as i32
);

/// How a session is set up. Call auricle_session_options_init, then set what should differ from the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_session_options {
    /// Size of this struct; set by auricle_session_options_init.
    pub struct_size: u32,
    /// Rate of the audio that will be pushed, Hz; 1000 to 384000; 0: the model's.
    pub sample_rate: u32,
    /// Channels of that audio, 1 to 8; 0: 1.
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
    /// The channel that is heard, counted from 1; 0: the mean of all.
    pub channel: u32,
    /// Smoothing and events of this stream, JSON, in place of the `stream` object of the model's manifest, which
    /// docs/manifest.md describes. For example `{ "smoothing_seconds": 0.5, "events": { "on": 0.6 } }`. NULL: the
    /// manifest's. It is copied.
    pub stream_json: *const c_char,
}

// SAFETY: integers, floats and a pointer, all valid as zeros.
unsafe impl Zeroable for auricle_session_options {}
// SAFETY: as above; `repr(C)`.
unsafe impl HasStructSize for auricle_session_options {
    const NAME: &'static str = "auricle_session_options";
    const FIRST: usize = 32;
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

impl auricle_session {
    /// The session, unless a defect happened in it.
    fn sound(&self) -> Result<&Session> {
        match self.poisoned.load(Ordering::Acquire) {
            false => Ok(&self.core),
            true => Err(Error::new(
                Status::InvalidState,
                "a defect of Auricle happened in this session (AURICLE_INTERNAL): it can only be freed",
            )),
        }
    }
}

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
pub(super) unsafe fn with(session: *mut auricle_session, body: impl FnOnce(&Session) -> Result<i32>) -> i32 {
    guard(|| {
        // SAFETY: by contract.
        let session = unsafe { pointer::reference("session", session) }?;
        let core = session.sound()?;
        let _poison = Poison(&session.poisoned);
        body(core)
    })
}

/// [`with`] for a function that takes several sessions.
///
/// # Safety
/// `sessions` is null or `count` pointers, each null or a live session.
pub(super) unsafe fn with_all(
    sessions: *const *mut auricle_session,
    count: usize,
    body: impl FnOnce(&[&Session]) -> Result<i32>,
) -> i32 {
    guard(|| {
        // SAFETY: by contract.
        let given = unsafe { pointer::slice("sessions", sessions, "count", count) }?;
        let mut cores = reserved(count, "the sessions")?;
        let mut poisons = reserved(count, "the sessions")?;
        for (index, &session) in given.iter().enumerate() {
            // SAFETY: by contract.
            let session = unsafe { pointer::reference(&format!("sessions[{index}]"), session) }?;
            cores.push(session.sound()?);
            poisons.push(Poison(&session.poisoned));
        }
        body(&cores)
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
    let overflow = match given.overflow {
        0 | AURICLE_DROP_NEWEST => Overflow::DropNewest,
        AURICLE_DROP_OLDEST => Overflow::DropOldest,
        other => return Err(Error::argument(format!("options->overflow is {other}; valid 0..=2"))),
    };
    // SAFETY: by contract.
    let json = unsafe { pointer::optional_string("options->stream_json", given.stream_json) }?;
    let stream = |json| Stream::parse(pointer::utf8("options->stream_json", json)?, model.core.manifest());
    Ok(SessionOptions {
        sample_rate: if given.sample_rate == 0 { model.core.sample_rate() } else { given.sample_rate },
        channels: given.channels.max(1),
        channel: given.channel,
        hop_seconds: (given.hop_seconds != 0.0).then_some(given.hop_seconds),
        ring_seconds: (given.ring_seconds != 0.0).then_some(given.ring_seconds),
        overflow,
        max_windows_per_read: given.max_windows_per_read,
        stream: json.map(stream).transpose()?,
    })
}

/// Starts a stream. `options` may be NULL: all defaults. The session keeps its own reference to the model,
/// which may be freed at once. `*session` then belongs to the caller: auricle_session_free.
///
/// All memory is taken here: about 4 bytes for each sample that the ring holds, and the buffers of the model. For
/// losses 24 bytes more are reserved for each frame of the ring; they are used only if so many wait to be read (the first
/// 1024 cost a push nothing, further ones may cost it a page fault each 170). Of a ring larger than 64 MiB the rest
/// is made ready by the reads, 64 MiB ahead of the pushes.
///
/// Any thread.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or an option is out of its range; the last error has the
///   range.
/// - AURICLE_MEMORY: the ring, or a buffer of the model, cannot be had; the last error has its size.
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
    use crate::ffi::push::auricle_session_push_f32;
    use crate::ffi::status::{AURICLE_INTERNAL, AURICLE_INVALID_STATE};
    use std::ptr::null;

    #[test]
    fn a_panic_poisons_its_session_and_no_other() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.onnx");
        let core =
            crate::Model::load(file, &Default::default()).expect("tiny.onnx, and ONNX Runtime to run it");
        let model = auricle_model::new(core).expect("three labels");
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
