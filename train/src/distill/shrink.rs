//! A smaller MobileNet that begins as a part of a larger one: from the first layer to the last, those of its channels are
//! kept of which the others can be made best (an interpolative decomposition: Chee et al., arXiv:2108.00065), and the products
//! over channels are computed anew by least squares, so that they make of what the smaller network has what the larger one
//! had there.

use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::lessons::Lessons;
use super::squares::{Products, rows_of, with_ones};
use crate::network::mobilenet::{ConvRelu, MobileNet, pooled};

/// Lessons that are looked at, and how many at once.
const LESSONS: usize = 2048;
const BATCH: usize = 64;
/// Scores are taken for logits from here to its negative.
const LARGEST_LOGIT: f32 = 9.0;

/// A network of `channels` that does what `large` does, as well as it can before any training, with a last layer that gives
/// the embeddings and the logits of the lessons. `done` is called after each of its layers but the last, of which there are
/// as many as `channels`.
pub fn shrink(large: &MobileNet, channels: &[usize], lessons: &Lessons, done: &dyn Fn()) -> MobileNet {
    let outputs = lessons.sizes().iter().sum();
    let mut small = MobileNet::new(channels, outputs, &Device::flex());
    let count = lessons.count.min(LESSONS);
    // What both have made of the lessons so far, level by level.
    let mut maps: Vec<Maps> =
        (0..count).step_by(BATCH).map(|at| Maps::new(inputs(lessons, at, count))).collect();
    for (level, &kept) in channels.iter().enumerate() {
        let last = level == large.pairs.len();
        let wide = layer(large, level).channels();
        let narrow = if level > 0 { channels[level - 1] + 1 } else { 0 };
        let mut seen = Products::new(wide + 1, wide + 1);
        let (mut own, mut target) = (Products::new(narrow, narrow), Products::new(narrow, wide));
        for maps in &mut maps {
            let before = layer(large, level).before_relu(maps.large.clone());
            if level > 0 {
                let x = with_ones(rows_of(maps.small.clone()));
                own.add(&x, &x);
                target.add(&x, &rows_of(before.clone()));
            }
            maps.large = relu(before);
            if !last {
                maps.large = large.pairs[level].depthwise.forward(maps.large.clone());
            }
            let read = with_ones(rows_of(maps.large.clone()));
            seen.add(&read, &read);
        }
        let chosen = seen.pivots(kept);
        if level == 0 {
            let (weight, bias) = chosen_of(&large.stem, &chosen);
            small.stem.set(weight, bias);
        } else {
            let found = own.solve(&target);
            let inputs = narrow - 1;
            let at = |input: usize, channel: usize| found[input * wide + channel] as f32;
            let places = chosen.iter().flat_map(|&channel| (0..inputs).map(move |input| (input, channel)));
            let weight = places.map(|(input, channel)| at(input, channel)).collect();
            let bias = chosen.iter().map(|&channel| at(inputs, channel)).collect();
            small.pairs[level - 1].pointwise.set(weight, bias);
        }
        if !last {
            let (weight, bias) = chosen_of(&large.pairs[level].depthwise, &chosen);
            small.pairs[level].depthwise.set(weight, bias);
        }
        for maps in &mut maps {
            maps.small = layer(&small, level).forward(maps.small.clone());
            if !last {
                maps.small = small.pairs[level].depthwise.forward(maps.small.clone());
            }
        }
        done();
    }
    fit_head(&mut small, &maps, lessons);
    small
}

/// What the large network and the small one have made of some lessons: the input of their next product over channels.
struct Maps {
    large: Tensor<4>,
    small: Tensor<4>,
}

impl Maps {
    fn new(inputs: Tensor<4>) -> Self {
        Self { large: inputs.clone(), small: inputs }
    }
}

/// The last layer by least squares.
fn fit_head(small: &mut MobileNet, maps: &[Maps], lessons: &Lessons) {
    let [values, labels] = lessons.sizes();
    let outputs = values + labels;
    let inputs = small.head.weight.dims()[0];
    let (mut own, mut target) = (Products::new(inputs + 1, inputs + 1), Products::new(inputs + 1, outputs));
    let mut first = 0;
    for maps in maps {
        let count = maps.small.dims()[0];
        let x = with_ones(pooled(maps.small.clone()));
        let mut y = Vec::with_capacity(count * outputs);
        for lesson in first..first + count {
            y.extend_from_slice(&lessons.embeddings[lesson * values..(lesson + 1) * values]);
            let scores = &lessons.scores[lesson * labels..(lesson + 1) * labels];
            let logit = |&score: &f32| (score / (1.0 - score)).ln().clamp(-LARGEST_LOGIT, LARGEST_LOGIT);
            y.extend(scores.iter().map(logit));
        }
        let y = Tensor::from_data(TensorData::new(y, [count, outputs]), &Device::flex());
        own.add(&x, &x);
        target.add(&x, &y);
        first += count;
    }
    let found: Vec<f32> = own.solve(&target).into_iter().map(|value| value as f32).collect();
    let (weight, bias) = found.split_at(inputs * outputs);
    small.set_head(weight.to_vec(), bias.to_vec());
}

/// The layer that makes the map of this level.
fn layer(network: &MobileNet, level: usize) -> &ConvRelu {
    if level == 0 { &network.stem } else { &network.pairs[level - 1].pointwise }
}

/// Filters and biases of some channels; every channel has one filter of one input.
fn chosen_of(layer: &ConvRelu, chosen: &[usize]) -> (Vec<f32>, Vec<f32>) {
    let (weight, bias) = layer.weights();
    let size = weight.len() / bias.len();
    let filters = chosen.iter().flat_map(|&c| weight[c * size..(c + 1) * size].to_vec()).collect();
    (filters, chosen.iter().map(|&c| bias[c]).collect())
}

fn inputs(lessons: &Lessons, first: usize, count: usize) -> Tensor<4> {
    let [bins, rows] = lessons.shape;
    let last = (first + BATCH).min(count);
    let values = lessons.inputs[first * bins * rows..last * bins * rows].to_vec();
    Tensor::from_data(TensorData::new(values, [last - first, 1, bins, rows]), &Device::flex())
}
