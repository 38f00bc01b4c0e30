//! Weights that matter least are taken out. Where whole channels of a convolution can go, the file and its work become
//! smaller; in matrices and LSTMs single weights become 0, which only makes the file easier to pack.

use std::collections::{HashMap, HashSet};

use crate::onnx::edit::{Editor, Floats};
use crate::onnx::proto::{AttributeProto, NodeProto};

/// Kept channels are a multiple of this: so many floats are in a register, and ONNX Runtime's convolutions for other
/// numbers are slower.
pub const BLOCK: usize = 8;
/// Layers with fewer weights are left alone.
const MIN_WEIGHTS: usize = 4096;
/// Operators that treat every channel (axis 1) for itself, and read nothing else that has channels.
const CHANNEL_BY_CHANNEL: [&str; 13] = [
    "Relu",
    "LeakyRelu",
    "Clip",
    "Sigmoid",
    "Tanh",
    "HardSwish",
    "HardSigmoid",
    "Elu",
    "Identity",
    "MaxPool",
    "AveragePool",
    "GlobalMaxPool",
    "GlobalAveragePool",
];

/// What the channels (axis 1) of a tensor held over the calibration clips.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    /// Mean of the values.
    pub mean: Vec<f64>,
    /// Mean of the squares.
    pub power: Vec<f64>,
}

/// What was taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Channels that are gone.
    pub channels: usize,
    /// Channels of convolutions that could lose some.
    pub of_channels: usize,
    /// Weights that were set to 0.
    pub weights: usize,
}

/// What reads the channels of a convolution.
#[derive(Default)]
struct Reach {
    /// Convolutions over all channels, `Gemm`, `MatMul`.
    ends: Vec<usize>,
    /// Convolutions that see one channel each.
    depthwise: Vec<usize>,
    /// A constant with one value a channel: node and number of its input.
    constants: Vec<(usize, usize)>,
}

/// How many of a convolution's channels stay if `fraction`, below 1, is to go.
pub fn kept(channels: usize, fraction: f64) -> usize {
    let blocks = (channels as f64 * (1.0 - fraction) / BLOCK as f64).ceil() as usize;
    (blocks * BLOCK).min(channels)
}

/// Tensors whose [`Moments`] [`prune`] needs.
pub fn wanted(editor: &Editor) -> Vec<String> {
    let readers = editor.readers();
    let reaches = editor.nodes().iter().filter_map(|node| reach(editor, node, &readers));
    let ends = reaches.flat_map(|reach| reach.ends);
    let inputs: HashSet<String> = ends.map(|end| editor.nodes()[end].input(0).to_owned()).collect();
    inputs.into_iter().collect()
}

/// Takes the `fraction` of the channels of every convolution out that is missed least, where that can be done, and sets
/// so many of the smallest weights of a matrix to 0.
///
/// A channel's worth is how much what reads it would change: the variance of the channel times the squared weights that
/// it meets there (Molchanov et al., arXiv:1611.06440, discuss such criteria). Its mean is not lost, but goes into the
/// biases.
pub fn prune(editor: &mut Editor, moments: &HashMap<String, Moments>, fraction: f64) -> Pruned {
    let mut pruned = Pruned::default();
    let readers = editor.readers();
    for index in 0..editor.nodes().len() {
        let node = editor.nodes()[index].clone();
        let Some(reach) = reach(editor, &node, &readers) else {
            pruned.weights += zero_smallest(editor, index, fraction);
            continue;
        };
        let weight = editor.floats(node.input(1)).expect("reach looked at it");
        let channels = weight.dims[0];
        let keep = kept(channels, fraction);
        pruned.of_channels += channels;
        if keep == channels {
            continue;
        }
        let mut worth = vec![0.0; channels];
        for &end in &reach.ends {
            let end = &editor.nodes()[end];
            let matrix = Reader::of(editor, end);
            let moments = moments.get(end.input(0));
            for (channel, worth) in worth.iter_mut().enumerate() {
                let spread = moments.map_or(1.0, |m| (m.power[channel] - m.mean[channel].powi(2)).max(0.0));
                *worth += spread * matrix.of_channel(channel).map(|w| f64::from(w).powi(2)).sum::<f64>();
            }
        }
        let mut order: Vec<usize> = (0..channels).collect();
        order.sort_by(|a, b| worth[*b].total_cmp(&worth[*a]));
        order.truncate(keep);
        order.sort_unstable();
        remove(editor, index, &reach, &order, moments);
        pruned.channels += channels - keep;
    }
    pruned
}

