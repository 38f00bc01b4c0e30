//! Network and manifest: immutable, shared by any number of sessions and threads.

mod classify;
mod describe;
mod load;
pub(crate) mod outputs;
mod ports;
mod self_check;

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Result;
use crate::float_env::FloatEnv;
use crate::inference::{Cancel, Progress, Provider};
use crate::manifest::Manifest;
use crate::pipeline::{FeaturesPool, Pipeline, Scorer, Source};
use crate::pool::Pool;
pub use classify::{ClipOptions, ClipStream, Mean};
pub use outputs::ModelOutput;

/// How a model is loaded.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ModelOptions {
    /// Threads that ONNX Runtime may use inside one inference, the calling one included; valid 1..=256, 0 means 1.
    pub threads: u32,
    /// Whether the network runs on the pool of threads that [`RuntimeOptions::shared_threads`](crate::RuntimeOptions) has
    /// made, beside other models; `threads` is 0 then.
    pub shared_pool: bool,
    /// Whether the manifest's golden cases are run; a model that does not reproduce them, or has none, is refused.
    pub self_check: bool,
    /// Stops loading and the self-check from another thread.
    pub cancel: Option<Cancel>,
    /// Providers of ONNX Runtime that are to run the network, the first before the others; none: the CPU. Nothing runs on
    /// the CPU in place of one that is required, unless `cpu` is named too.
    pub providers: Vec<Provider>,
    /// Is told how far the load has come.
    pub progress: Option<Progress>,
    /// Windows that [`read_many`](crate::read_many) may put into one run; valid 1..=1024, 0 means 1. Loading then tries the
    /// powers of two up to it, and those stay that cost less time a window than smaller ones. More than 1 needs a network
    /// whose first axis is the batch, of any size.
    pub max_batch: u32,
}

/// What is kept of the options, for the record.
#[derive(Debug)]
struct Kept {
    threads: u32,
    shared_pool: bool,
    self_check: bool,
}

/// A loaded model. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Model(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    manifest: Arc<Manifest>,
    file: File,
    options: Kept,
    features: Arc<FeaturesPool>,
    scorer: Scorer,
    /// Pipelines of clips that were classified; planning one takes longer than classifying a second of audio.
    pipelines: Pool<Pipeline>,
}

/// Where a model came from, for its record.
#[derive(Debug)]
struct File {
    path: Option<PathBuf>,
    bytes: usize,
    sha256: String,
    manifest_sha256: String,
}

impl Model {
    /// Labels of the classes, in the order of the scores; none if the first output has no scores.
    pub fn labels(&self) -> &[String] {
        self.0.manifest.labels()
    }

    /// Rate of the model, Hz. Sessions and `classify` take any rate and convert.
    pub fn sample_rate(&self) -> u32 {
        self.0.manifest.input.sample_rate
    }

    /// The manifest, with every default filled in.
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// Plans a pipeline.
    pub(crate) fn pipeline(&self, source: Source) -> Result<Pipeline> {
        let _float_env = FloatEnv::enter();
        Pipeline::new(&self.0.manifest, self.0.features.clone(), &self.0.scorer, source)
    }

    /// Runs the network alone, on `windows` silent windows. For benches; not part of the API.
    #[doc(hidden)]
    pub fn run_silence(&self, windows: usize) -> Result<()> {
        let _float_env = FloatEnv::enter();
        self.0.scorer.run_silence(windows, self.0.features.plan().bins())
    }

    /// Whether both are the same model.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn scorer(&self) -> &Scorer {
        &self.0.scorer
    }
}
