//! Annotated scenes from clips: sounds at random times and levels over a background (as Scaper does: Salamon et al., WASPAA
//! 2017), so that the events of a model can be measured and tuned without a recording that somebody annotated.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::augment::rms;
use crate::dataset::Clip;
use crate::evaluate::events::Sound;
use crate::evaluate::noise::pink;

/// Level of the background, RMS: -40 dB of full scale.
const BACKGROUND: f32 = 0.01;
/// Frames by which the place of a sound in its clip is found, seconds.
const FRAME: f64 = 0.02;
/// A frame this far below the loudest one is silence, dB.
const SILENT_DB: f32 = 35.0;
/// Silence in a sound that does not end it, seconds.
const PAUSE: f64 = 0.4;
/// Places that are tried for a sound that must not overlap another.
const TRIES: usize = 50;

/// What scenes are made.
#[derive(Args, Clone, Debug)]
pub struct Scenes {
    /// Number of scenes.
    #[arg(long, default_value_t = 20)]
    pub scenes: usize,
    /// Length of each, s.
    #[arg(long, default_value_t = 60.0)]
    pub seconds: f64,
    /// Fewest and most sounds in a scene.
    #[arg(long, value_delimiter = ',', default_values_t = [4, 9])]
    pub sounds: Vec<usize>,
    /// Lowest and highest SNR of a sound to the background, dB, both over the sound's length.
    #[arg(long, value_delimiter = ',', default_values_t = [6.0, 20.0], allow_negative_numbers = true)]
    pub snr: Vec<f32>,
    /// Longest stretch of a clip that is a sound, s.
    #[arg(long, default_value_t = 5.0)]
    pub max_sound_seconds: f64,
    /// Share of the sounds that may overlap others.
    #[arg(long, default_value_t = 0.0)]
    pub overlap: f32,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Scenes {
    /// Whether scenes can be made so.
    pub fn check(&self) -> Result<()> {
        let [fewest, most] = self.sounds[..] else { anyhow::bail!("--sounds takes two numbers, like 4,9") };
        let [lowest, highest] = self.snr[..] else { anyhow::bail!("--snr takes two numbers, like 6,20") };
        ensure!(fewest <= most, "--sounds {fewest},{most}: the first is the smaller one");
        ensure!(
            lowest <= highest && (-60.0..=80.0).contains(&lowest) && highest <= 80.0,
            "--snr {lowest},{highest}: from -60 to 80, the first is the smaller one"
        );
        ensure!(self.scenes > 0, "--scenes is 0");
        ensure!((1.0..=3600.0).contains(&self.seconds), "--seconds is {}; valid 1 to 3600", self.seconds);
        ensure!(
            self.max_sound_seconds >= 0.1,
            "--max-sound-seconds is {}; valid from 0.1",
            self.max_sound_seconds
        );
        ensure!((0.0..=1.0).contains(&self.overlap), "--overlap is {}; valid 0 to 1", self.overlap);
        Ok(())
    }

    /// Scene `number`: samples at `rate` Hz, and the sounds in it, by their time. `backgrounds` are at that rate and not
    /// empty; without any it is pink noise.
    pub fn scene(
        &self,
        number: usize,
        clips: &[&Clip],
        backgrounds: &[Vec<f32>],
        rate: u32,
    ) -> (Vec<f32>, Vec<Sound>) {
        let mut numbers =
            StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let count = (self.seconds * f64::from(rate)) as usize;
        let mut scene = background(backgrounds, count, &mut numbers);
        let mut sounds: Vec<Sound> = Vec::new();
        for _ in 0..numbers.random_range(self.sounds[0]..=self.sounds[1]) {
            let clip = clips[numbers.random_range(0..clips.len())];
            let part = sound(clip, rate, self.max_sound_seconds.min(self.seconds), &mut numbers);
            let free = numbers.random::<f32>() >= self.overlap;
            let length = part.len() as f64 / f64::from(rate);
            let place = (0..TRIES).find_map(|_| {
                let start = numbers.random_range(0..=count - part.len());
                let onset = start as f64 / f64::from(rate);
                let apart =
                    |other: &Sound| onset >= other.offset + PAUSE || onset + length + PAUSE <= other.onset;
                (!free || sounds.iter().all(apart)).then_some((start, onset))
            });
            let snr = numbers.random_range(self.snr[0]..=self.snr[1]);
            let Some((start, onset)) = place else { continue };
            let gain = BACKGROUND / rms(part).max(1e-9) * 10f32.powf(snr / 20.0);
            scene[start..].iter_mut().zip(part).for_each(|(sum, sample)| *sum += gain * sample);
            sounds.push(Sound { file: number, class: clip.class, onset, offset: onset + length });
        }
        let peak = scene.iter().fold(0_f32, |peak, sample| peak.max(sample.abs()));
        if peak > 0.99 {
            scene.iter_mut().for_each(|sample| *sample *= 0.99 / peak);
        }
        sounds.sort_by(|a, b| a.onset.total_cmp(&b.onset));
        (scene, sounds)
    }
}

fn background(backgrounds: &[Vec<f32>], count: usize, numbers: &mut StdRng) -> Vec<f32> {
    let samples = match backgrounds {
        [] => pink(count, numbers),
        some => {
            let recording = &some[numbers.random_range(0..some.len())];
            let start = numbers.random_range(0..recording.len());
            recording.iter().cycle().skip(start).take(count).copied().collect()
        }
    };
    let gain = BACKGROUND / rms(&samples).max(1e-9);
    samples.into_iter().map(|sample| gain * sample).collect()
}

/// The stretch of a clip in which there is something to hear: from where it is loud until it has been silent for longer than
/// a pause. Of several one at random.
fn sound<'a>(clip: &'a Clip, rate: u32, max_seconds: f64, numbers: &mut StdRng) -> &'a [f32] {
    let frame = ((FRAME * f64::from(rate)) as usize).max(1);
    let levels: Vec<f32> = clip.samples.chunks(frame).map(rms).collect();
    let threshold = levels.iter().copied().fold(0.0, f32::max) * 10f32.powf(-SILENT_DB / 20.0);
    let pause = (PAUSE / FRAME) as usize;
    let mut stretches: Vec<std::ops::Range<usize>> = Vec::new();
    for loud in (0..levels.len()).filter(|&index| levels[index] >= threshold) {
        match stretches.last_mut() {
            Some(last) if loud <= last.end + pause => last.end = loud + 1,
            _ => stretches.push(loud..loud + 1),
        }
    }
    // A click is no sound, unless there is nothing else.
    let long: Vec<_> = stretches.iter().filter(|stretch| stretch.len() >= 5).collect();
    let chosen = match long[..] {
        [] => 0..levels.len(),
        ref long => long[numbers.random_range(0..long.len())].clone(),
    };
    let end = (chosen.end * frame)
        .min(clip.samples.len())
        .min(chosen.start * frame + (max_seconds * f64::from(rate)) as usize);
    &clip.samples[chosen.start * frame..end]
}

/// Writes a scene as a WAV file of 32-bit floats.
pub fn write_wav(path: &Path, samples: &[f32], sample_rate: u32) -> Result<()> {
    let sample_format = hound::SampleFormat::Float;
    let spec = hound::WavSpec { channels: 1, sample_rate, bits_per_sample: 32, sample_format };
    let write = || {
        let mut file = hound::WavWriter::create(path, spec)?;
        samples.iter().try_for_each(|sample| file.write_sample(*sample))?;
        file.finalize()
    };
    write().with_context(|| path.display().to_string())
}
