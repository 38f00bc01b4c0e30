//! The inputs and outputs of a network, compared with the manifest. All disagreements are told at once, each with both
//! sides.

use crate::error::{Error, Result, Status};
use crate::inference::Dtype;
use crate::inference::ending::Ending;
use crate::inference::network::{Network, Port};
use crate::manifest::{Length, MAX_ELEMENTS, Manifest, Numbers, Other, Output, Size};
use crate::padding::Padding;
use crate::pipeline::{Fed, Feed, Ports};
use crate::scores::Activation;
use crate::tensor::{Axis, AxisOrder};

/// Those that the manifest uses, for windows of `rows` rows of `bins` bins.
pub(super) fn check(
    manifest: &Manifest,
    order: &AxisOrder,
    rows: usize,
    bins: usize,
    network: &Network,
    onnx: &[u8],
) -> Result<Ports> {
    let mut check = Check { manifest, onnx, rows, bins, elements: 0, obstacles: Vec::new() };
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let input = check.input(order, &inputs);
    let (mut feeds, mut states) = (Vec::new(), Vec::new());
    for (name, other) in &manifest.input.others {
        match check.other(name, other, &inputs, &outputs) {
            Some(Kept::Feed(feed)) => feeds.push(feed),
            Some(Kept::State(state)) => states.push(*state),
            None => {}
        }
    }
    let said = manifest.outputs.iter().enumerate();
    let found: Vec<Port> =
        said.filter_map(|(index, output)| check.output(index, output, &outputs).cloned()).collect();
    for (index, port) in found.iter().enumerate() {
        if found[..index].iter().any(|earlier| earlier.name == port.name) {
            check.refuse("outputs", format_args!("tensor {:?} is there twice", port.name));
        }
    }
    match (check.obstacles.is_empty(), input) {
        (true, Some(input)) => Ok(Ports { input: input.clone(), feeds, states, outputs: found }),
        _ => {
            let obstacles = check.obstacles.join("; ");
            Err(Error::new(Status::Mismatch, format!("manifest and network disagree: {obstacles}")))
        }
    }
}

struct Check<'a> {
    manifest: &'a Manifest,
    /// The file of the network.
    onnx: &'a [u8],
    rows: usize,
    bins: usize,
    /// Of the further inputs so far, together.
    elements: i64,
    /// Path and message of each.
    obstacles: Vec<String>,
}

/// What becomes of a further input.
enum Kept {
    Feed(Feed),
    State(Box<(Port, Port, (Dtype, Vec<i64>))>),
}

