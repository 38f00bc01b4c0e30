//! Events of recordings at any rules, from scores that are computed once; and the rules that give the best ones.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use auricle::manifest::Stream;
use auricle::stages::events::{Decisions, Rule, Rules};
use auricle::stages::smoothing::Smoothing;
use auricle::{ClipOptions, Model, Window};

use super::events::{Collar, Detection, Sound, counts};
use super::measures::Counts;
use crate::parallel;

/// The scores of one recording.
pub struct Scored {
    /// Rate of the recording, Hz.
    pub rate: u32,
    /// Its length, seconds.
    pub seconds: f64,
    /// Distance of windows, seconds and frames of the recording.
    hop: (f64, u64),
    windows: Vec<(Window, Vec<f32>)>,
}

impl Scored {
    /// Shows a recording to a model, as a stream of its manifest's hop.
    pub fn new(model: &Model, path: &Path) -> Result<Self> {
        let place = || path.display().to_string();
        let audio = auricle_decode::decode(path)?;
        let clip = auricle::Clip {
            interleaved: &audio.samples,
            channels: audio.channels,
            sample_rate: audio.sample_rate,
        };
        let mut windows: Vec<(Window, Vec<f32>)> = Vec::new();
        model
            .windows_of(clip, &ClipOptions::default(), |window, scores| {
                windows.push((*window, scores.to_vec()))
            })
            .with_context(place)?;
        let frames = audio.samples.len() as f64 / f64::from(audio.channels);
        let seconds = model.manifest().stream.hop_seconds.unwrap_or(model.manifest().input.window_duration());
        Ok(Self {
            rate: audio.sample_rate,
            seconds: frames / f64::from(audio.sample_rate),
            hop: (seconds, (seconds * f64::from(audio.sample_rate)).round() as u64),
            windows,
        })
    }

    /// The events that the library reports with this `stream`; `file` is the recording's number.
    pub fn events(&self, stream: &Stream, labels: &[String], file: usize) -> Result<Vec<Detection>> {
        let mut decisions = Decisions::new(stream, labels, self.rate, self.hop.0, self.hop.1)?;
        let mut reported: BTreeMap<u64, u64> = BTreeMap::new();
        let mut found = Vec::new();
        let seconds = |frame: u64| frame as f64 / f64::from(self.rate);
        let mut take = |decisions: &mut Decisions| -> Result<()> {
            while let Some(event) = decisions.next_event()? {
                let first = *reported.entry(event.id).or_insert(event.decided_frame);
                if event.is_final {
                    let (onset, offset) = (seconds(event.onset_frame), seconds(event.offset_frame));
                    let sound = Sound { file, class: event.class, onset, offset };
                    found.push(Detection { sound, reported: seconds(first) });
                }
            }
            Ok(())
        };
        for (window, scores) in &self.windows {
            decisions.observe(window, &mut scores.clone());
            take(&mut decisions)?;
        }
        decisions.finish();
        take(&mut decisions)?;
        Ok(found)
    }
}

/// The events of all recordings.
pub fn events(scored: &[Scored], stream: &Stream, labels: &[String]) -> Result<Vec<Detection>> {
    let of = |(file, scored): (usize, &Scored)| scored.events(stream, labels, file);
    Ok(scored.iter().enumerate().map(of).collect::<Result<Vec<_>>>()?.concat())
}

/// The events at `count` thresholds, evenly from 0 to 1, the other rules as they are: the points of a PSDS.
pub fn points(
    scored: &[Scored],
    stream: &Stream,
    labels: &[String],
    count: usize,
) -> Result<Vec<Vec<Sound>>> {
    let thresholds: Vec<f32> = (0..count).map(|n| (n as f32 + 0.5) / count as f32).collect();
    let point = |_: &mut (), &on: &f32| {
        let mut stream = stream.clone();
        let mut rules = stream.events.take().unwrap_or_default();
        (rules.on, rules.off) = (Some(on), None);
        rules.classes.values_mut().for_each(|rule| (rule.on, rule.off) = (None, None));
        stream.events = Some(rules);
        Ok(events(scored, &stream, labels)?.into_iter().map(|detection| detection.sound).collect())
    };
    parallel::map(parallel::cores(), &thresholds, || Ok(()), point, &|| ())
}

