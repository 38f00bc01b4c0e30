//! The list of parts, as CycloneDX 1.6 in JSON.

use serde_json::{Value, json};

use super::packages::Package;
use crate::setup;

/// A part that is not a crate.
pub struct Part {
    pub name: String,
    pub version: String,
    pub licence: &'static str,
    /// The package URL.
    pub url: String,
    /// SHA-256 of its file where it is one, hexadecimal.
    pub sha256: Option<String>,
}

/// `name` is what the parts are in; `parts` are those besides the crates.
pub fn document(name: &str, kind: &str, packages: &[Package], parts: &[Part]) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let own = format!("pkg:generic/{name}@{version}");
    let crates = packages.iter().map(|package| {
        let mut component = json!({
            "type": "library",
            "bom-ref": reference(&package.name, &package.version),
            "name": package.name,
            "version": package.version,
            "licenses": [{ "expression": expression(&package.licence) }],
            "purl": reference(&package.name, &package.version),
        });
        if let Some(sum) = &package.checksum {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        component
    });
    let others = parts.iter().map(|part| {
        let mut component = json!({
            "type": "library",
            "bom-ref": part.url,
            "name": part.name,
            "version": part.version,
            "licenses": [{ "expression": part.licence }],
            "purl": part.url,
        });
        if let Some(sum) = &part.sha256 {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        component
    });
    let components: Vec<Value> = crates.chain(others).collect();
    let roots = packages.iter().filter(|package| package.is_ours());
    let roots = roots.map(|package| reference(&package.name, &package.version));
    let direct: Vec<String> = roots.chain(parts.iter().map(|part| part.url.clone())).collect();
    let mut edges = vec![json!({ "ref": own, "dependsOn": direct })];
    edges.extend(packages.iter().map(|package| {
        let mut uses: Vec<String> =
            package.uses.iter().map(|(name, version)| reference(name, version)).collect();
        uses.sort();
        uses.dedup();
        json!({ "ref": reference(&package.name, &package.version), "dependsOn": uses })
    }));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": { "type": kind, "bom-ref": own, "name": name, "version": version,
                "licenses": [{ "expression": "MIT OR Apache-2.0" }], "purl": own },
        },
        "components": components,
        "dependencies": edges,
    })
}

/// ONNX Runtime, as pip's index has it.
pub fn onnx_runtime(sha256: String) -> Part {
    let version = setup::VERSION;
    Part {
        name: "onnxruntime".into(),
        version: version.into(),
        licence: "MIT",
        url: format!("pkg:pypi/onnxruntime@{version}"),
        sha256: Some(sha256),
    }
}

/// The part of Rust that is in everything that Rust compiles.
pub fn standard_library(version: &str) -> Part {
    Part {
        name: "rust-standard-library".into(),
        version: version.into(),
        licence: "MIT OR Apache-2.0",
        url: format!("pkg:generic/rust-standard-library@{version}"),
        sha256: None,
    }
}

fn reference(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// Old crates separate licences by a slash.
fn expression(licence: &str) -> String {
    licence.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}
