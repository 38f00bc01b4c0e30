//! Network, manifest and labels: immutable, shared by any number of sessions and threads.

mod fit;
pub mod golden;
pub mod manifest;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result, Status};
use crate::features::{Features, FrontEnd};
use crate::file;
use crate::inference::network::{Cancel, Network};
use crate::inference::{onnx_file, runtime};
use crate::log::{self, Level};
use crate::resample::Quality;
use crate::session::pipeline::Pipeline;
use crate::window::Layout;
use fit::Fit;
pub use manifest::Manifest;

/// The most threads that can be asked for.
const MAX_THREADS: u32 = 256;
/// Pipelines kept for the next clip; planning one takes longer than classifying a second of audio.
const MAX_PIPELINES: usize = 4;

/// How a model is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelOptions {
    /// Threads that ONNX Runtime may use inside one inference, the calling one included; valid 1..=256, 0 means 1.
    pub threads: u32,
    /// Whether the manifest's golden cases are run; a model that does not reproduce them, or has none, is refused.
    pub self_check: bool,
}

/// A loaded model. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Model(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    manifest: Manifest,
    /// The manifest as it was given.
    source: String,
    options: ModelOptions,
    layout: Layout,
    front_end: Arc<FrontEnd>,
    fit: Fit,
    onnx: Box<[u8]>,
    file: Option<PathBuf>,
    /// Networks that nobody uses now. A thread that finds none loads another from `onnx`: as many come to be as
    /// threads run inferences of this model at the same time, and none waits for another.
    idle: Mutex<Vec<Network>>,
    /// Pipelines of clips that were classified.
    pipelines: Mutex<Vec<Pipeline>>,
}

impl Model {
    /// Loads an ONNX file. Its manifest is the one embedded in it; without one, the file beside it whose name ends in
    /// `.auricle.json` instead of `.onnx`.
    pub fn load(path: impl AsRef<Path>, options: &ModelOptions) -> Result<Self> {
        let path = path.as_ref();
        let onnx = file::read(path, "an ONNX file", onnx_file::MAX_BYTES)?;
        let beside = path.with_extension("auricle.json");
        let find = || match beside.exists() {
            true => String::from_utf8(file::read(&beside, "a manifest", manifest::MAX_BYTES)?)
                .map(|json| Some((json, beside.display().to_string())))
                .map_err(|_| Error::new(Status::Manifest, format!("{}: is not UTF-8", beside.display()))),
            false => Ok(None),
        };
        Self::build(onnx.into(), None, find, Some(path.to_path_buf()), options).map_err(|error| {
            match error.status() {
                Status::Model | Status::Mismatch | Status::Manifest => {
                    Error::new(error.status(), format!("{}: {}", path.display(), error.message()))
                }
                _ => error,
            }
        })
    }

    /// Loads an ONNX file's bytes, with a manifest (JSON) or with the one embedded in them. The bytes are copied.
    pub fn load_memory(onnx: &[u8], manifest: Option<&str>, options: &ModelOptions) -> Result<Self> {
        let given = |json: &str| Ok((manifest::within_limit(json)?.to_owned(), "given manifest".to_owned()));
        let given = manifest.map(given).transpose()?;
        Self::build(onnx.into(), given, || Ok(None), None, options)
    }

    fn build(
        onnx: Box<[u8]>,
        given: Option<(String, String)>,
        beside: impl FnOnce() -> Result<Option<(String, String)>>,
        file: Option<PathBuf>,
        options: &ModelOptions,
    ) -> Result<Self> {
        if options.threads > MAX_THREADS {
            return Err(Error::argument(format!(
                "threads is {}; valid 1..={MAX_THREADS}, 0 means 1",
                options.threads
            )));
        }
        let network = Network::load(&onnx, options.threads.max(1) as usize)?;
        let embedded =
            || network.metadata(manifest::METADATA_KEY).map(|json| (json, "embedded manifest".to_owned()));
        let found = match given.or_else(embedded) {
            Some(found) => Some(found),
            None => beside()?,
        };
        let (source, place) = found.ok_or_else(|| {
            Error::new(
                Status::Manifest,
                format!(
                    "the model has no manifest: not in its metadata ({:?}), not beside it (.auricle.json), none given",
                    manifest::METADATA_KEY
                ),
            )
        })?;
        let manifest = Manifest::parse(&source).map_err(|error| error.of_manifest(&place))?;
        let input = &manifest.input;
        let layout = manifest.layout()?;
        let features = Features::new(&input.features, input.sample_rate, "input.features")?;
        let rows = features.rows(manifest.window_samples());
        let fit = Fit::check(&manifest, &layout, rows, features.bins(), &network)?;
        let model = Self(Arc::new(Shared {
            manifest,
            source,
            options: options.clone(),
            layout,
            front_end: Arc::new(FrontEnd::new(features)),
            fit,
            onnx,
            file,
            idle: Mutex::new(vec![network]),
            pipelines: Mutex::default(),
        }));
        // One silent window shows now what the file does not declare, such as sizes that do not fit inside.
        let bins = model.0.front_end.plan().bins();
        let silence = vec![0.0; rows * bins];
        let mut scores = vec![0.0; model.labels().len()];
        model.infer(&silence, bins, &mut scores, None).map_err(|error| {
            Error::new(
                Status::Mismatch,
                format!("a trial run on a silent window failed: {}", error.message()),
            )
        })?;
        if options.self_check {
            model.self_check()?;
        }
        log::emit(Level::Info, || {
            let name = &model.0.manifest.name;
            format!("loaded model {name:?}: {} classes, {} Hz", model.labels().len(), model.sample_rate())
        });
        Ok(model)
    }

