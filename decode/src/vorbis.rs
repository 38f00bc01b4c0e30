//! What must be known of a Vorbis stream before its decoder is trusted with it: how long its packets are, and
//! how much memory its setup header asks for (a few bytes can ask for terabytes).

/// Entries of all codebooks together, and numbers in all of their tables. Encoders of libvorbis use less than
/// 100,000 of both.
const MAX_ENTRIES: u64 = 1 << 20;
const MAX_VALUES: u64 = 1 << 22;

/// The identification and setup headers (Vorbis I specification, 4.2).
#[derive(Debug, PartialEq)]
pub(crate) struct Vorbis {
    pub channels: u32,
    pub rate: u32,
    /// Short and long.
    blocks: [u64; 2],
    /// Whether each mode is one of long blocks.
    modes: Vec<bool>,
}

impl Vorbis {
    pub fn of(identification: &[u8], setup: &[u8]) -> Result<Self, String> {
        let damaged = |what: &str| format!("has a damaged Vorbis {what} header");
        let head = identification.get(..30).filter(|head| head.starts_with(b"\x01vorbis\0\0\0\0"));
        let head = head.ok_or_else(|| damaged("identification"))?;
        let (channels, rate) =
            (u32::from(head[11]), u32::from_le_bytes([head[12], head[13], head[14], head[15]]));
        let (short, long) = (head[28] & 15, head[28] >> 4);
        if channels == 0 || !(6..=13).contains(&short) || !(short..=13).contains(&long) {
            return Err(damaged("identification"));
        }
        let body = setup.strip_prefix(b"\x05vorbis").ok_or_else(|| damaged("setup"))?;
        let modes = modes(&mut Bits { bytes: body, at: 0 }, channels)?.ok_or_else(|| damaged("setup"))?;
        Ok(Self { channels, rate, blocks: [1 << short, 1 << long], modes })
    }

    /// Block size of an audio packet; `None` if it is none.
    pub fn block(&self, packet: &[u8]) -> Option<u64> {
        let mut bits = Bits { bytes: packet, at: 0 };
        if bits.take(1)? != 0 {
            return None;
        }
        let mode = bits.take(ilog(self.modes.len() as u64 - 1))?;
        Some(self.blocks[usize::from(*self.modes.get(mode as usize)?)])
    }
}

/// Bits from the lowest of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u64> {
        let mut value = 0;
        for k in 0..count {
            let bit = self.bytes.get(self.at / 8)? >> (self.at % 8) & 1;
            value |= u64::from(bit) << k;
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(count).ok()?)?;
        (self.at <= self.bytes.len() * 8).then_some(())
    }
}

fn ilog(value: u64) -> u32 {
    64 - value.leading_zeros()
}

/// Walks over the setup header to the modes at its end; `Ok(None)` if it is damaged, an error if it asks for
/// too much.
fn modes(bits: &mut Bits, channels: u32) -> Result<Option<Vec<bool>>, String> {
    let (mut entries, mut values) = (0, 0);
    let Some(books) = bits.take(8) else { return Ok(None) };
    for _ in 0..=books {
        let Some((more_entries, more_values)) = codebook(bits) else { return Ok(None) };
        entries += more_entries;
        values += more_values;
        if entries > MAX_ENTRIES || values > MAX_VALUES {
            return Err(format!(
                "has Vorbis codebooks of {entries} entries and {values} values; at most {MAX_ENTRIES} and {MAX_VALUES} are read"
            ));
        }
    }
    Ok(after_codebooks(bits, channels))
}

/// Entries and values of the codebook here (specification, 3.2.1).
fn codebook(bits: &mut Bits) -> Option<(u64, u64)> {
    if bits.take(24)? != 0x564342 {
        return None;
    }
    let (dimensions, entries) = (bits.take(16)?, bits.take(24)?);
    let ordered = bits.flag()?;
    if ordered {
        bits.skip(5)?;
        let mut entry = 0;
        while entry < entries {
            entry += bits.take(ilog(entries - entry))?;
        }
        if entry > entries {
            return None;
        }
    } else if bits.flag()? {
        for _ in 0..entries {
            if bits.flag()? {
                bits.skip(5)?;
            }
        }
    } else {
        bits.skip(entries * 5)?;
    }
    let count = match bits.take(4)? {
        0 => return Some((entries, 0)),
        1 => roots(entries, dimensions)?,
        2 => entries * dimensions,
        _ => return None,
    };
    bits.skip(64)?;
    let width = bits.take(4)? + 1;
    bits.skip(1)?;
    bits.skip(count.checked_mul(width)?)?;
    Some((entries, entries * dimensions))
}

