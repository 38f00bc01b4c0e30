//! Standard output, standard error, and why a command stops.

use std::fmt::{self, Display};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

/// Why a command stopped early.
pub enum Stop {
    /// Nobody reads standard output any more (`| head`). Not an error.
    Closed,
    /// Something failed and has been said already, such as one file of many.
    Told,
    /// Something failed; this is what to say.
    Because(String),
}

impl Stop {
    /// `what` (a file, most often) is the reason, and why.
    pub fn because(what: impl Display, reason: impl Display) -> Self {
        Stop::Because(format!("{what}: {reason}"))
    }
}

/// Standard output. A reader that has gone away is [`Stop::Closed`]. It is not locked in between: a panic on another
/// thread must be able to give the terminal back.
pub struct Out(BufWriter<Stdout>);

impl Out {
    pub fn stdout() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    /// Writes one line, or a text of several.
    pub fn line(&mut self, text: impl Display) -> Result<(), Stop> {
        writeln!(self.0, "{text}").map_err(stop)
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

/// Says on standard error what is wrong. If that is closed too, nobody wants to know.
pub fn complain(reason: impl Display) {
    let _ = writeln!(io::stderr(), "auricle: {reason}");
}

/// A name as it can be shown: bytes that are not UTF-8 become U+FFFD, control characters (a new line, an escape
/// sequence for the terminal) their escapes.
pub struct Shown<'a>(&'a str);

/// See [`Shown`].
pub fn shown(path: &Path) -> String {
    Shown(&path.to_string_lossy()).to_string()
}

/// See [`Shown`].
pub fn shown_text(text: &str) -> String {
    Shown(text).to_string()
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c.is_control() {
                true => write!(f, "{}", c.escape_default())?,
                false => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}
