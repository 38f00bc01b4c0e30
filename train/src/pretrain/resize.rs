//! A part of a picture, brought to the size of the whole: what is heard higher or lower, faster or slower, and not all of it.

use std::ops::Range;

use rand::{Rng, RngExt};

/// Sides of the part, as shares of the picture's (BYOL-A's numbers); more bins than there are cannot be taken.
const SIDES: Range<f32> = 0.6..1.5;
/// How far the part may reach in time, as a share of the rows (BYOL-A's): the picture lies in the middle of that.
const REACH: f32 = 1.5;

/// A random part of `features`, `[bins, rows]`, at the size of all of it: linear between the nearest four values, its corners
/// on corners. Before and after the rows lies the mean of the picture.
pub fn resize_crop(features: &[f32], rows: usize, rng: &mut impl Rng) -> Vec<f32> {
    let bins = features.len() / rows;
    let mean = features.iter().sum::<f32>() / features.len() as f32;
    let canvas = (REACH * rows as f32) as usize;
    let high = side(bins, bins, rng);
    let wide = side(rows, canvas, rng);
    let bottom = rng.random_range(0..=bins - high);
    let left = rng.random_range(0..=canvas - wide) as f32 - ((canvas - rows) / 2) as f32;
    let value = |bin: usize, row: isize| match usize::try_from(row) {
        Ok(row) if row < rows => features[bin * rows + row],
        _ => mean,
    };
    let mut out = Vec::with_capacity(features.len());
    for bin in 0..bins {
        let at = bottom as f32 + place(bin, bins, high);
        let (low, up) = (at as usize, at.fract());
        let above = (low + 1).min(bins - 1);
        for row in 0..rows {
            let at = left + place(row, rows, wide);
            let (first, on) = (at.floor() as isize, at - at.floor());
            let along = |bin| value(bin, first) * (1.0 - on) + value(bin, first + 1) * on;
            out.push(along(low) * (1.0 - up) + along(above) * up);
        }
    }
    out
}

fn side(whole: usize, most: usize, rng: &mut impl Rng) -> usize {
    ((rng.random_range(SIDES) * whole as f32) as usize).clamp(1, most)
}

/// Where in a part of `size` values the value `index` of `count` is taken from.
fn place(index: usize, count: usize, size: usize) -> f32 {
    index as f32 * (size - 1) as f32 / (count - 1).max(1) as f32
}
