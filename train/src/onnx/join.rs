//! Networks one behind the other, as one file: the first one's output is the second one's input, by way of steps that say
//! what lies between.

use anyhow::{Context, Result, bail, ensure};

use super::edit::Editor;
use super::proto::NodeProto;

/// What comes behind a network.
pub enum Part {
    /// Bytes of an ONNX file with one input and one output.
    Network(Vec<u8>),
    /// What is done to the tensor on its way.
    Step(Step),
}

/// What is done to a tensor between two networks.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Times a number.
    Mul(f32),
    /// Plus a number.
    Add(f32),
    /// Other axes for the same values; -1 is what is left, once.
    Reshape(Vec<i64>),
    /// The axes in another order.
    Transpose(Vec<i64>),
    /// Stretches of the first axis: [rows, …] becomes [stretches, length, …].
    Frames {
        /// Rows of a stretch.
        length: i64,
        /// Rows from one to the next.
        hop: i64,
    },
    /// The last rows of the run before, zeros at first, stand before those of this one: a state, for `input.others`.
    Keep {
        /// How many.
        rows: i64,
        /// Values of each.
        size: i64,
    },
}

/// Input and output of a state that a joined file has: what `keep` adds.
pub fn states(joined: &[u8]) -> Result<Vec<(String, String)>> {
    let editor = Editor::read(joined)?;
    let pairs = editor.inputs().into_iter().map(|name| {
        let next = next(&name);
        (name, next)
    });
    Ok(pairs.filter(|(name, next)| name.starts_with(KEPT) && editor.is_output(next)).collect())
}

const KEPT: &str = "kept";

fn next(kept: &str) -> String {
    format!("{kept}_next")
}

impl Step {
    /// `mul:0.1`, `add:2`, `reshape:-1,32`, `transpose:0,2,1`, `frames:76,8`, `keep:68,32`.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let number = || value.parse::<f32>().ok().filter(|number| number.is_finite());
        let list = || {
            let numbers: std::result::Result<Vec<i64>, _> = value.split(',').map(str::parse).collect();
            numbers.ok().filter(|numbers| numbers.len() <= 8)
        };
        let step = match name {
            "mul" => number().map(Step::Mul),
            "add" => number().map(Step::Add),
            "reshape" => list()
                .filter(|sizes| sizes.iter().all(|&size| size == -1 || size > 0))
                .filter(|sizes| sizes.iter().filter(|&&size| size == -1).count() <= 1)
                .map(Step::Reshape),
            "transpose" => list()
                .filter(|axes| (0..axes.len() as i64).all(|axis| axes.contains(&axis)))
                .map(Step::Transpose),
            "frames" => match list().as_deref() {
                Some(&[length, hop]) if length > 0 && hop > 0 => Some(Step::Frames { length, hop }),
                _ => None,
            },
            "keep" => match list().as_deref() {
                Some(&[rows, size]) if rows > 0 && size > 0 => Some(Step::Keep { rows, size }),
                _ => None,
            },
            _ => None,
        };
        step.with_context(|| {
            format!(
                "{text:?} is no ONNX file (.onnx) and no step; steps are mul:NUMBER, add:NUMBER, reshape:SIZES (one may be \
                 -1), transpose:AXES, frames:LENGTH,HOP and keep:ROWS,SIZE, with commas between numbers"
            )
        })
    }

    /// Adds the step behind `tensor`; gives what comes out.
    fn add_to(&self, editor: &mut Editor, tensor: &str) -> Result<String> {
        let out = editor.fresh("join_step");
        let node = match self {
            Step::Mul(by) => {
                NodeProto::new("Mul", &[tensor, &editor.constant("join_by", &[*by], &[])], &[&out])
            }
            Step::Add(by) => {
                NodeProto::new("Add", &[tensor, &editor.constant("join_by", &[*by], &[])], &[&out])
            }
            Step::Reshape(sizes) => {
                let sizes = editor.constant("join_sizes", sizes, &[sizes.len()]);
                NodeProto::new("Reshape", &[tensor, &sizes], &[&out])
            }
            Step::Transpose(axes) => NodeProto::new("Transpose", &[tensor], &[&out]).with_ints("perm", axes),
            Step::Frames { length, hop } => frames(editor, tensor, *length, *hop, &out)?,
            Step::Keep { rows, size } => keep(editor, tensor, *rows, *size, &out)?,
        };
        editor.nodes_mut().push(node);
        Ok(out)
    }
}

