//! The parts of Matroska that lie in memory: numbers, elements, the description of a track, laced blocks.

use super::fields::Fields;
use super::{AAC_RATES, Track, flac, mpeg, wav};
use crate::codec::Coding;
use crate::pcm::{Pcm, Sample};
use crate::vorbis::Vorbis;

/// A number of variable length (RFC 8794, 4): its value, `None` if all its bits are ones, and how long it is.
pub(super) fn number(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let size = first.leading_zeros() as usize + 1;
    if size > 8 {
        return None;
    }
    let bytes = bytes.get(..size)?;
    let value = bytes.iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
    let mask = (1 << (7 * size)) - 1;
    Some(((value & mask != mask).then_some(value & mask), size))
}

pub(super) fn unsigned(body: &[u8]) -> u64 {
    body.iter().take(8).fold(0, |value, &byte| value << 8 | u64::from(byte))
}

pub(super) fn signed(body: &[u8]) -> i64 {
    let bits = 64 - 8 * body.len().clamp(1, 8) as u32;
    ((unsigned(body) << bits) as i64) >> bits
}

pub(super) fn float(body: &[u8]) -> Option<f64> {
    match body.len() {
        4 => Fields::of(body).u32().map(|bits| f32::from_bits(bits).into()),
        8 => Fields::of(body).u64().map(f64::from_bits),
        _ => None,
    }
}

/// The elements in a body. One that is longer than the body ends with it.
pub(super) struct Elements<'a>(pub &'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let size = self.0.first()?.leading_zeros() as usize + 1;
        let id = self.0.get(..size.min(5))?.iter().fold(0u32, |id, &byte| id << 8 | u32::from(byte));
        let (length, used) = number(self.0.get(size..)?)?;
        let begin = size + used;
        let end = length.map_or(self.0.len(), |length| {
            usize::try_from(length)
                .map_or(self.0.len(), |length| begin.saturating_add(length).min(self.0.len()))
        });
        let body = self.0.get(begin..end)?;
        self.0 = &self.0[end..];
        Some((id, body))
    }
}

/// What a file says of a track with sound that can be decoded.
pub(super) struct TrackEntry {
    pub number: u64,
    pub rate: u32,
    channels: u32,
    coding: Coding,
    /// Frames before the sound.
    delay: u64,
    /// Bytes that were taken away from the beginning of each packet.
    pub stripped: Vec<u8>,
    /// How long the packets of Vorbis are.
    pub vorbis: Option<Vorbis>,
}

