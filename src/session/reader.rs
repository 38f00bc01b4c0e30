//! The reading side of a session: ring -> pipeline -> decisions.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::inference::Cancel;
use crate::inference::tensors::Tensors;
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
    /// A window of lost audio, which is run for the network's state alone.
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

    /// The result that is due; `None`: a window that has none, as one of lost audio.
    pub fn score(&mut self, scorer: &Scorer, due: Due, cancel: &Cancel) -> Result<Option<Window>> {
        let window = self.pipeline.score(scorer, due, &mut self.scores, Some(cancel))?;
        if let Some(window) = &window {
            self.decisions.observe(window, &mut self.scores);
        }
        Ok(window)
    }

    /// The result of a window that was run with others: it is number `index` of `tensors`.
    pub fn score_shared(
        &mut self,
        scorer: &Scorer,
        tensors: &Tensors,
        index: usize,
        shown: (Shown, Duration),
    ) -> Result<Window> {
        let window = self.pipeline.score_shared(scorer, tensors, index, shown, &mut self.scores)?;
        self.decisions.observe(&window, &mut self.scores);
        Ok(window)
    }
}
