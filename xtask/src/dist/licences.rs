//! The licence texts of everything inside, in one file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::packages::Package;

/// How the files begin in which crates bring their licences.
const FILES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// The crates, then every text once, with the crates that it belongs to. Our own licence files lie beside it.
pub fn collect(what: &str, packages: &[Package], rust: &str) -> Result<String, String> {
    let mut out = format!("What {what} is made of besides Auricle, and the licences of that\n\n");
    let standard = Package {
        name: "the Rust standard library".into(),
        version: rust.into(),
        licence: "MIT OR Apache-2.0".into(),
        authors: vec!["The Rust Project contributors".into()],
        repository: "https://github.com/rust-lang/rust".into(),
        ..Package::default()
    };
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let others = packages.iter().filter(|package| !package.is_ours());
    for package in others.chain([&standard]) {
        let Package { name, version, licence, repository, .. } = package;
        writeln!(out, "{name} {version}: {licence}; source: {repository}").map_err(|e| e.to_string())?;
        for text in texts_of(package)? {
            texts.entry(text).or_default().push(format!("{name} {version}"));
        }
    }
    for (text, owners) in texts {
        write!(out, "\n{}\n{}\n\n{text}\n", "-".repeat(100), owners.join(", ")).map_err(|e| e.to_string())?;
    }
    Ok(out)
}

/// The texts that lie in the crate; those of the SPDX list where none do.
fn texts_of(package: &Package) -> Result<Vec<String>, String> {
    if package.folder.is_dir() {
        let found = files_of(&package.folder)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let wrong =
        |reason: String| format!("{} {}: {:?}: {reason}", package.name, package.version, package.licence);
    let expression = spdx::Expression::parse_mode(&package.licence, spdx::ParseMode::LAX)
        .map_err(|e| wrong(e.reason.to_string()))?;
    let owners = match package.authors.is_empty() {
        true => format!("the authors of {}", package.name),
        false => package.authors.join(", "),
    };
    expression
        .requirements()
        .map(|requirement| {
            let licence = requirement.req.license.id().ok_or_else(|| wrong("unknown to SPDX".into()))?;
            Ok(format!("Copyright {owners}\n\n{}", licence.text().trim()))
        })
        .collect()
}

fn files_of(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    let is_one = |path: &&std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        FILES.iter().any(|start| name.starts_with(start)) && path.is_file()
    };
    let read = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim().to_owned())
    };
    paths.iter().filter(is_one).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::packages::linked_into;
    use crate::target::Target;

    fn package(licence: &str, folder: &Path) -> Package {
        Package {
            name: "one".into(),
            version: "1.2.3".into(),
            licence: licence.into(),
            authors: vec!["A. Author".into()],
            folder: folder.into(),
            ..Package::default()
        }
    }

    #[test]
    fn a_crate_without_a_licence_file_gets_the_text_that_it_declares() {
        let folder = std::env::temp_dir().join(format!("auricle-licences-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let declared = texts_of(&package("MIT/Apache-2.0", &folder)).expect("known");
        assert!(declared[0].starts_with("Copyright A. Author") && declared[0].contains("MIT License"));
        assert!(declared[1].contains("Apache License"));
        let unknown = texts_of(&package("Nobody-1.0", &folder)).expect_err("must be refused");
        assert!(unknown.contains("one 1.2.3") && unknown.contains("Nobody-1.0"), "{unknown}");
        fs::write(folder.join("License.txt"), "be kind\r\n").expect("written");
        let own = texts_of(&package("Nobody-1.0", &folder)).expect("its own");
        let _ = fs::remove_dir_all(&folder);
        assert_eq!(own, ["be kind"]);
    }

    /// What may be linked into something that is given away under MIT or Apache-2.0. MPL-2.0 is for the programs only:
    /// its files stay under it, and their source is named.
    #[test]
    fn every_licence_may_be_shipped() {
        const FREE: [&str; 12] = [
            "MIT",
            "Apache-2.0",
            "Apache-2.0 WITH LLVM-exception",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "ISC",
            "Zlib",
            "Unicode-3.0",
            "BSL-1.0",
            "0BSD",
            "CC0-1.0",
            "Unlicense",
        ];
        let target = Target::host().expect("rustc");
        for (roots, more) in [(&["auricle"][..], ""), (&["auricle-cli", "auricle-train"], "MPL-2.0")] {
            for package in linked_into(roots, &target).expect("cargo") {
                let expression = spdx::Expression::parse_mode(&package.licence, spdx::ParseMode::LAX)
                    .unwrap_or_else(|e| panic!("{}: {e}", package.name));
                let fits = expression.evaluate(|licence| {
                    let name = licence.to_string();
                    FREE.contains(&name.as_str()) || name == more
                });
                assert!(fits, "{roots:?}: {} is {}", package.name, package.licence);
            }
        }
    }
}