impl TrackEntry {
    /// `Ok(None)`: a track without sound. An error names a coding that is not supported.
    pub fn read(entry: &[u8]) -> Result<Option<Self>, String> {
        let (mut number, mut kind, mut codec, mut private, mut delay) = (0, 0, String::new(), &[][..], 0);
        let (mut rate, mut channels, mut bits) = (8000.0, 1, 0);
        let mut stripped = Vec::new();
        for (id, body) in Elements(entry) {
            match id {
                0xd7 => number = unsigned(body),
                0x83 => kind = unsigned(body),
                0x86 => codec = String::from_utf8_lossy(body).trim_end_matches('\0').to_owned(),
                0x63a2 => private = body,
                0x56aa => delay = unsigned(body),
                0xe1 => {
                    for (id, body) in Elements(body) {
                        match id {
                            0xb5 => rate = float(body).unwrap_or(0.0),
                            0x9f => channels = unsigned(body).min(u32::MAX.into()) as u32,
                            0x6264 => bits = unsigned(body).min(64) as u32,
                            _ => {}
                        }
                    }
                }
                0x6d80 => stripped = stripped_by(body)?,
                _ => {}
            }
        }
        if kind != 2 {
            return Ok(None);
        }
        let mut vorbis = None;
        let coding = match codec.as_str() {
            "A_VORBIS" => {
                let (head, setup) = vorbis_headers(private).ok_or("has damaged Vorbis headers")?;
                let headers = Vorbis::of(head, setup)?;
                (rate, channels) = (headers.rate.into(), headers.channels);
                vorbis = Some(headers);
                Coding::Vorbis { headers: [&head[..30], setup].concat() }
            }
            "A_FLAC" => {
                let info = private.get(8..).and_then(flac::Info::of).ok_or("has a damaged FLAC header")?;
                (rate, channels) = (info.rate.into(), info.channels);
                Coding::Flac { info: info.body }
            }
            "A_ALAC" => Coding::Alac { cookie: private.to_vec() },
            "A_MPEG/L1" => Coding::Mpeg { layer: 1 },
            "A_MPEG/L2" => Coding::Mpeg { layer: 2 },
            "A_MPEG/L3" => Coding::Mpeg { layer: 3 },
            "A_PCM/INT/LIT" | "A_PCM/INT/BIG" => match bits {
                8 => Coding::Pcm(Pcm::little(Sample::Unsigned8)),
                16 | 24 | 32 => {
                    let sample = Sample::Signed((bits / 8) as u8);
                    Coding::Pcm(Pcm { sample, big_endian: codec.ends_with("BIG") })
                }
                _ => return Err(format!("has samples of {bits} bits; valid are 8, 16, 24 and 32")),
            },
            "A_PCM/FLOAT/IEEE" if bits == 32 || bits == 64 => {
                Coding::Pcm(Pcm::little(Sample::Float((bits / 8) as u8)))
            }
            "A_AAC" if !private.is_empty() => Coding::Aac { config: private.to_vec() },
            id if id.starts_with("A_AAC") => Coding::Aac { config: aac_config(rate, channels) },
            "A_MS/ACM" => {
                let (coding, count, exact) = wav::coding_of(private)?;
                (rate, channels) = (exact.into(), count);
                coding
            }
            other => return Err(unsupported(other)),
        };
        if !(1.0..=4e9).contains(&rate) {
            return Err(format!("has a sample rate of {rate} Hz"));
        }
        let rate = rate as u32;
        let delay = (u128::from(delay) * u128::from(rate) + 500_000_000) / 1_000_000_000;
        let delay = delay.min(u128::from(rate)) as u64;
        Ok(Some(Self { number, rate, channels, coding, delay, stripped, vorbis }))
    }

    pub fn track(&self) -> Track {
        let mut track = Track::new(self.coding.clone(), self.channels, self.rate);
        track.delay = self.delay;
        // Times are rounded to milliseconds, and cameras write them with a jitter.
        track.slack = u64::from(self.rate) / 50;
        track
    }

    /// Frames in a packet, 0 if its bytes do not say. Vorbis is counted elsewhere: it needs the packet
    /// before.
    pub fn packet_length(&self, packet: &[u8]) -> u64 {
        match &self.coding {
            Coding::Aac { .. } => 1024,
            Coding::Mpeg { .. } => mpeg::Header::of(packet).map_or(0, mpeg::Header::length),
            Coding::Flac { info } => {
                flac::Info::of(info).and_then(|info| info.frame(packet)).map_or(0, |frame| frame.length)
            }
            Coding::Alac { cookie } => Fields::of(cookie).u32().map_or(0, u64::from),
            Coding::Pcm(pcm) => (packet.len() / (pcm.bytes() * self.channels.max(1) as usize)) as u64,
            Coding::Adpcm(adpcm) => (packet.len() / adpcm.block) as u64 * adpcm.frames,
            Coding::Vorbis { .. } => 0,
        }
    }
}

/// The identification and the setup header in the private data of Vorbis: three packets with the lengths of
/// the first two before them, in bytes of 255 and less.
fn vorbis_headers(private: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = Fields::of(private);
    if fields.u8()? != 2 {
        return None;
    }
    let mut sizes = [0; 2];
    for size in &mut sizes {
        loop {
            let byte = fields.u8()?;
            *size += usize::from(byte);
            if byte < 255 {
                break;
            }
        }
    }
    let head = fields.bytes(sizes[0]).filter(|head| head.len() >= 30)?;
    fields.bytes(sizes[1])?;
    Some((head, fields.rest()))
}

