//! What the index of an MP4 file (its `moov` box) says of the first track with sound.

use super::esds;
use super::fields::Fields;
use super::mp4_samples::Tables;
use super::{Track, flac};
use crate::codec::Coding;
use crate::pcm::{Pcm, Sample};

/// The boxes in a body. One that is longer than the body ends with it.
pub(super) struct Boxes<'a>(pub &'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut fields = Fields::of(self.0);
        let (size, kind) = (fields.u32()?, fields.array::<4>()?);
        let (size, head) = match size {
            0 => (self.0.len() as u64, 8),
            1 => (fields.u64()?, 16),
            size => (size.into(), 8),
        };
        let end = usize::try_from(size).unwrap_or(usize::MAX).clamp(head, self.0.len().max(head));
        let body = self.0.get(head..end)?;
        self.0 = &self.0[end..];
        Some((kind, body))
    }
}

fn child<'a>(body: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let Some((first, rest)) = path.split_first() else { return Some(body) };
    let (_, body) = Boxes(body).find(|(kind, _)| kind == *first)?;
    child(body, rest)
}

pub(super) struct TrackBox {
    pub id: u32,
    pub track: Track,
    pub tables: Tables,
}

pub(super) struct Movie {
    /// The first track with sound; otherwise why there is none.
    pub track: Result<TrackBox, String>,
    /// Track, and default length and size of the samples in its fragments (`trex`).
    pub defaults: Vec<(u32, u32, u32)>,
    /// How many tracks there are, with sound or not.
    pub tracks: usize,
}

impl Movie {
    pub fn read(moov: &[u8]) -> Result<Self, String> {
        let scale = child(moov, &[b"mvhd"]).and_then(|mvhd| {
            let mut fields = Fields::of(mvhd);
            let long = fields.u32()? >> 24 == 1;
            fields.bytes(if long { 16 } else { 8 })?;
            fields.u32()
        });
        let mut track = Err("has no track with sound".to_owned());
        for (_, trak) in Boxes(moov).filter(|(kind, _)| kind == b"trak") {
            let handler = child(trak, &[b"mdia", b"hdlr"]).and_then(|hdlr| hdlr.get(8..12));
            if track.is_ok() || handler != Some(b"soun") {
                continue;
            }
            let read = read_track(trak, scale.unwrap_or(0), moov);
            // The first reason is the one that is reported.
            if read.is_ok()
                || track.as_ref().is_err_and(|reason: &String| reason == "has no track with sound")
            {
                track = read;
            }
        }
        let defaults = child(moov, &[b"mvex"]).map_or(Vec::new(), |mvex| {
            let boxes = Boxes(mvex).filter(|(kind, _)| kind == b"trex");
            boxes.filter_map(|(_, trex)| defaults(trex)).collect()
        });
        let tracks = Boxes(moov).filter(|(kind, _)| kind == b"trak").count();
        Ok(Self { track, defaults, tracks })
    }
}

fn defaults(trex: &[u8]) -> Option<(u32, u32, u32)> {
    let mut fields = Fields::of(trex);
    fields.u32()?;
    let track = fields.u32()?;
    fields.u32()?;
    Some((track, fields.u32()?, fields.u32()?))
}

fn read_track(trak: &[u8], movie_scale: u32, moov: &[u8]) -> Result<TrackBox, String> {
    let damaged = || "has a damaged index".to_owned();
    let id = child(trak, &[b"tkhd"]).and_then(|tkhd| {
        let mut fields = Fields::of(tkhd);
        let long = fields.u32()? >> 24 == 1;
        fields.bytes(if long { 16 } else { 8 })?;
        fields.u32()
    });
    let scale = child(trak, &[b"mdia", b"mdhd"]).and_then(|mdhd| {
        let mut fields = Fields::of(mdhd);
        let long = fields.u32()? >> 24 == 1;
        fields.bytes(if long { 16 } else { 8 })?;
        fields.u32().filter(|&scale| scale > 0)
    });
    let (id, scale) = (id.ok_or_else(damaged)?, scale.ok_or_else(damaged)?);
    let table = child(trak, &[b"mdia", b"minf", b"stbl"]).ok_or_else(damaged)?;
    let entry = child(table, &[b"stsd"]).and_then(|stsd| Boxes(stsd.get(8..)?).next()).ok_or_else(damaged)?;
    let sound = sound_of(&entry.0, entry.1)?;
    let tables = tables_of(table).ok_or_else(damaged)?;
    let mut track = Track::new(sound.coding, sound.channels, sound.rate);
    track.timescale = scale;
    // A coarse time scale rounds: two of its units.
    track.slack = if scale == sound.rate { 0 } else { 2 };
    let length = tables.length();
    let edit = child(trak, &[b"edts", b"elst"]).and_then(|elst| edit_of(elst, scale, movie_scale));
    match edit.or_else(|| gapless(moov)) {
        Some(edit) => {
            track.delay = edit.delay;
            let rest = length.saturating_sub(edit.delay);
            // The edit's length is rounded to the movie's time scale; the tables are exact.
            let exact = edit.length == 0 || edit.length.abs_diff(rest) <= edit.rounding;
            track.declared = Some(if exact { rest } else { edit.length });
            track.padded = !exact;
        }
        None => track.declared = Some(length),
    }
    if length == 0 {
        track.declared = None;
        track.padded = false;
    }
    Ok(TrackBox { id, track, tables })
}