impl Check<'_> {
    fn refuse(&mut self, path: &str, message: impl std::fmt::Display) {
        self.obstacles.push(format!("{path}: {message}"));
    }

    fn absent(&mut self, path: &str, name: &str, what: &str, ports: &[Port]) {
        let names = ports.iter().map(|port| format!("{:?}", port.name)).collect::<Vec<_>>().join(", ");
        self.refuse(path, format_args!("the network has no {what} {name:?}; it has: {names}"));
    }

    /// The first input, and whether all others are said.
    fn input<'p>(&mut self, order: &AxisOrder, inputs: &'p [Port]) -> Option<&'p Port> {
        let (name, others) = (&self.manifest.input.tensor, &self.manifest.input.others);
        let input = match name.is_empty() {
            true => inputs.iter().find(|port| !others.contains_key(&port.name)),
            false => inputs.iter().find(|port| port.name == *name),
        };
        let Some(input) = input else {
            match name.is_empty() {
                true => self.refuse("input.others", "names every input of the network; one is for the audio"),
                false => self.absent("input.tensor", name, "input", inputs),
            }
            return None;
        };
        for port in inputs {
            let said = others.contains_key(&port.name);
            if port.name == input.name && said {
                self.refuse("input.others", format_args!("{:?} is input.tensor", port.name));
            } else if port.name != input.name && !said {
                self.refuse(
                    "input.others",
                    format_args!(
                        "the network's input {:?} ({} {:?}) is not said: is it a constant, ones, a length or a state?",
                        port.name, port.element, port.sizes
                    ),
                );
            }
        }
        let dtype = self.manifest.input.dtype;
        if input.dtype != Some(dtype) {
            let message = format!("{dtype}; tensor {:?} holds {} in the network", input.name, input.element);
            self.refuse("input.dtype", message);
        }
        self.sizes(order, input);
        Some(input)
    }

    /// Same number of axes, and every fixed size is the manifest's.
    fn sizes(&mut self, order: &AxisOrder, input: &Port) {
        let Self { manifest, rows, bins, .. } = *self;
        let (axes, shape) = (order.axes(), order.shape(rows, bins));
        if axes.len() != input.sizes.len() {
            let (name, sizes) = (&input.name, &input.sizes);
            let message = format!("{} axes, tensor {name:?} has {} {sizes:?}", axes.len(), sizes.len());
            return self.refuse("input.layout", message);
        }
        let window = || {
            let (seconds, rate) = (manifest.input.window_duration(), manifest.input.sample_rate);
            format!("{seconds} s at {rate} Hz are {rows} rows")
        };
        for (k, (axis, (&ours, &theirs))) in axes.iter().zip(shape.iter().zip(&input.sizes)).enumerate() {
            if theirs < 0 || theirs == ours {
                continue;
            }
            let say = match axis {
                Axis::Row => format!("; \"window_rows\": {theirs} says so"),
                Axis::Sample => format!("; \"window_samples\": {theirs} says so"),
                _ => String::new(),
            };
            let (path, ours) = match axis {
                Axis::Row | Axis::Sample => ("input.window_seconds", window()),
                Axis::RowBin => {
                    ("input.window_seconds", format!("{} of {bins} bins, {ours} values", window()))
                }
                Axis::Bin => ("input.features", format!("{bins} bins")),
                Axis::Batch | Axis::Channel => ("input.layout", format!("{axis:?} is 1").to_lowercase()),
            };
            self.refuse(
                path,
                format_args!("{ours}, the network wants {theirs} (axis {k} of {:?}{say})", input.name),
            );
        }
        let row = axes.iter().position(|axis| axis.grows());
        if let Some(fixed) = row.map(|k| input.sizes[k]).filter(|&size| size >= 0)
            && manifest.input.padding == Padding::None
        {
            let message = format!("\"none\" needs a dynamic number of rows, the network has {fixed} fixed");
            self.refuse("input.padding", message);
        }
    }

    /// A further input: its type, its shape, what it holds.
    fn other(&mut self, name: &str, other: &Other, inputs: &[Port], outputs: &[Port]) -> Option<Kept> {
        let path = format!("input.others.{name}");
        let Some(port) = inputs.iter().find(|port| port.name == name) else {
            self.absent("input.others", name, "input", inputs);
            return None;
        };
        let Some(dtype) = port.dtype else {
            self.refuse(&path, format_args!("it holds {}, which Auricle cannot write", port.element));
            return None;
        };
        let sizes = self.shape(&path, port, other.shape.as_deref())?;
        let shape: Vec<i64> = sizes.iter().map(|size| size.value(self.rows, self.bins)).collect();
        let product = shape.iter().try_fold(1_i64, |count, &size| count.checked_mul(size));
        let room = MAX_ELEMENTS - self.elements;
        let Some(elements) = product.filter(|count| (1..=room).contains(count)) else {
            let message = format!("{shape:?}; all further inputs together have 1..={MAX_ELEMENTS} elements");
            self.refuse(&path, message);
            return None;
        };
        self.elements += elements;
        if let Some(output) = &other.state {
            let output = self.state_output(&path, output, outputs, dtype, &shape)?;
            return Some(Kept::State(Box::new((port.clone(), output.clone(), (dtype, shape)))));
        }
        let value = match (&other.constant, other.length) {
            (_, Some(length)) => {
                let max = if length == Length::Samples { self.manifest.window_samples() } else { self.rows };
                if !dtype.counts_to(max) {
                    self.refuse(
                        &path,
                        format_args!("{dtype} cannot count the {max} {} of a window", length.name()),
                    );
                    return None;
                }
                Fed::Length(length)
            }
            (Some(numbers), None) => Fed::Constant(self.constant(&path, numbers, dtype, elements)?),
            (None, None) => Fed::Constant(vec![1.0]), // `ones`
        };
        Some(Kept::Feed(Feed { port: port.clone(), dtype, shape: sizes, value }))
    }

    /// The sizes of a further input: those said, else those that the network declares.
    fn shape(&mut self, path: &str, port: &Port, said: Option<&[Size]>) -> Option<Vec<Size>> {
        let Some(said) = said else {
            let fixed = |&size: &i64| u32::try_from(size).ok().map(Size::Fixed);
            let sizes: Option<Vec<_>> = port.sizes.iter().map(fixed).collect();
            if sizes.is_none() {
                let guess: Vec<_> = port.sizes.iter().map(|size| size.abs()).collect();
                self.refuse(
                    path,
                    format_args!(
                        "the network declares {} {:?}, where -1 can be anything; say its sizes, as \"shape\": {guess:?}, \
                         or with names of axes of input.layout in it",
                        port.element, port.sizes
                    ),
                );
            }
            return sizes;
        };
        let shape: Vec<i64> = said.iter().map(|size| size.value(self.rows, self.bins)).collect();
        let fits = shape.len() == port.sizes.len()
            && shape.iter().zip(&port.sizes).all(|(ours, theirs)| *theirs < 0 || ours == theirs);
        if !fits {
            let message = format!("is {shape:?}; the network declares {:?}", port.sizes);
            self.refuse(&format!("{path}.shape"), message);
            return None;
        }
        Some(said.to_vec())
    }

    /// The output that gives a state again.
    fn state_output<'p>(
        &mut self,
        path: &str,
        name: &str,
        outputs: &'p [Port],
        dtype: Dtype,
        shape: &[i64],
    ) -> Option<&'p Port> {
        let Some(output) = outputs.iter().find(|port| port.name == name) else {
            self.absent(path, name, "output", outputs);
            return None;
        };
        let fits = output.sizes.len() == shape.len()
            && output.sizes.iter().zip(shape).all(|(theirs, ours)| *theirs < 0 || theirs == ours);
        if output.dtype != Some(dtype) || !fits {
            let (element, sizes) = (&output.element, &output.sizes);
            let message = format!("is {dtype} {shape:?}; the output {name:?} is {element} {sizes:?}");
            self.refuse(path, message);
            return None;
        }
        let states = self.manifest.input.others.values().filter_map(|other| other.state.as_ref());
        if states.filter(|state| *state == name).count() > 1 {
            self.refuse(path, format_args!("the output {name:?} is the state of another input too"));
            return None;
        }
        Some(output)
    }

    /// Numbers that the type can hold, one or as many as there are elements.
    fn constant(&mut self, path: &str, numbers: &Numbers, dtype: Dtype, elements: i64) -> Option<Vec<f64>> {
        let path = format!("{path}.constant");
        let values = numbers.values();
        if matches!(numbers, Numbers::Each(_)) && values.len() as i64 != elements {
            self.refuse(&path, format_args!("{} numbers; the tensor has {elements} elements", values.len()));
            return None;
        }
        if let Some(value) = values.iter().find(|&&value| !dtype.holds(value)) {
            match dtype.integers() {
                Some((min, max)) => {
                    self.refuse(
                        &path,
                        format_args!("{value}; {dtype} holds whole numbers, valid {min}..={max}"),
                    );
                }
                None => self.refuse(&path, format_args!("{value} is too large for {dtype}")),
            }
            return None;
        }
        Some(values.to_vec())
    }

    /// An output: its name, its type, and what its declared sizes say. A run tells the rest.
    fn output<'p>(&mut self, index: usize, output: &Output, outputs: &'p [Port]) -> Option<&'p Port> {
        let path = format!("outputs[{index}]");
        let states: Vec<&String> =
            self.manifest.input.others.values().filter_map(|other| other.state.as_ref()).collect();
        if output.tensor.is_empty() {
            let named = |port: &&Port| self.manifest.outputs.iter().any(|output| output.tensor == port.name);
            let free = outputs.iter().filter(|port| !states.contains(&&port.name) && !named(port));
            let names: Vec<String> = free.map(|port| format!("{:?}", port.name)).collect();
            if names.len() > 1 {
                let message =
                    format!("is needed: the network has {} outputs, {}", names.len(), names.join(", "));
                self.refuse(&format!("{path}.tensor"), message);
            }
        }
        let found = match output.tensor.is_empty() {
            true => outputs.iter().find(|port| !states.contains(&&port.name)),
            false => outputs.iter().find(|port| port.name == output.tensor),
        };
        let Some(port) = found else {
            self.absent(&format!("{path}.tensor"), &output.tensor, "output", outputs);
            return None;
        };
        if states.contains(&&port.name) {
            self.refuse(&format!("{path}.tensor"), format_args!("{:?} is a state (input.others)", port.name));
        }
        if port.dtype != Some(output.dtype) {
            let (dtype, name, element) = (output.dtype, &port.name, &port.element);
            let other =
                outputs.iter().find(|other| other.dtype == Some(dtype) && !states.contains(&&other.name));
            let hint = match other {
                Some(other) if output.tensor.is_empty() => {
                    format!("; \"tensor\": {:?} would be the output of {dtype}", other.name)
                }
                _ => String::new(),
            };
            let message = format!("{dtype}; tensor {name:?} holds {element} in the network{hint}");
            self.refuse(&format!("{path}.dtype"), message);
        }
        let (labels, classes) = (output.labels.len(), port.sizes.last().copied().unwrap_or(1));
        let wide = port.sizes.iter().filter(|&&size| size > 1).count();
        if labels > 0 && classes > 1 && classes != labels as i64 && (output.rows.is_some() || wide == 1) {
            let message = output.wrong_classes(&port.name, &port.sizes);
            self.refuse(&format!("{path}.labels"), message);
        }
        self.activation(&format!("{path}.activation"), output, &port.name);
        Some(port)
    }

    /// That a softmax or sigmoid is not put behind one that the network has, and that it says something.
    fn activation(&mut self, path: &str, output: &Output, tensor: &str) {
        let said = match output.activation {
            Activation::Softmax => "softmax",
            Activation::Sigmoid => "sigmoid",
            Activation::None => return,
        };
        if output.activation == Activation::Softmax && output.labels.len() == 1 {
            self.refuse(
                path,
                "softmax of one class is 1 whatever is heard; \"sigmoid\" or \"none\" says something",
            );
        }
        let ending = Ending::of(self.onnx, tensor);
        let instead = match (ending, output.activation) {
            (Ending::Softmax | Ending::Sigmoid, _) => "none",
            (Ending::LogSoftmax, Activation::Sigmoid) => "softmax",
            _ => return,
        };
        let message = format_args!(
            "{said}, but tensor {tensor:?} comes out of a {ending:?} in the network, and two are never meant; \
             {instead:?} is right there"
        );
        self.refuse(path, message);
    }
}
