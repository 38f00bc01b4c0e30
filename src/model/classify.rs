//! Whole clips, in memory or in parts: windows, their mean, events. The one loop over the windows of a recording.

use super::{Model, ModelOutput, outputs};
use crate::clip::{self, Clip};
use crate::error::{Error, Result, Status};
use crate::events::Event;
use crate::float_env::FloatEnv;
use crate::inference::Cancel;
use crate::manifest::Stream;
use crate::memory::{filled, grow};
use crate::pcm::{Format, Frames};
use crate::pipeline::{Decisions, Pipeline, STEP, Source, Window};
use crate::resample::Method;

/// How a clip is looked at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClipOptions {
    /// The channel that is heard, counted from 1; 0: the mean of all.
    pub channel: u32,
    /// Distance between windows, seconds, rounded to samples of the model; `None`: the one of `stream`, else of the
    /// manifest.
    pub hop_seconds: Option<f64>,
    /// Smoothing and events of [`ClipStream`]; `None`: scores are not smoothed, and there are no events.
    pub stream: Option<Stream>,
    /// The output that `classify` gives the mean of; 0 is the first.
    pub output: usize,
    /// Stops the work from another thread.
    pub cancel: Option<Cancel>,
}

/// One whole recording that comes in parts, so that it need not be held in memory: push a part, read until `None`, and
/// so on; then finish and read what is left. Its windows have the scores that [`Model::classify`] takes the mean of.
#[derive(Debug)]
pub struct ClipStream {
    model: Model,
    /// `None` only while it is dropped.
    pipeline: Option<Pipeline>,
    decisions: Option<Decisions>,
    output: usize,
    cancel: Option<Cancel>,
    /// What was pushed; of it, `taken` samples have gone into the pipeline.
    pushed: Vec<f32>,
    taken: usize,
    finished: bool,
}

impl ClipStream {
    /// Takes the next frames, interleaved, full scale 1.0, in parts of any length. What no window has taken yet is kept, so
    /// read in between; where the memory for it cannot be had, nothing was taken.
    pub fn push(&mut self, interleaved: &[f32]) -> Result<()> {
        self.pushed.drain(..std::mem::take(&mut self.taken));
        grow(&mut self.pushed, interleaved.len(), "audio that waits to be read")?;
        self.pushed.extend_from_slice(interleaved);
        Ok(())
    }

    /// No more frames follow.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Writes the scores of the next window whose audio is there, one a class. After [`finish`](Self::finish) the rest of
    /// the recording makes the last window; a recording too short for one row of features is an error then.
    pub fn read(&mut self, scores: &mut [f32]) -> Result<Option<Window>> {
        let output = self.model.require_output(0)?;
        let classes = output.size;
        if scores.len() < classes {
            return Err(too_small(scores.len(), &output));
        }
        let _float_env = FloatEnv::enter();
        let pipeline = self.pipeline.as_mut().expect("there until it is dropped");
        let scores = &mut scores[..classes];
        loop {
            if let Some(due) = pipeline.due()? {
                let window = pipeline.score(self.model.scorer(), due, scores, self.cancel.as_ref())?;
                let Some(window) = window else { continue };
                if let Some(decisions) = &mut self.decisions {
                    decisions.observe(&window, scores);
                }
                return Ok(Some(window));
            }
            let whole = (self.pushed.len() - self.taken) / pipeline.channels();
            if whole > 0 {
                self.cancel.as_ref().map_or(Ok(()), Cancel::check)?;
                let end = self.taken + whole.min(STEP) * pipeline.channels();
                pipeline.feed(&self.pushed[self.taken..end]);
                self.taken = end;
            } else if !self.finished {
                return Ok(None);
            } else if !pipeline.is_ended() {
                pipeline.end();
            } else {
                self.decisions.iter_mut().for_each(Decisions::finish);
                return Ok(None);
            }
        }
    }

    /// Writes output `index` of the model ([`Model::output`]) for the result that the last read gave, not smoothed, and says
    /// how many values those are.
    pub fn output(&self, index: usize, values: &mut [f32]) -> Result<usize> {
        self.model.require_output(index)?;
        outputs::copy(self.pipeline.as_ref().and_then(|pipeline| pipeline.output(index)), values)
    }

    /// The next event that the windows read so far have given; those that are on at the end come once
    /// [`read`](Self::read) has given `None` after [`finish`](Self::finish).
    pub fn read_event(&mut self) -> Result<Option<Event>> {
        self.decisions.as_mut().map_or(Ok(None), Decisions::next_event)
    }

    /// Pushes the next part, or with `None` finishes; gives `each` the windows whose audio is there then, with the output
    /// of the options.
    pub(super) fn step(
        &mut self,
        part: Option<&[f32]>,
        scores: &mut [f32],
        mut each: impl FnMut(&Window, &[f32]),
    ) -> Result<()> {
        self.cancel.as_ref().map_or(Ok(()), Cancel::check)?;
        match part {
            Some(part) => self.push(part)?,
            None => self.finish(),
        }
        while let Some(window) = self.read(scores)? {
            let output = self.pipeline.as_ref().and_then(|pipeline| pipeline.output(self.output));
            each(&window, if self.output == 0 { scores } else { output.unwrap_or_default() });
        }
        Ok(())
    }
}

impl Drop for ClipStream {
    fn drop(&mut self) {
        if let Some(mut pipeline) = self.pipeline.take() {
            pipeline.reset();
            self.model.0.pipelines.put(pipeline);
        }
    }
}

