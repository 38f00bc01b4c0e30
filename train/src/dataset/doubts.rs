//! What is doubtful about labelled recordings that could all be read: labels that contradict each other, sounds that are
//! there twice, silence.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::{Clip, Dataset};
use crate::augment::{SILENCE_RMS, rms};

/// Examples that a line names.
const SHOWN: usize = 3;

/// A line for each kind of doubt.
pub fn doubts(data: &Dataset) -> Vec<String> {
    let mut lines = spellings(&data.classes);
    lines.extend(silence(&data.clips));
    lines.extend(twice(data));
    lines
}

/// Classes that differ in upper and lower case, or blanks, alone.
fn spellings(classes: &[String]) -> Vec<String> {
    let plain = |class: &String| class.to_lowercase().replace([' ', '_', '-'], "");
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    classes.iter().for_each(|class| alike.entry(plain(class)).or_default().push(class));
    let alike = alike.into_values().filter(|names| names.len() > 1);
    alike.map(|names| format!("the classes {names:?} are spelled nearly alike: one class?")).collect()
}

/// Clips without a loud enough 10 ms.
fn silence(clips: &[Clip]) -> Option<String> {
    let silent = |clip: &&Clip| {
        clip.samples.chunks(clip.samples.len().clamp(1, 160)).all(|part| rms(part) < SILENCE_RMS)
    };
    line(clips.iter().filter(silent).map(Clip::name).collect(), "silent (below -60 dBFS all the time)")
}

/// The same samples in several rows: of one class, of several, in several folds.
fn twice(data: &Dataset) -> Vec<String> {
    let (mut places, mut groups) = (HashMap::new(), Vec::<Vec<&Clip>>::new());
    for clip in &data.clips {
        let mut hash = Sha256::new();
        clip.samples.iter().for_each(|sample| hash.update(sample.to_le_bytes()));
        let place = *places.entry(hash.finalize()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(clip);
    }
    let (mut classes, mut folds, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for clips in groups.iter().filter(|clips| clips.len() > 1) {
        let (first, others) = (clips[0], &clips[1..]);
        let names = clips.iter().map(|clip| clip.name()).collect::<Vec<_>>().join(" = ");
        if others.iter().any(|clip| clip.classes().ne(first.classes())) {
            let named = |clip: &&Clip| {
                clip.classes().map(|class| data.classes[class].as_str()).collect::<Vec<_>>().join("|")
            };
            classes.push(format!("{names} ({})", clips.iter().map(named).collect::<Vec<_>>().join(", ")));
        } else if others.iter().any(|clip| clip.fold != first.fold) {
            folds.push(names);
        } else {
            rest.push(names);
        }
    }
    let lines = [
        line(classes, "there twice with different classes (several classes of one sound: `a|b` in one row)"),
        line(folds, "there twice in different folds: what is tested was heard in training"),
        line(rest, "there twice"),
    ];
    lines.into_iter().flatten().collect()
}

fn line(names: Vec<String>, are: &str) -> Option<String> {
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| format!("{}{more}: {are}", names[..names.len().min(SHOWN)].join("; ")))
}
