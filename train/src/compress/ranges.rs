//! What range of a tensor 8 bits should cover. The largest value that ever came is rarely the best: where a few windows
//! (digital silence, say) are far from all others, these would be left with a handful of steps.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, ensure};

use super::activations::{Activations, Input};
use super::equalise::{Link, round_tensor};
use super::quantise::{Range, WeightBits};
use crate::onnx::edit::Editor;

/// Most windows that are looked at, and of these, that judge.
const WINDOWS: usize = 160;
const JUDGES: usize = WINDOWS / 2;
/// Shares of the values (of each channel, where channels can be scaled) that a range covers.
const COVERED: [f64; 7] = [1.0, 0.9999, 0.999, 0.997, 0.99, 0.98, 0.97];
/// Shares of a channel's range that its weights take over; see [`Link::factors`].
const SHARES: [f32; 3] = [0.3, 0.5, 0.7];

/// Brings the channels of `tensors` to one range where that is possible, and finds for each tensor, by itself, the
/// range with which the network's outputs stay closest to what they were.
pub fn fit(
    editor: &mut Editor,
    tensors: &[String],
    windows: &[Input],
    bits: WeightBits,
) -> Result<HashMap<String, Range>> {
    ensure!(!windows.is_empty(), "no window to see what values the network's tensors take");
    let windows = spread(windows, WINDOWS);
    let judges = spread(&windows, JUDGES);
    let original = editor.clone();
    let wanted = outputs(&original, &judges)?;
    let mut ranges = HashMap::new();
    let links: HashMap<&String, Link> =
        tensors.iter().filter_map(|tensor| Some((tensor, Link::of(&original, tensor)?))).collect();
    let pooled: HashSet<&String> = links.values().flat_map(Link::pooled).collect();
    for tensor in tensors.iter().filter(|tensor| !pooled.contains(tensor)) {
        let Some(values) = Values::of(&original, tensor, &windows)? else { continue };
        let link = links.get(tensor).filter(|link| link.channels() == values.channels.len());
        let shares = if link.is_some_and(|link| !link.is_depthwise()) { &SHARES[..] } else { &[1.0] };
        let mut best: Option<(f64, Range, Option<Vec<f32>>)> = None;
        for covered in COVERED {
            for &share in shares {
                let mut trial = original.clone();
                let (range, factors) = match link {
                    None => (values.range(covered), None),
                    Some(link) => {
                        let ranges = values.ranges(covered);
                        let largest: Vec<f32> = ranges.iter().map(|r| r.high.max(-r.low)).collect();
                        let factors = link.factors(&largest, share);
                        link.scale(&mut trial, &factors);
                        link.round(&mut trial, bits);
                        (scaled(&ranges, &factors), Some(factors))
                    }
                };
                round_tensor(&mut trial, tensor, range);
                let apart = apart(&outputs(&trial, &judges)?, &wanted);
                if best.as_ref().is_none_or(|(least, ..)| apart < *least) {
                    best = Some((apart, range, factors));
                }
            }
        }
        let (_, range, factors) = best.expect("there are candidates");
        if let (Some(link), Some(factors)) = (link, factors) {
            link.scale(editor, &factors);
            // Pooling only ever makes a range smaller.
            ranges.extend(link.pooled().iter().map(|pooled| (pooled.clone(), range)));
        }
        ranges.insert(tensor.clone(), range);
    }
    Ok(ranges)
}

/// At most `most` of the windows from everywhere among them, at uneven distances, lest all be of one kind where kinds
/// take turns.
fn spread(windows: &[Input], most: usize) -> Vec<Input> {
    const GOLDEN: f64 = 0.618_033_988_75;
    if windows.len() <= most {
        return windows.to_vec();
    }
    let step = windows.len() as f64 / most as f64;
    let place = |n: usize| ((n as f64 + (n as f64 * GOLDEN).fract()) * step) as usize;
    (0..most).map(|n| windows[place(n)].clone()).collect()
}

/// All values of a tensor, by channel (axis 1), in order.
struct Values {
    channels: Vec<Vec<f32>>,
}

impl Values {
    /// Nothing if the tensor takes values that are no numbers.
    fn of(editor: &Editor, tensor: &str, windows: &[Input]) -> Result<Option<Self>> {
        let mut activations = Activations::of(editor.clone(), vec![tensor.to_owned()])?;
        let mut channels: Vec<Vec<f32>> = Vec::new();
        for window in windows {
            activations.run(window, |seen| {
                let count = seen.shape.get(1).map_or(1, |&size| size.max(1) as usize);
                channels.resize(count, Vec::new());
                let parts = seen.values.chunks_exact((seen.values.len() / count).max(1)).enumerate();
                // Where a batch is more than one, its channels come again.
                parts.for_each(|(n, part)| channels[n % count].extend(part));
            })?;
        }
        let finite = channels.iter().flatten().all(|value| value.is_finite());
        channels.iter_mut().for_each(|channel| channel.sort_unstable_by(f32::total_cmp));
        let any = channels.iter().any(|channel| !channel.is_empty());
        Ok((finite && any).then_some(Self { channels }))
    }

    fn ranges(&self, covered: f64) -> Vec<Range> {
        self.channels.iter().map(|channel| quantiles(channel, covered)).collect()
    }

    /// Of all channels together.
    fn range(&self, covered: f64) -> Range {
        let mut all: Vec<f32> = self.channels.iter().flatten().copied().collect();
        all.sort_unstable_by(f32::total_cmp);
        quantiles(&all, covered)
    }
}

fn quantiles(sorted: &[f32], covered: f64) -> Range {
    let Some(last) = sorted.len().checked_sub(1) else { return Range { low: 0.0, high: 0.0 } };
    let out = ((1.0 - covered) * last as f64).round() as usize;
    Range { low: sorted[out], high: sorted[last - out] }
}

/// The range of the whole tensor once its channels are divided.
fn scaled(ranges: &[Range], factors: &[f32]) -> Range {
    let none = Range { low: 0.0, high: 0.0 };
    ranges.iter().zip(factors).fold(none, |all, (range, factor)| Range {
        low: all.low.min(range.low / factor),
        high: all.high.max(range.high / factor),
    })
}

/// All that the network hands out, window by window.
fn outputs(editor: &Editor, windows: &[Input]) -> Result<Vec<Vec<f32>>> {
    let mut activations = Activations::of(editor.clone(), editor.outputs())?;
    let mut all = Vec::with_capacity(windows.len());
    for window in windows {
        let mut values = Vec::new();
        activations.run(window, |seen| values.extend(seen.values))?;
        all.push(values);
    }
    Ok(all)
}

/// Mean over windows of the square of the largest difference: squares, so that no window is given up for many others.
fn apart(some: &[Vec<f32>], others: &[Vec<f32>]) -> f64 {
    let window = |(a, b): (&Vec<f32>, &Vec<f32>)| {
        f64::from(a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)).powi(2)
    };
    some.iter().zip(others).map(window).sum::<f64>() / some.len() as f64
}
