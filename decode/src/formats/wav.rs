//! WAV as it is in the world: RIFF, RIFX, RF64, BW64 and W64, with the sizes and the block lengths that
//! programs leave behind. Where a header contradicts the file, the file is right, as with ffmpeg and SoX.

use super::chunks::{Chunk, Chunks};
use super::fields::Fields;
use super::samples::Samples;
use super::{Format, Packet, Step, Track};
use crate::codec::{Adpcm, Coding};
use crate::pcm::{Pcm, Sample};
use crate::source::Source;

pub(crate) fn open(source: Source) -> Result<Box<dyn Format>, String> {
    let mut wav = Wav {
        source,
        chunks: Chunks::Riff { big_endian: false },
        long_size: None,
        sound: None,
        samples: Samples::new(1, 1, Some(0)),
        odd: 0,
        first: None,
    };
    let track = wav.header()?;
    wav.first = Some(track);
    Ok(Box::new(wav))
}

struct Wav {
    source: Source,
    chunks: Chunks,
    /// The size of the data chunk in RF64's `ds64`.
    long_size: Option<u64>,
    sound: Option<Sound>,
    samples: Samples,
    /// Bytes that fill up the data chunk.
    odd: u64,
    first: Option<Track>,
}

/// What a file of another format says that has a fmt chunk in it: coding, channels, rate.
pub(super) fn coding_of(fmt: &[u8]) -> Result<(Coding, u32, u32), String> {
    let sound = sound_of(fmt, false)?;
    Ok((sound.coding.into(), sound.channels, sound.rate))
}

/// What the fmt chunk says.
#[derive(Clone, Copy)]
struct Sound {
    coding: SoundCoding,
    channels: u32,
    rate: u32,
    block: u64,
    frames: u64,
}

#[derive(Clone, Copy)]
enum SoundCoding {
    Pcm(Pcm),
    Adpcm(Adpcm),
}

impl From<SoundCoding> for Coding {
    fn from(coding: SoundCoding) -> Self {
        match coding {
            SoundCoding::Pcm(pcm) => Self::Pcm(pcm),
            SoundCoding::Adpcm(adpcm) => Self::Adpcm(adpcm),
        }
    }
}

impl Format for Wav {
    fn next(&mut self) -> Result<Step, String> {
        if let Some(track) = self.first.take() {
            return Ok(Step::Track(Box::new(track)));
        }
        if let Some(step) = self.samples.next(&mut self.source)? {
            return Ok(step);
        }
        let rest = self.samples.rest();
        match self.sound.map(|sound| sound.coding) {
            Some(SoundCoding::Adpcm(adpcm)) if adpcm.frames_in(rest.len()) > 0 => {
                Ok(Step::Packet(adpcm.partial(rest)))
            }
            _ => self.after_sound(rest.len() as u64),
        }
    }
}

impl Wav {
    /// From the first byte to the first of the sound.
    fn header(&mut self) -> Result<Track, String> {
        let Some(magic) = self.source.array::<12>()? else {
            return Err("ends in its header".into());
        };
        self.chunks = Chunks::Riff { big_endian: &magic[..4] == b"RIFX" };
        if &magic[..4] == b"riff" {
            self.chunks = Chunks::Wave64;
            self.source.skip(40 - 12)?;
        }
        (self.long_size, self.sound) = (None, None);
        loop {
            let Some(chunk) = self.chunks.next(&mut self.source)? else {
                return Err(match self.sound {
                    Some(_) => "has no data chunk, so no sound".into(),
                    None => "has no fmt chunk: nothing says what its sound is".into(),
                });
            };
            match &chunk.id {
                b"ds64" => {
                    let head = self.source.peek(16)?;
                    self.long_size = head.get(8..16).map(|b| Fields::of(b).le_u64().unwrap_or(0));
                }
                b"fmt " => {
                    let size = chunk.size.min(4096) as usize;
                    let body = self.source.peek(size)?;
                    let big_endian = self.chunks == Chunks::Riff { big_endian: true };
                    self.sound = Some(sound_of(body, big_endian)?);
                }
                b"data" => return self.begin(&chunk),
                _ => {}
            }
            self.source.skip(chunk.size.saturating_add(chunk.padding))?;
        }
    }

    /// A data chunk, whose header is consumed.
    fn begin(&mut self, chunk: &Chunk) -> Result<Track, String> {
        let Some(sound) = self.sound else {
            return Err("has its data chunk before its fmt chunk: nothing says what its sound is".into());
        };
        let size = match (chunk.size, self.long_size) {
            (0xffff_ffff, Some(size)) if size > 0 => size,
            (size, _) => size,
        };
        // Written to a pipe, or by a recorder that died before it filled in the size.
        let never_filled_in = match size {
            0 => !self.chunk_follows()?,
            size => {
                let unknown = [0x7fff_f000..=0x7fff_ffff, 0xffff_f000..=0xffff_ffff, 1 << 56..=u64::MAX];
                unknown.iter().any(|sizes| sizes.contains(&size))
            }
        };
        let size = (!never_filled_in).then_some(size);
        self.odd = chunk.padding;
        self.samples = Samples::new(sound.block, sound.frames, size);
        let mut track = Track::new(sound.coding.into(), sound.channels, sound.rate);
        track.declared = size.map(|size| size / sound.block * sound.frames);
        Ok(track)
    }

