//! Channels of a tensor brought to one range, so that one scale in 8-bit integers suits all of them.
//!
//! What a convolution's channel is divided by, the weights of the next one multiply: with a `Relu` or pooling between
//! them the network computes the same. (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
//! Correction", ICCV 2019.)

use super::quantise::{Range, WeightBits, is_convolution, last_of, round_channels};
use crate::onnx::edit::{Editor, Floats};
use crate::onnx::proto::NodeProto;

/// Operators that let a factor above 0 on a channel through.
const POOLS: [&str; 4] = ["MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"];
/// Smallest factor beside the largest one: below, a channel is silent.
const MIN_FACTOR: f32 = 1e-6;

/// A tensor whose channels can be scaled.
pub struct Link {
    /// The convolution that makes it.
    from: usize,
    /// The convolutions that read it.
    to: Vec<usize>,
    /// What pooling makes of it on the way.
    pooled: Vec<String>,
    /// Largest weight of each channel in what reads it, beside the largest of the same output.
    weights: Vec<f32>,
    /// Whether each output of what reads it sees one channel, whose weights then have their own scale.
    depthwise: bool,
}

impl Link {
    /// The link of `tensor`, if all that reads it are convolutions, perhaps behind pooling.
    pub fn of(editor: &Editor, tensor: &str) -> Option<Self> {
        let nodes = editor.nodes();
        let from =
            nodes.iter().position(|n| is_convolution(editor, n) && last_of(editor, nodes, n) == tensor)?;
        let channels = editor.floats(nodes[from].input(1))?.dims[0];
        let (mut to, mut pooled) = (Vec::new(), Vec::new());
        collect(editor, tensor, &mut to, &mut pooled)?;
        let mut link = Self { from, to, pooled, weights: vec![0.0; channels], depthwise: true };
        for &reader in &link.to {
            let weight = editor.floats(nodes[reader].input(1))?;
            let places = Places::of(&nodes[reader], &weight)?;
            link.depthwise &= places.inputs == 1;
            for (output, row) in weight.values.chunks_exact(places.inputs * places.taps).enumerate() {
                let most = most(row).max(f32::MIN_POSITIVE);
                for (input, taps) in row.chunks_exact(places.taps).enumerate() {
                    let largest = link.weights.get_mut(places.channel(output, input))?;
                    *largest = largest.max(self::most(taps) / most);
                }
            }
        }
        Some(link)
    }

    /// Channels of the tensor.
    pub fn channels(&self) -> usize {
        self.weights.len()
    }

    /// What pooling makes of the tensor before the convolutions read it: scaled with it.
    pub fn pooled(&self) -> &[String] {
        &self.pooled
    }

    /// Whether how much of the range goes into the weights makes no difference.
    pub fn is_depthwise(&self) -> bool {
        self.depthwise
    }

    /// What the channels are divided by. `ranges` is the largest magnitude of each; with `share` 1 all channels get the
    /// same range, with less, large weights keep some room.
    pub fn factors(&self, ranges: &[f32], share: f32) -> Vec<f32> {
        let share = if self.depthwise { 1.0 } else { share };
        let beside = |values: &[f32]| -> Vec<f32> {
            let most = most(values).max(f32::MIN_POSITIVE);
            values.iter().map(|value| (value / most).max(MIN_FACTOR)).collect()
        };
        let (ranges, weights) = (beside(ranges), beside(&self.weights));
        let factors = ranges.iter().zip(&weights).map(|(r, w)| r.powf(share) / w.powf(1.0 - share));
        beside(&factors.collect::<Vec<f32>>())
    }

    /// Divides the channels by `factors`.
    pub fn scale(&self, editor: &mut Editor, factors: &[f32]) {
        let from = editor.nodes()[self.from].clone();
        for index in [1, 2] {
            if let Some(mut constant) = editor.floats(from.input(index)) {
                let size = constant.values.len() / factors.len();
                for (channel, factor) in constant.values.chunks_exact_mut(size).zip(factors) {
                    channel.iter_mut().for_each(|value| *value /= factor);
                }
                replace(editor, self.from, index, &constant);
            }
        }
        for &reader in &self.to {
            let node = editor.nodes()[reader].clone();
            let mut weight = editor.floats(node.input(1)).expect("checked by of");
            let places = Places::of(&node, &weight).expect("checked by of");
            for (n, taps) in weight.values.chunks_exact_mut(places.taps).enumerate() {
                let factor = factors[places.channel(n / places.inputs, n % places.inputs)];
                taps.iter_mut().for_each(|value| *value *= factor);
            }
            replace(editor, reader, 1, &weight);
        }
    }

