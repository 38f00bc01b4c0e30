//! What a file is, by its first bytes: one of our formats, or something that has a name.

use crate::formats::{self, Format, Open, mpeg};
use crate::source::Source;

/// Zeros before the sound that are left out, bytes.
const MAX_ZEROS: u64 = 64 << 20;
/// How far MPEG audio and ADTS are searched for when the file does not begin with them, bytes.
const MAX_SEARCH: usize = 4 << 20;
/// Looked at together: three frames of either.
const WINDOW: usize = 3 * 8192;

/// Opens a file as what it is.
pub(crate) fn open(mut source: Source) -> Result<Box<dyn Format>, String> {
    if source.at_end()? {
        return Err(match source.is_file() {
            true => "is empty (0 bytes)".into(),
            false => "gave no bytes".into(),
        });
    }
    let begin = source.position();
    loop {
        if let Some(tag) = mpeg::id3v2(source.peek(10)?) {
            // A tag that is longer than the file hides nothing behind it.
            if source.left().is_some_and(|left| tag >= left) {
                source.skip(10)?;
                break;
            }
            source.skip(tag)?;
        } else if !skip_zeros(&mut source)? {
            break;
        }
        if source.position() - begin > MAX_ZEROS && source.peek(4)? == [0; 4] {
            break;
        }
    }
    if source.at_end()? {
        return Err("holds nothing but zeros and tags".into());
    }
    let head = source.peek(WINDOW)?;
    match known(head) {
        Some(Known::Ours(open)) => return open(source),
        Some(Known::Other(name)) => return Err(format!("is {name}")),
        None => {}
    }
    match search(&mut source)? {
        Some(open) => open(source),
        None => Err(unknown()),
    }
}

fn unknown() -> String {
    "is not an audio file of a known format (wav, aiff, caf, flac, ogg, mp3, aac, mp4/m4a, mkv/webm)".into()
}

/// Whether there were any.
fn skip_zeros(source: &mut Source) -> Result<bool, String> {
    let mut some = false;
    let begin = source.position();
    // A box of QuickTime begins with a length, so a few zeros may mean something.
    while source.peek(16)?.iter().all(|&b| b == 0) && source.position() - begin < MAX_ZEROS {
        let block = source.peek(1 << 16)?;
        let zeros = block.iter().position(|&b| b != 0).unwrap_or(block.len());
        if zeros == 0 {
            break;
        }
        source.consume(zeros);
        some = true;
    }
    Ok(some)
}

enum Known {
    Ours(Open),
    /// With its article, and what is to be said of it.
    Other(String),
}

fn known(head: &[u8]) -> Option<Known> {
    let at = |begin: usize, magic: &[u8]| head.get(begin..).is_some_and(|rest| rest.starts_with(magic));
    // What it begins with, and what its ninth byte begins.
    let ours: [(&[u8], &[u8], Open); 10] = [
        (b"RIFF", b"WAVE", formats::wav::open),
        (b"RIFX", b"WAVE", formats::wav::open),
        (b"RF64", b"WAVE", formats::wav::open),
        (b"BW64", b"WAVE", formats::wav::open),
        (b"riff\x2e\x91\xcf\x11", b"", formats::wav::open),
        (b"FORM", b"AIFF", formats::aiff::open),
        (b"FORM", b"AIFC", formats::aiff::open),
        (b"caff\0\x01", b"", formats::caf::open),
        (b"fLaC", b"", formats::flac::open),
        (b"OggS", b"", formats::ogg::open),
    ];
    if let Some((.., open)) = ours.iter().find(|(magic, form, _)| at(0, magic) && at(8, form)) {
        return Some(Known::Ours(*open));
    }
    if at(0, b"\x1a\x45\xdf\xa3") {
        return Some(Known::Ours(formats::mkv::open));
    }
    let boxes: [&[u8]; 7] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];
    if boxes.iter().any(|kind| at(4, kind)) {
        return Some(Known::Ours(formats::mp4::open));
    }
    if formats::adts::begins(head, head.len() < WINDOW) {
        return Some(Known::Ours(formats::adts::open));
    }
    if mpeg::begins(head, head.len() < WINDOW) {
        return Some(Known::Ours(mpeg::open));
    }
    other(head).map(Known::Other)
}

