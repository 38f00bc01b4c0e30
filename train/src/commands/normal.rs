//! `normal`: a score for everything that does not sound as usual, from usual sounds alone.

use anyhow::{Context, Result, bail, ensure};
use auricle::{Model, ModelOptions};
use auricle_train::dataset::{Clip, Dataset, Source};
use auricle_train::evaluate::measures::area_under_roc;
use auricle_train::front_end::{About, FrontEndSpec};
use auricle_train::golden;
use auricle_train::head::Embedded;
use auricle_train::normal::{Normal, Threshold};
use auricle_train::sources::Sources;
use indicatif::MultiProgress;

use super::backbone::BackboneArgs;
use super::{OutputArgs, said, stamp};

/// Largest difference of a clip's score between the file, in the library, and what was computed here.
const TOLERANCE: f64 = 1e-3;

/// Learns what is usual from usual sounds alone, and writes a model with one score, of the unusual
///
/// For machines of which there are no recordings of faults: the Mahalanobis distance of a network's embedding from those of
/// usual windows, as a score that is 0.5 where --false-alarm-rate of usual windows are beyond.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    backbone: BackboneArgs,
    #[command(flatten)]
    data: Source,
    /// Class of the usual clips, if there are others too; those are never learned from, only tested on.
    #[arg(long)]
    usual: Option<String>,
    /// Folds, like 4,5, that nothing is learned from: how the model does is told by their usual clips, and by all others.
    #[arg(long, value_delimiter = ',')]
    test: Vec<u32>,
    /// Share of usual windows that are beyond the threshold, by folds that were not learned from.
    #[arg(long, default_value_t = 0.01)]
    false_alarm_rate: f64,
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
        let front_end = FrontEndSpec::of(backbone.model.manifest());
        let rate = front_end.sample_rate();
        let data = said(Dataset::load_any(&self.data, rate, front_end.min_samples())?, rate);
        data.one_class_each("Label each clip with one class.")?;
        let usual = self.class(&data)?;
        let missing = self.test.iter().find(|fold| !data.folds().contains(fold));
        ensure!(missing.is_none(), "--test {missing:?}: the clips are in the folds {:?}", data.folds());
        let (known, tested): (Vec<&Clip>, Vec<&Clip>) =
            data.clips.iter().partition(|clip| clip.class == usual && !self.test.contains(&clip.fold));
        ensure!(!known.is_empty(), "no usual clip is left to learn from");

        let screen = MultiProgress::new();
        let embed = |clips: &[&Clip], what: &str| backbone.embed(clips, what, &screen, self.plain);
        let windows = embed(&known, "usual")?;
        let threshold = Threshold::new(&unheard(&known, &windows)?, self.false_alarm_rate)?;
        let all: Vec<&[f32]> = windows.iter().flat_map(|clip| &clip.windows).map(Vec::as_slice).collect();
        let normal = Normal::fit(&all)?;
        let (joined, mut manifest) =
            normal.join(threshold, &backbone.onnx, backbone.model.manifest(), &backbone.embedding)?;
        (manifest.name, manifest.version, manifest.licence) =
            (self.about.name.clone(), self.about.version.clone(), self.about.licence.clone());
        println!(
            "{} windows of {} usual clips, {} values each; covariance shrunk by {:.3}; threshold {:.2} deviations",
            all.len(),
            known.len(),
            normal.mean.len(),
            normal.shrinkage,
            threshold.distance
        );
        let scores = |clip: &Embedded| -> Vec<f64> {
            clip.windows.iter().map(|window| threshold.score(normal.distance(window))).collect()
        };
        if !tested.is_empty() {
            let found: Vec<Vec<f64>> = embed(&tested, "test")?.iter().map(scores).collect();
            told(&data, &tested, &found, usual);
        }
        let model = Model::load_memory(&joined, Some(&manifest.to_json()), &ModelOptions::default())?;
        let checked = known.iter().zip(&windows).step_by(known.len().div_ceil(64));
        for (clip, embedded) in checked {
            let mut score = [0.0];
            let sound = auricle::Clip { interleaved: &clip.samples, channels: 1, sample_rate: rate };
            model.classify(sound, &mut score)?;
            let expected = mean(&scores(embedded));
            ensure!(
                (f64::from(score[0]) - expected).abs() <= TOLERANCE,
                "{}: the file's score is {}, but {expected} was computed here; at most {TOLERANCE} apart is allowed",
                clip.name(),
                score[0]
            );
        }
        let joined = Sources::new(&known, &tested).stamp(joined)?;
        let file = golden::finish(&joined, &manifest, None)?;
        stamp::write(&self.output.out, &file)?;
        println!("{}: {} bytes", self.output.out.display(), file.len());
        Ok(())
    }

    fn class(&self, data: &Dataset) -> Result<usize> {
        match (&self.usual, data.classes.len()) {
            (None, 1) => Ok(0),
            (None, _) => bail!("--usual CLASS is needed: the clips are of {:?}", data.classes),
            (Some(name), _) => data
                .classes
                .iter()
                .position(|class| class == name)
                .with_context(|| format!("--usual {name}: the clips are of {:?}", data.classes)),
        }
    }
}

