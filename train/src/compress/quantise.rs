//! 8-bit integers in place of 32-bit floats: weights for good, activations while the network runs.
//!
//! Weights are symmetric, one scale an output channel. Activations are unsigned, one scale a tensor: measured when the
//! file is made (static, for convolutions), or at every run (dynamic, for `Gemm`, `MatMul` and `LSTM`). What is not
//! known here stays as it is.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::onnx::edit::{Editor, Floats};
use crate::onnx::proto::{NodeProto, data_type};

/// Weights of a `Gemm` or `MatMul` below this number stay floats: they are quick, and small.
const MIN_WEIGHTS: usize = 8192;
/// The domain of ONNX Runtime's own operators.
const MICROSOFT: &str = "com.microsoft";

/// Largest magnitude of a quantised weight. CPUs without an instruction for 8-bit dot products (x86 before VNNI) add
/// two products of u8 and i8 in 16 bits, which saturate: 2 · 255 · 127 is too much, 2 · 255 · 63 is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WeightBits {
    /// ±63; right on every CPU.
    #[value(name = "7")]
    Seven,
    /// ±127; for x86 with VNNI and for ARM.
    #[value(name = "8")]
    Eight,
}

impl WeightBits {
    /// What is right on the CPU that this runs on.
    pub fn of_this_cpu() -> Self {
        #[cfg(target_arch = "x86_64")]
        let saturates = !is_x86_feature_detected!("avx512vnni") && !is_x86_feature_detected!("avxvnni");
        #[cfg(not(target_arch = "x86_64"))]
        let saturates = cfg!(target_arch = "x86");
        if saturates { Self::Seven } else { Self::Eight }
    }

    fn most(self) -> f32 {
        match self {
            Self::Seven => 63.0,
            Self::Eight => 127.0,
        }
    }
}

/// Smallest and largest value that a tensor had.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The smallest.
    pub low: f32,
    /// The largest.
    pub high: f32,
}

impl Range {
    /// Scale and zero of the range in 8 bits. 0 is always in it: it is what a convolution is padded with.
    pub(super) fn scale(self) -> (f32, u8) {
        let (low, high) = (self.low.min(0.0), self.high.max(0.0));
        let scale = if high > low { (high - low) / 255.0 } else { 1.0 };
        (scale, (-low / scale).round().clamp(0.0, 255.0) as u8)
    }
}

/// How many nodes now compute in integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantised {
    /// `Conv`.
    pub convolutions: usize,
    /// `Gemm` and `MatMul`.
    pub products: usize,
    /// `LSTM`.
    pub lstms: usize,
    /// Nodes that compute in floats, their weights alone being integers in the file.
    pub stored: usize,
}

/// The tensors whose ranges [`convolutions`] needs: what goes into a convolution and what comes out of it.
pub fn wanted(editor: &Editor) -> Vec<String> {
    let mut wanted = Vec::new();
    for node in editor.nodes() {
        let convolution = is_convolution(editor, node);
        if convolution {
            wanted.push(node.input(0).to_owned());
        }
        if convolution || node.is("Add") {
            wanted.push(last_of(editor, editor.nodes(), node));
        }
    }
    wanted.sort();
    wanted.dedup();
    wanted
}

pub(super) fn is_convolution(editor: &Editor, node: &NodeProto) -> bool {
    let bias = || node.input(2).is_empty() || editor.floats(node.input(2)).is_some();
    node.is("Conv") && editor.floats(node.input(1)).is_some() && bias()
}

/// The node's output; if only a `Relu` reads it, the output of that, which ONNX Runtime computes in the same go.
pub(super) fn last_of(editor: &Editor, nodes: &[NodeProto], node: &NodeProto) -> String {
    let output = &node.output[0];
    let mut readers = nodes.iter().filter(|other| other.input.contains(output));
    match (readers.next(), readers.next()) {
        (Some(only), None) if only.is("Relu") && !editor.is_output(output) => only.output[0].clone(),
        _ => output.clone(),
    }
}

