//! The training loop.

use std::collections::BTreeSet;
use std::f64::consts::PI;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::store::ModuleRecord;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

use crate::checkpoint::{Checkpoint, Progress};
use crate::crops::{Batch, Crops, Material, Place};
use crate::dataset::Clip;
use crate::judge::judge;
use crate::loss::Loss;
use crate::network::Network;
use crate::plan::{Plan, Point, Recipe};
use crate::sources::Sources;
use crate::weights;

/// Batches that wait for their step.
const AHEAD: usize = 2;

/// What a run begins with.
pub enum Start {
    /// New weights.
    New,
    /// A run of the same plan that was stopped.
    Resume(Box<Checkpoint>),
    /// The weights of a finished run, with a new last layer if the classes are others.
    From {
        /// The run.
        checkpoint: Box<Checkpoint>,
        /// Share of the channels that is silenced first: see [`Network::silence_channels`].
        prune: f64,
    },
}

/// What a run is judged by, where it is kept and computed, and where it stops.
#[derive(Default)]
pub struct Options<'a> {
    /// Clips that are looked at, never trained on.
    pub held_out: &'a [&'a Clip],
    /// Where to keep the run, and after how many steps.
    pub checkpoint: Option<(PathBuf, usize)>,
    /// Where it is computed; the CPU without.
    pub device: Option<Device>,
    /// Threads that look at the clips that are held out; the steps themselves are on those of the pool that calls.
    pub threads: usize,
    /// Stops the run after so many steps as if it had been interrupted.
    pub stop_after: Option<usize>,
}

/// Burn's generator of initial weights is one for the whole process: networks are made one at a time.
static INITIALISING: Mutex<()> = Mutex::new(());

/// What `make` makes, with initial weights that `seed` decides.
pub fn seeded<T>(device: &Device, seed: u64, make: impl FnOnce() -> T) -> T {
    let _one_at_a_time = INITIALISING.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    make()
}

/// Trains on `material`; `report` gets every step. The result is out of training and on the CPU. The same
/// arguments give the same weights, bit for bit, on any number of threads of one CPU, stopped and resumed or not.
pub fn fit(
    plan: &Plan,
    material: &Material<'_>,
    start: Start,
    options: &Options<'_>,
    mut report: impl FnMut(&Point),
) -> Result<Network> {
    let recipe = &plan.recipe;
    ensure!(!material.clips.is_empty(), "no clips to train on");
    ensure!(recipe.steps > 0 && recipe.batch > 1, "steps must be at least 1 and batch at least 2");
    ensure!(recipe.evaluate_every > 0, "evaluate-every must be at least 1");
    ensure!(
        recipe.patience == 0 || !options.held_out.is_empty(),
        "patience is {}, but no clips are held out to stop by",
        recipe.patience
    );
    let device = options.device.clone().unwrap_or_else(Device::flex);
    let mut run = Run::begin(plan, material, options.held_out, start, &device.clone().autodiff())?;
    let mut front_end = plan.front_end.plan()?;
    let mut crops = Crops::new(material, &recipe.augment, recipe.seed, run.progress.place);
    thread::scope(|scope| {
        // The next batches are made while a step is computed. Which they are, the place alone decides.
        let (ready, batches) = mpsc::sync_channel(AHEAD);
        scope.spawn(
            move || {
                while ready.send((crops.batch(recipe.batch, &mut front_end), crops.place())).is_ok() {}
            },
        );
        run.all(batches, options, &mut report)
    })?;
    run.result()
}

impl Run {
    /// All steps that are left.
    fn all(
        &mut self,
        batches: Receiver<(Batch, Place)>,
        options: &Options<'_>,
        report: &mut dyn FnMut(&Point),
    ) -> Result<()> {
        while !self.progress.is_over() {
            let (batch, place) = batches.recv().context("the thread that makes examples has ended")?;
            self.step(batch)?;
            self.progress.place = place;
            let (step, recipe) = (self.progress.step, &self.progress.plan.recipe);
            let looks = step.is_multiple_of(recipe.evaluate_every) || step == recipe.steps;
            if !options.held_out.is_empty() && looks {
                self.evaluate(options)?;
            }
            if let Some(point) = self.progress.history.last() {
                report(point);
            }
            let stop = options.stop_after == Some(step);
            if let Some((path, every)) = &options.checkpoint
                && (step.is_multiple_of(*every) || self.progress.is_over() || stop)
            {
                self.save(path)?;
            }
            if stop {
                break;
            }
        }
        Ok(())
    }
}

