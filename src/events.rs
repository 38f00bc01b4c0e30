//! Scores of overlapping windows -> events: one for each sound, from onset to offset.
//!
//! A class is on from the window whose score reaches `on` until one falls below `off`. Times compare the ends of
//! windows. The same sound is in as many windows as the window is longer than the hop; where it lies follows from the
//! first and the last of them: it begins in the newest hop of the first and ends in the oldest hop of the last.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::{Range, RangeInclusive};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::json::{self, MAX_LABELS};
use crate::memory::{self, collected, reserved};

/// Events that wait to be read before the oldest are given up.
pub const QUEUE: usize = 256;
/// Longest time that a rule can name, seconds.
const MAX_SECONDS: f64 = 3600.0;
const DEFAULT_ON: f32 = 0.5;
/// `off` as a share of `on`, where it is not given.
const DEFAULT_OFF: f32 = 0.8;

/// When a class is on (`stream.events`, and for a class of its own `stream.events.classes.LABEL`). What is absent is
/// taken from the rule for all classes, and there has the default that is named.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The score that starts an event; default 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<f32>,
    /// The score below which it ends, at most `on`; default 0.8 `on`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<f32>,
    /// How long it must be on to be reported at all, seconds; default 0: one window is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_on_seconds: Option<f64>,
    /// How long the score must be below `off` to end it, seconds; default 0: one window is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_off_seconds: Option<f64>,
    /// If it ends and is on again after at most this time, it is one event, seconds; default 0. An event is final only
    /// when this time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_seconds: Option<f64>,
    /// After an event is final, how long no other of its class starts, seconds; default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refractory_seconds: Option<f64>,
}

/// Which events a stream has (`stream.events`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// [`Rule::on`] for all classes.
    pub on: Option<f32>,
    /// [`Rule::off`] for all classes.
    pub off: Option<f32>,
    /// [`Rule::min_on_seconds`] for all classes.
    pub min_on_seconds: f64,
    /// [`Rule::min_off_seconds`] for all classes.
    pub min_off_seconds: f64,
    /// [`Rule::merge_seconds`] for all classes.
    pub merge_seconds: f64,
    /// [`Rule::refractory_seconds`] for all classes.
    pub refractory_seconds: f64,
    /// Labels that have events; absent: all.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::optional_list::<MAX_LABELS, _, _>"
    )]
    pub allow: Option<Vec<String>>,
    /// Labels that have none.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "json::list::<MAX_LABELS, _, _>")]
    pub deny: Vec<String>,
    /// Rules of classes of their own, by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "json::map::<MAX_LABELS, _, _>")]
    pub classes: BTreeMap<String, Rule>,
}

impl Rules {
    /// Checks every member and fills in the defaults; `path` is where the rules stand, `scores` what the model can give.
    pub(crate) fn resolve(
        &mut self,
        path: &str,
        labels: &[String],
        scores: &RangeInclusive<f32>,
    ) -> Result<()> {
        let set = set(labels)?;
        for (list, name) in [(self.allow.as_deref().unwrap_or_default(), "allow"), (&self.deny, "deny")] {
            for (index, label) in list.iter().enumerate() {
                known(&format!("{path}.{name}[{index}]"), label, &set, labels)?;
            }
        }
        self.on.get_or_insert(DEFAULT_ON);
        for (label, rule) in &self.classes {
            known(&format!("{path}.classes"), label, &set, labels)?;
            self.of(rule).check(&format!("{path}.classes.{label}"), scores)?;
        }
        let all = self.of(&Rule::default());
        all.check(path, scores)?;
        self.off = all.off;
        Ok(())
    }

    /// A class's own rule, completed by the one for all classes.
    fn of(&self, own: &Rule) -> Rule {
        let on = own.on.or(self.on).unwrap_or(DEFAULT_ON);
        // The threshold of all classes may lie above one of its own.
        let off = own.off.or(self.off.filter(|_| own.on.is_none())).unwrap_or(DEFAULT_OFF * on);
        Rule {
            on: Some(on),
            off: Some(off),
            min_on_seconds: own.min_on_seconds.or(Some(self.min_on_seconds)),
            min_off_seconds: own.min_off_seconds.or(Some(self.min_off_seconds)),
            merge_seconds: own.merge_seconds.or(Some(self.merge_seconds)),
            refractory_seconds: own.refractory_seconds.or(Some(self.refractory_seconds)),
        }
    }
}

