//! Sound classification for native software: push PCM, read scores.
//!
//! ```text
//!  host's PCM ──push──▶ ring ──▶ mono ──▶ resample ──▶ rows ──▶ windows ──▶ inference ──▶ scores ──▶ events ──read──▶ host
//!                (audio thread) │                           (reader's thread)
//! ```
//! [`Session::push`] only copies into a wait-free ring; everything else happens on the thread that calls
//! [`Session::read`]. The library has no threads of its own.
//!
//! ```no_run
//! use auricle::{Model, ModelOptions, Read, Session, SessionOptions};
//!
//! # fn main() -> auricle::Result<()> {
//! let model = Model::load("models/esc10.onnx", &ModelOptions::default())?;
//! let session = Session::new(&model, &SessionOptions::new(48_000, 1))?;
//! let mut scores = vec![0.0; session.class_count()];
//! session.push_f32(&[0.0; 48_000])?; // from the audio thread
//! while let Read::Window(window) = session.read(&mut scores)? {
//!     println!("{}..{}: {scores:?}", window.first_frame, window.end_frame);
//! }
//! # Ok(())
//! # }
//! ```

// The stages of the flow; none imports another.
mod events;
mod features;
mod health;
mod inference;
mod normalize;
mod padding;
mod pcm;
mod resample;
mod ring;
mod samples;
mod scores;
mod smoothing;
mod stack;
mod tensor;

// What conducts them, each on what is above it.
mod clip;
mod ffi;
pub mod manifest;
mod model;
mod pipeline;
mod session;

mod error;
mod file;
mod float_env;
mod json;
pub mod log;
mod memory;
mod platform;
mod pool;
mod text;

pub use clip::Clip;
pub use error::{Error, Result, Status};
pub use events::Event;
pub use health::Health;
pub use inference::runtime::{open as open_runtime, open_with as open_runtime_with};
pub use inference::{Cancel, Need, Progress, Provider, RuntimeOptions, Stage, ThreadStart};
pub use manifest::Manifest;
pub use model::{ClipOptions, ClipStream, Mean, Model, ModelOptions, ModelOutput};
pub use pcm::Format;
pub use pipeline::Window;
pub use ring::{Overflow, Pushed};
pub use session::{Read, Session, SessionOptions, Wait, read_many};

/// What the library is made of, for the trainer, the command line and tests. Nothing in here is promised: any version may
/// change it.
#[allow(missing_docs, reason = "each has the text of its module")]
pub mod stages {
    pub mod events {
        pub use crate::events::*;
        pub use crate::pipeline::Decisions;
    }
    pub mod features {
        pub use crate::features::*;
    }
    pub mod health {
        pub use crate::health::*;
    }
    pub mod inference {
        pub use crate::inference::*;
    }
    pub mod normalize {
        pub use crate::normalize::*;
    }
    pub mod padding {
        pub use crate::padding::*;
    }
    pub mod pcm {
        pub use crate::pcm::*;
    }
    pub mod resample {
        pub use crate::resample::*;
    }
    pub mod ring {
        pub use crate::ring::*;
    }
    pub mod rows {
        pub use crate::pipeline::Rows;
    }
    pub mod samples {
        pub use crate::samples::*;
    }
    pub mod scores {
        pub use crate::scores::*;
    }
    pub mod smoothing {
        pub use crate::smoothing::*;
    }
    pub mod stack {
        pub use crate::stack::*;
    }
    pub mod tensor {
        pub use crate::tensor::*;
    }
    pub mod text {
        pub use crate::text::*;
    }
}

/// Version of the library, `MAJOR.MINOR.PATCH`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
