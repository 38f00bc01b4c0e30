//! MP4, M4A and QuickTime (ISO 14496-12): one index, or fragments.

use super::fields::Fields;
use super::mp4_samples::{Sample, Tables, Walk};
use super::mp4_track::{Boxes, Movie, TrackBox};
use super::{Format, MAX_PACKET, Packet, Step, Track};
use crate::codec::Coding;
use crate::source::Source;

/// The index of a film of a day is smaller, bytes.
const MAX_INDEX: u64 = 256 << 20;
/// Samples of PCM that are handed out at once.
const FRAMES: u32 = 4096;

struct Mp4 {
    source: Source,
    track: Option<Track>,
    tables: Tables,
    walk: Walk,
    /// Bytes of one frame of PCM; 0 if the sound is compressed.
    frame: u32,
    /// AAC and MP3: the last packet decodes to more than it is long.
    fixed_length: bool,
    /// Length of the packet before, and of all so far.
    length: u32,
    position: u64,
    fragments: Option<Fragments>,
    /// There are other tracks, which data may belong to.
    others: bool,
    /// Ends of the `mdat` boxes.
    data_ends: Vec<u64>,
    /// Where the last packet ends.
    end: u64,
    behind: u64,
}

/// Where fragments are read on, and what they do not say themselves.
struct Fragments {
    track: u32,
    /// Default length and size of a sample (`trex`).
    defaults: (u32, u32),
    next_box: u64,
    /// A `moof` box with samples has come, and the `mdat` after it has not.
    described: bool,
    /// The next `mdat` is accounted for, by us or by another track.
    known: bool,
    /// The last box is longer than the file, or has no sane name.
    overrun: bool,
    /// Bytes of an `mdat` for which none has come.
    undescribed: Option<u64>,
    runs: std::collections::VecDeque<Run>,
}

/// A `trun`: samples in a row.
struct Run {
    offset: u64,
    /// Time of the first sample.
    at: Option<u64>,
    left: u32,
    fields: Vec<u8>,
    /// Where in `fields` the next sample is.
    next: usize,
    flags: u32,
    defaults: (u32, u32),
}

/// The head of a top-level box: type, where its body begins, where it ends (`None`: with the file).
type Head = ([u8; 4], u64, Option<u64>);

/// The head of the box here, which is not consumed.
fn peek_box(source: &mut Source) -> Result<Option<Head>, String> {
    let begin = source.position();
    let mut fields = Fields::of(source.peek(16)?);
    let (Some(size), Some(kind)) = (fields.u32(), fields.array::<4>()) else { return Ok(None) };
    let (head, size) = match size {
        0 => return Ok(Some((kind, begin + 8, None))),
        1 => (16, fields.u64().unwrap_or(16)),
        size => (8, size.into()),
    };
    Ok(Some((kind, begin + head, Some(begin.saturating_add(size).max(begin + head)))))
}

pub(crate) fn open(mut source: Source) -> Result<Box<dyn Format>, String> {
    let (mut movie, mut data_ends) = (None, Vec::new());
    let next_box = loop {
        let begin = source.position();
        let Some((kind, body, end)) = peek_box(&mut source)? else { break begin };
        if &kind == b"mdat" && data_ends.len() < 1024 {
            let size = source.left().map(|left| begin + left);
            data_ends.push(end.unwrap_or(u64::MAX).min(size.unwrap_or(0)));
        }
        match &kind {
            b"moov" if movie.is_none() => {
                let size = end.map_or(MAX_INDEX, |end| end - body);
                if size > MAX_INDEX {
                    return Err(format!("has an index of {size} bytes; at most {MAX_INDEX} are read"));
                }
                source.seek(body)?;
                movie = Some(Movie::read(&source.take(size as usize)?)?);
            }
            b"mdat" | b"moof" if movie.is_some() => break begin,
            b"mdat" if !source.is_file() => {
                return Err("is an MP4 file with its index at its end, which cannot be read from a pipe; \
                     give its name, or move the index to the front (\"faststart\")"
                    .into());
            }
            _ => {}
        }
        match end {
            Some(end) => {
                source.seek(end.min(source.left().map_or(end, |left| source.position() + left).max(body)))?
            }
            None => break begin,
        }
    };
    let movie = movie.ok_or("has no index (moov box): it was never finished, or its end is missing")?;
    let TrackBox { id, track, tables } = movie.track?;
    let (frame, fixed_length) = match &track.coding {
        Coding::Pcm(pcm) => (track.channels * pcm.bytes() as u32, false),
        coding => (0, matches!(coding, Coding::Aac { .. } | Coding::Mpeg { .. })),
    };
    let mut tables = tables;
    // QuickTime says 1 for PCM of any size.
    if frame > 0 {
        tables.size = tables.size.max(frame);
    }
    let runs = Default::default();
    let defaults = movie.defaults.iter().find(|&&(track, ..)| track == id);
    let fragments = defaults.map(|&(track, length, size)| Fragments {
        track,
        defaults: (length, size),
        next_box,
        described: false,
        known: false,
        overrun: false,
        undescribed: None,
        runs,
    });
    Ok(Box::new(Mp4 {
        source,
        track: Some(track),
        tables,
        walk: Walk::default(),
        frame,
        fixed_length,
        length: 0,
        position: 0,
        fragments,
        others: movie.tracks > 1,
        data_ends: if movie.tracks == 1 { data_ends } else { Vec::new() },
        end: 0,
        behind: 0,
    }))
}

