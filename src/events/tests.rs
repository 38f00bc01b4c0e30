use super::*;
use crate::scores::Activation;

const LABELS: [&str; 2] = ["dog", "rain"];

/// Windows of 1000 frames every 100, at 1000 Hz; one list of scores for "dog", 0 for "rain".
fn detect(rules: &str, scores: &[f32]) -> Vec<Event> {
    let numbered: Vec<_> = (0..).zip(scores.iter().copied()).collect();
    detect_numbered(rules, &numbered)
}

fn detect_numbered(rules: &str, scores: &[(u64, f32)]) -> Vec<Event> {
    let mut rules: Rules = serde_json::from_str(rules).expect("rules");
    let labels = LABELS.map(String::from);
    rules.resolve("stream.events", &labels, &(0.0..=1.0)).expect("valid rules");
    let mut detector = Detector::new(&rules, &labels, 1000, 100).expect("small");
    for &(number, score) in scores {
        detector.observe(number, &(number * 100..number * 100 + 1000), &[score, 0.0]);
    }
    detector.finish();
    std::iter::from_fn(|| detector.pop()).collect()
}

/// `(id, final, onset, offset)`.
fn places(events: &[Event]) -> Vec<(u64, bool, u64, u64)> {
    events.iter().map(|e| (e.id, e.is_final, e.onset_frame, e.offset_frame)).collect()
}

/// Scores of a detector that hears any part of the sound at `sound`.
fn heard(sound: Range<u64>, windows: u64) -> Vec<f32> {
    let touches = |n: u64| n * 100 < sound.end && sound.start < n * 100 + 1000;
    (0..windows).map(|n| if touches(n) { 0.9 } else { 0.1 }).collect()
}

#[test]
fn the_same_sound_in_many_windows_is_one_event_in_its_place() {
    // Shorter than a hop, than a window, and longer.
    for sound in [2340..2350, 2340..2900, 2340..5777] {
        let events = detect("{}", &heard(sound.clone(), 80));
        assert_eq!(events.len(), 2, "{sound:?}: {events:?}");
        let (start, end) = (&events[0], &events[1]);
        assert!(!start.is_final && end.is_final && start.id == 1 && end.id == 1);
        for event in [start, end] {
            assert!((sound.start - 100..=sound.start).contains(&event.onset_frame), "{sound:?}: {event:?}");
            assert!(event.decided_frame >= event.onset_frame + 100);
        }
        assert!((sound.end..=sound.end + 100).contains(&end.offset_frame), "{sound:?}: {end:?}");
    }
}

#[test]
fn a_sound_that_few_windows_show_lies_in_all_of_them() {
    let events = detect("{}", &[0.1, 0.1, 0.9, 0.9, 0.1]);
    assert_eq!(places(&events)[1], (1, true, 300, 1200));
}

#[test]
fn hysteresis_holds_between_the_thresholds() {
    let scores = [0.5, 0.59, 0.6, 0.41, 0.45, 0.59, 0.39, 0.59, 0.1];
    let events = detect(r#"{ "on": 0.6, "off": 0.4 }"#, &scores);
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[0].decided_frame, 1200);
    assert_eq!(events[1].decided_frame, 1600);
    assert_eq!(events[1].peak_score, 0.6);
    assert!((events[1].mean_score - (0.6 + 0.41 + 0.45 + 0.59) / 4.0).abs() < 1e-6);
}

