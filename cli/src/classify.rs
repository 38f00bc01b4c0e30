//! `auricle classify`: what is heard in sound files, or which events, for people and as JSON Lines. A file is read
//! once, block by block: what is printed while it is read, and what is kept until its end, is bounded.

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use auricle::manifest::Stream;
use auricle::{ClipOptions, ClipStream, Error, Event, Mean, Model, Window};

use crate::events::{self, clock};
use crate::model::{self, Engine};
use crate::out::{Stdout, Stop, complain, json, shown, shown_text};
use crate::progress::Progress;
use crate::ranking::ranked;
use crate::record::Record;
use crate::sound::{Lost, Sound};
use crate::timeline::Timeline;

/// Say what is heard in sound files
///
/// Reads WAV, AIFF, CAF, FLAC, Ogg Vorbis, MP3, AAC and ALAC, from files and pipes. Prints the scores of each file as a
/// whole and, if it is longer than two windows of the model, what is heard when. With --events: the sounds from onset
/// to offset.
#[derive(clap::Args)]
pub struct Args {
    /// Sound files; - is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The ONNX model [default: the bundled model]
    #[arg(short, long)]
    model: Option<PathBuf>,
    /// How many classes to print for a file (--json has all)
    #[arg(short = 'k', long, value_name = "K", default_value = "3")]
    top: NonZero<usize>,
    /// Seconds between windows [default: the model's]
    #[arg(long, value_name = "SECONDS")]
    hop: Option<f64>,
    /// The channel to hear, from 1; 0 is the mean of all
    #[arg(short, long, value_name = "N", default_value = "0")]
    channel: u32,
    /// Print events (when a class is on) instead of scores
    #[arg(long, conflicts_with = "top")]
    events: bool,
    /// Smoothing and events: the JSON object, or a file with it [default: the model's]
    #[arg(long, value_name = "JSON|FILE", requires = "events")]
    stream: Option<String>,
    /// Print one JSON object for each file, or for each event, on a line of its own
    #[arg(long)]
    json: bool,
}

/// Why a file was not done.
enum Failure {
    /// The reason, without the file's name. Other files may be fine.
    File(String),
    /// Nothing more can be printed.
    Output(Stop),
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Failure::File(reason)
    }
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        Failure::File(e.to_string())
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Failure::Output(stop)
    }
}

pub fn run(args: &Args, engine: Engine<'_>, out: &mut Stdout) -> Result<(), Stop> {
    let model = model::load(args.model.as_deref(), engine)?;
    let stream = args.events.then(|| events::stream(&model, args.stream.as_deref())).transpose()?;
    let progress = Progress::over(args.files.len(), args.json || args.events);
    let mut all_done = true;
    for file in &args.files {
        progress.at(file);
        let done = match (&stream, args.json) {
            (Some(stream), true) => events_as_json(file, &model, args, stream, out),
            (Some(stream), false) => events_for_people(file, &model, args, stream, out),
            (None, true) => scores_as_json(file, &model, args, out),
            (None, false) => scores_for_people(file, &model, args, out),
        };
        progress.done(|| match done {
            Ok(()) => out.flush(),
            Err(Failure::Output(stop)) => Err(stop),
            Err(Failure::File(reason)) => {
                all_done = false;
                out.flush()?;
                complain(format_args!("{}: {reason}", shown(file)));
                Ok(())
            }
        })?;
    }
    if all_done { Ok(()) } else { Err(Stop::Reported) }
}

/// A file and what the model makes of it, window by window.
struct Hearing {
    sound: Sound,
    clip: ClipStream,
    ended: bool,
    /// Of the last window, a list for each output.
    values: Vec<Vec<f32>>,
    means: Vec<Mean>,
}

impl Hearing {
    fn of(file: &Path, model: &Model, args: &Args, stream: Option<&Stream>) -> Result<Self, Failure> {
        let sound = Sound::open(file, args.channel)?;
        let mut options = ClipOptions::default();
        options.channel = args.channel;
        options.hop_seconds = args.hop;
        options.stream = stream.cloned();
        let clip = model.clip_stream(sound.sample_rate(), sound.channels(), &options)?;
        let sizes: Vec<usize> =
            (0..).map_while(|index| model.output(index)).map(|output| output.size).collect();
        let values = sizes.iter().map(|&size| vec![0.0; size]).collect();
        let means = sizes.iter().map(|&size| Mean::new(size)).collect::<Result<_, _>>()?;
        Ok(Self { sound, clip, ended: false, values, means })
    }

