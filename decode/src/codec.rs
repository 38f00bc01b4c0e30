//! From packets to samples: symphonia's decoders behind a fence, and what their headers ask for is checked
//! before they are made.

use symphonia::core::audio::{Channels, SampleBuffer, SignalSpec};
use symphonia::core::codecs::{self, CodecParameters, CodecType, Decoder, DecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::Packet;

use crate::fence::fenced;
use crate::formats::Track;
use crate::formats::flac;
use crate::pcm::Pcm;

/// Of a header that is believed.
const MAX_CHANNELS: u32 = 64;
const MAX_RATE: u32 = 10_000_000;
/// Frames of one ALAC packet: usual are 4,096.
const MAX_ALAC_FRAMES: u32 = 1 << 16;

/// How a track is coded, with what its decoder must know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Coding {
    Pcm(Pcm),
    Adpcm(Adpcm),
    /// MPEG audio of layer 1, 2 or 3.
    Mpeg {
        layer: u8,
    },
    /// An AudioSpecificConfig.
    Aac {
        config: Vec<u8>,
    },
    /// The "magic cookie", alone or in its boxes.
    Alac {
        cookie: Vec<u8>,
    },
    /// The body of STREAMINFO.
    Flac {
        info: [u8; 34],
    },
    /// Identification (30 bytes) and setup header, one after the other.
    Vorbis {
        headers: Vec<u8>,
    },
}

/// ADPCM in blocks that are decoded alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Adpcm {
    ima: bool,
    channels: u16,
    /// Bytes and frames of a block.
    pub block: usize,
    pub frames: u64,
}

impl Adpcm {
    pub fn microsoft(channels: u16, block: u64) -> Result<Self, String> {
        Self::new(false, channels, block)
    }

    pub fn ima(channels: u16, block: u64) -> Result<Self, String> {
        Self::new(true, channels, block)
    }

    fn new(ima: bool, channels: u16, block: u64) -> Result<Self, String> {
        let name = if ima { "IMA" } else { "MS" };
        if !(1..=2).contains(&channels) {
            return Err(format!("is {name} ADPCM with {channels} channels; valid 1..=2"));
        }
        let mut adpcm = Self { ima, channels, block: block as usize, frames: 0 };
        adpcm.frames = adpcm.frames_in(adpcm.block);
        match adpcm.frames {
            0 => Err(format!("is {name} ADPCM in blocks of {block} bytes, which hold nothing")),
            _ => Ok(adpcm),
        }
    }

    /// Frames in a block of so many bytes: its head holds one (IMA) or two, its other bytes two samples each.
    pub fn frames_in(self, bytes: usize) -> u64 {
        let channels = usize::from(self.channels);
        let (head, first) = if self.ima { (4 * channels, 1) } else { (7 * channels, 2) };
        let Some(body) = bytes.checked_sub(head).filter(|_| bytes > 0) else { return 0 };
        // IMA has 4 bytes of one channel, then 4 of the other.
        let body = if self.ima { body - body % (4 * channels) } else { body };
        (first + body * 2 / channels) as u64
    }
}

/// Rate and channels of decoded sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub rate: u32,
    pub channels: u32,
}

impl Spec {
    fn checked(self) -> Result<Self, String> {
        if !(1..=MAX_RATE).contains(&self.rate) {
            return Err(format!("has a sample rate of {} Hz; valid 1..={MAX_RATE}", self.rate));
        }
        if !(1..=MAX_CHANNELS).contains(&self.channels) {
            return Err(format!("has {} channels; valid 1..={MAX_CHANNELS}", self.channels));
        }
        Ok(self)
    }
}

/// A decoder of one track.
pub(crate) struct Codec {
    coding: Coding,
    spec: Spec,
    decoder: Option<Box<dyn Decoder>>,
    buffer: Option<(SignalSpec, SampleBuffer<f32>)>,
}

