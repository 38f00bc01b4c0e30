//! The reader's side of a stream: interleaved frames in, scored windows out. Sessions and whole clips run the same one.

mod decisions;
mod due;
mod features_pool;
mod feed;
mod journal;
mod outlet;
mod results;
mod rows;
mod scorer;
mod window;

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result, Status};
use crate::inference::state::State;
use crate::manifest::{Manifest, samples};
use crate::memory::{filled, reserved};
use crate::padding::Padding;
use crate::pcm::Downmix;
use crate::resample::{Method, Resampler};
pub use decisions::Decisions;
pub(crate) use due::{Due, Shown};
pub(crate) use features_pool::FeaturesPool;
pub(crate) use feed::{Fed, Feed, Given};
use journal::Journal;
pub(crate) use journal::Loss;
use results::{Pending, Places, Results};
pub use rows::Rows;
pub(crate) use scorer::{Ports, Scorer};
pub use window::Window;

/// Frames that go through the stages at a time.
pub(crate) const STEP: usize = 1024;

/// What a pipeline is planned for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Source {
    /// Rate of the host's audio, Hz.
    pub sample_rate: u32,
    pub channels: u32,
    /// The channel that is heard, counted from 1; 0: the mean of all.
    pub channel: u32,
    /// Distance of windows; `None`: the manifest's.
    pub hop_seconds: Option<f64>,
    /// How to resample, unless the manifest says it.
    pub method: Method,
}

#[derive(Debug)]
pub(crate) struct Pipeline {
    manifest: Arc<Manifest>,
    source: Source,
    host_rate: u32,
    model_rate: u32,
    channels: usize,
    downmix: Downmix,
    mono: Vec<f32>,
    resampler: Resampler,
    rows: Rows,
    state: State,
    results: Results,
    /// Where the results of a window lie in it, if its rows are results, and those that are still to be given.
    places: Option<Places>,
    pending: Pending,
    /// The row that was given last, while it is there.
    given: Option<usize>,
    /// Samples of a window that its results cover.
    covered: usize,
    /// The state was what it had been before, after a window of digital silence: more of that changes nothing.
    settled: bool,
    /// Samples that one row needs, and rows that the network does.
    min_samples: usize,
    min_rows: usize,
    /// Samples of a window, and from one window to the next, at the model's rate.
    window: usize,
    hop: usize,
    /// Silent samples before the first of the audio. Positions at the model's rate count them.
    lead: usize,
    /// Samples at the model's rate, of which the first is sample `start` of the stream.
    samples: Vec<f32>,
    start: u64,
    /// Number of the next window; it starts at sample `next * hop`.
    next: u64,
    /// Host frames taken, the lost ones included.
    frames: u64,
    /// Lost frames for which silence still has to be fed, why, and how much has been fed without a frame between.
    silence: u64,
    loss: Loss,
    silent_run: u64,
    ended: bool,
    /// A stream that is too short has been reported so.
    refused: bool,
    journal: Journal,
}

impl Pipeline {
    pub fn new(
        manifest: &Arc<Manifest>,
        features: Arc<FeaturesPool>,
        scorer: &Scorer,
        source: Source,
    ) -> Result<Self> {
        let Source { sample_rate: host_rate, channels, channel, hop_seconds, method } = source;
        let input = &manifest.input;
        let downmix = Downmix::of_channel(channels as usize, channel as usize)?;
        let resampler =
            Resampler::with_method(host_rate, input.sample_rate, input.resampler.unwrap_or(method))?;
        let window = manifest.window_samples();
        let seconds = hop_seconds.or(manifest.stream.hop_seconds).unwrap_or(input.window_duration());
        let hop = samples(seconds, input.sample_rate);
        if !seconds.is_finite() || hop == 0 || seconds > 3600.0 {
            let min = 1.0 / f64::from(input.sample_rate);
            return Err(Error::argument(format!(
                "hop_seconds is {seconds}; valid {min:.6}..=3600 (one sample to an hour)"
            )));
        }
        // The manifest's, since it was resolved.
        let own = manifest.stream.hop_seconds.map_or(hop, |seconds| samples(seconds, input.sample_rate));
        if input.has_state() && hop != own {
            return Err(Error::argument(format!(
                "hop_seconds is {seconds}; this network has state, which moves on by the {} s of its manifest from run \
                 to run",
                own as f64 / f64::from(input.sample_rate)
            )));
        }
        let slack = resampler.max_output(STEP) + resampler.max_rest();
        let span = to_host(window as u64 + slack as u64, host_rate, input.sample_rate)
            + resampler.delay_frames() as u64
            + STEP as u64;
        let series = manifest.output().series();
        let places = series.map(|series| Places::new(series, scorer.outlets()[0].rows, input.sample_rate));
        let covered = places.map_or(window, |places| (places.start(0, places.rows) as usize).min(window));
        // Levels are kept in blocks that are not longer than half of a result.
        let shortest = places.map_or(window, |places| (places.hop as usize).clamp(1, window));
        let mut pipeline = Self {
            source,
            host_rate,
            model_rate: input.sample_rate,
            channels: channels as usize,
            downmix,
            mono: filled(STEP, 0.0, "the frames of one step")?,
            rows: Rows::new(input, features, hop)?,
            samples: reserved(window + slack, "the samples of a window")?,
            manifest: manifest.clone(),
            state: scorer.state()?,
            results: scorer.results()?,
            places,
            pending: Pending::default(),
            given: None,
            covered,
            settled: false,
            min_samples: input.samples_of(1),
            min_rows: if input.padding == Padding::None { input.min_rows.max(1) } else { 1 },
            resampler,
            window,
            hop,
            lead: input.lead_samples,
            start: 0,
            next: 0,
            frames: 0,
            silence: 0,
            loss: Loss::Gap,
            silent_run: 0,
            ended: false,
            refused: false,
            journal: Journal::new(host_rate, to_host(shortest as u64, host_rate, input.sample_rate), span)?,
        };
        pipeline.reset();
        Ok(pipeline)
    }

