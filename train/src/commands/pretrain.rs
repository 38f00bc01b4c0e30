//! `pretrain`: a general network from recordings that nobody has labelled.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use auricle_train::crops::Material;
use auricle_train::dataset::{Clip, Dataset, Source, sounds};
use auricle_train::difference::sample;
use auricle_train::export;
use auricle_train::fit::ended;
use auricle_train::front_end::FrontEndSpec;
use auricle_train::head::{cut, embed};
use auricle_train::loss::Kind;
use auricle_train::network::{Architecture, Network};
use auricle_train::parallel;
use auricle_train::plan::{Plan, Recipe};
use auricle_train::pretrain::{CLASS, Mixing, spread, study};
use auricle_train::sources::Sources;
use indicatif::MultiProgress;

use super::curve::{Curve, bar};
use super::{ModelArgs, NetworkArgs, Processor, backgrounds, load, stamp, writable};

/// Below this share of what is said tells clips apart, a warning is given.
const TOO_ALIKE: f64 = 0.01;

/// Trains one of our networks on recordings without labels
///
/// Of every window two views are made: each changed as in any training, mixed with windows before it, and a part of it
/// stretched to the whole; the network learns to say of one what it says of the other (BYOL-A). `--mix`, `--mask`, `--flip`,
/// `--silence` and all that is about classes have no part in it. The result is an embedding, for `head` and `normal`, and a
/// checkpoint beside it, for `finetune --from`.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of labelled recordings, as `train` takes it; the labels say which are held out, no more.
    #[arg(long, required_unless_present = "sounds")]
    data: Option<PathBuf>,
    /// CSV of their labels, as `train` takes it.
    #[arg(long, requires = "data")]
    labels: Option<PathBuf>,
    /// Folds of them that are not listened to.
    #[arg(long, value_delimiter = ',', requires = "data")]
    hold_out: Vec<u32>,
    /// Keep no decoded audio of theirs.
    #[arg(long)]
    no_cache: bool,
    /// Folders of recordings without labels.
    #[arg(long, num_args = 1..)]
    sounds: Vec<PathBuf>,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    recipe: Recipe,
    /// Where it is computed.
    #[arg(long, value_enum, default_value_t = Processor::Cpu)]
    device: Processor,
    /// Lines of text instead of bars and curves; so too where the output is no terminal.
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    model: ModelArgs,
}

impl Args {
    pub fn run(self) -> Result<()> {
        ensure!(
            self.network.network != Architecture::Stream,
            "--network stream cannot be pretrained: its file hears a hop at a time and keeps its past, and an embedding is of \
             a window that is seen whole; any of the others can"
        );
        self.model.output.check()?;
        let path = self.model.output.out.with_extension("ckpt");
        writable(&path)?;
        let architecture = self.network.network;
        self.recipe.size.check(architecture)?;
        let front_end = self.network.input.spec()?;
        Mixing::new(&front_end.input)?;
        let data = self.data(&front_end)?;
        let (held, mut clips) = match &data {
            Some(data) => data.hold_out(&self.hold_out)?,
            None => (Vec::new(), Vec::new()),
        };
        let rate = front_end.sample_rate();
        let more = sounds(&self.sounds, rate)?;
        clips.extend(&more);
        let seconds = clips.iter().map(|clip| clip.samples.len()).sum::<usize>() as f64 / f64::from(rate);
        println!("{} clips, {seconds:.0} s; no label is looked at", clips.len());

        let recipe = Recipe { loss: Kind::Binary, ..self.recipe.clone() };
        let plan = Plan { architecture, classes: vec![CLASS.into()], front_end, recipe };
        let network = self.learn(&plan, &clips)?;
        let checked: &[&Clip] = if held.is_empty() { &clips } else { &held };
        self.write(&network, &plan, Sources::new(&clips, &held), checked)?;
        ended(plan, network, Sources::new(&clips, &held), clips.len())?.save(&path)
    }

    fn data(&self, front_end: &FrontEndSpec) -> Result<Option<Dataset>> {
        let Some(data) = self.data.clone() else { return Ok(None) };
        let (labels, no_cache) = (self.labels.clone(), self.no_cache);
        let source = Source { data, labels, strict: false, folds: 5, cache: None, no_cache };
        load(&source, front_end).map(Some)
    }

    fn learn(&self, plan: &Plan, clips: &[&Clip]) -> Result<Network> {
        let folder = plan.recipe.augment.background.as_deref();
        let material = Material {
            clips,
            classes: 1,
            multi_label: true,
            backgrounds: backgrounds(folder, plan.front_end.sample_rate())?,
        };
        let screen = MultiProgress::new();
        let mut curve = Curve::new(&screen, "pretrain".into(), plan.recipe.steps, self.plain);
        let device = self.device.device();
        let network = parallel::on_threads(parallel::cores(), || {
            study(plan, &material, &device, |point| curve.add(point))
        })?;
        curve.finish();
        Ok(network)
    }

    /// The file, after the library has computed the same with the whole network, and how far apart it finds some clips.
    fn write(&self, network: &Network, plan: &Plan, sources: Sources, clips: &[&Clip]) -> Result<()> {
        let onnx = sources.stamp(export::onnx(network, plan, &self.model.about)?)?;
        let manifest = export::manifest(plan, &self.model.about)?;
        let some = sample(clips);
        let bar = bar(&MultiProgress::new(), "verify".into(), some.len(), self.plain);
        let difference = export::verify(&onnx, network, plan, &some, &|| bar.inc(1))?;
        bar.finish_and_clear();
        let tensor = export::embedding(&onnx, &manifest)?;
        let said = embed(&onnx, &manifest, &tensor, &some, &|| ())?;
        let said: Vec<Vec<f32>> = said.into_iter().flat_map(|clip| clip.windows).collect();
        let file = cut(&onnx, &manifest, &tensor)?;
        let out = &self.model.output.out;
        stamp::write(out, &file)?;
        let apart = spread(&said);
        println!(
            "{}: {} bytes, {} values; on {} clips the library differs from the trained network by at most {:.1e}; {:.1} % of what \
             it says of them tells their windows apart",
            out.display(),
            file.len(),
            said.first().map_or(0, Vec::len),
            difference.clips,
            difference.logits,
            100.0 * apart
        );
        if apart < TOO_ALIKE {
            eprintln!(
                "warning: it says nearly the same of everything; a lower --learning-rate or a larger --batch may help"
            );
        }
        Ok(())
    }
}
