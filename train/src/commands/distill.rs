//! `distill`: what a large network knows, taught to one of ours.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use auricle::{Model, ModelOptions};
use auricle_train::compress::measure::agreement;
use auricle_train::crops::Material;
use auricle_train::dataset::{Clip, sounds};
use auricle_train::distill::{Lessons, Teacher, import, shrink, study};
use auricle_train::export;
use auricle_train::fit::{ended, seeded};
use auricle_train::head::candidates;
use auricle_train::loss::Kind;
use auricle_train::network::{Architecture, Network, mobilenet};
use auricle_train::parallel;
use auricle_train::plan::{Plan, Recipe};
use auricle_train::sources::Sources;
use burn::tensor::Device;
use indicatif::MultiProgress;

use super::curve::{Curve, bar};
use super::{ModelArgs, RunArgs, backgrounds, load, stamp, writable};

/// Trains one of our networks to say what a large one says
///
/// The teacher is anyone's ONNX file with a manifest (see `stamp`): scores, and the tensor that is its embedding. The student
/// hears the same windows, changed at random as in any training, and learns both; labels are not looked at, so any recordings
/// do. The result knows the teacher's labels; `finetune` and `head` give it yours. A mobilenet whose teacher is a larger
/// MobileNet (YAMNet) begins as a part of it.
#[derive(clap::Args)]
pub struct Args {
    /// ONNX file of the teacher, with its manifest.
    #[arg(long)]
    teacher: PathBuf,
    /// Tensor that is its embedding; without it, the ones that could be are listed.
    #[arg(long)]
    embedding: Option<String>,
    /// What is trained.
    #[arg(long, value_enum, default_value_t = Architecture::Mobilenet)]
    network: Architecture,
    /// More folders of recordings, without labels.
    #[arg(long, num_args = 1..)]
    sounds: Vec<PathBuf>,
    /// Windows that the teacher is asked about; every step takes some of them.
    #[arg(long, default_value_t = 20_000)]
    windows: usize,
    /// Fold of the labelled recordings that is not listened to; how far student and teacher agree is then told by it.
    #[arg(long)]
    hold_out: Option<u32>,
    /// Distance between the windows of a clip or a stream, s.
    #[arg(long, default_value_t = 0.25)]
    hop_seconds: f64,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    model: ModelArgs,
}

impl Args {
    pub fn run(self) -> Result<()> {
        self.model.output.check()?;
        let path = self.model.output.out.with_extension("ckpt");
        writable(&path)?;
        ensure!(self.windows >= self.run.recipe.batch, "--windows is less than --batch");
        self.run.recipe.size.check(self.network)?;
        let place = || self.teacher.display().to_string();
        let onnx = stamp::read(&self.teacher)?;
        let known = Model::load(&self.teacher, &ModelOptions::default())?;
        let Some(embedding) = self.embedding.clone() else {
            let lines: Vec<String> = candidates(&onnx)
                .with_context(place)?
                .iter()
                .filter(|one| !one.rows)
                .map(|one| format!("  {}  {:?}", one.tensor, one.sizes))
                .collect();
            bail!("--embedding TENSOR is needed; {} has these that could be:\n{}", place(), lines.join("\n"));
        };
        let teacher = Teacher::new(onnx, known.manifest().clone(), embedding).with_context(place)?;
        let front_end = teacher.front_end(self.hop_seconds).with_context(place)?;
        let data = load(&self.run.data, &front_end)?;
        let (held, mut clips) = data.hold_out(self.hold_out.as_slice())?;
        let more = sounds(&self.sounds, front_end.sample_rate())?;
        let mut seconds = 0.0;
        for clip in &more {
            seconds += clip.samples.len() as f64 / f64::from(front_end.sample_rate());
        }
        println!("{} clips without labels, {seconds:.0} s", more.len());
        clips.extend(&more);
        let recipe = Recipe { loss: Kind::Binary, ..self.run.recipe.clone() };
        let plan = Plan { architecture: self.network, classes: known.labels().to_vec(), front_end, recipe };
        let network = self.learn(&teacher, &plan, &clips)?;
        let sources = Sources::new(&clips, &held);
        ended(plan.clone(), network.clone(), sources, clips.len())?.save(&path)?;
        let onnx = Sources::new(&clips, &held).stamp(export::onnx(&network, &plan, &self.model.about)?)?;
        let checked: &[&Clip] = if held.is_empty() { &clips } else { &held };
        self.model.write(onnx, &network, &plan, checked, 1.0, self.run.plain)?;
        if !held.is_empty() {
            let student = Model::load(&self.model.output.out, &ModelOptions::default())?;
            let found = agreement(&student, &known, &held)?;
            println!(
                "on the {} clips that were held out student and teacher name the same sound {:.1} % of the time; scores differ \
                 by {:.3} in the mean of the largest",
                held.len(),
                100.0 * found.same,
                found.mean
            );
        }
        Ok(())
    }

    fn learn(&self, teacher: &Teacher, plan: &Plan, clips: &[&Clip]) -> Result<Network> {
        let recipe = &plan.recipe;
        let material = Material {
            clips,
            classes: data_classes(clips),
            multi_label: true,
            backgrounds: backgrounds(recipe.augment.background.as_deref(), plan.front_end.sample_rate())?,
        };
        let screen = MultiProgress::new();
        let listen = bar(&screen, "listen".into(), Lessons::pieces(self.windows), self.run.plain);
        let lessons = Lessons::new(
            teacher,
            &plan.front_end,
            &material,
            &recipe.augment,
            recipe.seed,
            self.windows,
            &|| listen.inc(1),
        )?;
        listen.finish_and_clear();
        let outputs = lessons.sizes().iter().sum();
        let large = match self.network {
            Architecture::Mobilenet => import(teacher.onnx(), teacher.manifest()).map_err(Some),
            _ => Err(None),
        };
        let network = match large {
            Ok(large) => {
                let layers = mobilenet::CHANNELS.len();
                let bar = bar(&screen, "shrink".into(), layers, self.run.plain);
                let small = shrink(&large, &mobilenet::CHANNELS, &lessons, &|| bar.inc(1));
                bar.finish_and_clear();
                Network::Mobilenet(small)
            }
            Err(reason) => {
                if let Some(reason) = reason {
                    println!("the teacher's weights are not taken over: {reason:#}");
                }
                let cpu = Device::flex();
                seeded(&cpu, recipe.seed, || {
                    Network::sized(self.network, recipe.size, lessons.shape, outputs, &cpu)
                })?
            }
        };
        let mut curve = Curve::new(&screen, "study".into(), recipe.steps, self.run.plain);
        let device = self.run.device.device();
        let network = parallel::on_threads(parallel::cores(), || {
            study(network, &lessons, recipe, &device, |point| curve.add(point))
        })?;
        curve.finish();
        Ok(network)
    }
}

/// Classes that the clips are numbered by.
fn data_classes(clips: &[&Clip]) -> usize {
    clips.iter().flat_map(|clip| clip.classes()).max().unwrap_or(0) + 1
}
