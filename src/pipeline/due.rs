//! A window that is due: its rows, its run, its result.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::results::{Pending, Results};
use super::{Given, Pipeline, Scorer, Window};
use crate::error::Result;
use crate::inference::Cancel;
use crate::inference::state::State;
use crate::inference::tensors::Tensors;
use crate::padding::Padding;

/// A window whose audio is there.
#[derive(Debug)]
pub(crate) struct Due {
    /// First sample, at the model's rate.
    pub(super) begin: u64,
    /// False for the end of a stream, which is to be padded.
    pub(super) whole: bool,
    pub(super) range: Range<u64>,
    /// All of its audio was lost. It is run, as silence, for the network's state alone.
    pub lost: bool,
    /// It is this row of the window that was run last.
    pub(super) row: Option<usize>,
}

/// A window whose rows have been looked at.
#[derive(Debug)]
pub(crate) struct Shown {
    sequence: u64,
    begin: u64,
    end: u64,
    whole: bool,
    range: Range<u64>,
    lost: bool,
    /// All of its audio was lost, and is digital silence.
    silent: bool,
}

impl Pipeline {
    /// Gives the result that is due: runs its window, or takes the row of the window that was run last. Whether that
    /// succeeds or not, the next one comes next. `None`: a window that has no results.
    pub fn score(
        &mut self,
        scorer: &Scorer,
        due: Due,
        scores: &mut [f32],
        cancel: Option<&Cancel>,
    ) -> Result<Option<Window>> {
        let due = match due.row {
            Some(_) => due,
            None => {
                let lost = due.lost;
                let window = self.run(scorer, due, cancel)?;
                if lost {
                    return Ok(None);
                }
                if self.places.is_none() {
                    self.given = Some(0);
                    scores.copy_from_slice(self.results.output(0, 0));
                    return Ok(Some(window));
                }
                match self.next_row() {
                    Some(due) => due,
                    None => return Ok(None),
                }
            }
        };
        let (row, places) = (self.pending.row, self.places.map_or(1, |places| places.rows));
        self.pending.row += 1;
        self.given = Some(row);
        scores.copy_from_slice(self.results.output(0, row));
        Ok(Some(Window {
            sequence: self.pending.window.sequence * places as u64 + row as u64,
            first_frame: due.range.start,
            end_frame: due.range.end,
            health: self.journal.health(&due.range, !due.whole),
            ..self.pending.window
        }))
    }

    /// Runs the network on a window.
    fn run(&mut self, scorer: &Scorer, due: Due, cancel: Option<&Cancel>) -> Result<Window> {
        let (shown, (scored, inference)) = self.show(due, |rows, bins, audio, state, results| {
            let started = Instant::now();
            (scorer.score(rows, bins, audio, state, results, cancel), started.elapsed())
        })?;
        scored?;
        self.settled = shown.silent && self.state.is_settled();
        Ok(self.ran(shown, inference))
    }

    /// Gives the rows of a window to `take`, with how much of it is audio, the state of the network, and room for what it
    /// gives. Whatever becomes of it, the next one comes next.
    pub fn show<T>(
        &mut self,
        due: Due,
        take: impl FnOnce(&[f32], usize, Given, &mut State, &mut Results) -> T,
    ) -> Result<(Shown, T)> {
        let Due { begin, whole, range, lost, .. } = due;
        let sequence = self.next;
        self.next += 1;
        (self.given, self.settled, self.pending.rows) = (None, false, 0);
        let mut offset = (begin - self.start) as usize;
        let given = (self.samples.len() - offset).min(self.window);
        if !whole {
            self.samples.drain(..offset);
            (self.start, offset) = (begin, 0);
            self.samples.resize(self.window, 0.0);
        }
        let stretch = &mut self.samples[offset..offset + self.window];
        let silent = lost && stretch.iter().all(|&sample| sample == 0.0);
        let end = begin + given as u64;
        let audio = Given { samples: given, rows: self.manifest.input.rows(given) };
        let rows = self.rows.of(sequence, stretch, given);
        if !whole {
            self.samples.truncate(given);
        }
        let (rows, bins) = rows?;
        let taken = take(rows, bins, audio, &mut self.state, &mut self.results);
        Ok((Shown { sequence, begin, end, whole, range, lost, silent }, taken))
    }

    /// A window that the network has run on, for `inference`.
    fn ran(&mut self, shown: Shown, inference: Duration) -> Window {
        let Shown { sequence, begin, end, whole, range, lost, .. } = shown;
        let window = Window {
            sequence,
            first_frame: range.start,
            end_frame: range.end,
            health: self.journal.health(&range, !whole),
            inference_nanoseconds: inference.as_nanos().try_into().unwrap_or(u64::MAX),
            late: inference.as_secs_f64() > self.hop as f64 / f64::from(self.model_rate),
        };
        if !lost {
            self.pending = Pending { row: 0, rows: self.results.rows, begin, end, whole, window };
        }
        window
    }

    /// The result of a window that was run with others: it is number `index` of `tensors`.
    pub fn score_shared(
        &mut self,
        scorer: &Scorer,
        tensors: &Tensors,
        index: usize,
        (shown, inference): (Shown, Duration),
        scores: &mut [f32],
    ) -> Result<Window> {
        scorer.take(tensors, index, &mut self.results)?;
        let window = self.ran(shown, inference);
        self.given = Some(0);
        scores.copy_from_slice(self.results.output(0, 0));
        Ok(window)
    }

    /// Whether it can be run with windows of other streams: it has as many rows as they.
    pub fn is_full(&self, due: &Due) -> bool {
        due.row.is_none() && !due.lost && (due.whole || self.manifest.input.padding != Padding::None)
    }
}
