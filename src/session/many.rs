//! Reading many sessions of one model at once: their windows go through the network together.

use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use super::reader::{Ahead, Reader};
use super::{NAP, Read, Session};
use crate::error::{Error, Result, Status};
use crate::float_env::FloatEnv;
use crate::memory::reserved;
use crate::pipeline::{Due, Scorer, Shown};

/// Where one of the sessions stands.
enum Place {
    /// Audio for the next window is missing.
    Waiting,
    Due(Due),
    Done(Result<Read>),
}

struct One<'a> {
    session: &'a Session,
    /// `None` if another thread is reading.
    reader: Option<MutexGuard<'a, Reader>>,
    place: Place,
}

/// Gives the next window of each of `sessions`, all of one model: as many [`Session::read`]s, but windows that are ready go
/// through the network together, up to [`ModelOptions::max_batch`](crate::ModelOptions::max_batch) in a run.
///
/// Waits until every session has a window, or an end, for at most `deadline`; then those that are ready are scored.
/// `scores` has room for the classes of each session, one after the other; `reads` has a place for each, which gets what
/// its read would have given. An error there is that session's only. A session that has nothing gets [`Read::Again`].
///
/// The result is the number of windows written. An error, which leaves everything as it was: sessions of different models, or
/// too little room.
pub fn read_many(
    sessions: &[&Session],
    deadline: Duration,
    scores: &mut [f32],
    reads: &mut [Result<Read>],
) -> Result<usize> {
    let Some(first) = sessions.first() else { return Ok(0) };
    if let Some(index) = sessions.iter().position(|session| !session.model.is(&first.model)) {
        return Err(Error::argument(format!("sessions[{index}] has another model than sessions[0]")));
    }
    let classes = first.class_count();
    let (room, count) = (scores.len() / classes, reads.len());
    if room < sessions.len() || count < sessions.len() {
        let message = format!(
            "{} sessions of {classes} classes; scores has room for {room}, reads for {count}",
            sessions.len()
        );
        return Err(Error::new(Status::BufferTooSmall, message));
    }
    let _float_env = FloatEnv::enter();
    let mut all = reserved(sessions.len(), "the sessions that are read")?;
    all.extend(sessions.iter().map(|session| One::new(session)));
    gather(&mut all, Instant::now() + deadline);
    score(&mut all, first.model.scorer())?;
    let mut windows = 0;
    for ((one, scores), read) in all.into_iter().zip(scores.chunks_exact_mut(classes)).zip(reads) {
        let given = one.finish();
        if let (Ok(Read::Window(_)), Some(reader)) = (&given.1, given.0) {
            scores.copy_from_slice(&reader.scores);
            windows += 1;
        }
        *read = given.1;
    }
    Ok(windows)
}

impl<'a> One<'a> {
    fn new(session: &'a Session) -> Self {
        match session.next_reading() {
            Ok(reader) => Self { session, reader: Some(reader), place: Place::Waiting },
            Err(error) => Self { session, reader: None, place: Place::Done(Err(error)) },
        }
    }

    /// Takes what has come out of the ring.
    fn advance(&mut self) {
        let (Place::Waiting, Some(reader)) = (&self.place, &mut self.reader) else { return };
        let Session { model, cancel, .. } = self.session;
        if let Some(error) = reader.pending_error.take() {
            self.place = Place::Done(Err(error));
            return;
        }
        self.place = loop {
            if cancel.is_requested() {
                break Place::Done(Ok(Read::Cancelled));
            }
            if reader.in_a_row > 0 && reader.in_a_row == reader.limit {
                break Place::Done(Ok(Read::Again));
            }
            match reader.advance() {
                Ok(Ahead::Window(due)) => break Place::Due(due),
                Ok(Ahead::Lost(due)) => match reader.score(model.scorer(), due, cancel) {
                    Ok(_) => reader.in_a_row = reader.in_a_row.saturating_add(1),
                    Err(_) if cancel.is_requested() => {}
                    Err(error) => break Place::Done(Err(error)),
                },
                Ok(Ahead::Nothing) => break Place::Waiting,
                Ok(Ahead::End) => break Place::Done(Ok(Read::End)),
                Err(error) => break Place::Done(Err(error)),
            }
        };
    }

