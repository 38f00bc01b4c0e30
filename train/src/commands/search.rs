//! `search`: the network and the front end for a time and a size.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use auricle_train::crops::Material;
use auricle_train::dataset::Clip;
use auricle_train::fit::{Options, Start, fit};
use auricle_train::judge::judge;
use auricle_train::loss::Kind;
use auricle_train::network::Architecture;
use auricle_train::parallel;
use auricle_train::plan::{Point, Recipe};
use auricle_train::report::{STYLE, escaped};
use auricle_train::search::{Candidate, draw, halve, rounds};
use indicatif::MultiProgress;

use super::curve::Curve;
use super::{NetworkArgs, RunArgs, backgrounds};

/// Finds resnets and mel front ends that keep a time and a size, and of which none is faster, smaller and better at once
///
/// Width, depth, kernel, bands and frame hop are drawn at random; what is too slow on this machine (ONNX Runtime, one thread, a
/// window with its front end) or too large is left out before any training. The rest is trained a little, the better third
/// three times as long, and so on, judged by --hold-out. Judge the winner by other clips: `train --test`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
    /// Fold that candidates are judged by; never trained on.
    #[arg(long)]
    hold_out: u32,
    /// Folds, like 4,5, that are not looked at, so that the winner can be tested on them.
    #[arg(long, value_delimiter = ',')]
    test: Vec<u32>,
    /// Longest time of one window here, ms.
    #[arg(long, default_value_t = 1.0)]
    max_ms: f64,
    /// Largest file, kB.
    #[arg(long, default_value_t = 1000.0)]
    max_kb: f64,
    /// Candidates that are trained. The last of them are trained for --steps.
    #[arg(long, default_value_t = 27)]
    trials: usize,
    /// Folder to write: `search.json`, a page, and the front ends of the winners for `train --input`.
    #[arg(long)]
    out: PathBuf,
    /// ONNX Runtime's shared library; the library says where it looks without.
    #[arg(long)]
    runtime: Option<PathBuf>,
}

impl Args {
    pub fn run(self) -> Result<()> {
        ensure!(self.trials >= 1, "--trials is 0");
        ensure!(!self.test.contains(&self.hold_out), "fold {} is in --hold-out and in --test", self.hold_out);
        auricle::open_runtime(self.runtime.as_deref())?;
        fs::create_dir_all(&self.out).with_context(|| self.out.display().to_string())?;
        let (plan, data) = self.network.plan(&self.run)?;
        ensure!(plan.architecture == Architecture::Resnet, "a search varies a resnet: leave --network out");
        let away: Vec<u32> = self.test.iter().copied().chain([self.hold_out]).collect();
        let (away, rest) = data.hold_out(&away)?;
        let held: Vec<&Clip> = away.into_iter().filter(|clip| clip.fold == self.hold_out).collect();
        let limits = [self.max_ms, self.max_kb];
        let (candidates, left_out) = draw(&plan.front_end, &plan.recipe, &plan.classes, self.trials, limits)?;
        println!(
            "{} candidates within {} ms and {} kB; left out: {} too slow, {} too large, {} that do not fit together",
            candidates.len(),
            self.max_ms,
            self.max_kb,
            left_out.slow,
            left_out.large,
            left_out.unfit
        );
        ensure!(!candidates.is_empty(), "nothing keeps the limits; raise --max-ms or --max-kb");
        println!("{} rounds, the last of {} steps", rounds(candidates.len()), plan.recipe.steps);
        let material = Material {
            clips: &rest,
            classes: plan.classes.len(),
            multi_label: plan.recipe.loss == Kind::Binary,
            backgrounds: backgrounds(
                plan.recipe.augment.background.as_deref(),
                plan.front_end.sample_rate(),
            )?,
        };
        let screen = MultiProgress::new();
        let options = Options { device: Some(self.run.device.device()), ..Options::default() };
        let found = halve(candidates, &plan.recipe, &plan.classes, |number, plan| {
            let name = format!("{} of {}", number + 1, plan.recipe.steps);
            let mut curve = Curve::new(&screen, name, plan.recipe.steps, self.run.plain);
            let show = |point: &Point| curve.add(point);
            let cores = parallel::cores();
            let network = parallel::on_threads(cores, || fit(plan, &material, Start::New, &options, show))?;
            curve.finish();
            let found = judge(&network, plan, &held, parallel::cores())?;
            println!(
                "{} steps, {}: {:.2} %, loss {:.3}",
                plan.recipe.steps,
                plan.recipe.size.short(),
                100.0 * found.accuracy,
                found.loss
            );
            Ok(found)
        })?;
        print!("\n{}", table(&found));
        self.write(&found, &plan.recipe)
    }