#[test]
fn too_short_a_sound_is_not_told() {
    let scores = [0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.1];
    let events = detect(r#"{ "min_on_seconds": 0.2 }"#, &scores);
    assert_eq!(events.iter().map(|e| (e.id, e.decided_frame)).collect::<Vec<_>>(), [(1, 1500), (1, 1600)]);
}

#[test]
fn a_short_dip_does_not_end_it() {
    let scores = [0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9];
    let events = detect(r#"{ "min_off_seconds": 0.2 }"#, &scores);
    let decided: Vec<_> = events.iter().map(|e| (e.id, e.is_final, e.decided_frame)).collect();
    assert_eq!(decided, [(1, false, 1000), (1, true, 1600), (2, false, 1700), (2, true, 1700)]);
    assert!(
        (events[1].mean_score - (0.9 + 0.1 + 0.1 + 0.9) / 4.0).abs() < 1e-6,
        "the dip counts, what follows not"
    );
}

#[test]
fn near_ones_merge_and_are_final_only_then() {
    let scores = [0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9, 0.1];
    let events = detect(r#"{ "merge_seconds": 0.2 }"#, &scores);
    let decided: Vec<_> = events.iter().map(|e| (e.id, e.is_final, e.decided_frame)).collect();
    assert_eq!(decided, [(1, false, 1000), (1, true, 1600), (2, false, 1700), (2, true, 1700)]);
}

#[test]
fn none_starts_in_the_refractory_time() {
    let scores = [0.9, 0.1, 0.9, 0.1, 0.9, 0.1];
    let events = detect(r#"{ "refractory_seconds": 0.3 }"#, &scores);
    let decided: Vec<_> = events.iter().map(|e| (e.id, e.is_final, e.decided_frame)).collect();
    // Over at 1100, so not before 1400.
    assert_eq!(decided, [(1, false, 1000), (1, true, 1100), (2, false, 1400), (2, true, 1500)]);
}

#[test]
fn lost_windows_are_off() {
    let scores = [(0, 0.9), (1, 0.9), (50, 0.9), (51, 0.9)];
    for (rules, ids) in [("{}", 2), (r#"{ "merge_seconds": 4.7 }"#, 2), (r#"{ "merge_seconds": 4.9 }"#, 1)] {
        let events = detect_numbered(rules, &scores);
        assert_eq!(events.last().expect("events").id, ids, "{rules}: {events:?}");
    }
}

#[test]
fn lists_and_rules_go_by_label() {
    let scores = [0.9, 0.1];
    for (rules, count) in [
        (r#"{ "deny": ["dog"] }"#, 0),
        (r#"{ "allow": ["rain"] }"#, 0),
        (r#"{ "allow": ["dog", "rain"], "deny": ["rain"] }"#, 2),
        (r#"{ "classes": { "dog": { "on": 0.95 } } }"#, 0),
        (r#"{ "on": 0.95, "off": 0.93, "classes": { "dog": { "on": 0.8 } } }"#, 2),
    ] {
        assert_eq!(detect(rules, &scores).len(), count, "{rules}");
    }
}

#[test]
fn a_full_queue_gives_up_the_oldest_and_counts() {
    let scores: Vec<f32> = (0..2 * QUEUE).map(|n| if n % 2 == 0 { 0.9 } else { 0.1 }).collect();
    let events = detect("{}", &scores);
    assert_eq!(events.len(), QUEUE);
    assert_eq!((events[0].lost_before, events[0].id), (QUEUE as u64, 1 + QUEUE as u64 / 2));
    assert_eq!((events[1].lost_before, events[QUEUE - 1].id), (0, QUEUE as u64));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_path() {
    for (rules, wanted) in [
        (r#"{ "on": 0.5, "off": 0.6 }"#, "e.off: 0.6; valid up to `on`, which is 0.5"),
        (r#"{ "on": 60 }"#, "e.on: 60; valid 0.0..=1.0"), // percent
        (r#"{ "on": 0, "off": -0.5 }"#, "e.off: -0.5; valid 0.0..=1.0"),
        (r#"{ "classes": { "dog": { "on": 1.01 } } }"#, "e.classes.dog.on: 1.01; valid 0.0..=1.0"),
        (r#"{ "min_on_seconds": -1 }"#, "e.min_on_seconds: -1; valid 0..=3600"),
        (r#"{ "deny": ["cat"] }"#, "e.deny[0]: \"cat\" is no label"),
        (r#"{ "classes": { "cat": {} } }"#, "e.classes: \"cat\" is no label"),
        (r#"{ "classes": { "dog": { "merge_seconds": 4000 } } }"#, "e.classes.dog.merge_seconds: 4000"),
    ] {
        let mut rules: Rules = serde_json::from_str(rules).expect("rules");
        let error = rules.resolve("e", &LABELS.map(String::from), &(0.0..=1.0)).expect_err("refused");
        assert!(error.message().contains(wanted), "{error}");
    }
    // Outputs without an activation may have any size.
    let mut rules: Rules = serde_json::from_str(r#"{ "on": 60, "off": -0.5 }"#).expect("rules");
    rules.resolve("e", &LABELS.map(String::from), &Activation::None.range()).expect("valid");
}
