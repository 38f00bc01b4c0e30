//! Interim: the library's clip loop by way of a session.

use auricle::model::manifest::Stream;
use auricle::{Error, Event, Model, Read, Session, SessionOptions, Window};

pub struct Scorer(Session);

impl Scorer {
    pub fn new(
        model: &Model,
        rate: u32,
        channels: u32,
        hop: Option<f64>,
        stream: Option<&Stream>,
    ) -> Result<Self, Error> {
        let mut options = SessionOptions::new(rate, channels);
        options.hop_seconds = hop;
        options.stream = Some(match stream {
            Some(stream) => stream.clone(),
            None => Stream { hop_seconds: model.manifest().stream.hop_seconds, ..Stream::default() },
        });
        Ok(Self(Session::new(model, &options)?))
    }

    pub fn push(&mut self, block: &[f32]) -> Result<(), Error> {
        self.0.push_f32(block).map(|_| ())
    }

    pub fn finish(&mut self) -> Result<(), Error> {
        self.0.finish()
    }

    pub fn next(&mut self, scores: &mut [f32]) -> Result<Option<Window>, Error> {
        match self.0.read(scores)? {
            Read::Window(window) => Ok(Some(window)),
            _ => Ok(None),
        }
    }

    pub fn next_event(&mut self) -> Result<Option<Event>, Error> {
        self.0.read_event()
    }
}