/// Convolutions, and the pooling and additions between them, in integers: pairs of `QuantizeLinear` and
/// `DequantizeLinear` around them, which ONNX Runtime folds into them.
pub fn convolutions(
    editor: &mut Editor,
    ranges: &HashMap<String, Range>,
    bits: WeightBits,
) -> Result<Quantised> {
    ensure!(
        editor.opset() >= 13,
        "the model uses opset {}; scales of single channels need 13: export it again with a newer opset",
        editor.opset()
    );
    let nodes = editor.nodes().to_vec();
    let mut pass = Pass { editor, ranges, nodes: Vec::new(), known: HashMap::new(), due: HashMap::new() };
    let mut count = Quantised::default();
    for mut node in nodes.iter().cloned() {
        let end = last_of(pass.editor, &nodes, &node);
        let measured = ranges.get(&end).filter(|_| !pass.editor.is_output(&end));
        if let (Some(range), true) = (measured, pass.is_convolution(&node)) {
            pass.convolution(&mut node, bits);
            let scale = pass.scale(*range);
            pass.due.insert(end, scale);
            count.convolutions += 1;
        } else {
            let mut inputs = node.input.iter();
            let all_known = inputs.all(|input| pass.known.contains_key(input)) && !node.input.is_empty();
            let first = pass.known.get(node.input(0)).map(|(scale, _)| scale.clone());
            for input in &mut node.input {
                if let Some((_, float)) = pass.known.get(input) {
                    input.clone_from(float);
                }
            }
            match (first, measured) {
                (Some(scale), _) if node.is("MaxPool") && !pass.editor.is_output(&node.output[0]) => {
                    pass.due.insert(node.output[0].clone(), scale);
                }
                (Some(_), Some(range)) if node.is("Add") && all_known => {
                    let scale = pass.scale(*range);
                    pass.due.insert(end, scale);
                }
                _ => {}
            }
        }
        let outputs = node.output.clone();
        pass.nodes.push(node);
        for output in outputs {
            if let Some(scale) = pass.due.remove(&output) {
                pass.quantise(&output, scale);
            }
        }
    }
    let nodes = pass.nodes;
    *editor.nodes_mut() = nodes;
    Ok(count)
}

/// Scale of an activation, and the names of the constants for it and its zero.
#[derive(Clone)]
struct Scale {
    scale: f32,
    names: [String; 2],
}

struct Pass<'a> {
    editor: &'a mut Editor,
    ranges: &'a HashMap<String, Range>,
    nodes: Vec<NodeProto>,
    /// Tensors in integers: their scale, and the name under which they are floats again.
    known: HashMap<String, (Scale, String)>,
    /// Tensors that become integers as soon as they are there.
    due: HashMap<String, Scale>,
}

impl Pass<'_> {
    fn is_convolution(&self, node: &NodeProto) -> bool {
        is_convolution(self.editor, node) && self.ranges.contains_key(node.input(0))
    }

    fn scale(&mut self, range: Range) -> Scale {
        let (scale, zero) = range.scale();
        let names =
            [self.editor.constant("scale", &[scale], &[]), self.editor.constant("zero", &[zero], &[])];
        Scale { scale, names }
    }

    fn quantise(&mut self, tensor: &str, scale: Scale) {
        let [integers, floats] = [self.editor.fresh("quantised"), self.editor.fresh("floats")];
        let [s, z] = &scale.names;
        self.nodes.push(NodeProto::new("QuantizeLinear", &[tensor, s, z], &[&integers]));
        self.nodes.push(NodeProto::new("DequantizeLinear", &[&integers, s, z], &[&floats]));
        self.known.insert(tensor.into(), (scale, floats));
    }

    fn convolution(&mut self, node: &mut NodeProto, bits: WeightBits) {
        let x = node.input(0).to_owned();
        if !self.known.contains_key(&x) {
            let scale = self.scale(self.ranges[&x]);
            self.quantise(&x, scale);
        }
        let (scale, float) = &self.known[&x];
        let (x_scale, float) = (scale.scale, float.clone());
        let weight = self.editor.floats(node.input(1)).expect("checked by is_convolution");
        let bias = self.editor.floats(node.input(2)).map(|bias| bias.values);
        let channels = weight.dims[0];
        let mut scales = Vec::with_capacity(channels);
        let mut integers = Vec::with_capacity(weight.values.len());
        for (channel, weights) in weight.values.chunks_exact(weight.values.len() / channels).enumerate() {
            // The bias is an i32 in units of both scales: a channel of tiny weights gets a scale that it fits into.
            let bias = bias.as_ref().map_or(0.0, |bias| bias[channel].abs());
            let least = (bias / x_scale / (1 << 30) as f32).max(f32::MIN_POSITIVE);
            scales.push(round_to(weights.iter(), bits, least, &mut integers));
        }
        node.input[0] = float;
        node.input[1] = self.dequantised("weight", &integers, &weight.dims, &scales);
        if let Some(bias) = bias {
            let scales: Vec<f32> = scales.iter().map(|scale| scale * x_scale).collect();
            let bias: Vec<i32> = bias.iter().zip(&scales).map(|(b, s)| (b / s).round() as i32).collect();
            node.input[2] = self.dequantised("bias", &bias, &[channels], &scales);
        }
    }

    /// A constant of integers with a scale for each index of its first axis, as floats.
    fn dequantised<T: crate::onnx::edit::Element + Default + Copy>(
        &mut self,
        hint: &str,
        values: &[T],
        dims: &[usize],
        scales: &[f32],
    ) -> String {
        let integers = self.editor.constant(hint, values, dims);
        let scale = self.editor.constant(&format!("{hint}_scale"), scales, &[scales.len()]);
        let zeros = vec![T::default(); scales.len()];
        let zero = self.editor.constant(&format!("{hint}_zero"), &zeros, &[zeros.len()]);
        let float = self.editor.fresh(&format!("{hint}_float"));
        let node = NodeProto::new("DequantizeLinear", &[&integers, &scale, &zero], &[&float]);
        self.nodes.push(node.with_int("axis", 0));
        float
    }
}

