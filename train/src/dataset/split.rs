//! Folds: those of the labels, or ones that never have takes of one source on both sides.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use anyhow::{Result, ensure};

use super::labels::Row;

/// The fold of every row, and what is doubtful about them.
pub fn folds(rows: &[Row], count: u32) -> Result<(Vec<u32>, Vec<String>)> {
    let mut groups: BTreeMap<&OsStr, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        groups.entry(source(row)).or_default().push(index);
    }
    if rows.iter().all(|row| row.fold.is_some()) {
        let folds: Vec<u32> = rows.iter().filter_map(|row| row.fold).collect();
        let mut doubts = Vec::new();
        for (group, rows) in groups {
            let mut within: Vec<u32> = rows.iter().map(|&row| folds[row]).collect();
            within.sort_unstable();
            within.dedup();
            if within.len() > 1 {
                doubts.push(format!(
                    "{group:?} is in the folds {within:?}: what is tested was heard in training"
                ));
            }
        }
        return Ok((folds, doubts));
    }
    ensure!(count >= 2, "--folds is {count}; at least 2 are needed");
    Ok((deal(rows, groups.into_values().collect(), count), Vec::new()))
}

/// What a row was recorded from: its group, or else its file.
fn source(row: &Row) -> &OsStr {
    row.group.as_ref().map_or(row.file.as_os_str(), OsStr::new)
}

/// Every group, the largest first, to the fold that has the fewest clips of the group's classes: folds come out with
/// the same share of every class as far as the groups allow. The same labels give the same folds everywhere.
fn deal(rows: &[Row], mut groups: Vec<Vec<usize>>, count: u32) -> Vec<u32> {
    groups.sort_by_key(|group| std::cmp::Reverse(group.len())); // stable: then in the order of their names
    let mut folds = vec![0; rows.len()];
    let mut clips: Vec<BTreeMap<&str, usize>> = vec![BTreeMap::new(); count as usize];
    for group in groups {
        let classes = || group.iter().flat_map(|&row| rows[row].classes.iter().map(String::as_str));
        let load = |fold: &BTreeMap<&str, usize>| {
            let of_these: usize = classes().map(|class| fold.get(class).copied().unwrap_or(0)).sum();
            (of_these, fold.values().sum::<usize>())
        };
        let emptiest = (0..clips.len()).min_by_key(|&fold| load(&clips[fold])).unwrap_or(0);
        classes().for_each(|class| *clips[emptiest].entry(class).or_default() += 1);
        group.iter().for_each(|&row| folds[row] = emptiest as u32 + 1);
    }
    folds
}
