//! How far a load has come, for who waits for it.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::{Error, Result, Status};

/// A part of loading a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The files are read and looked through.
    Read,
    /// ONNX Runtime and its providers make the network ready. They do not say how far they are: minutes, where engines are
    /// built.
    Prepare,
    /// The network runs on silence, once for each number of windows that a run may have.
    Warm,
    /// Golden cases are run.
    SelfCheck,
}

impl Stage {
    /// As the C API names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Prepare => "prepare",
            Self::Warm => "warm",
            Self::SelfCheck => "self_check",
        }
    }
}

/// What is told a stage and how much of it is done, 0 to 1; the answer `Break` stops the load.
type Told = dyn Fn(Stage, f32) -> ControlFlow<()> + Send + Sync;

/// Is told how far a load has come, on the thread that loads.
#[derive(Clone)]
pub struct Progress(Arc<Told>);

impl Progress {
    /// `told` gets the stage and how much of it is done, 0 to 1, and stops the load by `Break`.
    pub fn new(told: impl Fn(Stage, f32) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    /// An error if the load is to stop.
    pub(crate) fn tell(&self, stage: Stage, done: f32) -> Result<()> {
        match (self.0)(stage, done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(
                Status::Cancelled,
                format!("the load was stopped in its stage {:?}", stage.name()),
            )),
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}
