//! FLAC (RFC 9639). A frame is taken only if its checksum is right; its header says where it belongs, so a
//! damaged one leaves a gap of its own length.

use super::fields::Fields;
use super::{Format, Packet, Step, Track};
use crate::codec::Coding;
use crate::source::Source;

/// How far the end of a frame is looked for, bytes: more than the largest frame that encoders write (65,535
/// samples of 8 channels are 2 MB; usual are 4,096 of 2).
const MAX_FRAME: usize = 2 << 20;
/// A frame whose checksum has not come out right at so many headers of other frames is damaged.
const MAX_HEADERS: u32 = 3;
/// Read ahead in search of the next frame, bytes.
const AHEAD: usize = 32 << 10;
/// No frame header is longer, bytes.
const MAX_HEADER: usize = 16;

/// The body of a STREAMINFO block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Info {
    pub body: [u8; 34],
    min_block: u32,
    max_block: u32,
    pub rate: u32,
    pub channels: u32,
    /// Bits a sample.
    bits: u8,
    pub frames: u64,
}

impl Info {
    pub fn of(body: &[u8]) -> Option<Self> {
        let body = *body.first_chunk::<34>()?;
        let mut fields = Fields::of(&body);
        let (min_block, max_block) = (fields.u16()?.into(), fields.u16()?.into());
        fields.bytes(6)?;
        let packed = fields.u64()?;
        let info = Self {
            body,
            min_block,
            max_block,
            rate: (packed >> 44) as u32,
            channels: (packed >> 41) as u32 % 8 + 1,
            bits: (packed >> 36) as u8 % 32 + 1,
            frames: packed & ((1 << 36) - 1),
        };
        (info.rate > 0 && max_block >= 16 && info.bits >= 4).then_some(info)
    }

    pub fn track(&self) -> Track {
        let mut track = Track::new(Coding::Flac { info: self.body }, self.channels, self.rate);
        track.declared = (self.frames > 0).then_some(self.frames);
        track
    }

    /// Bits a sample, for a decoder.
    pub fn bits(body: &[u8; 34]) -> u32 {
        Self::of(body).map_or(16, |info| info.bits.into())
    }

    /// Where a frame belongs, if its header can belong to this stream.
    pub fn frame(&self, bytes: &[u8]) -> Option<Frame> {
        let header = header(bytes)?;
        let channels = match header.channels {
            count @ 0..=7 => u32::from(count) + 1,
            8..=10 => 2,
            _ => return None,
        };
        let rate = header.rate.unwrap_or(self.rate);
        let bits = header.bits.unwrap_or(self.bits);
        if (channels, rate, bits) != (self.channels, self.rate, self.bits) || header.block > self.max_block {
            return None;
        }
        let at = match header.variable {
            true => header.number,
            false if self.min_block == self.max_block => header.number * u64::from(self.max_block),
            false => header.number * u64::from(header.block),
        };
        Some(Frame { at, length: header.block.into() })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub at: u64,
    pub length: u64,
}

struct Header {
    variable: bool,
    block: u32,
    /// `None`: as STREAMINFO says.
    rate: Option<u32>,
    bits: Option<u8>,
    /// The code of 4 bits.
    channels: u8,
    /// Of the frame, or of its first sample.
    number: u64,
}

/// A frame header with the right checksum (RFC 9639, 9.1).
fn header(bytes: &[u8]) -> Option<Header> {
    let bytes = &bytes[..bytes.len().min(MAX_HEADER)];
    let mut fields = Fields::of(bytes);
    let sync = fields.u16()?;
    if sync & 0xfffe != 0xfff8 {
        return None;
    }
    let (sizes, kinds) = (fields.u8()?, fields.u8()?);
    if kinds & 1 != 0 {
        return None;
    }
    // The number is written like a character of UTF-8, with up to 7 bytes.
    let first = fields.u8()?;
    let more = first.leading_ones().saturating_sub(1);
    if first.leading_ones() == 1 || more > 6 {
        return None;
    }
    let mut number = u64::from(first & (0x7f >> first.leading_ones().min(7)));
    for _ in 0..more {
        let byte = fields.u8()?;
        if byte >> 6 != 2 {
            return None;
        }
        number = number << 6 | u64::from(byte & 0x3f);
    }
    let block = match sizes >> 4 {
        0 => return None,
        1 => 192,
        code @ 2..=5 => 576 << (code - 2),
        6 => u32::from(fields.u8()?) + 1,
        7 => u32::from(fields.u16()?) + 1,
        code => 256 << (code - 8),
    };
    let rate = match sizes & 15 {
        0 => None,
        12 => Some(u32::from(fields.u8()?) * 1000),
        13 => Some(fields.u16()?.into()),
        14 => Some(u32::from(fields.u16()?) * 10),
        15 => return None,
        code => {
            const RATES: [u32; 11] =
                [88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
            Some(RATES[usize::from(code) - 1])
        }
    };
    let bits = match (kinds >> 1) & 7 {
        0 => None,
        3 => return None,
        code => Some([8, 12, 0, 16, 20, 24, 32][usize::from(code) - 1]),
    };
    let length = bytes.len() - fields.left();
    let crc = fields.u8()?;
    let right = crc8(&bytes[..length]) == crc;
    right.then_some(Header { variable: sync & 1 != 0, block, rate, bits, channels: kinds >> 4, number })
}

/// Polynomial x⁸+x²+x+1, from 0.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |c, _| if c & 0x80 != 0 { c << 1 ^ 0x07 } else { c << 1 })
    })
}

/// Polynomial x¹⁶+x¹⁵+x²+1, a byte at a time.
const CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = ((byte as u16) << 8, 0);
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x8005 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn crc16(crc: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(crc, |crc, &byte| crc << 8 ^ CRC16[usize::from((crc >> 8) as u8 ^ byte)])
}

