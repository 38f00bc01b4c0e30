//! One sound file through a model: its windows, and the clip as a whole.

use std::path::Path;

use auricle::manifest::Stream;
use auricle::{Error, Event, Model, Read, Session, SessionOptions, Window};
use auricle_decode::Audio;

use crate::health::FileHealth;

/// Scores of one window.
pub struct Scored {
    /// Where the window lies, what state its audio is in.
    pub window: Window,
    /// One score a class.
    pub scores: Vec<f32>,
}

/// What a model makes of a file.
pub struct Analysis {
    /// The file's audio, without its samples.
    pub sample_rate: u32,
    pub channels: u32,
    /// Length of the audio, frames.
    pub frames: u64,
    pub health: FileHealth,
    /// One score a class for the whole clip.
    pub scores: Vec<f32>,
    /// In the order of time.
    pub windows: Vec<Scored>,
}

impl Analysis {
    /// Decodes and classifies `file`. `hop_seconds` stands in for the manifest's. The error is the reason alone.
    pub fn of(file: &Path, model: &Model, hop_seconds: Option<f64>) -> Result<Self, String> {
        let audio = auricle_decode::decode(file).map_err(|e| e.reason().to_owned())?;
        Self::of_audio(&audio, model, hop_seconds).map_err(|e| e.to_string())
    }

    fn of_audio(audio: &Audio, model: &Model, hop_seconds: Option<f64>) -> Result<Self, Error> {
        let windows = windows(audio, model, hop_seconds)?;
        Ok(Self {
            sample_rate: audio.sample_rate,
            channels: audio.channels,
            frames: audio.frames() as u64,
            health: FileHealth::of(audio)?,
            scores: mean(&windows, model.labels().len()),
            windows,
        })
    }

    /// Whether the clip is longer than two windows, so that a timeline tells more than the clip's scores.
    pub fn is_long(&self) -> bool {
        self.windows.first().is_some_and(|w| self.frames > 2 * (w.window.end_frame - w.window.first_frame))
    }

    /// Seconds from the beginning to a frame.
    pub fn seconds(&self, frame: u64) -> f64 {
        frame as f64 / f64::from(self.sample_rate)
    }
}

/// Reads the whole clip through a session.
fn windows(audio: &Audio, model: &Model, hop_seconds: Option<f64>) -> Result<Vec<Scored>, Error> {
    let mut options = SessionOptions::new(audio.sample_rate, audio.channels);
    options.hop_seconds = hop_seconds;
    let mut windows = Vec::new();
    stream(audio, &Session::new(model, &options)?, |window, scores| {
        windows.push(Scored { window, scores: scores.to_vec() });
        Ok(())
    })?;
    Ok(windows)
}

/// The events of a clip, provisional and final, in the order in which a live stream would have told them.
pub fn events(
    audio: &Audio,
    model: &Model,
    hop_seconds: Option<f64>,
    stream_of: Stream,
) -> Result<Vec<Event>, Error> {
    let mut options = SessionOptions::new(audio.sample_rate, audio.channels);
    options.hop_seconds = hop_seconds;
    options.stream = Some(stream_of);
    let session = Session::new(model, &options)?;
    let mut events = Vec::new();
    let mut take = || {
        while let Some(event) = session.read_event()? {
            events.push(event);
        }
        Ok(())
    };
    stream(audio, &session, |_, _| take())?;
    take()?;
    Ok(events)
}

/// Pushes the whole clip into a session; `each` gets every window with its scores.
fn stream(
    audio: &Audio,
    session: &Session,
    mut each: impl FnMut(Window, &[f32]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut scores = vec![0.0; session.class_count()];
    let mut read_all = || {
        while let Read::Window(window) = session.read(&mut scores)? {
            each(window, &scores)?;
        }
        Ok::<_, Error>(())
    };
    // Half a second at a time: well within the ring, so that nothing is dropped.
    let half_second = (audio.sample_rate / 2 * audio.channels) as usize;
    for chunk in audio.samples.chunks(half_second.max(1)) {
        session.push_f32(chunk)?;
        read_all()?;
    }
    session.finish()?;
    read_all()
}

/// The clip's scores: the mean of the scores of its windows, as `Model::classify` defines them.
fn mean(windows: &[Scored], classes: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; classes];
    for window in windows {
        sums.iter_mut().zip(&window.scores).for_each(|(sum, &score)| *sum += f64::from(score));
    }
    sums.iter().map(|sum| (sum / windows.len() as f64) as f32).collect()
}

/// The class with the highest score; the first of equals.
pub fn top(scores: &[f32]) -> Option<usize> {
    ranked(scores).first().copied()
}

/// The classes, highest score first; equals in the order of the model.
pub fn ranked(scores: &[f32]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    classes.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    classes
}
