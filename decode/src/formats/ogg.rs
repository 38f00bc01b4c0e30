//! Ogg (RFC 3533) with Vorbis or FLAC in it; chained files, and pages that are damaged or missing.

use std::collections::VecDeque;

use super::{Format, MAX_PACKET, Packet, Step, Track, flac};
use crate::codec::Coding;
use crate::source::Source;
use crate::vorbis::Vorbis;

/// The header of a page with its 255 lacing values, and its body.
const MAX_PAGE: usize = 27 + 255 + 255 * 255;

const PAGE_LOST: &str = "a page is damaged or missing";

struct Page {
    continued: bool,
    first: bool,
    last: bool,
    /// Where the last packet that ends on this page ends; `None` if none does.
    granule: Option<u64>,
    serial: u32,
    sequence: u32,
    lacing: Vec<u8>,
    body: Vec<u8>,
    /// Its sound is damaged and left out.
    husk: bool,
}

/// What is in the stream that is read.
enum Mapping {
    /// The identification header, until the setup header has come.
    VorbisHead(Vec<u8>),
    Vorbis(Vorbis, Track),
    Flac(flac::Info),
}

/// The stream that is read: the first of the file, or of a link of a chain, that holds sound.
struct Stream {
    serial: u32,
    sequence: u32,
    mapping: Mapping,
    /// A packet of which the end has not come.
    partial: Vec<u8>,
    /// The beginning of the packet that ends next is lost.
    headless: bool,
    /// Vorbis: block size of the packet before; `None` at the beginning and after a loss.
    block: Option<u64>,
    /// Vorbis: granule position of the track's beginning, once the first page with sound has said so.
    origin: Option<i64>,
    /// Frames so far, from the track's beginning, and whether that is still known after a loss.
    position: u64,
    known: bool,
    has_sound: bool,
    /// A page was lost before the first page with sound.
    cut: bool,
    ended: bool,
}

struct Ogg {
    source: Source,
    stream: Option<Stream>,
    steps: VecDeque<Step>,
    /// Why a stream that was found is not read.
    unsupported: Option<String>,
    /// Bytes since the last page that are none, and bytes of a stream behind its last page.
    junk: u64,
    behind: u64,
}

pub(crate) fn open(source: Source) -> Result<Box<dyn Format>, String> {
    Ok(Box::new(Ogg { source, stream: None, steps: VecDeque::new(), unsupported: None, junk: 0, behind: 0 }))
}

impl Format for Ogg {
    fn next(&mut self) -> Result<Step, String> {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return Ok(step);
            }
            match self.next_page()? {
                Some(page) => self.page(&page)?,
                None => return self.end(),
            }
        }
    }
}

impl Ogg {
    /// The next page whose checksum is right, or that is a header.
    fn next_page(&mut self) -> Result<Option<Page>, String> {
        loop {
            let bytes = self.source.peek(MAX_PAGE)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            if let Some((page, size, right)) = Page::of(bytes) {
                // A header with a wrong bit may still do, and without it nothing can be decoded.
                let header = self
                    .stream
                    .as_ref()
                    .is_none_or(|stream| matches!(stream.mapping, Mapping::VorbisHead(_)));
                let after = &bytes[size..];
                let whole = right || after.is_empty() || after.starts_with(b"OggS");
                // Where a page is damaged, its header may still say how long its sound was.
                let ours = self.stream.as_ref().is_some_and(|stream| stream.expects(&page));
                if right || whole && (header || ours) {
                    self.source.consume(size);
                    self.junk = 0;
                    let husk = !right && !header;
                    return Ok(Some(if husk {
                        Page { husk, lacing: Vec::new(), body: Vec::new(), ..page }
                    } else {
                        page
                    }));
                }
            }
            let step = bytes.iter().skip(1).position(|&b| b == b'O');
            let step = step.map_or(bytes.len(), |at| at + 1);
            self.source.consume(step);
            self.junk += step as u64;
        }
    }