impl Codec {
    /// An error says why the track cannot be decoded at all.
    pub fn new(track: &Track) -> Result<Self, String> {
        let spec = Spec { rate: track.sample_rate, channels: track.channels };
        let mut codec = Self { coding: track.coding.clone(), spec, decoder: None, buffer: None };
        if matches!(codec.coding, Coding::Pcm(_) | Coding::Adpcm(_)) {
            spec.checked()?;
        }
        codec.make()?;
        Ok(codec)
    }

    /// Makes a decoder, if the coding needs one.
    fn make(&mut self) -> Result<(), String> {
        let Some(params) = self.parameters()? else { return Ok(()) };
        let made = fenced(|| symphonia::default::get_codecs().make(&params, &DecoderOptions::default()));
        let name = self.coding.name();
        match made {
            Ok(Ok(decoder)) => self.decoder = Some(decoder),
            Ok(Err(Error::Unsupported(what))) => {
                return Err(format!("is {name} of a kind that is not supported ({what})"));
            }
            Ok(Err(e)) => return Err(format!("has a damaged {name} header ({})", reason(&e))),
            Err(panic) => return Err(format!("has a {name} header that its decoder fails at ({panic})")),
        }
        Ok(())
    }

    fn parameters(&self) -> Result<Option<CodecParameters>, String> {
        let mut params = CodecParameters::new();
        params.with_sample_rate(self.spec.rate);
        match &self.coding {
            Coding::Pcm(_) => return Ok(None),
            Coding::Adpcm(adpcm) => {
                let stereo = Channels::FRONT_LEFT | Channels::FRONT_RIGHT;
                params
                    .for_codec(if adpcm.ima {
                        codecs::CODEC_TYPE_ADPCM_IMA_WAV
                    } else {
                        codecs::CODEC_TYPE_ADPCM_MS
                    })
                    .with_channels(if adpcm.channels == 1 { Channels::FRONT_LEFT } else { stereo })
                    .with_bits_per_coded_sample(4)
                    .with_frames_per_block(adpcm.frames)
                    .with_max_frames_per_packet(adpcm.frames.max(4096));
            }
            Coding::Mpeg { layer } => {
                const LAYERS: [CodecType; 3] =
                    [codecs::CODEC_TYPE_MP1, codecs::CODEC_TYPE_MP2, codecs::CODEC_TYPE_MP3];
                params.for_codec(LAYERS[usize::from(layer.clamp(&1, &3) - 1)]);
            }
            Coding::Aac { config } => {
                params.for_codec(codecs::CODEC_TYPE_AAC).with_extra_data(config.clone().into());
            }
            Coding::Alac { cookie } => {
                let cookie = alac_cookie(cookie)?;
                params.for_codec(codecs::CODEC_TYPE_ALAC).with_extra_data(cookie.into());
            }
            Coding::Flac { info } => {
                params
                    .for_codec(codecs::CODEC_TYPE_FLAC)
                    .with_bits_per_sample(flac::Info::bits(info))
                    .with_extra_data(info.to_vec().into());
            }
            Coding::Vorbis { headers } => {
                params.for_codec(codecs::CODEC_TYPE_VORBIS).with_extra_data(headers.clone().into());
            }
        }
        Ok(Some(params))
    }

    /// Replaces `out` by the samples of a packet, interleaved. `length`: frames that the packet is said to
    /// hold. An error costs this packet only.
    pub fn decode(&mut self, data: &[u8], length: u64, out: &mut Vec<f32>) -> Result<Spec, String> {
        out.clear();
        if let Coding::Pcm(pcm) = self.coding {
            pcm.decode(data, out);
            return Ok(self.spec);
        }
        if self.decoder.is_none() {
            self.make()?;
        }
        let Some(mut decoder) = self.decoder.take() else { return Err("it has no decoder".into()) };
        let packet = Packet::new_from_slice(0, 0, length, data);
        let buffer = &mut self.buffer;
        let decoded = fenced(|| decode(decoder.as_mut(), &packet, buffer, out));
        match decoded {
            // What panicked is not used again: the next packet gets a decoder of its own.
            Err(panic) => {
                out.clear();
                Err(format!("its decoder failed: {panic}"))
            }
            Ok(result) => {
                self.decoder = Some(decoder);
                result
            }
        }
    }

