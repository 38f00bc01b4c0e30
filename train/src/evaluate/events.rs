//! Events against annotated recordings: onset and offset F1 and segment F1 as `sed_eval` defines them (Mesaros et al., Applied
//! Sciences 2016), PSDS as `psds_eval` does (Bilen et al., ICASSP 2020), false alarms, delay. Times are seconds.

use std::collections::BTreeSet;

use serde::Serialize;

use super::measures::Counts;

/// A sound in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sound {
    /// Index of the recording.
    pub file: usize,
    /// Index of the class.
    pub class: usize,
    /// Beginning.
    pub onset: f64,
    /// End.
    pub offset: f64,
}

/// A sound that was reported, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// What was reported at its end.
    pub sound: Sound,
    /// End of the window that reported it first.
    pub reported: f64,
}

/// What may differ in a match.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Collar {
    /// Onsets, and offsets of short sounds.
    pub seconds: f64,
    /// Offsets, as a share of the sound's length; none: offsets are not looked at.
    pub of_length: Option<f64>,
}

impl Collar {
    fn holds(&self, truth: &Sound, found: &Sound) -> bool {
        let onset = (truth.onset - found.onset).abs() <= self.seconds;
        let offset = |share: f64| {
            (truth.offset - found.offset).abs() <= self.seconds.max(share * (truth.offset - truth.onset))
        };
        truth.file == found.file && truth.class == found.class && onset && self.of_length.is_none_or(offset)
    }
}

/// Pairs of (truth, found), each in one pair at most, as many as can be.
pub fn matched(truth: &[Sound], found: &[Sound], collar: Collar) -> Vec<(usize, usize)> {
    let reach = |index: usize| -> Vec<usize> {
        (0..found.len()).filter(|&other| collar.holds(&truth[index], &found[other])).collect()
    };
    let reach: Vec<Vec<usize>> = (0..truth.len()).map(reach).collect();
    // Augmenting paths: a sound takes what it reaches, and what has it looks for another.
    let mut owner: Vec<Option<usize>> = vec![None; found.len()];
    for start in 0..truth.len() {
        let mut seen = vec![false; found.len()];
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some(&mut (index, ref mut tried)) = path.last_mut() {
            let Some(&other) = reach[index].get(*tried) else {
                path.pop();
                continue;
            };
            *tried += 1;
            if std::mem::replace(&mut seen[other], true) {
                continue;
            }
            match owner[other] {
                Some(next) => path.push((next, 0)),
                None => {
                    for &(index, tried) in &path {
                        owner[reach[index][tried - 1]] = Some(index);
                    }
                    break;
                }
            }
        }
    }
    let pairs = owner.iter().enumerate().filter_map(|(other, owner)| owner.map(|index| (index, other)));
    pairs.collect()
}

/// Hits, false alarms and misses of one class, or of all (`None`).
pub fn counts(truth: &[Sound], found: &[Sound], collar: Collar, class: Option<usize>) -> Counts {
    let of = |sounds: &[Sound]| -> Vec<Sound> {
        sounds.iter().filter(|sound| class.is_none_or(|class| sound.class == class)).copied().collect()
    };
    let (truth, found) = (of(truth), of(found));
    let hits = matched(&truth, &found, collar).len();
    Counts { hits, false_alarms: found.len() - hits, misses: truth.len() - hits, rejections: 0 }
}

/// The same of segments of `seconds` in which a class is heard, over all classes.
pub fn segments(truth: &[Sound], found: &[Sound], seconds: f64) -> Counts {
    let active = |sounds: &[Sound]| -> BTreeSet<(usize, usize, u64)> {
        let of = |sound: &Sound| {
            let (first, last) =
                ((sound.onset / seconds).floor() as u64, (sound.offset / seconds).ceil() as u64);
            (first..last).map(|segment| (sound.file, sound.class, segment)).collect::<Vec<_>>()
        };
        sounds.iter().flat_map(of).collect()
    };
    let (truth, found) = (active(truth), active(found));
    let hits = truth.intersection(&found).count();
    Counts { hits, false_alarms: found.len() - hits, misses: truth.len() - hits, rejections: 0 }
}

