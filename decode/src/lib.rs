//! Audio files to PCM, for the command line, the trainer and the tests: one call over
//! [symphonia](https://docs.rs/symphonia). The library itself takes PCM and never opens an audio file.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use symphonia::core::audio::{SampleBuffer, SignalSpec};
use symphonia::core::codecs::{self, CODEC_TYPE_NULL, CodecType, Decoder, DecoderOptions};
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::formats::{FormatOptions, FormatReader, Packet};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::probe::Hint;

/// A decoded file: the first audio track, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Interleaved samples; full scale is ±1. Encoder delay and padding that the file declares are taken out.
    pub samples: Vec<f32>,
    /// Channels in one frame, 1 or more.
    pub channels: u32,
    /// Frames a second, in Hz.
    pub sample_rate: u32,
    /// Broken packets that were left out. If not 0, everything after such a packet comes earlier than in the file.
    pub skipped_packets: u32,
}

impl Audio {
    /// Frames (samples in one channel).
    pub fn frames(&self) -> usize {
        self.samples.len() / self.channels.max(1) as usize
    }
}

/// Why a file could not be decoded. Its text is one line that begins with the file's path.
#[derive(Debug)]
pub struct DecodeError {
    path: PathBuf,
    reason: String,
}

impl DecodeError {
    /// The reason alone, without the path.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for DecodeError {}

/// Decodes the first audio track of the file at `path`: wav, aiff, caf, flac, ogg/vorbis, mp1/2/3, aac and alac in
/// mp4, mkv and webm. The contents decide the format, not the name. A file that ends early gives the frames it holds.
pub fn decode(path: &Path) -> Result<Audio, DecodeError> {
    decode_track(path).map_err(|reason| DecodeError { path: path.to_owned(), reason })
}

/// So many errors in a row, with no good packet between them, and the rest of the file is given up.
const MAX_ERRORS_IN_A_ROW: u32 = 100;

fn decode_track(path: &Path) -> Result<Audio, String> {
    let mut reader = open(path)?;
    let (track, mut decoder) = first_audio_track(reader.as_ref())?;

    let mut pcm = Pcm::default();
    let (mut skipped, mut in_a_row, mut last_error) = (0, 0, None);
    while in_a_row < MAX_ERRORS_IN_A_ROW {
        let packet = match reader.next_packet() {
            Ok(packet) if packet.track_id() != track => continue,
            Ok(packet) => packet,
            Err(Symphonia::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(Symphonia::IoError(e)) => return Err(format!("cannot be read: {e}")),
            Err(Symphonia::ResetRequired) => return Err(pcm.new_stream()),
            Err(e) => {
                (skipped, in_a_row, last_error) = (skipped + 1, in_a_row + 1, Some(e));
                continue;
            }
        };
        match decode_packet(decoder.as_mut(), &packet, &mut pcm) {
            Ok(()) => in_a_row = 0,
            Err(Failure::Fatal(reason)) => return Err(reason),
            Err(Failure::Packet(e)) => {
                (skipped, in_a_row, last_error) = (skipped + 1, in_a_row + 1, Some(e));
            }
        }
    }
    match (pcm.spec, last_error) {
        (Some(spec), _) if !pcm.samples.is_empty() => Ok(Audio {
            samples: pcm.samples,
            channels: spec.channels.count() as u32,
            sample_rate: spec.rate,
            skipped_packets: skipped,
        }),
        (_, Some(e)) => Err(format!("no packet of its audio could be decoded: {e}")),
        (_, None) => Err("its audio track holds no frames".into()),
    }
}

fn open(path: &Path) -> Result<Box<dyn FormatReader>, String> {
    let file = File::open(path).map_err(|e| format!("cannot be opened: {e}"))?;
    let size = match file.metadata() {
        Ok(metadata) if metadata.is_dir() => return Err("is a folder, not an audio file".into()),
        Ok(metadata) => metadata.len(),
        Err(e) => return Err(format!("cannot be read: {e}")),
    };
    if size == 0 {
        return Err("is empty (0 bytes)".into());
    }
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
        hint.with_extension(extension);
    }
    let format = FormatOptions { enable_gapless: true, ..Default::default() };
    let probed = symphonia::default::get_probe().format(&hint, stream, &format, &MetadataOptions::default());
    match probed {
        Ok(probed) => Ok(probed.format),
        Err(Symphonia::IoError(e)) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(format!("cannot be read: {e}"))
        }
        // The probe reads on to the end of the file, or to its limit, in search of a format that it knows.
        Err(Symphonia::IoError(_) | Symphonia::LimitError(_)) => Err(not_audio()),
        Err(Symphonia::Unsupported(what)) if what.contains("no suitable format reader") => Err(not_audio()),
        Err(e) => Err(format!("is damaged or not an audio file: {e}")),
    }
}

