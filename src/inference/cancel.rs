//! Stopping loads and runs from another thread.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ort::session::RunOptions;
use ort::session::builder::LoadCanceler;
use parking_lot::Mutex;

use crate::error::{Error, Result, Status};

/// Stops work that is going on elsewhere: loading, self-checks, clips, sessions. Cloning gives another handle to the
/// same switch.
#[derive(Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Default)]
struct State {
    requested: AtomicBool,
    /// By the number that each was given.
    running: Mutex<Vec<(u64, Running)>>,
}

/// What is running in ONNX Runtime now.
enum Running {
    Load(LoadCanceler),
    Run(Arc<RunOptions>),
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("requested", &self.is_requested()).finish_non_exhaustive()
    }
}

impl Cancel {
    /// A switch that is off.
    pub fn new() -> Self {
        Self::default()
    }

    /// What runs ends as soon as its running kernel does, and nothing later starts, until [`clear`](Self::clear). For
    /// any thread but the audio thread: it locks.
    pub fn request(&self) {
        let running = self.0.running.lock();
        self.0.requested.store(true, Ordering::Release);
        for (_, running) in &*running {
            // These fail for null pointers only.
            let _ = match running {
                Running::Load(load) => load.cancel(),
                Running::Run(options) => options.terminate(),
            };
        }
    }

    /// Whether [`request`](Self::request) was called.
    pub fn is_requested(&self) -> bool {
        self.0.requested.load(Ordering::Acquire)
    }

    /// Work may start again.
    pub fn clear(&self) {
        self.0.requested.store(false, Ordering::Release);
    }

    /// An error if work is to end.
    pub(crate) fn check(&self) -> Result<()> {
        match self.is_requested() {
            true => Err(Error::new(Status::Cancelled, "the call was cancelled")),
            false => Ok(()),
        }
    }

    /// From now on until the result is dropped, a load can be stopped.
    pub(super) fn watch_load(&self, load: LoadCanceler) -> Result<Watch<'_>> {
        self.watch(Running::Load(load))
    }

    /// From now on until the result is dropped, runs with `options` can be stopped.
    pub(super) fn watch_run(&self, options: &Arc<RunOptions>) -> Result<Watch<'_>> {
        self.watch(Running::Run(options.clone()))
    }

    fn watch(&self, what: Running) -> Result<Watch<'_>> {
        let mut running = self.0.running.lock();
        self.check()?;
        let number = running.last().map_or(0, |(last, _)| last + 1);
        running.push((number, what));
        Ok(Watch { cancel: self, number })
    }
}

/// Something that can be stopped, as long as this lives.
pub(super) struct Watch<'a> {
    cancel: &'a Cancel,
    number: u64,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut running = self.cancel.0.running.lock();
        let index = running.iter().position(|(number, _)| *number == self.number);
        // In order, so that the last one always has the highest number.
        if let Some((_, Running::Run(options))) = index.map(|index| running.remove(index)) {
            // The options may be another session's next. It fails for a null pointer only.
            let _ = options.unterminate();
        }
    }
}
