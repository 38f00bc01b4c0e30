//! What any tensor of a network holds while it looks at clips, through the library's own feature code.

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use auricle::stages::tensor::Axis;
use ort::session::Session;
use ort::value::{Tensor, ValueType};

use crate::front_end::{FrontEnd, FrontEndSpec};
use crate::onnx::edit::Editor;

/// A network whose tensors can be looked at.
pub struct Activations {
    session: Session,
    tensors: Vec<String>,
}

/// One tensor of one window.
pub struct Activation<'a> {
    /// Index among the tensors that were asked for.
    pub index: usize,
    /// Sizes of its axes.
    pub shape: &'a [i64],
    /// Its values.
    pub values: &'a [f32],
}

/// What a network gets of one window.
#[derive(Clone)]
pub struct Input {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Makes inputs of clips as a manifest says.
pub struct Inputs {
    front_end: FrontEnd,
    /// Whether the network wants `[row, bin]`; otherwise `[bin, row]`.
    rows_first: bool,
    axes: Vec<Axis>,
}

impl Inputs {
    /// Plans the features.
    pub fn new(manifest: &Manifest) -> Result<Self> {
        let axes = manifest.input.layout.clone();
        let place = |axis| axes.iter().position(|a| *a == axis);
        let rows_first = axes.contains(&Axis::RowBin) || place(Axis::Row) < place(Axis::Bin);
        Ok(Self { front_end: FrontEndSpec::of(manifest).plan()?, rows_first, axes })
    }

    /// Of every window of a clip at the model's rate. Windows that are not whole because the manifest pads nothing are
    /// passed over.
    pub fn of(&mut self, samples: &[f32]) -> Vec<Input> {
        let [bins, rows] = self.front_end.shape();
        let size = |axis: &Axis| match axis {
            Axis::Batch | Axis::Channel => 1,
            Axis::Row | Axis::Sample => rows,
            Axis::Bin => bins,
            Axis::RowBin => rows * bins,
        };
        let shape: Vec<usize> = self.axes.iter().map(size).collect();
        let mut inputs = Vec::new();
        for window in self.front_end.windows(samples) {
            let mut values = Vec::with_capacity(bins * rows);
            self.front_end.append(&window, &mut values);
            if self.rows_first {
                values = (0..bins * rows).map(|n| values[n % bins * rows + n / bins]).collect();
            }
            inputs.push(Input { shape: shape.clone(), values });
        }
        inputs
    }
}

impl Activations {
    /// Opens the file so that `tensors`, of 32-bit floats, can be seen.
    pub fn new(onnx: &[u8], tensors: Vec<String>) -> Result<Self> {
        Self::of(Editor::read(onnx)?, tensors)
    }

    /// The same of a file that is open for changes.
    pub fn of(mut editor: Editor, tensors: Vec<String>) -> Result<Self> {
        tensors.iter().for_each(|tensor| editor.add_output(tensor));
        let environment = auricle::stages::inference::runtime::environment()?;
        let session =
            (|| Session::builder(environment)?.with_intra_threads(1)?.commit_from_memory(&editor.write()))()
                .map_err(|e: ort::Error| {
                    anyhow::anyhow!("ONNX Runtime refuses to show tensors of the model: {e}")
                })?;
        Ok(Self { session, tensors })
    }

    /// Shows every tensor.
    pub fn run(&mut self, input: &Input, mut each: impl FnMut(Activation)) -> Result<()> {
        // Kept until the end: an output that is the network's input is this memory.
        let input = Tensor::from_array((input.shape.clone(), input.values.clone()))?;
        let outputs = self.session.run(ort::inputs![&input])?;
        for (index, tensor) in self.tensors.iter().enumerate() {
            let value = &outputs[tensor.as_str()];
            let (shape, values) =
                value.try_extract_tensor::<f32>().with_context(|| format!("tensor {tensor:?}"))?;
            each(Activation { index, shape, values });
        }
        Ok(())
    }
}

/// The tensors of 32-bit floats that the network makes, with their sizes; -1 is unknown.
pub fn float_tensors(onnx: &[u8]) -> Result<Vec<(String, Vec<i64>)>> {
    let mut editor = Editor::read(onnx)?;
    let names: Vec<String> = editor.tensors().map(str::to_owned).collect();
    ensure!(!names.is_empty(), "the network computes nothing");
    names.iter().for_each(|name| editor.add_output(name));
    let environment = auricle::stages::inference::runtime::environment()?;
    let session = Session::builder(environment)?.commit_from_memory(&editor.write())?;
    let sizes = session.outputs().iter().filter_map(|output| match output.dtype() {
        ValueType::Tensor { shape, .. } => Some((output.name().to_owned(), shape.to_vec())),
        _ => None,
    });
    Ok(sizes.collect())
}