/// Appends `weights` as integers and gives the scale that makes them floats again, which is at least `least`.
fn round_to<'a>(
    weights: impl Iterator<Item = &'a f32> + Clone,
    bits: WeightBits,
    least: f32,
    integers: &mut Vec<i8>,
) -> f32 {
    let most = bits.most();
    let scale = (weights.clone().fold(0.0_f32, |m, w| m.max(w.abs())) / most).max(least);
    integers.extend(weights.map(|w| (w / scale).round().clamp(-most, most) as i8));
    scale
}

/// Integers, and one scale for each index of the first axis.
pub(super) fn by_row(weight: &Floats, bits: WeightBits) -> (Vec<i8>, Vec<f32>) {
    let mut integers = Vec::with_capacity(weight.values.len());
    let rows = weight.values.chunks_exact(weight.values.len() / weight.dims[0]);
    let scales = rows.map(|row| round_to(row.iter(), bits, f32::MIN_POSITIVE, &mut integers)).collect();
    (integers, scales)
}

/// Rounds the weights of a convolution to what they are in integers.
pub(super) fn round_channels(weight: &mut Floats, bits: WeightBits) {
    let (integers, scales) = by_row(weight, bits);
    let size = weight.values.len() / scales.len();
    let channels = weight.values.chunks_exact_mut(size).zip(integers.chunks_exact(size));
    for ((values, integers), scale) in channels.zip(scales) {
        values.iter_mut().zip(integers).for_each(|(value, &integer)| *value = f32::from(integer) * scale);
    }
}

/// `Gemm` and `MatMul` with constant weights, and `LSTM`, in integers; activations are measured at every run.
pub fn products(editor: &mut Editor, bits: WeightBits) -> Result<Quantised> {
    ensure!(
        editor.opset() >= 11,
        "the model uses opset {}; integers need 11: export it again with a newer opset",
        editor.opset()
    );
    let mut count = Quantised::default();
    let mut activations: HashMap<String, [String; 3]> = HashMap::new();
    let mut new = Vec::new();
    for node in editor.nodes().to_vec() {
        if let Some(product) = Product::of(editor, &node) {
            product.write(editor, &node, &mut activations, &mut new, bits);
            count.products += 1;
        } else if let Some(lstm) = lstm(editor, &node, bits) {
            editor.import(MICROSOFT);
            new.push(lstm);
            count.lstms += 1;
        } else {
            new.push(node);
        }
    }
    *editor.nodes_mut() = new;
    Ok(count)
}

/// A matrix of constants that something is multiplied by, `[inputs, outputs]`.
struct Product {
    weights: Vec<f32>,
    inputs: usize,
    outputs: usize,
    bias: Option<Vec<f32>>,
}

impl Product {
    fn of(editor: &Editor, node: &NodeProto) -> Option<Self> {
        let gemm = node.is("Gemm") && node.int("transA", 0) == 0;
        if !gemm && !node.is("MatMul") {
            return None;
        }
        let weight = editor.floats(node.input(1)).filter(|w| w.values.len() >= MIN_WEIGHTS)?;
        let &[rows, columns] = weight.dims.as_slice() else { return None };
        let turned = gemm && node.int("transB", 0) == 1;
        let (inputs, outputs) = if turned { (columns, rows) } else { (rows, columns) };
        let (alpha, beta) = (node.float("alpha", 1.0), node.float("beta", 1.0));
        let at = |i: usize, o: usize| if turned { o * columns + i } else { i * columns + o };
        let place = |n: usize| at(n / outputs, n % outputs);
        let weights = (0..inputs * outputs).map(|n| alpha * weight.values[place(n)]).collect();
        let bias = match node.input(2) {
            "" => None,
            name => {
                let bias = editor.floats(name).filter(|bias| bias.values.len() == outputs)?;
                Some(bias.values.iter().map(|b| b * beta).collect())
            }
        };
        Some(Self { weights, inputs, outputs, bias })
    }