fn set(labels: &[String]) -> Result<HashSet<&str>> {
    let mut set = memory::set(labels.len(), "the labels")?;
    set.extend(labels.iter().map(String::as_str));
    Ok(set)
}

/// Labels of the model that a message names.
const SHOWN: usize = 8;

fn known(path: &str, label: &str, known: &HashSet<&str>, labels: &[String]) -> Result<()> {
    if known.contains(label) {
        return Ok(());
    }
    let (shown, more) = (&labels[..labels.len().min(SHOWN)], labels.len().saturating_sub(SHOWN));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(Error::manifest(path, format_args!("{label:?} is no label of the model; it has {shown:?}{more}")))
}

impl Rule {
    /// Of a rule that is complete.
    fn check(&self, path: &str, scores: &RangeInclusive<f32>) -> Result<()> {
        let (on, off) = (self.on.unwrap_or(f32::NAN), self.off.unwrap_or(f32::NAN));
        for (name, score) in [("on", on), ("off", off)] {
            if !scores.contains(&score) {
                return Err(Error::manifest(
                    &format!("{path}.{name}"),
                    format_args!("{score}; valid {scores:?}, where the model's scores lie"),
                ));
            }
        }
        if off > on {
            return Err(Error::manifest(
                &format!("{path}.off"),
                format_args!("{off}; valid up to `on`, which is {on}"),
            ));
        }
        for (name, seconds) in [
            ("min_on_seconds", self.min_on_seconds),
            ("min_off_seconds", self.min_off_seconds),
            ("merge_seconds", self.merge_seconds),
            ("refractory_seconds", self.refractory_seconds),
        ] {
            let seconds = seconds.unwrap_or(0.0);
            if !(0.0..=MAX_SECONDS).contains(&seconds) {
                return Err(Error::manifest(
                    &format!("{path}.{name}"),
                    format!("{seconds}; valid 0..={MAX_SECONDS}"),
                ));
            }
        }
        Ok(())
    }
}

/// One sound of one class. It is reported twice with the same `id`: provisional as soon as it is on for long enough, and
/// final once it is over. Frames are the host's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Number of the event in its stream, from 1.
    pub id: u64,
    /// Index of the class.
    pub class: usize,
    /// Whether the event is over and will not change any more.
    pub is_final: bool,
    /// First frame of the sound, to about a hop.
    pub onset_frame: u64,
    /// One past its last frame, to about a hop; of a provisional event, how far it has been heard.
    pub offset_frame: u64,
    /// End of the window that decided it: `decided_frame - onset_frame` is how late it is reported.
    pub decided_frame: u64,
    /// Highest score of its windows.
    pub peak_score: f32,
    /// Mean score of its windows, from the first to the last that was on.
    pub mean_score: f32,
    /// Events given up just before this one, because [`QUEUE`] of them waited.
    pub lost_before: u64,
}

/// A rule in host frames.
#[derive(Debug)]
struct Plan {
    class: usize,
    on: f32,
    off: f32,
    min_on: u64,
    min_off: u64,
    merge: u64,
    refractory: u64,
}

/// A sound that is on, or was on not long enough ago to be over.
#[derive(Clone, Debug)]
struct Sound {
    /// Once it is reported.
    id: Option<u64>,
    /// First and last window that were on.
    first: Range<u64>,
    last: Range<u64>,
    peak: f32,
    sum: f64,
    count: u64,
    /// Of the windows after `last`.
    later_sum: f64,
    later_count: u64,
}

#[derive(Clone, Debug)]
enum State {
    /// No event starts at a window that ends before this frame.
    Off {
        until: u64,
    },
    On(Sound),
    /// Below `off` for long enough, but it may go on within the time to merge.
    Fading(Sound),
}

