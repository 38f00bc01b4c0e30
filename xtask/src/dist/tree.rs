//! Which file goes where.

use std::fs;
use std::path::{Path, PathBuf};

use super::build::{self, Library};
use crate::shell::root;
use crate::target::Target;

/// The files of cmake/ that an installation has; `.in` is filled in.
const CMAKE: [&str; 3] = ["auricleConfig.cmake.in", "auricleConfigVersion.cmake.in", "auricleBundle.cmake"];

/// A folder that is laid out as it will be installed.
pub struct Tree<'a> {
    pub folder: &'a Path,
    pub target: &'a Target,
}

impl Tree<'_> {
    /// Copies a file to `place`, which is relative to the tree.
    pub fn file(&self, from: &Path, place: &str) -> Result<(), String> {
        let to = self.place(place)?;
        fs::copy(from, &to).map(drop).map_err(|e| format!("{} -> {}: {e}", from.display(), to.display()))
    }

    pub fn text(&self, text: &str, place: &str) -> Result<(), String> {
        let to = self.place(place)?;
        fs::write(&to, text).map_err(|e| format!("{}: {e}", to.display()))
    }

    /// Copies what lies in a folder, and in its folders.
    pub fn folder(&self, from: &Path, place: &str) -> Result<(), String> {
        for name in super::archive::files(from)? {
            self.file(&from.join(&name), &format!("{place}/{}", name.to_string_lossy()))?;
        }
        Ok(())
    }

    fn place(&self, place: &str) -> Result<PathBuf, String> {
        let to = self.folder.join(place);
        let folder = to.parent().unwrap_or(self.folder);
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(to)
    }

    /// Where shared libraries lie: Windows looks beside the program.
    pub fn shared(&self) -> &'static str {
        if self.target.is_windows() { "bin" } else { "lib" }
    }

    /// The library, its headers, and what pkg-config and CMake know of it.
    pub fn library(&self, library: &Library, runtime: &str) -> Result<(), String> {
        let names = self.target.names()?;
        let shared = self.shared();
        self.shared_library(library)?;
        if let Some(import) = names.import {
            self.file(&library.folder.join(import), &format!("lib/{import}"))?;
        }
        let archive = self.place(&format!("lib/{}", names.archive))?;
        build::slim(&library.folder.join(names.archive), &archive, self.target)?;
        for header in headers()? {
            self.file(&root().join("include").join(&header), &format!("include/{header}"))?;
        }
        let asked_for = names.installed.get(1).unwrap_or(&names.installed[0]);
        let values = [
            ("VERSION", env!("CARGO_PKG_VERSION").to_owned()),
            ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR").to_owned()),
            ("MINOR", env!("CARGO_PKG_VERSION_MINOR").to_owned()),
            ("SHARED", format!("{shared}/{}", names.installed[0])),
            ("SONAME", asked_for.clone()),
            ("IMPORT", names.import.map(|import| format!("lib/{import}")).unwrap_or_default()),
            ("ARCHIVE", format!("lib/{}", names.archive)),
            (
                "NATIVE",
                library.native.iter().map(|word| word.trim_start_matches("-l")).collect::<Vec<_>>().join(";"),
            ),
            ("NATIVE_FLAGS", library.native.join(" ")),
            ("RUNTIME", format!("{shared}/{runtime}")),
        ];
        for template in CMAKE {
            let text = filled(template, &values)?;
            self.text(&text, &format!("lib/cmake/auricle/{}", template.trim_end_matches(".in")))?;
        }
        self.text(&filled("auricle.pc.in", &values)?, "lib/pkgconfig/auricle.pc")
    }

    /// The file that programs load, under all its names.
    pub fn shared_library(&self, library: &Library) -> Result<(), String> {
        let (names, shared) = (self.target.names()?, self.shared());
        self.file(&library.folder.join(names.built), &format!("{shared}/{}", names.installed[0]))?;
        for link in names.installed.windows(2) {
            self.link(&link[0], &format!("{shared}/{}", link[1]))?;
        }
        Ok(())
    }

    #[cfg(unix)]
    fn link(&self, to: &str, place: &str) -> Result<(), String> {
        let link = self.place(place)?;
        std::os::unix::fs::symlink(to, &link).map_err(|e| format!("{}: {e}", link.display()))
    }

    /// Only libraries of Unix have links, and those are not packed on Windows.
    #[cfg(not(unix))]
    fn link(&self, _to: &str, place: &str) -> Result<(), String> {
        Err(format!("{place} is a link, which only Unix makes"))
    }
}

/// The headers of include/.
fn headers() -> Result<Vec<String>, String> {
    let folder = root().join("include");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.retain(|name| name.ends_with(".h") || name.ends_with(".hpp"));
    names.sort();
    Ok(names)
}

/// A file of cmake/ with a value for every `@NAME@`.
fn filled(template: &str, values: &[(&str, String)]) -> Result<String, String> {
    let path = root().join("cmake").join(template);
    let mut text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    if !template.ends_with(".in") {
        return Ok(text);
    }
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), value);
    }
    match text.split('@').nth(1) {
        Some(name) => Err(format!("{}: nothing is known of @{name}@", path.display())),
        None => Ok(text),
    }
}
