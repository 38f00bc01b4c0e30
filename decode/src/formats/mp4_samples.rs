//! The sample tables of MP4 (ISO 14496-12, 8.6 and 8.7), walked over as they lie in the file: nothing is
//! unpacked, so a count that lies costs nothing.

use super::fields::Fields;

/// One sample, which is what MP4 calls a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub offset: u64,
    pub size: u32,
    /// In the track's time scale.
    pub length: u32,
}

/// The tables of a track, without their version and flags.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Counts and lengths (`stts`).
    pub times: Vec<u8>,
    /// First chunks and samples in each (`stsc`).
    pub chunks: Vec<u8>,
    /// Chunk offsets of 4 or 8 bytes (`stco`, `co64`).
    pub offsets: Vec<u8>,
    pub long_offsets: bool,
    /// One size for all, or 0.
    pub size: u32,
    /// Sizes of so many bits (`stsz`: 32, `stz2`: 4, 8, 16).
    pub sizes: Vec<u8>,
    pub size_bits: u8,
    pub count: u32,
}

impl Tables {
    fn size_of(&self, sample: u32) -> Option<u32> {
        if self.size > 0 {
            return Some(self.size);
        }
        let at = sample as usize;
        Some(match self.size_bits {
            4 => u32::from(self.sizes.get(at / 2)? >> (4 * (1 - at % 2)) & 15),
            8 => u32::from(*self.sizes.get(at)?),
            16 => Fields::of(self.sizes.get(at * 2..)?).u16()?.into(),
            _ => Fields::of(self.sizes.get(at * 4..)?).u32()?,
        })
    }

    fn offset_of(&self, chunk: u32) -> Option<u64> {
        let at = chunk as usize;
        match self.long_offsets {
            true => Fields::of(self.offsets.get(at * 8..)?).u64(),
            false => Fields::of(self.offsets.get(at * 4..)?).u32().map(u64::from),
        }
    }

    /// First chunk (from 0) and samples a chunk of one entry.
    fn run_of(&self, entry: usize) -> Option<(u32, u32)> {
        let mut fields = Fields::of(self.chunks.get(entry * 12..)?);
        Some((fields.u32()?.saturating_sub(1), fields.u32()?))
    }

    /// Length of all samples, in the track's time scale.
    pub fn length(&self) -> u64 {
        let mut left = u64::from(self.count);
        let mut sum = 0u64;
        for entry in self.times.chunks_exact(8) {
            let mut fields = Fields::of(entry);
            let (Some(count), Some(length)) = (fields.u32(), fields.u32()) else { break };
            let count = left.min(count.into());
            left -= count;
            sum = sum.saturating_add(count * u64::from(length));
        }
        sum
    }
}

/// Where a walk over the tables is.
#[derive(Debug, Default)]
pub(super) struct Walk {
    sample: u32,
    /// Entry of `stts` and what is left of it.
    time: usize,
    time_left: u32,
    length: u32,
    /// Entry of `stsc`, chunk, samples that are left in it, and where the next one is.
    run: usize,
    chunk: u32,
    chunk_left: u32,
    offset: u64,
}

impl Walk {
    /// The next samples: one, or up to `max` bytes of those that lie in a row, if all have one size.
    pub fn next(&mut self, tables: &Tables, max: u32) -> Option<(Sample, u32)> {
        if self.sample >= tables.count {
            return None;
        }
        while self.chunk_left == 0 {
            let (_, samples) = tables.run_of(self.run)?;
            self.offset = tables.offset_of(self.chunk)?;
            self.chunk_left = samples;
            self.chunk += 1;
            if tables.run_of(self.run + 1).is_some_and(|(first, _)| first <= self.chunk) {
                self.run += 1;
            }
        }
        while self.time_left == 0 {
            let mut fields = Fields::of(tables.times.get(self.time * 8..)?);
            (self.time_left, self.length) = (fields.u32()?, fields.u32()?);
            self.time += 1;
        }
        let size = tables.size_of(self.sample)?;
        let count = match tables.size {
            0 => 1,
            size => {
                (max / size).clamp(1, self.chunk_left).min(self.time_left).min(tables.count - self.sample)
            }
        };
        let sample = Sample { offset: self.offset, size, length: self.length };
        self.sample += count;
        self.chunk_left -= count;
        self.time_left -= count;
        self.offset = self.offset.saturating_add(u64::from(size) * u64::from(count));
        Some((sample, count))
    }

    /// Whether the sample that was given last is the last of all.
    pub fn at_end(&self, tables: &Tables) -> bool {
        self.sample >= tables.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn samples_lie_in_chunks_of_different_lengths() {
        let tables = Tables {
            times: words(&[3, 1024, 1, 100]),
            chunks: words(&[1, 2, 1, 2, 1, 1]),
            offsets: words(&[1000, 5000, 7000]),
            sizes: words(&[10, 20, 30, 40]),
            size_bits: 32,
            count: 4,
            ..Tables::default()
        };
        assert_eq!(tables.length(), 3 * 1024 + 100);
        let mut walk = Walk::default();
        let samples: Vec<_> =
            std::iter::from_fn(|| walk.next(&tables, 1).map(|(s, _)| (s.offset, s.size, s.length))).collect();
        assert_eq!(samples, [(1000, 10, 1024), (1010, 20, 1024), (5000, 30, 1024), (7000, 40, 100)]);
    }

    #[test]
    fn a_count_that_lies_ends_with_the_tables() {
        let tables = Tables {
            times: words(&[u32::MAX, 1]),
            chunks: words(&[1, u32::MAX, 1]),
            offsets: words(&[8]),
            size: 4,
            count: u32::MAX,
            ..Tables::default()
        };
        let mut walk = Walk::default();
        assert_eq!(walk.next(&tables, 4096).map(|(s, n)| (s.offset, n)), Some((8, 1024)));
        let empty = Tables { chunks: words(&[1, 0, 1]), offsets: words(&[8]), ..tables };
        assert_eq!(Walk::default().next(&empty, 4096), None);
    }
}
