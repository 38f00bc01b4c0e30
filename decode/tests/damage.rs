//! Damaged, cut off and joined files: what is lost is told, with its place and length, and everything else
//! keeps its time.

#![allow(clippy::unwrap_used)]

mod support;

use support::{Whole, data, lateness, pcm, read_bytes, reason, tone, wav};

fn whole(name: &str) -> Whole {
    read_bytes(&data(name)).unwrap()
}

/// Byte ranges of the sound in files of tests/data, where a wrong bit costs a packet or a page at most.
fn sound_of(name: &str) -> (Vec<u8>, usize, usize) {
    let file = data(name);
    let after = |mark: &[u8]| file.windows(mark.len()).rposition(|w| w == mark).unwrap() + mark.len();
    let (begin, end) = match name {
        "aac.m4a" => (after(b"mdat"), file.len()),
        "flac.flac" => (after(b"\xff\xf8") - 2, file.len()),
        "aac.mkv" => (after(b"\x1f\x43\xb6\x75") + 6, after(b"\x1c\x53\xbb\x6b") - 4),
        // The first page with sound follows the one with the headers.
        "vorbis.ogg" => {
            let pages: Vec<usize> =
                (0..file.len() - 4).filter(|&at| file[at..].starts_with(b"OggS")).collect();
            (pages[2], file.len())
        }
        _ => (0, file.len()),
    };
    (file, begin, end)
}

#[test]
fn one_bit_costs_a_packet_and_nothing_goes_without_a_word() {
    for name in ["plain.mp3", "adts.aac", "aac.m4a", "aac.mkv", "vorbis.ogg", "flac.flac", "layer2.mp2"] {
        let (file, begin, end) = sound_of(name);
        let before = whole(name);
        let mut losses = 0;
        for k in 0..120 {
            let at = begin + (end - begin) * k / 120;
            let mut file = file.clone();
            file[at] ^= 1 << (k % 8);
            let after = read_bytes(&file).unwrap_or_else(|reason| panic!("{name}, byte {at}: {reason}"));
            if after.lost.is_nothing() {
                assert_eq!(
                    after.frames(),
                    before.frames(),
                    "{name}, byte {at}: frames are gone without a word"
                );
                continue;
            }
            losses += 1;
            let gone = after.lost.bridged_frames + after.lost.missing_frames;
            let unknown = after.losses.iter().any(|loss| loss.frames.is_none());
            assert!(gone > 0 || unknown || after.lost.bytes_left > 0, "{name}, byte {at}: {:?}", after.lost);
            // A page of Ogg is a tenth of a second and more, a packet of the others at most 72 ms (with those
            // that need it).
            let most = if name == "vorbis.ogg" { 8000 } else { 4000 };
            assert!(after.frames() + most >= before.frames(), "{name}, byte {at}: {} frames", after.frames());
        }
        // MPEG audio has no checksum here, so most of its bits are heard and not seen.
        assert!(losses > 0, "{name}");
    }
}

/// Frames at which two recordings differ.
fn differing(a: &Whole, b: &Whole) -> Vec<usize> {
    a.samples.iter().zip(&b.samples).enumerate().filter(|(_, (a, b))| a != b).map(|(k, _)| k).collect()
}

#[test]
fn a_damaged_flac_frame_is_silence_of_its_own_length_at_its_own_place() {
    let mut file = data("flac.flac");
    file[12_000..12_200].iter_mut().for_each(|byte| *byte ^= 0x5a);
    let (before, after) = (whole("flac.flac"), read_bytes(&file).unwrap());
    assert_eq!(after.frames(), before.frames());
    let differing = differing(&before, &after);
    let (first, last) = (differing[0] / 1024 * 1024, differing[differing.len() - 1]);
    assert!(last < first + 1024, "{first} to {last}: one frame of 1,024");
    assert!(after.samples[first..first + 1024].iter().all(|&s| s == 0.0));
    let [loss] = &after.losses[..] else { panic!("{:?}", after.losses) };
    assert_eq!((loss.at_frame, loss.frames, loss.bridged), (first as u64, Some(1024), true));
    let seconds = first as f64 / 16_000.0;
    let told = format!(
        "at {seconds:.3} s (frame {first}) 0.064 s (1024 frames) are missing, silence stands in their place: the \
         checksum of a frame is wrong"
    );
    assert_eq!(loss.to_string(), told);
}

