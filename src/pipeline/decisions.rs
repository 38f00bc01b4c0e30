//! Scores of one window after another -> smoothed scores and events.

use super::Window;
use crate::error::{Error, Result, Status};
use crate::events::{Detector, Event};
use crate::manifest::Stream;
use crate::smoothing::Smoother;

/// One stream's smoothing and events, as sessions and clips have them.
#[derive(Debug)]
pub struct Decisions {
    smoother: Option<Smoother>,
    detector: Option<Detector>,
}

impl Decisions {
    /// For windows `hop_seconds` and `hop_frames` apart, in a stream of the host's at `host_rate` Hz.
    pub fn new(
        stream: &Stream,
        labels: &[String],
        host_rate: u32,
        hop_seconds: f64,
        hop_frames: u64,
    ) -> Result<Self> {
        let detector = |rules| Detector::new(rules, labels, host_rate, hop_frames.max(1));
        Ok(Self {
            smoother: Smoother::new(stream.smoothing, stream.smoothing_seconds, hop_seconds, labels.len())?,
            detector: stream.events.as_ref().map(detector).transpose()?,
        })
    }

    /// Smooths the scores of the next window, and looks for events in them.
    pub fn observe(&mut self, window: &Window, scores: &mut [f32]) {
        if let Some(smoother) = &mut self.smoother {
            smoother.apply(window.sequence, scores);
        }
        if let Some(detector) = &mut self.detector {
            detector.observe(window.sequence, &(window.first_frame..window.end_frame), scores);
        }
    }

    /// The stream is over: events that are on end.
    pub fn finish(&mut self) {
        self.detector.iter_mut().for_each(Detector::finish);
    }

    /// Forgets the stream.
    pub fn clear(&mut self) {
        self.smoother.iter_mut().for_each(Smoother::clear);
        self.detector.iter_mut().for_each(Detector::clear);
    }

    /// The next event, if one is waiting. A stream without rules for events is an error.
    pub fn next_event(&mut self) -> Result<Option<Event>> {
        let detector = self.detector.as_mut().ok_or_else(|| {
            Error::new(
                Status::InvalidState,
                "this session has no events: neither the manifest's `stream` nor the session's options have `events`",
            )
        })?;
        Ok(detector.pop())
    }
}
