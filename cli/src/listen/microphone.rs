//! Microphones, by cpal. The audio thread pushes, and does nothing else.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, OnceLock};

use auricle::stages::pcm::Format;
use auricle::{Pushed, Session};
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    Data, Device, ErrorKind, FromSample, I24, InputCallbackInfo, SampleFormat, SizedSample, Stream,
    StreamInstant, SupportedStreamConfig, U24,
};

use crate::out::Stop;

/// Samples that are converted at a time, where the session does not know the format; a multiple of every number of
/// channels that a session takes.
const BLOCK: usize = 840;

/// Errors without a kind, with no audio in between, that end the recording. One alone means nothing: a signal to the
/// process (a terminal's new size) interrupts the audio thread's system call, and ALSA reports it.
const MOST_ERRORS: u32 = 10;

const NONE: &str = "this system has no microphone";

/// What the audio thread and the reading thread share.
pub struct Line {
    pub session: Session,
    /// It is time to end.
    pub stop: AtomicBool,
    /// Frames that the ring or the device lost.
    pub lost: AtomicU64,
    /// Why the microphone went away.
    pub failure: OnceLock<String>,
}

impl Line {
    pub fn new(session: Session) -> Self {
        let (stop, lost) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { session, stop, lost, failure: OnceLock::new() }
    }

    fn fail(&self, reason: impl fmt::Display) {
        let _ = self.failure.set(reason.to_string()); // the first reason stays
        self.stop.store(true, Relaxed);
    }
}

/// A device that records, and how.
pub struct Microphone {
    device: Device,
    config: SupportedStreamConfig,
    name: String,
}

impl fmt::Display for Microphone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Microphone {
    /// The names of all. None of them is opened.
    pub fn names() -> Result<Vec<String>, Stop> {
        Ok(devices()?.into_iter().map(|(name, _)| name).collect())
    }

    /// The one of this name, or that alone has it as a part of its name; the system's if none is named.
    pub fn find(wanted: Option<&str>) -> Result<Self, Stop> {
        let Some(wanted) = wanted else {
            let device = cpal::default_host().default_input_device();
            return Self::new(device.ok_or_else(|| Stop::new(NONE))?);
        };
        let mut devices = devices()?;
        let names: Vec<String> = devices.iter().map(|(name, _)| format!("  {name}")).collect();
        let is = |(name, device): &(String, Device)| {
            name == wanted || device.id().is_ok_and(|id| id.id() == wanted)
        };
        if let Some(exact) = devices.iter().position(is) {
            return Self::new(devices.swap_remove(exact).1);
        }
        devices.retain(|(name, _)| name.to_lowercase().contains(&wanted.to_lowercase()));
        match (devices.pop(), devices.len()) {
            (Some((_, only)), 0) => Self::new(only),
            (None, _) => {
                let none = Stop::new(format_args!("no microphone is called {wanted:?}; there are:"));
                Err(names.iter().fold(none, Stop::and))
            }
            (Some(_), others) => {
                let many = format_args!("{} microphones are called {wanted:?}, of these:", others + 1);
                Err(names.iter().fold(Stop::new(many), Stop::and))
            }
        }
    }

    fn new(device: Device) -> Result<Self, Stop> {
        let name = name(&device).unwrap_or_else(|| "the microphone".into());
        let config = device.default_input_config().map_err(|e| Stop::because(&name, e))?;
        Ok(Self { device, config, name })
    }

    /// Hz.
    pub fn sample_rate(&self) -> u32 {
        self.config.sample_rate()
    }

    pub fn channels(&self) -> u32 {
        self.config.channels().into()
    }

    /// Records into the line's session until the stream is dropped.
    pub fn record(&self, line: &Arc<Line>) -> Result<Stream, Stop> {
        let failed = |e: cpal::Error| Stop::because(&self.name, e);
        let trouble = Arc::new(Trouble::default());
        let mut input = Input {
            line: line.clone(),
            trouble: trouble.clone(),
            sample_rate: self.sample_rate(),
            channels: self.config.channels().into(),
            next: None,
        };
        let line = line.clone();
        let stream = self
            .device
            .build_input_stream_raw(
                self.config.config(),
                self.config.sample_format(),
                move |data, info| input.take(data, info),
                move |error| match error.kind() {
                    ErrorKind::Xrun => trouble.overrun.store(true, Relaxed),
                    ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
                    ErrorKind::BackendError if trouble.errors.fetch_add(1, Relaxed) < MOST_ERRORS => {}
                    _ => line.fail(error),
                },
                None,
            )
            .map_err(failed)?;
        stream.play().map_err(failed)?;
        Ok(stream)
    }
}

