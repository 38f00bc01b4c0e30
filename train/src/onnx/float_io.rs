//! Inputs and outputs of other element types made 32-bit floats: the conversion goes into the graph, with the scale and
//! zero point that the file itself has for its integers.

use anyhow::{Result, ensure};

use super::edit::Editor;
use super::proto::{NodeProto, data_type};

/// The file with floats in and out, and what was changed. Integers that are no quantised numbers (lengths, indices) stay.
pub fn float_io(onnx: &[u8]) -> Result<(Vec<u8>, Vec<String>)> {
    let mut editor = Editor::read(onnx)?;
    let mut changed = Vec::new();
    for (name, element) in editor.input_elements() {
        let kind = Kind::of(element);
        let inside = editor.fresh("float_io_input");
        let node = match kind {
            Kind::Float | Kind::Other => continue,
            Kind::Cast => NodeProto::new("Cast", &[&name], &[&inside]).with_int("to", element.into()),
            Kind::Integer => {
                let (scale, zero) = scale_of_input(&editor, &name)?;
                NodeProto::new("QuantizeLinear", &[&name, &scale, &zero], &[&inside])
            }
        };
        editor.read_instead(&name, &inside);
        editor.nodes_mut().insert(0, node);
        editor.set_element(&name, data_type::FLOAT);
        changed.push(format!("input {name:?}"));
    }
    for (name, element) in editor.output_elements() {
        let inside = editor.fresh("float_io_output");
        let node = match Kind::of(element) {
            Kind::Float | Kind::Other => continue,
            Kind::Cast => {
                NodeProto::new("Cast", &[&inside], &[&name]).with_int("to", data_type::FLOAT.into())
            }
            Kind::Integer => {
                let (scale, zero) = scale_of_output(&editor, &name)?;
                NodeProto::new("DequantizeLinear", &[&inside, &scale, &zero], &[&name])
            }
        };
        editor.read_instead(&name, &inside);
        editor.make_instead(&name, &inside);
        editor.nodes_mut().push(node);
        editor.set_element(&name, data_type::FLOAT);
        changed.push(format!("output {name:?}"));
    }
    ensure!(
        !changed.is_empty(),
        "has no input or output that is a 16- or 64-bit float or quantised: nothing to change"
    );
    Ok((editor.write(), changed))
}

enum Kind {
    Float,
    /// Another kind of float.
    Cast,
    /// An integer of 8 or 16 bits, which stands for another number.
    Integer,
    Other,
}

impl Kind {
    /// Of `TensorProto.DataType`.
    fn of(element: i32) -> Self {
        match element {
            data_type::FLOAT => Kind::Float,
            10 | 11 | 16 => Kind::Cast,
            data_type::UINT8 | data_type::INT8 | 4 | 5 => Kind::Integer,
            _ => Kind::Other,
        }
    }
}

/// Operators whose first input is quantised by their second and third.
const READERS: [&str; 3] = ["DequantizeLinear", "QLinearConv", "QLinearMatMul"];

fn scale_of_input(editor: &Editor, name: &str) -> Result<(String, String)> {
    let mut found: Option<(String, String)> = None;
    for node in editor.nodes().iter().filter(|node| node.input.iter().any(|input| input == name)) {
        let known =
            READERS.iter().any(|op| node.is(op)) && node.input(0) == name && !node.input(2).is_empty();
        ensure!(
            known,
            "input {name:?} holds integers that node {:?} ({}) reads as they are, so the file does not say what they stand \
             for; say it in the manifest (input.dtype)",
            node.name,
            node.op_type
        );
        let scale = (node.input(1).to_owned(), node.input(2).to_owned());
        ensure!(
            found.as_ref().is_none_or(|found| *found == scale),
            "input {name:?} holds integers that the file reads with two scales, {:?} and {:?}",
            found.map(|found| found.0),
            scale.0
        );
        found = Some(scale);
    }
    scalar(editor, name, found)
}

fn scale_of_output(editor: &Editor, name: &str) -> Result<(String, String)> {
    let maker = editor.nodes().iter().find(|node| node.output.iter().any(|output| output == name));
    let places = maker.and_then(|node| match node.op_type.as_str() {
        "QuantizeLinear" => Some((1, 2)),
        "QLinearConv" | "QLinearMatMul" => Some((6, 7)),
        _ => None,
    });
    let found = maker
        .zip(places)
        .map(|(node, (scale, zero))| (node.input(scale).to_owned(), node.input(zero).to_owned()));
    scalar(editor, name, found.filter(|(_, zero)| !zero.is_empty()))
}

/// One scale for all values; a scale for each channel has an axis that may be gone outside.
fn scalar(editor: &Editor, name: &str, found: Option<(String, String)>) -> Result<(String, String)> {
    let one = found.filter(|(scale, _)| editor.floats(scale).is_some_and(|scale| scale.values.len() == 1));
    one.ok_or_else(|| {
        anyhow::anyhow!(
            "{name:?} holds integers for which the file has no scale and zero point that are the same for all values; say \
             them in the manifest (dtype)"
        )
    })
}