    /// The next window, whose outputs are in `values`; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<Window>, Failure> {
        loop {
            if let Some(window) = self.clip.read(&mut self.values[0])? {
                for (index, values) in self.values.iter_mut().enumerate().skip(1) {
                    self.clip.output(index, values)?;
                }
                self.means.iter_mut().zip(&self.values).for_each(|(mean, values)| mean.add(values));
                return Ok(Some(window));
            }
            if self.ended {
                return match self.sound.frames() {
                    0 => Err(Failure::File("holds no frames".into())),
                    _ => Ok(None),
                };
            }
            match self.sound.next_block()? {
                Some(block) => self.clip.push(block)?,
                None => {
                    self.clip.finish();
                    self.ended = true;
                }
            }
        }
    }

    /// The next event, `None` at the end of the file.
    fn next_event(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(event) = self.clip.read_event()? {
                return Ok(Some(event));
            }
            if self.next()?.is_none() {
                return Ok(self.clip.read_event()?); // those that the end of the file decides
            }
        }
    }

    /// The outputs of the clip: means over its windows.
    fn mean(&self) -> Vec<Vec<f32>> {
        let mut values = self.values.clone();
        self.means.iter().zip(&mut values).for_each(|(mean, values)| mean.write(values));
        values
    }

    /// The first line of a file, for people. `frames`: its length, where that is known.
    fn heading(&self, file: &Path, frames: Option<u64>) -> String {
        let channels = match (self.sound.channels(), self.sound.channel()) {
            (1, _) => "mono".to_owned(),
            (2, 0) => "stereo".to_owned(),
            (channels, 0) => format!("{channels} channels"),
            (channels, channel) => format!("channel {channel} of {channels}"),
        };
        let rate = self.sound.sample_rate();
        let length = frames.map(|frames| format!("{:.2} s, ", frames as f64 / f64::from(rate)));
        format!("{}: {}{rate} Hz, {channels}", shown(file), length.unwrap_or_default())
    }
}

fn scores_as_json(file: &Path, model: &Model, args: &Args, out: &mut Stdout) -> Result<(), Failure> {
    let mut hearing = Hearing::of(file, model, args, None)?;
    let mut record = Record::new(file, model);
    loop {
        match hearing.next() {
            Ok(Some(window)) => record.window(out, &hearing.sound, &window, &hearing.values)?,
            Ok(None) => return Ok(record.end(out, &hearing.sound, Ok(&hearing.mean()))?),
            Err(Failure::File(reason)) if record.has_begun() => {
                record.end(out, &hearing.sound, Err(&reason))?;
                return Err(Failure::File(reason));
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn scores_for_people(file: &Path, model: &Model, args: &Args, out: &mut Stdout) -> Result<(), Failure> {
    let mut hearing = Hearing::of(file, model, args, None)?;
    let (mut timeline, mut window_frames) = (Timeline::default(), 0);
    while let Some(window) = hearing.next()? {
        window_frames = window_frames.max(window.end_frame - window.first_frame);
        if !model.labels().is_empty() {
            timeline.add(&window, &hearing.values[0]);
        }
    }
    let (sound, scores) = (&hearing.sound, hearing.mean().swap_remove(0));
    let mut text = hearing.heading(file, Some(sound.frames()));
    let Some(_) = model.labels().first() else {
        let _ = write!(text, "\n  {} values, no scores; --json has them", scores.len());
        return Ok(out.line(text)?);
    };
    for class in ranked(&scores).into_iter().take(args.top.get()) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {:6.3}  {}", scores[class], shown_text(&model.labels()[class]));
    }
    // Of a shorter clip a timeline says no more than the clip's scores.
    if sound.frames() > 2 * window_frames {
        write_timeline(&mut text, timeline, sound, model.labels());
    }
    for warning in sound.warnings() {
        let _ = write!(text, "\n  warning: {warning}");
    }
    Ok(out.line(text)?)
}

fn write_timeline(text: &mut String, timeline: Timeline, sound: &Sound, labels: &[String]) {
    let (spans, together) = timeline.spans();
    let clock = |frame: u64| clock(frame.min(sound.frames()) as f64 / f64::from(sound.sample_rate()));
    let width = clock(sound.frames()).len();
    for span in spans {
        let (from, to) = (clock(span.first_frame), clock(span.end_frame));
        let label = shown_text(&labels[span.class]);
        let _ = write!(text, "\n  {from:>width$} - {to:>width$}  {:6.3}  {label}", span.score);
    }
    if together > 1 {
        let _ = write!(text, "\n  ({together} windows averaged at a time; --json has each)");
    }
}

/// An object per event; at the end, if something of the file was lost, one that says what.
fn events_as_json(
    file: &Path,
    model: &Model,
    args: &Args,
    stream: &Stream,
    out: &mut Stdout,
) -> Result<(), Failure> {
    let mut hearing = Hearing::of(file, model, args, Some(stream))?;
    let (name, rate) = (file.to_string_lossy(), hearing.sound.sample_rate());
    while let Some(event) = hearing.next_event()? {
        out.line(events::Record::of(&event, model.labels(), rate, Some(&name)).to_json())?;
        out.flush()?;
    }
    let lost = hearing.sound.lost();
    if !lost.is_nothing() {
        out.line(json(&FileLost { file: &name, lost }))?;
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct FileLost<'a> {
    file: &'a str,
    lost: Lost<'a>,
}

/// A line per event that is over. How long the file is, is known for certain only at its end.
fn events_for_people(
    file: &Path,
    model: &Model,
    args: &Args,
    stream: &Stream,
    out: &mut Stdout,
) -> Result<(), Failure> {
    let mut hearing = Hearing::of(file, model, args, Some(stream))?;
    let mut heading = Some(hearing.heading(file, hearing.sound.declared_frames()));
    let rate = hearing.sound.sample_rate();
    while let Some(event) = hearing.next_event()? {
        if event.is_final {
            heading.take().map_or(Ok(()), |heading| out.line(heading))?;
            out.line(format_args!("  {}", events::readable(&event, model.labels(), rate)))?;
            out.flush()?;
        }
    }
    heading.take().map_or(Ok(()), |heading| out.line(heading))?;
    for warning in hearing.sound.warnings() {
        out.line(format_args!("  warning: {warning}"))?;
    }
    Ok(())
}