/// A training run in memory.
struct Run {
    progress: Progress,
    device: Device,
    network: Network,
    optimiser: ModuleOptimizer,
    loss: Loss,
    shape: [usize; 2],
    average: Vec<f32>,
    best: Vec<f32>,
}

impl Run {
    fn begin(
        plan: &Plan,
        material: &Material<'_>,
        held_out: &[&Clip],
        start: Start,
        device: &Device,
    ) -> Result<Self> {
        let recipe = &plan.recipe;
        let shape = plan.front_end.plan()?.shape();
        let classes = plan.classes.len();
        let class_weights = recipe.class_weights.resolve(material.clips, classes, recipe.loss)?;
        let network = seeded(device, recipe.seed, || match &start {
            Start::From { checkpoint, prune } => {
                let network = finished(checkpoint, plan, shape, device)?;
                match *prune {
                    0.0 => Ok(network),
                    share => Ok(network.valid().silence_channels(share)?.train()),
                }
            }
            _ => Network::sized(plan.architecture, recipe.size, shape, classes, device),
        })?;
        let mut run = Self {
            progress: Progress::new(
                plan.clone(),
                material.clips.len(),
                Sources::new(material.clips, held_out),
            ),
            device: device.clone(),
            average: if recipe.average > 0.0 { weights::flatten(&network.valid()) } else { Vec::new() },
            network,
            optimiser: optimiser(recipe),
            loss: Loss::new(recipe.loss, class_weights, recipe.label_smoothing, classes, device),
            shape,
            best: Vec::new(),
        };
        if let Start::Resume(checkpoint) = start {
            run = run.resume(*checkpoint)?;
        }
        Ok(run)
    }

    /// Goes on with the checkpoint's run. It may have become longer or shorter; everything else must be the same.
    fn resume(self, checkpoint: Checkpoint) -> Result<Self> {
        let Progress { plan, clips, sources, .. } = self.progress.clone();
        let mut progress = checkpoint.progress;
        let steps = plan.recipe.steps;
        ensure!(
            steps >= progress.step,
            "the checkpoint has made {} steps; --steps is {steps}",
            progress.step
        );
        progress.plan.recipe.steps = steps;
        let mut differences = differences(&progress.plan, &plan)?;
        if progress.clips != clips {
            differences.push(format!("clips: {} and now {clips}", progress.clips));
        } else if progress.sources != sources {
            differences.push("the clips, or which of them are held out".into());
        }
        ensure!(
            differences.is_empty(),
            "the checkpoint is of another run; what differs: {}",
            differences.join("; ")
        );
        let record = ModuleRecord::from_bytes(Checkpoint::record(&checkpoint.network))
            .context("the checkpoint's network")?;
        Ok(Self {
            progress,
            network: self.network.try_load_record(record).context("the checkpoint's network")?,
            optimiser: self
                .optimiser
                .from_bytes(Checkpoint::record(&checkpoint.optimiser))
                .context("the checkpoint's optimiser")?,
            average: checkpoint.average,
            best: checkpoint.best,
            ..self
        })
    }

    fn step(&mut self, batch: Batch) -> Result<()> {
        let recipe = &self.progress.plan.recipe;
        let [bins, rows] = self.shape;
        let classes = self.progress.plan.classes.len();
        let input = TensorData::new(batch.input, [batch.examples, 1, bins, rows]);
        let target = TensorData::new(batch.target, [batch.examples, classes]);
        let logits = self.network.forward(Tensor::<4>::from_data(input, &self.device));
        let loss = self.loss.forward(logits, Tensor::<2>::from_data(target, &self.device));
        let value = loss.clone().into_scalar::<f32>();
        let step = self.progress.step + 1;
        ensure!(value.is_finite(), "the loss became {value} at step {step}; lower the learning rate");
        let mut gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        if recipe.clip_norm > 0.0 {
            weights::clip_global_norm(&self.network, &mut gradients, recipe.clip_norm);
        }
        let rate = learning_rate(recipe, self.progress.step);
        self.network = self.optimiser.step(rate, self.network.clone(), gradients);
        self.progress.step = step;
        self.progress.history.push(Point { step, loss: value, held_out: None });
        if !self.average.is_empty() {
            weights::follow(&mut self.average, &self.network.valid(), recipe.decay(step));
        }
        Ok(())
    }

    /// The network as it would be used now, on the CPU.
    fn usable(&self) -> Network {
        let network = self.network.valid().to_device(&Device::flex());
        if self.average.is_empty() { network } else { weights::replace(network, &self.average) }
    }

