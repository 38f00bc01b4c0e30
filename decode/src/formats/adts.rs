//! AAC as a row of ADTS frames. They declare no encoder delay, so none is taken out: the same frames as
//! ffmpeg's.

use std::collections::VecDeque;

use super::mpeg::id3v2;
use super::{AAC_RATES, Format, Packet, Step, Track};
use crate::codec::Coding;
use crate::source::Source;

/// A frame's length has 13 bits.
const MAX_FRAME: usize = 8191;
/// Samples of each channel in one block of AAC-LC.
const BLOCK: u64 = 1024;

/// The header of one frame (ISO 14496-3, 1.A.2).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Header {
    object: u8,
    rate: u8,
    channels: u8,
    size: usize,
    /// Bytes of the header itself.
    head: usize,
    blocks: u64,
}

impl Header {
    fn of(bytes: &[u8]) -> Option<Self> {
        let &[first, second, third, fourth, fifth, sixth, seventh] = bytes.first_chunk::<7>()?;
        if first != 0xff || second & 0xf6 != 0xf0 {
            return None;
        }
        let size = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth >> 5);
        let header = Self {
            object: (third >> 6) + 1,
            rate: (third >> 2) & 15,
            channels: (third & 1) << 2 | fourth >> 6,
            size,
            head: if second & 1 == 0 { 9 } else { 7 },
            blocks: u64::from(seventh & 3) + 1,
        };
        (usize::from(header.rate) < AAC_RATES.len() && size > header.head).then_some(header)
    }

    fn same_stream(self, other: Self) -> bool {
        (self.object, self.rate, self.channels) == (other.object, other.rate, other.channels)
    }

    fn track(self) -> Track {
        // An AudioSpecificConfig: 5 bits of object type, 4 of rate, 4 of channels, 3 zeros.
        let config = vec![self.object << 3 | self.rate >> 1, self.rate << 7 | self.channels << 3];
        let channels = if self.channels == 7 { 8 } else { self.channels.into() };
        Track::new(Coding::Aac { config }, channels, AAC_RATES[usize::from(self.rate)])
    }
}

struct Adts {
    source: Source,
    last: Option<Header>,
    ready: VecDeque<Step>,
    /// The file does not begin with a frame; bytes before the first one.
    searched: bool,
    before: u64,
}

pub(crate) fn open(source: Source) -> Result<Box<dyn Format>, String> {
    Ok(Box::new(Adts { source, last: None, ready: VecDeque::new(), searched: false, before: 0 }))
}

impl Format for Adts {
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

impl Adts {
    fn read(&mut self) -> Result<Option<Step>, String> {
        let Some(header) = self.header_here()? else { return self.resync() };
        let data = self.source.take(header.size)?;
        let length = header.blocks * BLOCK;
        let damage = |reason| Step::Damage { length: Some(length), reason };
        if data.len() < header.size {
            return Ok(Some(damage("the last frame is cut off".into())));
        }
        let step = match header.blocks {
            1 => Step::Packet(Packet { data: data[header.head..].to_vec(), length, ..Packet::default() }),
            blocks => damage(format!("{blocks} blocks in one ADTS frame are not supported")),
        };
        let changed = self.last.is_none_or(|last| !last.same_stream(header));
        self.last = Some(header);
        if changed {
            let before = std::mem::take(&mut self.before);
            if before > header.size as u64 / 2 {
                let reason = format!("{before} bytes before the first frame are not ADTS frames");
                self.ready.push_back(Step::Damage { length: None, reason });
            }
            self.ready.push_back(step);
            return Ok(Some(Step::Track(Box::new(header.track()))));
        }
        Ok(Some(step))
    }

    /// The header at this place, if a frame begins here beyond doubt: it follows the last frame and is like
    /// it, or others follow it.
    fn header_here(&mut self) -> Result<Option<Header>, String> {
        let bytes = self.source.peek(3 * MAX_FRAME)?;
        let Some(header) = Header::of(bytes) else { return Ok(None) };
        let trusted = match self.last {
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
            let bytes = self.source.peek(4 * MAX_FRAME)?;
            if bytes.is_empty() {
                return Ok(Some(Step::End { bytes_left: if self.last.is_some() { junk } else { 0 } }));
            }
            if let Some(size) = id3v2(bytes).or_else(|| bytes.starts_with(b"TAG").then_some(128)) {
                self.source.skip(size)?;
            } else {
                let step = bytes.iter().skip(1).position(|&b| matches!(b, 0xff | b'T' | b'I'));
                let step = step.map_or(bytes.len(), |at| at + 1);
                junk += step as u64;
                self.source.consume(step);
            }
            if self.header_here()?.is_some() {
                break;
            }
        }
        // Frames differ in size, so this is an estimate; nothing in the file says better.
        let Some(last) = self.last else {
            self.before = junk;
            return Ok(None);
        };
        let lost = (junk + last.size as u64 / 2) / last.size as u64;
        let reason = format!("{junk} bytes are not ADTS frames");
        Ok((lost > 0).then_some(Step::Damage { length: Some(lost * BLOCK), reason }))
    }
}

/// Whether a frame of the same stream, or the end, follows.
fn followed(bytes: &[u8], header: Header) -> bool {
    let Some(after) = bytes.get(header.size..) else { return false };
    match Header::of(after) {
        Some(next) => next.same_stream(header),
        None => after.is_empty() || after.starts_with(b"TAG") || after.starts_with(b"ID3"),
    }
}

/// Whether the length of this frame is wrong, since a frame that is followed by another begins within it.
fn better_nearby(bytes: &[u8], header: Header) -> bool {
    (7..header.size.min(bytes.len())).any(|at| {
        Header::of(&bytes[at..])
            .is_some_and(|other| other.same_stream(header) && followed(&bytes[at..], other))
    })
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
