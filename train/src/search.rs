//! Networks and front ends of many sizes, and those of which none is smaller, faster and better at once. Successive halving
//! (Jamieson and Talwalkar, AISTATS 2016): all are trained a little, the better third three times as long, and so on.

use std::time::Instant;

use anyhow::{Result, ensure};
use auricle::{Model, ModelOptions};
use burn::tensor::Device;
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};
use serde::Serialize;

use crate::export;
use crate::front_end::{About, FrontEndSpec};
use crate::judge::Judge;
use crate::network::{Architecture, Network, Size};
use crate::plan::{Plan, Recipe};

/// What is searched.
const WIDTHS: [f64; 5] = [0.5, 0.75, 1.0, 1.5, 2.0];
const DEPTHS: [usize; 2] = [1, 2];
const KERNELS: [usize; 2] = [3, 5];
const BINS: [usize; 3] = [32, 48, 64];
/// Parts of a frame from one row to the next.
const HOPS: [usize; 3] = [1, 2, 3];
/// One in so many goes on to the next round, which trains so many times as long.
pub const KEEP: usize = 3;
/// Runs of which the latency is the median.
const RUNS: usize = 41;

/// One network with its front end.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// What is trained.
    pub size: Size,
    /// Bands of the front end.
    pub bins: usize,
    /// Samples from row to row.
    pub frame_hop: usize,
    /// One window, front end and network, on one thread here.
    pub ms: f64,
    /// Size of the file.
    pub kb: f64,
    /// Steps of its last training.
    pub steps: usize,
    /// What held-out clips said then.
    pub held_out: Option<Judge>,
    /// Whether nothing found is smaller, faster and better.
    pub on_front: bool,
    #[serde(skip)]
    front_end: Option<FrontEndSpec>,
}

/// Why candidates were left out before any training.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LeftOut {
    /// Too slow here.
    pub slow: usize,
    /// Too large a file.
    pub large: usize,
    /// A front end that the network cannot look at.
    pub unfit: usize,
}

/// Draws up to `count` candidates that keep the limits; `front_end` is what bands and hops are varied of.
pub fn draw(
    front_end: &FrontEndSpec,
    recipe: &Recipe,
    classes: &[String],
    count: usize,
    [max_ms, max_kb]: [f64; 2],
) -> Result<(Vec<Candidate>, LeftOut)> {
    ensure!(
        front_end.input.features.mel.is_some(),
        "a search varies the bands of a mel front end; this one has none"
    );
    let mut all = Vec::new();
    for width in WIDTHS {
        for depth in DEPTHS {
            for kernel in KERNELS {
                for bins in BINS {
                    all.extend(HOPS.map(|hop| (Size { width, depth, kernel }, bins, hop)));
                }
            }
        }
    }
    all.shuffle(&mut StdRng::seed_from_u64(recipe.seed));
    let (mut found, mut left_out) = (Vec::new(), LeftOut::default());
    for (size, bins, hop) in all {
        if found.len() == count {
            break;
        }
        let mut input = front_end.input.clone();
        let frame_hop = input.features.frame_length.unwrap_or(1024) / (hop + 1);
        input.features.frame_hop = Some(frame_hop);
        if let Some(mel) = &mut input.features.mel {
            mel.bins = Some(bins);
        }
        let spec = FrontEndSpec::new(input, front_end.hop_seconds)?;
        let recipe = Recipe { size, ..recipe.clone() };
        let plan =
            Plan { architecture: Architecture::Resnet, front_end: spec, classes: classes.to_vec(), recipe };
        let Ok((ms, kb)) = cost(&plan) else {
            left_out.unfit += 1;
            continue;
        };
        match (ms > max_ms, kb > max_kb) {
            (true, _) => left_out.slow += 1,
            (false, true) => left_out.large += 1,
            (false, false) => found.push(Candidate {
                size,
                bins,
                frame_hop,
                ms,
                kb,
                steps: 0,
                held_out: None,
                on_front: false,
                front_end: Some(plan.front_end),
            }),
        }
    }
    Ok((found, left_out))
}

/// Latency (ms) and size (kB) of a network that was not trained: its weights change neither.
fn cost(plan: &Plan) -> Result<(f64, f64)> {
    let shape = plan.front_end.plan()?.shape();
    let network =
        Network::sized(plan.architecture, plan.recipe.size, shape, plan.classes.len(), &Device::flex())?;
    let onnx = export::onnx(&network, plan, &About::nameless())?;
    let model = Model::load_memory(&onnx, None, &ModelOptions::default())?;
    let samples: Vec<f32> =
        (0..plan.front_end.input.window()).map(|n| (n as f32 * 0.3).sin() * 0.1).collect();
    let mut scores = vec![0.0; plan.classes.len()];
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let clip = auricle::Clip { interleaved: &samples, channels: 1, sample_rate: model.sample_rate() };
        let before = Instant::now();
        model.classify(clip, &mut scores)?;
        times.push(before.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[RUNS / 2], onnx.len() as f64 / 1e3))
}

