//! Sample formats and channel layouts -> mono f32. The only judge of NaN, infinity and clipping.

use crate::error::{Error, Result};

/// The most channels a stream can have.
pub const MAX_CHANNELS: usize = 8;
/// A frame counts as clipped from this level on: the highest that 16 bits can hold.
pub const CLIP_LEVEL: f32 = 32_767.0 / 32_768.0;
/// A sample beyond this counts as not finite: no audio, and its square would spoil sums.
pub const MAX_LEVEL: f32 = 1e9;

/// How a sample is stored. Full scale is ±1.0: integers are divided by 2^(bits - 1), `U8` after taking off
/// its offset of 128. Multi-byte formats are in the machine's byte order, except `I24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Format {
    /// Unsigned 8 bits, silence at 128.
    U8 = 1,
    /// Signed 16 bits.
    I16 = 2,
    /// Signed 24 bits, packed in 3 bytes, little-endian.
    I24 = 3,
    /// Signed 32 bits. The lowest 8 bits are rounded away.
    I32 = 4,
    /// IEEE 754 single precision.
    F32 = 5,
    /// IEEE 754 double precision, rounded to single.
    F64 = 6,
}

impl Format {
    /// Bytes that one sample takes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl TryFrom<i32> for Format {
    type Error = Error;

    fn try_from(number: i32) -> Result<Self> {
        Ok(match number {
            1 => Self::U8,
            2 => Self::I16,
            3 => Self::I24,
            4 => Self::I32,
            5 => Self::F32,
            6 => Self::F64,
            _ => return Err(Error::argument(format!("format is {number}; valid 1..=6"))),
        })
    }
}

/// Refuses a number of channels that no stream can have.
pub fn check_channels(channels: usize) -> Result<()> {
    if (1..=MAX_CHANNELS).contains(&channels) {
        return Ok(());
    }
    Err(Error::argument(format!("channels is {channels}; valid 1..={MAX_CHANNELS}")))
}

/// Borrowed PCM of the host: any format, interleaved or planar, of any alignment.
#[derive(Clone, Copy, Debug)]
pub struct Frames<'a> {
    format: Format,
    channels: usize,
    count: usize,
    layout: Layout<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Layout<'a> {
    Interleaved(&'a [u8]),
    Planar(&'a [&'a [u8]]),
}

impl<'a> Frames<'a> {
    /// Whole frames, the channels of each side by side.
    pub fn interleaved(format: Format, channels: usize, data: &'a [u8]) -> Result<Self> {
        check_channels(channels)?;
        let frame = channels * format.bytes();
        if !data.len().is_multiple_of(frame) {
            return Err(Error::argument(format!(
                "data is {} bytes, which is no whole number of frames of {frame} bytes ({channels} channels of {} bytes)",
                data.len(),
                format.bytes()
            )));
        }
        Ok(Self { format, channels, count: data.len() / frame, layout: Layout::Interleaved(data) })
    }

    /// One slice a channel, all of one length.
    pub fn planar(format: Format, planes: &'a [&'a [u8]]) -> Result<Self> {
        check_channels(planes.len())?;
        let bytes = planes[0].len();
        for (channel, plane) in planes.iter().enumerate() {
            if plane.len() != bytes || !bytes.is_multiple_of(format.bytes()) {
                return Err(Error::argument(format!(
                    "channel {channel} is {} bytes and channel 0 is {bytes}; all must be the same whole number of samples of {} bytes",
                    plane.len(),
                    format.bytes()
                )));
            }
        }
        let count = bytes / format.bytes();
        Ok(Self { format, channels: planes.len(), count, layout: Layout::Planar(planes) })
    }

    /// Number of channels, 1..=[`MAX_CHANNELS`].
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Number of frames.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Converts frames `first..` to interleaved f32, as many as fit into `out` or are there. Returns how many.
    /// Nothing is judged here: see [`Downmix`].
    pub fn convert(&self, first: usize, out: &mut [f32]) -> usize {
        match self.format {
            Format::U8 => self.each(first, out, |[b]: [u8; 1]| (f32::from(b) - 128.0) / 128.0),
            Format::I16 => self.each(first, out, |b| f32::from(i16::from_ne_bytes(b)) / 32_768.0),
            Format::I24 => self.each(first, out, |[low, middle, high]: [u8; 3]| {
                // In the upper three bytes of an i32, so that the sign is right; exact in f32.
                i32::from_le_bytes([0, low, middle, high]) as f32 / 2_147_483_648.0
            }),
            Format::I32 => self.each(first, out, |b| i32::from_ne_bytes(b) as f32 / 2_147_483_648.0),
            Format::F32 => self.each(first, out, f32::from_ne_bytes),
            Format::F64 => self.each(first, out, |b| f64::from_ne_bytes(b) as f32),
        }
    }

    fn each<const N: usize>(&self, first: usize, out: &mut [f32], decode: impl Fn([u8; N]) -> f32) -> usize {
        let first = first.min(self.count);
        let frames = (self.count - first).min(out.len() / self.channels);
        let out = &mut out[..frames * self.channels];
        match self.layout {
            Layout::Interleaved(data) => {
                let samples = data.as_chunks::<N>().0;
                for (out, &bytes) in out.iter_mut().zip(samples.iter().skip(first * self.channels)) {
                    *out = decode(bytes);
                }
            }
            Layout::Planar(planes) => {
                for (channel, plane) in planes.iter().enumerate() {
                    let samples = plane.as_chunks::<N>().0;
                    let out = out.iter_mut().skip(channel).step_by(self.channels);
                    for (out, &bytes) in out.zip(samples.iter().skip(first)) {
                        *out = decode(bytes);
                    }
                }
            }
        }
        frames
    }
}

