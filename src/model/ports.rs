//! The inputs and outputs of a network, compared with the manifest. Every disagreement is an error with both sides.

use crate::error::{Error, Result, Status};
use crate::inference::network::{Network, Port};
use crate::manifest::Manifest;
use crate::padding::Padding;
use crate::tensor::{Axis, AxisOrder};

/// Those that the manifest uses.
#[derive(Debug)]
pub(crate) struct Ports {
    pub input: Port,
    pub output: Port,
    /// Shape of the output of one window.
    pub output_shape: Vec<i64>,
}

impl Ports {
    pub fn check(
        manifest: &Manifest,
        order: &AxisOrder,
        rows: usize,
        bins: usize,
        network: &Network,
    ) -> Result<Self> {
        let inputs = network.inputs();
        let wanted = &manifest.input.tensor;
        let input = named(&inputs, wanted).ok_or_else(|| absent("input.tensor", wanted, "input", &inputs))?;
        if inputs.len() != 1 {
            return Err(mismatch(
                "input.tensor",
                format!("the network has {} inputs ({}); one is supported", inputs.len(), names(&inputs)),
            ));
        }
        element("input.dtype", input)?;
        sizes(manifest, order, rows, bins, input)?;

        let outputs = network.outputs();
        let wanted = &manifest.output.tensor;
        let output =
            named(&outputs, wanted).ok_or_else(|| absent("output.tensor", wanted, "output", &outputs))?;
        element("output.tensor", output)?;
        let output_shape = classes(manifest.labels.len() as i64, output)?;
        Ok(Self { input: input.clone(), output: output.clone(), output_shape })
    }
}

fn mismatch(path: &str, message: String) -> Error {
    Error::new(Status::Mismatch, format!("manifest and network disagree: {path}: {message}"))
}

fn names(ports: &[Port]) -> String {
    ports.iter().map(|port| format!("{:?}", port.name)).collect::<Vec<_>>().join(", ")
}

fn absent(path: &str, name: &str, what: &str, ports: &[Port]) -> Error {
    mismatch(path, format!("the network has no {what} {name:?}; it has: {}", names(ports)))
}

fn named<'a>(ports: &'a [Port], name: &str) -> Option<&'a Port> {
    if name.is_empty() { ports.first() } else { ports.iter().find(|port| port.name == name) }
}

fn element(path: &str, port: &Port) -> Result<()> {
    if port.element == "f32" {
        return Ok(());
    }
    Err(mismatch(
        path,
        format!("tensor {:?} holds {} in the network; only f32 is supported", port.name, port.element),
    ))
}

/// Input: same number of axes, and every fixed size is the manifest's.
fn sizes(manifest: &Manifest, order: &AxisOrder, rows: usize, bins: usize, input: &Port) -> Result<()> {
    let (axes, shape) = (order.axes(), order.shape(rows, bins));
    if axes.len() != input.sizes.len() {
        return Err(mismatch(
            "input.layout",
            format!(
                "{} axes, tensor {:?} has {} {:?}",
                axes.len(),
                input.name,
                input.sizes.len(),
                input.sizes
            ),
        ));
    }
    let window = || {
        let (seconds, rate) = (manifest.input.window_duration(), manifest.input.sample_rate);
        format!("{seconds} s at {rate} Hz are {rows} rows")
    };
    for (k, (axis, (&ours, &theirs))) in axes.iter().zip(shape.iter().zip(&input.sizes)).enumerate() {
        if theirs < 0 || theirs == ours {
            continue;
        }
        let (path, ours) = match axis {
            Axis::Row | Axis::Sample => ("input.window_seconds", window()),
            Axis::Bin => ("input.features", format!("{bins} bins")),
            Axis::Batch | Axis::Channel => ("input.layout", format!("{axis:?} is 1").to_lowercase()),
        };
        return Err(mismatch(
            path,
            format!("{ours}, the network wants {theirs} (axis {k} of {:?})", input.name),
        ));
    }
    let row = axes.iter().position(|axis| matches!(axis, Axis::Row | Axis::Sample));
    match row.map(|k| input.sizes[k]) {
        Some(fixed) if fixed >= 0 && manifest.input.padding == Padding::None => Err(mismatch(
            "input.padding",
            format!("\"none\" needs a dynamic number of rows, the network has {fixed} fixed"),
        )),
        _ => Ok(()),
    }
}

/// Output: one value a label, the only axis that is not 1 or dynamic.
fn classes(labels: i64, output: &Port) -> Result<Vec<i64>> {
    let shape = match *output.sizes.as_slice() {
        [] => vec![],
        [.., last] => {
            let mut shape = vec![1; output.sizes.len()];
            *shape.last_mut().expect("not empty") = if last < 0 { labels } else { last };
            shape
        }
    };
    let ones = output.sizes.iter().rev().skip(1).all(|&size| size == 1 || size < 0);
    let count: i64 = shape.iter().product();
    if !ones || shape.is_empty() {
        return Err(mismatch(
            "output.tensor",
            format!(
                "tensor {:?} has shape {:?}; one row of scores a window is supported",
                output.name, output.sizes
            ),
        ));
    }
    if count != labels {
        return Err(mismatch(
            "labels",
            format!("{labels} labels, tensor {:?} has {count} classes", output.name),
        ));
    }
    Ok(shape)
}