    fn end(&mut self) -> Result<Step, String> {
        let Some(stream) = self.stream.as_mut() else {
            return Err(self.unsupported.take().unwrap_or_else(|| "is an Ogg file without sound".into()));
        };
        if !stream.has_sound {
            return Err("is damaged: a header is missing, or it ends before its sound begins".into());
        }
        if !std::mem::replace(&mut stream.ended, true) {
            let reason = "the file ends before the last page of its stream".into();
            return Ok(Step::Damage { length: None, reason });
        }
        Ok(Step::End { bytes_left: self.junk + self.behind })
    }

    fn page(&mut self, page: &Page) -> Result<(), String> {
        if page.first {
            self.begin(page);
        }
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.serial == page.serial) else {
            return Ok(());
        };
        if stream.ended {
            self.behind += page.body.len() as u64;
            return Ok(());
        }
        if page.sequence != stream.sequence && !page.first {
            stream.lose();
            if stream.has_sound || matches!(stream.mapping, Mapping::Flac(_)) {
                self.steps.push_back(Step::Damage { length: None, reason: PAGE_LOST.into() });
            }
        }
        stream.sequence = page.sequence.wrapping_add(1);
        if page.husk {
            stream.lose();
            // A page has at most 255 packets of at most 4,096 frames; more is a false number.
            let sane = stream.position..=stream.position + 255 * 4096;
            let end = stream.end_of(page).filter(|end| sane.contains(end));
            let length = end.map(|end| end - stream.position);
            stream.known = end.is_some();
            stream.position = end.unwrap_or(stream.position);
            stream.ended |= page.last;
            self.steps.push_back(Step::Damage { length, reason: PAGE_LOST.into() });
            return Ok(());
        }
        let packets = stream.packets(page);
        let audio = stream.without_headers(packets, &mut self.steps)?;
        if !audio.is_empty() {
            stream.place(page, audio, &mut self.steps);
        }
        stream.ended |= page.last;
        Ok(())
    }

    /// A stream begins; it is read if it holds sound and no other is being read.
    fn begin(&mut self, page: &Page) {
        if self.stream.as_ref().is_some_and(|stream| !stream.ended && !stream.has_sound) {
            return;
        }
        let packet = &page.body;
        let mapping = if packet.starts_with(b"\x01vorbis") && packet.len() >= 30 {
            Mapping::VorbisHead(packet[..30].to_vec())
        } else if let Some(info) =
            packet.strip_prefix(b"\x7fFLAC").and_then(|rest| flac::Info::of(rest.get(12..)?))
        {
            self.steps.push_back(Step::Track(Box::new(info.track())));
            Mapping::Flac(info)
        } else {
            let reason = format!("is {} in Ogg, which is not supported", codec_name(packet));
            if self.stream.is_some() {
                self.steps.push_back(Step::Damage { length: None, reason: format!("what follows {reason}") });
            } else if codec_name(packet) != "Skeleton" {
                self.unsupported.get_or_insert(reason);
            }
            return;
        };
        if self.stream.as_ref().is_some_and(|stream| !stream.ended) {
            let reason = "a stream of the chain ends before its last page".into();
            self.steps.push_front(Step::Damage { length: None, reason });
        }
        self.stream = Some(Stream {
            serial: page.serial,
            sequence: page.sequence,
            mapping,
            partial: Vec::new(),
            headless: false,
            block: None,
            origin: None,
            position: 0,
            known: true,
            has_sound: false,
            cut: false,
            ended: false,
        });
    }
}

/// By the first packet of a stream.
fn codec_name(packet: &[u8]) -> &'static str {
    let names: [(&[u8], &str); 8] = [
        (b"OpusHead", "Opus"),
        (b"Speex   ", "Speex"),
        (b"\x80theora", "Theora (a video)"),
        (b"CELT    ", "CELT"),
        (b"PCM     ", "PCM"),
        (b"fishead", "Skeleton"),
        (b"\x01vorbis", "damaged Vorbis"),
        (b"\x7fFLAC", "damaged FLAC"),
    ];
    names.iter().find(|(magic, _)| packet.starts_with(magic)).map_or("an unknown coding", |(_, name)| name)
}

