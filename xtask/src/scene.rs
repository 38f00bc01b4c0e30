//! A scene made by computation alone, for a demo without a network: four seconds each of rain-like noise,
//! clock-like ticks and helicopter-like thuds. It shows that the path works, not how good a model is.

use std::f32::consts::TAU;
use std::path::Path;

use hound::{SampleFormat, WavSpec, WavWriter};

/// Rate of the scene, Hz; mono.
const RATE: u32 = 16_000;
const SECONDS_EACH: usize = 4;

/// Writes the scene as 16-bit WAV.
pub fn write(path: &Path) -> Result<(), String> {
    write_wav(path, &synthesise(), 1, RATE)
}

/// Writes interleaved samples (full scale 1.0) as 16-bit WAV; what was 16-bit before comes out as it was.
pub fn write_wav(path: &Path, samples: &[f32], channels: u32, rate: u32) -> Result<(), String> {
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    if u32::try_from(36 + samples.len() * 2).is_err() {
        return Err(failed(&"too long for a WAV file, which ends at 4 GiB"));
    }
    let channels = u16::try_from(channels).map_err(|e| failed(&e))?;
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let write = || {
        let mut wav = WavWriter::create(path, spec)?;
        for sample in samples {
            wav.write_sample((sample * 32768.0).round() as i16)?; // `as` clips
        }
        wav.finalize()
    };
    write().map_err(|e| failed(&e))
}

fn synthesise() -> Vec<f32> {
    let mut noise = Noise(1);
    let mut scene = rain(&mut noise);
    scene.extend(clock(&mut noise));
    scene.extend(helicopter(&mut noise));
    scene
}

/// White noise from the 64-bit LCG of Knuth's MMIX (TAOCP vol. 2, 3.3.4), -1..1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

fn frames() -> impl Iterator<Item = f32> {
    (0..SECONDS_EACH * RATE as usize).map(|frame| frame as f32 / RATE as f32)
}

/// Hiss with many small drops on it.
fn rain(noise: &mut Noise) -> Vec<f32> {
    let mut drop = 0.0;
    let mut sample = |_| {
        drop = if noise.next() > 0.997 { 0.4 } else { drop * 0.99 };
        noise.next() * (0.08 + drop)
    };
    frames().map(&mut sample).collect()
}

/// Two ticks a second, each a short ring at 2.1 and 4.7 kHz.
fn clock(noise: &mut Noise) -> Vec<f32> {
    let tick = |time: f32| {
        let since = time % 0.5;
        let ring = (TAU * 2_100.0 * since).sin() + (TAU * 4_700.0 * since).sin();
        0.3 * ring * (-since / 0.006).exp() + 0.001 * noise.next()
    };
    frames().map(tick).collect()
}

/// Dull noise that swells 13 times a second, over the hum of a motor.
fn helicopter(noise: &mut Noise) -> Vec<f32> {
    let mut dull = 0.0;
    let thud = |time: f32| {
        dull += 0.08 * (noise.next() - dull);
        let blade = (0.5 + 0.5 * (TAU * 13.0 * time).sin()).powi(4);
        1.2 * dull * (0.15 + blade) + 0.05 * (TAU * 95.0 * time).sin()
    };
    frames().map(thud).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scene_is_loud_enough_and_does_not_clip() {
        let scene = synthesise();
        assert_eq!(scene.len(), 3 * SECONDS_EACH * RATE as usize);
        for (index, part) in scene.chunks(SECONDS_EACH * RATE as usize).enumerate() {
            let peak = part.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            assert!((0.1..=1.0).contains(&peak), "part {index} has a peak of {peak}");
        }
    }

    #[test]
    fn a_wav_file_says_what_it_holds() {
        let path = std::env::temp_dir().join(format!("auricle-scene-{}.wav", std::process::id()));
        write_wav(&path, &[0.5, -2.0], 2, 8000).expect("written");
        let bytes = std::fs::read(&path).expect("read");
        let _ = std::fs::remove_file(&path);
        // Field by field, from the RIFF specification: 4-byte frames at 8 kHz are 32000 bytes a second.
        let expected: [&[u8]; 3] = [
            b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0",
            b"\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0",
            b"data\x04\0\0\0\0\x40\0\x80",
        ];
        assert_eq!(bytes, expected.concat());
    }
}
