//! One row made of many, in the graph.

use anyhow::{Result, ensure};
use clap::ValueEnum;

use super::edit::Editor;
use super::proto::NodeProto;

/// What becomes of the rows of a tensor that has one for each moment of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pool {
    /// Their mean.
    Mean,
    /// The highest of each value.
    Max,
    /// The last one.
    Last,
}

impl Pool {
    /// The network with one row of `tensor`, whose rows are the last axis but one; and the name of that.
    pub fn apply(self, onnx: &[u8], tensor: &str) -> Result<(Vec<u8>, String)> {
        let mut editor = Editor::read(onnx)?;
        ensure!(editor.tensors().any(|name| name == tensor), "the network makes no tensor {tensor:?}");
        let opset = editor.opset();
        ensure!(opset >= 11, "rows need operators of version 11 or newer; the network has {opset}");
        let output = editor.fresh("pooled");
        let node = match self {
            Self::Last => {
                let last = editor.constant("last_row", &[-1_i64], &[]);
                NodeProto::new("Gather", &[tensor, &last], &[&output]).with_int("axis", -2)
            }
            Self::Mean | Self::Max => {
                let operator = if self == Self::Mean { "ReduceMean" } else { "ReduceMax" };
                // The axes are an input from version 18 on.
                let node = match opset {
                    ..18 => NodeProto::new(operator, &[tensor], &[&output]).with_ints("axes", &[-2]),
                    _ => {
                        let axes = editor.constant("rows_axis", &[-2_i64], &[1]);
                        NodeProto::new(operator, &[tensor, &axes], &[&output])
                    }
                };
                node.with_int("keepdims", 0)
            }
        };
        editor.nodes_mut().push(node);
        Ok((editor.write(), output))
    }
}
