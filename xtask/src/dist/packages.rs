//! The crates that a program or a library is made of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::shell::{cargo, root};
use crate::target::Target;

/// A crate whose code is in what is shipped.
#[derive(Default)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// What its authors declare, as an SPDX expression.
    pub licence: String,
    pub authors: Vec<String>,
    pub repository: String,
    /// Where its source lies.
    pub folder: PathBuf,
    /// SHA-256 of its file in the registry, hexadecimal; none for our own crates.
    pub checksum: Option<String>,
    /// The crates of the same list that it uses: name and version.
    pub uses: Vec<(String, String)>,
}

impl Package {
    pub fn is_ours(&self) -> bool {
        self.checksum.is_none()
    }
}

/// Everything that is linked into `roots`, themselves among it, by name. Macros and build scripts run only while compiling.
pub fn linked_into(roots: &[&str], target: &Target) -> Result<Vec<Package>, String> {
    let mut tree = cargo();
    tree.args(["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]);
    tree.args(["--target", &target.triple]);
    for root in roots {
        tree.args(["--package", root]);
    }
    let metadata: Value = serde_json::from_str(&said(tree_metadata(target))?)
        .map_err(|e| format!("cargo metadata is no JSON: {e}"))?;
    let lock = fs::read_to_string(root().join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
    let checksums = checksums(&lock);
    let linked: Vec<(String, String)> = {
        let mut linked: Vec<_> = said(tree)?.lines().filter_map(name_and_version).collect();
        linked.sort();
        linked.dedup();
        linked
    };
    let all = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let by_id: BTreeMap<&str, &Value> =
        all.iter().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let nodes = metadata["resolve"]["nodes"].as_array().ok_or("cargo metadata resolves nothing")?;
    let mut packages = Vec::new();
    for key in &linked {
        let (id, package) = by_id
            .iter()
            .find(|(_, package)| key_of(package) == *key)
            .ok_or_else(|| format!("cargo metadata does not know {} {}", key.0, key.1))?;
        let text = |member: &str| package[member].as_str().unwrap_or_default().to_owned();
        let node = nodes.iter().find(|node| node["id"].as_str() == Some(id));
        let uses = node.and_then(|node| node["dependencies"].as_array()).into_iter().flatten();
        let uses = uses.filter_map(|id| Some(key_of(by_id.get(id.as_str()?)?)));
        let authors = package["authors"].as_array().into_iter().flatten();
        packages.push(Package {
            name: key.0.clone(),
            version: key.1.clone(),
            licence: text("license"),
            authors: authors.filter_map(|author| Some(author.as_str()?.to_owned())).collect(),
            repository: text("repository"),
            folder: Path::new(&text("manifest_path")).parent().unwrap_or(root()).into(),
            checksum: checksums.get(key).cloned(),
            uses: uses.filter(|key| linked.contains(key)).collect(),
        });
    }
    Ok(packages)
}

fn tree_metadata(target: &Target) -> std::process::Command {
    let mut metadata = cargo();
    metadata.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", &target.triple]);
    metadata
}

fn said(mut command: std::process::Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("{command:?}: {e}"))
}

/// `once_cell v1.21.4`, perhaps with more behind it.
fn name_and_version(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    Some((words.next()?.into(), words.next()?.strip_prefix('v')?.into()))
}

fn key_of(package: &Value) -> (String, String) {
    let text = |member: &str| package[member].as_str().unwrap_or_default().to_owned();
    (text("name"), text("version"))
}

/// From Cargo.lock.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let member = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
        Some(line?.trim_end_matches('"').to_owned())
    };
    lock.split("[[package]]")
        .filter_map(|block| {
            Some(((member(block, "name")?, member(block, "version")?), member(block, "checksum")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_holds_what_it_calls_and_no_macros() {
        let target = Target::host().expect("rustc");
        let packages = linked_into(&["auricle"], &target).expect("cargo");
        let has = |name: &str| packages.iter().any(|package| package.name == name);
        assert!(has("auricle") && has("ort") && has("realfft") && has("rustfft"), "{}", packages.len());
        assert!(!has("serde_derive") && !has("clap") && !has("rubato") && !has("cbindgen"));
        let ort = packages.iter().find(|package| package.name == "ort").expect("as above");
        assert_eq!(ort.checksum.as_ref().map(String::len), Some(64));
        assert!(ort.uses.iter().any(|(name, _)| name == "ort-sys"), "{:?}", ort.uses);
        assert!(packages.iter().all(|package| package.is_ours() == (package.name == "auricle")));
    }
}
