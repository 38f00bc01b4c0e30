//! AIFF and AIFF-C.

use super::chunks::Chunks;
use super::fields::Fields;
use super::samples::Samples;
use super::{Format, Step, Track};
use crate::codec::Coding;
use crate::pcm::{Pcm, Sample};
use crate::source::Source;

const CHUNKS: Chunks = Chunks::Riff { big_endian: true };

struct Aiff {
    source: Source,
    track: Option<Track>,
    samples: Samples,
}

pub(crate) fn open(mut source: Source) -> Result<Box<dyn Format>, String> {
    let compressed = source.array::<12>()?.is_some_and(|magic| &magic[8..] == b"AIFC");
    let (mut common, mut sound) = (None, None);
    while common.is_none() || sound.is_none() {
        let Some(chunk) = CHUNKS.next(&mut source)? else {
            return Err(match common {
                Some(_) => "has no SSND chunk, so no sound".into(),
                None => "has no COMM chunk: nothing says what its sound is".into(),
            });
        };
        let begin = source.position();
        match &chunk.id {
            b"COMM" => {
                let body = source.peek(chunk.size.min(4096) as usize)?;
                common = Some(common_of(body, compressed)?);
            }
            b"SSND" => {
                let head = source.array::<8>()?.ok_or("ends in the head of its sound")?;
                let offset = u64::from(Fields::of(&head).u32().unwrap_or(0));
                // 0 was never filled in; one that is larger than the file is cut by the file.
                let size = (chunk.size > 8).then(|| chunk.size.saturating_sub(8 + offset));
                sound = Some((begin + 8 + offset, size));
                if common.is_some() {
                    break;
                }
                if !source.is_file() {
                    return Err("is an AIFF file that says at its end what its sound is, which cannot be read from a \
                         pipe; give its name"
                        .into());
                }
            }
            _ => {}
        }
        let used = source.position() - begin;
        source.skip(chunk.size.saturating_add(chunk.padding).saturating_sub(used))?;
    }
    let (Some((mut track, frames)), Some((begin, size))) = (common, sound) else {
        return Err("ends in its header".into());
    };
    source.seek(begin)?;
    let block = match track.coding {
        Coding::Pcm(pcm) => u64::from(track.channels) * pcm.bytes() as u64,
        _ => 1,
    };
    let samples = Samples::new(block, 1, size);
    let in_chunk = size.map(|size| size / block.max(1));
    track.declared = in_chunk.or((frames > 0).then_some(frames));
    Ok(Box::new(Aiff { source, track: Some(track), samples }))
}

impl Format for Aiff {
    fn next(&mut self) -> Result<Step, String> {
        if let Some(track) = self.track.take() {
            return Ok(Step::Track(Box::new(track)));
        }
        if let Some(step) = self.samples.next(&mut self.source)? {
            return Ok(step);
        }
        let rest = self.samples.rest().len() as u64;
        if self.source.position() % 2 == 1 && self.source.peek(1)? == [0] {
            self.source.skip(1)?;
        }
        let behind = CHUNKS.after_sound(&mut self.source, &[])?;
        Ok(Step::End { bytes_left: behind.err().unwrap_or(0) + rest })
    }
}

/// The track and how many frames it has.
fn common_of(body: &[u8], compressed: bool) -> Result<(Track, u64), String> {
    let mut fields = Fields::of(body);
    let parse = |f: &mut Fields| Some((f.u16()?, f.u32()?, f.u16()?, f.array::<10>()?));
    let (channels, frames, bits, rate) = parse(&mut fields).ok_or("ends in its COMM chunk")?;
    let rate = extended(rate);
    if !(1.0..=4e9).contains(&rate) {
        return Err(format!("has a sample rate of {rate} Hz"));
    }
    let signed = || match bits {
        1..=32 => Ok(Sample::Signed(bits.div_ceil(8) as u8)),
        _ => Err(format!("has samples of {bits} bits; valid 1..=32")),
    };
    let kind = if compressed { fields.array::<4>().unwrap_or(*b"NONE") } else { *b"NONE" };
    let pcm = match &kind {
        b"NONE" | b"none" | b"twos" | b"TWOS" => Pcm::big(signed()?),
        b"sowt" | b"SOWT" => Pcm::little(signed()?),
        b"in24" => Pcm::big(Sample::Signed(3)),
        b"in32" => Pcm::big(Sample::Signed(4)),
        b"23ni" => Pcm::little(Sample::Signed(4)),
        b"42ni" => Pcm::little(Sample::Signed(3)),
        b"raw " => Pcm::big(Sample::Unsigned8),
        b"fl32" | b"FL32" => Pcm::big(Sample::Float(4)),
        b"fl64" | b"FL64" => Pcm::big(Sample::Float(8)),
        b"alaw" | b"ALAW" => Pcm::big(Sample::ALaw),
        b"ulaw" | b"ULAW" => Pcm::big(Sample::MuLaw),
        other => {
            let name = String::from_utf8_lossy(other).escape_debug().to_string();
            return Err(format!("is an AIFF-C file of the coding \"{name}\", which is not supported"));
        }
    };
    let track = Track::new(Coding::Pcm(pcm), channels.into(), rate.round() as u32);
    Ok((track, frames.into()))
}

/// An 80-bit float of the Motorola 68881, as AIFF writes rates.
fn extended(bytes: [u8; 10]) -> f64 {
    let mut fields = Fields::of(&bytes);
    let head = fields.u16().unwrap_or(0);
    let mantissa = fields.u64().unwrap_or(0) as f64;
    if head & 0x7fff == 0x7fff {
        return f64::NAN;
    }
    let size = mantissa * f64::from(i32::from(head & 0x7fff) - 16383 - 63).exp2();
    if head & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::extended;

    #[test]
    fn rates_of_80_bits() {
        assert_eq!(extended([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), 44_100.0);
        assert_eq!(extended([0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]), 8_000.0);
        assert!(extended([0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]).is_nan());
    }
}