/// What PSDS tolerates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Share of a detection that must lie in sounds of its class.
    pub detection: f64,
    /// Share of a sound that must lie in such detections.
    pub truth: f64,
    /// Share of a wrong detection that must lie in sounds of another class to count as mistaken for it.
    pub cross: f64,
    /// How much being mistaken for another class counts as a false alarm.
    pub alpha_cross: f64,
    /// How much the classes' spread costs.
    pub alpha_spread: f64,
    /// False alarms per hour up to which the curve is looked at.
    pub max_alarms: f64,
}

/// The two scenarios of DCASE: sounds to be placed exactly, and classes not to be mistaken for each other.
pub const SCENARIOS: [Tolerance; 2] = [
    Tolerance {
        detection: 0.7,
        truth: 0.7,
        cross: 0.3,
        alpha_cross: 0.0,
        alpha_spread: 1.0,
        max_alarms: 100.0,
    },
    Tolerance {
        detection: 0.1,
        truth: 0.1,
        cross: 0.3,
        alpha_cross: 0.5,
        alpha_spread: 1.0,
        max_alarms: 100.0,
    },
];

/// Polyphonic sound detection score: the area under the curve of hits over false alarms per hour. `points` are the
/// detections at several thresholds, `durations` those of the recordings. Classes without a sound are left out.
pub fn psds(truth: &[Sound], points: &[Vec<Sound>], durations: &[f64], tolerance: &Tolerance) -> f64 {
    let classes: Vec<usize> =
        truth.iter().map(|sound| sound.class).collect::<BTreeSet<_>>().into_iter().collect();
    // For each class (alarms per hour, share of hits), with the point at which nothing is found.
    let mut curves: Vec<Vec<(f64, f64)>> = vec![vec![(0.0, 0.0)]; classes.len()];
    for point in points {
        for (curve, &class) in curves.iter_mut().zip(&classes) {
            curve.push(rates(truth, point, durations, tolerance, class, &classes));
        }
    }
    let mut places: Vec<f64> = curves.iter().flatten().map(|(alarms, _)| *alarms).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let effective = |alarms: f64| {
        let hits = curves.iter().map(|curve| {
            curve.iter().filter(|(place, _)| *place <= alarms).map(|(_, hits)| *hits).fold(0.0, f64::max)
        });
        let hits: Vec<f64> = hits.collect();
        let mean = hits.iter().sum::<f64>() / hits.len() as f64;
        let variance = hits.iter().map(|hits| (hits - mean).powi(2)).sum::<f64>() / hits.len() as f64;
        (mean - tolerance.alpha_spread * variance.sqrt()).max(0.0)
    };
    let ends = places[1.min(places.len())..].iter().chain([&f64::INFINITY]);
    let steps = places.iter().zip(ends).filter(|(place, _)| **place < tolerance.max_alarms);
    let area: f64 = steps.map(|(&from, &to)| (to.min(tolerance.max_alarms) - from) * effective(from)).sum();
    if classes.is_empty() { 0.0 } else { area / tolerance.max_alarms }
}

/// Effective false alarms per hour and share of hits of one class.
fn rates(
    truth: &[Sound],
    found: &[Sound],
    durations: &[f64],
    tolerance: &Tolerance,
    class: usize,
    classes: &[usize],
) -> (f64, f64) {
    let overlap = |a: &Sound, b: &Sound| match a.file == b.file {
        true => (a.offset.min(b.offset) - a.onset.max(b.onset)).max(0.0),
        false => 0.0,
    };
    let length = |sound: &Sound| sound.offset - sound.onset;
    let of = |class: usize| truth.iter().filter(move |sound| sound.class == class);
    let detections = found.iter().filter(|sound| sound.class == class && length(sound) > 0.0);
    let share_in = |found: &Sound, class: usize| {
        of(class).map(|sound| overlap(found, sound)).sum::<f64>() / length(found)
    };
    let (good, wrong): (Vec<&Sound>, Vec<&Sound>) = detections
        .partition(|found| share_in(found, class) >= tolerance.detection && share_in(found, class) > 0.0);
    let covered = |sound: &&Sound| {
        let inside: f64 = good.iter().map(|found| overlap(found, sound)).sum();
        inside > 0.0 && inside / length(sound) >= tolerance.truth
    };
    let hits = of(class).filter(covered).count() as f64 / of(class).count() as f64;
    let per_hour = |count: usize, seconds: f64| 3600.0 * count as f64 / seconds;
    let mistaken = |&other: &usize| {
        let count = wrong
            .iter()
            .filter(|found| share_in(found, other) > 0.0 && share_in(found, other) >= tolerance.cross)
            .count();
        per_hour(count, of(other).map(length).sum())
    };
    let others = classes.iter().filter(|&&other| other != class);
    let cross = others.clone().map(mistaken).sum::<f64>() / others.count().max(1) as f64;
    (per_hour(wrong.len(), durations.iter().sum()) + tolerance.alpha_cross * cross, hits)
}

