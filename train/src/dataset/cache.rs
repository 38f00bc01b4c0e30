//! Decoded audio on disk: mono samples at the model's rate, the last thing that is the same for every example. Crops,
//! gain, mixtures and noise are drawn anew from samples each time, so features could not be kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::Source;

/// The head of every file: what it is, then the number of samples (u64), then the samples (f32), little-endian.
const MAGIC: &[u8; 8] = b"auricle1";

pub struct Cache {
    folder: PathBuf,
    sample_rate: u32,
    /// Why something could not be written, the first time.
    failure: OnceLock<String>,
    writes: AtomicU64,
}

/// Where the samples of one file are kept. Another file of that name, another rate or version has another place.
pub struct Key(PathBuf);

impl Cache {
    pub fn new(source: &Source, sample_rate: u32) -> Option<Self> {
        let folder = match &source.cache {
            _ if source.no_cache => return None,
            Some(folder) => folder.clone(),
            None => users_cache()?.join("auricle-train"),
        };
        Some(Self { folder, sample_rate, failure: OnceLock::new(), writes: AtomicU64::new(0) })
    }

    /// None if the file cannot be asked for its size and time.
    pub fn key(&self, path: &Path) -> Option<Key> {
        let about = fs::metadata(path).ok()?;
        let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let mut hash = Sha256::new();
        hash.update(fs::canonicalize(path).ok()?.as_os_str().as_encoded_bytes());
        for number in [about.len().into(), changed.as_nanos(), self.sample_rate.into()] {
            hash.update(number.to_le_bytes());
        }
        hash.update(auricle::VERSION);
        Some(Key(self.folder.join(format!("{:x}", hash.finalize()))))
    }

    /// Writes beside, then renames: another run never sees half a file.
    pub fn keep(&self, key: &Key, samples: &[f32]) {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let beside = self.folder.join(format!("{}-{number}.part", std::process::id()));
        let mut bytes = Vec::with_capacity(16 + samples.len() * 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(samples.len() as u64).to_le_bytes());
        samples.iter().for_each(|sample| bytes.extend_from_slice(&sample.to_le_bytes()));
        let write = || {
            fs::create_dir_all(&self.folder)?;
            fs::write(&beside, bytes)?;
            fs::rename(&beside, &key.0)
        };
        if let Err(e) = write() {
            let _ = fs::remove_file(&beside);
            let _ = self.failure.set(format!("{}: {e}", self.folder.display()));
        }
    }

    /// Why the samples could not be kept, if so.
    pub fn failure(self) -> Option<String> {
        self.failure.into_inner()
    }
}

impl Key {
    pub fn read(&self) -> Option<Vec<f32>> {
        let bytes = fs::read(&self.0).ok()?;
        let (count, samples) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
        let (samples, rest) = samples.as_chunks::<4>();
        let whole =
            rest.is_empty() && samples.len() as u64 == u64::from_le_bytes(*count) && !samples.is_empty();
        whole.then(|| samples.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }
}

/// Where programs of this user keep what can be made again.
fn users_cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_vendor = "apple") {
        Some(folder("HOME")?.join("Library/Caches"))
    } else {
        folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))
    }
}
