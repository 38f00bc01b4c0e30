//! One audio stream: conducts ring -> mono -> resample -> rows -> window -> inference -> scores.

mod journal;
pub(crate) mod pipeline;
mod rows;

use parking_lot::{Mutex, MutexGuard};

use crate::error::{Error, Result, Status};
use crate::health::Health;
use crate::model::Model;
use crate::pcm::{Block, Format};
use crate::resample::Quality;
use crate::ring::{Consumer, Item, Producer, ring};
use pipeline::{Pipeline, STEP};

const DEFAULT_RING_SECONDS: f64 = 2.0;
const MAX_RING_SECONDS: f64 = 600.0;

/// How a [`Session`] is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionOptions {
    /// Rate of the host's audio, Hz; valid 8000..=384000.
    pub sample_rate: u32,
    /// Channels of the host's audio; valid 1..=8. They are averaged to mono.
    pub channels: u32,
    /// Distance between windows, seconds, rounded to samples of the model; `None`: the manifest's `stream.hop_seconds`.
    pub hop_seconds: Option<f64>,
    /// How much audio can wait between push and read, seconds; up to 600, `None`: 2.
    pub ring_seconds: Option<f64>,
}

impl SessionOptions {
    /// The defaults for audio of this rate and number of channels.
    pub fn new(sample_rate: u32, channels: u32) -> Self {
        Self { sample_rate, channels, hop_seconds: None, ring_seconds: None }
    }
}

/// What became of the frames of one push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Frames taken.
    pub accepted: usize,
    /// Frames lost because the ring was full. The health of the results they touch counts them too.
    pub dropped: usize,
}

/// What one read gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Read {
    /// The scores of one window were written.
    Window(Window),
    /// Not enough audio yet: push more.
    Again,
    /// The stream was finished and everything has been read.
    End,
}

/// One window of the stream: where it lies, what state its audio is in. Frames are the host's, every delay taken out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Number of the window on the grid of hops; a window that lies wholly in lost audio is left out, its number too.
    pub sequence: u64,
    /// First frame of the window.
    pub first_frame: u64,
    /// One past the last frame of the window.
    pub end_frame: u64,
    /// What happened to the audio of the window.
    pub health: Health,
    /// How long ONNX Runtime took, nanoseconds.
    pub inference_nanoseconds: u64,
}

/// One audio stream.
///
/// `push*`, `gap` and `finish` belong to one thread, `read` to one (other) thread, at the same time if you like.
/// A second thread in the same half gets [`Status::InvalidState`]; nobody ever waits.
#[derive(Debug)]
pub struct Session {
    model: Model,
    channels: usize,
    ring_frames: usize,
    producer: Mutex<Producer>,
    reader: Mutex<Reader>,
}

#[derive(Debug)]
struct Reader {
    ring: Consumer,
    pipeline: Pipeline,
}

impl Session {
    /// Starts a stream for `model`, of which it keeps its own reference.
    pub fn new(model: &Model, options: &SessionOptions) -> Result<Self> {
        let pipeline = Pipeline::new(
            model,
            options.sample_rate,
            options.channels,
            options.hop_seconds,
            Quality::LowLatency,
        )?;
        let seconds = options.ring_seconds.unwrap_or(DEFAULT_RING_SECONDS);
        let ring_frames = seconds * f64::from(options.sample_rate);
        if !(1.0..=MAX_RING_SECONDS * f64::from(options.sample_rate)).contains(&ring_frames) {
            return Err(Error::argument(format!(
                "ring_seconds is {seconds}; valid one frame ({:.6}) to {MAX_RING_SECONDS}",
                1.0 / f64::from(options.sample_rate)
            )));
        }
        let (ring_frames, channels) = (ring_frames.ceil() as usize, options.channels as usize);
        let (producer, consumer) = ring(ring_frames, channels);
        Ok(Self {
            model: model.clone(),
            channels,
            ring_frames,
            producer: Mutex::new(producer),
            reader: Mutex::new(Reader { ring: consumer, pipeline }),
        })
    }

    /// Pushes interleaved f32 samples (full scale 1.0). Never blocks or allocates.
    pub fn push_f32(&self, interleaved: &[f32]) -> Result<Pushed> {
        self.push(Format::F32, bytemuck::cast_slice(interleaved))
    }

