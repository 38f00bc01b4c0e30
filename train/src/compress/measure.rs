//! What a model file is worth, measured through the library: how often it is right, and how long it takes.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use auricle::{Model, Read, Session, SessionOptions};

use crate::dataset::Clip;
use crate::judge::arg_max;
use crate::parallel;

/// How often each file gets a window's worth of audio to be timed on, in turn with the others.
const ROUNDS: usize = 60;

/// Scores of a clip at the model's rate.
pub fn scores(model: &Model, samples: &[f32]) -> Result<Vec<f32>> {
    let mut scores = vec![0.0; model.labels().len()];
    let clip = auricle::Clip { interleaved: samples, channels: 1, sample_rate: model.sample_rate() };
    model.classify(clip, &mut scores)?;
    Ok(scores)
}

/// Share of the clips whose highest score is one of their classes. `classes` are the names that the clips' classes
/// are indices of; the model must know all of them.
pub fn accuracy(model: &Model, clips: &[&Clip], classes: &[String]) -> Result<f64> {
    ensure!(!clips.is_empty(), "no clips to measure the accuracy by");
    let places: Vec<Option<usize>> =
        classes.iter().map(|class| model.labels().iter().position(|label| label == class)).collect();
    let known = |class: usize| {
        places[class].ok_or_else(|| {
            anyhow::anyhow!(
                "the model does not know the class {:?}; it knows {:?}",
                classes[class],
                model.labels()
            )
        })
    };
    let right = |_: &mut (), clip: &&Clip| {
        let answer = arg_max(&scores(model, &clip.samples)?);
        let own = clip.classes().map(known).collect::<Result<Vec<_>>>()?;
        Ok(own.contains(&answer))
    };
    let right = parallel::map(parallel::cores(), clips, || Ok(()), right, &|| ())?;
    Ok(right.iter().filter(|right| **right).count() as f64 / clips.len() as f64)
}

/// What a compressed model says beside the model that it was made from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agreement {
    /// Share of the clips with the same highest score.
    pub same: f64,
    /// Mean over clips of the largest difference of a score.
    pub mean: f32,
    /// Largest difference of a score of any clip.
    pub max: f32,
}

/// How far the scores of two models of the same classes are apart.
pub fn agreement(a: &Model, b: &Model, clips: &[&Clip]) -> Result<Agreement> {
    ensure!(!clips.is_empty(), "no clips to compare scores by");
    let compare = |_: &mut (), clip: &&Clip| {
        let (a, b) = (scores(a, &clip.samples)?, scores(b, &clip.samples)?);
        let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        Ok((arg_max(&a) == arg_max(&b), apart))
    };
    let mut agreement = Agreement::default();
    for (same, apart) in parallel::map(parallel::cores(), clips, || Ok(()), compare, &|| ())? {
        agreement.same += f64::from(u8::from(same)) / clips.len() as f64;
        agreement.mean += apart / clips.len() as f32;
        agreement.max = agreement.max.max(apart);
    }
    Ok(agreement)
}

/// Whether the model has any of `classes`; with none its accuracy cannot be measured.
pub fn knows(model: &Model, classes: &[String]) -> bool {
    classes.iter().any(|class| model.labels().contains(class))
}

/// Median time of one inference, seconds, of each model: windows of noise, the models in turn, so that whatever else the
/// machine does touches all of them alike. One thread.
pub fn latencies(models: &[&Model]) -> Result<Vec<f64>> {
    let sessions = models.iter().map(|model| {
        let mut options = SessionOptions::new(model.sample_rate(), 1);
        options.ring_seconds = Some(model.manifest().input.window_duration() + 1.0);
        Session::new(model, &options)
    });
    let sessions: Vec<Session> = sessions.collect::<auricle::Result<_>>()?;
    let mut times = vec![Vec::new(); models.len()];
    for _ in 0..ROUNDS {
        for ((model, session), times) in models.iter().zip(&sessions).zip(&mut times) {
            let noise = auricle::manifest::golden::Signal::Noise { seed: 1 };
            session.push_f32(&noise.samples(model.sample_rate(), model.manifest().window_samples()))?;
            let mut scores = vec![0.0; model.labels().len()];
            while let Read::Window(window) = session.read(&mut scores)? {
                times.push(window.inference_nanoseconds);
            }
        }
    }
    let median = |mut times: Vec<u64>| {
        times.sort_unstable();
        times
            .get(times.len() / 2)
            .map(|&time| time as f64 * 1e-9)
            .context("no window in a window's worth of audio")
    };
    times.into_iter().map(median).collect()
}

/// One line of the table of `compress`.
pub struct Measured {
    /// What file it is.
    pub name: String,
    /// Its size.
    pub bytes: usize,
    /// Median time of one inference, seconds.
    pub seconds: f64,
    /// Share of the clips that it gets right; unknown where it has other classes than the clips.
    pub accuracy: Option<f64>,
}

/// The table: each file beside the first one.
pub fn table(rows: &[Measured]) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let mut table = format!("{:width$}      bytes  smaller      time  faster  accuracy    lost\n", "");
    for row in rows {
        let first = &rows[0];
        let _ = writeln!(
            table,
            "{:width$} {:10}  {:6.2}×  {:5.2} ms  {:5.2}×  {:>8}  {:>6}",
            row.name,
            row.bytes,
            first.bytes as f64 / row.bytes as f64,
            1e3 * row.seconds,
            first.seconds / row.seconds,
            row.accuracy.map_or_else(|| "-".into(), |accuracy| format!("{:.2} %", 100.0 * accuracy)),
            row.accuracy
                .zip(first.accuracy)
                .map_or_else(|| "-".into(), |(row, first)| format!("{:+.2}", 100.0 * (first - row)))
        );
    }
    table
}