/// All that is said of a model's events.
#[derive(Clone, Debug, Serialize)]
pub struct EventReport {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Length of all recordings, seconds.
    pub seconds: f64,
    /// Sounds that are annotated.
    pub sounds: usize,
    /// How far times may be off.
    pub collar: Collar,
    /// By onset.
    pub onset: Counts,
    /// F1 of that.
    pub onset_f1: f64,
    /// By onset and offset.
    pub offset_f1: f64,
    /// By segments of 1 s.
    pub segment_f1: f64,
    /// Events that match no sound by onset, per hour.
    pub false_alarms_per_hour: f64,
    /// For the two scenarios; absent where one set of thresholds was measured.
    pub psds: Option<[f64; 2]>,
    /// From onset to the first report, of those that match by onset: median and 95th percentile, seconds.
    pub delay: Option<[f64; 2]>,
    /// Onset F1 of each class.
    pub per_class: Vec<(Counts, f64)>,
}

impl EventReport {
    /// Of one set of events.
    pub fn new(
        classes: &[String],
        truth: &[Sound],
        found: &[Detection],
        durations: &[f64],
        collar: Collar,
        points: Option<&[Vec<Sound>]>,
    ) -> Self {
        let sounds: Vec<Sound> = found.iter().map(|detection| detection.sound).collect();
        let by_onset = Collar { of_length: None, ..collar };
        let onset = counts(truth, &sounds, by_onset, None);
        let seconds: f64 = durations.iter().sum();
        let mut delays: Vec<f64> = matched(truth, &sounds, by_onset)
            .into_iter()
            .map(|(sound, detection)| found[detection].reported - truth[sound].onset)
            .collect();
        delays.sort_by(f64::total_cmp);
        let at = |share: f64| delays[((delays.len() - 1) as f64 * share).ceil() as usize];
        let per_class = |class| {
            let counts = counts(truth, &sounds, by_onset, Some(class));
            (counts, counts.f1())
        };
        Self {
            classes: classes.to_vec(),
            seconds,
            sounds: truth.len(),
            collar,
            onset,
            onset_f1: onset.f1(),
            offset_f1: counts(truth, &sounds, collar, None).f1(),
            segment_f1: segments(truth, &sounds, 1.0).f1(),
            false_alarms_per_hour: 3600.0 * onset.false_alarms as f64 / seconds,
            psds: points.map(|points| SCENARIOS.map(|scenario| psds(truth, points, durations, &scenario))),
            delay: (!delays.is_empty()).then(|| [at(0.5), at(0.95)]),
            per_class: (0..classes.len()).map(per_class).collect(),
        }
    }
}

impl std::fmt::Display for EventReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { hits, false_alarms, misses, .. } = self.onset;
        writeln!(
            f,
            "{} sounds in {:.1} min; by onset within {} s {hits} found, {misses} missed, {false_alarms} false alarms",
            self.sounds,
            self.seconds / 60.0,
            self.collar.seconds
        )?;
        writeln!(
            f,
            "F1 {:.3} (with offsets {:.3}, segments of 1 s {:.3}); {:.0} false alarms per hour",
            self.onset_f1, self.offset_f1, self.segment_f1, self.false_alarms_per_hour
        )?;
        if let Some([exact, cross]) = self.psds {
            writeln!(f, "PSDS {exact:.3} (scenario 1), {cross:.3} (scenario 2)")?;
        }
        if let Some([median, high]) = self.delay {
            writeln!(
                f,
                "from onset to the first report: {:.0} ms in the median, {:.0} ms for 95 of 100",
                1e3 * median,
                1e3 * high
            )?;
        }
        writeln!(f, "\n{:>20} sounds  found  false     F1", "class")?;
        for (name, (counts, f1)) in self.classes.iter().zip(&self.per_class) {
            let sounds = counts.hits + counts.misses;
            writeln!(f, "{name:>20} {sounds:6} {:6} {:6} {f1:6.3}", counts.hits, counts.false_alarms)?;
        }
        Ok(())
    }
}