    /// Pushes interleaved i16 samples. Never blocks or allocates.
    pub fn push_i16(&self, interleaved: &[i16]) -> Result<Pushed> {
        self.push(Format::I16, bytemuck::cast_slice(interleaved))
    }

    /// Pushes interleaved samples of any format; `bytes` need not be aligned. Never blocks or allocates.
    pub fn push(&self, format: Format, bytes: &[u8]) -> Result<Pushed> {
        self.push_block(&Block::interleaved(format, self.channels, bytes)?)
    }

    /// Pushes one slice of samples for each channel. Never blocks or allocates.
    pub fn push_planar(&self, format: Format, channels: &[&[u8]]) -> Result<Pushed> {
        if channels.len() != self.channels {
            return Err(Error::argument(format!(
                "{} channels given; the session has {}",
                channels.len(),
                self.channels
            )));
        }
        self.push_block(&Block::planar(format, channels)?)
    }

    fn push_block(&self, block: &Block<'_>) -> Result<Pushed> {
        let mut producer = self.producing()?;
        let accepted = producer.push(block.frames(), |first, out| {
            block.convert(first, out);
        });
        Ok(Pushed { accepted, dropped: block.frames() - accepted })
    }

    /// The source lost `frames` frames here: the clock goes on by as many, silence stands in for them.
    pub fn gap(&self, frames: u64) -> Result<()> {
        self.producing()?.gap(frames);
        Ok(())
    }

    /// No more input: `read` gives what is left, then [`Read::End`].
    pub fn finish(&self) -> Result<()> {
        try_half(&self.producer, "pushing")?.finish();
        Ok(())
    }

    /// Does the work that is due and, if a window is complete, writes its scores (one a class).
    ///
    /// An error of the inference costs that window only: the next read goes on behind it.
    pub fn read(&self, scores: &mut [f32]) -> Result<Read> {
        let classes = self.class_count();
        if scores.len() < classes {
            return Err(Error::new(
                Status::BufferTooSmall,
                format!("scores has room for {}; the model has {classes} classes", scores.len()),
            ));
        }
        let mut reader = try_half(&self.reader, "reading")?;
        let Reader { ring, pipeline } = &mut *reader;
        loop {
            if let Some(window) = pipeline.next(&self.model, &mut scores[..classes])? {
                return Ok(Read::Window(window));
            }
            if pipeline.is_ended() {
                return Ok(Read::End);
            }
            if pipeline.feed_silence() {
                continue;
            }
            match ring.next(STEP, |frames| pipeline.feed(frames)) {
                Item::Samples(_) => {}
                Item::Gap(frames) => pipeline.lose(frames, false),
                Item::Dropped(frames) => pipeline.lose(frames, true),
                Item::Empty => return Ok(Read::Again),
                Item::End => pipeline.end(),
            }
        }
    }

    /// Forgets the stream: frame 0 comes next. Neither half may be running.
    pub fn reset(&self) -> Result<()> {
        let mut producer = try_half(&self.producer, "pushing")?;
        let mut reader = try_half(&self.reader, "reading")?;
        (*producer, reader.ring) = ring(self.ring_frames, self.channels);
        reader.pipeline.reset();
        Ok(())
    }

    /// Classes: how many scores a read writes.
    pub fn class_count(&self) -> usize {
        self.model.labels().len()
    }

    /// Channels of the host's audio.
    pub fn channels(&self) -> u32 {
        self.channels as u32
    }

    fn producing(&self) -> Result<MutexGuard<'_, Producer>> {
        let producer = try_half(&self.producer, "pushing")?;
        if producer.is_finished() {
            return Err(Error::new(
                Status::InvalidState,
                "the session was finished; reset it to start a new stream",
            ));
        }
        Ok(producer)
    }
}

fn try_half<'a, T>(half: &'a Mutex<T>, doing: &str) -> Result<MutexGuard<'a, T>> {
    half.try_lock().ok_or_else(|| {
        Error::new(
            Status::InvalidState,
            format!("another thread is {doing} on this session; one may at a time"),
        )
    })
}
