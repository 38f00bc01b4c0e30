//! A sound file, block by block.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::fence::fenced_own;
use crate::formats::{Format, Step};
use crate::source::Source;
use crate::timeline::Timeline;
use crate::{DecodeError, Loss, Lost, sniff};

/// Handed out at once, frames.
const BLOCK: usize = 4096;

/// The first audio track of a sound file, decoded in blocks: memory does not grow with its length.
///
/// WAV (RIFF, RIFX, RF64, W64), AIFF, CAF, FLAC, Ogg with Vorbis or FLAC, MP1/2/3, AAC in ADTS, MP4 and
/// QuickTime with AAC, ALAC, FLAC, MP3 or PCM, Matroska and WebM with the same and Vorbis. The contents
/// decide the format, not the name.
///
/// What an encoder put before and behind the sound is taken out where the file says how much it is: the
/// header of LAME in MP3, the edit list or `iTunSMPB` of MP4, `CodecDelay` of Matroska, the packet table of
/// CAF, the granule positions of Ogg. ADTS has no place for it; there the sound begins with the encoder's
/// delay, as with ffmpeg.
///
/// What is damaged or missing is a [`Loss`]: bridged with silence of the same length where the file says how
/// much it is, so that the times of everything behind it are true. A file that is joined of several is read
/// to its end; one that goes on with other channels is given in those of its beginning (mixed or duplicated),
/// one that goes on at another rate as silence of the same length.
pub struct Recording {
    path: PathBuf,
    format: Box<dyn Format>,
    timeline: Timeline,
    block: Vec<f32>,
    frames: u64,
}

impl Recording {
    /// Opens a file, FIFO or pipe; "-" is standard input.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        Self::of(path, Source::open(path))
    }

    /// A file that is in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        Self::of(Path::new("memory"), Ok(Source::memory(bytes)))
    }

    /// A file that comes through a pipe, whatever that is.
    pub fn from_pipe(reader: impl Read + Send + 'static) -> Result<Self, DecodeError> {
        Self::of(Path::new("pipe"), Ok(Source::pipe(reader)))
    }

    fn of(path: &Path, source: Result<Source, String>) -> Result<Self, DecodeError> {
        let error = |reason| DecodeError { path: path.to_owned(), reason };
        let format = source.and_then(|source| own(|| sniff::open(source))).map_err(error)?;
        let timeline = Timeline::default();
        let mut recording = Self { path: path.to_owned(), format, timeline, block: Vec::new(), frames: 0 };
        while recording.timeline.spec().is_none() {
            if !recording.step().map_err(error)? {
                return Err(error(recording.timeline.why_nothing()));
            }
        }
        Ok(recording)
    }

    /// Channels in one frame, 1 or more.
    pub fn channels(&self) -> u32 {
        self.timeline.spec().map_or(1, |spec| spec.channels)
    }

    /// Frames a second, in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.timeline.spec().map_or(1, |spec| spec.rate)
    }

    /// Frames that the file says it holds. A file that is joined of several speaks of the first.
    pub fn declared_frames(&self) -> Option<u64> {
        self.timeline.declared()
    }

    /// The next interleaved samples, full scale 1.0, at most 4,096 frames; `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<&[f32]>, DecodeError> {
        loop {
            if self.timeline.take(BLOCK, &mut self.block) {
                self.frames += (self.block.len() / self.channels() as usize) as u64;
                return Ok(Some(&self.block));
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(reason) => return Err(DecodeError { path: self.path.clone(), reason }),
            }
        }
    }

    /// Frames handed out so far, silence in the place of lost audio included.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Where audio is missing, as far as the file has been read: the first 64 places, in the order of time.
    pub fn losses(&self) -> &[Loss] {
        self.timeline.losses.list()
    }

    /// The sums of all losses, as far as the file has been read.
    pub fn lost(&self) -> Lost {
        self.timeline.losses.sums()
    }

    /// Takes the next step of the file; false at its end.
    fn step(&mut self) -> Result<bool, String> {
        if self.timeline.ended {
            return Ok(false);
        }
        match own(|| self.format.next())? {
            Step::Track(track) => self.timeline.begin(*track),
            Step::Packet(packet) => self.timeline.packet(packet),
            Step::Damage { length, reason } => self.timeline.damage(length, reason),
            Step::End { bytes_left } => self.timeline.end(bytes_left),
        }
        Ok(true)
    }
}

fn own<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    fenced_own(work)
        .unwrap_or_else(|panic| Err(format!("cannot be read; this is a defect of the program: {panic}")))
}