impl Model {
    /// Begins a recording of this rate, Hz, and number of channels.
    pub fn clip_stream(&self, sample_rate: u32, channels: u32, options: &ClipOptions) -> Result<ClipStream> {
        let hop_seconds =
            options.hop_seconds.or_else(|| options.stream.as_ref().and_then(|stream| stream.hop_seconds));
        self.require_output(options.output)?;
        let (channel, method) = (options.channel, Method::Bulk);
        let source = Source { sample_rate, channels, channel, hop_seconds, method };
        let pipeline = match self.0.pipelines.take(|pipeline| pipeline.suits(&source)) {
            Some(pipeline) => pipeline,
            None => self.pipeline(source)?,
        };
        let (hop_seconds, hop_frames) = (pipeline.hop_seconds(), pipeline.hop_frames());
        let decisions = |stream| Decisions::new(stream, self.labels(), sample_rate, hop_seconds, hop_frames);
        Ok(ClipStream {
            model: self.clone(),
            decisions: options.stream.as_ref().map(decisions).transpose()?,
            pipeline: Some(pipeline),
            output: options.output,
            cancel: options.cancel.clone(),
            pushed: Vec::new(),
            taken: 0,
            finished: false,
        })
    }

    /// Gives `each` the windows of a clip with their scores, or the values of the output that `options` name, in the order of
    /// time.
    pub fn windows_of(
        &self,
        clip: Clip<'_>,
        options: &ClipOptions,
        mut each: impl FnMut(&Window, &[f32]),
    ) -> Result<()> {
        clip.check()?;
        let mut stream = self.clip_stream(clip.sample_rate, clip.channels, options)?;
        let mut scores = filled(self.class_count(), 0.0, "the scores of a window")?;
        let parts = clip.interleaved.chunks(STEP * clip.channels as usize).map(Some);
        parts.chain([None]).try_for_each(|part| stream.step(part, &mut scores, &mut each))
    }

    /// Scores of one whole clip: the mean of the scores of its windows at the manifest's hop; of one window, exactly
    /// its scores. `scores` takes one value a class.
    ///
    /// A clip shorter than a window is padded as the manifest says; one too short for one row of features is an error.
    pub fn classify(&self, clip: Clip<'_>, scores: &mut [f32]) -> Result<()> {
        self.classify_with(clip, &ClipOptions::default(), scores)
    }

    /// [`classify`](Self::classify) with options; of `stream` only the hop counts.
    pub fn classify_with(&self, clip: Clip<'_>, options: &ClipOptions, scores: &mut [f32]) -> Result<()> {
        let mut mean = self.mean_of(options, scores)?;
        self.windows_of(clip, options, |_, values| mean.add(values))?;
        mean.finish(scores)
    }

    /// For the output that `options` name, of which `values` takes the mean.
    fn mean_of(&self, options: &ClipOptions, values: &[f32]) -> Result<Mean> {
        let output = self.require_output(options.output)?;
        match values.len() < output.size {
            true => Err(too_small(values.len(), &output)),
            false => Mean::new(output.size),
        }
    }

    /// [`classify_with`](Self::classify_with) for interleaved samples of any format.
    pub fn classify_bytes(
        &self,
        format: Format,
        interleaved: &[u8],
        channels: u32,
        sample_rate: u32,
        options: &ClipOptions,
        scores: &mut [f32],
    ) -> Result<()> {
        let mut mean = self.mean_of(options, scores)?;
        let pcm = Frames::interleaved(format, channels as usize, interleaved)?;
        clip::require_frames(pcm.count())?;
        let mut stream = self.clip_stream(sample_rate, channels, options)?;
        let mut samples = filled(STEP * channels as usize, 0.0, "the samples of one step")?;
        let mut window = filled(self.class_count(), 0.0, "the scores of a window")?;
        let mut first = 0;
        loop {
            let frames = pcm.convert(first, &mut samples);
            first += frames;
            let part = (frames > 0).then(|| &samples[..frames * channels as usize]);
            stream.step(part, &mut window, |_, values| mean.add(values))?;
            if part.is_none() {
                return mean.finish(scores);
            }
        }
    }
}

/// The mean of the scores of windows: what `classify` gives.
#[derive(Clone, Debug)]
pub struct Mean {
    sums: Vec<f64>,
    windows: u64,
}

impl Mean {
    /// For scores of so many classes.
    pub fn new(classes: usize) -> Result<Self> {
        Ok(Self { sums: filled(classes, 0.0, "the sums of scores")?, windows: 0 })
    }

    /// Adds the scores of a window.
    pub fn add(&mut self, scores: &[f32]) {
        self.windows += 1;
        self.sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += f64::from(*score));
    }

    /// Writes the mean, one value a class; NaN if there was no window.
    pub fn write(&self, scores: &mut [f32]) {
        let windows = self.windows as f64;
        scores.iter_mut().zip(&self.sums).for_each(|(score, sum)| *score = (*sum / windows) as f32);
    }
}

impl Mean {
    /// Writes the mean of what must have been at least one window.
    fn finish(&self, scores: &mut [f32]) -> Result<()> {
        if self.windows == 0 {
            let message = "the clip has no result: all rows of its windows lie in what the manifest trims";
            return Err(Error::new(Status::ClipTooShort, message));
        }
        self.write(scores);
        Ok(())
    }
}

fn too_small(capacity: usize, output: &ModelOutput<'_>) -> Error {
    let size = output.size;
    let message = match output.labels.is_empty() {
        true => format!("values has room for {capacity}; the output has {size}"),
        false => format!("scores has room for {capacity}; the model has {size} classes"),
    };
    Error::new(Status::BufferTooSmall, message)
}