/// What is tried.
const SMOOTHINGS: [(Smoothing, f64); 5] = [
    (Smoothing::Exponential, 0.0),
    (Smoothing::Exponential, 0.1),
    (Smoothing::Exponential, 0.25),
    (Smoothing::Exponential, 0.5),
    (Smoothing::Median, 0.6),
];
const ONS: [f32; 14] = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 1.0];
const OFFS: [f32; 2] = [0.4, 0.8];
const MIN_ONS: [f64; 5] = [0.0, 0.3, 0.6, 1.0, 1.4];
const MERGES: [f64; 4] = [0.0, 0.6, 1.5, 3.0];

/// One set of rules for a class: `on`, `off` as a share of it, `min_on_seconds`, and a time that sounds are bridged over.
#[derive(Clone, Copy, Debug)]
struct Candidate(f32, f32, f64, f64);

impl Candidate {
    fn all() -> impl Iterator<Item = Self> {
        let merges = |on, off, min_on| MERGES.map(|merge| Self(on, off, min_on, merge));
        let min_ons = move |on, off| MIN_ONS.into_iter().flat_map(move |min_on| merges(on, off, min_on));
        ONS.into_iter().flat_map(move |on| OFFS.into_iter().flat_map(move |off| min_ons(on, off)))
    }

    fn rule(self) -> Rule {
        Rule {
            on: Some(self.0),
            off: Some((self.0 * self.1 * 1e4).round() / 1e4),
            min_on_seconds: Some(self.2),
            min_off_seconds: Some(0.0),
            merge_seconds: Some(self.3),
            refractory_seconds: Some(0.0),
        }
    }
}

/// What a second of `min_on_seconds` costs, in F1: a later report must be worth it.
const PRICE_OF_WAITING: f64 = 0.05;

/// Shares of the false alarms that are allowed, which are tried as the limit on recordings that are tuned on.
const STRICTNESS: [f64; 7] = [1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2];
/// Parts of the recordings that take turns at not being tuned on.
const PARTS: usize = 5;

/// `[candidate][class][recording]` of one smoothing.
type Measured = Vec<Vec<Vec<Counts>>>;

/// What was chosen on some recordings: a smoothing, a candidate for each class, and what they do there.
struct Choice {
    smoothing: usize,
    rules: Vec<usize>,
    counts: Counts,
}

