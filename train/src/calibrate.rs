//! Temperature: one number that brings scores closer to how often they are right (Guo et al., arXiv:1706.04599), found
//! on clips that were not trained on. It goes into the manifest. In a window it never changes which class scores
//! highest; in a clip, whose scores are the mean of its windows', it seldom does.

use auricle::stages::scores::Activation;

/// The temperatures looked at.
const RANGE: (f64, f64) = (0.05, 20.0);
/// Nearer to an end of the range than by this factor is at it.
const AT_LIMIT: f64 = 1.02;
/// Steps of the search; each leaves 0.62 of the range. Beyond three digits the 32-bit scores cannot tell temperatures
/// apart.
const STEPS: usize = 30;
/// Bins of a reliability diagram.
pub const BINS: usize = 10;

/// One clip: its classes, and the network's outputs for each of its windows.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// Its classes.
    pub classes: &'a [usize],
    /// `[window][class]`, before the activation.
    pub windows: &'a [Vec<f32>],
}

/// One bin of a reliability diagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Bin {
    /// Mean of the highest scores in it.
    pub score: f64,
    /// Share of them that are right.
    pub right: f64,
    /// Share of all windows, each clip counting as one.
    pub share: f64,
}

/// A temperature, and what it does to a reliability diagram.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Calibration {
    /// For the manifest's `output.temperature`.
    pub temperature: f32,
    /// Why it stays as it was, where the search gave another one.
    pub kept: Option<String>,
    /// How often the highest score of a window is right, with the temperature that was there before.
    pub before: Reliability,
    /// The same with `temperature`.
    pub after: Reliability,
}

/// A reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Reliability {
    /// By height of the score.
    pub bins: [Bin; BINS],
    /// Expected calibration error.
    pub error: f64,
}

impl Calibration {
    /// With the temperature of [`temperature`] in place of `now`, if the calibration error falls with it, and if the clips tell how sure the
    /// network may be. They do not where all windows are right or all wrong, or where the search came to the end of its range
    /// because they are no more right than chance.
    pub fn new(examples: &[Example], activation: Activation, now: f32) -> Self {
        let diagram = |temperature| {
            let (bins, error) = reliability(examples, activation, temperature);
            Reliability { bins, error }
        };
        let (found, before) = (temperature(examples, activation), diagram(now));
        let after = diagram(found);
        let right: f64 = before.bins.iter().map(|bin| bin.share * bin.right).sum();
        let tells = (1e-9..1.0 - 1e-9).contains(&right)
            && f64::from(found) > RANGE.0 * AT_LIMIT
            && f64::from(found) < RANGE.1 / AT_LIMIT;
        let kept = if !tells {
            Some(format!("{:.1} % of the windows are right: they do not tell how sure to be", 100.0 * right))
        } else if after.error >= before.error && found != now {
            Some(format!(
                "with {found} the calibration error would go from {:.3} to {:.3}",
                before.error, after.error
            ))
        } else {
            None
        };
        match kept {
            Some(_) => Self { temperature: now, kept, before, after: before },
            None => Self { temperature: found, kept, before, after },
        }
    }
}

impl std::fmt::Display for Calibration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kept {
            Some(reason) => write!(
                f,
                "temperature {} stays; calibration error {:.3} ({reason})",
                self.temperature, self.before.error
            ),
            None => write!(
                f,
                "temperature {}: the calibration error goes from {:.3} to {:.3}",
                self.temperature, self.before.error, self.after.error
            ),
        }
    }
}