    fn write(
        &self,
        editor: &mut Editor,
        node: &NodeProto,
        activations: &mut HashMap<String, [String; 3]>,
        new: &mut Vec<NodeProto>,
        bits: WeightBits,
    ) {
        let x = node.input(0);
        let [integers, x_scale, x_zero] = activations
            .entry(x.to_owned())
            .or_insert_with(|| {
                let names = ["integers", "integers_scale", "integers_zero"].map(|hint| editor.fresh(hint));
                let outputs = [&names[0], &names[1], &names[2]].map(String::as_str);
                new.push(NodeProto::new("DynamicQuantizeLinear", &[x], &outputs));
                names
            })
            .clone();
        let (weights, scales) = by_column(&self.weights, [self.inputs, self.outputs], bits);
        let weight = editor.constant("weight", &weights, &[self.inputs, self.outputs]);
        let zero = editor.constant("weight_zero", &vec![0_i8; self.outputs], &[self.outputs]);
        let scale = editor.constant("weight_scale", &scales, &[self.outputs]);
        let [sums, floats, both] = ["sums", "sums_float", "scale"].map(|hint| editor.fresh(hint));
        new.push(NodeProto::new("MatMulInteger", &[&integers, &weight, &x_zero, &zero], &[&sums]));
        new.push(NodeProto::new("Cast", &[&sums], &[&floats]).with_int("to", data_type::FLOAT.into()));
        new.push(NodeProto::new("Mul", &[&x_scale, &scale], &[&both]));
        let end = &node.output[0];
        match &self.bias {
            None => new.push(NodeProto::new("Mul", &[&floats, &both], &[end])),
            Some(bias) => {
                let bias = editor.constant("bias", bias, &[self.outputs]);
                let scaled = editor.fresh("product");
                new.push(NodeProto::new("Mul", &[&floats, &both], &[&scaled]));
                new.push(NodeProto::new("Add", &[&scaled, &bias], &[end]));
            }
        }
    }
}

/// Integers, and one scale a column.
pub(super) fn by_column(
    weights: &[f32],
    [rows, columns]: [usize; 2],
    bits: WeightBits,
) -> (Vec<i8>, Vec<f32>) {
    let mut integers = vec![0; rows * columns];
    let mut scales = Vec::with_capacity(columns);
    let mut column = Vec::with_capacity(rows);
    for c in 0..columns {
        column.clear();
        scales.push(round_to(weights[c..].iter().step_by(columns), bits, f32::MIN_POSITIVE, &mut column));
        column.iter().enumerate().for_each(|(row, &value)| integers[row * columns + c] = value);
    }
    (integers, scales)
}

/// ONNX Runtime's `DynamicQuantizeLSTM` for an `LSTM` in its plain form: constant weights, no lengths, no initial
/// state, no peepholes, the usual functions. Its weights are `[direction, inputs, 4 hidden]`, the other way round.
fn lstm(editor: &mut Editor, node: &NodeProto, bits: WeightBits) -> Option<NodeProto> {
    let plain = node.is("LSTM")
        && node.input.iter().skip(4).all(String::is_empty)
        && node.attribute.iter().all(|a| matches!(a.name.as_str(), "direction" | "hidden_size"));
    if !plain {
        return None;
    }
    let (w, r) = (editor.floats(node.input(1))?, editor.floats(node.input(2))?);
    let mut inputs = vec![node.input(0).to_owned()];
    let mut scales = Vec::new();
    for (hint, matrix) in [("input_weight", w), ("state_weight", r)] {
        let &[directions, gates, values] = matrix.dims.as_slice() else { return None };
        let (mut integers, mut scale) = (Vec::new(), Vec::new());
        for direction in matrix.values.chunks_exact(gates * values) {
            let turned: Vec<f32> =
                (0..gates * values).map(|n| direction[n % gates * values + n / gates]).collect();
            let (i, s) = by_column(&turned, [values, gates], bits);
            integers.extend(i);
            scale.extend(s);
        }
        inputs.push(editor.constant(hint, &integers, &[directions, values, gates]));
        scales.push(editor.constant(&format!("{hint}_scale"), &scale, &[directions, gates]));
        let zeros = vec![0_i8; directions * gates];
        scales.push(editor.constant(&format!("{hint}_zero"), &zeros, &[directions, gates]));
    }
    inputs.push(node.input(3).to_owned());
    inputs.extend([const { String::new() }; 4]);
    inputs.extend(scales);
    let (op_type, domain) = ("DynamicQuantizeLSTM".into(), MICROSOFT.into());
    Some(NodeProto { input: inputs, op_type, domain, ..node.clone() })
}
