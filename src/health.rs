//! What state the audio of a window is in.

/// RMS below which a window counts as silent, dBFS: under the noise of 14-bit converters, above that of 16-bit dither.
pub const SILENCE_DBFS: f32 = -80.0;

/// What happened to the audio of one window. Levels are of the host's audio, before resampling.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// Highest absolute sample of any channel, dBFS; -inf for digital silence.
    pub peak_dbfs: f32,
    /// Root mean square of the mono signal, dBFS (a full-scale square wave has 0); -inf for digital silence.
    pub rms_dbfs: f32,
    /// Mean of the mono signal, full scale 1.0.
    pub dc_offset: f32,
    /// Frames with a sample at full scale.
    pub clipped_frames: u64,
    /// Frames with a sample that was NaN, infinite or beyond any audio; such samples were replaced by 0.
    pub non_finite_frames: u64,
    /// Frames lost because the ring was full.
    pub dropped_frames: u64,
    /// Frames that the source said it lost.
    pub gap_frames: u64,
    /// RMS below [`SILENCE_DBFS`].
    pub silent: bool,
}

/// 20 log10(amplitude).
pub(crate) fn dbfs(amplitude: f64) -> f32 {
    (20.0 * amplitude.log10()) as f32
}