/// The temperature with the smallest mean −ln of what the windows of a clip give its classes; every clip counts alike.
/// Windows, because they are what a stream is judged by. 1 if there is nothing to go by.
pub fn temperature(examples: &[Example], activation: Activation) -> f32 {
    if examples.is_empty() || activation == Activation::None {
        return 1.0;
    }
    let loss = |log: f64| loss(examples, activation, log.exp());
    let golden = (5_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (RANGE.0.ln(), RANGE.1.ln());
    let at = |low: f64, high: f64| (high - golden * (high - low), low + golden * (high - low));
    let (mut a, mut b) = at(low, high);
    let (mut loss_a, mut loss_b) = (loss(a), loss(b));
    for _ in 0..STEPS {
        if loss_a < loss_b {
            high = b;
            (b, loss_b) = (a, loss_a);
            a = at(low, high).0;
            loss_a = loss(a);
        } else {
            low = a;
            (a, loss_a) = (b, loss_b);
            b = at(low, high).1;
            loss_b = loss(b);
        }
    }
    let temperature = ((low + high) / 2.0).exp();
    ((temperature * 1e3).round() / 1e3) as f32
}

/// The library's own computation.
fn scores(logits: &[f32], activation: Activation, temperature: f64) -> Vec<f32> {
    let mut scores = logits.to_vec();
    activation.apply(&mut scores, temperature as f32);
    scores
}

fn loss(examples: &[Example], activation: Activation, temperature: f64) -> f64 {
    let cost = |score: f64| -score.max(1e-12).ln();
    let of_window = |logits: &Vec<f32>, classes: &[usize]| match activation {
        Activation::Sigmoid => {
            let scores = scores(logits, activation, temperature);
            let each = scores.iter().enumerate().map(|(class, &score)| match classes.contains(&class) {
                true => cost(score.into()),
                false => cost(1.0 - f64::from(score)),
            });
            each.sum::<f64>() / scores.len() as f64
        }
        _ => {
            let scores = scores(logits, activation, temperature);
            classes.iter().map(|&class| cost(scores[class].into())).sum::<f64>() / classes.len() as f64
        }
    };
    let of_clip = |example: &Example| {
        let windows = example.windows.iter().map(|window| of_window(window, example.classes));
        windows.sum::<f64>() / example.windows.len().max(1) as f64
    };
    examples.iter().map(of_clip).sum::<f64>() / examples.len() as f64
}

/// How often the highest score of a window is right, by how high it is, in ten bins; and the expected calibration error,
/// the mean distance between the two.
pub fn reliability(examples: &[Example], activation: Activation, temperature: f32) -> ([Bin; BINS], f64) {
    let mut bins = [Bin::default(); BINS];
    for example in examples {
        let weight = 1.0 / (example.windows.len().max(1) * examples.len()) as f64;
        for window in example.windows {
            let scores = scores(window, activation, temperature.into());
            let answer = crate::judge::arg_max(&scores);
            let score = f64::from(scores[answer]);
            let bin = &mut bins[((score * BINS as f64) as usize).min(BINS - 1)];
            bin.share += weight;
            bin.score += weight * score;
            bin.right += weight * f64::from(u8::from(example.classes.contains(&answer)));
        }
    }
    let error = bins.iter().map(|bin| (bin.score - bin.right).abs()).sum();
    for bin in bins.iter_mut().filter(|bin| bin.share > 0.0) {
        bin.score /= bin.share;
        bin.right /= bin.share;
    }
    (bins, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs of two classes, of which the higher one is right in `right` of 100 clips.
    fn clips(higher: f32, right: usize) -> Vec<(usize, Vec<Vec<f32>>)> {
        (0..100).map(|n| (usize::from(n >= right), vec![vec![higher, 0.0]])).collect()
    }

    fn examples(clips: &[(usize, Vec<Vec<f32>>)]) -> Vec<Example<'_>> {
        clips
            .iter()
            .map(|(class, windows)| Example { classes: std::slice::from_ref(class), windows })
            .collect()
    }

    #[test]
    fn scores_become_the_share_that_is_right() {
        // softmax(x, 0) is 0.8 at x = ln 4, and sigmoid too for the class that is looked at.
        let clips = clips(5.0, 80);
        let examples = examples(&clips);
        let found = temperature(&examples, Activation::Softmax);
        assert!((found - 5.0 / 4_f32.ln()).abs() < 5e-3, "{found}");
        let (_, before) = reliability(&examples, Activation::Softmax, 1.0);
        let (bins, after) = reliability(&examples, Activation::Softmax, found);
        assert!((before - 0.193).abs() < 1e-3 && after < 2e-3, "{before} {after}");
        assert!((bins[7].share + bins[8].share - 1.0).abs() < 1e-9, "{bins:?}");
        // Too timid a network becomes bolder.
        let timid = temperature(&self::examples(&self::clips(0.5, 95)), Activation::Softmax);
        assert!((timid - 0.5 / 19_f32.ln()).abs() < 2e-3, "{timid}");
    }

    #[test]
    fn a_temperature_at_the_end_of_the_range_or_that_does_not_help_is_not_taken() {
        // All right: the surer the better, without end. No better than chance: the less sure the better.
        for (higher, right) in [(5.0, 100), (5.0, 0)] {
            let clips = clips(higher, right);
            let found = Calibration::new(&examples(&clips), Activation::Softmax, 1.0);
            assert!(found.temperature == 1.0 && found.kept.is_some(), "{found}");
            assert_eq!(found.before, found.after);
        }
        let helped = clips(5.0, 80);
        let helped = Calibration::new(&examples(&helped), Activation::Softmax, 1.0);
        assert!(helped.temperature > 3.0 && helped.after.error < helped.before.error, "{helped}");
        // Three sure windows that are right and one unsure one that is wrong: −ln falls, the calibration error rises.
        let mut mixed = clips(3.0, 3);
        mixed.truncate(3);
        mixed.push((1, vec![vec![0.1, 0.0]]));
        let mixed = Calibration::new(&examples(&mixed), Activation::Softmax, 1.0);
        assert!(mixed.temperature == 1.0 || mixed.after.error < mixed.before.error, "{mixed}");
    }

    #[test]
    fn nothing_to_go_by_changes_nothing() {
        assert_eq!(temperature(&[], Activation::Softmax), 1.0);
        assert_eq!(temperature(&examples(&clips(5.0, 80)), Activation::None), 1.0);
    }

    #[test]
    fn independent_classes() {
        // Each of 100 clips has class 0 with an output of 3, and 70 of them are right.
        let clips: Vec<(Vec<usize>, Vec<Vec<f32>>)> =
            (0..100).map(|n| (if n < 70 { vec![0] } else { vec![] }, vec![vec![3.0]])).collect();
        let examples: Vec<Example> =
            clips.iter().map(|(classes, windows)| Example { classes, windows }).collect();
        let found = temperature(&examples, Activation::Sigmoid);
        assert!((found - 3.0 / (0.7_f32 / 0.3).ln()).abs() < 5e-3, "{found}");
    }
}