    /// Labels of the classes, in the order of the scores.
    pub fn labels(&self) -> &[String] {
        &self.0.manifest.labels
    }

    /// Rate of the model, Hz. Sessions and `classify` take any rate and convert.
    pub fn sample_rate(&self) -> u32 {
        self.0.manifest.input.sample_rate
    }

    /// The manifest, with every default filled in.
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// The record for traceability, JSON: versions, files, SHA-256 sums, options, manifest.
    pub fn describe(&self) -> String {
        let shared = &*self.0;
        let port = |port: &crate::inference::network::Port| json!({ "tensor": port.name, "element": port.element, "shape": port.sizes });
        let name = |file: &Path| file.to_string_lossy().into_owned(); // JSON is UTF-8, paths need not be
        let record = json!({
            "auricle": { "version": crate::VERSION },
            "onnxruntime": {
                "version": runtime::version(), "file": runtime::file().as_deref().map(name), "build": runtime::build_info(),
            },
            "model": {
                "file": shared.file.as_deref().map(name),
                "bytes": shared.onnx.len(),
                "sha256": sha256(&shared.onnx),
                "input": port(&shared.fit.input),
                "output": port(&shared.fit.output),
            },
            "manifest": { "sha256": sha256(shared.source.as_bytes()), "value": shared.manifest },
            "options": { "threads": shared.options.threads.max(1), "self_check": shared.options.self_check },
            "providers": ["CPUExecutionProvider"],
        });
        serde_json::to_string_pretty(&record).expect("all keys are strings")
    }

    pub(crate) fn front_end(&self) -> Arc<FrontEnd> {
        self.0.front_end.clone()
    }

    pub(crate) fn take_pipeline(&self, sample_rate: u32, channels: u32) -> Result<Pipeline> {
        let mut kept = self.0.pipelines.lock();
        match kept.iter().position(|pipeline| pipeline.suits(sample_rate, channels)) {
            Some(index) => Ok(kept.swap_remove(index)),
            None => Pipeline::new(self, sample_rate, channels, None, Quality::Bulk),
        }
    }

    pub(crate) fn keep_pipeline(&self, pipeline: Pipeline) {
        let mut kept = self.0.pipelines.lock();
        if kept.len() == MAX_PIPELINES {
            kept.remove(0);
        }
        kept.push(pipeline);
    }

    /// Scores of one window of rows (`[row, bin]`, normalised already).
    pub(crate) fn infer(
        &self,
        rows: &[f32],
        bins: usize,
        scores: &mut [f32],
        cancel: Option<&Cancel>,
    ) -> Result<()> {
        let shared = &*self.0;
        let idle = shared.idle.lock().pop();
        let mut network = match idle {
            Some(network) => network,
            None => Network::load(&shared.onnx, shared.options.threads.max(1) as usize)?,
        };
        let shape = shared.layout.shape(rows.len() / bins, bins);
        let fill = |input: &mut [f32]| shared.layout.arrange(rows, bins, input);
        let fit = &shared.fit;
        let run = network.run(&shape, fill, &fit.output.name, &fit.output_shape, scores, cancel);
        shared.idle.lock().push(network);
        run?;
        let output = &shared.manifest.output;
        output.activation.apply(scores, output.temperature);
        match scores.iter().position(|score| !score.is_finite()) {
            None => Ok(()),
            Some(class) => Err(Error::new(
                Status::Inference,
                format!(
                    "the network's score for {:?} is {}, not a finite number",
                    self.labels()[class],
                    scores[class]
                ),
            )),
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