impl Format for Mp4 {
    fn next(&mut self) -> Result<Step, String> {
        if let Some(track) = self.track.take() {
            return Ok(Step::Track(Box::new(track)));
        }
        loop {
            if let Some((sample, count)) = self.walk.next(&self.tables, FRAMES * self.frame) {
                if sample.size > 0 {
                    return self.packet(sample, count, None);
                }
            } else if let Some((sample, count, at)) = self.fragment_sample()? {
                if sample.size > 0 {
                    return self.packet(sample, count, at);
                }
            } else if let Some(bytes) = self.fragments.as_mut().and_then(|f| f.undescribed.take()) {
                let reason = format!("nothing describes {bytes} bytes of sound: a fragment is damaged");
                return Ok(Step::Damage { length: None, reason });
            } else {
                // Of the box that the last packet is in: what no packet has been read from.
                let end = self.data_ends.iter().find(|&&end| end >= self.end).filter(|_| self.end > 0);
                let behind = end.map_or(0, |end| end - self.end);
                self.data_ends.clear();
                return Ok(Step::End { bytes_left: behind + self.behind });
            }
        }
    }
}

impl Mp4 {
    fn packet(&mut self, sample: Sample, count: u32, at: Option<u64>) -> Result<Step, String> {
        let size = u64::from(sample.size) * u64::from(count);
        let length = u64::from(sample.length) * u64::from(count);
        if size > MAX_PACKET as u64 {
            let reason = format!("a packet of {size} bytes; at most {MAX_PACKET} are read");
            return Ok(Step::Damage { length: Some(length), reason });
        }
        let skippable = self.source.left().is_none_or(|left| sample.offset <= self.source.position() + left);
        let data = if skippable {
            self.source.seek(sample.offset)?;
            self.source.take(size as usize)?
        } else {
            Vec::new()
        };
        self.position += length;
        self.end = sample.offset + data.len() as u64;
        if (data.len() as u64) < size {
            return Ok(self.cut_off(length));
        }
        let padded = self.fixed_length && self.walk.at_end(&self.tables) && self.fragments.is_none();
        let full = u64::from(self.length).max(length);
        self.length = sample.length;
        Ok(Step::Packet(match padded {
            true => Packet { data, at, length: full, discard: full - length, fresh: false },
            false => Packet { data, at, length, ..Packet::default() },
        }))
    }

    /// The file ends, or the sample is not in it. The rest of an index is not tried one by one.
    fn cut_off(&mut self, length: u64) -> Step {
        let rest = self.tables.length().saturating_sub(self.position);
        self.walk = Walk::default();
        self.tables = Tables::default();
        self.fragments = None;
        self.data_ends.clear();
        let reason = "the file ends before its sound does".into();
        Step::Damage { length: Some(length + rest), reason }
    }

    /// The next sample of a fragment; `None` at the end, and where data is found that nothing describes.
    fn fragment_sample(&mut self) -> Result<Option<(Sample, u32, Option<u64>)>, String> {
        let Some(fragments) = &mut self.fragments else { return Ok(None) };
        loop {
            // The head of the data's box is read before the data, since a pipe cannot go back.
            if let Some(run) = fragments.runs.front_mut().filter(|_| !fragments.described) {
                match run.next(FRAMES, self.frame) {
                    Some(sample) => return Ok(Some(sample)),
                    None => fragments.runs.pop_front(),
                };
                continue;
            }
            if fragments.undescribed.is_some() {
                return Ok(None);
            }
            let size = self.source.left().map(|left| self.source.position() + left);
            let at_end = size.is_some_and(|size| fragments.next_box >= size);
            let next = if at_end {
                None
            } else {
                self.source.seek(fragments.next_box)?;
                peek_box(&mut self.source)?
                    .filter(|&(_, _, end)| end.is_none_or(|end| end > fragments.next_box))
            };
            let Some((kind, body, end)) = next else {
                if std::mem::take(&mut fragments.described) {
                    continue;
                }
                self.behind +=
                    size.filter(|_| fragments.overrun).map_or(0, |size| size.saturating_sub(self.end));
                fragments.overrun = false;
                return Ok(None);
            };
            let end_of_file = size.unwrap_or(u64::MAX);
            let end = end.unwrap_or(end_of_file);
            // A damaged length, or a file that is cut off: what follows cannot be found.
            fragments.overrun = end > end_of_file || !kind.iter().all(u8::is_ascii_alphanumeric);
            match &kind {
                b"moof" => {
                    self.source.seek(body)?;
                    let moof = self.source.take((end - body).min(MAX_INDEX) as usize)?;
                    fragments.read(&moof, fragments.next_box);
                    fragments.described = !fragments.runs.is_empty();
                    fragments.known = fragments.described || self.others;
                }
                b"mdat" => {
                    fragments.described = false;
                    if !std::mem::take(&mut fragments.known) && self.end <= body {
                        fragments.undescribed = Some(end - body);
                    }
                }
                _ => {}
            }
            fragments.next_box = if fragments.overrun { u64::MAX } else { end };
        }
    }
}

