//! The reading side of a session: ring -> pipeline -> decisions.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::inference::Cancel;
use crate::pipeline::{Decisions, Due, Loss, Pipeline, STEP, Scorer, Shown, Window};
use crate::ring::{Consumer, Item};

#[derive(Debug)]
pub(super) struct Reader {
    pub ring: Consumer,
    pub pipeline: Pipeline,
    pub scores: Vec<f32>,
    pub decisions: Decisions,
    pub limit: u32,
    /// An error that a wait came upon, for the next read.
    pub pending_error: Option<Error>,
    /// Windows read since the last read that gave none.
    pub in_a_row: u32,
    /// Longest nap: half of what the ring holds must not pass in it.
    pub nap: Duration,
}

/// What lies ahead of a reader.
pub(super) enum Ahead {
    Window(Due),
    /// A window of lost audio, which is run for the network's state and not reported.
    Lost(Due),
    Nothing,
    End,
}

impl Reader {
    /// Converts what waits in the ring, until a window is due.
    pub fn advance(&mut self) -> Result<Ahead> {
        let Self { ring, pipeline, decisions, .. } = self;
        loop {
            if let Some(due) = pipeline.due()? {
                return Ok(if due.lost { Ahead::Lost(due) } else { Ahead::Window(due) });
            }
            if pipeline.is_ended() {
                decisions.finish();
                return Ok(Ahead::End);
            }
            if pipeline.feed_silence() {
                continue;
            }
            match ring.next(STEP, |frames| pipeline.feed(frames)) {
                Item::Samples(_) => {}
                Item::Gap(frames) => pipeline.lose(frames, Loss::Gap),
                Item::Dropped(frames) => pipeline.lose(frames, Loss::Dropped),
                Item::Empty => return Ok(Ahead::Nothing),
                Item::End => pipeline.end(),
            }
        }
    }

    /// Runs a window of lost audio.
    pub fn pass(&mut self, scorer: &Scorer, due: Due, cancel: &Cancel) -> Result<()> {
        self.pipeline.score(scorer, due, &mut self.scores, Some(cancel)).map(drop)
    }

    pub fn score(&mut self, scorer: &Scorer, due: Due, cancel: &Cancel) -> Result<Window> {
        let window = self.pipeline.score(scorer, due, &mut self.scores, Some(cancel))?;
        self.decisions.observe(&window, &mut self.scores);
        Ok(window)
    }

    /// A window that was scored together with others, in `inference`; its scores are in `scores`.
    pub fn observe(&mut self, shown: Shown, inference: Duration) -> Window {
        let window = self.pipeline.window(shown, inference);
        self.decisions.observe(&window, &mut self.scores);
        window
    }
}
