//! MPEG audio (MP1, MP2, MP3): frames in a row, with tags, junk and other files between them.

use std::collections::VecDeque;

use super::{Format, Packet, Step, Track};
use crate::codec::Coding;
use crate::source::Source;

/// No frame of MPEG audio is longer, bytes (layer 2, 384 kbit/s at 32 kHz, is 1728; layer 1 of MPEG-2.5 is
/// 3072).
const MAX_FRAME: usize = 4608;

/// How far a first frame is searched for, bytes.
const SEARCH: u64 = 4 << 20;

/// The header of one frame (ISO 11172-3, 2.4.1.3; ISO 13818-3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Header {
    pub layer: u8,
    /// 1, 2 or 25 (2.5).
    version: u8,
    pub channels: u32,
    pub rate: u32,
    /// Bytes with the header.
    size: usize,
    /// Samples of each channel.
    frames: u64,
}

impl Header {
    pub fn of(bytes: &[u8]) -> Option<Self> {
        const KBITS_1: [[u16; 15]; 3] = [
            [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
            [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
            [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        ];
        const KBITS_2: [[u16; 15]; 2] = [
            [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
            [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        ];
        let &[first, second, third, fourth] = bytes.first_chunk::<4>()?;
        if first != 0xff || second & 0xe0 != 0xe0 {
            return None;
        }
        let (version, shift) = match (second >> 3) & 3 {
            0 => (25, 2),
            2 => (2, 1),
            3 => (1, 0),
            _ => return None,
        };
        let layer = 4 - ((second >> 1) & 3);
        let kbits = match version {
            1 => KBITS_1.get(usize::from(layer) - 1)?,
            _ => &KBITS_2[usize::from(layer > 1)],
        };
        let bits = 1000 * u32::from(*kbits.get(usize::from(third >> 4))?);
        let rate = [44_100u32, 48_000, 32_000].get(usize::from((third >> 2) & 3))? >> shift;
        // "Free format", a bit rate of 0, is not supported by the decoder.
        if layer == 4 || bits == 0 {
            return None;
        }
        let frames = match (layer, version) {
            (1, _) => 384,
            (3, 2 | 25) => 576,
            _ => 1152,
        };
        let padding = u32::from((third >> 1) & 1);
        let size = match layer {
            1 => (12 * bits / rate + padding) * 4,
            _ => frames as u32 / 8 * bits / rate + padding,
        };
        let channels = if fourth >> 6 == 3 { 1 } else { 2 };
        Some(Self { layer, version, channels, rate, size: size as usize, frames })
    }

    /// Samples of each channel.
    pub fn length(self) -> u64 {
        self.frames
    }

    /// Whether one decoder takes both.
    fn same_stream(self, other: Self) -> bool {
        (self.layer, self.version, self.channels, self.rate)
            == (other.layer, other.version, other.channels, other.rate)
    }

    /// Bytes before the main data: header and side information of layer 3.
    fn side(self) -> usize {
        let side = match (self.version, self.channels) {
            (1, 1) => 17,
            (1, _) => 32,
            (_, 1) => 9,
            (_, _) => 17,
        };
        4 + side
    }
}

/// What the first frame of a file says of the others (Xing, Info, LAME; VBRI).
#[derive(Debug, PartialEq)]
struct Info {
    mpeg_frames: u64,
    delay: u64,
    padding: u64,
}

impl Info {
    /// Samples that the decoder itself is late, which LAME does not count.
    const DECODER_DELAY: u64 = 529;

    /// Of a frame that holds no sound; `None` if it is an ordinary one.
    fn of(header: Header, frame: &[u8]) -> Option<Self> {
        if header.layer != 3 {
            return None;
        }
        let tag = frame.get(header.side()..)?;
        if !tag.starts_with(b"Xing") && !tag.starts_with(b"Info") {
            let vbri = frame.get(36..).filter(|tag| tag.starts_with(b"VBRI"))?;
            let mpeg_frames = be32(vbri, 14)?;
            return Some(Self { mpeg_frames, delay: 0, padding: 0 });
        }
        let flags = be32(tag, 4)?;
        let mut at = 8;
        let mpeg_frames = if flags & 1 != 0 { be32(tag, at)? } else { 0 };
        for (flag, size) in [(1, 4), (2, 4), (4, 100), (8, 4)] {
            at += if flags & flag != 0 { size } else { 0 };
        }
        let (mut delay, mut padding) = (0, 0);
        let lame =
            tag.get(at..at + 24).filter(|t| [b"LAME", b"Lavf", b"Lavc"].iter().any(|n| t.starts_with(*n)));
        if let Some(lame) = lame {
            let trim = be32(lame, 20)? & 0xff_ffff;
            delay = (trim >> 12) + Self::DECODER_DELAY;
            padding = (trim & 0xfff).saturating_sub(Self::DECODER_DELAY);
        }
        Some(Self { mpeg_frames, delay, padding })
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?).into())
}

pub(crate) struct Mpeg {
    source: Source,
    /// Of the last frame.
    last: Option<Header>,
    /// Frames of MPEG that the info header still promises; behind them another file may follow.
    promised: Option<u64>,
    /// What is to be given before the file is read on.
    ready: VecDeque<Step>,
    /// The file does not begin with a frame; bytes before the first one.
    searched: bool,
    before: u64,
}

pub(crate) fn open(source: Source) -> Result<Box<dyn Format>, String> {
    let ready = VecDeque::new();
    Ok(Box::new(Mpeg { source, last: None, promised: None, ready, searched: false, before: 0 }))
}

impl Format for Mpeg {
    fn next(&mut self) -> Result<Step, String> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Ok(step);
            }
            if let Some(step) = self.read()? {
                return Ok(step);
            }
        }
    }
}

impl Mpeg {
    fn read(&mut self) -> Result<Option<Step>, String> {
        let Some(header) = self.header_here()? else {
            return self.resync();
        };
        let data = self.source.take(header.size)?;
        if data.len() < header.size {
            let step =
                Step::Damage { length: Some(header.frames), reason: "the last frame is cut off".into() };
            return Ok(Some(step));
        }
        let changed = self.last.is_none_or(|last| !last.same_stream(header));
        let info = Info::of(header, &data);
        self.last = Some(header);
        if info.is_some() || changed || self.promised == Some(0) {
            self.promised = info.as_ref().map(|info| info.mpeg_frames).filter(|&frames| frames > 0);
            let has_sound = info.is_none();
            let track = Step::Track(Box::new(track(header, info)));
            let before = std::mem::take(&mut self.before);
            if before > header.size as u64 / 2 {
                let reason = format!("{before} bytes before the first frame are not MPEG audio");
                self.ready.push_back(Step::Damage { length: None, reason });
            }
            if has_sound {
                let packet = self.packet(header, data);
                self.ready.push_back(packet);
            }
            return Ok(Some(track));
        }
        Ok(Some(self.packet(header, data)))
    }

