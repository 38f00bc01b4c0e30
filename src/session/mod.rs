//! One audio stream: conducts ring -> mono -> resample -> rows -> window -> inference -> scores.

mod many;
mod options;
mod reader;

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::error::{Error, Result, Status};
use crate::events::Event;
use crate::float_env::FloatEnv;
use crate::inference::Cancel;
use crate::memory::filled;
use crate::model::{Model, outputs};
use crate::pcm::{Format, Frames};
use crate::pipeline::{Decisions, Source, Window};
use crate::resample::Method;
use crate::ring::{self, Gauge, Producer, Pushed};
pub use many::read_many;
pub use options::SessionOptions;
use reader::{Ahead, Reader};

/// Between two looks at the ring, a waiting thread sleeps at least and at most this long.
const NAP: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(50);

/// What one read gave.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Read {
    /// The scores of one window were written.
    Window(Window),
    /// Not enough audio yet: push more. Or the limit of [`SessionOptions::max_windows_per_read`] was reached.
    Again,
    /// The stream was finished and everything has been read.
    End,
    /// [`Session::cancel`] was called.
    Cancelled,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// A read has something to give.
    Ready,
    /// Nothing came in that time.
    TimedOut,
    /// [`Session::cancel`] was called.
    Cancelled,
}

/// One audio stream.
///
/// `push*`, `gap` and `finish` belong to one thread, `read`, `read_event` and `wait` to one (other) thread, at the same
/// time if you like; `pending_frames` and `cancel` to any. A second thread in the same half gets
/// [`Status::InvalidState`]; nobody ever waits for another.
#[derive(Debug)]
pub struct Session {
    model: Model,
    channels: usize,
    gauge: Gauge,
    producer: Mutex<Producer>,
    reader: Mutex<Reader>,
    cancel: Cancel,
    /// A waiting thread naps on it, so that `cancel` can wake it.
    nap: (Mutex<()>, Condvar),
}