    /// Rounds the weights that read the tensor to what they will be in integers.
    pub fn round(&self, editor: &mut Editor, bits: WeightBits) {
        for &reader in &self.to {
            let mut weight = editor.floats(editor.nodes()[reader].input(1)).expect("checked by of");
            round_channels(&mut weight, bits);
            replace(editor, reader, 1, &weight);
        }
    }
}

/// Rounds `tensor` to 8 bits wherever it is read.
pub fn round_tensor(editor: &mut Editor, tensor: &str, range: Range) {
    let (scale, zero) = range.scale();
    let scale = editor.constant("scale", &[scale], &[]);
    let zero = editor.constant("zero", &[zero], &[]);
    let [integers, floats] = ["quantised", "floats"].map(|hint| editor.fresh(hint));
    let nodes = editor.nodes_mut();
    for input in nodes.iter_mut().flat_map(|node| &mut node.input).filter(|input| *input == tensor) {
        input.clone_from(&floats);
    }
    let place =
        nodes.iter().position(|node| node.output.iter().any(|name| name == tensor)).map_or(0, |n| n + 1);
    nodes.insert(place, NodeProto::new("DequantizeLinear", &[&integers, &scale, &zero], &[&floats]));
    nodes.insert(place, NodeProto::new("QuantizeLinear", &[tensor, &scale, &zero], &[&integers]));
}

/// Where the weights of a convolution belong.
struct Places {
    /// Input channels that an output sees.
    inputs: usize,
    /// Weights of an input channel.
    taps: usize,
    /// Outputs of a group.
    outputs: usize,
}

impl Places {
    fn of(node: &NodeProto, weight: &Floats) -> Option<Self> {
        let (&[outputs, inputs], taps) = weight.dims.split_first_chunk()?;
        let groups = usize::try_from(node.int("group", 1)).ok().filter(|&groups| groups > 0)?;
        let taps = taps.iter().product();
        (inputs * taps > 0 && outputs >= groups).then_some(Self { inputs, taps, outputs: outputs / groups })
    }

    /// The input channel of weight `input` of an output.
    fn channel(&self, output: usize, input: usize) -> usize {
        output / self.outputs * self.inputs + input
    }
}

fn collect(editor: &Editor, tensor: &str, to: &mut Vec<usize>, pooled: &mut Vec<String>) -> Option<()> {
    if editor.is_output(tensor) {
        return None;
    }
    for (index, node) in
        editor.nodes().iter().enumerate().filter(|(_, n)| n.input.iter().any(|i| i == tensor))
    {
        if POOLS.iter().any(|pool| node.is(pool)) && node.output.len() == 1 {
            pooled.push(node.output[0].clone());
            collect(editor, &node.output[0], to, pooled)?;
        } else if is_convolution(editor, node) && !to.contains(&index) {
            to.push(index);
        } else {
            return None;
        }
    }
    (!to.is_empty()).then_some(())
}

fn replace(editor: &mut Editor, node: usize, input: usize, constant: &Floats) {
    let name = editor.constant("equalised", &constant.values, &constant.dims);
    editor.nodes_mut()[node].input[input] = name;
}

fn most(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most: f32, value| most.max(value.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs and outputs that a weight belongs to, for `groups` of a weight `[outputs, inputs, 1, 3]`.
    fn channels(groups: i64, outputs: usize, inputs: usize) -> Vec<Vec<usize>> {
        let node = NodeProto::new("Conv", &["x", "w"], &["y"]).with_int("group", groups);
        let dims = vec![outputs, inputs, 1, 3];
        let weight = Floats { values: vec![0.0; dims.iter().product()], dims };
        let places = Places::of(&node, &weight).expect("a convolution of this kind");
        (0..outputs).map(|output| (0..inputs).map(|input| places.channel(output, input)).collect()).collect()
    }

    #[test]
    fn every_kind_of_convolution_reads_its_own_channels() {
        assert_eq!(channels(1, 2, 3), [[0, 1, 2], [0, 1, 2]]);
        assert_eq!(channels(3, 3, 1), [[0], [1], [2]], "depthwise");
        assert_eq!(channels(2, 4, 1), [[0], [0], [1], [1]], "depthwise with two outputs a channel");
        assert_eq!(channels(2, 4, 2), [[0, 1], [0, 1], [2, 3], [2, 3]], "two groups");
    }
}
