//! What the tests share: files that they write, the tone of tests/data, and a reader that keeps the books.

#![allow(dead_code, clippy::unwrap_used)]

use std::f64::consts::TAU;
use std::fs;
use std::path::PathBuf;

use auricle_decode::{DecodeError, Loss, Lost, Recording};

/// A file of its own for one test, removed at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("auricle-decode-{}-{name}", std::process::id()));
        fs::write(&path, bytes).expect("the temporary folder is writable");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A file of tests/data.
pub fn data(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).expect(name)
}

/// Sample `frame` of the tone in tests/data, as in tests/make_data.sh.
pub fn tone(frame: usize, rate: u32) -> f32 {
    let t = frame as f64 / f64::from(rate);
    (0.5 * (TAU * (300.0 * t + 700.0 * t * t)).sin()) as f32
}

/// A recording that has been read to its end.
pub struct Whole {
    pub samples: Vec<f32>,
    pub channels: u32,
    pub sample_rate: u32,
    pub declared: Option<u64>,
    pub losses: Vec<Loss>,
    pub lost: Lost,
}

impl Whole {
    pub fn frames(&self) -> usize {
        self.samples.len() / self.channels as usize
    }

    /// One channel.
    pub fn channel(&self, channel: usize) -> Vec<f32> {
        self.samples.iter().skip(channel).step_by(self.channels as usize).copied().collect()
    }
}

/// Reads a recording to its end, and checks what holds for all.
pub fn read(recording: Result<Recording, DecodeError>) -> Result<Whole, String> {
    let mut recording = recording.map_err(|e| e.reason().to_owned())?;
    let mut samples = Vec::new();
    let most = 4096 * recording.channels() as usize;
    while let Some(block) = recording.next_block().map_err(|e| e.reason().to_owned())? {
        samples.extend_from_slice(block);
        assert!((1..=most).contains(&block.len()), "a block of {} samples", block.len());
    }
    let whole = Whole {
        samples,
        channels: recording.channels(),
        sample_rate: recording.sample_rate(),
        declared: recording.declared_frames(),
        losses: recording.losses().to_vec(),
        lost: recording.lost(),
    };
    assert_eq!(whole.frames() as u64, recording.frames());
    let bridged: u64 = whole.losses.iter().filter(|loss| loss.bridged).filter_map(|loss| loss.frames).sum();
    assert!(bridged <= whole.lost.bridged_frames && whole.lost.bridged_frames <= recording.frames());
    assert_eq!(whole.lost.is_nothing(), whole.losses.is_empty(), "{:?}", whole.lost);
    assert!(recording.next_block().unwrap().is_none(), "a block behind the end");
    Ok(whole)
}

pub fn read_bytes(bytes: &[u8]) -> Result<Whole, String> {
    read(Recording::from_bytes(bytes.to_vec()))
}

/// Why bytes are no recording.
pub fn reason(bytes: &[u8]) -> String {
    match read_bytes(bytes) {
        Ok(whole) => panic!("{} frames of a bad file", whole.frames()),
        Err(reason) => {
            assert!(!reason.contains('\n') && !reason.contains("defect"), "{reason}");
            reason
        }
    }
}

/// A RIFF/WAVE file. `format`: 1 = integer PCM, 3 = IEEE float.
pub fn wav(format: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut fmt = Vec::new();
    fmt.extend_from_slice(&format.to_le_bytes());
    fmt.extend_from_slice(&channels.to_le_bytes());
    fmt.extend_from_slice(&rate.to_le_bytes());
    fmt.extend_from_slice(&(rate * u32::from(block)).to_le_bytes());
    fmt.extend_from_slice(&block.to_le_bytes());
    fmt.extend_from_slice(&bits.to_le_bytes());
    riff(&[(b"fmt ", &fmt), (b"data", data)])
}

/// A RIFF/WAVE file of these chunks.
pub fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    for (id, chunk) in chunks {
        body.extend_from_slice(*id);
        body.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
        body.extend_from_slice(chunk);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

/// 16 bits, little-endian.
pub fn pcm(samples: impl IntoIterator<Item = f32>) -> Vec<u8> {
    samples
        .into_iter()
        .flat_map(|s| ((s * 32768.0).round().clamp(-32768.0, 32767.0) as i16).to_le_bytes())
        .collect()
}

/// How many frames `samples` come later than the tone: where they agree best, and by how much they differ
/// there (root mean square).
pub fn lateness(samples: &[f32], rate: u32) -> (usize, f64) {
    let frames = (rate / 8) as usize;
    let difference = |late: usize| {
        let pairs = (0..frames).filter_map(|k| samples.get(k + late).map(|&s| f64::from(s - tone(k, rate))));
        let squares: Vec<f64> = pairs.map(|d| d * d).collect();
        (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
    };
    let best =
        (0..1200.min(samples.len() / 2)).min_by(|&a, &b| difference(a).total_cmp(&difference(b))).unwrap();
    (best, difference(best))
}