/// Rows are gathered by number: start of the stretch plus place in it, as many stretches as fit.
fn frames(editor: &mut Editor, tensor: &str, length: i64, hop: i64, out: &str) -> Result<NodeProto> {
    ensure!(
        editor.opset() >= 11,
        "frames needs operators of version 11 or newer; the networks have {}",
        editor.opset()
    );
    let mut scalar = |value: i64| editor.constant("join_number", &[value], &[]);
    let (zero, one, last, by) = (scalar(0), scalar(1), scalar(length - hop), scalar(hop));
    let places: Vec<i64> = (0..length).collect();
    let places = editor.constant("join_places", &places, &[1, length as usize]);
    let column = editor.constant("join_column", &[-1_i64, 1], &[2]);
    let [shape, rows, room, count, numbers, starts, starts_down, indices] =
        ["shape", "rows", "room", "count", "numbers", "starts", "column", "rows_of"]
            .map(|hint| editor.fresh(hint));
    editor.nodes_mut().extend([
        NodeProto::new("Shape", &[tensor], &[&shape]),
        NodeProto::new("Gather", &[&shape, &zero], &[&rows]).with_int("axis", 0),
        // (rows - length) / hop + 1 = (rows - (length - hop)) / hop, rounded down.
        NodeProto::new("Sub", &[&rows, &last], &[&room]),
        NodeProto::new("Div", &[&room, &by], &[&count]),
        NodeProto::new("Range", &[&zero, &count, &one], &[&numbers]),
        NodeProto::new("Mul", &[&numbers, &by], &[&starts]),
        NodeProto::new("Reshape", &[&starts, &column], &[&starts_down]),
        NodeProto::new("Add", &[&starts_down, &places], &[&indices]),
    ]);
    Ok(NodeProto::new("Gather", &[tensor, &indices], &[out]).with_int("axis", 0))
}

/// Puts the kept rows before `tensor`; gives the node that takes what is kept from there.
fn keep(editor: &mut Editor, tensor: &str, rows: i64, size: i64, out: &str) -> Result<NodeProto> {
    ensure!(
        editor.opset() >= 10,
        "keep needs operators of version 10 or newer; the networks have {}",
        editor.opset()
    );
    let kept = editor.fresh(KEPT);
    editor.add_input(&kept, &[rows, size]);
    let mut one = |value: i64| editor.constant("join_number", &[value], &[1]);
    let (from, to, axis) = (one(-rows), one(i64::MAX), one(0));
    editor.nodes_mut().push(NodeProto::new("Concat", &[&kept, tensor], &[out]).with_int("axis", 0));
    Ok(NodeProto::new("Slice", &[out, &from, &to, &axis], &[&next(&kept)]))
}

/// One file of `first` and what comes behind it. Metadata are those of the first, without a manifest of Auricle's.
pub fn join(first: &[u8], parts: &[Part]) -> Result<Vec<u8>> {
    let mut editor = Editor::read(first).context("the first network")?;
    let mut tensor = only(&editor.outputs(), "output").context("the first network")?;
    let mut number = 1;
    for part in parts {
        tensor = match part {
            Part::Step(step) => step.add_to(&mut editor, &tensor)?,
            Part::Network(onnx) => {
                number += 1;
                let mut behind = || {
                    let other = Editor::read(onnx)?;
                    only(&other.outputs(), "output")?;
                    only(&other.inputs(), "input")?;
                    editor.append(other, &tensor, &format!("join{number}/"))
                };
                behind().with_context(|| format!("network {number}"))?
            }
        };
    }
    editor.end_with(&tensor);
    let kept = editor.inputs().into_iter().filter(|name| name.starts_with(KEPT)).map(|name| next(&name));
    let made: Vec<String> = kept.filter(|next| editor.tensors().any(|tensor| tensor == next)).collect();
    made.iter().for_each(|next| editor.add_output(next));
    Ok(editor.write())
}

fn only(names: &[String], what: &str) -> Result<String> {
    match names {
        [name] => Ok(name.clone()),
        [] => bail!("has no {what}"),
        _ => bail!("has {} {what}s ({}); networks are joined that have one", names.len(), names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_what_they_say() {
        assert_eq!(Step::parse("mul:0.1").expect("a step"), Step::Mul(0.1));
        assert_eq!(Step::parse("add:-2").expect("a step"), Step::Add(-2.0));
        assert_eq!(Step::parse("reshape:-1,76,32,1").expect("a step"), Step::Reshape(vec![-1, 76, 32, 1]));
        assert_eq!(Step::parse("transpose:0,2,1").expect("a step"), Step::Transpose(vec![0, 2, 1]));
        assert_eq!(Step::parse("frames:76,8").expect("a step"), Step::Frames { length: 76, hop: 8 });
        assert_eq!(Step::parse("keep:68,32").expect("a step"), Step::Keep { rows: 68, size: 32 });
        for wrong in [
            "mul",
            "mul:x",
            "add:inf",
            "reshape:-1,-1",
            "reshape:0",
            "transpose:0,0",
            "transpose:1,2",
            "frames:76",
            "frames:0,8",
            "frames:8,0",
            "keep:8",
            "keep:0,8",
            "squeeze:1",
            "",
        ] {
            assert!(Step::parse(wrong).is_err(), "{wrong}");
        }
    }
}