impl Session {
    /// Starts a stream for `model`, of which it keeps its own reference.
    pub fn new(model: &Model, options: &SessionOptions) -> Result<Self> {
        let stream = options.stream.as_ref().unwrap_or(&model.manifest().stream);
        let pipeline = model.pipeline(Source {
            sample_rate: options.sample_rate,
            channels: options.channels,
            channel: options.channel,
            hop_seconds: options.hop_seconds.or(stream.hop_seconds),
            method: Method::LowLatency,
        })?;
        let decisions = Decisions::new(
            stream,
            model.labels(),
            options.sample_rate,
            pipeline.hop_seconds(),
            pipeline.hop_frames(),
        )?;
        let (frames, channels) = (options.ring_frames()?, options.channels as usize);
        let (producer, consumer) = ring::ring(frames, channels, options.overflow)?;
        let half = Duration::from_secs_f64(frames as f64 / f64::from(options.sample_rate) / 2.0);
        Ok(Self {
            model: model.clone(),
            channels,
            gauge: producer.gauge(),
            producer: Mutex::new(producer),
            reader: Mutex::new(Reader {
                ring: consumer,
                pipeline,
                scores: filled(model.class_count(), 0.0, "the scores of a window")?,
                decisions,
                pending_error: None,
                limit: options.max_windows_per_read,
                in_a_row: 0,
                nap: half.clamp(*NAP.start(), *NAP.end()),
            }),
            cancel: Cancel::default(),
            nap: Default::default(),
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
        self.push_frames(&Frames::interleaved(format, self.channels, bytes)?)
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
        self.push_frames(&Frames::planar(format, channels)?)
    }

    fn push_frames(&self, frames: &Frames<'_>) -> Result<Pushed> {
        let mut producer = self.producing()?;
        Ok(producer.push(frames.count(), |first, out| {
            frames.convert(first, out);
        }))
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

    /// Does the work that is due and, if a window is complete, writes its scores: one a class, or none if `scores` is
    /// empty because only events are wanted.
    ///
    /// An error of the inference costs that window only: the next read goes on behind it.
    pub fn read(&self, scores: &mut [f32]) -> Result<Read> {
        let classes = self.class_count();
        if !scores.is_empty() && scores.len() < classes {
            return Err(Error::new(
                Status::BufferTooSmall,
                format!(
                    "scores has room for {}; the model has {classes} classes (0: the scores are not wanted)",
                    scores.len()
                ),
            ));
        }
        let mut reader = self.next_reading()?;
        let _float_env = FloatEnv::enter();
        if self.cancel.is_requested() {
            return Ok(Read::Cancelled);
        }
        if let Some(error) = reader.pending_error.take() {
            return Err(error);
        }
        let read = loop {
            if reader.in_a_row > 0 && reader.in_a_row == reader.limit {
                break Read::Again;
            }
            let done = match reader.advance()? {
                Ahead::Window(due) | Ahead::Lost(due) => reader.score(self.model.scorer(), due, &self.cancel),
                Ahead::Nothing => break Read::Again,
                Ahead::End => break Read::End,
            };
            match done {
                Ok(None) => reader.in_a_row = reader.in_a_row.saturating_add(1),
                Ok(Some(window)) => break Read::Window(window),
                Err(_) if self.cancel.is_requested() => break Read::Cancelled,
                Err(error) => return Err(error),
            }
        };
        reader.in_a_row = if let Read::Window(_) = read { reader.in_a_row.saturating_add(1) } else { 0 };
        if let Read::Window(_) = read
            && !scores.is_empty()
        {
            scores[..classes].copy_from_slice(&reader.scores);
        }
        Ok(read)
    }

    /// The next event that the windows read so far have given. `Ok(None)`: none is waiting.
    ///
    /// A stream whose manifest or options have no `events` is an error.
    pub fn read_event(&self) -> Result<Option<Event>> {
        self.reading()?.decisions.next_event()
    }

    /// Waits until a read has something to give: a window, an error, or the end. The audio that comes in meanwhile is
    /// taken out of the ring and converted.
    ///
    /// Pushing wakes nobody, because that would take a system call: this thread sleeps until the next window can be
    /// due, looks again, and so on.
    pub fn wait(&self, timeout: Duration) -> Result<Wait> {
        let mut reader = self.next_reading()?;
        let _float_env = FloatEnv::enter();
        let deadline = Instant::now().checked_add(timeout);
        let (mut last, mut in_vain) = (Duration::MAX, 0);
        loop {
            if self.cancel.is_requested() {
                return Ok(Wait::Cancelled);
            }
            let ahead = match reader.advance() {
                Ok(Ahead::Lost(due)) => match reader.score(self.model.scorer(), due, &self.cancel) {
                    Ok(_) if deadline.is_none_or(|deadline| Instant::now() < deadline) => continue,
                    Ok(_) => Ok(Ahead::Nothing),
                    Err(_) if self.cancel.is_requested() => continue,
                    Err(error) => Err(error),
                },
                ahead => ahead,
            };
            match ahead {
                Ok(Ahead::Nothing) => {}
                Ok(_) => return Ok(Wait::Ready),
                Err(error) => {
                    reader.pending_error = Some(error);
                    return Ok(Wait::Ready);
                }
            }
            let left =
                deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(Wait::TimedOut);
            }
            // What is missing cannot come sooner; as long as nothing comes at all, look less and less often.
            let missing = reader.pipeline.missing_time();
            in_vain = if missing == last { in_vain + 1 } else { 0 };
            last = missing;
            let nap = missing.max(*NAP.start() * in_vain).min(reader.nap).min(left);
            let mut guard = self.nap.0.lock();
            if !self.cancel.is_requested() {
                self.nap.1.wait_for(&mut guard, nap.max(Duration::from_micros(100)));
            }
        }
    }

    /// Ends a wait at once, and a running inference as soon as its running kernel does. Waits and reads return
    /// `Cancelled` from now on, until [`reset`](Self::reset). For any thread but the audio thread: it locks.
    pub fn cancel(&self) {
        self.cancel.request();
        drop(self.nap.0.lock());
        self.nap.1.notify_all();
    }

    /// Frames that were pushed and have not been read yet. For any thread; never blocks.
    pub fn pending_frames(&self) -> u64 {
        self.gauge.pending_frames()
    }

    /// Forgets the stream: frame 0 comes next. Neither half may be running.
    pub fn reset(&self) -> Result<()> {
        let mut producer = try_half(&self.producer, "pushing")?;
        let mut reader = self.reading()?;
        ring::reset(&mut producer, &mut reader.ring);
        reader.pipeline.reset();
        reader.decisions.clear();
        (reader.in_a_row, reader.pending_error) = (0, None);
        self.cancel.clear();
        Ok(())
    }

    /// How many scores a read writes: classes, or the values of the first output.
    pub fn class_count(&self) -> usize {
        self.model.class_count()
    }

    /// Writes output `index` of the model ([`Model::output`]) for the result that the last read gave, and says how many
    /// values those are: of the first output what the read wrote. Until the next `read` or `wait`.
    pub fn output(&self, index: usize, values: &mut [f32]) -> Result<usize> {
        let reader = self.reading()?;
        let output = match index {
            0 => reader.pipeline.output(0).map(|_| &reader.scores[..]),
            _ => self.model.require_output(index).map(|_| reader.pipeline.output(index))?,
        };
        outputs::copy(output, values)
    }

    /// Channels of the host's audio.
    pub fn channels(&self) -> u32 {
        self.channels as u32
    }

    fn reading(&self) -> Result<MutexGuard<'_, Reader>> {
        try_half(&self.reader, "reading")
    }

    /// For a read or a wait, whatever it gives: the outputs of the result before can no longer be had.
    fn next_reading(&self) -> Result<MutexGuard<'_, Reader>> {
        let mut reader = self.reading()?;
        reader.pipeline.forget_given();
        Ok(reader)
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
