//! The chunks of RIFF, RIFX, RF64, W64 and IFF files. The sizes of the outermost chunk and of lists are not
//! used: too many programs never fill them in.

use crate::source::Source;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Four characters and 32 bits, even length.
    Riff { big_endian: bool },
    /// A GUID that begins with four characters and 64 bits that count the header, a multiple of 8.
    Wave64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub id: [u8; 4],
    pub size: u64,
    /// Bytes that fill up the chunk behind `size`.
    pub padding: u64,
}

impl Chunks {
    /// Bytes of a chunk's header.
    pub fn header(self) -> usize {
        match self {
            Self::Riff { .. } => 8,
            Self::Wave64 => 24,
        }
    }

    /// The header of the next chunk, which is not consumed; `None` at the end.
    pub fn peek(self, source: &mut Source) -> Result<Option<Chunk>, String> {
        let bytes = source.peek(self.header())?;
        if bytes.len() < self.header() {
            return Ok(None);
        }
        let mut id = [0; 4];
        id.copy_from_slice(&bytes[..4]);
        let (size, align) = match self {
            Self::Riff { big_endian } => {
                let size = bytes[4..8].try_into().unwrap_or_default();
                let size = if big_endian { u32::from_be_bytes(size) } else { u32::from_le_bytes(size) };
                (u64::from(size), 2)
            }
            Self::Wave64 => {
                let size = u64::from_le_bytes(bytes[16..24].try_into().unwrap_or_default());
                (size.saturating_sub(24), 8)
            }
        };
        Ok(Some(Chunk { id, size, padding: (align - size % align) % align }))
    }

    /// The header of the next chunk.
    pub fn next(self, source: &mut Source) -> Result<Option<Chunk>, String> {
        let chunk = self.peek(source)?;
        if chunk.is_some() {
            source.consume(self.header());
        }
        Ok(chunk)
    }

    /// What follows the sound: walks over chunks to the end of the file, or to one of `stops`, which is not
    /// consumed. Otherwise: how many bytes there are that are no chunk.
    pub fn after_sound(self, source: &mut Source, stops: &[&[u8; 4]]) -> Result<Result<Chunk, u64>, String> {
        loop {
            let Some(chunk) = self.peek(source)? else {
                return Ok(Err(loud(source)?));
            };
            if stops.contains(&&chunk.id) {
                return Ok(Ok(chunk));
            }
            if !chunk.id.iter().all(|c| (b' '..=b'~').contains(c)) {
                return Ok(Err(loud(source)?));
            }
            source.consume(self.header());
            source.skip(chunk.size.saturating_add(chunk.padding))?;
        }
    }
}

/// Consumes the rest of a file; how many bytes there are, or 0 if all of them are zero.
fn loud(source: &mut Source) -> Result<u64, String> {
    let (mut count, mut zeros) = (0, true);
    loop {
        let block = source.peek(1 << 16)?;
        if block.is_empty() {
            return Ok(if zeros { 0 } else { count });
        }
        zeros &= block.iter().all(|&b| b == 0);
        let read = block.len();
        count += read as u64;
        source.consume(read);
    }
}