struct Flac {
    source: Source,
    info: Info,
    track: Option<Track>,
    /// A damaged stretch has been reported, and no good frame has come since.
    damaged: bool,
}

pub(crate) fn open(mut source: Source) -> Result<Box<dyn Format>, String> {
    let info = read_info(&mut source)?;
    Ok(Box::new(Flac { source, track: Some(info.track()), info, damaged: false }))
}

/// From the marker over all metadata blocks, of which only STREAMINFO is looked at.
fn read_info(source: &mut Source) -> Result<Info, String> {
    source.skip(4)?;
    let mut info = None;
    loop {
        let head = source.array::<4>()?.ok_or("ends in its metadata, before any sound")?;
        let size = u64::from(u32::from_be_bytes(head) & 0xff_ffff);
        if head[0] & 0x7f == 0 && info.is_none() {
            info = Some(Info::of(source.peek(34)?).ok_or("has a damaged STREAMINFO block")?);
        }
        source.skip(size)?;
        if head[0] & 0x80 != 0 {
            break;
        }
        // A damaged length leads into the middle of something; frames begin where they look like frames.
        if head[0] & 0x7f == 0x7f || source.at_end()? {
            break;
        }
    }
    info.ok_or_else(|| "has no STREAMINFO block".into())
}

impl Format for Flac {
    fn next(&mut self) -> Result<Step, String> {
        if let Some(track) = self.track.take() {
            return Ok(Step::Track(Box::new(track)));
        }
        loop {
            let begins = self.info.frame(self.source.peek(MAX_HEADER)?);
            let size = if begins.is_some() { self.frame_size()? } else { None };
            if let (Some(frame), Some(size)) = (begins, size) {
                let data = self.source.take(size)?;
                self.damaged = false;
                let (at, length) = (Some(frame.at), frame.length);
                return Ok(Step::Packet(Packet { data, at, length, ..Packet::default() }));
            }
            if let Some(step) = self.resync()? {
                return Ok(step);
            }
        }
    }
}

impl Flac {
    /// Bytes of the frame here: to the next frame header, or the end, where the checksum comes out right.
    fn frame_size(&mut self) -> Result<Option<usize>, String> {
        let (mut ahead, mut done, mut crc, mut headers) = (AHEAD, 0, 0, 0);
        loop {
            let bytes = self.source.peek(ahead)?;
            let at_end = bytes.len() < ahead;
            let limit = if at_end { bytes.len() } else { bytes.len() - MAX_HEADER };
            while done < limit {
                let next =
                    bytes[done + 1..limit].iter().position(|&b| matches!(b, 0xff | b'f' | b'T' | b'A'));
                let at = next.map_or(limit, |next| done + 1 + next);
                crc = crc16(crc, &bytes[done..at]);
                done = at;
                if at > MAX_HEADER && crc == 0 && ends_at(&bytes[at..], &self.info) {
                    return Ok(Some(at));
                }
                headers +=
                    u32::from(bytes[at..].first() == Some(&0xff) && self.info.frame(&bytes[at..]).is_some());
                if headers > MAX_HEADERS {
                    return Ok(None);
                }
            }
            if at_end || ahead >= MAX_FRAME {
                return Ok(None);
            }
            ahead *= 2;
        }
    }

    /// Over a damaged frame, or whatever is not FLAC, to the next frame header.
    fn resync(&mut self) -> Result<Option<Step>, String> {
        let mut junk = 0;
        loop {
            let bytes = self.source.peek(AHEAD)?;
            if bytes.is_empty() {
                return Ok(Some(Step::End { bytes_left: junk }));
            }
            if junk == 0 && (bytes.starts_with(b"TAG") || bytes.starts_with(b"APETAGEX")) {
                // What comes behind the tags at the end is for other programs.
                return Ok(Some(Step::End { bytes_left: 0 }));
            }
            if bytes.starts_with(b"fLaC") {
                self.info = read_info(&mut self.source)?;
                return Ok(Some(Step::Track(Box::new(self.info.track()))));
            }
            let step = bytes.iter().skip(1).position(|&b| matches!(b, 0xff | b'f'));
            let step = step.map_or(bytes.len(), |at| at + 1);
            junk += step as u64;
            self.source.consume(step);
            if self.info.frame(self.source.peek(MAX_HEADER)?).is_some() {
                break;
            }
        }
        let reported = std::mem::replace(&mut self.damaged, true);
        let reason = "the checksum of a frame is wrong".into();
        Ok((!reported).then_some(Step::Damage { length: None, reason }))
    }
}

/// Whether a frame can end before `bytes`.
fn ends_at(bytes: &[u8], info: &Info) -> bool {
    bytes.is_empty()
        || info.frame(bytes).is_some()
        || bytes.starts_with(b"fLaC")
        || bytes.starts_with(b"TAG")
        || bytes.starts_with(b"APETAGEX")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksums of RFC 9639, appendix D.1: the header and the whole of its one frame.
    #[test]
    fn the_example_of_the_rfc() {
        let frame =
            [0xff, 0xf8, 0x69, 0x18, 0x00, 0x00, 0xbf, 0x03, 0x58, 0xfd, 0x03, 0x12, 0x8b, 0xaa, 0x9a];
        assert_eq!(crc8(&frame[..6]), frame[6]);
        assert_eq!(crc16(0, &frame), 0);
        let head = header(&frame).map(|h| (h.variable, h.block, h.rate, h.bits, h.channels, h.number));
        assert_eq!(head, Some((false, 1, Some(44_100), Some(16), 1, 0)));
    }
}