    /// Forgets the packets before: there is no sound between them and the next.
    pub fn reset(&mut self) {
        if let Some(mut decoder) = self.decoder.take()
            && fenced(|| decoder.reset()).is_ok()
        {
            self.decoder = Some(decoder);
        }
    }
}

fn decode(
    decoder: &mut dyn Decoder,
    packet: &Packet,
    buffer: &mut Option<(SignalSpec, SampleBuffer<f32>)>,
    out: &mut Vec<f32>,
) -> Result<Spec, String> {
    let decoded = decoder.decode(packet).map_err(|e| reason(&e))?;
    let format = *decoded.spec();
    let spec = Spec { rate: format.rate, channels: format.channels.count() as u32 }.checked()?;
    if decoded.frames() == 0 {
        return Ok(spec);
    }
    let enough = |(same, buffer): &(SignalSpec, SampleBuffer<f32>)| {
        *same == format && buffer.capacity() >= decoded.capacity() * spec.channels as usize
    };
    if !buffer.as_ref().is_some_and(enough) {
        *buffer = Some((format, SampleBuffer::new(decoded.capacity() as u64, format)));
    }
    if let Some((_, buffer)) = buffer {
        buffer.copy_interleaved_ref(decoded);
        out.extend_from_slice(buffer.samples());
    }
    Ok(spec)
}

/// What symphonia says, without its grouping.
fn reason(error: &Error) -> String {
    match error {
        Error::DecodeError(what) | Error::Unsupported(what) | Error::LimitError(what) => (*what).into(),
        // Its bit readers say so of a packet, not of a file.
        Error::IoError(e) => e.to_string(),
        e => e.to_string(),
    }
}

/// The 24 or 48 bytes of ALAC's configuration out of the boxes that old files wrap it in.
fn alac_cookie(cookie: &[u8]) -> Result<Vec<u8>, String> {
    let mut rest = cookie;
    for kind in [b"frma", b"alac"] {
        if rest.get(4..8) == Some(&kind[..]) {
            rest = rest.get(12..).unwrap_or_default();
        }
    }
    let layout = rest.get(28..32) == Some(&b"chan"[..]);
    let cookie = rest.get(..if layout { 48 } else { 24 }).ok_or("has a damaged ALAC header")?;
    let frames = u32::from_be_bytes([cookie[0], cookie[1], cookie[2], cookie[3]]);
    if !(1..=MAX_ALAC_FRAMES).contains(&frames) {
        return Err(format!("has ALAC packets of {frames} frames; valid 1..={MAX_ALAC_FRAMES}"));
    }
    Ok(cookie.to_vec())
}

impl Coding {
    fn name(&self) -> &'static str {
        match self {
            Self::Pcm(_) => "PCM",
            Self::Adpcm(_) => "ADPCM",
            Self::Mpeg { .. } => "MPEG audio",
            Self::Aac { .. } => "AAC",
            Self::Alac { .. } => "ALAC",
            Self::Flac { .. } => "FLAC",
            Self::Vorbis { .. } => "Vorbis",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_adpcm_blocks() {
        let frames = |adpcm: Result<Adpcm, String>| adpcm.map(|adpcm| adpcm.frames);
        // As the encoders of Microsoft and of ffmpeg write them.
        assert_eq!(frames(Adpcm::microsoft(2, 2048)), Ok(2036));
        assert_eq!(frames(Adpcm::microsoft(1, 1024)), Ok(2036));
        assert_eq!(frames(Adpcm::ima(2, 2048)), Ok(2041));
        assert_eq!(frames(Adpcm::ima(1, 1024)), Ok(2041));
        assert!(frames(Adpcm::microsoft(5, 1280)).is_err_and(|reason| reason.contains("5 channels")));
        assert!(frames(Adpcm::ima(2, 0)).is_err_and(|reason| reason.contains("0 bytes")));
    }
}
