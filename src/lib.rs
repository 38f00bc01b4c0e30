//! Sound classification for native software: push PCM, read scores.

pub mod error;
pub mod features;
pub mod health;
pub mod inference;
pub mod log;
pub mod model;
pub mod pcm;
pub mod resample;
pub mod session;

pub use error::{Error, Result, Status};
pub use health::Health;
pub use inference::runtime::open as open_runtime;
pub use model::{Clip, Manifest, Model, ModelOptions};
pub use session::{Pushed, Read, Session, SessionOptions, Window};

/// Version of the library, `MAJOR.MINOR.PATCH`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
