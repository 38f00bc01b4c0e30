//! `evaluate`: what a model is worth, on clips or on annotated recordings.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use auricle::stages::scores::Activation;
use auricle::{Manifest, Model, ModelOptions};
use auricle_train::dataset::{Clip, Source};
use auricle_train::evaluate::annotations::Annotations;
use auricle_train::evaluate::elsewhere::Elsewhere;
use auricle_train::evaluate::events::{Collar, EventReport};
use auricle_train::evaluate::noise::Noise;
use auricle_train::evaluate::tune::{Scored, events, points, tries, tune};
use auricle_train::evaluate::{Evaluator, relabel};
use auricle_train::front_end::FrontEndSpec;
use auricle_train::golden;
use auricle_train::parallel;
use auricle_train::report::{About, Painter, Report, beside};
use auricle_train::sources::Sources;
use indicatif::MultiProgress;

use super::curve::bar;
use super::{backgrounds, load, stamp, test, writable};

/// Thresholds of a PSDS.
const POINTS: usize = 50;

/// Measures anyone's model with a manifest, on labelled clips or on annotated recordings
///
/// Clips: accuracy with its interval and what always answering the commonest class would give, each class with its best
/// threshold, calibration, accuracy in noise, one answer per group. Recordings (`--events`): onset and offset F1 (sed_eval),
/// PSDS (psds_eval), false alarms per hour, and how long after its onset a sound is reported. `--tune` finds the rules for
/// events first, and writes them into the model.
#[derive(clap::Args)]
pub struct Args {
    /// ONNX file with its manifest.
    model: PathBuf,
    #[command(flatten)]
    data: Source,
    /// Folds of the clips to test on, like 1,2; all without.
    #[arg(long, value_delimiter = ',', conflicts_with = "events")]
    only: Vec<u32>,
    /// Test clips in white and pink noise too, at these SNRs in dB.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "10,0",
        allow_negative_numbers = true,
        conflicts_with = "events"
    )]
    noise_snr: Vec<f32>,
    /// Folder of recordings that are a third noise.
    #[arg(long, conflicts_with = "events")]
    noise: Option<PathBuf>,
    /// CSV with the columns `file` (relative to the data folder), `onset`, `offset` (s) and `class`: what is heard when in
    /// recordings. A row with a file alone is a recording in which nothing is.
    #[arg(long)]
    events: Option<PathBuf>,
    /// How far the onset of an event may be off, s; an offset may be off by so much, or by half of the sound's length.
    #[arg(long, default_value_t = 0.5, requires = "events")]
    collar: f64,
    /// Find the smoothing and each class's rule with which onset F1 on these recordings is highest, and write them into the
    /// manifest's `stream`. Measure the result on other recordings.
    #[arg(long, requires_all = ["events", "out"])]
    tune: bool,
    /// Most false alarms per hour that `--tune` takes, over all classes.
    #[arg(long, default_value_t = 60.0, requires = "tune")]
    max_false_alarms: f64,
    /// ONNX file to write with what `--tune` found.
    #[arg(long, requires = "tune")]
    out: Option<PathBuf>,
    /// Where to write the report: JSON; of clips, beside it a page, .html.
    #[arg(long)]
    report: Option<PathBuf>,
    /// ONNX Runtime's shared library; the library says where it looks without.
    #[arg(long)]
    runtime: Option<PathBuf>,
    /// Lines of text instead of bars; so too where the output is no terminal.
    #[arg(long)]
    plain: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        for path in self.report.iter().chain(&self.out) {
            writable(path)?;
        }
        if let (Some(json), None) = (&self.report, &self.events) {
            beside(json).iter().try_for_each(|path| writable(path))?;
        }
        auricle::open_runtime(self.runtime.as_deref())?;
        match &self.events {
            Some(csv) => self.on_recordings(csv),
            None => self.on_clips(),
        }
    }

    fn on_clips(&self) -> Result<()> {
        let onnx = stamp::read(&self.model)?;
        let model = Model::load(&self.model, &ModelOptions::default())?;
        let manifest = model.manifest();
        has_classes(&model)?;
        let mut data = load(&self.data, &FrontEndSpec::of(manifest))?;
        relabel(&mut data, model.labels())?;
        let evaluator = Evaluator::new(&onnx, manifest)?;
        if evaluator.activation() != Activation::Sigmoid {
            data.one_class_each("Label each clip with one class.")?;
        }
        let known = data.folds();
        let missing = self.only.iter().find(|fold| !known.contains(fold));
        ensure!(missing.is_none(), "--only {missing:?}: the clips are in the folds {known:?}");
        let clips: Vec<&Clip> =
            data.clips.iter().filter(|clip| self.only.is_empty() || self.only.contains(&clip.fold)).collect();
        if let Some(doubt) = Sources::doubt(&onnx, &clips)? {
            eprintln!("warning: {doubt}");
        }
        let noises = Noise::all(&self.noise_snr, &backgrounds(self.noise.as_deref(), model.sample_rate())?);
        let bar = bar(&MultiProgress::new(), "test".into(), 3 * clips.len(), self.plain);
        let cores = parallel::cores();
        let painter = Painter::new(manifest.clone());
        let fold = test(0, &evaluator, &painter, &[], &clips, cores, &|| bar.inc(1))?;
        let right = evaluator.right_after(&clips, &noises, Noise::over, cores, &|| bar.inc(1))?;
        let places = Elsewhere::all(model.sample_rate());
        let right_elsewhere =
            evaluator.right_after(&clips, &places, Elsewhere::heard, cores, &|| bar.inc(1))?;
        bar.finish_and_clear();
        let temperature = evaluator.temperature;
        let about = About::new(manifest, Vec::new())?;
        let mut report =
            Report::new(model.labels().to_vec(), about, evaluator.activation(), temperature, vec![fold]);
        report.add_noise(&noises, &right);
        report.add_elsewhere(&places, &right_elsewhere);
        println!("{report}");
        if let Some(path) = &self.report {
            println!("{}", report.write(path)?.display());
        }
        Ok(())
    }

    fn on_recordings(&self, csv: &std::path::Path) -> Result<()> {
        let model = Model::load(&self.model, &ModelOptions::default())?;
        has_classes(&model)?;
        let (manifest, labels) = (model.manifest(), model.labels());
        ensure!(self.collar > 0.0 && self.collar.is_finite(), "--collar is {}; valid above 0", self.collar);
        ensure!(
            self.max_false_alarms >= 0.0,
            "--max-false-alarms is {}; valid from 0",
            self.max_false_alarms
        );
        let truth = Annotations::read(csv, labels)?;
        let screen = MultiProgress::new();
        let listen = bar(&screen, "listen".into(), truth.files.len(), self.plain);
        let score = |_: &mut (), file: &String| Scored::new(&model, &self.data.data.join(file));
        let scored = parallel::map(parallel::cores(), &truth.files, || Ok(()), score, &|| listen.inc(1))?;
        listen.finish_and_clear();
        for sound in &truth.sounds {
            let (file, seconds) = (&truth.files[sound.file], scored[sound.file].seconds);
            ensure!(
                sound.onset < seconds,
                "{file}: a sound is annotated at {} s, but the recording is {seconds:.2} s long",
                sound.onset
            );
        }
        let collar = Collar { seconds: self.collar, of_length: Some(0.5) };
        let mut stream = manifest.stream.clone();
        stream.events.get_or_insert_default();
        let durations: Vec<f64> = scored.iter().map(|scored| scored.seconds).collect();
        let measure = |stream: &auricle::manifest::Stream| {
            let found = events(&scored, stream, labels)?;
            let points = points(&scored, stream, labels, POINTS)?;
            Ok::<_, anyhow::Error>(EventReport::new(
                labels,
                &truth.sounds,
                &found,
                &durations,
                collar,
                Some(&points),
            ))
        };
        let mut report = measure(&stream)?;
        if self.tune {
            println!("as it is:\n{report}");
            let bar = bar(&screen, "tune".into(), tries(), self.plain);
            let max = self.max_false_alarms;
            stream = tune(&scored, &truth.sounds, labels, &stream, collar, max, &|| bar.inc(1))?;
            bar.finish_and_clear();
            report = measure(&stream)?;
            println!("tuned on these recordings, so kinder than on others:");
        }
        println!("{report}");
        if let Some(path) = &self.report {
            std::fs::write(path, serde_json::to_string_pretty(&report)?)
                .with_context(|| path.display().to_string())?;
        }
        if let Some(out) = &self.out {
            // The library judges it and fills in the defaults.
            let manifest = Manifest::parse(&Manifest { stream, ..manifest.clone() }.to_json())?;
            let file = golden::finish(&stamp::read(&self.model)?, &manifest, None)?;
            stamp::write(out, &file)?;
            println!("{}: {} bytes", out.display(), file.len());
        }
        Ok(())
    }
}

fn has_classes(model: &Model) -> Result<()> {
    ensure!(
        !model.labels().is_empty(),
        "the model's first output has no classes, so there is nothing to be right about"
    );
    Ok(())
}