/// Distances of the windows of each fold from what the other folds have taught.
fn unheard(clips: &[&Clip], embedded: &[Embedded]) -> Result<Vec<f64>> {
    let mut folds: Vec<u32> = clips.iter().map(|clip| clip.fold).collect();
    folds.sort_unstable();
    folds.dedup();
    ensure!(
        folds.len() >= 2,
        "the usual clips are all in fold {folds:?}: a threshold needs windows that were not learned from. Give two recordings \
         or more, or a `fold` column with two"
    );
    let mut distances = Vec::new();
    for fold in folds {
        let windows = |own: bool| {
            let of = clips.iter().zip(embedded).filter(move |(clip, _)| (clip.fold == fold) == own);
            of.flat_map(|(_, embedded)| embedded.windows.iter().map(Vec::as_slice))
        };
        let normal = Normal::fit(&windows(false).collect::<Vec<_>>())?;
        distances.extend(windows(true).map(|window| normal.distance(window)));
    }
    Ok(distances)
}

fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

/// What clips that nothing was learned from say.
fn told(data: &Dataset, clips: &[&Clip], scores: &[Vec<f64>], usual: usize) {
    let of = |is_usual: bool| {
        clips.iter().zip(scores).filter(move |(clip, _)| (clip.class == usual) == is_usual).map(|(_, s)| s)
    };
    let beyond = |windows: Vec<f64>| {
        100.0 * windows.iter().filter(|s| **s >= 0.5).count() as f64 / windows.len().max(1) as f64
    };
    let windows = |is_usual: bool| of(is_usual).flatten().copied().collect::<Vec<f64>>();
    if of(true).next().is_some() {
        println!(
            "{} usual clips that were not learned from: {:.2} % of their windows are beyond",
            of(true).count(),
            beyond(windows(true))
        );
    }
    if of(false).next().is_none() {
        return;
    }
    println!(
        "{} unusual clips: {:.2} % of their windows are beyond",
        of(false).count(),
        beyond(windows(false))
    );
    let means: Vec<f32> = scores.iter().map(|scores| mean(scores) as f32).collect();
    let all: Vec<bool> = clips.iter().map(|clip| clip.class != usual).collect();
    if let Some(area) = area_under_roc(&means, &all) {
        println!("area under the ROC, of clips: {area:.3}");
        for (class, name) in data.classes.iter().enumerate().filter(|(class, _)| *class != usual) {
            let own = |clip: &&Clip| clip.class == class || clip.class == usual;
            let pick = clips.iter().zip(&means).filter(|(clip, _)| own(clip));
            let (is, means): (Vec<bool>, Vec<f32>) = pick.map(|(c, m)| (c.class == class, *m)).unzip();
            if let Some(area) = area_under_roc(&means, &is) {
                println!("  {name}: {area:.3}");
            }
        }
    }
}
