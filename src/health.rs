//! What state the audio of a window is in.

/// What happened to the audio of one window. Levels are of the host's audio before resampling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Health {
    /// Highest absolute sample over all channels, dBFS; -inf for digital silence.
    pub peak_dbfs: f32,
    /// Root mean square of the mono signal, dBFS (a full-scale square wave is 0); -inf for digital silence.
    pub rms_dbfs: f32,
    /// Mean of the mono signal (DC offset), full scale 1.0.
    pub dc_offset: f32,
    /// Frames with a sample at full scale.
    pub clipped_frames: u64,
    /// Frames with a sample that was NaN, infinite or absurd; such samples were replaced by 0.
    pub non_finite_frames: u64,
    /// Frames lost because the ring was full.
    pub dropped_frames: u64,
    /// Frames that the source said it lost.
    pub gap_frames: u64,
    /// Whether the window is silent: RMS below -80 dBFS.
    pub silent: bool,
}
