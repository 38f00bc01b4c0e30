//! The record of a model for traceability.

use std::path::Path;

use serde::Serialize;

use super::Model;
use crate::error::Result;
use crate::inference::batch::Sizes;
use crate::inference::memory::Memory;
use crate::inference::network::Port;
use crate::inference::{providers, runtime};
use crate::json;
use crate::manifest::Manifest;

#[derive(Serialize)]
struct Record<'a> {
    auricle: Library,
    onnxruntime: Runtime,
    model: Network<'a>,
    manifest: Found<'a>,
    options: Options,
    memory: Memory,
    seconds_to_prepare: f64,
    /// How many windows a run may have.
    batches: Option<&'a Sizes>,
    providers: Vec<providers::Record<'a>>,
}

#[derive(Serialize)]
struct Library {
    version: &'static str,
}

#[derive(Serialize)]
struct Runtime {
    version: Option<String>,
    file: Option<String>,
    /// If it was compared with those of the known releases.
    sha256: Option<&'static str>,
    build: Option<&'static str>,
}

#[derive(Serialize)]
struct Network<'a> {
    file: Option<String>,
    bytes: usize,
    sha256: &'a str,
    input: Tensor<'a>,
    outputs: Vec<Tensor<'a>>,
}

#[derive(Serialize)]
struct Tensor<'a> {
    tensor: &'a str,
    element: &'a str,
    shape: &'a [i64],
}

#[derive(Serialize)]
struct Found<'a> {
    sha256: &'a str,
    value: &'a Manifest,
}

#[derive(Serialize)]
struct Options {
    threads: u32,
    shared_pool: bool,
    self_check: bool,
}

impl Model {
    /// The record for traceability, JSON: versions, files, SHA-256 sums, options, manifest.
    pub fn describe(&self) -> Result<String> {
        let shared = &*self.0;
        let name = |file: &Path| file.to_string_lossy().into_owned(); // JSON is UTF-8, paths need not be
        let record = Record {
            auricle: Library { version: crate::VERSION },
            onnxruntime: Runtime {
                version: runtime::version(),
                file: runtime::file().as_deref().map(name),
                sha256: runtime::sum(),
                build: runtime::build_info(),
            },
            model: Network {
                file: shared.file.path.as_deref().map(name),
                bytes: shared.file.bytes,
                sha256: &shared.file.sha256,
                input: shared.scorer.input().into(),
                outputs: shared.scorer.outlets().iter().map(|outlet| (&outlet.port).into()).collect(),
            },
            manifest: Found { sha256: &shared.file.manifest_sha256, value: &shared.manifest },
            options: Options {
                threads: shared.options.threads,
                shared_pool: shared.options.shared_pool,
                self_check: shared.options.self_check,
            },
            memory: shared.scorer.network().memory(),
            batches: shared.scorer.sizes(),
            seconds_to_prepare: shared.scorer.network().seconds_to_prepare(),
            providers: shared.scorer.network().providers(),
        };
        json::pretty(&record, "the model's record")
    }
}

impl<'a> From<&'a Port> for Tensor<'a> {
    fn from(port: &'a Port) -> Self {
        Self { tensor: &port.name, element: &port.element, shape: &port.sizes }
    }
}