const OFF: State = State::Off { until: 0 };

/// One stream's events.
#[derive(Debug)]
pub(crate) struct Detector {
    classes: Vec<(Plan, State)>,
    last_window: Option<u64>,
    queue: Queue,
}

/// Events that wait to be read, in the order of the stream.
#[derive(Debug)]
struct Queue {
    /// Distance of windows, host frames.
    hop: u64,
    next_id: u64,
    events: VecDeque<Event>,
    lost: u64,
}

impl Detector {
    /// `rules` are resolved; `hop` in host frames.
    pub fn new(rules: &Rules, labels: &[String], sample_rate: u32, hop: u64) -> Result<Self> {
        let frames = |seconds: Option<f64>| (seconds.unwrap_or(0.0) * f64::from(sample_rate)).round() as u64;
        let plan = |(class, label): (usize, &String)| {
            let rule = rules.of(rules.classes.get(label).unwrap_or(&Rule::default()));
            Plan {
                class,
                on: rule.on.unwrap_or(DEFAULT_ON),
                off: rule.off.unwrap_or(DEFAULT_ON),
                min_on: frames(rule.min_on_seconds),
                min_off: frames(rule.min_off_seconds),
                merge: frames(rule.merge_seconds),
                refractory: frames(rule.refractory_seconds),
            }
        };
        let (allow, deny) = (rules.allow.as_deref().map(set).transpose()?, set(&rules.deny)?);
        let watches =
            |label: &str| allow.as_ref().is_none_or(|set| set.contains(label)) && !deny.contains(label);
        let watched = labels.iter().enumerate().filter(|(_, label)| watches(label));
        Ok(Self {
            classes: collected(
                labels.len(),
                "the rules of the classes",
                watched.map(|label| (plan(label), OFF)),
            )?,
            last_window: None,
            queue: Queue {
                hop,
                next_id: 1,
                events: reserved(QUEUE, "the events that wait")?.into(),
                lost: 0,
            },
        })
    }

    /// Forgets the stream.
    pub fn clear(&mut self) {
        self.classes.iter_mut().for_each(|(_, state)| *state = OFF);
        self.last_window = None;
        self.queue.events.clear();
        (self.queue.next_id, self.queue.lost) = (1, 0);
    }

    /// The next event that waits.
    pub fn pop(&mut self) -> Option<Event> {
        let event = self.queue.events.pop_front()?;
        Some(Event { lost_before: std::mem::take(&mut self.queue.lost), ..event })
    }

    /// Takes the scores of window `number`, which lies at `window`. Every class was off in windows left out since the one
    /// before: they hold nothing but lost audio.
    pub fn observe(&mut self, number: u64, window: &Range<u64>, scores: &[f32]) {
        let missing = self.last_window.is_some_and(|last| number > last + 1);
        self.last_window = Some(number);
        let hop = self.queue.hop;
        let before = window.start.saturating_sub(hop)..window.end.saturating_sub(hop);
        for (plan, state) in &mut self.classes {
            if missing {
                *state = plan.next(std::mem::replace(state, OFF), &before, None, &mut self.queue);
            }
            let score = Some(scores[plan.class]);
            *state = plan.next(std::mem::replace(state, OFF), window, score, &mut self.queue);
        }
    }

    /// The stream is over, and so is every sound.
    pub fn finish(&mut self) {
        for (plan, state) in &mut self.classes {
            if let State::On(sound) | State::Fading(sound) = std::mem::replace(state, OFF) {
                self.queue.over(plan, &sound, sound.last.end);
            }
        }
    }
}

