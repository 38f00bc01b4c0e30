//! What scores and answers are worth, in numbers that decide.

use serde::Serialize;

/// 95 % of the normal distribution lie within so many standard deviations.
const Z: f64 = 1.959_964;

/// A share, with the interval that holds the true one in 95 of 100 cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// What was measured.
    pub value: f64,
    /// Ends of the interval.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

/// Clips of one class: how many of them are right, and from how many sources they come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recall {
    /// Right ones.
    pub right: usize,
    /// All of them.
    pub clips: usize,
    /// Groups, or files, that they come from.
    pub sources: usize,
}

/// Mean of the recalls of all classes that have clips. The interval is Wilson's, of as many clips of one class as would leave
/// the same doubt; each source counts as one clip, because takes of one source are mostly right or wrong together.
pub fn balanced_accuracy(classes: &[Recall]) -> Estimate {
    let heard: Vec<&Recall> = classes.iter().filter(|class| class.clips > 0).collect();
    let count = heard.len() as f64;
    let value = heard.iter().map(|class| share(class.right, class.clips)).sum::<f64>() / count.max(1.0);
    // The variance of a mean of shares: the sum of p (1 - p) / n over the classes, over their number squared.
    let sources = count.powi(2) / heard.iter().map(|class| 1.0 / class.sources.max(1) as f64).sum::<f64>();
    if heard.is_empty() {
        return Estimate { value, low: 0.0, high: 1.0 };
    }
    let squared = Z * Z / sources;
    let centre = (value + squared / 2.0) / (1.0 + squared);
    let half = Z * (value * (1.0 - value) / sources + squared / sources / 4.0).sqrt() / (1.0 + squared);
    Estimate { value, low: (centre - half).max(0.0), high: (centre + half).min(1.0) }
}

/// Right and wrong answers to the question whether a class is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    /// It is, and was found.
    pub hits: usize,
    /// It is not, and was found.
    pub false_alarms: usize,
    /// It is, and was not found.
    pub misses: usize,
    /// It is not, and was not found.
    pub rejections: usize,
}

/// `part / of`; 0 where there is nothing.
pub fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

impl Counts {
    /// Adds one answer.
    pub fn add(&mut self, is: bool, found: bool) {
        *match (is, found) {
            (true, true) => &mut self.hits,
            (false, true) => &mut self.false_alarms,
            (true, false) => &mut self.misses,
            (false, false) => &mut self.rejections,
        } += 1;
    }

    /// Share of what was found that is so; 0 if nothing was found.
    pub fn precision(&self) -> f64 {
        share(self.hits, self.hits + self.false_alarms)
    }

    /// Share of what is so that was found: sensitivity.
    pub fn recall(&self) -> f64 {
        share(self.hits, self.hits + self.misses)
    }

    /// Share of what is not so that was not found.
    pub fn specificity(&self) -> f64 {
        share(self.rejections, self.rejections + self.false_alarms)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        share(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)
    }
}

/// Scores from the highest down, with how many of those with a class and without it are at least so high: a step where
/// the score changes.
fn steps(scores: &[f32], is: &[bool]) -> Vec<(f32, usize, usize)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let (mut with, mut without) = (0, 0);
    let mut steps: Vec<(f32, usize, usize)> = Vec::new();
    for index in order {
        if is[index] {
            with += 1
        } else {
            without += 1
        }
        match steps.last_mut() {
            Some(last) if last.0 == scores[index] => *last = (last.0, with, without),
            _ => steps.push((scores[index], with, without)),
        }
    }
    steps
}

/// Average precision: precision at every score, weighted by the recall that it adds (scikit-learn's
/// `average_precision_score`). None without a clip that has the class.
pub fn average_precision(scores: &[f32], is: &[bool]) -> Option<f64> {
    let all = is.iter().filter(|is| **is).count();
    let mut before = 0;
    let step = |(_, with, without): (f32, usize, usize)| {
        let gained = with - std::mem::replace(&mut before, with);
        share(with, with + without) * share(gained, all)
    };
    (all > 0).then(|| steps(scores, is).into_iter().map(step).sum())
}

/// (recall, precision) at every score, from the highest down.
pub fn precision_recall(scores: &[f32], is: &[bool]) -> Vec<(f64, f64)> {
    let all = is.iter().filter(|is| **is).count();
    steps(scores, is)
        .into_iter()
        .map(|(_, with, without)| (share(with, all), share(with, with + without)))
        .collect()
}