impl Fragments {
    /// A `moof` box that begins at `begin`.
    fn read(&mut self, moof: &[u8], begin: u64) {
        for (_, traf) in Boxes(moof).filter(|(kind, _)| kind == b"traf") {
            let mut head = (begin, self.defaults);
            let (mut ours, mut at, mut end) = (false, None, None);
            for (kind, body) in Boxes(traf) {
                match &kind {
                    b"tfhd" => ours = self.header(body, &mut head).unwrap_or(false),
                    b"tfdt" => {
                        let mut fields = Fields::of(body);
                        let long = fields.u32().is_some_and(|version| version >> 24 == 1);
                        at = if long { fields.u64() } else { fields.u32().map(u64::from) };
                    }
                    b"trun" if ours => {
                        let Some(run) = Run::read(body, head, at.take(), end) else { continue };
                        end = Some(run.end());
                        self.runs.push_back(run);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether a `tfhd` is about our track; where its data begins, and its defaults.
    fn header(&self, body: &[u8], (base, defaults): &mut (u64, (u32, u32))) -> Option<bool> {
        let mut fields = Fields::of(body);
        let flags = fields.u32()?;
        if fields.u32()? != self.track {
            return Some(false);
        }
        if flags & 1 != 0 {
            *base = fields.u64()?;
        }
        if flags & 2 != 0 {
            fields.u32()?;
        }
        if flags & 8 != 0 {
            defaults.0 = fields.u32()?;
        }
        if flags & 0x10 != 0 {
            defaults.1 = fields.u32()?;
        }
        Some(true)
    }
}

impl Run {
    fn read(body: &[u8], head: (u64, (u32, u32)), at: Option<u64>, after: Option<u64>) -> Option<Self> {
        let (base, defaults) = head;
        let mut fields = Fields::of(body);
        let (flags, left) = (fields.u32()? & 0xff_ffff, fields.u32()?);
        let offset = match flags & 1 {
            0 => after.unwrap_or(base),
            _ => base.checked_add_signed(i64::from(fields.u32()? as i32))?,
        };
        if flags & 4 != 0 {
            fields.u32()?;
        }
        Some(Self { offset, at, left, fields: fields.rest().to_vec(), next: 0, flags, defaults })
    }

    /// Length and size of the sample at `at` of the fields, and how long its fields are.
    fn sample(&self, at: usize) -> Option<(u32, u32, usize)> {
        let (mut length, mut size) = self.defaults;
        let mut fields = Fields::of(self.fields.get(at..)?);
        let before = fields.left();
        for (flag, value) in
            [(0x100, Some(&mut length)), (0x200, Some(&mut size)), (0x400, None), (0x800, None)]
        {
            if self.flags & flag != 0 {
                let read = fields.u32()?;
                if let Some(value) = value {
                    *value = read;
                }
            }
        }
        Some((length, size, before - fields.left()))
    }

    /// Where the data of the run ends.
    fn end(&self) -> u64 {
        let (mut at, mut end) = (0, self.offset);
        for _ in 0..self.left {
            let Some((_, size, used)) = self.sample(at) else { break };
            end = end.saturating_add(size.into());
            at += used;
            if used == 0 {
                return self.offset.saturating_add(u64::from(self.left) * u64::from(size));
            }
        }
        end
    }

    /// The next sample; of PCM with samples of one size as many as make `frames`.
    fn next(&mut self, frames: u32, pcm: u32) -> Option<(Sample, u32, Option<u64>)> {
        let (length, size, used) = self.sample(self.next).filter(|_| self.left > 0)?;
        self.next += used;
        let alike = used == 0 && pcm > 0 && size > 0;
        let count = if alike { (frames * pcm / size).clamp(1, self.left) } else { 1 };
        let sample = Sample { offset: self.offset, size, length };
        // A run of nothing would go on for as long as its count says.
        self.left = if size == 0 && used == 0 { 0 } else { self.left - count };
        self.offset = self.offset.saturating_add(u64::from(size) * u64::from(count));
        Some((sample, count, self.at.take()))
    }
}
