//! One whole recording in memory: its mono samples, its features.

use crate::error::{Error, Result, Status};
use crate::features::Features;
use crate::float_env::FloatEnv;
use crate::manifest::Manifest;
use crate::memory::{filled, reserved};
use crate::pcm::{Downmix, Stats};
use crate::resample::{Method, Resampler};

/// One whole recording in memory.
#[derive(Clone, Copy, Debug)]
pub struct Clip<'a> {
    /// Samples, interleaved, full scale 1.0.
    pub interleaved: &'a [f32],
    /// Channels; valid 1..=8.
    pub channels: u32,
    /// Rate, Hz; valid 1000..=384000.
    pub sample_rate: u32,
}

impl Clip<'_> {
    pub(crate) fn check(&self) -> Result<()> {
        let channels = self.channels as usize;
        Downmix::new(channels)?;
        require_frames(self.interleaved.len())?;
        if !self.interleaved.len().is_multiple_of(channels) {
            return Err(Error::argument(format!(
                "{} samples are no whole number of frames of {channels} channels",
                self.interleaved.len()
            )));
        }
        Ok(())
    }

    /// The mean of the channels, converted to `rate` Hz.
    pub fn mono_at(&self, rate: u32) -> Result<Vec<f32>> {
        self.mono_by(rate, Method::default())
    }

    fn mono_by(&self, rate: u32, method: Method) -> Result<Vec<f32>> {
        self.check()?;
        let _float_env = FloatEnv::enter();
        let mut mono =
            filled(self.interleaved.len() / self.channels as usize, 0.0, "the samples of the clip")?;
        Downmix::new(self.channels as usize)?.mix(self.interleaved, &mut mono, &mut Stats::default());
        if self.sample_rate == rate {
            return Ok(mono);
        }
        let mut resampler = Resampler::with_method(self.sample_rate, rate, method)?;
        let count = (mono.len() as u128 * u128::from(rate)).div_ceil(self.sample_rate.into());
        let mut samples = reserved(count.try_into().unwrap_or(usize::MAX), "the samples of the clip")?;
        resampler.push(&mono, |out| samples.extend_from_slice(out));
        resampler.finish(|out| samples.extend_from_slice(out));
        Ok(samples)
    }

    /// The rows of features of the whole clip, computed as `manifest` says: `(values, bins)` with
    /// `values[row * bins + bin]`. What belongs to a window is left out: `input.samples`, `input.normalize`, `input.stack`.
    pub fn features(&self, manifest: &Manifest) -> Result<(Vec<f32>, usize)> {
        let _float_env = FloatEnv::enter();
        let rate = manifest.input.sample_rate;
        let samples = self.mono_by(rate, manifest.input.resampler.unwrap_or_default())?;
        let mut features = Features::new(&manifest.input.features, rate, "input.features")?;
        let (rows, bins) = (features.rows(samples.len()), features.bins());
        if rows == 0 {
            return Err(Error::new(
                Status::ClipTooShort,
                format!(
                    "the clip has {} samples at the model's {rate} Hz; the first row of features needs {}",
                    samples.len(),
                    features.min_samples()
                ),
            ));
        }
        let mut values = filled(rows.saturating_mul(bins), 0.0, "the features of the clip")?;
        features.compute(&samples, &mut values);
        Ok((values, bins))
    }
}

/// An error for a clip without any.
pub(crate) fn require_frames(frames: usize) -> Result<()> {
    match frames {
        0 => Err(Error::new(Status::ClipTooShort, "the clip has 0 frames")),
        _ => Ok(()),
    }
}