    fn packet(&mut self, header: Header, data: Vec<u8>) -> Step {
        self.promised = self.promised.map(|frames| frames.saturating_sub(1));
        Step::Packet(Packet { data, length: header.frames, ..Packet::default() })
    }

    /// The header at this place, if a frame begins here beyond doubt: it follows the last frame and is like
    /// it, or another one follows it.
    fn header_here(&mut self) -> Result<Option<Header>, String> {
        let last = self.last;
        let bytes = self.source.peek(3 * MAX_FRAME)?;
        let Some(header) = Header::of(bytes) else { return Ok(None) };
        let trusted = match last {
            // Junk before the first frame may look like two frames, not like three.
            None if self.searched => begins(bytes, bytes.len() < 3 * MAX_FRAME),
            None => followed(bytes, header) && !better_nearby(bytes, header),
            // A frame that is longer than the last one may have swallowed others.
            Some(last) if header.size <= last.size && followed(bytes, header) => true,
            Some(last) => {
                (last.same_stream(header) || followed(bytes, header)) && !better_nearby(bytes, header)
            }
        };
        Ok(trusted.then_some(header))
    }

    /// Over tags and junk to the next frame.
    fn resync(&mut self) -> Result<Option<Step>, String> {
        let mut junk = 0;
        self.searched = true;
        loop {
            let tag = tag_here(&mut self.source)?;
            if tag > 0 {
                self.source.skip(tag)?;
            } else {
                let bytes = self.source.peek(16 * MAX_FRAME)?;
                if bytes.is_empty() {
                    return Ok(Some(Step::End { bytes_left: if self.last.is_some() { junk } else { 0 } }));
                }
                let step = bytes.iter().skip(1).position(|&b| matches!(b, 0xff | b'T' | b'A' | b'I' | b'L'));
                let step = step.map_or(bytes.len(), |at| at + 1);
                // Zeros fill the place of tags; within a file they are lost sound, as any other junk.
                let filler = self.last.is_none() && bytes[..step].iter().all(|&b| b == 0);
                junk += if filler { 0 } else { step as u64 };
                self.source.consume(step);
            }
            if self.last.is_none() && junk > SEARCH {
                return Err(format!("holds no MPEG audio in its first {SEARCH} bytes"));
            }
            if self.header_here()?.is_some() {
                break;
            }
        }
        let Some(last) = self.last else {
            self.before = junk;
            return Ok(None);
        };
        // How long the lost frames were, at the bit rate of the last one: exact where the bit rate is
        // constant.
        let lost = (junk + last.size as u64 / 2) / last.size as u64;
        Ok((lost > 0).then(|| {
            self.promised = self.promised.map(|frames| frames.saturating_sub(lost));
            let reason = format!("{junk} bytes are not MPEG audio");
            Step::Damage { length: Some(lost * last.frames), reason }
        }))
    }
}

/// Whether a frame of the same stream, or the end, follows the one at the beginning of `bytes`.
fn followed(bytes: &[u8], header: Header) -> bool {
    let Some(after) = bytes.get(header.size..) else { return false };
    match Header::of(after) {
        Some(next) => next.same_stream(header),
        None => {
            after.is_empty()
                || after.starts_with(b"TAG")
                || after.starts_with(b"APETAGEX")
                || after.starts_with(b"ID3")
                || after.starts_with(b"LYRICSBEGIN")
        }
    }
}

/// Whether the length of this frame is wrong, since a frame that is followed by another begins within it.
fn better_nearby(bytes: &[u8], header: Header) -> bool {
    (4..header.size.min(bytes.len())).any(|at| {
        Header::of(&bytes[at..])
            .is_some_and(|other| other.same_stream(header) && followed(&bytes[at..], other))
    })
}

/// Length of a tag at this place, 0 if there is none: ID3, APE, Lyrics3 (which has no length at its
/// beginning).
fn tag_here(source: &mut Source) -> Result<u64, String> {
    let bytes = source.peek(32)?;
    if let Some(size) = id3v2(bytes) {
        return Ok(size);
    }
    if bytes.starts_with(b"TAG+") {
        return Ok(227);
    }
    if bytes.starts_with(b"TAG") {
        return Ok(128);
    }
    if bytes.starts_with(b"APETAGEX") && bytes.len() == 32 {
        let size = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
        // The size counts the items and the footer; a header comes on top, and a footer alone is the end.
        let is_header = bytes[23] & 0x20 != 0;
        return Ok(32 + if is_header { u64::from(size) } else { 0 });
    }
    if bytes.starts_with(b"LYRICSBEGIN") {
        let bytes = source.peek(1 << 16)?;
        let end = bytes.windows(9).position(|w| w == b"LYRICS200" || w == b"LYRICSEND");
        return Ok(end.map_or(0, |at| at as u64 + 9));
    }
    Ok(0)
}

/// Length of an ID3v2 tag that begins here, with its header and footer.
pub(crate) fn id3v2(bytes: &[u8]) -> Option<u64> {
    let head = bytes.first_chunk::<10>()?;
    let [.., a, b, c, d] = *head;
    if !head.starts_with(b"ID3") || head[3] == 0xff || head[4] == 0xff || (a | b | c | d) & 0x80 != 0 {
        return None;
    }
    let size = [a, b, c, d].iter().fold(0u64, |size, &byte| size << 7 | u64::from(byte));
    let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
    Some(10 + size + footer)
}

fn track(header: Header, info: Option<Info>) -> Track {
    let mut track = Track::new(Coding::Mpeg { layer: header.layer }, header.channels, header.rate);
    if let Some(info) = info {
        let all = info.mpeg_frames * header.frames;
        track.delay = info.delay;
        track.declared = (all > 0).then(|| all.saturating_sub(info.delay + info.padding));
        track.padded = true;
        // Some encoders count the frame with the header.
        track.slack = header.frames;
    }
    track
}

/// Whether `bytes` begin with three frames in a row, or with fewer that end with the file.
pub(crate) fn begins(bytes: &[u8], at_end: bool) -> bool {
    let mut at = 0;
    let mut first: Option<Header> = None;
    for _ in 0..3 {
        let Some(header) = bytes.get(at..).and_then(Header::of) else {
            return at_end && at == bytes.len() && first.is_some();
        };
        if first.is_some_and(|first| !first.same_stream(header)) {
            return false;
        }
        first = Some(header);
        at += header.size;
    }
    at <= bytes.len() || !at_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_layers() {
        let of = |bytes: [u8; 4]| Header::of(&bytes).map(|h| (h.layer, h.channels, h.rate, h.size, h.frames));
        assert_eq!(of([0xff, 0xfb, 0x90, 0x44]), Some((3, 2, 44_100, 417, 1152)));
        assert_eq!(of([0xff, 0xfb, 0x92, 0xc4]), Some((3, 1, 44_100, 418, 1152)));
        assert_eq!(of([0xff, 0xf3, 0x84, 0xc4]), Some((3, 1, 24_000, 192, 576)));
        assert_eq!(of([0xff, 0xfd, 0xc4, 0x04]), Some((2, 2, 48_000, 768, 1152)));
        assert_eq!(of([0xff, 0xff, 0xe4, 0x04]), Some((1, 2, 48_000, 448, 384)));
        for bad in
            [[0xff, 0xfb, 0xf0, 0], [0xff, 0xfb, 0x9c, 0], [0xff, 0xe9, 0x90, 0], [0xff, 0xf9, 0x90, 0]]
        {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_length_of_an_id3_tag() {
        assert_eq!(id3v2(b"ID3\x03\0\0\0\0\x02\x01rest"), Some(10 + 257));
        assert_eq!(id3v2(b"ID3\x04\0\x10\0\0\0\x05rest"), Some(25));
        assert_eq!(id3v2(b"ID3\x03\0\0\0\0\x82\x01rest"), None);
    }
}