    fn write(&self, found: &[Candidate], recipe: &Recipe) -> Result<()> {
        let path = |name: &str| self.out.join(name);
        fs::write(path("search.json"), serde_json::to_string_pretty(found)?)?;
        fs::write(path("search.html"), page(found))?;
        for (number, candidate) in found.iter().filter(|candidate| candidate.on_front).enumerate() {
            let name = path(&format!("input{}.json", number + 1));
            fs::write(&name, serde_json::to_string_pretty(&candidate.input())?)?;
            println!(
                "auricle-train train --data {} --input {} --width {} --depth {} --kernel {} --steps {} …",
                self.run.data.data.display(),
                name.display(),
                candidate.size.width,
                candidate.size.depth,
                candidate.size.kernel,
                recipe.steps
            );
        }
        println!("{}", path("search.html").display());
        Ok(())
    }
}

/// One line a candidate, those that nothing beats with a star.
fn table(found: &[Candidate]) -> String {
    let mut text = format!(
        "{:>5} {:>5} {:>6} {:>5} {:>9}  {:>6}  {:>6}  {:>5}  {:>8}\n",
        "width", "depth", "kernel", "bands", "frame hop", "ms", "kB", "steps", "right"
    );
    for candidate in found {
        let Candidate { size, bins, frame_hop, ms, kb, steps, .. } = candidate;
        let right = candidate.held_out.map_or(0.0, |found| 100.0 * found.accuracy);
        let star = if candidate.on_front { "  *" } else { "" };
        let _ = writeln!(
            text,
            "{:5} {:5} {:6} {bins:5} {frame_hop:9}  {ms:6.3}  {kb:6.0}  {steps:5}  {right:6.2} %{star}",
            size.width, size.depth, size.kernel
        );
    }
    text
}

/// The table, and a picture: time to the right, what is right upwards, the dots' areas the files' sizes.
fn page(found: &[Candidate]) -> String {
    let right = |c: &Candidate| c.held_out.map_or(0.0, |found| found.accuracy);
    let slowest = found.iter().map(|c| c.ms).fold(1e-9, f64::max);
    let largest = found.iter().map(|c| c.kb).fold(1e-9, f64::max);
    let (low, high) = found.iter().map(right).fold((1.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Search</title><style>{STYLE}</style><h1>Search</h1><p>Time of a window to the right, held-out clips that are \
         right upwards; the area of a dot is the size of the file. Blue: nothing that was trained as long is faster, smaller \
         and better at once.</p><svg viewBox=\"0 0 640 300\" role=img aria-label=\"accuracy over time\"><path class=axis \
         d=\"M60 20V270H620\" fill=none /><text x=54 y=30 text-anchor=end>{:.1} %</text><text x=54 y=270 \
         text-anchor=end>{:.1} %</text><text x=60 y=288>0</text><text x=620 y=288 text-anchor=end>{slowest:.2} ms</text>",
        100.0 * high,
        100.0 * low
    );
    for candidate in found {
        let colour = if candidate.on_front { "--mark" } else { "--soft" };
        let _ = write!(
            page,
            "<circle cx={:.1} cy={:.1} r={:.1} fill=\"var({colour})\" opacity=.7><title>{}, {} bands, hop {}: {:.3} ms, {:.0} \
             kB, {:.2} %, {} steps</title></circle>",
            60.0 + 550.0 * candidate.ms / slowest,
            260.0 - 230.0 * (right(candidate) - low) / (high - low).max(1e-9),
            3.0 + 12.0 * (candidate.kb / largest).sqrt(),
            candidate.size.short(),
            candidate.bins,
            candidate.frame_hop,
            candidate.ms,
            candidate.kb,
            100.0 * right(candidate),
            candidate.steps
        );
    }
    let _ = write!(page, "</svg><div class=scroll><pre>{}</pre></div></html>", escaped(&table(found)));
    page
}