fn not_audio() -> String {
    "is not an audio file of a known format (wav, aiff, caf, flac, ogg, mp3, mp4/m4a, mkv/webm)".into()
}

/// The first track that can be decoded. If there is none: the reason, which names the codec if there is one.
fn first_audio_track(reader: &dyn FormatReader) -> Result<(u32, Box<dyn Decoder>), String> {
    let mut reason = "has no audio track".to_owned();
    for track in reader.tracks().iter().filter(|t| t.codec_params.codec != CODEC_TYPE_NULL) {
        match symphonia::default::get_codecs().make(&track.codec_params, &DecoderOptions::default()) {
            Ok(decoder) => return Ok((track.id, decoder)),
            Err(Symphonia::Unsupported(what)) => {
                reason =
                    format!("its codec is not supported: {} ({what})", codec_name(track.codec_params.codec));
            }
            Err(e) => {
                reason = format!("its {} track is damaged: {e}", codec_name(track.codec_params.codec));
            }
        }
    }
    Err(reason)
}

/// Names of codecs, above all of those that symphonia can find in a file but not decode.
fn codec_name(codec: CodecType) -> String {
    let known = [
        (codecs::CODEC_TYPE_OPUS, "Opus"),
        (codecs::CODEC_TYPE_SPEEX, "Speex"),
        (codecs::CODEC_TYPE_MUSEPACK, "Musepack"),
        (codecs::CODEC_TYPE_EAC3, "E-AC-3"),
        (codecs::CODEC_TYPE_AC4, "AC-4"),
        (codecs::CODEC_TYPE_DCA, "DTS"),
        (codecs::CODEC_TYPE_WMA, "Windows Media Audio"),
        (codecs::CODEC_TYPE_WAVPACK, "WavPack"),
        (codecs::CODEC_TYPE_MONKEYS_AUDIO, "Monkey's Audio"),
        (codecs::CODEC_TYPE_TTA, "TTA"),
        (codecs::CODEC_TYPE_ADPCM_G722, "G.722"),
        (codecs::CODEC_TYPE_ADPCM_G726, "G.726"),
    ];
    if let Some((_, name)) = known.iter().find(|(known, _)| *known == codec) {
        return (*name).into();
    }
    match symphonia::default::get_codecs().get_codec(codec) {
        Some(decoder) => decoder.long_name.into(),
        None => format!("symphonia's codec number {codec}"),
    }
}

enum Failure {
    /// This packet is broken; the next may be good.
    Packet(Symphonia),
    /// The rest of the file cannot be used.
    Fatal(String),
}

fn decode_packet(decoder: &mut dyn Decoder, packet: &Packet, pcm: &mut Pcm) -> Result<(), Failure> {
    let decoded = match decoder.decode(packet) {
        Ok(decoded) => decoded,
        Err(Symphonia::IoError(e)) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
            return Err(Failure::Fatal(format!("cannot be read: {e}")));
        }
        Err(Symphonia::ResetRequired) => return Err(Failure::Fatal(pcm.new_stream())),
        Err(e) => return Err(Failure::Packet(e)),
    };
    let spec = *decoded.spec();
    if spec.rate == 0 || spec.channels.is_empty() {
        return Err(Failure::Packet(Symphonia::DecodeError("no channels, or a rate of 0 Hz")));
    }
    if pcm.spec.is_some_and(|first| first != spec) {
        return Err(Failure::Fatal(pcm.new_stream()));
    }
    let mut interleaved = SampleBuffer::<f32>::new(decoded.capacity() as u64, spec);
    interleaved.copy_interleaved_ref(decoded);
    pcm.samples.extend_from_slice(interleaved.samples());
    pcm.spec = Some(spec);
    Ok(())
}

/// What has been decoded so far; the first good packet sets the rate and the channels.
#[derive(Default)]
struct Pcm {
    samples: Vec<f32>,
    spec: Option<SignalSpec>,
}

impl Pcm {
    fn new_stream(&self) -> String {
        match self.spec {
            Some(spec) => format!(
                "changes its format or begins a new stream after {} frames of {} Hz, {} channels; only one is supported",
                self.samples.len() / spec.channels.count(),
                spec.rate,
                spec.channels.count()
            ),
            None => "begins with a stream that cannot be decoded alone".into(),
        }
    }
}