/// Bytes of `frames` frames with `channels` samples each; an error if no memory could hold them.
pub(crate) fn bytes(frames: usize, channels: usize, format: Format) -> Result<usize> {
    let frame = channels.saturating_mul(format.bytes());
    let size = frames.checked_mul(frame).filter(|&size| size <= isize::MAX as usize);
    size.ok_or_else(|| {
        let max = isize::MAX as usize / frame;
        Error::argument(format!("frames is {frames}; at most {max} of {channels} channels"))
    })
}

/// What [`Downmix`] saw of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Frames in all.
    pub frames: u64,
    /// Frames with a sample at or above [`CLIP_LEVEL`].
    pub clipped: u64,
    /// Frames with a sample that is NaN, infinite or beyond [`MAX_LEVEL`].
    pub non_finite: u64,
    /// Highest absolute value of any valid sample of any channel that is heard.
    pub peak: f32,
    /// Sum of the mono signal.
    pub sum: f64,
    /// Sum of the squares of the mono signal.
    pub sum_squares: f64,
}

impl Stats {
    /// Adds what was seen of another stretch.
    pub fn merge(&mut self, other: &Self) {
        self.frames += other.frames;
        self.clipped += other.clipped;
        self.non_finite += other.non_finite;
        self.peak = self.peak.max(other.peak);
        self.sum += other.sum;
        self.sum_squares += other.sum_squares;
    }
}

/// Interleaved f32 -> mono: the mean of the channels or one of them, a sample that is not valid counting as 0.
#[derive(Clone, Copy, Debug)]
pub struct Downmix {
    channels: usize,
    /// The channel that is heard, counted from 1; 0: the mean of all.
    channel: usize,
}

impl Downmix {
    /// The mean of 1..=[`MAX_CHANNELS`] channels.
    pub fn new(channels: usize) -> Result<Self> {
        Self::of_channel(channels, 0)
    }

    /// One channel of `channels`, counted from 1; 0: the mean of all.
    pub fn of_channel(channels: usize, channel: usize) -> Result<Self> {
        check_channels(channels)?;
        if channel > channels {
            return Err(Error::argument(format!(
                "channel is {channel}; valid 1..={channels}, or 0 for the mean of all"
            )));
        }
        Ok(Self { channels, channel })
    }

    /// Mixes whole frames of `interleaved`, as many as fit into `mono`, and adds what it saw to `stats`.
    /// Returns how many. Neither the samples nor the statistics depend on how a stream is cut into calls.
    pub fn mix(&self, interleaved: &[f32], mono: &mut [f32], stats: &mut Stats) -> usize {
        let frames = (interleaved.len() / self.channels).min(mono.len());
        let (interleaved, mono) = (&interleaved[..frames * self.channels], &mut mono[..frames]);
        // The same loop, for the compiler to unroll where it knows the number of channels.
        match self.channels {
            n if self.channel > 0 => {
                let one = self.channel - 1;
                mix_frames(interleaved.chunks_exact(n).map(|f| &f[one..=one]), mono, stats);
            }
            1 => mix_frames(interleaved.as_chunks::<1>().0.iter().map(|f| &f[..]), mono, stats),
            2 => mix_frames(interleaved.as_chunks::<2>().0.iter().map(|f| &f[..]), mono, stats),
            n => mix_frames(interleaved.chunks_exact(n), mono, stats),
        }
        stats.frames += frames as u64;
        frames
    }
}

#[inline(always)]
fn mix_frames<'a>(frames: impl Iterator<Item = &'a [f32]>, mono: &mut [f32], stats: &mut Stats) {
    // In registers as long as the loop runs.
    let mut seen = *stats;
    for (frame, mono) in frames.zip(mono) {
        let (mut sum, mut peak, mut finite) = (0.0, 0.0_f32, true);
        for &sample in frame {
            let level = sample.abs();
            // False for NaN too.
            let valid = level <= MAX_LEVEL;
            sum += if valid { sample } else { 0.0 };
            peak = if valid && level > peak { level } else { peak };
            finite &= valid;
        }
        *mono = sum / frame.len() as f32;
        seen.clipped += u64::from(peak >= CLIP_LEVEL);
        seen.non_finite += u64::from(!finite);
        seen.peak = if peak > seen.peak { peak } else { seen.peak };
        seen.sum += f64::from(*mono);
        seen.sum_squares += f64::from(*mono).powi(2);
    }
    *stats = seen;
}
