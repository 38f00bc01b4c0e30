//! Weights as 8-bit integers in the file, floats again as soon as it is loaded: a quarter of the size, and floats' speed and
//! scores on every CPU, since nothing is computed in integers.

use super::quantise::{WeightBits, by_column, by_row};
use crate::onnx::edit::Editor;
use crate::onnx::proto::{NodeProto, data_type};

/// Weights of a node below this number stay floats: the file would hardly be smaller.
const MIN_WEIGHTS: usize = 512;

/// Stores the weights of `Conv`, `Gemm` and `MatMul` with one scale an output channel. ONNX Runtime multiplies constants when
/// it loads a network. Gives the number of nodes.
pub fn weights(editor: &mut Editor) -> usize {
    let mut new = Vec::new();
    let mut count = 0;
    for mut node in editor.nodes().to_vec() {
        let rows = node.is("Conv") || (node.is("Gemm") && node.int("transB", 0) == 1);
        let columns = node.is("MatMul") || node.is("Gemm");
        let weight = editor.floats(node.input(1)).filter(|weight| weight.values.len() >= MIN_WEIGHTS);
        if let Some(weight) = weight.filter(|weight| rows || (columns && weight.dims.len() == 2)) {
            let (integers, scales, sizes) = if rows {
                let (integers, scales) = by_row(&weight, WeightBits::Eight);
                let mut sizes = vec![1; weight.dims.len()];
                sizes[0] = scales.len();
                (integers, scales, sizes)
            } else {
                let sizes = [weight.dims[0], weight.dims[1]];
                let (integers, scales) = by_column(&weight.values, sizes, WeightBits::Eight);
                (integers, scales, vec![1, sizes[1]])
            };
            let stored = editor.constant("weight", &integers, &weight.dims);
            let scale = editor.constant("weight_scale", &scales, &sizes);
            let [unscaled, float] = ["weight_unscaled", "weight_float"].map(|hint| editor.fresh(hint));
            let cast = NodeProto::new("Cast", &[&stored], &[&unscaled]);
            new.push(cast.with_int("to", data_type::FLOAT.into()));
            new.push(NodeProto::new("Mul", &[&unscaled, &scale], &[&float]));
            node.input[1] = float;
            count += 1;
        }
        new.push(node);
    }
    *editor.nodes_mut() = new;
    count
}

/// What [`weights`] did, undone: the constants are floats again.
pub fn restore(editor: &mut Editor) {
    let nodes = editor.nodes().to_vec();
    let stored = |name: &str| {
        let cast = nodes.iter().find(|node| node.is("Cast") && node.output[0] == name)?;
        editor.integers(cast.input(0))
    };
    let mut found = Vec::new();
    for node in nodes.iter().filter(|node| node.is("Mul")) {
        let Some((dims, integers)) = stored(node.input(0)) else { continue };
        let Some(scale) = editor.floats(node.input(1)) else { continue };
        // One scale for each index of one axis: everything after that axis shares it.
        let axis = scale.dims.iter().position(|&size| size != 1).unwrap_or(0);
        let fits = scale.dims.len() == dims.len() && dims.get(axis) == Some(&scale.values.len());
        if fits {
            let inner: usize = dims[axis + 1..].iter().product();
            let of = |(n, &integer): (usize, &i8)| {
                f32::from(integer) * scale.values[n / inner % scale.values.len()]
            };
            let values: Vec<f32> = integers.iter().enumerate().map(of).collect();
            found.push((node.output[0].clone(), values, dims));
        }
    }
    for (name, values, dims) in found {
        let float = editor.constant("weight", &values, &dims);
        editor.read_instead(&name, &float);
    }
}
