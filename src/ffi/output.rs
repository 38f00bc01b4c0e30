//! OUTPUTS
//!
//! A model has at least one output. The first is what auricle_session_read and auricle_classify_f32 give; the values of
//! all of them can be had for each result. A model whose first output has no labels gives vectors.

use std::ffi::c_char;

use bytemuck::{Pod, Zeroable};

use super::guard::{guard, guard_value};
use super::model::auricle_model;
use super::pointer::{self, Out};
use super::session::{auricle_session, with};
use super::status::{AURICLE_OK, auricle_status};
use super::structs::{self, HasStructSize};
use crate::error::Error;
use crate::manifest::Kind;
use crate::model::ModelOutput;
use crate::session::Session;

/// The output has a score for each of its classes.
pub const AURICLE_SCORES: i32 = 1;
/// The output is a vector: sounds that are alike have vectors that are.
pub const AURICLE_EMBEDDING: i32 = 2;
/// The output has other numbers.
pub const AURICLE_VALUES: i32 = 3;

/// What an output is. Call auricle_output_init once; auricle_model_output then fills it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_output {
    /// Size of this struct; set by auricle_output_init.
    pub struct_size: u32,
    /// AURICLE_SCORES, AURICLE_EMBEDDING or AURICLE_VALUES.
    pub kind: i32,
    /// Values that it has for each result: of scores the number of classes.
    pub size: u64,
    /// From one result to the next, seconds, if the network answers for many moments of a window; else 0.
    pub hop_seconds: f64,
}

// SAFETY: integers and a float, all valid as zeros.
unsafe impl Zeroable for auricle_output {}
// SAFETY: as above, and no padding (24 bytes; tests/c/header.c).
unsafe impl Pod for auricle_output {}
// SAFETY: as above.
unsafe impl HasStructSize for auricle_output {
    const NAME: &'static str = "auricle_output";
    const FIRST: usize = 24;
}

impl From<ModelOutput<'_>> for auricle_output {
    fn from(output: ModelOutput<'_>) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            kind: match output.kind {
                Kind::Scores => AURICLE_SCORES,
                Kind::Embedding => AURICLE_EMBEDDING,
                Kind::Values => AURICLE_VALUES,
            },
            size: output.size as u64,
            hop_seconds: output.hop_seconds.unwrap_or(0.0),
        }
    }
}

/// Number of outputs, at least 1; 0 if `model` is NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_output_count(model: *const auricle_model) -> usize {
    // SAFETY: the header's conventions.
    guard_value(0, || Ok(unsafe { pointer::reference("model", model) }?.core.output_count()))
}

/// Says what output `index` is. `output` is written with AURICLE_OK only; prepare it once with auricle_output_init. Any
/// thread.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, `output` was not prepared, or `index` is not below
///   auricle_model_output_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_output(
    model: *const auricle_model,
    index: usize,
    output: *mut auricle_output,
) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let (model, out) =
            unsafe { (pointer::reference("model", model)?, structs::ResultOut::new("output", output)?) };
        out.set(&model.core.require_output(index)?.into());
        Ok(AURICLE_OK)
    })
}

/// Name of output `index`: the manifest's, else the tensor's. UTF-8, borrowed: valid until auricle_model_free. NULL if
/// `model` is NULL or `index` is not below auricle_model_output_count; the last error says which. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_output_name(
    model: *const auricle_model,
    index: usize,
) -> *const c_char {
    guard_value(std::ptr::null(), || {
        // SAFETY: the header's conventions.
        let model = unsafe { pointer::reference("model", model) }?;
        model.core.require_output(index)?;
        Ok(model.output_name(index))
    })
}

/// Label of class `k` of output `index`, which has scores. UTF-8, borrowed: valid until auricle_model_free. NULL if
/// `model` is NULL, `index` is not below auricle_model_output_count, or `k` is not below the number of its labels; the
/// last error says which. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_output_label(
    model: *const auricle_model,
    index: usize,
    k: usize,
) -> *const c_char {
    guard_value(std::ptr::null(), || {
        // SAFETY: the header's conventions.
        let model = unsafe { pointer::reference("model", model) }?;
        let labels = model.core.require_output(index)?.labels.len();
        model
            .output_label(index, k)
            .ok_or_else(|| Error::argument(format!("k is {k}; output {index} has {labels} labels")))
    })
}

/// Writes the values of output `index` for the result that the last auricle_session_read gave: of the first output
/// what that read wrote, smoothed if the stream is; of others as the network gives them. `*count` becomes the number of
/// values, which auricle_model_output says before. Both are written with AURICLE_OK only.
///
/// The reading thread, before it reads or waits again. Short.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `index` is not below auricle_model_output_count.
/// - AURICLE_BUFFER_TOO_SMALL: `capacity` is below the number of values.
/// - AURICLE_INVALID_STATE: nothing was read yet, or the thread has read or waited again since; or another thread is
///   reading.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_session_output(
    session: *mut auricle_session,
    index: usize,
    values: *mut f32,
    capacity: usize,
    count: *mut usize,
) -> auricle_status {
    let body = |session: &Session| {
        // SAFETY: the header's conventions.
        let (values, out) = unsafe {
            (pointer::slice_mut("values", values, "capacity", capacity)?, Out::new("count", count)?)
        };
        out.set(session.output(index, values)?);
        Ok(AURICLE_OK)
    };
    // SAFETY: the header's conventions.
    unsafe { with(session, body) }
}
