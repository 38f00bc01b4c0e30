//! CANCELLING
//!
//! A switch that stops work from another thread: loading a model, its self-check, classifying a clip. (A session has
//! auricle_session_cancel.)

use super::guard::{guard, guard_value};
use super::pointer::{self, Out};
use super::status::{AURICLE_OK, auricle_status};
use crate::error::Result;
use crate::inference::Cancel;

/// A switch. One may be given to any number of calls, at once or one after another.
pub struct auricle_cancel {
    core: Cancel,
}

/// # Safety
/// `cancel` is null or a live switch.
pub(super) unsafe fn optional(name: &str, cancel: *const auricle_cancel) -> Result<Option<Cancel>> {
    if cancel.is_null() {
        return Ok(None);
    }
    // SAFETY: by contract.
    Ok(Some(unsafe { pointer::reference(name, cancel) }?.core.clone()))
}

/// Makes a switch that is off. `*cancel` then belongs to the caller: auricle_cancel_free.
///
/// Any thread.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: `cancel` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_cancel_create(cancel: *mut *mut auricle_cancel) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let out = unsafe { Out::new("cancel", cancel) }?;
        out.set(Box::into_raw(Box::new(auricle_cancel { core: Cancel::new() })));
        Ok(AURICLE_OK)
    })
}

/// Calls that were given this switch return AURICLE_CANCELLED as soon as the kernel of the network that is running
/// ends; calls that are given it later return that at once. It stays on.
///
/// Any thread but the audio thread: it locks.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: `cancel` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_cancel_request(cancel: *const auricle_cancel) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        unsafe { pointer::reference("cancel", cancel) }?.core.request();
        Ok(AURICLE_OK)
    })
}

/// Frees a switch; calls that were given it go on. NULL does nothing. No other call with this handle may be running
/// or follow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_cancel_free(cancel: *mut auricle_cancel) {
    guard_value((), || {
        if !cancel.is_null() {
            // SAFETY: made by Box::into_raw in auricle_cancel_create; by contract it is freed once.
            drop(unsafe { Box::from_raw(cancel) });
        }
        Ok(())
    })
}