/// Weights that read channels: `[channel][…]` however they lie in memory.
struct Reader {
    weight: Floats,
    /// Number of the axis of the channels.
    axis: usize,
}

impl Reader {
    fn of(editor: &Editor, node: &NodeProto) -> Self {
        let weight = editor.floats(node.input(1)).expect("reach looked at it");
        let axis = usize::from(node.is("Conv") || node.int("transB", 0) == 1);
        Self { weight, axis }
    }

    fn of_channel(&self, channel: usize) -> impl Iterator<Item = f32> {
        let inner: usize = self.weight.dims[self.axis + 1..].iter().product();
        let block = inner * self.weight.dims[self.axis];
        let place = channel * inner;
        self.weight.values.chunks_exact(block).flat_map(move |b| b[place..place + inner].iter().copied())
    }
}

/// What reads the output channels of a convolution, if all of that can do with fewer of them.
fn reach(editor: &Editor, node: &NodeProto, readers: &HashMap<String, Vec<usize>>) -> Option<Reach> {
    let constant = |name: &str| name.is_empty() || editor.floats(name).is_some();
    let whole = |node: &NodeProto| {
        node.is("Conv") && node.int("group", 1) == 1 && editor.floats(node.input(1)).is_some()
    };
    if !whole(node) || !constant(node.input(2)) {
        return None;
    }
    let channels = editor.floats(node.input(1))?.dims[0];
    let mut reach = Reach::default();
    // Tensors to follow, and whether they are [batch, channel] by now.
    let mut open = vec![(node.output[0].clone(), false, false)];
    while let Some((tensor, pooled, flat)) = open.pop() {
        if editor.is_output(&tensor) {
            return None;
        }
        for &index in readers.get(&tensor)? {
            let reader = &editor.nodes()[index];
            let first = reader.input(0) == tensor;
            let weight = editor.floats(reader.input(1));
            let output = reader.output[0].clone();
            if first && CHANNEL_BY_CHANNEL.iter().any(|op| reader.is(op)) {
                open.push((output, pooled || reader.op_type.starts_with("Global"), flat));
            } else if first && reader.is("Flatten") && reader.int("axis", 1) == 1 && pooled {
                open.push((output, pooled, true));
            } else if first && whole(reader) && constant(reader.input(2)) {
                reach.ends.push(index);
            } else if first
                && reader.is("Conv")
                && constant(reader.input(2))
                && reader.int("group", 1) == channels as i64
                && weight.is_some_and(|w| w.dims[0] == channels)
            {
                reach.depthwise.push(index);
                open.push((output, pooled, flat));
            } else if first
                && flat
                && constant(reader.input(2))
                && (reader.is("MatMul") || reader.is("Gemm") && reader.int("transA", 0) == 0)
                && editor.floats(reader.input(1)).is_some_and(|w| w.dims.len() == 2)
            {
                reach.ends.push(index);
            } else if reader.is("Mul") || reader.is("Add") {
                let other = usize::from(first);
                let values = editor.floats(reader.input(other))?;
                let axis = values.dims.len().checked_sub(if flat { 1 } else { 3 });
                match axis {
                    _ if values.values.len() == 1 => {}
                    Some(axis) if values.values.len() == channels && values.dims[axis] == channels => {
                        reach.constants.push((index, other));
                    }
                    _ => return None,
                }
                open.push((output, pooled, flat));
            } else {
                return None;
            }
        }
    }
    (!reach.ends.is_empty()).then_some(reach)
}

