//! Apple's Core Audio Format: PCM, and ALAC, AAC and MP3 with a table of packets.

use super::fields::Fields;
use super::samples::Samples;
use super::{Format, MAX_PACKET, Packet, Step, Track, esds};
use crate::codec::Coding;
use crate::pcm::{Pcm, Sample};
use crate::source::Source;

/// The table of a day of packets is smaller, bytes.
const MAX_TABLE: u64 = 256 << 20;

/// The `desc` chunk.
struct Description {
    rate: f64,
    kind: [u8; 4],
    flags: u32,
    packet_bytes: u32,
    packet_frames: u32,
    channels: u32,
    bits: u32,
}

/// Packets of a compressed sound.
struct Packets {
    packet_bytes: u32,
    packet_frames: u32,
    /// Sizes and lengths that differ, as numbers of variable length.
    table: Vec<u8>,
    next: usize,
    left: u64,
    /// Bytes of sound that are left.
    bytes: u64,
}

enum Sound {
    Samples(Samples),
    Packets(Packets),
}

struct Caf {
    source: Source,
    track: Option<Track>,
    sound: Sound,
}

pub(crate) fn open(mut source: Source) -> Result<Box<dyn Format>, String> {
    source.skip(8)?;
    let (mut description, mut cookie, mut table, mut data) = (None, Vec::new(), Vec::new(), None);
    while let Some(head) = source.array::<12>()? {
        let mut fields = Fields::of(&head);
        let kind = fields.array::<4>().unwrap_or_default();
        let size = fields.u64().unwrap_or(0);
        let begin = source.position();
        match &kind {
            b"desc" => description = Some(description_of(&source.take(size.min(64) as usize)?)?),
            b"kuki" => cookie = source.take(size.min(1 << 16) as usize)?,
            b"pakt" if size > MAX_TABLE => {
                return Err(format!("has a packet table of {size} bytes; at most {MAX_TABLE} are read"));
            }
            b"pakt" => table = source.take(size as usize)?,
            b"data" => {
                // Its first 4 bytes count edits. A size of -1 goes to the end of the file.
                let size = (size != u64::MAX).then(|| size.saturating_sub(4));
                data = Some((begin + 4, size));
                let plain = description.as_ref().is_some_and(|d: &Description| d.is_plain());
                if size.is_none() || plain || !table.is_empty() {
                    break;
                }
                if !source.is_file() {
                    return Err(
                        "is a CAF file with its packet table at its end, which cannot be read from a pipe; \
                         give its name"
                            .into(),
                    );
                }
            }
            _ => {}
        }
        source.skip(size.saturating_sub(source.position() - begin))?;
    }
    let description = description.ok_or("has no description of its sound (desc chunk)")?;
    let (begin, size) = data.ok_or("has no data chunk, so no sound")?;
    source.seek(begin)?;
    let (coding, block) = description.coding(&cookie)?;
    let mut track = Track::new(coding, description.channels, description.rate as u32);
    let sound = match block {
        Some(block) => {
            track.declared = size.map(|size| size / block);
            Sound::Samples(Samples::new(block, 1, size))
        }
        None => Sound::Packets(description.packets(table, size, &mut track).ok_or("has no packet table")?),
    };
    Ok(Box::new(Caf { source, track: Some(track), sound }))
}

fn description_of(body: &[u8]) -> Result<Description, String> {
    let mut fields = Fields::of(body);
    let parse = |f: &mut Fields| {
        Some(Description {
            rate: f64::from_bits(f.u64()?),
            kind: f.array()?,
            flags: f.u32()?,
            packet_bytes: f.u32()?,
            packet_frames: f.u32()?,
            channels: f.u32()?,
            bits: f.u32()?,
        })
    };
    let description = parse(&mut fields).ok_or("ends in its header")?;
    if !(1.0..=4e9).contains(&description.rate) {
        return Err(format!("has a sample rate of {} Hz", description.rate));
    }
    Ok(description)
}

impl Description {
    fn is_plain(&self) -> bool {
        matches!(&self.kind, b"lpcm" | b"alaw" | b"ulaw")
    }