impl Page {
    /// A page at the beginning of `bytes`, its length, and whether its checksum is right.
    fn of(bytes: &[u8]) -> Option<(Self, usize, bool)> {
        let head = bytes.get(..27).filter(|head| head.starts_with(b"OggS\0"))?;
        let lacing = bytes.get(27..27 + usize::from(head[26]))?;
        let begin = 27 + lacing.len();
        let size = begin + lacing.iter().map(|&value| usize::from(value)).sum::<usize>();
        let body = bytes.get(begin..size)?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let crc = crc32(crc32(crc32(0, &head[..22]), &[0; 4]), &bytes[26..size]);
        let granule = u64::from(number(10)) << 32 | u64::from(number(6));
        let page = Self {
            continued: head[5] & 1 != 0,
            first: head[5] & 2 != 0,
            last: head[5] & 4 != 0,
            granule: (granule != u64::MAX).then_some(granule),
            serial: number(14),
            sequence: number(18),
            lacing: lacing.to_vec(),
            body: body.to_vec(),
            husk: false,
        };
        Some((page, size, crc == number(22)))
    }
}

/// Polynomial 0x04c11db7, from 0, not reflected; a byte at a time.
const CRC32: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = ((byte as u32) << 24, 0);
        while bit < 8 {
            crc = if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, &byte| crc << 8 ^ CRC32[usize::from((crc >> 24) as u8 ^ byte)])
}

impl Stream {
    /// Whether a page is the next one of this stream, after some sound.
    fn expects(&self, page: &Page) -> bool {
        self.has_sound && !page.first && (page.serial, page.sequence) == (self.serial, self.sequence)
    }

    /// Where the sound of a page ends, by its granule position.
    fn end_of(&self, page: &Page) -> Option<u64> {
        let origin = if let Mapping::Flac(_) = self.mapping { 0 } else { self.origin? };
        Some((i128::from(page.granule?) - i128::from(origin)).clamp(0, 1 << 62) as u64)
    }

    fn lose(&mut self) {
        self.partial.clear();
        self.headless = true;
        self.known = false;
        self.block = None;
        self.cut |= !self.has_sound;
    }

    /// The packets that end on a page.
    fn packets(&mut self, page: &Page) -> Vec<Vec<u8>> {
        if !page.continued {
            self.partial.clear();
            self.headless = false;
        }
        let (mut packets, mut at) = (Vec::new(), 0);
        for &size in &page.lacing {
            let end = at + usize::from(size);
            // A comment may hold pictures of megabytes; what is longer is not sound.
            if self.partial.len() < MAX_PACKET {
                self.partial.extend_from_slice(&page.body[at..end]);
            }
            at = end;
            if size < 255 {
                let packet = std::mem::take(&mut self.partial);
                if !std::mem::take(&mut self.headless) {
                    packets.push(packet);
                }
            }
        }
        packets
    }

    /// Takes the headers out of the packets; what is left is sound.
    fn without_headers(
        &mut self,
        packets: Vec<Vec<u8>>,
        steps: &mut VecDeque<Step>,
    ) -> Result<Vec<Vec<u8>>, String> {
        let mut audio = Vec::new();
        for packet in packets {
            match &self.mapping {
                Mapping::VorbisHead(head) if packet.starts_with(b"\x05vorbis") => {
                    let vorbis = Vorbis::of(head, &packet)?;
                    let coding = Coding::Vorbis { headers: [head, &packet[..]].concat() };
                    let track = Track::new(coding, vorbis.channels, vorbis.rate);
                    self.mapping = Mapping::Vorbis(vorbis, track);
                }
                // Without its setup header a stream cannot be decoded; another link of the chain may be
                // whole.
                Mapping::VorbisHead(_) if packet.first().is_some_and(|kind| kind % 2 == 0) => {
                    self.ended = true;
                    let reason = "the setup header of a Vorbis stream is missing".into();
                    steps.push_back(Step::Damage { length: None, reason });
                    return Ok(Vec::new());
                }
                Mapping::VorbisHead(_) => {}
                Mapping::Vorbis(vorbis, _) if vorbis.block(&packet).is_some() => audio.push(packet),
                Mapping::Flac(info) if info.frame(&packet).is_some() => audio.push(packet),
                Mapping::Vorbis(..) | Mapping::Flac(_) => {}
            }
        }
        Ok(audio)
    }

