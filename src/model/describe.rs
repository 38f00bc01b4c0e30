//! The record of a model for traceability.

use std::path::Path;

use serde_json::json;

use super::Model;
use crate::inference::network::Port;
use crate::inference::runtime;

impl Model {
    /// The record for traceability, JSON: versions, files, SHA-256 sums, options, manifest.
    pub fn describe(&self) -> String {
        let shared = &*self.0;
        let port = |port: &Port| json!({ "tensor": port.name, "element": port.element, "shape": port.sizes });
        let name = |file: &Path| file.to_string_lossy().into_owned(); // JSON is UTF-8, paths need not be
        let record = json!({
            "auricle": { "version": crate::VERSION },
            "onnxruntime": {
                "version": runtime::version(), "file": runtime::file().as_deref().map(name), "build": runtime::build_info(),
            },
            "model": {
                "file": shared.file.path.as_deref().map(name),
                "bytes": shared.file.bytes,
                "sha256": shared.file.sha256,
                "input": port(shared.scorer.input()),
                "output": port(shared.scorer.output()),
            },
            "manifest": { "sha256": shared.file.manifest_sha256, "value": *shared.manifest },
            "options": { "threads": shared.options.threads.max(1), "self_check": shared.options.self_check },
            "providers": ["CPUExecutionProvider"],
        });
        serde_json::to_string_pretty(&record).expect("all keys are strings")
    }
}