    fn evaluate(&mut self, options: &Options<'_>) -> Result<()> {
        let network = self.usable();
        let found = judge(&network, &self.progress.plan, options.held_out, options.threads.max(1))?;
        if let Some(point) = self.progress.history.last_mut() {
            point.held_out = Some(found);
        }
        if self.progress.best.is_none_or(|(_, loss)| found.loss < loss) {
            self.progress.best = Some((self.progress.step, found.loss));
            self.best = weights::flatten(&network);
        }
        Ok(())
    }

    fn save(&self, path: &Path) -> Result<()> {
        let network = self.network.clone();
        // What every thread has seen of the running statistics, brought together.
        let _ = network.valid();
        Checkpoint {
            progress: self.progress.clone(),
            network: network.into_record().into_bytes().context("the network's record")?.to_vec(),
            optimiser: self.optimiser.into_bytes().context("the optimiser's record")?.to_vec(),
            average: self.average.clone(),
            best: self.best.clone(),
        }
        .save(path)
    }

    fn result(self) -> Result<Network> {
        let network = self.usable();
        let best = self.progress.plan.recipe.patience > 0 && !self.best.is_empty();
        Ok(if best { weights::replace(network, &self.best) } else { network })
    }
}

/// The checkpoint of a run that has ended with `network`, after `clips` clips, by another training than [`fit`].
pub fn ended(plan: Plan, network: Network, sources: Sources, clips: usize) -> Result<Checkpoint> {
    let optimiser = optimiser(&plan.recipe).into_bytes().context("the optimiser's record")?.to_vec();
    let mut progress = Progress::new(plan, clips, sources);
    progress.step = progress.plan.recipe.steps;
    let network = network.into_record().into_bytes().context("the network's record")?.to_vec();
    Ok(Checkpoint { progress, network, optimiser, average: Vec::new(), best: Vec::new() })
}

/// The network that a finished run came to, in training again.
fn finished(checkpoint: &Checkpoint, plan: &Plan, shape: [usize; 2], device: &Device) -> Result<Network> {
    let before = &checkpoint.progress.plan;
    ensure!(
        before.architecture == plan.architecture && before.front_end == plan.front_end,
        "the checkpoint's network and front end are {:?} and {}; they cannot be changed",
        before.architecture,
        serde_json::to_string(&before.front_end)?
    );
    let record = ModuleRecord::from_bytes(Checkpoint::record(&checkpoint.network))
        .context("the checkpoint's network")?;
    let network =
        Network::sized(before.architecture, before.recipe.size, shape, before.classes.len(), device)?
            .try_load_record(record)
            .context("the checkpoint's network")?;
    let usable = match (before.recipe.patience > 0 && !checkpoint.best.is_empty(), &checkpoint.average) {
        (true, _) => Some(&checkpoint.best),
        (false, average) if !average.is_empty() => Some(average),
        _ => None,
    };
    let network = match usable {
        Some(numbers) => weights::replace(network.valid(), numbers).train(),
        None => network,
    };
    Ok(if before.classes == plan.classes {
        network
    } else {
        network.with_classes(plan.classes.len(), device)
    })
}

/// The members in which two plans differ, with what each says.
fn differences(before: &Plan, now: &Plan) -> Result<Vec<String>> {
    fn compare(path: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
        match (before, now) {
            (Value::Object(a), Value::Object(b)) => {
                let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for key in keys {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    compare(
                        &path,
                        a.get(key).unwrap_or(&Value::Null),
                        b.get(key).unwrap_or(&Value::Null),
                        found,
                    );
                }
            }
            _ if before != now => found.push(format!("{path}: {before} and now {now}")),
            _ => {}
        }
    }
    let mut found = Vec::new();
    compare("", &serde_json::to_value(before)?, &serde_json::to_value(now)?, &mut found);
    Ok(found)
}

/// AdamW with PyTorch's constants; burn's default epsilon is 1e-5. The betas are 0.9 and 0.999 in both.
pub fn optimiser(recipe: &Recipe) -> ModuleOptimizer {
    AdamWConfig::new().with_weight_decay(recipe.weight_decay).with_epsilon(1e-8).init()
}

/// Of one step, counted from 0.
pub fn learning_rate(recipe: &Recipe, step: usize) -> f64 {
    let warm_up = (recipe.steps / 10).max(1);
    if step < warm_up {
        return recipe.learning_rate * (step + 1) as f64 / warm_up as f64;
    }
    let progress = (step - warm_up) as f64 / (recipe.steps - warm_up).max(1) as f64;
    recipe.learning_rate * 0.5 * (1.0 + (PI * progress).cos())
}