/// What of a track is played, in its time scale.
struct Edit {
    delay: u64,
    length: u64,
    rounding: u64,
}

/// The first edit that is not empty, if it is the only one: where one stands for the encoder's delay. More
/// are the cuts of a film, which are not followed.
fn edit_of(elst: &[u8], scale: u32, movie_scale: u32) -> Option<Edit> {
    let mut fields = Fields::of(elst);
    let long = fields.u32()? >> 24 == 1;
    let count = fields.u32()?;
    let mut edits = Vec::new();
    for _ in 0..count.min(64) {
        let (length, start) = match long {
            true => (fields.u64()?, fields.u64()? as i64),
            false => (fields.u32()?.into(), i64::from(fields.u32()? as i32)),
        };
        fields.u32()?;
        if start >= 0 {
            edits.push((length, start as u64));
        }
    }
    let &[(length, delay)] = &edits[..] else { return None };
    let in_track = |time: u64| (u128::from(time) * u128::from(scale) / u128::from(movie_scale.max(1))) as u64;
    Some(Edit { delay, length: in_track(length), rounding: in_track(1) + 1 })
}

/// Apple's older way: a comment `iTunSMPB` with delay, padding and length as hexadecimal numbers.
fn gapless(moov: &[u8]) -> Option<Edit> {
    let at = moov.windows(8).position(|window| window == b"iTunSMPB")?;
    let text = moov.get(at + 8..moov.len().min(at + 8 + 160))?;
    let data = text.windows(4).position(|window| window == b"data")?;
    let text: String = text[data + 4..].iter().map(|&b| char::from(b)).skip_while(|c| *c == '\0').collect();
    let numbers: Vec<u64> = text
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(|word| word.len() >= 8)
        .map_while(|word| u64::from_str_radix(word, 16).ok())
        .collect();
    let &[_, delay, _, length, ..] = &numbers[..] else { return None };
    (delay > 0 && delay < 1 << 16 && length > 0).then_some(Edit { delay, length, rounding: 0 })
}

fn tables_of(table: &[u8]) -> Option<Tables> {
    let body = |kind: &[u8; 4]| child(table, &[kind]);
    let rows = |kind: &[u8; 4]| body(kind).and_then(|body| body.get(8..)).unwrap_or_default().to_vec();
    let mut tables =
        Tables { times: rows(b"stts"), chunks: rows(b"stsc"), offsets: rows(b"stco"), ..Tables::default() };
    if body(b"co64").is_some() {
        tables.offsets = rows(b"co64");
        tables.long_offsets = true;
    }
    let (sizes, compact) = match body(b"stsz") {
        Some(sizes) => (sizes, false),
        None => (body(b"stz2")?, true),
    };
    let mut fields = Fields::of(sizes);
    fields.u32()?;
    let size = fields.u32()?;
    tables.count = fields.u32()?;
    tables.size = if compact { 0 } else { size };
    tables.size_bits = if compact { (size & 0xff) as u8 } else { 32 };
    tables.sizes = fields.rest().to_vec();
    Some(tables)
}

struct Sound {
    coding: Coding,
    channels: u32,
    rate: u32,
}