/// The `stream` with the highest onset F1 on annotated recordings that has at most `max_alarms` false alarms per hour, over
/// all classes: one smoothing, and a rule for each class. A class that is in no recording is judged by its false alarms alone.
/// Rules do worse on recordings that they were not chosen by; so the limit here is as much stricter as it takes for a fifth of
/// the recordings to keep `max_alarms` with rules that the others chose.
pub fn tune(
    scored: &[Scored],
    truth: &[Sound],
    labels: &[String],
    before: &Stream,
    collar: Collar,
    max_alarms: f64,
    done: &(dyn Fn() + Sync),
) -> Result<Stream> {
    let collar = Collar { of_length: None, ..collar };
    let candidates: Vec<Candidate> = Candidate::all().collect();
    let with = |smoothing: usize, rules: Rules| {
        let (smoothing, smoothing_seconds) = SMOOTHINGS[smoothing];
        Stream { smoothing, smoothing_seconds, events: Some(rules), ..before.clone() }
    };
    let of_file: Vec<Vec<Sound>> = (0..scored.len())
        .map(|file| truth.iter().filter(|sound| sound.file == file).copied().collect())
        .collect();
    let measure = |smoothing: usize| -> Result<Measured> {
        let measure = |_: &mut (), candidate: &Candidate| {
            let classes = labels.iter().map(|label| (label.clone(), candidate.rule())).collect();
            let stream = with(smoothing, Rules { classes, ..Rules::default() });
            let mut found = vec![Vec::with_capacity(scored.len()); labels.len()];
            for (file, scored) in scored.iter().enumerate() {
                let events = scored.events(&stream, labels, file)?;
                let events: Vec<Sound> = events.into_iter().map(|detection| detection.sound).collect();
                for (class, found) in found.iter_mut().enumerate() {
                    found.push(counts(&of_file[file], &events, collar, Some(class)));
                }
            }
            Ok(found)
        };
        parallel::map(parallel::cores(), &candidates, || Ok(()), measure, done)
    };
    let measured = (0..SMOOTHINGS.len()).map(measure).collect::<Result<Vec<_>>>()?;
    let seconds = |files: &[usize]| files.iter().map(|&file| scored[file].seconds).sum::<f64>();
    let pick = |files: &[usize], per_hour: f64| {
        pick(&measured, &candidates, files, truth, (per_hour * seconds(files) / 3600.0) as usize)
    };
    let all: Vec<usize> = (0..scored.len()).collect();
    // False alarms per hour where the rules were not chosen.
    let elsewhere = |per_hour: f64| -> Option<f64> {
        let mut alarms = 0;
        for part in 0..PARTS {
            let (away, rest): (Vec<usize>, Vec<usize>) = all.iter().partition(|file| *file % PARTS == part);
            let choice = pick(&rest, per_hour)?;
            alarms += choice.on(&measured, &away).false_alarms;
        }
        Some(3600.0 * alarms as f64 / seconds(&all))
    };
    let limit = match scored.len() < PARTS {
        true => max_alarms,
        false => {
            let limits = STRICTNESS.iter().map(|share| share * max_alarms);
            let mut kept =
                limits.filter(|limit| elsewhere(*limit).is_some_and(|alarms| alarms <= max_alarms));
            kept.next().unwrap_or(max_alarms * STRICTNESS[STRICTNESS.len() - 1])
        }
    };
    let choice = pick(&all, limit).or_else(|| pick(&all, max_alarms)).with_context(|| {
        format!("no rules have at most {max_alarms} false alarms per hour on these recordings; allow more")
    })?;
    let rules =
        labels.iter().zip(&choice.rules).map(|(label, &index)| (label.clone(), candidates[index].rule()));
    Ok(with(choice.smoothing, Rules { classes: rules.collect(), ..Rules::default() }))
}

impl Choice {
    /// What it does on other recordings.
    fn on(&self, measured: &[Measured], files: &[usize]) -> Counts {
        let classes = self.rules.iter().enumerate();
        let of_class = classes
            .map(|(class, &rule)| total(files.iter().map(|&f| measured[self.smoothing][rule][class][f])));
        total(of_class)
    }
}

fn total(counts: impl Iterator<Item = Counts>) -> Counts {
    counts.fold(Counts::default(), |sum, one| Counts {
        hits: sum.hits + one.hits,
        false_alarms: sum.false_alarms + one.false_alarms,
        misses: sum.misses + one.misses,
        rejections: 0,
    })
}

/// The smoothing and the rules with the highest F1 on these recordings that have at most `limit` false alarms there.
fn pick(
    measured: &[Measured],
    candidates: &[Candidate],
    files: &[usize],
    truth: &[Sound],
    limit: usize,
) -> Option<Choice> {
    let truth: Vec<Sound> = truth.iter().filter(|sound| files.contains(&sound.file)).copied().collect();
    let choices = measured.iter().enumerate().map(|(smoothing, measured)| {
        let sums: Vec<Vec<Counts>> = measured
            .iter()
            .map(|classes| classes.iter().map(|of| total(files.iter().map(|&file| of[file]))).collect())
            .collect();
        let rules = choose(&sums, candidates, &truth, sums[0].len(), limit);
        let counts = total(rules.iter().enumerate().map(|(class, &rule)| sums[rule][class]));
        Choice { smoothing, rules, counts }
    });
    let fits = choices.filter(|choice| choice.counts.false_alarms <= limit);
    fits.max_by(|a, b| a.counts.f1().total_cmp(&b.counts.f1()).then(b.smoothing.cmp(&a.smoothing)))
}

