//! READING MANY SESSIONS AT ONCE

use std::time::Duration;

use super::last_error;
use super::pointer;
use super::read::auricle_result;
use super::session::{auricle_session, with_all};
use super::status::{AURICLE_AGAIN, AURICLE_CANCELLED, AURICLE_END, AURICLE_OK, auricle_status};
use super::structs::ResultOut;
use crate::memory::filled;
use crate::session::{Read, Session, read_many};

/// Gives the next window of each of `count` sessions, all of one model: what as many auricle_session_read would give, but
/// windows that are ready go through the network together, up to auricle_model_options.max_batch in a run. On a GPU that
/// is what makes hundreds of streams cheap. The scores are those of single reads but for their last digits.
///
/// Waits until every session has a window or its end, for at most `deadline_ms` milliseconds, then scores those that are
/// ready. Session i writes its scores to `scores` from `i * classes` on, classes being auricle_model_class_count, its
/// window to `results[i]` (each prepared with auricle_result_init), and what its read would have returned to
/// `statuses[i]`; scores and result are written with AURICLE_OK there only. The last error is that of the last session
/// that failed.
///
/// The reading thread of all these sessions. A session's cancel does not end a run that others share.
/// - AURICLE_OK: at least one window was written; `statuses` has what became of each session.
/// - AURICLE_AGAIN: none was; `statuses` says why.
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, a result was not prepared, or the sessions have different models.
///   Nothing was consumed.
/// - AURICLE_BUFFER_TOO_SMALL: `capacity` is below `count * classes`. Nothing was consumed.
/// - AURICLE_MEMORY: the lists of the call cannot be had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_read_many(
    sessions: *const *mut auricle_session,
    count: usize,
    deadline_ms: u32,
    scores: *mut f32,
    capacity: usize,
    results: *mut auricle_result,
    statuses: *mut auricle_status,
) -> auricle_status {
    let body = |sessions: &[&Session]| {
        // SAFETY: the header's conventions.
        let (scores, outs, statuses) = unsafe {
            (
                pointer::slice_mut("scores", scores, "capacity", capacity)?,
                ResultOut::list("results", results, count)?,
                pointer::slice_mut("statuses", statuses, "count", count)?,
            )
        };
        let mut reads = filled(count, Ok(Read::Again), "the reads")?;
        let windows = read_many(sessions, Duration::from_millis(deadline_ms.into()), scores, &mut reads)?;
        for ((read, out), status) in reads.into_iter().zip(outs).zip(statuses) {
            *status = match read {
                Ok(Read::Window(window)) => {
                    out.set(&window.into());
                    AURICLE_OK
                }
                Ok(Read::Again) => AURICLE_AGAIN,
                Ok(Read::End) => AURICLE_END,
                Ok(Read::Cancelled) => AURICLE_CANCELLED,
                Err(error) => last_error::set(error.message(), error.status()),
            };
        }
        Ok(if windows > 0 { AURICLE_OK } else { AURICLE_AGAIN })
    };
    // SAFETY: the header's conventions.
    unsafe { with_all(sessions, count, body) }
}
