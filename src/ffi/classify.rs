//! WHOLE CLIPS

use super::model::auricle_model;
use super::status::{AURICLE_OK, auricle_status};
use super::{guard, pointer};
use crate::Clip;
use crate::error::Error;

/// Scores of one whole clip: the mean of the scores of its windows, which lie the manifest's hop apart. A clip
/// shorter than a window is filled up as the manifest says.
///
/// `interleaved` has `frames` frames of `channels` samples, full scale 1.0; `channels` is 1 to 8, averaged to
/// mono; `sample_rate` is 8000 to 384000 Hz. `scores` has room for `capacity` values and takes one for each
/// class (auricle_model_class_count); what lies behind them is not touched.
///
/// Any thread, any number at once with the same model.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or a number is out of its range.
/// - AURICLE_BUFFER_TOO_SMALL: `capacity` is below the number of classes.
/// - AURICLE_CLIP_TOO_SHORT: too few frames for even one row of features, 0 for example.
/// - AURICLE_INFERENCE, AURICLE_MODEL: ONNX Runtime failed; the last error has its reason.
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
        let samples = frames.checked_mul(channels as usize).ok_or_else(|| {
            Error::argument(format!("frames is {frames}; too many for {channels} channels"))
        })?;
        // SAFETY: the header's conventions.
        let (model, interleaved, scores) = unsafe {
            (
                pointer::reference("model", model)?,
                pointer::slice("interleaved", interleaved, "frames * channels", samples)?,
                pointer::slice_mut("scores", scores, "capacity", capacity)?,
            )
        };
        let classes = model.core.labels().len().min(capacity);
        model.core.classify(Clip { interleaved, channels, sample_rate }, &mut scores[..classes])?;
        Ok(AURICLE_OK)
    })
}