/// Trains in rounds, each with the better third of the one before for three times as many steps, up to `steps`. `train` gives
/// what held-out clips say of a plan. The best come first.
pub fn halve(
    mut candidates: Vec<Candidate>,
    recipe: &Recipe,
    classes: &[String],
    mut train: impl FnMut(usize, &Plan) -> Result<Judge>,
) -> Result<Vec<Candidate>> {
    let rounds = rounds(candidates.len());
    let mut going = candidates.len();
    for round in 0..rounds {
        let steps = (recipe.steps / KEEP.pow((rounds - 1 - round) as u32)).max(1);
        for (number, candidate) in candidates[..going].iter_mut().enumerate() {
            let Some(front_end) = candidate.front_end.clone() else { continue };
            let recipe = Recipe { size: candidate.size, steps, ..recipe.clone() };
            let plan =
                Plan { architecture: Architecture::Resnet, front_end, classes: classes.to_vec(), recipe };
            candidate.held_out = Some(train(number, &plan)?);
            candidate.steps = steps;
        }
        candidates[..going].sort_by(|a, b| order(a).total_cmp(&order(b)));
        going = going.div_ceil(KEEP);
    }
    mark_front(&mut candidates);
    Ok(candidates)
}

/// Trainings one after the other that a candidate can get to.
pub fn rounds(candidates: usize) -> usize {
    let mut rounds = 1;
    let mut going = candidates;
    while going > KEEP {
        going = going.div_ceil(KEEP);
        rounds += 1;
    }
    rounds
}

/// The lower the better: wrong clips, and among equals the loss.
fn order(candidate: &Candidate) -> f64 {
    candidate.held_out.map_or(f64::INFINITY, |found| (1.0 - found.accuracy) * 1e6 + found.loss)
}

/// Of those that were trained the longest or as long as anything they lose to: nothing else is at least as good in time, size
/// and accuracy, and better in one.
fn mark_front(candidates: &mut [Candidate]) {
    let most = candidates.iter().map(|candidate| candidate.steps).max().unwrap_or(0);
    let values = |c: &Candidate| [c.ms, c.kb, order(c)];
    let all: Vec<(usize, [f64; 3])> = candidates.iter().map(|c| (c.steps, values(c))).collect();
    for candidate in candidates.iter_mut() {
        let own = values(candidate);
        let beats = |(steps, other): &(usize, [f64; 3])| {
            *steps == most && *other != own && other.iter().zip(&own).all(|(other, own)| other <= own)
        };
        candidate.on_front = candidate.steps == most && !all.iter().any(beats);
    }
}

impl Candidate {
    /// Its front end.
    pub fn input(&self) -> Option<&auricle::manifest::Input> {
        self.front_end.as_ref().map(|spec| &spec.input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(ms: f64, kb: f64) -> Candidate {
        let size = Size::default();
        Candidate {
            size,
            bins: 64,
            frame_hop: 512,
            ms,
            kb,
            steps: 0,
            held_out: None,
            on_front: false,
            front_end: Some(FrontEndSpec::mel().expect("valid")),
        }
    }

    #[test]
    fn the_better_third_goes_on_and_the_front_is_what_nothing_beats() {
        use clap::Parser;
        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            recipe: Recipe,
        }
        let recipe = Recipe { steps: 900, ..Defaults::parse_from(["x"]).recipe };
        // Accuracy is worse the faster, but for one that is slow and bad.
        let candidates: Vec<Candidate> = (0..9).map(|n| candidate(1.0 + n as f64, 100.0)).collect();
        let mut trained = Vec::new();
        let found = halve(candidates, &recipe, &["a".into(), "b".into()], |number, plan| {
            trained.push((number, plan.recipe.steps));
            Ok(Judge { loss: 1.0, accuracy: 0.5 + 0.01 * (9 - number) as f64 })
        })
        .expect("trained");
        let steps: Vec<usize> = trained.iter().map(|(_, steps)| *steps).collect();
        assert_eq!(steps, [vec![300; 9], vec![900; 3]].concat());
        assert!(found[..3].iter().all(|c| c.steps == 900) && !found[3].on_front, "{found:?}");

        let judged = |accuracy: f64, steps: usize, ms: f64| {
            let held_out = Some(Judge { loss: 1.0, accuracy });
            Candidate { held_out, steps, ..candidate(ms, 100.0) }
        };
        let mut list =
            vec![judged(0.9, 9, 2.0), judged(0.8, 9, 1.0), judged(0.85, 9, 3.0), judged(0.99, 3, 0.1)];
        mark_front(&mut list);
        assert_eq!(list.iter().map(|c| c.on_front).collect::<Vec<_>>(), [true, true, false, false]);
    }
}
