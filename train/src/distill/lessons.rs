//! Windows of sounds, changed at random, with what the teacher says of each.

use anyhow::Result;

use super::teacher::Teacher;
use crate::augment::Augment;
use crate::crops::{Crops, Material, Place};
use crate::front_end::FrontEndSpec;
use crate::parallel;

/// Windows that are made at a time by one thread.
const CHUNK: usize = 32;

/// All that the student is taught.
pub struct Lessons {
    /// `[lesson, bins, rows]`.
    pub inputs: Vec<f32>,
    /// `[lesson, value]`: embeddings, every value with the mean 0 and the variance 1 over the lessons.
    pub embeddings: Vec<f32>,
    /// `[lesson, label]`: scores.
    pub scores: Vec<f32>,
    /// Number of lessons.
    pub count: usize,
    /// `[bins, rows]`.
    pub shape: [usize; 2],
}

impl Lessons {
    /// `count` windows of the material, on all cores; the same seed gives the same ones on any number of them. `done` is
    /// called after each piece of work, of which there are [`Lessons::pieces`].
    pub fn new(
        teacher: &Teacher,
        front_end: &FrontEndSpec,
        material: &Material<'_>,
        augment: &Augment,
        seed: u64,
        count: usize,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self> {
        let start = || Ok((front_end.plan()?, teacher.listener()?));
        let pieces: Vec<usize> = (0..Self::pieces(count)).collect();
        let made = parallel::map(
            parallel::cores(),
            &pieces,
            start,
            |(front_end, listener), &piece| {
                // Mixtures take two clips: no piece begins where another one is.
                let first = (piece * CHUNK) as u64;
                let place = Place { examples: first, clips: 2 * first };
                let mut crops = Crops::new(material, augment, seed, place);
                let (mut inputs, mut embeddings, mut scores) = (Vec::new(), Vec::new(), Vec::new());
                let mut window = vec![0.0; front_end.window()];
                for _ in 0..CHUNK.min(count - piece * CHUNK) {
                    crops.window(&mut window, front_end.sample_rate());
                    front_end.append(&window, &mut inputs);
                    let said = listener.hear(&window)?;
                    embeddings.extend(said.embedding);
                    scores.extend(said.scores);
                }
                Ok((inputs, embeddings, scores))
            },
            done,
        )?;
        let mut lessons = Self {
            inputs: Vec::new(),
            embeddings: Vec::new(),
            scores: Vec::new(),
            count,
            shape: front_end.plan()?.shape(),
        };
        for (inputs, embeddings, scores) in made {
            lessons.inputs.extend(inputs);
            lessons.embeddings.extend(embeddings);
            lessons.scores.extend(scores);
        }
        let values = lessons.embeddings.len() / count;
        standardise(&mut lessons.embeddings, values);
        Ok(lessons)
    }

    /// Pieces of work of so many lessons.
    pub fn pieces(count: usize) -> usize {
        count.div_ceil(CHUNK)
    }

    /// Values of an embedding, and labels.
    pub fn sizes(&self) -> [usize; 2] {
        [self.embeddings.len() / self.count, self.scores.len() / self.count]
    }
}

/// Brings every column to the mean 0 and the variance 1; one that never changes becomes 0.
fn standardise(values: &mut [f32], columns: usize) {
    let rows = (values.len() / columns) as f64;
    let mut sums = vec![(0.0_f64, 0.0_f64); columns];
    for row in values.chunks_exact(columns) {
        for ((sum, squares), &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
            *squares += f64::from(value).powi(2);
        }
    }
    for row in values.chunks_exact_mut(columns) {
        for ((sum, squares), value) in sums.iter().zip(row) {
            let mean = sum / rows;
            let spread = (squares / rows - mean * mean).max(0.0).sqrt();
            *value = if spread > 1e-6 { ((f64::from(*value) - mean) / spread) as f32 } else { 0.0 };
        }
    }
}
