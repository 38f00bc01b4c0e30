//! Events: which ones a stream has, how one is printed for people and as JSON. The same for files and microphones.

use std::path::Path;

use auricle::manifest::Stream;
use auricle::{Event, Model};
use serde::Serialize;

use crate::model::read_json;
use crate::out::{Stop, json, shown, shown_text};

/// The model's own `stream`, or the one given: a JSON object, or a file that holds one. Without rules for events in it
/// the default ones hold.
pub fn stream(model: &Model, given: Option<&str>) -> Result<Stream, Stop> {
    if model.labels().is_empty() {
        return Err(Stop::new("the model's first output has no scores, so there are no events"));
    }
    let parse = |text: &str| Stream::parse(text, model.manifest());
    let mut stream = match given {
        None => model.manifest().stream.clone(),
        Some(json) if json.trim_start().starts_with('{') => {
            parse(json).map_err(|e| Stop::because("--stream", e))?
        }
        Some(path) => {
            let path = Path::new(path);
            parse(&read_json(path)?).map_err(|e| Stop::because(shown(path), e))?
        }
    };
    stream.events.get_or_insert_default();
    Ok(stream)
}

/// What `--json` prints for an event, on a line of its own.
#[derive(Serialize)]
pub struct Record<'a> {
    /// Where it was heard, if that is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    id: u64,
    #[serde(rename = "final")]
    is_final: bool,
    label: &'a str,
    onset_seconds: f64,
    offset_seconds: f64,
    onset_frame: u64,
    offset_frame: u64,
    decided_frame: u64,
    peak_score: f32,
    mean_score: f32,
    lost_before: u64,
}

impl<'a> Record<'a> {
    pub fn of(event: &Event, labels: &'a [String], sample_rate: u32, file: Option<&'a str>) -> Self {
        let seconds = |frame: u64| frame as f64 / f64::from(sample_rate);
        Self {
            file,
            id: event.id,
            is_final: event.is_final,
            label: &labels[event.class],
            onset_seconds: seconds(event.onset_frame),
            offset_seconds: seconds(event.offset_frame),
            onset_frame: event.onset_frame,
            offset_frame: event.offset_frame,
            decided_frame: event.decided_frame,
            peak_score: event.peak_score,
            mean_score: event.mean_score,
            lost_before: event.lost_before,
        }
    }

    /// One line.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

/// One line for a person: from when to when, the highest score, the label.
pub fn readable(event: &Event, labels: &[String], sample_rate: u32) -> String {
    let clock = |frame: u64| clock(frame as f64 / f64::from(sample_rate));
    let (onset, offset) = (clock(event.onset_frame), clock(event.offset_frame));
    format!("{onset:>7} - {offset:>7}  {:6.3}  {}", event.peak_score, shown_text(&labels[event.class]))
}

/// `m:ss.cc`, or `h:mm:ss.cc` from an hour on.
pub fn clock(seconds: f64) -> String {
    let centi = (seconds * 100.0).round() as u64;
    let (hours, minutes, centi) = (centi / 360_000, centi / 6_000 % 60, centi % 6_000);
    let seconds = format!("{:02}.{:02}", centi / 100, centi % 100);
    match hours {
        0 => format!("{minutes}:{seconds}"),
        _ => format!("{hours}:{minutes:02}:{seconds}"),
    }
}
