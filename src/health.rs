//! What state the audio of a window is in.

/// RMS below which a window counts as silent, dBFS: under the noise of 14-bit converters, above that of 16-bit dither.
pub const SILENCE_DBFS: f32 = -80.0;

/// The noise floor is looked for in this much audio up to the end of the window, seconds.
pub const NOISE_SECONDS: u32 = 5;

/// What happened to the audio of one window. Levels are of the host's audio, before resampling. They, and the counts of
/// clipped and non-finite frames, are taken in stretches of 10 ms: those that end in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// Highest absolute sample of any channel, dBFS; -inf for digital silence.
    pub peak_dbfs: f32,
    /// Root mean square of the mono signal, dBFS (a full-scale square wave has 0); -inf for digital silence.
    pub rms_dbfs: f32,
    /// Estimate of the steady noise, dBFS: the level, without DC, that the quietest tenth of the stretches of 10 ms does not
    /// exceed in the last [`NOISE_SECONDS`] up to the end of the window. It reads up to 0.7 dB low for white noise, and
    /// a sound that has lasted longer than that counts as noise. -inf for digital silence.
    pub noise_floor_dbfs: f32,
    /// Power of the window above the noise floor, to the noise floor, dB: 10 log10((P - N) / N), without DC. -inf if
    /// there is nothing above it, +inf if the noise is digital silence.
    pub snr_db: f32,
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
