//! `auricle classify`: what is heard in sound files, for people and as JSON Lines.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use auricle::Model;

use crate::analysis::{Analysis, ranked};
use crate::out::{Out, Stop, complain, shown, shown_text};
use crate::progress::Progress;
use crate::record::Record;
use crate::{model, timeline};

/// Say what is heard in sound files
///
/// Reads WAV, AIFF, CAF, FLAC, Ogg Vorbis, MP3, AAC and ALAC. Prints the scores of each file as a whole and, if it
/// is longer than two windows of the model, what is heard when.
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
    /// Print one JSON object for each file, on a line of its own
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, runtime: Option<&Path>, out: &mut Out) -> Result<(), Stop> {
    let model = model::load(args.model.as_deref(), runtime)?;
    let progress = Progress::over(args.files.len());
    let mut all_done = true;
    for file in &args.files {
        progress.at(file);
        let analysis = Analysis::of(file, &model, args.hop);
        progress.done(|| match analysis {
            Ok(analysis) => {
                out.line(if args.json {
                    Record::of(file, &analysis, model.labels()).to_json()
                } else {
                    readable(file, &analysis, &model, args.top.get())
                })?;
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
    let channels = match analysis.channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        n => format!("{n} channels"),
    };
    let seconds = analysis.seconds(analysis.frames);
    writeln!(text, "{}: {seconds:.2} s, {} Hz, {channels}", shown(file), analysis.sample_rate)?;
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

/// `m:ss.cc`, or `h:mm:ss.cc` from an hour on.
fn clock(seconds: f64) -> String {
    let centi = (seconds * 100.0).round() as u64;
    let (hours, minutes, centi) = (centi / 360_000, centi / 6_000 % 60, centi % 6_000);
    let seconds = format!("{:02}.{:02}", centi / 100, centi % 100);
    match hours {
        0 => format!("{minutes}:{seconds}"),
        _ => format!("{hours}:{minutes:02}:{seconds}"),
    }
}