/// The largest number whose power of `dimensions` is not above `entries`.
fn roots(entries: u64, dimensions: u64) -> Option<u64> {
    let fits = |root: u64| {
        let mut power = 1u64;
        (0..dimensions).all(|_| {
            power = power.saturating_mul(root);
            power <= entries
        })
    };
    if dimensions == 0 || entries == 0 {
        return None;
    }
    let mut root = 1;
    while fits(root + 1) {
        root += 1;
        if dimensions == 1 {
            return Some(entries);
        }
    }
    Some(root)
}

/// Time-domain transforms, floors, residues and mappings, then the modes.
fn after_codebooks(bits: &mut Bits, channels: u32) -> Option<Vec<bool>> {
    for _ in 0..=bits.take(6)? {
        bits.skip(16)?;
    }
    for _ in 0..=bits.take(6)? {
        match bits.take(16)? {
            0 => {
                bits.skip(8 + 16 + 16 + 6 + 8)?;
                let books = bits.take(4)? + 1;
                bits.skip(books * 8)?;
            }
            1 => floor_1(bits)?,
            _ => return None,
        }
    }
    for _ in 0..=bits.take(6)? {
        bits.skip(16 + 24 + 24 + 24)?;
        let classes = bits.take(6)? + 1;
        bits.skip(8)?;
        let mut books = 0;
        for _ in 0..classes {
            let low = bits.take(3)?;
            let high = if bits.flag()? { bits.take(5)? } else { 0 };
            books += low.count_ones() + high.count_ones();
        }
        bits.skip(u64::from(books) * 8)?;
    }
    for _ in 0..=bits.take(6)? {
        bits.skip(16)?;
        let submaps = if bits.flag()? { bits.take(4)? + 1 } else { 1 };
        if bits.flag()? {
            let steps = bits.take(8)? + 1;
            bits.skip(steps * 2 * u64::from(ilog(u64::from(channels) - 1)))?;
        }
        bits.skip(2)?;
        if submaps > 1 {
            bits.skip(u64::from(channels) * 4)?;
        }
        bits.skip(submaps * 24)?;
    }
    let count = bits.take(6)? + 1;
    (0..count)
        .map(|_| {
            let long = bits.flag()?;
            bits.skip(16 + 16 + 8)?;
            Some(long)
        })
        .collect()
}

fn floor_1(bits: &mut Bits) -> Option<()> {
    let partitions = bits.take(5)?;
    let classes: Vec<u64> = (0..partitions).map(|_| bits.take(4)).collect::<Option<_>>()?;
    let mut dimensions = [0; 16];
    let count = classes.iter().max().map_or(0, |&max| max as usize + 1);
    for dimension in &mut dimensions[..count] {
        *dimension = bits.take(3)? + 1;
        let subclasses = bits.take(2)?;
        if subclasses > 0 {
            bits.skip(8)?;
        }
        bits.skip(8 << subclasses)?;
    }
    bits.skip(2)?;
    let range = bits.take(4)?;
    bits.skip(classes.iter().map(|&class| dimensions[class as usize] * range).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codebook_of_terabytes_is_refused_before_it_is_made() {
        // 2^24-1 entries, all of length 1 by one number of 24 bits, 65,535 dimensions, a table with one
        // value.
        let fields: [(u32, u64); 6] =
            [(8, 0), (24, 0x564342), (16, 65_535), (24, (1 << 24) - 1), (1, 1), (5, 0)];
        let more = [(24, (1 << 24) - 1), (4, 1), (64, 0), (4, 0), (1, 0), (1, 0)];
        let mut bytes = vec![0; 40];
        let mut at = 0;
        for (count, value) in fields.into_iter().chain(more) {
            for k in 0..count {
                bytes[at / 8] |= ((value >> k & 1) as u8) << (at % 8);
                at += 1;
            }
        }
        let refused = modes(&mut Bits { bytes: &bytes, at: 0 }, 2).expect_err("too large");
        assert!(refused.contains("16777215 entries and 1099494785025 values"), "{refused}");
    }

    #[test]
    fn roots_of_lookup_tables() {
        assert_eq!(
            [roots(361, 2), roots(360, 2), roots(81, 4), roots(7, 1), roots(5, 9)].map(|r| r.unwrap_or(0)),
            [19, 18, 3, 7, 1]
        );
    }
}