/// What was reported since the last block of audio.
#[derive(Default)]
struct Trouble {
    /// The device lost audio.
    overrun: AtomicBool,
    errors: AtomicU32,
}

/// All devices that can record, by name.
fn devices() -> Result<Vec<(String, Device)>, Stop> {
    let devices = cpal::default_host().input_devices().map_err(|e| Stop::because("microphones", e))?;
    let devices: Vec<_> = devices.filter_map(|device| Some((name(&device)?, device))).collect();
    if devices.is_empty() { Err(Stop::new(NONE)) } else { Ok(devices) }
}

/// What people call it, and what the system calls it if that is something else.
fn name(device: &Device) -> Option<String> {
    let (description, id) = (device.description().ok()?, device.id().ok()?);
    Some(match (description.name(), id.id()) {
        (name, id) if name == id => name.to_owned(),
        (name, id) => format!("{name} ({id})"),
    })
}

/// The audio thread's side.
struct Input {
    line: Arc<Line>,
    trouble: Arc<Trouble>,
    sample_rate: u32,
    channels: usize,
    /// When the next block should begin.
    next: Option<StreamInstant>,
}

impl Input {
    fn take(&mut self, data: &Data, info: &InputCallbackInfo) {
        let begin = info.timestamp().capture;
        self.trouble.errors.store(0, Relaxed);
        if self.trouble.overrun.swap(false, Relaxed) {
            // Nothing says how much was lost, but when this block was recorded.
            let missing = self.next.and_then(|next| begin.checked_duration_since(next)).unwrap_or_default();
            let frames = (missing.as_secs_f64() * f64::from(self.sample_rate)) as u64;
            self.line.lost.fetch_add(frames, Relaxed);
            if let Err(error) = self.line.session.gap(frames) {
                return self.line.fail(error);
            }
        }
        let frames = (data.len() / self.channels) as f64;
        self.next = Some(begin + std::time::Duration::from_secs_f64(frames / f64::from(self.sample_rate)));
        match push(&self.line.session, data) {
            Ok(pushed) => {
                self.line.lost.fetch_add(pushed.dropped as u64, Relaxed);
            }
            Err(error) => self.line.fail(error),
        }
    }
}

fn push(session: &Session, data: &Data) -> Result<Pushed, String> {
    let format = match data.sample_format() {
        SampleFormat::U8 => Format::U8,
        SampleFormat::I16 => Format::I16,
        SampleFormat::I32 => Format::I32,
        SampleFormat::F32 => Format::F32,
        SampleFormat::F64 => Format::F64,
        SampleFormat::I8 => return convert::<i8>(session, data),
        SampleFormat::I24 => return convert::<I24>(session, data), // in four bytes; the session's is packed
        SampleFormat::I64 => return convert::<i64>(session, data),
        SampleFormat::U16 => return convert::<u16>(session, data),
        SampleFormat::U24 => return convert::<U24>(session, data),
        SampleFormat::U32 => return convert::<u32>(session, data),
        SampleFormat::U64 => return convert::<u64>(session, data),
        other => return Err(format!("records {other}, which is not PCM")),
    };
    session.push(format, data.bytes()).map_err(|e| e.to_string())
}

fn convert<T: SizedSample>(session: &Session, data: &Data) -> Result<Pushed, String>
where
    f32: FromSample<T>,
{
    let mut block = [0.0; BLOCK];
    let mut sum = Pushed::default();
    for samples in data.as_slice::<T>().unwrap_or_default().chunks(BLOCK) {
        let block = &mut block[..samples.len()];
        block.iter_mut().zip(samples).for_each(|(out, sample)| *out = sample.to_sample());
        let pushed = session.push_f32(block).map_err(|e| e.to_string())?;
        sum.accepted += pushed.accepted;
        sum.dropped += pushed.dropped;
    }
    Ok(sum)
}
