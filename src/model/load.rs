//! Loading: find the manifest, bind it to the network, prove that the two run together.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{File, Kept, Model, ModelOptions, Shared, ports};
use crate::error::{Error, Result, Status};
use crate::features::Features;
use crate::file;
use crate::float_env::FloatEnv;
use crate::inference::network::{Loading, Network};
use crate::inference::runtime::{self, MAX_THREADS};
use crate::inference::{Cancel, Stage, batch, onnx_file};
use crate::log::{self, Level};
use crate::manifest::{self, METADATA_KEY, Manifest};
use crate::pipeline::{FeaturesPool, Given, Scorer};
use crate::pool::Pool;

/// Pipelines kept for the next clip.
const MAX_PIPELINES: usize = 4;

/// A manifest's JSON, and where it was found.
struct Found<'a> {
    json: Cow<'a, str>,
    place: String,
}

impl Model {
    /// Loads an ONNX file. Its manifest is the one embedded in it; without one, the file beside it whose name ends in
    /// `.auricle.json` instead of `.onnx`.
    pub fn load(path: impl AsRef<Path>, options: &ModelOptions) -> Result<Self> {
        let path = path.as_ref();
        options.tell(Stage::Read, 0.0)?;
        let onnx = file::read(path, "an ONNX file", onnx_file::MAX_BYTES)?;
        let beside = path.with_extension("auricle.json");
        let find = || match beside.exists() {
            true => String::from_utf8(file::read(&beside, "a manifest", manifest::MAX_BYTES)?)
                .map(|json| Some(Found { json: json.into(), place: beside.display().to_string() }))
                .map_err(|_| Error::new(Status::Manifest, format!("{}: is not UTF-8", beside.display()))),
            false => Ok(None),
        };
        let of_file = |error: Error| match error.status() {
            Status::Model | Status::Mismatch | Status::Manifest => {
                Error::new(error.status(), format!("{}: {}", path.display(), error.message()))
            }
            _ => error,
        };
        build(&onnx, Some(path), None, find, options).map_err(of_file)
    }

    /// Loads an ONNX file's bytes, with a manifest (JSON) or with the one embedded in them. Nothing is kept of the bytes.
    pub fn load_memory(onnx: &[u8], manifest: Option<&str>, options: &ModelOptions) -> Result<Self> {
        let given = manifest.map(|json| Found { json: json.into(), place: "given manifest".to_owned() });
        build(onnx, None, given, || Ok(None), options)
    }
}

fn build(
    onnx: &[u8],
    path: Option<&Path>,
    given: Option<Found<'_>>,
    beside: impl FnOnce() -> Result<Option<Found<'static>>>,
    options: &ModelOptions,
) -> Result<Model> {
    if options.threads > MAX_THREADS {
        let message = format!("threads is {}; valid 1..={MAX_THREADS}, 0 means 1", options.threads);
        return Err(Error::argument(message));
    }
    if options.max_batch > batch::MAX {
        let message = format!("max_batch is {}; valid 1..={}, 0 means 1", options.max_batch, batch::MAX);
        return Err(Error::argument(message));
    }
    if options.shared_pool && options.threads != 0 {
        let message = format!(
            "threads is {} with shared_pool; it must be 0, the pool has threads of its own number",
            options.threads
        );
        return Err(Error::argument(message));
    }
    let shared = options.shared_pool.then(runtime::shared_threads).transpose()?;
    let _float_env = FloatEnv::enter();
    options.tell(Stage::Read, 1.0)?;
    options.tell(Stage::Prepare, 0.0)?;
    let network = Network::load(
        onnx,
        Loading {
            threads: shared.is_none().then_some(options.threads.max(1) as usize),
            providers: &options.providers,
            cancel: options.cancel.as_ref(),
        },
    )?;
    options.tell(Stage::Prepare, 1.0)?;
    let found = find(&network, given, beside)?;
    let manifest = Manifest::parse(&found.json).map_err(|error| error.of_manifest(&found.place))?;
    let file = File {
        path: path.map(Path::to_path_buf),
        bytes: onnx.len(),
        sha256: sha256(onnx),
        manifest_sha256: sha256(found.json.as_bytes()),
    };
    let kept = Kept {
        threads: shared.unwrap_or(options.threads.max(1)),
        shared_pool: options.shared_pool,
        self_check: options.self_check,
    };
    let model = bind(network, manifest, (file, kept), onnx, options)?;
    options.tell(Stage::Warm, 1.0)?;
    if options.self_check {
        model.check_golden(options.cancel.as_ref(), |done| options.tell(Stage::SelfCheck, done))?;
    }
    log::emit(Level::Info, || {
        let (name, values) = (&model.0.manifest.name, model.class_count());
        let what = if model.labels().is_empty() { "values" } else { "classes" };
        format!("loaded model {name:?}: {values} {what}, {} Hz", model.sample_rate())
    });
    Ok(model)
}

/// The given manifest, else the embedded one, else the one beside the file.
fn find<'a>(
    network: &Network,
    given: Option<Found<'a>>,
    beside: impl FnOnce() -> Result<Option<Found<'static>>>,
) -> Result<Found<'a>> {
    if let Some(given) = given {
        return Ok(given);
    }
    let found = match network.metadata(METADATA_KEY, manifest::MAX_BYTES)? {
        Some(json) => Some(Found { json: json.into(), place: "embedded manifest".to_owned() }),
        None => beside()?,
    };
    found.ok_or_else(|| {
        Error::new(
            Status::Manifest,
            format!(
                "the model has no manifest: not in its metadata ({METADATA_KEY:?}), not beside it (.auricle.json), \
                 none given"
            ),
        )
    })
}

/// Joins network and manifest, once they agree.
fn bind(
    network: Network,
    manifest: Manifest,
    (file, kept): (File, Kept),
    onnx: &[u8],
    options: &ModelOptions,
) -> Result<Model> {
    let input = &manifest.input;
    let order = input.axis_order()?;
    let features = Features::new(&input.features, input.sample_rate, "input.features")?;
    let (samples, bins) = (manifest.window_samples(), input.bins());
    let given = Given { samples, rows: input.rows(samples) };
    let ports = ports::check(&manifest, &order, given.rows, bins, &network, onnx)?;
    let manifest = Arc::new(manifest);
    let cancel = options.cancel.as_ref();
    options.tell(Stage::Warm, 0.0)?;
    let scorer = Scorer::new(manifest.clone(), network, order, ports, (given, bins), cancel)?;
    if options.max_batch > 1 {
        scorer.measure_sizes(options.max_batch as usize, bins, |done| {
            cancel.map_or(Ok(()), Cancel::check)?;
            options.tell(Stage::Warm, done)
        })?;
    }
    Ok(Model(Arc::new(Shared {
        scorer,
        manifest,
        file,
        options: kept,
        features: Arc::new(FeaturesPool::new(features)?),
        pipelines: Pool::new(MAX_PIPELINES)?,
    })))
}

impl ModelOptions {
    /// An error if the load is to stop.
    fn tell(&self, stage: Stage, done: f32) -> Result<()> {
        self.progress.as_ref().map_or(Ok(()), |progress| progress.tell(stage, done))
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
