//! Measures of events against those of sed_eval and psds_eval on the same lists (`data/make_events.py`); rules that are
//! tuned; scenes that are mixed.

use std::fs;

use crate::common::*;
use auricle_train::dataset::Clip;
use auricle_train::evaluate::events::{Collar, Sound, Tolerance, counts, psds, segments};
use auricle_train::mix::Scenes;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    truth: Vec<(usize, usize, f64, f64)>,
    points: Vec<Vec<(usize, usize, f64, f64)>>,
    durations: Vec<f64>,
    sed_eval: Vec<SedEval>,
    psds_eval: Vec<[f64; 7]>,
}

#[derive(Deserialize)]
struct SedEval {
    collar: f64,
    onset: f64,
    onset_per_class: Vec<f64>,
    offset: f64,
    segments: f64,
}

fn sounds(list: &[(usize, usize, f64, f64)]) -> Vec<Sound> {
    list.iter().map(|&(file, class, onset, offset)| Sound { file, class, onset, offset }).collect()
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/events.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-9, "{what}: {found}, expected {expected}");
}

#[test]
fn f1_is_sed_evals() {
    for (number, case) in cases().iter().enumerate() {
        let (truth, found) = (sounds(&case.truth), sounds(&case.points[5]));
        for expected in &case.sed_eval {
            let onset = Collar { seconds: expected.collar, of_length: None };
            let both = Collar { of_length: Some(0.5), ..onset };
            let what = format!("case {number}, collar {}", expected.collar);
            close(counts(&truth, &found, onset, None).f1(), expected.onset, &what);
            close(counts(&truth, &found, both, None).f1(), expected.offset, &what);
            close(segments(&truth, &found, 1.0).f1(), expected.segments, &what);
            for (class, &expected) in expected.onset_per_class.iter().enumerate() {
                close(counts(&truth, &found, onset, Some(class)).f1(), expected, &what);
            }
        }
    }
}

#[test]
fn psds_is_psds_evals() {
    for (number, case) in cases().iter().enumerate() {
        let points: Vec<Vec<Sound>> = case.points.iter().map(|point| sounds(point)).collect();
        for &[detection, truth, cross, alpha_cross, alpha_spread, max_alarms, expected] in &case.psds_eval {
            let tolerance = Tolerance { detection, truth, cross, alpha_cross, alpha_spread, max_alarms };
            let found = psds(&sounds(&case.truth), &points, &case.durations, &tolerance);
            close(found, expected, &format!("case {number}, {tolerance:?}"));
        }
    }
}

/// The only pairing in which all are matched is not the first that offers itself.
#[test]
fn as_many_sounds_are_matched_as_can_be() {
    let at = |onset: f64| Sound { file: 0, class: 0, onset, offset: onset + 1.0 };
    let collar = Collar { seconds: 0.55, of_length: None };
    let truth = [at(1.0), at(1.5), at(2.0)];
    for found in [[at(1.5), at(2.0), at(1.0)], [at(1.25), at(2.4), at(0.6)]] {
        assert_eq!(counts(&truth, &found, collar, None).hits, 3, "{found:?}");
    }
    assert_eq!(counts(&truth, &[at(1.2)], collar, None).hits, 1);
}

fn scenes() -> Scenes {
    Scenes {
        scenes: 3,
        seconds: 20.0,
        sounds: vec![3, 5],
        snr: vec![10.0, 10.0],
        max_sound_seconds: 2.0,
        overlap: 0.0,
        seed: 5,
    }
}

#[test]
fn scenes_hold_what_their_annotations_say() {
    // Half a second of tone in two of silence.
    let clips: Vec<Clip> = (0..4)
        .map(|index| {
            let mut samples = vec![0.0; 32_000];
            samples[8000..16_000].copy_from_slice(&tone(400.0 + 100.0 * index as f32, 0.5));
            Clip { class: index % 2, samples, ..Clip::default() }
        })
        .collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    for number in 0..3 {
        let (samples, sounds) = scenes().scene(number, &clips, &[], 16_000);
        assert!(
            scenes().scene(number, &clips, &[], 16_000) == (samples.clone(), sounds.clone()),
            "not seeded"
        );
        assert!(samples.len() == 320_000 && (3..=5).contains(&sounds.len()), "{sounds:?}");
        let rms = |from: f64, to: f64| {
            auricle_train::augment::rms(&samples[(from * 16_000.0) as usize..(to * 16_000.0) as usize])
        };
        for pair in sounds.windows(2) {
            assert!(pair[0].offset < pair[1].onset, "{sounds:?}");
        }
        let quiet = sounds.iter().map(|sound| sound.onset).fold(20.0, f64::min);
        for sound in &sounds {
            assert!((sound.offset - sound.onset - 0.5).abs() < 0.03, "{sound:?}");
            // 10 dB above the background, with it: 10.4.
            let above = 20.0 * (rms(sound.onset, sound.offset) / rms(0.0, quiet.max(0.3))).log10();
            assert!(quiet < 0.5 || (above - 10.4).abs() < 1.5, "{above} dB: {sound:?}");
        }
    }
    let (other, _) = Scenes { seed: 6, ..scenes() }.scene(0, &clips, &[], 16_000);
    assert!(other != scenes().scene(0, &clips, &[], 16_000).0);
    for (bad, part) in [
        (Scenes { sounds: vec![5, 3], ..scenes() }, "--sounds 5,3"),
        (Scenes { snr: vec![5.0], ..scenes() }, "two numbers"),
        (Scenes { seconds: 0.0, ..scenes() }, "--seconds is 0"),
    ] {
        let error = bad.check().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
