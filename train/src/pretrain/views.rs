//! Two views of every window.

use std::collections::VecDeque;

use anyhow::Result;
use rand::RngExt;

use super::mixing::Mixing;
use super::resize::resize_crop;
use crate::augment::Augment;
use crate::crops::{Crops, Material, Place, numbers};
use crate::front_end::{FrontEnd, FrontEndSpec};

/// Largest share that a past window has in a view; uniform from 0 (BYOL-A's α).
const SHARE: f32 = 0.4;
/// Past windows that views are mixed with (BYOL-A's).
const MEMORY: usize = 2048;

/// An endless, seeded stream of them.
pub struct Views<'a> {
    crops: Crops<'a>,
    front_end: FrontEnd,
    mixing: Mixing,
    past: VecDeque<Vec<f32>>,
    seed: u64,
    made: u64,
}

impl<'a> Views<'a> {
    /// The stream from its beginning.
    pub fn new(
        front_end: &FrontEndSpec,
        material: &'a Material<'a>,
        augment: &'a Augment,
        seed: u64,
    ) -> Result<Self> {
        Ok(Self {
            crops: Crops::new(material, augment, seed, Place::default()),
            front_end: front_end.plan()?,
            mixing: Mixing::new(&front_end.input)?,
            past: VecDeque::new(),
            seed,
            made: 0,
        })
    }

    /// `[bins, rows]` of a view.
    pub fn shape(&self) -> [usize; 2] {
        self.front_end.shape()
    }

    /// `[2 · examples, bins, rows]`: a view of every one of the next windows, then another one of each.
    pub fn batch(&mut self, examples: usize) -> Vec<f32> {
        let (mut all, mut others) = (Vec::new(), Vec::new());
        for _ in 0..examples {
            let [first, second] = self.pair();
            all.extend(first);
            others.extend(second);
        }
        all.extend(others);
        all
    }

    fn pair(&mut self) -> [Vec<f32>; 2] {
        let mut windows = [0, 1].map(|_| vec![0.0; self.front_end.window()]);
        let [first, second] = &mut windows;
        self.crops.views([first, second], self.front_end.sample_rate());
        let mut rng = numbers(self.seed, 2, self.made);
        self.made += 1;
        let [_, rows] = self.shape();
        let features = windows.map(|window| {
            let mut features = Vec::new();
            self.front_end.append(&window, &mut features);
            features
        });
        let views = features.each_ref().map(|features| {
            let mut features = features.clone();
            if !self.past.is_empty() {
                let other = &self.past[rng.random_range(0..self.past.len())];
                self.mixing.mix(&mut features, other, rng.random_range(0.0..SHARE));
            }
            resize_crop(&features, rows, &mut rng)
        });
        if self.past.len() == MEMORY {
            self.past.pop_front();
        }
        let [features, _] = features;
        self.past.push_back(features);
        views
    }
}
