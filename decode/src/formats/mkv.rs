//! Matroska and WebM (RFC 9559): clusters of blocks, of which those of the first track with sound are read.

use std::collections::VecDeque;

use super::fields::Fields;
use super::mkv_track::{self, Elements, TrackEntry};
use super::{Format, MAX_PACKET, Packet, Step};
use crate::source::Source;

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const CLUSTER: u32 = 0x1f43_b675;
const TIMESTAMP: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const DISCARD_PADDING: u32 = 0x75a2;
/// Those of which the body is searched for blocks, not skipped.
const OPEN: [u32; 2] = [SEGMENT, CLUSTER];
/// Those that may stand at the top of a segment or of a cluster; anything else is damage.
const KNOWN: [u32; 16] = [
    SEGMENT,
    INFO,
    TRACKS,
    CLUSTER,
    TIMESTAMP,
    SIMPLE_BLOCK,
    BLOCK_GROUP,
    0x114d_9b74,
    0x1c53_bb6b,
    0x1941_a469,
    0x1043_a770,
    0x1254_c367,
    0xec,
    0xbf,
    0xa7,
    0xab,
];
const EBML: u32 = 0x1a45_dfa3;
/// Looked at together in search of the next block, bytes.
const WINDOW: usize = 1 << 17;
/// Headers are smaller, bytes: fonts and pictures are attachments, which are skipped.
const MAX_HEADER: u64 = 16 << 20;

struct Mkv {
    source: Source,
    /// Nanoseconds of a unit of time.
    scale: u64,
    duration: Option<f64>,
    track: Option<TrackEntry>,
    /// Of all tracks. If there is another, the duration may be another's.
    numbers: Vec<u64>,
    unsupported: Option<String>,
    /// Time of the cluster, in units.
    cluster: u64,
    steps: VecDeque<Step>,
    /// Vorbis: block size of the packet before.
    block: Option<u64>,
    behind: u64,
}

pub(crate) fn open(source: Source) -> Result<Box<dyn Format>, String> {
    let mut mkv = Mkv {
        source,
        scale: 1_000_000,
        duration: None,
        track: None,
        numbers: Vec::new(),
        unsupported: None,
        cluster: 0,
        steps: VecDeque::new(),
        block: None,
        behind: 0,
    };
    while mkv.steps.is_empty() {
        if !mkv.element()? {
            return Err(mkv.unsupported.unwrap_or_else(|| "has no track with sound".into()));
        }
    }
    Ok(Box::new(mkv))
}

impl Format for Mkv {
    fn next(&mut self) -> Result<Step, String> {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return Ok(step);
            }
            if !self.element()? {
                return Ok(Step::End { bytes_left: self.behind });
            }
        }
    }
}

/// The head of an element: its ID, how long the head is, how long its body is (`None`: unknown).
fn head(bytes: &[u8]) -> Option<(u32, usize, Option<u64>)> {
    let id_size = bytes.first()?.leading_zeros() as usize + 1;
    if id_size > 4 {
        return None;
    }
    let id = bytes.get(..id_size)?.iter().fold(0, |id, &byte| id << 8 | u32::from(byte));
    let (size, used) = mkv_track::number(&bytes[id_size..])?;
    Some((id, id_size + used, size))
}

/// Whether a cluster begins here, or a block of one of these tracks that another element, or the end,
/// follows.
fn begins(bytes: &[u8], tracks: &[u64], at_end: bool) -> bool {
    let Some((id, used, size)) = head(bytes) else { return false };
    let (body, Some(size)) = (&bytes[used..], size) else { return id == CLUSTER };
    let Some(after) = usize::try_from(size).ok().and_then(|size| body.get(size..)) else {
        return id == CLUSTER;
    };
    let followed = match head(after) {
        Some((next, ..)) => KNOWN.contains(&next),
        None => at_end && after.is_empty(),
    };
    match id {
        CLUSTER => true,
        SIMPLE_BLOCK => {
            let track = mkv_track::number(body).and_then(|(number, _)| number);
            followed && size > 4 && track.is_some_and(|track| tracks.contains(&track))
        }
        BLOCK_GROUP => followed && body.first() == Some(&(BLOCK as u8)),
        _ => false,
    }
}

impl Mkv {
    /// Reads one element of a segment or a cluster; false at the end.
    fn element(&mut self) -> Result<bool, String> {
        let bytes = self.source.peek(16)?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let known = head(bytes).filter(|(id, _, size)| {
            let may_be_unknown = OPEN.contains(id);
            (KNOWN.contains(id) || *id == EBML) && (size.is_some() || may_be_unknown)
        });
        let Some((id, used, size)) = known else {
            return self.resync();
        };
        let left = self.source.left().map(|left| left.saturating_sub(used as u64));
        let too_long = matches!((size, left), (Some(size), Some(left)) if size > left);
        match id {
            EBML | SEGMENT | CLUSTER => {
                self.source.consume(used);
                if id == EBML {
                    self.source.skip(size.unwrap_or(0))?;
                }
                return Ok(true);
            }
            // A length that is damaged leads out of the file. The last block of a file that is cut off does
            // too.
            _ if too_long => return self.resync(),
            _ => {}
        }
        let size = size.unwrap_or(0);
        self.source.consume(used);
        match id {
            INFO | TRACKS if size > MAX_HEADER => {
                return Err(format!("has a header of {size} bytes; at most {MAX_HEADER} are read"));
            }
            INFO => {
                let body = self.source.take(size as usize)?;
                self.info(&body);
            }
            TRACKS => {
                let body = self.source.take(size as usize)?;
                self.tracks(&body)?;
            }
            TIMESTAMP => {
                let body = self.source.take(size.min(8) as usize)?;
                self.cluster = mkv_track::unsigned(&body);
            }
            SIMPLE_BLOCK | BLOCK_GROUP if size <= MAX_PACKET as u64 => self.group(id, size)?,
            _ => {
                self.source.skip(size)?;
            }
        }
        Ok(true)
    }