/// Probability that a clip with the class has a higher score than one without it; the area under the ROC. None unless there
/// are both.
pub fn area_under_roc(scores: &[f32], is: &[bool]) -> Option<f64> {
    let steps = steps(scores, is);
    let &(_, with, without) = steps.last().filter(|last| last.1 > 0 && last.2 > 0)?;
    let (mut area, mut before) = (0.0, (0, 0));
    for (_, hits, alarms) in steps {
        area += (alarms - before.1) as f64 * (hits + before.0) as f64 / 2.0;
        before = (hits, alarms);
    }
    Some(area / (with * without) as f64)
}

/// The score from which on a class is found with the highest F1, halfway to the next lower one, and the answers there. None
/// without a clip that has the class.
pub fn best_threshold(scores: &[f32], is: &[bool]) -> Option<(f32, Counts)> {
    let all = is.iter().filter(|is| **is).count();
    let steps = steps(scores, is);
    let counts = |&(_, hits, false_alarms): &(f32, usize, usize)| Counts {
        hits,
        false_alarms,
        misses: all - hits,
        rejections: is.len() - all - false_alarms,
    };
    let best = (0..steps.len()).max_by(|&a, &b| {
        counts(&steps[a]).f1().total_cmp(&counts(&steps[b]).f1()).then(b.cmp(&a)) // of equals the higher score
    })?;
    let below = steps.get(best + 1).map_or(steps[best].0, |next| next.0);
    (all > 0).then(|| ((steps[best].0 + below) / 2.0, counts(&steps[best])))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 6] = [0.9, 0.8, 0.8, 0.4, 0.3, 0.1];
    const IS: [bool; 6] = [true, false, true, true, false, false];

    /// Computed with scikit-learn 1.7: `average_precision_score` and `roc_auc_score` of these lists.
    #[test]
    fn average_precision_and_area_are_scikit_learns() {
        let ap = average_precision(&SCORES, &IS).expect("there are some");
        // 1/3 · 1 + 1/3 · 2/3 + 1/3 · 3/4
        assert!((ap - 0.805_555_555_6).abs() < 1e-9, "{ap}");
        let auc = area_under_roc(&SCORES, &IS).expect("there are both");
        assert!((auc - 0.833_333_333_3).abs() < 1e-9, "{auc}");
        assert_eq!(average_precision(&SCORES, &[false; 6]), None);
        assert_eq!(area_under_roc(&SCORES, &[true; 6]), None);
    }

    #[test]
    fn the_threshold_with_the_best_f1_lies_between_two_scores() {
        let (threshold, counts) = best_threshold(&SCORES, &IS).expect("there are some");
        assert_eq!(counts, Counts { hits: 3, false_alarms: 1, misses: 0, rejections: 2 });
        assert!((threshold - 0.35).abs() < 1e-6, "{threshold}");
        assert!((counts.f1() - 6.0 / 7.0).abs() < 1e-12 && (counts.specificity() - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn an_interval_is_as_wide_as_the_number_of_sources_allows() {
        let class = |right, clips, sources| Recall { right, clips, sources };
        let width = |classes: &[Recall]| {
            let found = balanced_accuracy(classes);
            assert!(found.low <= found.value && found.value <= found.high, "{found:?}");
            found.high - found.low
        };
        let both = balanced_accuracy(&[class(90, 100, 100), class(5, 10, 10), class(0, 0, 0)]);
        assert!((both.value - 0.7).abs() < 1e-12, "{both:?}");
        // Wilson's interval of 80 of 100 is 0.7112 to 0.8666; of two such classes that of 160 of 200, 0.7391 to 0.8495.
        let close = |found: Estimate, low: f64, high: f64| {
            assert!((found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4, "{found:?}");
        };
        close(balanced_accuracy(&[class(80, 100, 100)]), 0.7112, 0.8666);
        close(balanced_accuracy(&[class(80, 100, 100), class(80, 100, 100)]), 0.7391, 0.8495);
        // The same clips from 10 sources say less, and all right is not certainty.
        assert!(width(&[class(80, 100, 10)]) > 2.5 * width(&[class(80, 100, 100)]));
        let certain = balanced_accuracy(&[class(20, 20, 20)]);
        assert!(
            certain.value == 1.0 && certain.high > 0.999 && certain.low < 0.95 && certain.low > 0.8,
            "{certain:?}"
        );
    }
}