impl Plan {
    /// The state after `window`, whose score is `None` if it was lost.
    fn next(&self, state: State, window: &Range<u64>, score: Option<f32>, queue: &mut Queue) -> State {
        let reached = |threshold: f32| score.filter(|&score| score >= threshold);
        // How long it has not been on: none if this is the next window.
        let off_for = |sound: &Sound| window.end.saturating_sub(sound.last.end + queue.hop);
        match state {
            State::Off { until } => match reached(self.on) {
                Some(score) if window.end >= until => self.on(Sound::new(window, score), window, queue),
                _ => State::Off { until },
            },
            State::On(mut sound) => {
                if let Some(score) = reached(self.off) {
                    sound.extend(window, score);
                    return self.on(sound, window, queue);
                }
                sound.pass(score);
                if off_for(&sound) < self.min_off {
                    State::On(sound)
                } else {
                    self.fade(sound, window, queue)
                }
            }
            State::Fading(mut sound) => match reached(self.on) {
                Some(score) if off_for(&sound) <= self.merge => {
                    sound.extend(window, score);
                    State::On(sound)
                }
                _ => {
                    sound.pass(score);
                    match self.fade(sound, window, queue) {
                        // It is over, and this window may start the next.
                        off @ State::Off { .. } => self.next(off, window, score, queue),
                        fading => fading,
                    }
                }
            },
        }
    }

    fn on(&self, mut sound: Sound, window: &Range<u64>, queue: &mut Queue) -> State {
        if sound.id.is_none() && sound.last.end - sound.first.end >= self.min_on {
            sound.id = Some(queue.next_id);
            queue.next_id += 1;
            queue.event(self, &sound, window.end, false);
        }
        State::On(sound)
    }

    fn fade(&self, sound: Sound, window: &Range<u64>, queue: &mut Queue) -> State {
        // The next window that could be on would come a hop later.
        if sound.id.is_some() && window.end.saturating_sub(sound.last.end) <= self.merge {
            return State::Fading(sound);
        }
        queue.over(self, &sound, window.end);
        State::Off { until: sound.id.map_or(0, |_| window.end.saturating_add(self.refractory)) }
    }
}

impl Sound {
    fn new(window: &Range<u64>, score: f32) -> Self {
        Self {
            id: None,
            first: window.clone(),
            last: window.clone(),
            peak: score,
            sum: score.into(),
            count: 1,
            later_sum: 0.0,
            later_count: 0,
        }
    }

    /// It is on in `window`.
    fn extend(&mut self, window: &Range<u64>, score: f32) {
        self.last = window.clone();
        self.peak = self.peak.max(score);
        self.sum += std::mem::take(&mut self.later_sum) + f64::from(score);
        self.count += std::mem::take(&mut self.later_count) + 1;
    }

    /// It is not on, but may be again.
    fn pass(&mut self, score: Option<f32>) {
        if let Some(score) = score {
            self.later_sum += f64::from(score);
            self.later_count += 1;
        }
    }

    /// Where it lies. It came in with the newest hop of the first window and left with the oldest of the last. If
    /// that is the wrong way round, so few windows were on that it lies inside all of them.
    fn place(&self, hop: u64) -> Range<u64> {
        let onset = self.first.end.saturating_sub(hop).max(self.first.start);
        let offset = (self.last.start + hop).min(self.last.end);
        if onset < offset { onset..offset } else { self.last.start..self.first.end }
    }
}

impl Queue {
    /// A sound that was reported is over.
    fn over(&mut self, plan: &Plan, sound: &Sound, decided: u64) {
        if sound.id.is_some() {
            self.event(plan, sound, decided, true);
        }
    }

    fn event(&mut self, plan: &Plan, sound: &Sound, decided: u64, is_final: bool) {
        if self.events.len() == QUEUE {
            self.events.pop_front();
            self.lost += 1;
        }
        let onset = sound.first.end.saturating_sub(self.hop).max(sound.first.start);
        let place = if is_final { sound.place(self.hop) } else { onset..sound.last.end };
        self.events.push_back(Event {
            id: sound.id.unwrap_or_default(),
            class: plan.class,
            is_final,
            onset_frame: place.start,
            offset_frame: place.end,
            decided_frame: decided,
            peak_score: sound.peak,
            mean_score: (sound.sum / sound.count as f64) as f32,
            lost_before: 0,
        });
    }
}

#[cfg(test)]
mod tests;