/// A sample entry of `stsd`: its type and body.
fn sound_of(kind: &[u8; 4], body: &[u8]) -> Result<Sound, String> {
    let damaged = || "has a damaged sample description".to_owned();
    let mut fields = Fields::of(body);
    let parse = |f: &mut Fields| {
        f.bytes(8)?;
        let version = f.u16()?;
        f.bytes(6)?;
        let (channels, bits) = (f.u16()?, f.u16()?);
        f.bytes(4)?;
        Some((version, u32::from(channels), u32::from(bits), f.u32()? >> 16))
    };
    let (version, mut channels, mut bits, mut rate) = parse(&mut fields).ok_or_else(damaged)?;
    let mut flags = 0;
    match version {
        1 => {
            fields.bytes(16).ok_or_else(damaged)?;
        }
        2 => {
            let parse = |f: &mut Fields| {
                f.u32()?;
                let rate = f64::from_bits(f.u64()?);
                let channels = f.u32()?;
                f.u32()?;
                let (bits, flags) = (f.u32()?, f.u32()?);
                f.bytes(8)?;
                Some((rate, channels, bits, flags))
            };
            let (exact, count, size, how) = parse(&mut fields).ok_or_else(damaged)?;
            (rate, channels, bits, flags) = (exact as u32, count, size, how);
        }
        _ => {}
    }
    let boxes = fields.rest();
    let wave = child(boxes, &[b"wave"]).unwrap_or_default();
    let inner = |kind| child(boxes, &[kind]).or_else(|| child(wave, &[kind]));
    let little = inner(b"enda").is_some_and(|enda| enda.last() == Some(&1));
    let pcm = |sample, big_endian| Coding::Pcm(Pcm { sample, big_endian });
    let signed = |bits: u32| Sample::Signed(bits.div_ceil(8).clamp(1, 4) as u8);
    let coding = match kind {
        b"mp4a" | b"aac " => {
            let esds = inner(b"esds").and_then(esds::read).ok_or_else(damaged)?;
            match esds.object {
                0x40 | 0x66..=0x68 => Coding::Aac { config: esds.config.to_vec() },
                0x69 | 0x6b => Coding::Mpeg { layer: 3 },
                object => return Err(unsupported(&object_name(object))),
            }
        }
        b".mp3" | b"ms\0\x55" => Coding::Mpeg { layer: 3 },
        b"alac" => {
            let cookie = inner(b"alac").and_then(|body| body.get(4..)).ok_or_else(damaged)?;
            Coding::Alac { cookie: cookie.to_vec() }
        }
        b"fLaC" => {
            let info = inner(b"dfLa").and_then(|body| flac::Info::of(body.get(8..)?)).ok_or_else(damaged)?;
            (channels, rate) = (info.channels, info.rate);
            Coding::Flac { info: info.body }
        }
        b"sowt" => pcm(signed(bits), false),
        b"twos" | b"NONE" if bits > 8 || kind == b"twos" => pcm(signed(bits), true),
        b"raw " | b"NONE" => pcm(Sample::Unsigned8, true),
        b"in24" => pcm(Sample::Signed(3), !little),
        b"in32" => pcm(Sample::Signed(4), !little),
        b"fl32" => pcm(Sample::Float(4), !little),
        b"fl64" => pcm(Sample::Float(8), !little),
        b"alaw" => pcm(Sample::ALaw, true),
        b"ulaw" => pcm(Sample::MuLaw, true),
        b"lpcm" => match (flags & 1 != 0, bits) {
            (true, 32 | 64) => pcm(Sample::Float((bits / 8) as u8), flags & 2 != 0),
            (false, 1..=8) if flags & 4 == 0 => pcm(Sample::Unsigned8, true),
            (false, 1..=32) => pcm(signed(bits), flags & 2 != 0),
            _ => return Err(damaged()),
        },
        b"ipcm" | b"fpcm" => {
            let config = inner(b"pcmC").and_then(|body| body.get(4..6)).ok_or_else(damaged)?;
            let size = u32::from(config[1]);
            let sample =
                if kind == b"fpcm" { Sample::Float((size / 8).clamp(4, 8) as u8) } else { signed(size) };
            pcm(sample, config[0] & 1 == 0)
        }
        other => return Err(unsupported(&entry_name(other))),
    };
    Ok(Sound { coding, channels, rate })
}

fn unsupported(name: &str) -> String {
    format!("is {name} in MP4, which is not supported")
}

/// Object types that MP4RA lists.
fn object_name(object: u8) -> String {
    match object {
        0xa5 => "AC-3".into(),
        0xa6 => "E-AC-3".into(),
        0xa9..=0xac => "DTS".into(),
        0xad => "Opus".into(),
        0xdd => "Vorbis".into(),
        0xe1 => "QCELP".into(),
        object => format!("a coding of the object type 0x{object:02x}"),
    }
}

fn entry_name(kind: &[u8; 4]) -> String {
    match kind {
        b"ac-3" | b"sac3" => "AC-3".into(),
        b"ec-3" => "E-AC-3".into(),
        b"ac-4" => "AC-4".into(),
        b"Opus" => "Opus".into(),
        b"samr" => "AMR".into(),
        b"sawb" => "AMR-WB".into(),
        b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" => "DTS".into(),
        b"ima4" => "IMA ADPCM".into(),
        b"enca" | b"drms" => "encrypted sound".into(),
        b"mhm1" | b"mha1" => "MPEG-H".into(),
        other => format!("the coding \"{}\"", String::from_utf8_lossy(other).escape_debug()),
    }
}
