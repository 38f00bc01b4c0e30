//! What `classify --json` prints for a file: one line, written while the file is read, so that a long one need not be
//! held.

use std::path::Path;

use auricle::{Health, Model, Window};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::health::FileHealth;
use crate::out::{Stdout, Stop, json};
use crate::sound::{Lost, Sound};

/// The line of one file, as far as it has been written. `null` stands for a level of -inf dBFS.
pub struct Record<'a> {
    file: &'a Path,
    model: &'a Model,
    windows: u64,
}

/// Before the windows.
#[derive(Serialize)]
struct Head {
    file: String,
    sample_rate: u32,
    channels: u32,
    /// The one that is heard; 0: the mean of all.
    channel: u32,
}

/// Behind the windows.
#[derive(Serialize)]
struct Tail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    frames: u64,
    duration: f64,
    health: FileHealth,
    lost: Lost<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Values<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<Outputs<'a>>,
}

#[derive(Serialize)]
struct WindowRecord<'a> {
    start: f64,
    end: f64,
    first_frame: u64,
    end_frame: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Values<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<Outputs<'a>>,
    health: WindowHealth,
}

#[derive(Serialize)]
struct WindowHealth {
    peak_dbfs: f32,
    rms_dbfs: f32,
    dc_offset: f32,
    clipped_frames: u64,
    non_finite_frames: u64,
    silent: bool,
}

/// The values of an output: an object of scores by label, in the order of the model, or a list where there are no labels.
struct Values<'a> {
    labels: &'a [String],
    values: &'a [f32],
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.labels.is_empty() {
            true => serializer.collect_seq(self.values),
            false => serializer.collect_map(self.labels.iter().zip(self.values)),
        }
    }
}

/// All outputs of the model, by name.
struct Outputs<'a> {
    model: &'a Model,
    values: &'a [Vec<f32>],
}

impl Serialize for Outputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        let outputs = (0..).map_while(|index| self.model.output(index));
        for (output, values) in outputs.zip(self.values) {
            map.serialize_entry(output.name, &Values { labels: output.labels, values })?;
        }
        map.end()
    }
}

impl<'a> Record<'a> {
    pub fn new(file: &'a Path, model: &'a Model) -> Self {
        Self { file, model, windows: 0 }
    }

    /// The scores, if the first output has some.
    fn scores<'v>(&self, values: &'v [Vec<f32>]) -> Option<Values<'v>>
    where
        'a: 'v,
    {
        let labels = self.model.labels();
        (!labels.is_empty()).then(|| Values { labels, values: &values[0] })
    }

    /// All outputs, unless scores are all that there is.
    fn outputs<'v>(&self, values: &'v [Vec<f32>]) -> Option<Outputs<'v>>
    where
        'a: 'v,
    {
        let more = values.len() > 1 || self.model.labels().is_empty();
        more.then_some(Outputs { model: self.model, values })
    }

    /// Whether a part of the line has been written.
    pub fn has_begun(&self) -> bool {
        self.windows > 0
    }

    /// The next window. The line begins with the first one, so that nothing is printed of a file that has none.
    pub fn window(
        &mut self,
        out: &mut Stdout,
        sound: &Sound,
        window: &Window,
        values: &[Vec<f32>],
    ) -> Result<(), Stop> {
        match self.windows {
            0 => {
                let head = json(&Head {
                    file: self.file.to_string_lossy().into_owned(),
                    sample_rate: sound.sample_rate(),
                    channels: sound.channels(),
                    channel: sound.channel(),
                });
                out.part(&head[..head.len() - 1])?; // without its brace
                out.part(r#","windows":["#)?;
            }
            _ => out.part(",")?,
        }
        self.windows += 1;
        let seconds = |frame: u64| frame as f64 / f64::from(sound.sample_rate());
        out.part(&json(&WindowRecord {
            start: seconds(window.first_frame),
            end: seconds(window.end_frame),
            first_frame: window.first_frame,
            end_frame: window.end_frame,
            scores: self.scores(values),
            outputs: self.outputs(values),
            health: WindowHealth::of(&window.health),
        }))
    }

    /// The end of the line: the outputs of the clip, or why the file could not be read to its end.
    pub fn end(self, out: &mut Stdout, sound: &Sound, values: Result<&[Vec<f32>], &str>) -> Result<(), Stop> {
        let tail = json(&Tail {
            error: values.err(),
            frames: sound.frames(),
            duration: sound.seconds(),
            health: sound.health(),
            lost: sound.lost(),
            scores: values.ok().and_then(|values| self.scores(values)),
            outputs: values.ok().and_then(|values| self.outputs(values)),
        });
        out.part("],")?;
        out.line(&tail[1..])
    }
}

impl WindowHealth {
    fn of(health: &Health) -> Self {
        Self {
            peak_dbfs: health.peak_dbfs,
            rms_dbfs: health.rms_dbfs,
            dc_offset: health.dc_offset,
            clipped_frames: health.clipped_frames,
            non_finite_frames: health.non_finite_frames,
            silent: health.silent,
        }
    }
}
