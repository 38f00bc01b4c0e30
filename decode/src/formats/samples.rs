//! A stretch of a file that holds plain samples, or blocks of one size.

use super::{Packet, Step};
use crate::source::Source;

/// Handed out at once, frames.
const FRAMES: u64 = 4096;

/// Blocks of `block` bytes that are `frames` frames each.
pub(super) struct Samples {
    block: u64,
    frames: u64,
    /// Bytes that are left; `None`: to the end of the file.
    left: Option<u64>,
    /// An incomplete block at the end.
    rest: Vec<u8>,
}

impl Samples {
    pub fn new(block: u64, frames: u64, bytes: Option<u64>) -> Self {
        Self { block: block.max(1), frames: frames.max(1), left: bytes, rest: Vec::new() }
    }

    /// The next whole blocks; `None` at the end.
    pub fn next(&mut self, source: &mut Source) -> Result<Option<Step>, String> {
        let blocks = (FRAMES / self.frames).max(1);
        let wanted = (blocks * self.block).min(self.left.unwrap_or(u64::MAX));
        let mut data = source.take(wanted as usize)?;
        let got = data.len() as u64;
        self.left = match self.left {
            Some(left) if got == wanted => Some(left - wanted),
            None if got == wanted => None,
            _ => Some(0),
        };
        let whole = data.len() - (got % self.block) as usize;
        if whole < data.len() {
            self.rest = data.split_off(whole);
        }
        if data.is_empty() {
            return Ok(None);
        }
        let length = data.len() as u64 / self.block * self.frames;
        Ok(Some(Step::Packet(Packet { data, length, ..Packet::default() })))
    }

    /// The bytes of an incomplete block at the end, once. Zeros fill up a chunk and are none.
    pub fn rest(&mut self) -> Vec<u8> {
        if self.rest.iter().all(|&byte| byte == 0) {
            self.rest.clear();
        }
        std::mem::take(&mut self.rest)
    }
}
