//! Threads that ONNX Runtime starts, and who is told of each.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use ort::environment::ThreadManager;

use crate::log::{self, Level};

/// Stack of a thread, bytes: as much as ONNX Runtime's own have on Linux, of which only what is used takes memory.
const STACK: usize = 8 << 20;

/// Is called on each thread that ONNX Runtime starts, before the thread works: to give it a priority, cores or a name.
#[derive(Clone)]
pub struct ThreadStart {
    start: Arc<dyn Fn() + Send + Sync>,
    /// Two with the same mark are the same.
    mark: (usize, usize),
}

impl ThreadStart {
    /// `start` is called on the new thread, by several at once.
    pub fn new(start: impl Fn() + Send + Sync + 'static) -> Self {
        let start = Arc::new(start);
        let mark = (Arc::as_ptr(&start).addr(), 0);
        Self { start, mark }
    }

    /// A function of C and its user data, which tell whether it is the same.
    pub(crate) fn of_c(start: impl Fn() + Send + Sync + 'static, mark: (usize, usize)) -> Self {
        Self { start: Arc::new(start), mark }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.mark == other.mark
    }
}

impl fmt::Debug for ThreadStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadStart").finish_non_exhaustive()
    }
}

/// Starts threads for ONNX Runtime.
pub(super) struct Starter(pub ThreadStart);

impl ThreadManager for Starter {
    type Thread = JoinHandle<()>;

    fn create(&self, work: impl FnOnce() + Send + 'static) -> ort::Result<JoinHandle<()>> {
        let start = self.0.start.clone();
        let run = move || {
            // Without its thread the pool would wait for it for ever.
            if catch_unwind(AssertUnwindSafe(|| start())).is_err() {
                log::emit(Level::Error, || "thread_start panicked; its thread works nevertheless".into());
            }
            work();
        };
        Builder::new()
            .stack_size(STACK)
            .spawn(run)
            .map_err(|error| ort::Error::new(format!("a thread could not be started: {error}")))
    }

    fn join(thread: JoinHandle<()>) -> ort::Result<()> {
        let _ = thread.join(); // what ONNX Runtime's work throws it catches itself
        Ok(())
    }
}