    /// How the sound is coded, and bytes of a frame if it is plain.
    fn coding(&self, cookie: &[u8]) -> Result<(Coding, Option<u64>), String> {
        let coding = match &self.kind {
            b"lpcm" => {
                let big_endian = self.flags & 2 == 0;
                // The bytes of a packet tell how many a sample takes; the bits may be fewer.
                let bytes = self.packet_bytes.checked_div(self.channels).filter(|&bytes| bytes > 0);
                let bytes = bytes.unwrap_or(self.bits.div_ceil(8));
                let sample = match (self.flags & 1 != 0, bytes) {
                    (true, 4 | 8) => Sample::Float(bytes as u8),
                    (false, 1..=4) => Sample::Signed(bytes as u8),
                    _ => return Err(format!("has samples of {} bits in {bytes} bytes", self.bits)),
                };
                Coding::Pcm(Pcm { sample, big_endian })
            }
            b"alaw" => Coding::Pcm(Pcm::big(Sample::ALaw)),
            b"ulaw" => Coding::Pcm(Pcm::big(Sample::MuLaw)),
            b"alac" => Coding::Alac { cookie: cookie.to_vec() },
            b".mp1" => Coding::Mpeg { layer: 1 },
            b".mp2" => Coding::Mpeg { layer: 2 },
            b".mp3" => Coding::Mpeg { layer: 3 },
            b"aac " => {
                // A descriptor as in MP4, without its version.
                let config = match esds::read(&[&[0; 4], cookie].concat()) {
                    Some(esds) => esds.config.to_vec(),
                    None => cookie.to_vec(),
                };
                Coding::Aac { config }
            }
            other => {
                let name = match other {
                    b"ima4" => "IMA ADPCM".into(),
                    b"opus" => "Opus".into(),
                    b"flac" => "FLAC".into(),
                    b"aach" | b"aacp" => "HE-AAC".into(),
                    b"samr" => "AMR".into(),
                    b"ac-3" => "AC-3".into(),
                    other => format!("the coding \"{}\"", String::from_utf8_lossy(other).escape_debug()),
                };
                return Err(format!("is {name} in CAF, which is not supported"));
            }
        };
        let block = match &coding {
            Coding::Pcm(pcm) => Some((pcm.bytes() as u64 * u64::from(self.channels)).max(1)),
            _ => None,
        };
        Ok((coding, block))
    }

    fn packets(&self, table: Vec<u8>, size: Option<u64>, track: &mut Track) -> Option<Packets> {
        let mut fields = Fields::of(&table);
        let (mut left, bytes) = (u64::MAX, size.unwrap_or(u64::MAX));
        if let Some(packets) = fields.u64() {
            left = packets;
            let (valid, priming, remainder) = (fields.u64()?, fields.u32()?, fields.u32()?);
            if valid > 0 && valid < 1 << 48 {
                track.declared = Some(valid);
                track.delay = priming.into();
                track.padded = remainder > 0 || priming > 0;
                // ffmpeg counts the last packet as whole.
                track.slack = self.packet_frames.into();
            }
        } else if self.packet_bytes == 0 {
            return None;
        }
        let next = table.len() - fields.left();
        let (packet_bytes, packet_frames) = (self.packet_bytes, self.packet_frames);
        Some(Packets { packet_bytes, packet_frames, table, next, left, bytes })
    }
}

impl Packets {
    fn number(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for _ in 0..5 {
            let byte = *self.table.get(self.next)?;
            self.next += 1;
            value = value << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Bytes and frames of the next packet.
    fn next(&mut self) -> Option<(u64, u64)> {
        if self.bytes == 0 {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let bytes = if self.packet_bytes > 0 { self.packet_bytes } else { self.number()? };
        let frames = if self.packet_frames > 0 { self.packet_frames } else { self.number()? };
        if self.bytes < u64::MAX {
            self.bytes = self.bytes.saturating_sub(bytes.into());
        }
        Some((bytes.into(), frames.into()))
    }
}

impl Format for Caf {
    fn next(&mut self) -> Result<Step, String> {
        if let Some(track) = self.track.take() {
            return Ok(Step::Track(Box::new(track)));
        }
        match &mut self.sound {
            Sound::Samples(samples) => match samples.next(&mut self.source)? {
                Some(step) => Ok(step),
                None => Ok(Step::End { bytes_left: samples.rest().len() as u64 }),
            },
            Sound::Packets(packets) => {
                let Some((bytes, length)) = packets.next() else {
                    let left = if packets.bytes == u64::MAX { 0 } else { packets.bytes };
                    return Ok(Step::End { bytes_left: left });
                };
                if bytes > MAX_PACKET as u64 {
                    let reason = format!("a packet of {bytes} bytes; at most {MAX_PACKET} are read");
                    self.source.skip(bytes)?;
                    return Ok(Step::Damage { length: Some(length), reason });
                }
                let data = self.source.take(bytes as usize)?;
                if (data.len() as u64) < bytes {
                    (packets.left, packets.bytes) = (0, 0);
                    return Ok(Step::Damage {
                        length: None,
                        reason: "the file ends before its sound does".into(),
                    });
                }
                Ok(Step::Packet(Packet { data, length, ..Packet::default() }))
            }
        }
    }
}
