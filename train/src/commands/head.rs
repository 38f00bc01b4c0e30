//! `head`: classes of one's own on a network that somebody else trained.

use anyhow::{Result, ensure};
use auricle::{Model, ModelOptions};
use auricle_train::baseline;
use auricle_train::calibrate::{Calibration, Example};
use auricle_train::compress::measure::{accuracy, scores};
use auricle_train::dataset::{Clip, Source};
use auricle_train::front_end::{About, FrontEndSpec};
use auricle_train::golden;
use auricle_train::head::{Embedded, Head, few};
use auricle_train::parallel;
use auricle_train::sources::Sources;
use indicatif::MultiProgress;

use super::backbone::BackboneArgs;
use super::{OutputArgs, load, stamp, warn_unheard};

/// Largest difference of a clip's score between the file, in the library, and the head as it was trained.
const TOLERANCE: f32 = 1e-4;

/// Trains a head on a network that stays as it is, and writes both as one model
///
/// For new classes with few clips (5 a class do) and a network that knows many sounds: anyone's ONNX file with a
/// manifest (see `stamp`), and the name of the tensor that is its embedding.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    backbone: BackboneArgs,
    #[command(flatten)]
    data: Source,
    /// Folds that are not trained on: the result is tested on them, and its temperature found by them.
    #[arg(long, value_delimiter = ',')]
    hold_out: Vec<u32>,
    /// Most clips of a class that are trained on; of as many groups (or files) as there are.
    #[arg(long)]
    shots: Option<usize>,
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    output: OutputArgs,
    /// Lines of text instead of bars; so too where the output is no terminal.
    #[arg(long)]
    plain: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        self.output.check()?;
        let backbone = self.backbone.open()?;
        let options = ModelOptions::default();
        let data = load(&self.data, &FrontEndSpec::of(backbone.model.manifest()))?;
        data.one_class_each("A head gives one class of many: label each clip with one class.")?;
        let (held, mut rest) = data.hold_out(&self.hold_out)?;
        warn_unheard(&data, &rest, "with these folds held out");
        if let Some(shots) = self.shots {
            rest = few(&rest, shots);
        }
        let screen = MultiProgress::new();
        let embed = |clips: &[&Clip], what: &str| backbone.embed(clips, what, &screen, self.plain);
        let examples = embed(&rest, "embed")?;
        let head = Head::fit(&examples, data.classes.len(), 1)?;
        let (joined, mut manifest) =
            head.join(&backbone.onnx, backbone.model.manifest(), &backbone.embedding, &data.classes)?;
        (manifest.name, manifest.version, manifest.licence) =
            (self.about.name.clone(), self.about.version.clone(), self.about.licence.clone());
        let model = Model::load_memory(&joined, Some(&manifest.to_json()), &options)?;
        check(&model, &head, &rest, &examples)?;
        println!(
            "{} clips, {:.2} % of them recognised",
            rest.len(),
            100.0 * accuracy(&model, &rest, &data.classes)?
        );
        if !held.is_empty() {
            let tested = embed(&held, "test")?;
            let windows: Vec<Vec<Vec<f32>>> =
                tested.iter().map(|clip| clip.windows.iter().map(|w| head.outputs(w)).collect()).collect();
            let examples: Vec<Example> = tested
                .iter()
                .zip(&windows)
                .map(|(clip, windows)| Example { classes: &clip.classes, windows })
                .collect();
            let calibration = Calibration::new(&examples, manifest.outputs[0].activation, 1.0);
            manifest.outputs[0].temperature = calibration.temperature;
            println!(
                "held out: {:.2} % of {} clips; {calibration}",
                100.0 * accuracy(&model, &held, &data.classes)?,
                held.len(),
            );
            let rate = manifest.input.sample_rate;
            if let Some(right) = baseline::measured(&rest, &held, rate, data.classes.len()) {
                println!(
                    "a support vector machine on MFCCs, trained on the same clips: {:.2} %",
                    100.0 * right as f64 / held.len() as f64
                );
            }
        }
        let joined = Sources::new(&rest, &held).stamp(joined)?;
        let file = golden::finish(&joined, &manifest, None)?;
        stamp::write(&self.output.out, &file)?;
        println!("{}: {} bytes, {} classes", self.output.out.display(), file.len(), data.classes.len());
        Ok(())
    }
}

/// The library computes with the file what the head gave for the embeddings.
fn check(model: &Model, head: &Head, clips: &[&Clip], examples: &[Embedded]) -> Result<()> {
    let pairs: Vec<(&Clip, &Embedded)> = clips.iter().copied().zip(examples).collect();
    let check = |_: &mut (), &(clip, example): &(&Clip, &Embedded)| {
        let mut expected = vec![0.0; head.bias.len()];
        for window in &example.windows {
            let mut window = head.outputs(window);
            model.manifest().output().activation.apply(&mut window, 1.0);
            expected.iter_mut().zip(&window).for_each(|(sum, s)| *sum += s / example.windows.len() as f32);
        }
        let found = scores(model, &clip.samples)?;
        let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        ensure!(
            apart <= TOLERANCE,
            "{}: the library's scores differ from the head's by {apart:e}; at most {TOLERANCE:e} is allowed",
            clip.name()
        );
        Ok(())
    };
    parallel::map(parallel::cores(), &pairs, || Ok(()), check, &|| ())?;
    Ok(())
}
