//! WHOLE CLIPS

use bytemuck::Zeroable;
use std::ffi::c_void;

use super::cancel::{self, auricle_cancel};
use super::guard::guard;
use super::model::auricle_model;
use super::pointer;
use super::status::{AURICLE_OK, auricle_status};
use super::structs::{self, HasStructSize};
use crate::clip::Clip;
use crate::error::Result;
use crate::model::ClipOptions;
use crate::pcm::{self, Format};

/// How a clip is looked at. Call auricle_clip_options_init, then set what should differ from the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_clip_options {
    /// Size of this struct; set by auricle_clip_options_init.
    pub struct_size: u32,
    /// The channel that is heard, counted from 1; 0: the mean of all.
    pub channel: u32,
    /// Distance between windows, seconds, one sample of the model to 3600; 0: the manifest's.
    pub hop_seconds: f64,
    /// Stops the call from another thread; NULL: nothing does. It may be freed at once.
    pub cancel: *const auricle_cancel,
    /// The output that the call gives the mean of (auricle_model_output); 0: the first.
    pub output: u32,
    /// Leave it 0.
    pub reserved: u32,
}

// SAFETY: integers, a float and a pointer, all valid as zeros.
unsafe impl Zeroable for auricle_clip_options {}
// SAFETY: as above; `repr(C)`.
unsafe impl HasStructSize for auricle_clip_options {
    const NAME: &'static str = "auricle_clip_options";
    const FIRST: usize = 24;
}

/// # Safety
/// `options` is null or a struct as long as its `struct_size` says.
unsafe fn options(options: *const auricle_clip_options) -> Result<ClipOptions> {
    if options.is_null() {
        return Ok(ClipOptions::default());
    }
    // SAFETY: by contract.
    let given = unsafe { structs::read("options", options) }?;
    structs::unused(given.reserved)?;
    Ok(ClipOptions {
        channel: given.channel,
        hop_seconds: (given.hop_seconds != 0.0).then_some(given.hop_seconds),
        stream: None,
        output: given.output as usize,
        // SAFETY: the header's conventions.
        cancel: unsafe { cancel::optional("options->cancel", given.cancel) }?,
    })
}

/// Scores of one whole clip: the mean of the scores of its windows, which lie the manifest's hop apart. A clip
/// shorter than a window is padded as the manifest says.
///
/// `interleaved` has `frames` frames of `channels` samples, full scale 1.0; `channels` is 1 to 8, averaged to
/// mono; `sample_rate` is 1000 to 384000 Hz. `scores` has room for `capacity` values and takes one for each
/// class (auricle_model_class_count); what lies behind them is not touched.
///
/// Any thread, any number at once with the same model.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or a number is out of its range.
/// - AURICLE_BUFFER_TOO_SMALL: `capacity` is below the number of classes.
/// - AURICLE_CLIP_TOO_SHORT: too few frames for even one row of features, 0 for example.
/// - AURICLE_INFERENCE: ONNX Runtime failed; the last error has its reason.
/// - AURICLE_MEMORY: a buffer, or what the network asks for, cannot be had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_classify_f32(
    model: *const auricle_model,
    interleaved: *const f32,
    frames: usize,
    channels: u32,
    sample_rate: u32,
    scores: *mut f32,
    capacity: usize,
) -> auricle_status {
    guard(|| {
        let samples = pcm::bytes(frames, channels as usize, Format::F32)? / size_of::<f32>();
        // SAFETY: the header's conventions.
        let (model, interleaved, scores) = unsafe {
            (
                pointer::reference("model", model)?,
                pointer::slice("interleaved", interleaved, "frames * channels", samples)?,
                pointer::slice_mut("scores", scores, "capacity", capacity)?,
            )
        };
        model.core.classify(Clip { interleaved, channels, sample_rate }, scores)?;
        Ok(AURICLE_OK)
    })
}

/// auricle_classify_f32 for interleaved samples of any format, AURICLE_U8 to AURICLE_F64, with options, which may be
/// NULL: all defaults. `interleaved` needs no alignment. With `options->output` the values are those of another output,
/// the mean over all results too.
///
/// Any thread, any number at once with the same model.
/// - AURICLE_OK
/// - AURICLE_CANCELLED: `options->cancel` was requested. `scores` are as they were.
/// - AURICLE_INVALID_ARGUMENT, AURICLE_BUFFER_TOO_SMALL, AURICLE_CLIP_TOO_SHORT, AURICLE_INFERENCE, AURICLE_MEMORY:
///   as for auricle_classify_f32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_classify(
    model: *const auricle_model,
    format: i32,
    interleaved: *const c_void,
    frames: usize,
    channels: u32,
    sample_rate: u32,
    options: *const auricle_clip_options,
    scores: *mut f32,
    capacity: usize,
) -> auricle_status {
    guard(|| {
        let format = Format::try_from(format)?;
        let size = pcm::bytes(frames, channels as usize, format)?;
        // SAFETY: the header's conventions.
        let (model, data, options, scores) = unsafe {
            (
                pointer::reference("model", model)?,
                pointer::slice("interleaved", interleaved.cast::<u8>(), "frames * channels", size)?,
                self::options(options)?,
                pointer::slice_mut("scores", scores, "capacity", capacity)?,
            )
        };
        model.core.classify_bytes(format, data, channels, sample_rate, &options, scores)?;
        Ok(AURICLE_OK)
    })
}
