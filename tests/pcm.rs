//! Sample formats and the judge of samples.

mod support;

use auricle::stages::pcm::{Downmix, Format, Frames, Stats};
use support::{Random, allocations};

const FORMATS: [Format; 6] = [Format::U8, Format::I16, Format::I24, Format::I32, Format::F32, Format::F64];

fn one(format: Format, bytes: &[u8]) -> f32 {
    let mut out = [f32::NAN];
    let block = Frames::interleaved(format, 1, bytes).expect("one sample");
    assert_eq!(block.convert(0, &mut out), 1);
    out[0]
}

#[test]
fn every_extreme_value_is_exact() {
    for byte in 0..=255_u8 {
        assert_eq!(one(Format::U8, &[byte]), (f32::from(byte) - 128.0) / 128.0);
    }
    for value in i16::MIN..=i16::MAX {
        assert_eq!(f64::from(one(Format::I16, &value.to_ne_bytes())), f64::from(value) / 32_768.0);
    }
    for value in [-8_388_608, -8_388_607, -65_536, -256, -1, 0, 1, 255, 32_768, 8_388_606, 8_388_607_i32] {
        let bytes = value.to_le_bytes();
        assert_eq!(f64::from(one(Format::I24, &bytes[..3])), f64::from(value) / 8_388_608.0, "{value}");
    }
    for (value, expected) in
        [(i32::MIN, -1.0), (-1, -1.0 / 2_147_483_648.0), (0, 0.0), (1 << 30, 0.5), (i32::MAX, 1.0)]
    {
        assert_eq!(one(Format::I32, &value.to_ne_bytes()), expected, "{value}");
    }
    for value in [f32::MIN, -1.0, -f32::MIN_POSITIVE, 1e-45, 0.0, 1.0, f32::MAX, f32::INFINITY] {
        assert_eq!(one(Format::F32, &value.to_ne_bytes()), value);
    }
    assert!(one(Format::F32, &f32::NAN.to_ne_bytes()).is_nan());
    for (value, expected) in [(1.0, 1.0), (-0.1, -0.1_f32), (1e300, f32::INFINITY), (1e-300, 0.0)] {
        assert_eq!(one(Format::F64, &f64::to_ne_bytes(value)), expected);
    }
    assert!(one(Format::F64, &f64::NAN.to_ne_bytes()).is_nan());
}

#[test]
fn format_numbers_are_fixed() {
    for (number, (format, bytes)) in (1..).zip(FORMATS.into_iter().zip([1, 2, 3, 4, 4, 8])) {
        assert_eq!(format as i32, number);
        assert_eq!(Format::try_from(number).expect("valid"), format);
        assert_eq!(format.bytes(), bytes);
    }
    for number in [0, 7, -1, i32::MAX] {
        let error = Format::try_from(number).expect_err("invalid");
        assert_eq!(error.message(), format!("format is {number}; valid 1..=6"));
    }
}