    /// How long nothing can be due yet; `None`: it is settled.
    fn missing(&self) -> Option<Duration> {
        match (&self.place, &self.reader) {
            (Place::Waiting, Some(reader)) => Some(reader.pipeline.missing_time().min(reader.nap)),
            _ => None,
        }
    }

    fn take_due(&mut self) -> Option<(Due, &mut Reader)> {
        match std::mem::replace(&mut self.place, Place::Waiting) {
            Place::Due(due) => Some((due, self.reader.as_mut()?)),
            other => {
                self.place = other;
                None
            }
        }
    }

    fn finish(mut self) -> (Option<MutexGuard<'a, Reader>>, Result<Read>) {
        let read = match self.place {
            Place::Done(read) => read,
            Place::Waiting | Place::Due(_) => Ok(Read::Again),
        };
        if let Some(reader) = &mut self.reader {
            reader.in_a_row =
                if let Ok(Read::Window(_)) = read { reader.in_a_row.saturating_add(1) } else { 0 };
        }
        (self.reader, read)
    }
}

/// Until each has something, or the time is over.
fn gather(all: &mut [One<'_>], end: Instant) {
    loop {
        all.iter_mut().for_each(One::advance);
        let Some(missing) = all.iter().filter_map(One::missing).min() else { return };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(missing.max(*NAP.start()).min(left));
    }
}

/// Runs what is due, as many windows at a time as pay.
fn score(all: &mut [One<'_>], scorer: &Scorer) -> Result<()> {
    let mut due = reserved(all.len(), "the windows that are due")?;
    for (index, one) in all.iter_mut().enumerate() {
        match (&one.place, &one.reader, scorer.sizes()) {
            (Place::Due(window), Some(reader), Some(_)) if reader.pipeline.is_full(window) => due.push(index),
            (Place::Due(_), ..) => alone(one, scorer),
            _ => {}
        }
    }
    let mut shown = reserved(all.len(), "the windows of a run")?;
    let mut rest = &due[..];
    while let (false, Some(sizes)) = (rest.is_empty(), scorer.sizes()) {
        let (count, room) = sizes.next(rest.len());
        let (now, later) = rest.split_at(count);
        match now {
            [index] if room == 1 => alone(&mut all[*index], scorer),
            _ => together(all, now, room, scorer, &mut shown),
        }
        rest = later;
    }
    Ok(())
}

fn alone(one: &mut One<'_>, scorer: &Scorer) {
    let cancel = &one.session.cancel;
    let Some((due, reader)) = one.take_due() else { return };
    let read = match reader.score(scorer, due, cancel) {
        Ok(Some(window)) => Ok(Read::Window(window)),
        Ok(None) => Ok(Read::Again),
        Err(_) if cancel.is_requested() => Ok(Read::Cancelled),
        Err(error) => Err(error),
    };
    one.place = Place::Done(read);
}

/// The windows of the sessions `now` in one run, which has `room` for them.
fn together(
    all: &mut [One<'_>],
    now: &[usize],
    room: usize,
    scorer: &Scorer,
    shown: &mut Vec<Option<Shown>>,
) {
    shown.clear();
    let mut tensors = None;
    for (slot, &index) in now.iter().enumerate() {
        let one = &mut all[index];
        let Some((due, reader)) = one.take_due() else { continue };
        let put = reader.pipeline.show(due, |rows, bins, _, _, _| {
            if tensors.is_none() {
                tensors = Some(scorer.tensors_for(room, rows.len() / bins, bins)?);
            }
            tensors.iter_mut().for_each(|tensors| scorer.place(tensors, slot, rows, bins));
            Ok(())
        });
        let put = put.and_then(|(shown, put)| put.map(|()| shown));
        shown.push(put.map_err(|error| one.place = Place::Done(Err(error))).ok());
    }
    let Some(mut tensors) = tensors else { return };
    let started = Instant::now();
    let run = scorer.run_shared(&mut tensors);
    let inference = started.elapsed();
    for (slot, (&index, shown)) in now.iter().zip(shown.drain(..)).enumerate() {
        let one = &mut all[index];
        let (Some(shown), Some(reader)) = (shown, &mut one.reader) else { continue };
        let scored =
            run.clone().and_then(|()| reader.score_shared(scorer, &tensors, slot, (shown, inference)));
        one.place = Place::Done(scored.map(Read::Window));
    }
    scorer.put_back(tensors);
}