    /// Whether this pipeline is planned for such a stream.
    pub fn suits(&self, source: &Source) -> bool {
        self.source == *source
    }

    /// Starts a new stream.
    pub fn reset(&mut self) {
        self.resampler.reset();
        self.samples.clear();
        self.samples.resize(self.lead, 0.0);
        self.state.clear();
        self.journal.clear();
        self.rows.clear();
        (self.start, self.next, self.frames, self.silence, self.silent_run) = (0, 0, 0, 0, 0);
        (self.ended, self.refused, self.settled) = (false, false, false);
        (self.pending, self.given) = (Pending::default(), None);
    }

    /// Channels of the host's audio.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Takes at max [`STEP`] frames, for which there must be room.
    pub fn feed(&mut self, mut interleaved: &[f32]) {
        self.trim();
        self.silent_run = 0;
        while !interleaved.is_empty() {
            let (stats, room) = self.journal.block_at(self.frames);
            let max = room.min(STEP) * self.channels;
            let (now, later) = interleaved.split_at(interleaved.len().min(max));
            let frames = self.downmix.mix(now, &mut self.mono, stats);
            self.journal.go_on(frames as u64, None);
            self.resampler.push(&self.mono[..frames], |out| put(&mut self.samples, out));
            self.frames += frames as u64;
            interleaved = later;
        }
    }

    /// `frames` frames are missing here: silence stands in for them, and the clock goes on. [`feed_silence`](Self::feed_silence)
    /// has been called for all that was missing before.
    pub fn lose(&mut self, frames: u64, loss: Loss) {
        debug_assert_eq!(self.silence, 0);
        // The clock stops there: 22,000 years at 100 kHz are no stream, but a mistaken gap.
        let end = self.frames.saturating_add(frames).min(u64::MAX >> 8).max(self.frames);
        (self.silence, self.loss) = (end - self.frames, loss);
    }

    /// Feeds a step of the silence that is due. False if none is.
    pub fn feed_silence(&mut self) -> bool {
        if self.silence == 0 {
            return false;
        }
        self.trim();
        self.skip_silence();
        let frames = self.silence.min(STEP as u64) as usize;
        self.mono[..frames].fill(0.0);
        self.resampler.push(&self.mono[..frames], |out| put(&mut self.samples, out));
        self.go_on_silent(frames as u64);
        self.silent_run += frames as u64;
        true
    }

    /// Steps over a long silence, once the resampler and the window hold nothing else: the result is what feeding all
    /// of it gives, because whole periods of the resampler are left out, and because a network has no state, or one that
    /// silence does not change any more.
    fn skip_silence(&mut self) {
        let (frames, samples) = self.resampler.period();
        let window = to_host(self.window as u64, self.host_rate, self.model_rate);
        let settled = window + 4 * frames + 2 * self.resampler.delay_frames() as u64;
        let changes = !self.state.is_empty() && !self.settled;
        if self.silent_run < settled || self.silence <= settled || changes {
            return;
        }
        let periods = (self.silence - settled) / frames;
        self.go_on_silent(periods * frames);
        self.start += periods * samples;
        // Windows that would have started in what was left out lie wholly in the gap.
        self.next = self.next.max(self.start.div_ceil(self.hop as u64));
    }

    fn go_on_silent(&mut self, frames: u64) {
        self.journal.go_on(frames, Some(self.loss));
        self.frames += frames;
        self.silence -= frames;
    }

    /// No more input.
    pub fn end(&mut self) {
        if !self.ended {
            self.trim();
            self.resampler.finish(|out| put(&mut self.samples, out));
            self.ended = true;
        }
    }

    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Drops samples that no window will need.
    fn trim(&mut self) {
        let needed = self.next.saturating_mul(self.hop as u64);
        let cut = needed.saturating_sub(self.start).min(self.samples.len() as u64);
        if cut > 0 {
            self.samples.drain(..cut as usize);
            self.start += cut;
            self.journal.forget_before(self.frame(self.start));
        }
    }