#[test]
fn a_file_that_is_cut_off_says_how_much_is_missing() {
    for (name, keep) in [("flac.flac", 12_000), ("info.mp3", 1500), ("aac.m4a", 2600), ("alac.caf", 9000)] {
        let file = &data(name)[..keep];
        // The packet table of this CAF is behind the sound.
        if name == "alac.caf" {
            assert!(reason(file).contains("packet table"), "{}", reason(file));
            continue;
        }
        let after = read_bytes(file).unwrap();
        let missing = after.lost.missing_frames + after.lost.bridged_frames;
        assert!(after.frames() < 8000 || after.lost.bridged_frames > 0, "{name}");
        assert_eq!(after.frames() as u64 + after.lost.missing_frames, 8000, "{name}: {:?}", after.losses);
        assert!(missing > 1000 && after.losses[0].frames.is_some(), "{name}: {:?}", after.losses);
    }
    let samples = pcm((0..1000).map(|k| tone(k, 16_000)));
    let cut = read_bytes(&wav(1, 1, 16_000, 16, &samples)[..1044]).unwrap();
    assert_eq!((cut.frames(), cut.lost.missing_frames, cut.declared), (500, 500, Some(1000)));
    // Ogg and Matroska do not say how much there was.
    for (name, keep) in [("vorbis.ogg", 3700), ("adts.aac", 1000)] {
        let after = read_bytes(&data(name)[..keep]).unwrap();
        assert!(!after.lost.is_nothing(), "{name}");
    }
}