    /// Says of each packet of a page where it belongs.
    fn place(&mut self, page: &Page, audio: Vec<Vec<u8>>, steps: &mut VecDeque<Step>) {
        let lengths: Vec<u64> = match &self.mapping {
            Mapping::Vorbis(vorbis, _) => {
                let mut lengths = Vec::new();
                let mut before = self.block;
                for packet in &audio {
                    let block = vorbis.block(packet);
                    lengths.push(before.zip(block).map_or(0, |(before, block)| (before + block) / 4));
                    before = block;
                }
                // The first packet after a loss gives nothing, but it has a length; most likely it follows
                // one like it.
                if self.block.is_none() && self.has_sound && self.known {
                    lengths[0] = vorbis.block(&audio[0]).unwrap_or(0) / 2;
                }
                lengths
            }
            Mapping::Flac(info) => {
                for data in audio {
                    let Some(frame) = info.frame(&data) else { continue };
                    let (at, length) = (Some(frame.at), frame.length);
                    self.position = frame.at.saturating_add(length);
                    steps.push_back(Step::Packet(Packet { data, at, length, ..Packet::default() }));
                }
                self.has_sound = true;
                return;
            }
            Mapping::VorbisHead(_) => return,
        };
        let total: u64 = lengths.iter().sum();
        let whole = (self.known && self.has_sound) || (!self.has_sound && !self.cut);
        if !std::mem::replace(&mut self.has_sound, true) {
            self.begin_at(page, total, steps);
        }
        // Where the packets of this page end, by the page and by what came before.
        let counted = self.position + total;
        let end = self.end_of(page).unwrap_or(counted);
        // The last page may end within its last packets; everything else that is missing is a gap.
        let mut discard = if page.last && whole { counted.saturating_sub(end) } else { 0 };
        let mut at = if discard > 0 { self.position } else { end.saturating_sub(total) };
        let mut packets: Vec<Packet> = Vec::new();
        for (k, (data, &length)) in audio.into_iter().zip(&lengths).enumerate() {
            let fresh = k == 0 && self.block.is_none();
            if let Mapping::Vorbis(vorbis, _) = &self.mapping {
                self.block = vorbis.block(&data);
            }
            packets.push(Packet { data, at: Some(at), length, discard: 0, fresh });
            at += length;
        }
        for packet in packets.iter_mut().rev() {
            packet.discard = discard.min(packet.length);
            discard -= packet.discard;
        }
        self.position = end;
        self.known = true;
        steps.extend(packets.into_iter().map(Step::Packet));
    }

    /// The first page with sound: if it ends earlier than its packets, what is too much is before the
    /// beginning.
    fn begin_at(&mut self, page: &Page, total: u64, steps: &mut VecDeque<Step>) {
        let Mapping::Vorbis(_, track) = &mut self.mapping else { return };
        let coding = std::mem::replace(&mut track.coding, Coding::Vorbis { headers: Vec::new() });
        let mut track = Track::new(coding, track.channels, track.sample_rate);
        let surplus = page.granule.map_or(0, |granule| total as i64 - granule.min(1 << 62) as i64);
        self.origin = Some(match surplus {
            // A page before it is lost, or the whole stream is one page: it begins at 0.
            _ if self.cut || page.last => 0,
            // A recording of a stream that had begun before.
            surplus => -surplus,
        });
        if surplus > 0 && !self.cut && !page.last {
            track.delay = surplus as u64;
        }
        steps.push_back(Step::Track(Box::new(track)));
        if self.cut {
            steps.push_back(Step::Damage { length: None, reason: PAGE_LOST.into() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_checksum_is_ogg_s() {
        // CRC-32 with the polynomial of Ethernet, neither reflected nor inverted.
        assert_eq!(crc32(0, b"123456789"), 0x89a1_897f);
    }
}