    /// The host's frame that sample `index` lies at.
    fn frame(&self, index: u64) -> u64 {
        to_host(index.saturating_sub(self.lead as u64), self.host_rate, self.model_rate)
    }

    /// The next row of the window that was run last, if its rows are results. Rows of nothing but padding, silence before the
    /// audio, or lost audio are passed over.
    fn next_row(&mut self) -> Option<Due> {
        let places = self.places?;
        while self.pending.row < self.pending.rows {
            let Pending { row, begin, end: audio, whole, window, .. } = self.pending;
            let (start, end) = (places.start(begin, row), places.start(begin, row + 1));
            let range = self.frame(start)..self.frame(end).min(window.end_frame);
            if start < audio && !range.is_empty() && !self.journal.is_lost(&range) {
                return Some(Due { begin, whole, range, lost: false, row: Some(row) });
            }
            self.pending.row += 1;
        }
        None
    }

    /// The next window, if its audio is there. Windows that lie wholly in lost audio are passed over, or marked as lost if
    /// the network has state.
    pub fn due(&mut self) -> Result<Option<Due>> {
        if let Some(row) = self.next_row() {
            return Ok(Some(row));
        }
        loop {
            let begin = self.next * self.hop as u64;
            let available = self.start + self.samples.len() as u64;
            let whole = available >= begin + self.window as u64;
            if !whole && (!self.ended || !self.tail(begin, available)?) {
                return Ok(None);
            }
            let (first, last) = (self.frame(begin), self.frame(begin + self.window as u64));
            let range = first..if whole { last } else { last.min(self.frames) };
            let lost = self.journal.is_lost(&range);
            if !lost || !self.state.is_empty() {
                return Ok(Some(Due { begin, whole, range, lost, row: None }));
            }
            self.next += 1;
        }
    }

    /// How much audio is missing until the next window is due.
    pub fn missing_time(&self) -> Duration {
        let end = self.next.saturating_mul(self.hop as u64).saturating_add(self.window as u64);
        let missing = end.saturating_sub(self.start + self.samples.len() as u64);
        Duration::from_secs_f64(missing as f64 / f64::from(self.model_rate))
    }

    /// Distance of results, host frames.
    pub fn hop_frames(&self) -> u64 {
        match self.places {
            Some(_) => (self.hop_seconds() * f64::from(self.host_rate)).round() as u64,
            None => to_host(self.hop as u64, self.host_rate, self.model_rate),
        }
    }

    /// Distance of results, seconds: of windows, or of rows that are results.
    pub fn hop_seconds(&self) -> f64 {
        self.places.map_or(self.hop as f64, |places| places.hop) / f64::from(self.model_rate)
    }

    /// Forgets which result was given last; what is still to be given stays.
    pub fn forget_given(&mut self) {
        self.given = None;
    }

    /// Output `index` for the result that was given last.
    pub fn output(&self, index: usize) -> Option<&[f32]> {
        self.given.map(|row| self.results.output(index, row))
    }

    /// Whether the end of the stream, which no whole window holds, is worth a window: at least one row of features
    /// must be new in it. A stream too short for that is an error.
    fn tail(&mut self, begin: u64, available: u64) -> Result<bool> {
        let seen = match self.next {
            0 => self.lead as u64,
            next => (next - 1) * self.hop as u64 + self.covered as u64,
        };
        let new = available.saturating_sub(begin.max(seen)) as usize;
        let length = available.saturating_sub(begin) as usize;
        if new >= self.min_samples && self.manifest.input.rows(length) >= self.min_rows {
            return Ok(true);
        }
        if self.next > 0 || self.frames == 0 || std::mem::replace(&mut self.refused, true) {
            return Ok(false);
        }
        Err(Error::new(
            Status::ClipTooShort,
            format!(
                "the audio has {} frames at {} Hz, {} samples at the model's {} Hz; the first {} of features needs {}",
                self.frames,
                self.host_rate,
                available - self.lead as u64,
                self.model_rate,
                if self.min_rows > 1 { format!("{} rows", self.min_rows) } else { "row".into() },
                self.manifest.input.samples_of(self.min_rows)
            ),
        ))
    }
}

fn put(samples: &mut Vec<f32>, more: &[f32]) {
    debug_assert!(samples.capacity() - samples.len() >= more.len(), "no room for {}", more.len());
    samples.extend_from_slice(more);
}

/// Sample `index` at the model's rate -> the nearest host frame.
fn to_host(index: u64, host_rate: u32, model_rate: u32) -> u64 {
    let (host, model) = (u128::from(host_rate), u128::from(model_rate));
    let frame = (2 * u128::from(index) * host + model) / (2 * model);
    frame.try_into().unwrap_or(u64::MAX)
}