#[test]
fn joined_files_are_read_to_their_end() {
    for (first, second) in [
        ("info.mp3", "info.mp3"),
        ("plain.mp3", "plain.mp3"),
        ("info.mp3", "plain.mp3"),
        ("plain.mp3", "info.mp3"),
        ("adts.aac", "adts.aac"),
        ("vorbis.ogg", "vorbis.ogg"),
        ("vorbis.ogg", "flac.ogg"),
        ("flac.ogg", "vorbis.ogg"),
        ("flac.flac", "flac.flac"),
        ("mu_law.wav", "ms_adpcm.wav"),
    ] {
        let joined = read_bytes(&[data(first), data(second)].concat()).unwrap();
        let (a, b) = (whole(first), whole(second));
        assert!(joined.lost.is_nothing(), "{first} + {second}: {:?}", joined.losses);
        assert_eq!(joined.frames(), a.frames() + b.frames(), "{first} + {second}");
        assert_eq!(joined.samples[..a.frames()], a.samples, "{first} + {second}");
        // Where no header says that another file begins, its first frames overlap with the last of the one
        // before.
        let skip = if second == "plain.mp3" || second == "adts.aac" { 2304 } else { 0 };
        let tail = &joined.samples[a.frames() + skip..];
        let off = tail.iter().zip(&b.samples[skip..]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // The decoder's noise (a tool of AAC) goes on.
        let close = if second == "adts.aac" { 0.02 } else { 1e-6 };
        assert!(off < close, "{first} + {second}: off by {off}");
    }
}

#[test]
fn a_file_that_goes_on_with_other_channels_is_mixed_or_duplicated() {
    let (mono, stereo) = (data("plain.mp3"), data("stereo.mp3"));
    let first_mono = read_bytes(&[&mono[..], &stereo, &stereo].concat()).unwrap();
    assert_eq!((first_mono.channels, first_mono.frames()), (1, 3 * 9216));
    assert_eq!(lateness(&first_mono.samples[9216..], 16_000).0, 1105);
    let first_stereo = read_bytes(&[&stereo[..], &mono].concat()).unwrap();
    assert_eq!((first_stereo.channels, first_stereo.frames()), (2, 2 * 9216));
    let (left, right) = (first_stereo.channel(0), first_stereo.channel(1));
    assert_eq!(left[9216..], right[9216..]);
    assert!(first_mono.lost.is_nothing() && first_stereo.lost.is_nothing());
}

#[test]
fn a_change_of_rate_is_silence_of_the_same_length_and_told() {
    let file = [data("plain.mp3"), data("half_rate.mp3"), data("plain.mp3")].concat();
    let after = read_bytes(&file).unwrap();
    // 5,184 frames at 8 kHz are 10,368 at 16 kHz.
    assert_eq!((after.sample_rate, after.frames()), (16_000, 9216 + 10_368 + 9216));
    let [loss] = &after.losses[..] else { panic!("{:?}", after.losses) };
    assert_eq!((loss.at_frame, loss.frames, loss.bridged), (9216, Some(10_368), true));
    assert!(loss.reason.contains("from 16000 to 8000 Hz"), "{}", loss.reason);
    assert_eq!(lateness(&after.samples[9216 + 10_368..], 16_000).0, 1105);
}

#[test]
fn a_hole_in_an_mp3_is_bridged() {
    let mut file = data("plain.mp3");
    // Four frames of 144 bytes in the middle, and the header of the fifth is whole.
    file[5 * 144..9 * 144].fill(0x55);
    let (before, after) = (whole("plain.mp3"), read_bytes(&file).unwrap());
    assert_eq!(after.frames(), before.frames());
    assert_eq!(after.losses.len(), 1, "{:?}", after.losses);
    assert_eq!((after.losses[0].at_frame, after.losses[0].bridged), (5 * 576, true));
    assert!((4 * 576..=6 * 576).contains(&after.lost.bridged_frames), "{:?}", after.lost);
    assert_eq!(after.samples[13 * 576..], before.samples[13 * 576..]);
}

#[test]
fn hundreds_of_errors_in_a_row_do_not_end_a_file() {
    let good = data("plain.mp3");
    let mut broken = good[..144].to_vec();
    // part2_3_length asks for bits that are not there.
    broken[4..13].fill(0xff);
    let file = [&good[..], &broken.repeat(500), &good].concat();
    let after = read_bytes(&file).unwrap();
    assert_eq!(after.frames(), 9216 + 500 * 576 + 9216);
    assert!(after.lost.skipped_packets >= 499, "{:?}", after.lost);
    assert!(after.losses.len() <= 64 && after.lost.places < 10, "{:?}", after.lost);
    let late = lateness(&after.samples[9216 + 500 * 576..], 16_000).0;
    assert_eq!(late, 1105, "what follows has its time");
}

#[test]
fn one_broken_aac_packet_does_not_look_like_a_broken_disk() {
    let file = data("aac.m4a");
    let sound = file.windows(4).position(|w| w == b"mdat").unwrap() + 4;
    let mut refused = 0;
    for at in (sound..file.len()).step_by(7) {
        let mut file = file.clone();
        file[at] ^= 0xff;
        match read_bytes(&file) {
            Ok(after) => assert_eq!(after.frames(), 8000, "byte {at}: {:?}", after.losses),
            Err(_) => refused += 1,
        }
    }
    assert_eq!(refused, 0);
}

#[test]
fn tags_and_zeros_before_the_sound_are_none_of_it() {
    let mp3 = data("plain.mp3");
    let tag = |body: &[u8], size: usize| {
        let size = [size >> 21, size >> 14, size >> 7, size].map(|part| (part & 0x7f) as u8);
        [b"ID3\x03\0\0", &size[..], body].concat()
    };
    // A picture full of headers that are none, and a frame that is longer than its tag.
    let picture = [&b"APIC\0\x04\0\0\0\0"[..], &[0xff, 0xfb, 0x90, 0x44, 0xff, 0xfb].repeat(50_000)].concat();
    let long_frame = b"TIT2\0\0\0\x0a\0\0\0hi";
    let trailer = [&b"TAG"[..], &[b' '; 125]].concat();
    for (what, file) in [
        ("a picture", [tag(&picture, picture.len()), mp3.clone()].concat()),
        ("a long frame", [tag(long_frame, long_frame.len()), mp3.clone()].concat()),
        ("zeros", [vec![0; 1_200_000], mp3.clone()].concat()),
        ("zeros in a tag", [tag(&[0; 3000], 1000), mp3.clone()].concat()),
        ("ID3v1", [mp3.clone(), trailer].concat()),
    ] {
        let after = read_bytes(&file).unwrap();
        assert_eq!(after.samples, whole("plain.mp3").samples, "{what}");
        assert!(after.lost.is_nothing(), "{what}: {:?}", after.losses);
    }
}

#[test]
fn bytes_behind_the_end_are_counted() {
    let junk: Vec<u8> = (0..1000u32).map(|k| (k * 89 % 251) as u8 | 1).collect();
    for name in ["mu_law.wav", "plain.mp3", "vorbis.ogg"] {
        let after = read_bytes(&[data(name), junk.clone()].concat()).unwrap();
        assert_eq!((after.frames(), after.lost.bytes_left), (whole(name).frames(), 1000), "{name}");
        assert_eq!(after.losses.len(), 1, "{name}: {:?}", after.losses);
    }
}

#[test]
fn a_lost_page_of_ogg_is_bridged() {
    for name in ["vorbis.ogg", "flac.ogg"] {
        let file = data(name);
        let pages: Vec<usize> = (0..file.len() - 4).filter(|&at| file[at..].starts_with(b"OggS")).collect();
        // Not the last, which says where the stream ends; behind the loss of the one before it, Vorbis has
        // nothing to overlap with.
        for page in 2..pages.len() - 2 {
            let without = [&file[..pages[page]], &file[pages[page + 1]..]].concat();
            let after = read_bytes(&without).unwrap();
            assert_eq!(after.frames(), 8000, "{name}, page {page}: {:?}", after.losses);
            assert!(after.lost.bridged_frames > 500, "{name}, page {page}: {:?}", after.lost);
            assert!(after.losses[0].reason.contains("page"), "{:?}", after.losses);
            let last = &after.samples[7990..];
            assert_eq!(last, &whole(name).samples[7990..], "{name}, page {page}: the end has its time");
        }
    }
}

/// Where the simple blocks of tests/data/aac.mkv begin and end.
fn blocks(file: &[u8]) -> Vec<(usize, usize)> {
    let cluster = file.windows(4).rposition(|w| w == b"\x1f\x43\xb6\x75").unwrap();
    let mut at = (cluster..file.len()).find(|&at| file[at] == 0xa3 && file[at + 3] == 0x81).unwrap();
    let mut blocks = Vec::new();
    while file[at] == 0xa3 {
        let (size, head) = match file[at + 1] {
            long @ 0x40..0x80 => (usize::from(long & 0x3f) << 8 | usize::from(file[at + 2]), 3),
            short => (usize::from(short & 0x7f), 2),
        };
        blocks.push((at, at + head + size));
        at += head + size;
    }
    blocks
}

#[test]
fn times_that_jump_are_a_gap_and_one_false_time_is_none() {
    let file = data("aac.mkv");
    let blocks = blocks(&file);
    assert!(blocks.len() > 6, "{blocks:?}");
    let before = whole("aac.mkv");
    // Two packets less, with nothing broken in the file.
    let without = [&file[..blocks[3].0], &file[blocks[4].1..]].concat();
    let after = read_bytes(&without).unwrap();
    let [loss] = &after.losses[..] else { panic!("{:?}", after.losses) };
    let first = loss.at_frame as usize;
    assert!(first.is_multiple_of(1024) && loss.bridged, "{loss:?}");
    assert!(
        loss.frames.is_some_and(|frames| frames.abs_diff(2048) <= 32),
        "{loss:?}: times are milliseconds"
    );
    let shift = after.frames() - before.frames() + 32;
    assert!(shift <= 64, "{} of {} frames", after.frames(), before.frames());
    assert_eq!(after.samples[..first], before.samples[..first], "before the gap");
    assert!(
        after.samples[first..first + 2000].iter().all(|&s| s == 0.0),
        "silence stands in the gap, not elsewhere"
    );
    assert!(after.samples[first + 3100..].iter().any(|&s| s.abs() > 0.3), "sound behind it");
    // One time that is four seconds late, then one that is early: the others say that nothing is missing.
    for time in [[0x10, 0], [0, 0]] {
        let mut false_time = file.clone();
        let at = blocks[4].0 + if file[blocks[4].0 + 1] < 0x80 { 4 } else { 3 };
        false_time[at..at + 2].copy_from_slice(&time);
        let after = read_bytes(&false_time).unwrap();
        assert!(after.lost.is_nothing(), "{:?}", after.losses);
        assert_eq!(after.samples, before.samples);
    }
}

#[test]
fn a_recording_can_be_read_on_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<auricle_decode::Recording>();
}
