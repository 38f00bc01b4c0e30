//! Where bytes come from: a file, a pipe, standard input, memory. Nothing is held but a buffer, and no length
//! that a file claims is allocated before the bytes are there.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// Read at once from the operating system.
const BLOCK: usize = 64 * 1024;

trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

enum Input {
    File(Box<dyn ReadSeek>),
    Pipe(Box<dyn Read + Send>),
}

/// Bytes with a position.
pub(crate) struct Source {
    input: Input,
    /// What was read ahead; `buffer[next..]` is not consumed yet.
    buffer: Vec<u8>,
    next: usize,
    /// Position of `buffer[next]`.
    at: u64,
    size: Option<u64>,
}

impl Source {
    /// "-" is standard input.
    pub fn open(path: &Path) -> Result<Self, String> {
        let opened = if path.as_os_str() == "-" { standard_input() } else { File::open(path) };
        let mut file = opened.map_err(|e| format!("cannot be opened: {e}"))?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err("is a folder, not a sound file".into());
        }
        // Standard input may be a file of which a part has been read.
        match file.stream_position() {
            Ok(at) if metadata.is_file() => {
                let size = metadata.len();
                Ok(Self { at, ..Self::new(Input::File(Box::new(file)), Some(size)) })
            }
            _ => Ok(Self::pipe(file)),
        }
    }

    pub fn memory(bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        Self::new(Input::File(Box::new(Cursor::new(bytes))), Some(size))
    }

    pub fn pipe(reader: impl Read + Send + 'static) -> Self {
        Self::new(Input::Pipe(Box::new(reader)), None)
    }

    fn new(input: Input, size: Option<u64>) -> Self {
        Self { input, buffer: Vec::new(), next: 0, at: 0, size }
    }

    /// Whether [`Source::seek`] can go back.
    pub fn is_file(&self) -> bool {
        matches!(self.input, Input::File(_))
    }

    pub fn position(&self) -> u64 {
        self.at
    }

    /// Bytes that are left; a pipe does not know.
    pub fn left(&self) -> Option<u64> {
        Some(self.size?.saturating_sub(self.at))
    }

    /// Looks at the next `count` bytes without consuming them; fewer at the end.
    pub fn peek(&mut self, count: usize) -> Result<&[u8], String> {
        while self.buffer.len() - self.next < count {
            if self.next > BLOCK {
                self.buffer.drain(..self.next);
                self.next = 0;
            }
            let have = self.buffer.len();
            self.buffer.resize(have + BLOCK, 0);
            let result = read(&mut self.input, &mut self.buffer[have..]);
            self.buffer.truncate(have + *result.as_ref().unwrap_or(&0));
            if result.map_err(unreadable)? == 0 {
                break;
            }
        }
        let end = self.buffer.len().min(self.next + count);
        Ok(&self.buffer[self.next..end])
    }

    /// Whether no byte is left.
    pub fn at_end(&mut self) -> Result<bool, String> {
        Ok(self.peek(1)?.is_empty())
    }

    /// Consumes `count` bytes into `out`, which is emptied first; fewer at the end.
    pub fn read(&mut self, count: usize, out: &mut Vec<u8>) -> Result<(), String> {
        out.clear();
        while out.len() < count {
            let block = self.peek((count - out.len()).min(BLOCK))?;
            if block.is_empty() {
                break;
            }
            out.extend_from_slice(block);
            let read = block.len();
            self.consume(read);
        }
        Ok(())
    }

    /// As [`Source::read`], with a buffer of its own.
    pub fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        self.read(count, &mut out)?;
        Ok(out)
    }

    /// The next `N` bytes; `None` if there are fewer, which are consumed then.
    pub fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, String> {
        let array = <[u8; N]>::try_from(self.peek(N)?).ok();
        let count = N.min(self.buffer.len() - self.next);
        self.consume(count);
        Ok(array)
    }

    /// Leaves out `count` bytes; how many there were.
    pub fn skip(&mut self, count: u64) -> Result<u64, String> {
        if let Some(left) = self.left() {
            let count = count.min(left);
            self.seek(self.at + count)?;
            return Ok(count);
        }
        let mut skipped = 0;
        while skipped < count {
            let read = self.peek((count - skipped).min(BLOCK as u64) as usize)?.len();
            if read == 0 {
                break;
            }
            self.consume(read);
            skipped += read as u64;
        }
        Ok(skipped)
    }

    /// Goes to a position. A pipe goes forwards only.
    pub fn seek(&mut self, to: u64) -> Result<(), String> {
        let buffered = (self.buffer.len() - self.next) as u64;
        match to.checked_sub(self.at) {
            Some(forwards) if forwards <= buffered => self.consume(forwards as usize),
            Some(forwards) if !self.is_file() => {
                self.skip(forwards)?;
            }
            _ => match &mut self.input {
                Input::File(file) => {
                    file.seek(SeekFrom::Start(to)).map_err(unreadable)?;
                    self.buffer.clear();
                    self.next = 0;
                    self.at = to;
                }
                Input::Pipe(_) => return Err("cannot be read from a pipe: it is not in order".into()),
            },
        }
        Ok(())
    }

    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.buffer.len() - self.next);
        self.next += count;
        self.at += count as u64;
        if self.next == self.buffer.len() {
            self.buffer.clear();
            self.next = 0;
        }
    }
}

fn read(input: &mut Input, into: &mut [u8]) -> io::Result<usize> {
    loop {
        let result = match input {
            Input::File(file) => file.read(into),
            Input::Pipe(pipe) => pipe.read(into),
        };
        match result {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn unreadable(error: io::Error) -> String {
    format!("cannot be read: {error}")
}

/// A handle of its own, so that a file that was redirected can be sought in.
fn standard_input() -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle;
        io::stdin().as_handle().try_clone_to_owned().map(File::from)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gives_what_a_file_gives() {
        let bytes: Vec<u8> = (0..200_000u32).map(|k| (k * 31 % 251) as u8).collect();
        for mut source in [Source::memory(bytes.clone()), Source::pipe(Cursor::new(bytes.clone()))] {
            assert_eq!(source.peek(5).unwrap(), &bytes[..5]);
            assert_eq!(source.peek(150_000).unwrap(), &bytes[..150_000]);
            source.consume(10);
            assert_eq!(source.array::<4>().unwrap().unwrap(), bytes[10..14]);
            assert_eq!(source.skip(100_000).unwrap(), 100_000);
            assert_eq!(source.position(), 100_014);
            source.seek(190_000).unwrap();
            assert_eq!(source.take(1 << 40).unwrap(), &bytes[190_000..]);
            assert!(source.at_end().unwrap());
            assert_eq!(source.skip(7).unwrap(), 0);
            assert_eq!(source.array::<4>().unwrap(), None);
        }
    }

    #[test]
    fn going_back_needs_a_file() {
        let mut file = Source::memory(vec![1, 2, 3]);
        file.skip(3).unwrap();
        file.seek(1).unwrap();
        assert_eq!(file.take(9).unwrap(), [2, 3]);
        let mut pipe = Source::pipe(Cursor::new(vec![1, 2, 3]));
        pipe.skip(3).unwrap();
        assert!(pipe.seek(1).unwrap_err().contains("pipe"));
    }
}
