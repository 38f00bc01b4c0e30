//! A folder as `.tar.gz`: the same bytes for the same files.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

/// Every file of `folder`, links among them, relative to it and sorted.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(|e| format!("{}: {e}", next.display()))? {
            let path = entry.map_err(|e| format!("{}: {e}", next.display()))?.path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).map_err(|e| e.to_string())?.to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Writes the files of `folder` into `to`, below a folder of the name `root`.
pub fn write(folder: &Path, root: &str, to: &Path) -> Result<(), String> {
    let wrong = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let file = File::create(to).map_err(|e| wrong(to, e))?;
    let packer = GzBuilder::new().mtime(0).operating_system(255).write(file, Compression::best());
    let mut archive = tar::Builder::new(packer);
    archive.mode(tar::HeaderMode::Deterministic);
    archive.follow_symlinks(false);
    for name in files(folder)? {
        let path = folder.join(&name);
        archive.append_path_with_name(&path, Path::new(root).join(&name)).map_err(|e| wrong(&path, e))?;
    }
    let mut packer = archive.into_inner().map_err(|e| wrong(to, e))?;
    packer.flush().and_then(|()| packer.finish().map(drop)).map_err(|e| wrong(to, e))
}
