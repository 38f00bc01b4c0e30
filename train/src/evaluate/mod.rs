//! What a model's file is worth, measured through the library: whoever made it, whatever it was trained with.

pub mod annotations;
pub mod elsewhere;
pub mod events;
pub mod measures;
pub mod noise;
pub mod tune;

use anyhow::{Context, Result, ensure};
use auricle::stages::scores::Activation;
use auricle::{ClipOptions, Manifest, Model, ModelOptions};

use crate::dataset::{Clip, Dataset};
use crate::judge::arg_max;
use crate::parallel;

/// A model that clips are shown to.
pub struct Evaluator {
    /// With the outputs as they leave the network.
    raw: Model,
    /// What makes scores of them.
    activation: Activation,
    /// What they are divided by first.
    pub temperature: f32,
}

/// What a model says of one clip.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Scores of all classes, as `classify` gives them.
    pub scores: Vec<f32>,
    /// The network's outputs for each window.
    pub windows: Vec<Vec<f32>>,
}

impl Answer {
    /// The class with the highest score.
    pub fn class(&self) -> usize {
        arg_max(&self.scores)
    }
}

impl Evaluator {
    /// Of a file; `manifest` stands in for the one that it has.
    pub fn new(onnx: &[u8], manifest: &Manifest) -> Result<Self> {
        let mut raw = manifest.clone();
        let first = &mut raw.outputs[0];
        let activation = std::mem::replace(&mut first.activation, Activation::None);
        let temperature = std::mem::replace(&mut first.temperature, 1.0);
        raw.golden.clear();
        // Rules for events have no meaning for outputs.
        raw.stream.events = None;
        let options = ModelOptions::default();
        let raw = Model::load_memory(onnx, Some(&raw.to_json()), &options)
            .context("the library refuses the file")?;
        Ok(Self { raw, activation, temperature })
    }

    /// What makes scores of the network's outputs.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Samples at the model's rate -> the answer.
    pub fn answer(&self, samples: &[f32]) -> Result<Answer> {
        let clip = auricle::Clip { interleaved: samples, channels: 1, sample_rate: self.raw.sample_rate() };
        let mut windows: Vec<Vec<f32>> = Vec::new();
        let mut mean = auricle::Mean::new(self.raw.labels().len())?;
        self.raw.windows_of(clip, &ClipOptions::default(), |_, outputs| {
            let mut scores = outputs.to_vec();
            self.activation.apply(&mut scores, self.temperature);
            mean.add(&scores);
            windows.push(outputs.to_vec());
        })?;
        let mut scores = vec![0.0; self.raw.labels().len()];
        mean.write(&mut scores);
        Ok(Answer { scores, windows })
    }

    /// The answers to all clips, on so many threads; `done` is called after each.
    pub fn answers(&self, clips: &[&Clip], threads: usize, done: &(dyn Fn() + Sync)) -> Result<Vec<Answer>> {
        let answer = |_: &mut (), clip: &&Clip| self.answer(&clip.samples).with_context(|| clip.name());
        parallel::map(threads, clips, || Ok(()), answer, done)
    }

    /// How many clips have one of their classes as the answer after each of `changes`, which `change` makes of the samples of
    /// clip number so and so.
    pub fn right_after<T: Sync>(
        &self,
        clips: &[&Clip],
        changes: &[T],
        change: impl Fn(&T, &[f32], usize) -> Vec<f32> + Sync,
        threads: usize,
        done: &(dyn Fn() + Sync),
    ) -> Result<Vec<usize>> {
        let clips: Vec<(usize, &Clip)> = clips.iter().copied().enumerate().collect();
        let right = |_: &mut (), &(index, clip): &(usize, &Clip)| {
            let right = |to: &T| {
                let answer = self.answer(&change(to, &clip.samples, index)).with_context(|| clip.name())?;
                Ok(clip.classes().any(|class| class == answer.class()))
            };
            changes.iter().map(right).collect::<Result<Vec<bool>>>()
        };
        let right = parallel::map(threads, &clips, || Ok(()), right, done)?;
        Ok((0..changes.len()).map(|n| right.iter().filter(|right| right[n]).count()).collect())
    }
}

/// Gives the clips the numbers that their classes have among a model's labels. An error if a class is none of them.
pub fn relabel(data: &mut Dataset, labels: &[String]) -> Result<()> {
    let place = |class: &String| labels.iter().position(|label| label == class);
    let unknown: Vec<&String> = data.classes.iter().filter(|class| place(class).is_none()).collect();
    ensure!(
        unknown.is_empty(),
        "the model does not know the classes {unknown:?}; it knows {labels:?}. Name the classes as the model does, or leave \
         these clips out"
    );
    let places: Vec<usize> = data.classes.iter().filter_map(place).collect();
    for clip in &mut data.clips {
        clip.class = places[clip.class];
        clip.also.iter_mut().for_each(|class| *class = places[*class]);
    }
    data.classes = labels.to_vec();
    Ok(())
}