/// Interleaved and planar, at an odd address, in pieces: the same samples, none twice, none missing.
#[test]
fn layouts_alignment_and_pieces_agree() {
    let mut random = Random(11);
    const FRAMES: usize = 101;
    for format in FORMATS {
        for channels in 1..=8 {
            let size = format.bytes();
            let mut storage = vec![0_u8; 1 + FRAMES * channels * size];
            storage.iter_mut().for_each(|byte| *byte = random.next() as u8);
            let data = &storage[1..];
            let mut planes = vec![Vec::new(); channels];
            for (index, sample) in data.chunks_exact(size).enumerate() {
                planes[index % channels].extend_from_slice(sample);
            }
            let planes: Vec<&[u8]> = planes.iter().map(Vec::as_slice).collect();

            let expected: Vec<u32> =
                data.chunks_exact(size).map(|bytes| one(format, bytes).to_bits()).collect();
            for block in [
                Frames::interleaved(format, channels, data).expect("whole frames"),
                Frames::planar(format, &planes).expect("equal planes"),
            ] {
                assert_eq!((block.count(), block.channels()), (FRAMES, channels));
                let mut out = vec![0.0; FRAMES * channels];
                let mut first = 0;
                while first < FRAMES {
                    let piece = (first + 1 + random.next() as usize % 40).min(FRAMES);
                    let done = block.convert(first, &mut out[first * channels..piece * channels]);
                    assert_eq!(done, piece - first);
                    first = piece;
                }
                let got: Vec<u32> = out.iter().map(|x| x.to_bits()).collect();
                assert_eq!(got, expected, "{format:?}, {channels} channels");
                assert_eq!(block.convert(FRAMES, &mut out), 0);
                assert_eq!(block.convert(usize::MAX, &mut out), 0);
            }
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused_with_the_numbers() {
    let data = [0_u8; 64];
    let message = |result: auricle::Result<Frames>| result.expect_err("invalid").message().to_owned();
    assert_eq!(message(Frames::interleaved(Format::I16, 0, &data)), "channels is 0; valid 1..=8");
    assert_eq!(message(Frames::interleaved(Format::I16, 9, &data)), "channels is 9; valid 1..=8");
    assert!(message(Frames::interleaved(Format::I24, 2, &data[..13])).starts_with("data is 13 bytes"));
    assert_eq!(message(Frames::planar(Format::F32, &[])), "channels is 0; valid 1..=8");
    assert!(message(Frames::planar(Format::F32, &[&data, &data[..60]])).starts_with("channel 1 is 60 bytes"));
    assert!(
        message(Frames::planar(Format::F32, &[&data[..7], &data[..7]])).starts_with("channel 0 is 7 bytes")
    );
    assert_eq!(Downmix::new(9).expect_err("invalid").message(), "channels is 9; valid 1..=8");
    assert_eq!(Frames::interleaved(Format::F64, 3, &[]).expect("no frames are fine").count(), 0);
}

#[test]
fn samples_are_judged_per_frame() {
    let just_below = f32::from_bits((32_767.0_f32 / 32_768.0).to_bits() - 1);
    let frames: [[f32; 2]; 10] = [
        [0.5, -0.25],
        [f32::NAN, 0.5],
        [f32::INFINITY, f32::NEG_INFINITY],
        [1e9, 0.0],
        [1.000_001e9, -0.5],
        [just_below, just_below],
        [32_767.0 / 32_768.0, 0.0],
        [0.0, -1.0],
        [1.0, 1.0],
        [f32::NAN, 1.0],
    ];
    let mut mono = [f32::NAN; 10];
    let mut stats = Stats::default();
    let done = Downmix::new(2).expect("stereo").mix(frames.as_flattened(), &mut mono, &mut stats);
    assert_eq!(done, 10);
    assert_eq!(mono, [0.125, 0.25, 0.0, 5e8, -0.25, just_below, 32_767.0 / 65_536.0, -0.5, 1.0, 0.5]);
    assert_eq!((stats.frames, stats.non_finite), (10, 4));
    // 1e9, 32767/32768, -1, 1 and the 1 beside a NaN.
    assert_eq!(stats.clipped, 5);
    assert_eq!(stats.peak, 1e9);
    assert_eq!(stats.sum, mono.iter().map(|&x| f64::from(x)).sum::<f64>());
    assert_eq!(stats.sum_squares, mono.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>());
}

#[test]
fn cuts_change_neither_samples_nor_statistics() {
    let mut random = Random(23);
    for channels in 1..=8 {
        let downmix = Downmix::new(channels).expect("valid");
        let input: Vec<f32> = (0..1_000 * channels)
            .map(|_| if random.next().is_multiple_of(97) { f32::NAN } else { 1.01 * random.sample() })
            .collect();
        let (mut whole, mut cut) = (vec![0.0; 1_000], vec![0.0; 1_000]);
        let mut stats = Stats::default();
        downmix.mix(&input, &mut whole, &mut stats);
        assert!(stats.clipped > 0 && stats.non_finite > 0);

        let (mut one, mut merged, mut first) = (Stats::default(), Stats::default(), 0);
        while first < 1_000 {
            let last = (first + 1 + random.next() as usize % 99).min(1_000);
            let (from, to) = (&input[first * channels..last * channels], &mut cut[first..last]);
            downmix.mix(from, to, &mut one);
            let mut part = Stats::default();
            downmix.mix(from, to, &mut part);
            merged.merge(&part);
            first = last;
        }
        assert_eq!(cut, whole);
        assert_eq!(one, stats);
        assert!(
            (merged.sum - stats.sum).abs() < 1e-9 && (merged.sum_squares - stats.sum_squares).abs() < 1e-9
        );
        assert_eq!(
            Stats { sum: 0.0, sum_squares: 0.0, ..merged },
            Stats { sum: 0.0, sum_squares: 0.0, ..stats }
        );
    }
}

#[test]
fn nothing_allocates() {
    let data = [0x55_u8; 9_600];
    let (mut out, mut mono) = (vec![0.0; 9_600], vec![0.0; 9_600]);
    let downmix = Downmix::new(2).expect("stereo");
    let count = allocations(|| {
        for format in FORMATS {
            let planes: [&[u8]; 2] = [&data, &data];
            for block in [Frames::interleaved(format, 2, &data), Frames::planar(format, &planes)] {
                let frames = block.expect("whole frames").convert(0, &mut out);
                downmix.mix(&out[..2 * frames], &mut mono, &mut Stats::default());
            }
        }
    });
    assert_eq!(count, 0);
}