/// Leaves only the channels `keep` of node `index`, and makes everything that they reach fit.
fn remove(
    editor: &mut Editor,
    index: usize,
    reach: &Reach,
    keep: &[usize],
    moments: &HashMap<String, Moments>,
) {
    for &end in &reach.ends {
        let node = editor.nodes()[end].clone();
        let reader = Reader::of(editor, &node);
        if let Some(moments) = moments.get(node.input(0)) {
            keep_mean(editor, end, &reader, keep, moments);
        }
        replace(editor, end, 1, &select(&reader.weight, reader.axis, keep));
    }
    for &node in [index].iter().chain(&reach.depthwise) {
        for input in [1, 2] {
            if let Some(old) = editor.floats(editor.nodes()[node].input(input)) {
                replace(editor, node, input, &select(&old, 0, keep));
            }
        }
        if node != index {
            let group = |a: &&mut AttributeProto| a.name == "group";
            if let Some(group) = editor.nodes_mut()[node].attribute.iter_mut().find(group) {
                group.i = Some(keep.len() as i64);
            }
        }
    }
    for &(node, input) in &reach.constants {
        let old = editor.floats(editor.nodes()[node].input(input)).expect("reach looked at it");
        let axis = old.dims.iter().position(|&d| d == old.values.len()).expect("reach looked at it");
        replace(editor, node, input, &select(&old, axis, keep));
    }
}

/// Adds what the removed channels say on average to the bias of what reads them.
fn keep_mean(editor: &mut Editor, end: usize, reader: &Reader, keep: &[usize], moments: &Moments) {
    let node = editor.nodes()[end].clone();
    if node.is("MatMul") {
        return; // it has no bias
    }
    let (outputs, from_output) = match reader.axis {
        1 => (reader.weight.dims[0], true),
        _ => (reader.weight.dims[1], false),
    };
    let old = editor.floats(node.input(2)).filter(|bias| bias.values.len() == outputs);
    if old.is_none() && !node.input(2).is_empty() {
        return;
    }
    let mut bias = old.map_or_else(|| vec![0.0; outputs], |bias| bias.values);
    let scale = f64::from(node.float("alpha", 1.0) / node.float("beta", 1.0));
    for channel in (0..moments.mean.len()).filter(|channel| !keep.contains(channel)) {
        let weights: Vec<f32> = reader.of_channel(channel).collect();
        for (n, w) in weights.iter().enumerate() {
            let output = if from_output { n / (weights.len() / outputs) } else { n };
            bias[output] += (f64::from(*w) * moments.mean[channel] * scale) as f32;
        }
    }
    editor.nodes_mut()[end].input.resize(3, String::new());
    replace(editor, end, 2, &Floats { dims: vec![outputs], values: bias });
}

fn replace(editor: &mut Editor, node: usize, input: usize, new: &Floats) {
    let name = editor.constant("pruned", &new.values, &new.dims);
    editor.nodes_mut()[node].input[input] = name;
}

/// The indices `keep` of one axis.
fn select(from: &Floats, axis: usize, keep: &[usize]) -> Floats {
    let inner: usize = from.dims[axis + 1..].iter().product();
    let blocks = from.values.chunks_exact(inner * from.dims[axis]);
    let values = blocks
        .flat_map(|block| keep.iter().flat_map(move |&k| block[k * inner..(k + 1) * inner].iter().copied()));
    let mut dims = from.dims.clone();
    dims[axis] = keep.len();
    Floats { values: values.collect(), dims }
}

/// Sets the smallest weights of a layer to 0; gives how many.
fn zero_smallest(editor: &mut Editor, index: usize, fraction: f64) -> usize {
    let node = editor.nodes()[index].clone();
    let inputs: &[usize] = match node.op_type.as_str() {
        "Gemm" | "MatMul" => &[1],
        "LSTM" | "GRU" => &[1, 2],
        _ => return 0,
    };
    let mut zeroed = 0;
    for &input in inputs {
        let Some(mut weight) = editor.floats(node.input(input)).filter(|w| w.values.len() >= MIN_WEIGHTS)
        else {
            continue;
        };
        let count = (weight.values.len() as f64 * fraction) as usize;
        let mut magnitudes: Vec<f32> = weight.values.iter().map(|w| w.abs()).collect();
        if count == 0 {
            continue;
        }
        let (_, &mut limit, _) = magnitudes.select_nth_unstable_by(count - 1, f32::total_cmp);
        let small = weight.values.iter_mut().filter(|w| w.abs() <= limit);
        zeroed += small.map(|w| *w = 0.0).count();
        replace(editor, index, input, &weight);
    }
    zeroed
}
