//! Standard output, standard error, and why a command stops. Whatever a file, a model or a name says is written so
//! that a terminal shows it and obeys nothing of it.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use auricle::stages::text::{escaped, is_hidden};
use serde::Serialize;

use crate::closed;

/// Why a command stopped early.
pub enum Stop {
    /// Nobody reads standard output any more (`| head`). Not an error.
    Closed,
    /// Something failed and has been reported already, such as one file of many.
    Reported,
    /// The command was called in a wrong way; this says how to call it.
    Usage(String),
    /// Something failed; these lines say what.
    Because(Vec<String>),
}

impl Stop {
    /// This is the reason.
    pub fn new(reason: impl Display) -> Self {
        Stop::Because(vec![reason.to_string()])
    }

    /// `what` (a file, most often) is the reason, and why.
    pub fn because(what: impl Display, reason: impl Display) -> Self {
        Stop::new(format_args!("{what}: {reason}"))
    }

    /// One more line, such as what to do.
    pub fn and(self, line: impl Display) -> Self {
        match self {
            Stop::Because(mut lines) => {
                lines.push(line.to_string());
                Stop::Because(lines)
            }
            other => other,
        }
    }
}

/// Standard output. A reader that has gone away is [`Stop::Closed`]. It is not locked in between: a panic on another
/// thread must be able to give the terminal back.
pub struct Stdout(BufWriter<io::Stdout>);

impl Stdout {
    /// A program that is started without one (`>&-`) would lose every result without a word: that is an error.
    pub fn open() -> Result<Self, Stop> {
        match closed::standard_output() {
            true => Err(Stop::because("standard output", "is closed")),
            false => Ok(Self(BufWriter::new(io::stdout()))),
        }
    }

    /// Writes one line, or a text of several.
    pub fn line(&mut self, text: impl Display) -> Result<(), Stop> {
        writeln!(self.0, "{text}").map_err(stop)
    }

    /// Writes a part of a line.
    pub fn part(&mut self, text: &str) -> Result<(), Stop> {
        self.0.write_all(text.as_bytes()).map_err(stop)
    }

    /// Hands what was written to the reader: after each file, so that it stays in step with standard error.
    pub fn flush(&mut self) -> Result<(), Stop> {
        self.0.flush().map_err(stop)
    }
}

fn stop(e: io::Error) -> Stop {
    match e.kind() {
        io::ErrorKind::BrokenPipe => Stop::Closed,
        _ => Stop::because("standard output", e),
    }
}

/// Says on standard error, on one line, what is wrong. If that is closed too, nobody wants to know.
pub fn complain(reason: impl Display) {
    let _ = writeln!(io::stderr(), "auricle: {}", escaped(&reason.to_string()));
}

/// Says on standard error, in clap's lines, how to call the command. They quote arguments, and so names of files that a
/// shell put in.
pub fn explain(usage: &str) {
    for line in usage.lines() {
        let _ = writeln!(io::stderr(), "{}", escaped(line));
    }
}

/// A name as it can be shown: bytes that are not UTF-8 become U+FFFD, what a terminal would obey its escape.
pub fn shown(path: &Path) -> String {
    shown_text(&path.to_string_lossy())
}

/// The same for a label or any other text.
pub fn shown_text(text: &str) -> String {
    escaped(text).into_owned()
}

/// A value as JSON, on one line.
pub fn json(value: &impl Serialize) -> String {
    visible(serde_json::to_string(value).expect("the keys are strings, and writing to memory cannot fail"))
}

/// JSON need escape no character from U+007F on, but a terminal obeys some of them. Line ends are those of the layout:
/// strings have none.
pub fn visible(json: String) -> String {
    let hidden = |c: char| is_hidden(c) && c != '\n';
    if !json.contains(hidden) {
        return json;
    }
    let mut text = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match hidden(c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text += &format!("\\u{unit:04x}")),
            false => text.push(c),
        }
    }
    text
}