/// A candidate for each class: the one with its highest F1; then, while there are more false alarms than `limit`, another
/// one for the class that loses fewest hits for each that it spares. `measured` is `[candidate][class]`.
fn choose(
    measured: &[Vec<Counts>],
    candidates: &[Candidate],
    truth: &[Sound],
    classes: usize,
    limit: usize,
) -> Vec<usize> {
    let best = |class: usize| {
        let worth = |&index: &usize| measured[index][class].f1() - PRICE_OF_WAITING * candidates[index].2;
        let order = |a: &usize, b: &usize| worth(a).total_cmp(&worth(b));
        match truth.iter().any(|sound| sound.class == class) {
            true => (0..candidates.len()).max_by(order).unwrap_or(0),
            // Where nothing is to be found, the strictest.
            false => candidates.len() - 1,
        }
    };
    let mut chosen: Vec<usize> = (0..classes).map(best).collect();
    while (0..classes).map(|class| measured[chosen[class]][class].false_alarms).sum::<usize>() > limit {
        let changes = (0..classes).flat_map(|class| {
            let now = &measured[chosen[class]][class];
            let cost = move |index: usize| {
                let (spared, then) = (
                    now.false_alarms.checked_sub(measured[index][class].false_alarms)?,
                    &measured[index][class],
                );
                let lost = now.hits as f64 - then.hits as f64 + PRICE_OF_WAITING * candidates[index].2;
                (spared > 0).then_some((lost / spared as f64, class, index))
            };
            (0..candidates.len()).filter_map(cost)
        });
        let Some((_, class, index)) = changes.min_by(|a, b| a.0.total_cmp(&b.0)) else { break };
        chosen[class] = index;
    }
    chosen
}

/// How often `done` of [`tune`] is called.
pub fn tries() -> usize {
    SMOOTHINGS.len() * Candidate::all().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two classes the first has 10 sounds and two ways to be quieter, the second none.
    #[test]
    fn the_dearest_false_alarms_go_first_and_what_is_nowhere_is_strict() {
        let truth = vec![Sound { file: 0, class: 0, onset: 1.0, offset: 2.0 }; 10];
        let counts = |hits, false_alarms| Counts { hits, false_alarms, misses: 10 - hits, rejections: 0 };
        let none = Counts { false_alarms: 3, ..Counts::default() };
        let candidate = |on, wait| Candidate(on, 0.8, wait, 0.0);
        let candidates = [0.1, 0.3, 0.5, 0.9].map(|on| candidate(on, 0.0));
        let measured = [
            vec![counts(10, 4), none],
            vec![counts(8, 3), none],
            vec![counts(9, 1), none],
            vec![counts(0, 0), Counts::default()],
        ];
        let choose = |limit| choose(&measured, &candidates, &truth, 2, limit);
        // F1 is 0.83, 0.76, 0.9 and 0: the best is not the one with most hits.
        assert_eq!(choose(4), [2, 3]);
        assert_eq!(choose(0), [3, 3]);
        // A later report must be worth it: 0.9 against 0.88.
        let measured = [vec![counts(9, 1)], vec![counts(8, 0)]];
        let waiting = [candidate(0.5, 1.0), candidate(0.9, 0.0)];
        assert_eq!(super::choose(&measured, &waiting, &truth, 1, 9), [1]);
    }
}
