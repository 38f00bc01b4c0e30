//! A sound file, block by block.

use std::fs::File;
use std::path::{Path, PathBuf};

use symphonia::core::audio::{Channels, SampleBuffer, SignalSpec};
use symphonia::core::codecs::{self, CODEC_TYPE_NULL, CodecType, Decoder, DecoderOptions};
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::formats::{FormatOptions, FormatReader, Packet};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::probe::Hint;

use crate::{DecodeError, Loss, Losses, Lost};

/// The first audio track of a sound file, decoded in blocks: memory does not grow with its length.
///
/// wav, aiff, caf, flac, ogg/vorbis, mp1/2/3, aac and alac in mp4, mkv and webm. The contents decide the format, not
/// the name. A file that ends early gives the frames it holds, and [`Recording::losses`] says what is missing.
pub struct Recording {
    path: PathBuf,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn Decoder>,
    track: u32,
    declared: Option<u64>,
    spec: SignalSpec,
    /// What was decoded to learn the rate and the channels, not handed out yet.
    ahead: bool,
    block: Vec<f32>,
    frames: u64,
    losses: Losses,
}

impl Recording {
    /// Opens a file, FIFO or pipe; "-" is standard input.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        let error = |reason| DecodeError { path: path.to_owned(), reason };
        let reader = open(path).map_err(error)?;
        let (track, decoder) = first_audio_track(reader.as_ref()).map_err(error)?;
        let declared = reader.tracks().iter().find(|t| t.id == track).and_then(|t| t.codec_params.n_frames);
        let mut recording = Self {
            path: path.to_owned(),
            reader,
            decoder,
            track,
            declared,
            spec: SignalSpec::new(0, Channels::empty()),
            ahead: false,
            block: Vec::new(),
            frames: 0,
            losses: Losses::default(),
        };
        match recording.advance().map_err(error)? {
            true => recording.ahead = true,
            false => return Err(error("its audio track holds no frames".into())),
        }
        Ok(recording)
    }

    /// Channels in one frame, 1 or more.
    pub fn channels(&self) -> u32 {
        self.spec.channels.count() as u32
    }

    /// Frames a second, in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.spec.rate
    }

    /// Frames that the file says it holds.
    pub fn declared_frames(&self) -> Option<u64> {
        self.declared
    }

    /// The next interleaved samples, full scale 1.0, at most a few thousand frames; `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<&[f32]>, DecodeError> {
        if !std::mem::take(&mut self.ahead) {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(reason) => return Err(DecodeError { path: self.path.clone(), reason }),
            }
        }
        self.frames += (self.block.len() / self.spec.channels.count()) as u64;
        Ok(Some(&self.block))
    }

    /// Frames handed out so far, silence in the place of lost audio included.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Where audio is missing, so far: the first places, in the order of time.
    pub fn losses(&self) -> &[Loss] {
        self.losses.list()
    }

    /// The sums of all losses so far.
    pub fn lost(&self) -> Lost {
        self.losses.sums()
    }

    /// Decodes the next packet into `block`; false at the end.
    fn advance(&mut self) -> Result<bool, String> {
        let mut in_a_row = 0;
        while in_a_row < MAX_ERRORS_IN_A_ROW {
            let packet = match self.reader.next_packet() {
                Ok(packet) if packet.track_id() != self.track => continue,
                Ok(packet) => packet,
                Err(Symphonia::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok(false);
                }
                Err(Symphonia::IoError(e)) => return Err(format!("cannot be read: {e}")),
                Err(Symphonia::ResetRequired) => return Err(self.new_stream()),
                Err(e) => {
                    self.skipped(&e);
                    in_a_row += 1;
                    continue;
                }
            };
            match self.decode_packet(&packet) {
                Ok(()) if self.block.is_empty() => {}
                Ok(()) => return Ok(true),
                Err(Failure::Fatal(reason)) => return Err(reason),
                Err(Failure::Packet(e)) => {
                    self.skipped(&e);
                    in_a_row += 1;
                }
            }
        }
        Ok(false)
    }

    fn skipped(&mut self, error: &Symphonia) {
        self.losses.skip_packet();
        self.losses.add(Loss {
            at_frame: self.frames,
            frames: None,
            bridged: false,
            reason: format!("a packet is damaged ({error})"),
            sample_rate: self.spec.rate,
        });
    }

    fn decode_packet(&mut self, packet: &Packet) -> Result<(), Failure> {
        let decoded = match self.decoder.decode(packet) {
            Ok(decoded) => decoded,
            Err(Symphonia::IoError(e)) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
                return Err(Failure::Fatal(format!("cannot be read: {e}")));
            }
            Err(Symphonia::ResetRequired) => return Err(Failure::Fatal(self.new_stream())),
            Err(e) => return Err(Failure::Packet(e)),
        };
        let spec = *decoded.spec();
        if spec.rate == 0 || spec.channels.is_empty() {
            return Err(Failure::Packet(Symphonia::DecodeError("no channels, or a rate of 0 Hz")));
        }
        if self.spec.rate != 0 && self.spec != spec {
            return Err(Failure::Fatal(self.new_stream()));
        }
        let mut interleaved = SampleBuffer::<f32>::new(decoded.capacity() as u64, spec);
        interleaved.copy_interleaved_ref(decoded);
        self.block.clear();
        self.block.extend_from_slice(interleaved.samples());
        self.spec = spec;
        Ok(())
    }

    fn new_stream(&self) -> String {
        format!(
            "changes its format or begins a new stream after {} frames of {} Hz, {} channels; only one is supported",
            self.frames,
            self.spec.rate,
            self.spec.channels.count()
        )
    }
}

/// So many errors in a row, with no good packet between them, and the rest of the file is given up.
const MAX_ERRORS_IN_A_ROW: u32 = 100;

enum Failure {
    /// This packet is broken; the next may be good.
    Packet(Symphonia),
    /// The rest of the file cannot be used.
    Fatal(String),
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