/// Bytes that each packet lacks at its beginning. Other compression of packets is not supported.
fn stripped_by(encodings: &[u8]) -> Result<Vec<u8>, String> {
    let mut stripped = Vec::new();
    for (_, encoding) in Elements(encodings).filter(|(id, _)| *id == 0x6240) {
        for (id, body) in Elements(encoding) {
            let settings: Vec<(u32, &[u8])> = Elements(body).collect();
            let algorithm =
                settings.iter().find(|(id, _)| *id == 0x4254).map_or(0, |(_, body)| unsigned(body));
            match (id, algorithm) {
                (0x5034, 3) => {
                    let bytes =
                        settings.iter().find(|(id, _)| *id == 0x4255).map_or(&[][..], |(_, bytes)| bytes);
                    stripped.extend_from_slice(bytes);
                }
                (0x5034, _) => return Err("has compressed packets, which are not supported".into()),
                (0x5035, _) => return Err("is encrypted".into()),
                _ => {}
            }
        }
    }
    Ok(stripped)
}

/// An AudioSpecificConfig of AAC-LC, for files that have none.
fn aac_config(rate: f64, channels: u32) -> Vec<u8> {
    let index =
        AAC_RATES.iter().position(|&known| f64::from(known) <= rate + 1.0).unwrap_or(AAC_RATES.len() - 1)
            as u8;
    vec![2 << 3 | index >> 1, index << 7 | (channels.min(7) as u8) << 3]
}

/// The packets of a block, by the two bits of its flags that say how they are laced (RFC 9559, 10.3).
pub(super) fn unlace(flags: u8, body: &[u8]) -> Option<Vec<&[u8]>> {
    let mut fields = Fields::of(body);
    let lacing = (flags >> 1) & 3;
    if lacing == 0 {
        return Some(vec![body]);
    }
    let count = usize::from(fields.u8()?) + 1;
    let mut sizes = Vec::new();
    match lacing {
        2 => sizes = vec![fields.left() / count; count - 1],
        1 => {
            for _ in 1..count {
                let mut size = 0;
                loop {
                    let byte = fields.u8()?;
                    size += usize::from(byte);
                    if byte < 255 {
                        break;
                    }
                }
                sizes.push(size);
            }
        }
        _ => {
            let mut size = 0i64;
            for k in 1..count {
                let (value, used) = number(fields.rest())?;
                fields.bytes(used)?;
                let value = i64::try_from(value?).ok()?;
                // The first is a size, the others are differences with a bias.
                size = if k == 1 { value } else { size + value - ((1i64 << (7 * used - 1)) - 1) };
                sizes.push(usize::try_from(size).ok()?);
            }
        }
    }
    let mut packets = sizes.into_iter().map(|size| fields.bytes(size)).collect::<Option<Vec<_>>>()?;
    packets.push(fields.rest());
    Some(packets)
}

fn unsupported(codec: &str) -> String {
    let name = match codec {
        "A_OPUS" => "Opus",
        "A_AC3" => "AC-3",
        "A_EAC3" => "E-AC-3",
        "A_DTS" => "DTS",
        "A_TRUEHD" => "TrueHD",
        "A_TTA1" => "TTA",
        "A_WAVPACK4" => "WavPack",
        "A_QUICKTIME" => "a coding of QuickTime",
        other => {
            return format!("is the coding \"{}\" in Matroska, which is not supported", other.escape_debug());
        }
    };
    format!("is {name} in Matroska or WebM, which is not supported")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_lengths() {
        assert_eq!(number(&[0x81]), Some((Some(1), 1)));
        assert_eq!(number(&[0x40, 0x7f]), Some((Some(127), 2)));
        assert_eq!(number(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Some((None, 8)));
        assert_eq!(number(&[0x40]), None);
        assert_eq!(number(&[0]), None);
        assert_eq!([signed(&[0xff]), signed(&[0x01, 0x00])], [-1, 256]);
    }

    #[test]
    fn laced_packets() {
        let body = [2, 1, 2, b'a', b'b', b'c', b'd', b'e'];
        let abc: Vec<&[u8]> = vec![b"a", b"bc", b"de"];
        assert_eq!(unlace(2, &body), Some(abc.clone()), "Xiph");
        // A first size of 1, then a difference of +1: 0xc0 with the bias of 63.
        assert_eq!(unlace(6, &[2, 0x81, 0xc0, b'a', b'b', b'c', b'd', b'e']), Some(abc), "EBML");
        assert_eq!(unlace(4, &[1, b'a', b'b', b'c', b'd']), Some(vec![&b"ab"[..], b"cd"]), "one size");
        assert_eq!(unlace(2, &[9, 255]), None);
        assert_eq!(unlace(0, b"one"), Some(vec![&b"one"[..]]));
    }
}
