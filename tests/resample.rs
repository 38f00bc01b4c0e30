//! The resampler as a stream: lengths, times, cuts, reset, allocations. Its filters are measured elsewhere.

mod support;

use auricle::stages::resample::Resampler;
use support::{Random, allocations};

/// Listed rates, awkward ones and co-prime ones.
const PAIRS: [(u32, u32); 19] = [
    (44_100, 16_000),
    (48_000, 16_000),
    (8_000, 16_000),
    (11_025, 16_000),
    (16_000, 44_100),
    (192_000, 16_000),
    (22_050, 48_000),
    (96_000, 8_000),
    (16_000, 16_000),
    (44_099, 16_000),
    (44_099, 44_100),
    (8_001, 384_000),
    (383_999, 8_000),
    (37_123, 22_050),
    (48_000, 1_000),
    (1_000, 44_100),
    (2_000, 4_000),
    (383_999, 1_000),
    (1_001, 384_000),
];

fn convert(resampler: &mut Resampler, input: &[f32], cuts: impl IntoIterator<Item = usize>) -> Vec<f32> {
    let mut out = Vec::new();
    let mut rest = input;
    for cut in cuts {
        let (now, later) = rest.split_at(cut.min(rest.len()));
        resampler.push(now, |samples| out.extend_from_slice(samples));
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    resampler.push(rest, |samples| out.extend_from_slice(samples));
    resampler.finish(|samples| out.extend_from_slice(samples));
    out
}

#[test]
fn output_has_the_exact_length() {
    for (from, to) in PAIRS {
        let mut resampler = Resampler::new(from, to).expect("valid rates");
        for frames in [0, 1, 2, 159, 441, 1_000, 20_011] {
            let out = convert(&mut resampler, &vec![0.5; frames], []);
            let expected = (frames as u64 * u64::from(to)).div_ceil(from.into());
            assert_eq!(out.len() as u64, expected, "{from} -> {to}, {frames} frames");
        }
    }
}

#[test]
fn cuts_do_not_change_one_bit() {
    let mut random = Random(7);
    let input: Vec<f32> = (0..30_000).map(|_| random.sample()).collect();
    for (from, to) in PAIRS {
        let mut resampler = Resampler::new(from, to).expect("valid rates");
        let whole = convert(&mut resampler, &input, []);
        assert_eq!(convert(&mut resampler, &input, [1; 3_000]), whole, "{from} -> {to}, single frames");
        let cuts: Vec<usize> = (0..400).map(|_| (random.next() % 700) as usize).collect();
        assert_eq!(convert(&mut resampler, &input, cuts), whole, "{from} -> {to}, random cuts");
    }
}

/// Centre of mass of the squared output is the impulse's time if the filter is symmetric and its delay is gone.
#[test]
fn an_impulse_comes_out_at_its_own_time() {
    for (from, to) in PAIRS {
        let mut resampler = Resampler::new(from, to).expect("valid rates");
        // Room for the filter, which is as long as the lower rate wants it.
        let scale = (from / to).div_ceil(48).max(1) as usize;
        for at in [4_321, 9_999, 12_000].map(|at| at * scale) {
            let mut input = vec![0.0; 24_000 * scale];
            input[at] = 1.0;
            let out = convert(&mut resampler, &input, []);
            let expected = at as f64 * f64::from(to) / f64::from(from);
            let (mut sum, mut moment) = (0.0, 0.0);
            for (m, &y) in out.iter().enumerate() {
                let energy = f64::from(y) * f64::from(y);
                sum += energy;
                moment += energy * (m as f64 - expected);
            }
            let error = moment / sum;
            assert!(error.abs() < 1e-3, "{from} -> {to}: impulse at frame {at} is off by {error} samples");
        }
    }
}

#[test]
fn output_waits_for_no_more_than_the_delay() {
    for (from, to) in PAIRS {
        let mut resampler = Resampler::new(from, to).expect("valid rates");
        let delay = resampler.delay_frames() as u64;
        let (mut frames, mut samples, mut longest) = (0_u64, 0_u64, 0_u64);
        for _ in 0..60_000 {
            resampler.push(&[0.25], |out| samples += out.len() as u64);
            frames += 1;
            // The instant of the next sample, rounded down, and how many frames after it are here.
            let instant = samples * u64::from(from) / u64::from(to);
            longest = longest.max(frames.saturating_sub(instant + 1));
        }
        assert!(longest <= delay, "{from} -> {to}: waited for {longest} frames, promised {delay}");
        assert!(delay <= longest + 1, "{from} -> {to}: promised {delay} frames, needed {longest}");
    }
}

#[test]
fn reset_and_finish_leave_nothing_behind() {
    let mut random = Random(3);
    let input: Vec<f32> = (0..10_000).map(|_| random.sample()).collect();
    for (from, to) in PAIRS {
        let mut resampler = Resampler::new(from, to).expect("valid rates");
        let fresh = convert(&mut resampler, &input, []);
        assert_eq!(convert(&mut resampler, &input, []), fresh, "{from} -> {to} after finish");
        resampler.push(&input[..7_777], |_| {});
        resampler.reset();
        assert_eq!(convert(&mut resampler, &input, []), fresh, "{from} -> {to} after reset");
    }
}

#[test]
fn equal_rates_pass_through_untouched() {
    let mut random = Random(5);
    let input: Vec<f32> = (0..1_000).map(|_| random.sample()).collect();
    let mut resampler = Resampler::new(44_100, 44_100).expect("valid rates");
    assert_eq!(resampler.delay_frames(), 0);
    let mut out = Vec::new();
    resampler.push(&input, |samples| out.extend_from_slice(samples));
    assert_eq!(out, input);
}

#[test]
fn nothing_allocates_after_new() {
    let input = vec![0.1; 50_000];
    for (from, to) in PAIRS {
        let mut resampler = Resampler::new(from, to).expect("valid rates");
        let mut samples = 0;
        let count = allocations(|| {
            for chunk in input.chunks(777) {
                resampler.push(chunk, |out| samples += out.len());
            }
            resampler.finish(|out| samples += out.len());
            resampler.reset();
        });
        assert!(samples > 0);
        assert_eq!(count, 0, "{from} -> {to}");
    }
}

#[test]
fn rates_outside_the_range_are_refused_with_the_numbers() {
    for (from, to) in [(999, 16_000), (16_000, 0), (384_001, 16_000), (16_000, u32::MAX)] {
        let error = Resampler::new(from, to).expect_err("invalid rates");
        let wrong = if (1_000..=384_000).contains(&from) { to } else { from };
        assert_eq!(error.message(), format!("sample_rate is {wrong} Hz; valid 1000..=384000"));
    }
}
