//! `auricle classify`: what is heard in sound files, or which events, for people and as JSON Lines.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use auricle::Model;
use auricle::manifest::Stream;

use crate::analysis::{self, Analysis, ranked};
use crate::events::{self, clock};
use crate::out::{Out, Stop, complain, shown, shown_text};
use crate::progress::Progress;
use crate::record::Record;
use crate::{model, timeline};

/// Say what is heard in sound files
///
/// Reads WAV, AIFF, CAF, FLAC, Ogg Vorbis, MP3, AAC and ALAC. Prints the scores of each file as a whole and, if it
/// is longer than two windows of the model, what is heard when. With --events: the sounds from onset to offset.
#[derive(clap::Args)]
pub struct Args {
    /// Sound files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The ONNX model [default: the bundled model]
    #[arg(short, long)]
    model: Option<PathBuf>,
    /// How many classes to print for a file (--json has all)
    #[arg(short = 'k', long, value_name = "K", default_value = "3")]
    top: std::num::NonZeroUsize,
    /// Seconds between windows [default: the model's]
    #[arg(long, value_name = "SECONDS")]
    hop: Option<f64>,
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

pub fn run(args: &Args, runtime: Option<&Path>, out: &mut Out) -> Result<(), Stop> {
    let model = model::load(args.model.as_deref(), runtime)?;
    let stream = args.events.then(|| events::stream(&model, args.stream.as_deref())).transpose()?;
    let progress = Progress::over(args.files.len());
    let mut all_done = true;
    for file in &args.files {
        progress.at(file);
        let text = match &stream {
            Some(stream) => events_of(file, &model, args, stream),
            None => scores_of(file, &model, args),
        };
        progress.done(|| match text {
            Ok(text) => {
                if !text.is_empty() {
                    out.line(text)?;
                }
                out.flush()
            }
            Err(reason) => {
                all_done = false;
                complain(format_args!("{}: {reason}", shown(file)));
                Ok(())
            }
        })?;
    }
    if all_done { Ok(()) } else { Err(Stop::Told) }
}

/// What is printed of a file. The error is the reason alone.
fn scores_of(file: &Path, model: &Model, args: &Args) -> Result<String, String> {
    let analysis = Analysis::of(file, model, args.hop)?;
    Ok(match args.json {
        true => Record::of(file, &analysis, model.labels()).to_json(),
        false => readable(file, &analysis, model, args.top.get()),
    })
}

/// The same with `--events`: people get the final ones.
fn events_of(file: &Path, model: &Model, args: &Args, stream: &Stream) -> Result<String, String> {
    let audio = auricle_decode::decode(file).map_err(|e| e.reason().to_owned())?;
    let events = analysis::events(&audio, model, args.hop, stream.clone()).map_err(|e| e.to_string())?;
    let (labels, rate) = (model.labels(), audio.sample_rate);
    let lines: Vec<String> = if args.json {
        let name = file.to_string_lossy();
        events.iter().map(|event| events::Record::of(event, labels, rate, Some(&name)).to_json()).collect()
    } else {
        let finals = events.iter().filter(|event| event.is_final);
        let head = heading(file, rate, audio.channels, audio.frames() as u64);
        std::iter::once(head)
            .chain(finals.map(|event| format!("  {}", events::readable(event, labels, rate))))
            .collect()
    };
    Ok(lines.join("\n"))
}

/// The first line of a file, for people.
fn heading(file: &Path, sample_rate: u32, channels: u32, frames: u64) -> String {
    let channels = match channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        n => format!("{n} channels"),
    };
    let seconds = frames as f64 / f64::from(sample_rate);
    format!("{}: {seconds:.2} s, {sample_rate} Hz, {channels}", shown(file))
}

fn readable(file: &Path, analysis: &Analysis, model: &Model, most: usize) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_readable(&mut text, file, analysis, model.labels(), most);
    text.truncate(text.trim_end().len());
    text
}

fn write_readable(
    text: &mut String,
    file: &Path,
    analysis: &Analysis,
    labels: &[String],
    most: usize,
) -> std::fmt::Result {
    writeln!(text, "{}", heading(file, analysis.sample_rate, analysis.channels, analysis.frames))?;
    for class in ranked(&analysis.scores).into_iter().take(most) {
        writeln!(text, "  {:6.3}  {}", analysis.scores[class], shown_text(&labels[class]))?;
    }
    if analysis.is_long() {
        write_timeline(text, analysis, labels)?;
    }
    if let Some(warning) = analysis.health.warning(analysis.frames) {
        writeln!(text, "  warning: {warning}")?;
    }
    Ok(())
}

fn write_timeline(text: &mut String, analysis: &Analysis, labels: &[String]) -> std::fmt::Result {
    let (spans, together) = timeline::spans(&analysis.windows);
    let clock = |frame: u64| clock(analysis.seconds(frame.min(analysis.frames)));
    let width = clock(analysis.frames).len();
    for span in spans {
        let (from, to) = (clock(span.first_frame), clock(span.end_frame));
        let label = shown_text(&labels[span.class]);
        writeln!(text, "  {from:>width$} - {to:>width$}  {:6.3}  {label}", span.score)?;
    }
    if together > 1 {
        writeln!(text, "  ({together} windows averaged at a time; --json has each)")?;
    }
    Ok(())
}
