//! Reading a whole file that nobody vouches for: never waits for a pipe, never opens a device, never reads more than a
//! limit.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result, Status};

/// The bytes of the file at `path`, of which `what`, for example "an ONNX file", has at most `limit`.
pub(crate) fn read(path: &Path, what: &str, limit: usize) -> Result<Vec<u8>> {
    let failed = |reason: String| Error::new(Status::File, format!("{}: {reason}", path.display()));
    let system = |error: io::Error| failed(error.to_string());
    let size_of = |metadata: Metadata| match kind(metadata.file_type()) {
        Some(kind) => Err(failed(format!("is {kind}, not a file"))),
        None => Ok(metadata.len()),
    };
    let too_long = |size| failed(format!("has {size} bytes; {what} has at most {limit}"));
    // Before it is opened, because opening a device can set it off, and after, because it can be another one by then.
    size_of(path.metadata().map_err(system)?)?;
    let file = open(path).map_err(system)?;
    let size = size_of(file.metadata().map_err(system)?)?;
    let room = usize::try_from(size)
        .ok()
        .filter(|size| *size <= limit)
        .ok_or_else(|| too_long(format!("{size}")))?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(room).map_err(|_| {
        let message = format!("{}: there is no memory for its {room} bytes", path.display());
        Error::new(Status::Memory, message)
    })?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(system)?;
    match bytes.len() <= limit {
        true => Ok(bytes),
        false => Err(too_long(format!("more than {limit}"))),
    }
}

/// What it is, if it is no file.
pub(crate) fn kind(file_type: FileType) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if file_type.is_fifo() {
            return Some("a named pipe");
        }
        if file_type.is_socket() {
            return Some("a socket");
        }
        if file_type.is_char_device() || file_type.is_block_device() {
            return Some("a device");
        }
    }
    match file_type {
        folder if folder.is_dir() => Some("a folder"),
        file if file.is_file() => None,
        _ => Some("of another kind"),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY); // a pipe that is put there meanwhile
    }
    options.open(path)
}
