//! The loop between the microphone and whoever reads: a terminal, a file, another program.

use std::io::{IsTerminal, stderr, stdout};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use auricle::{Error, Event, Read, Session, SessionOptions, Status};

use super::Args;
use super::microphone::{Line, Microphone};
use super::view::{State, View};
use crate::events;
use crate::model::{self, Engine};
use crate::out::{Stdout, Stop, complain, shown_text};

/// How long to wait for audio before looking at keys and signals again.
const TICK: Duration = Duration::from_millis(50);

pub fn run(args: &Args, engine: Engine<'_>, out: &mut Stdout) -> Result<(), Stop> {
    if args.list_devices {
        return Microphone::names()?.iter().try_for_each(|name| out.line(shown_text(name)));
    }
    let model = model::load(args.model.as_deref(), engine)?;
    let stream = events::stream(&model, args.stream.as_deref())?;
    let microphone = Microphone::find(args.device.as_deref())?;
    let name = shown_text(&microphone.to_string());
    let failed = |e: Error| Stop::because(&name, e);

    let mut options = SessionOptions::new(microphone.sample_rate(), microphone.channels());
    options.channel = args.channel;
    options.hop_seconds = args.hop;
    options.stream = Some(stream);
    let session = Session::new(&model, &options).map_err(failed)?;
    let mut state = State::new(&name, microphone.sample_rate(), model.labels());
    let line = Arc::new(Line::new(session));
    let on_signal = line.clone();
    ctrlc::set_handler(move || on_signal.stop.store(true, Relaxed))
        .map_err(|e| Stop::because("Ctrl-C", e))?;

    let mut recording = Some(microphone.record(&line)?);
    let mut show = match args.json {
        true => Show::Json(out),
        false if stdout().is_terminal() => {
            Show::Live(View::open().map_err(|e| Stop::because("terminal", e))?)
        }
        false => Show::Lines(out),
    };
    if !matches!(show, Show::Live(_)) && stderr().is_terminal() {
        eprintln!("auricle: listening to {name}; Ctrl-C ends");
    }
    let mut scores = vec![0.0; line.session.class_count()];
    loop {
        if line.stop.load(Relaxed) && recording.take().is_some() {
            // The audio thread is gone; what it pushed is read to its end, so that every event becomes final.
            line.session.finish().map_err(failed)?;
        }
        let read = match line.session.read(&mut scores) {
            // Stopped before the model could see anything.
            Err(e) if e.status() == Status::ClipTooShort => Read::End,
            read => read.map_err(failed)?,
        };
        while let Some(event) = line.session.read_event().map_err(failed)? {
            show.event(&mut state, &event)?;
        }
        match read {
            Read::Window(window) => state.heard(window, &scores),
            Read::Again => {
                line.session.wait(TICK).map_err(failed)?;
            }
            _ => break, // the end
        }
        state.lost = line.lost.load(Relaxed);
        if show.refresh(&state).map_err(|e| Stop::because("terminal", e))? {
            line.stop.store(true, Relaxed);
        }
    }
    drop(show); // the terminal is itself again
    if state.lost > 0 {
        let seconds = state.lost as f64 / f64::from(microphone.sample_rate());
        complain(format_args!("{} frames ({seconds:.2} s) were lost: this machine is too busy", state.lost));
    }
    match line.failure.get() {
        Some(reason) => Err(Stop::because(&name, reason)),
        None => Ok(()),
    }
}

/// How the reader of the output is served.
enum Show<'a> {
    Json(&'a mut Stdout),
    Lines(&'a mut Stdout),
    Live(View),
}

impl Show<'_> {
    fn event(&mut self, state: &mut State, event: &Event) -> Result<(), Stop> {
        let (out, text) = match self {
            Show::Live(_) => {
                state.note(event);
                return Ok(());
            }
            Show::Lines(_) if !event.is_final => return Ok(()),
            Show::Lines(out) => (out, events::readable(event, state.labels(), state.sample_rate())),
            Show::Json(out) => {
                let record = events::Record::of(event, state.labels(), state.sample_rate(), None);
                (out, record.to_json())
            }
        };
        out.line(text)?;
        out.flush()
    }

    /// Draws what is new. True: a key asked for the end.
    fn refresh(&mut self, state: &State) -> std::io::Result<bool> {
        match self {
            Show::Live(view) => view.refresh(state),
            Show::Json(_) | Show::Lines(_) => Ok(false),
        }
    }
}
