//! The weights of somebody else's MobileNet, out of its ONNX file.

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use auricle::stages::tensor::Axis;
use burn::tensor::Device;

use crate::compress::store;
use crate::network::mobilenet::{KERNEL, MobileNet, STRIDES};
use crate::onnx::edit::{Editor, Floats};
use crate::onnx::proto::NodeProto;

/// The network in the file, if its convolutions are those of a MobileNet with [`STRIDES`] (normalisations folded in, ReLU
/// behind each), of any widths. Its last layer is not taken over.
pub fn import(onnx: &[u8], manifest: &Manifest) -> Result<MobileNet> {
    let mut editor = Editor::read(onnx)?;
    store::restore(&mut editor);
    let layout = &manifest.input.layout;
    let place = |axis| layout.iter().position(|a| *a == axis);
    let rows_first = layout.contains(&Axis::RowBin) || place(Axis::Row) < place(Axis::Bin);
    let convolutions: Vec<&NodeProto> = editor.nodes().iter().filter(|node| node.is("Conv")).collect();
    let expected = 1 + 2 * STRIDES.len();
    ensure!(
        convolutions.len() == expected,
        "it has {} convolutions; a MobileNet has {expected}",
        convolutions.len()
    );
    let relus = editor.nodes().iter().filter(|node| node.is("Relu")).count();
    ensure!(relus == expected, "it has {relus} ReLUs behind {expected} convolutions");
    let mut weights = Vec::new();
    for (index, node) in convolutions.iter().enumerate() {
        weights
            .push(layer(&editor, node, index, rows_first).with_context(|| format!("node {:?}", node.name))?);
    }
    let mut channels = vec![weights[0].0.dims[0]];
    channels.extend(weights[1..].chunks_exact(2).map(|pair| pair[1].0.dims[0]));
    for (pair, sides) in weights[1..].chunks_exact(2).zip(channels.windows(2)) {
        ensure!(
            pair[0].0.dims[..2] == [sides[0], 1] && pair[1].0.dims[1] == sides[0],
            "its layers are not one behind the other"
        );
    }
    let mut network = MobileNet::new(&channels, 1, &Device::flex());
    let mut weights = weights.into_iter();
    let layers = network.pairs.iter_mut().flat_map(|pair| [&mut pair.depthwise, &mut pair.pointwise]);
    for (layer, (weight, bias)) in std::iter::once(&mut network.stem).chain(layers).zip(&mut weights) {
        layer.set(weight.values, bias.values);
    }
    Ok(network)
}

/// Weight and bias of convolution `index`, whose form must be the one that a MobileNet has there.
fn layer(editor: &Editor, node: &NodeProto, index: usize, rows_first: bool) -> Result<(Floats, Floats)> {
    let constant = |input: usize| {
        let name = node.input(input);
        editor.floats(name).with_context(|| format!("input {name:?} is no constant of 32-bit floats"))
    };
    let (mut weight, bias) = (constant(1)?, constant(2)?);
    let depthwise = index % 2 == 1;
    let kernel = if index > 0 && !depthwise { 1 } else { KERNEL };
    let stride = match index {
        0 => 2,
        _ if depthwise => STRIDES[index / 2],
        _ => 1,
    };
    let ints = |name: &str, default: i64, count: usize| {
        node.find(name).map_or_else(|| vec![default; count], |attribute| attribute.ints.clone())
    };
    let pads = if stride == 2 { [0, 0, 1, 1] } else { [kernel as i64 / 2; 4] };
    let groups = if depthwise { weight.dims[0] as i64 } else { 1 };
    ensure!(
        weight.dims.len() == 4
            && weight.dims[2..] == [kernel, kernel]
            && bias.values.len() == weight.dims[0]
            && ints("strides", 1, 2) == [stride as i64; 2]
            && ints("dilations", 1, 2) == [1, 1]
            && ints("pads", 0, 4) == pads
            && node.int("group", 1) == groups,
        "weight {:?}, strides {:?}, pads {:?}, group {}: a MobileNet has {kernel}×{kernel} there, stride {stride}, pads \
         {pads:?}, group {groups}",
        weight.dims,
        ints("strides", 1, 2),
        ints("pads", 0, 4),
        node.int("group", 1)
    );
    if rows_first && kernel > 1 {
        for one in weight.values.chunks_exact_mut(kernel * kernel) {
            let old = one.to_vec();
            (0..one.len()).for_each(|at| one[at] = old[at % kernel * kernel + at / kernel]);
        }
    }
    Ok((weight, bias))
}