    /// Whether an empty data chunk is followed by another chunk, so that it is empty indeed.
    fn chunk_follows(&mut self) -> Result<bool, String> {
        let known =
            [b"LIST", b"fact", b"id3 ", b"ID3 ", b"bext", b"cue ", b"smpl", b"inst", b"JUNK", b"data"];
        Ok(match self.chunks.peek(&mut self.source)? {
            Some(chunk) => known.contains(&&chunk.id),
            None => false,
        })
    }

    /// `rest`: bytes of an incomplete frame. More sound may follow: another data chunk, another file.
    fn after_sound(&mut self, rest: u64) -> Result<Step, String> {
        // Some programs forget the byte that makes an odd chunk even.
        let odd = std::mem::take(&mut self.odd);
        if odd > 0 && self.source.peek(1)? == [0] {
            self.source.skip(odd)?;
        }
        let stops: [&[u8; 4]; 5] = [b"data", b"RIFF", b"RIFX", b"RF64", b"riff"];
        let chunk = match self.chunks.after_sound(&mut self.source, &stops)? {
            Ok(chunk) => chunk,
            Err(bytes) => return Ok(Step::End { bytes_left: bytes + rest }),
        };
        let track = if &chunk.id == b"data" {
            self.source.consume(self.chunks.header());
            self.begin(&chunk)?
        } else {
            match self.header() {
                Ok(track) => track,
                Err(_) => return Ok(Step::End { bytes_left: self.source.left().unwrap_or(0) + rest }),
            }
        };
        Ok(Step::Track(Box::new(track)))
    }
}

/// Only the first 16 bytes are trusted, and of them not the byte rate, nor the block length where the
/// sample's bits give it.
fn sound_of(fmt: &[u8], big_endian: bool) -> Result<Sound, String> {
    let mut fields = Fields::of(fmt);
    let u16 = |f: &mut Fields| if big_endian { f.u16() } else { f.le_u16() };
    let u32 = |f: &mut Fields| if big_endian { f.u32() } else { f.le_u32() };
    let parse = |f: &mut Fields| Some((u16(f)?, u16(f)?, u32(f)?, u32(f)?, u16(f)?));
    let (mut tag, channels, rate, _, align) = parse(&mut fields).ok_or("ends in its fmt chunk")?;
    let align = u64::from(align);
    // The first WAV files had no bits.
    let bits =
        u16(&mut fields).unwrap_or_else(|| (align * 8).checked_div(channels.into()).unwrap_or(0) as u16);
    if tag == 0xfffe
        && let Some(guid) = fmt.get(24..26)
    {
        tag = u16(&mut Fields::of(guid)).unwrap_or(tag);
    }
    let pcm = |sample| SoundCoding::Pcm(Pcm { sample, big_endian });
    let coding = match (tag, bits) {
        (1, 8) => pcm(Sample::Unsigned8),
        (1, 16 | 24 | 32) => pcm(Sample::Signed((bits / 8) as u8)),
        (3, 32 | 64) => pcm(Sample::Float((bits / 8) as u8)),
        (1 | 3, _) => {
            return Err(format!(
                "has samples of {bits} bits; valid are 8, 16, 24 and 32, as floating point 32 and 64"
            ));
        }
        (6, _) => pcm(Sample::ALaw),
        (7, _) => pcm(Sample::MuLaw),
        (2, _) => SoundCoding::Adpcm(Adpcm::microsoft(channels, align)?),
        (0x11, _) => SoundCoding::Adpcm(Adpcm::ima(channels, align)?),
        _ => return Err(format!("is a WAV file of {}, which is not supported", coding_name(tag))),
    };
    let channels = u32::from(channels);
    if channels == 0 {
        return Err("has 0 channels".into());
    }
    let (block, frames) = match coding {
        SoundCoding::Pcm(pcm) => (u64::from(channels) * pcm.bytes() as u64, 1),
        SoundCoding::Adpcm(adpcm) => (adpcm.block as u64, adpcm.frames),
    };
    Ok(Sound { coding, channels, rate, block, frames })
}

/// Registered format tags (RFC 2361 and mmreg.h).
fn coding_name(tag: u16) -> String {
    let name = match tag {
        0x31 => "GSM 6.10",
        0x42 => "G.723.1",
        0x45 | 0x64 => "G.726",
        0x50 => "MPEG layer 1 or 2",
        0x55 => "MP3",
        0x65 => "G.722",
        0x92 | 0x2000 => "AC-3",
        0xff | 0x1600..=0x1602 => "AAC",
        0x160..=0x163 => "Windows Media Audio",
        0x2001 => "DTS",
        0x270 => "ATRAC3",
        0x674f..=0x6771 => "Vorbis",
        0xf1ac => "FLAC",
        _ => return format!("an unknown coding (format tag 0x{tag:04x})"),
    };
    name.into()
}

impl Adpcm {
    /// The last block of a file may be shorter.
    fn partial(self, mut data: Vec<u8>) -> Packet {
        let frames = self.frames_in(data.len());
        data.resize(self.block, 0);
        Packet { data, length: self.frames, discard: self.frames - frames, ..Packet::default() }
    }
}
