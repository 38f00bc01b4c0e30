//! The manifests of other people's models: those of `tests/models`, which `compare.py` there puts to the test, and those that
//! the pages of `docs/models` show.

use std::fs;
use std::path::{Path, PathBuf};

use auricle::Manifest;

fn files(folder: &str, end: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("is there").map(|entry| entry.expect("can be listed").path());
    let wanted = entries.filter(|path| path.to_string_lossy().ends_with(end));
    wanted.map(|path| (path.clone(), fs::read_to_string(path).expect("is text"))).collect()
}

#[test]
fn every_manifest_is_one() {
    let manifests = files("tests/models", ".auricle.json");
    assert!(manifests.len() >= 9, "{} manifests", manifests.len());
    for (path, json) in manifests {
        Manifest::parse(&json).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// A page begins with its manifest and its command; a family's manifest is the one that was compared.
#[test]
fn every_page_shows_a_manifest() {
    let pages = files("docs/models", ".md");
    assert!(pages.len() >= 8, "{} pages", pages.len());
    for (path, text) in pages {
        let place = path.display();
        let blocks: Vec<&str> =
            text.split("```json\n").skip(1).filter_map(|part| part.split("```").next()).collect();
        assert!(!blocks.is_empty() || path.ends_with("limits.md"), "{place}: shows no manifest");
        for json in blocks {
            Manifest::parse(json).unwrap_or_else(|error| panic!("{place}: {error}"));
        }
    }
    let silero = include_str!("../docs/models/silero.md");
    let shown = silero.split("```json\n").nth(1).and_then(|part| part.split("```").next()).expect("is there");
    let compared = include_str!("models/silero-vad-16k.auricle.json");
    assert_eq!(Manifest::parse(shown), Manifest::parse(compared));
}
