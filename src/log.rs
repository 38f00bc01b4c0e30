//! Log messages; silent unless a sink is set. Nothing is printed; nothing is logged on the push path.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::text;

/// How important a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Level {
    /// Something did not work.
    Error = 1,
    /// It works, but not as it should.
    Warning = 2,
    /// What was opened and loaded.
    Info = 3,
    /// Details.
    Debug = 4,
}

/// Takes messages, on any thread.
pub type Sink = Arc<dyn Fn(Level, &str) + Send + Sync>;

static SINK: RwLock<Option<(Sink, Level)>> = RwLock::new(None);

/// Sends messages up to `level` to `sink` from now on, instead of where they went before. `None`: nowhere.
pub fn set(sink: Option<(Sink, Level)>) {
    *SINK.write() = sink;
}

/// Without line ends and no longer than an error's message, whoever wrote it.
pub(crate) fn emit(level: Level, message: impl FnOnce() -> String) {
    let sink = match &*SINK.read() {
        Some((sink, max)) if level <= *max => sink.clone(),
        _ => return,
    };
    sink(level, &text::message(message())); // outside the lock: the sink may call `set`
}