/// Sound that is not supported, and what is no sound at all.
fn other(head: &[u8]) -> Option<String> {
    let at = |begin: usize, magic: &[u8]| head.get(begin..).is_some_and(|rest| rest.starts_with(magic));
    let sounds: [(usize, &[u8], &str); 30] = [
        (0, b"#!AMR-WB", "AMR-WB"),
        (0, b"#!AMR", "AMR"),
        (0, b"OpusHead", "a bare Opus stream"),
        (0, b"wvpk", "WavPack"),
        (0, b"MAC ", "Monkey's Audio"),
        (0, b"TTA1", "TTA"),
        (0, b"MPCK", "Musepack"),
        (0, b"MP+", "Musepack"),
        (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (ASF)"),
        (0, b".snd", "Sun/NeXT audio (AU)"),
        (0, b"DSD ", "DSD (DSF)"),
        (0, b"FRM8", "DSD (DSDIFF)"),
        (0, b"ADIF", "AAC in ADIF"),
        (0, b"\x7f\xfe\x80\x01", "DTS"),
        (0, b"\xfe\x7f\x01\x80", "DTS"),
        (0, b"Creative Voice File", "Creative Voice (VOC)"),
        (0, b".RMF", "RealMedia"),
        (0, b".ra\xfd", "RealAudio"),
        (0, b"FLV\x01", "Flash video"),
        (8, b"AVI ", "AVI"),
        (8, b"8SVX", "8SVX"),
        (0, b"\0\0\x01\xba", "an MPEG program stream"),
        (0, b"Extended Module: ", "a tracker module"),
        (0, b"IMPM", "a tracker module"),
        (0, b"ajkg", "Shorten"),
        (0, b"OFR ", "OptimFROG"),
        (0, b"LPAC", "LPAC"),
        (0, b"tBaK", "TAK"),
        (0, b"NIST_1A", "NIST SPHERE"),
        (0, b"\x64\xa3\x01\0", "IRCAM"),
    ];
    if let Some((.., name)) = sounds.iter().find(|(begin, magic, _)| at(*begin, magic)) {
        return Some(format!("{name}, which is not supported"));
    }
    if at(0, b"\x0b\x77") && head.len() > 5 {
        let name = if head[5] >> 3 > 10 { "E-AC-3" } else { "AC-3" };
        return Some(format!("{name}, which is not supported"));
    }
    if [0, 188, 376].iter().all(|&begin| head.get(begin) == Some(&0x47)) {
        return Some("an MPEG transport stream, which is not supported".into());
    }
    // LATM in LOAS: 11 bits of sync, 13 of length, then the next.
    if let [0x56, second, third, ..] = head
        && second >> 5 == 7
        && at(3 + (usize::from(second & 31) << 8 | usize::from(*third)), b"\x56")
    {
        return Some("AAC in LATM, which is not supported".into());
    }
    let others: [(usize, &[u8], &str); 27] = [
        (0, b"MThd", "a MIDI file: it holds notes"),
        (8, b"RMID", "a MIDI file: it holds notes"),
        (0, b"\x89PNG", "a PNG image"),
        (0, b"\xff\xd8\xff", "a JPEG image"),
        (0, b"GIF8", "a GIF image"),
        (0, b"BM", "a BMP image"),
        (0, b"II*\0", "a TIFF image"),
        (0, b"MM\0*", "a TIFF image"),
        (8, b"WEBP", "a WebP image"),
        (0, b"8BPS", "a Photoshop image"),
        (0, b"%PDF", "a PDF document"),
        (0, b"PK\x03\x04", "a ZIP archive"),
        (0, b"PK\x05\x06", "an empty ZIP archive"),
        (0, b"\x1f\x8b", "a gzip archive"),
        (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (0, b"\xfd7zXZ\0", "an xz archive"),
        (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (0, b"BZh", "a bzip2 archive"),
        (0, b"Rar!", "a RAR archive"),
        (257, b"ustar", "a tar archive"),
        (0, b"\x7fELF", "a program (ELF)"),
        (0, b"MZ", "a program of Windows"),
        (0, b"\x93NUMPY", "a NumPy array"),
        (0, b"\x89HDF", "an HDF5 file"),
        (0, b"SQLite format 3", "an SQLite database"),
        (4, b"TFL3", "a TensorFlow Lite model"),
        (0, b"version https://git-lfs", "a pointer of Git LFS: the file itself was not fetched"),
    ];
    if let Some((.., name)) = others.iter().find(|(begin, magic, _)| at(*begin, magic)) {
        return Some(format!("not an audio file but {name}"));
    }
    // An ONNX model: field 1 (ir_version) as a small number, then the name of its producer or another field.
    if let [0x08, 1..=40, field, ..] = head
        && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72].contains(field)
    {
        return Some("not an audio file but an ONNX model".into());
    }
    let text = &head[..head.len().min(4096)];
    let is_text = text.iter().all(|&b| b >= 0x20 && b != 0x7f || matches!(b, b'\t' | b'\n' | b'\r' | 0x0c))
        && text.iter().filter(|&&b| b < 0x80).count() * 2 > text.len();
    is_text.then(|| "not an audio file but text".into())
}

/// Which of MPEG audio and ADTS comes first, as three frames in a row. Nothing is consumed: the format
/// reports what is before its first frame.
fn search(source: &mut Source) -> Result<Option<Open>, String> {
    let bytes = source.peek(MAX_SEARCH)?;
    let at_end = bytes.len() < MAX_SEARCH;
    for (at, _) in bytes.iter().enumerate().filter(|&(_, &byte)| byte == 0xff) {
        let bytes = &bytes[at..bytes.len().min(at + WINDOW)];
        let at_end = at_end && bytes.len() < WINDOW;
        if formats::adts::begins(bytes, at_end) {
            return Ok(Some(formats::adts::open));
        }
        if mpeg::begins(bytes, at_end) {
            return Ok(Some(mpeg::open));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_sound_has_a_name() {
        let name = |bytes: &[u8]| open(Source::memory(bytes.to_vec())).err().unwrap_or_default();
        let onnx = b"\x08\x08\x12\x07pytorch\x1a\x052.1.0";
        for (bytes, what) in [
            (&b"\x0b\x77\x12\x34\x00\x40\x2f\x84"[..], "is AC-3, which is not supported"),
            (b"\x0b\x77\x01\x3f\x00\x80\x2f\x84", "is E-AC-3"),
            (b"#!AMR\n\x3c\x08", "is AMR, which"),
            (b"MThd\0\0\0\x06\0\x01", "but a MIDI file"),
            (b"\x89PNG\r\n\x1a\n", "is not an audio file but a PNG image"),
            (b"PK\x03\x04\x14\0", "but a ZIP archive"),
            (onnx, "but an ONNX model"),
            (b"file,label\na.wav,dog\n", "is not an audio file but text"),
            (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "Windows Media"),
            (&[0; 100], "nothing but zeros"),
            (&[7, 200, 3, 9, 77, 0, 1, 2, 250, 9], "is not an audio file of a known format"),
            (b"", "is empty (0 bytes)"),
        ] {
            assert!(name(bytes).contains(what), "{}: not {what}", name(bytes));
        }
        let pipe = open(Source::pipe(std::io::empty())).err();
        assert_eq!(pipe.as_deref(), Some("gave no bytes"));
    }
}