    /// Over something that is no element to the next cluster, or to the next block that another element
    /// follows.
    fn resync(&mut self) -> Result<bool, String> {
        let mut skipped = 0;
        loop {
            let bytes = self.source.peek(WINDOW)?;
            if bytes.len() < 4 {
                skipped += bytes.len() as u64;
                self.source.consume(4);
                self.behind += skipped;
                return Ok(false);
            }
            let at_end = bytes.len() < WINDOW;
            let found = (1..bytes.len() - 3).find(|&at| begins(&bytes[at..], &self.numbers, at_end));
            // What may be a block whose end is not in the window yet is looked at again.
            let step = found.unwrap_or(if at_end { bytes.len() - 3 } else { WINDOW / 2 });
            self.source.consume(step);
            skipped += step as u64;
            if found.is_some() {
                self.lose(format!("{skipped} bytes are damaged"));
                return Ok(true);
            }
        }
    }

    fn lose(&mut self, reason: String) {
        self.block = None;
        if self.track.is_some() {
            self.steps.push_back(Step::Damage { length: None, reason });
        }
    }

    fn info(&mut self, body: &[u8]) {
        for (id, body) in Elements(body) {
            match id {
                0x2a_d7b1 => self.scale = mkv_track::unsigned(body).clamp(1, 1 << 40),
                0x4489 => self.duration = mkv_track::float(body),
                _ => {}
            }
        }
    }

    fn tracks(&mut self, body: &[u8]) -> Result<(), String> {
        if self.track.is_some() {
            return Ok(());
        }
        let entries = Elements(body).filter(|(id, _)| *id == 0xae).map(|(_, body)| body);
        for entry in entries {
            let number =
                Elements(entry).find(|(id, _)| *id == 0xd7).map_or(0, |(_, body)| mkv_track::unsigned(body));
            self.numbers.push(number);
            match TrackEntry::read(entry) {
                Ok(Some(track)) if self.track.is_none() => self.track = Some(track),
                Ok(_) => {}
                Err(reason) => {
                    self.unsupported.get_or_insert(reason);
                }
            }
        }
        let Some(track) = &self.track else {
            return Err(self.unsupported.take().unwrap_or_else(|| "has no track with sound".into()));
        };
        let mut begun = track.track();
        let frames = self.duration.filter(|_| self.numbers.len() == 1).map(|units| {
            let seconds = units * self.scale as f64 / 1e9;
            (seconds * f64::from(begun.sample_rate)) as u64
        });
        begun.declared = frames.map(|frames| frames.saturating_sub(begun.delay));
        self.steps.push_back(Step::Track(Box::new(begun)));
        Ok(())
    }

    /// A block, alone or with what belongs to it.
    fn group(&mut self, id: u32, size: u64) -> Result<(), String> {
        let body = self.source.take(size as usize)?;
        if (body.len() as u64) < size {
            self.lose("the file ends within a block".into());
            return Ok(());
        }
        if id == SIMPLE_BLOCK {
            self.frames(&body, 0);
            return Ok(());
        }
        let (mut block, mut padding) = (None, 0);
        for (id, body) in Elements(&body) {
            match id {
                BLOCK => block = Some(body),
                DISCARD_PADDING => padding = mkv_track::signed(body).max(0) as u64,
                _ => {}
            }
        }
        match block {
            Some(block) => self.frames(block, padding),
            None => self.lose("a group of blocks has none".into()),
        }
        Ok(())
    }

    /// The packets of a block. `padding`: nanoseconds at its end that are no sound.
    fn frames(&mut self, block: &[u8], padding: u64) {
        let Some(track) = &self.track else { return };
        let Some((Some(number), used)) = mkv_track::number(block) else {
            return self.lose("a block is damaged".into());
        };
        let mut fields = Fields::of(&block[used..]);
        let (Some(time), Some(flags)) = (fields.u16(), fields.u8()) else {
            return self.lose("a block is damaged".into());
        };
        if number != track.number {
            if !self.numbers.contains(&number) {
                self.lose(format!("a block is of track {number}, which there is not"));
            }
            return;
        }
        let Some(packets) = mkv_track::unlace(flags, fields.rest()) else {
            return self.lose("a block is damaged".into());
        };
        let rate = u128::from(track.rate);
        let nanoseconds =
            u128::from(self.cluster.saturating_add_signed(i64::from(time as i16))) * u128::from(self.scale);
        let in_frames = |nanoseconds: u128| (nanoseconds * rate / 1_000_000_000).min(1 << 62) as u64;
        let at = in_frames(nanoseconds);
        let last = packets.len().saturating_sub(1);
        for (k, data) in packets.into_iter().enumerate() {
            let data = [&track.stripped, data].concat();
            let mut length = track.packet_length(&data);
            let mut fresh = false;
            if let Some(vorbis) = &track.vorbis {
                let block = vorbis.block(&data);
                length = self.block.zip(block).map_or(0, |(before, block)| (before + block) / 4);
                fresh = self.block.is_none();
                self.block = block;
            }
            let discard = if k == last { in_frames(padding.into()).min(length) } else { 0 };
            let at = (k == 0).then_some(at);
            self.steps.push_back(Step::Packet(Packet { data, at, length, discard, fresh }));
        }
    }
}
