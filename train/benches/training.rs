//! One round of training steps for every line on the standard input, and then their median in ms: `training.py` has PyTorch
//! take turns with it. A step here is all that a run does for it: examples, features, augmentation, the step, the average of
//! the weights.
//!
//! ```text
//! training NETWORK THREADS STEPS
//! ```

#[path = "../../tests/support/random.rs"]
mod random;

use std::io::{Write, stdin, stdout};
use std::time::Instant;

use anyhow::{Context, Result};
use auricle_train::crops::Material;
use auricle_train::dataset::Clip;
use auricle_train::fit::{Options, Start, fit};
use auricle_train::front_end::FrontEndSpec;
use auricle_train::network::Architecture;
use auricle_train::parallel;
use auricle_train::plan::{Plan, Recipe};
use clap::{Parser, ValueEnum};
use random::Random;

const CLASSES: usize = 10;

#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    recipe: Recipe,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [network, threads, steps] = &arguments[..] else {
        println!("see the head of train/benches/training.rs");
        return Ok(());
    };
    let architecture =
        Architecture::from_str(network, true).map_err(anyhow::Error::msg).context("the network")?;
    let (threads, steps): (usize, usize) = (threads.parse()?, steps.parse()?);
    let clips: Vec<Clip> = (0..50).map(clip).collect();
    let clips: Vec<&Clip> = clips.iter().collect();
    let classes = (0..CLASSES).map(|class| class.to_string()).collect();
    let recipe = Recipe { steps: 1_000_000, ..Defaults::parse_from(["training"]).recipe };
    let plan = Plan { architecture, front_end: FrontEndSpec::mel()?, classes, recipe };
    let material =
        Material { clips: &clips, classes: CLASSES, multi_label: false, backgrounds: Default::default() };
    let (mut times, mut before) = (Vec::new(), Instant::now());
    let turn = || stdin().read_line(&mut String::new()).is_ok_and(|bytes| bytes > 0);
    parallel::on_threads(threads, || {
        fit(&plan, &material, Start::New, &Options::default(), |_| {
            times.push(before.elapsed().as_secs_f64() * 1e3);
            if times.len() == steps {
                times.sort_by(f64::total_cmp);
                println!("{:.2}", times[steps / 2]);
                stdout().flush().expect("standard output");
                times.clear();
                if !turn() {
                    std::process::exit(0);
                }
            }
            before = Instant::now();
        })
    })?;
    Ok(())
}

/// Five seconds of noise under a slow tremolo.
fn clip(index: usize) -> Clip {
    let mut random = Random(index as u64 + 1);
    let level = |n: usize| 0.1 + 0.1 * (n as f32 * 1e-3 * (1 + index % 7) as f32).sin();
    let samples = (0..80_000).map(|n| level(n) * random.sample()).collect();
    Clip { file: format!("{index}.wav"), class: index % CLASSES, samples, ..Clip::default() }
}
