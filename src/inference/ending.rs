//! Which operator makes an output: a network that has its softmax or sigmoid inside gives wrong scores, and no error, if
//! the manifest asks for another one behind it.
//!
//! Read from the bytes of the file, in which the graph is as its exporter wrote it: ONNX Runtime changes it when it loads.

#[cfg(test)]
mod tests;

use serde::Serialize;

use super::onnx_file::{Value, field, last};

/// Nodes that are looked at for one output; what ends further away is unknown.
const MAX_STEPS: u32 = 64;
/// `ModelProto.graph` and `.functions`; nodes of `GraphProto` and `FunctionProto`.
const GRAPH: u32 = 7;
const FUNCTIONS: u32 = 25;
const NODES_OF_GRAPH: u32 = 1;
const NODES_OF_FUNCTION: u32 = 7;
/// Names of the outputs of a `FunctionProto`, and of its inputs.
const FUNCTION_OUTPUT: u32 = 5;
const FUNCTION_INPUT: u32 = 4;

/// What makes an output, steps left out that move or round its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Scores that sum to 1.
    Softmax,
    /// Logarithms of such scores.
    LogSoftmax,
    /// Scores of independent classes.
    Sigmoid,
    /// A dense layer or a convolution, and nothing behind it.
    Linear,
    /// Anything else.
    #[default]
    Unknown,
}

impl Ending {
    /// Of the output `name` of the ONNX file `onnx`.
    pub fn of(onnx: &[u8], name: &str) -> Self {
        let mut graphs = fields(onnx, GRAPH);
        match (graphs.next(), graphs.next()) {
            (Some(graph), None) => {
                let scope = Scope { message: graph, nodes: NODES_OF_GRAPH, outer: None };
                Search { onnx, steps: MAX_STEPS }.ending(scope, name.as_bytes())
            }
            // Protobuf would merge them.
            _ => Self::Unknown,
        }
    }

    /// Whether the values are scores, or their logarithms.
    pub fn is_activation(self) -> bool {
        matches!(self, Self::Softmax | Self::LogSoftmax | Self::Sigmoid)
    }
}

/// Nodes, and where the names lead that none of them makes.
#[derive(Clone, Copy)]
struct Scope<'a, 's> {
    message: &'a [u8],
    /// Field in which its nodes are.
    nodes: u32,
    outer: Option<(&'s Scope<'a, 's>, Outer<'a>)>,
}

#[derive(Clone, Copy)]
enum Outer<'a> {
    /// Of a branch: the same name.
    Branch,
    /// Of a function: what the node that calls it has in the same place.
    Call(&'a [u8]),
}

struct Search<'a> {
    onnx: &'a [u8],
    steps: u32,
}

impl<'a> Search<'a> {
    fn ending(&mut self, scope: Scope<'a, '_>, name: &[u8]) -> Ending {
        if self.steps == 0 || name.is_empty() {
            return Ending::Unknown;
        }
        self.steps -= 1;
        let Some((node, place)) = maker(scope, name) else {
            return match scope.outer {
                Some((outer, Outer::Branch)) => self.ending(*outer, name),
                Some((outer, Outer::Call(node))) => {
                    let place = fields(scope.message, FUNCTION_INPUT).position(|input| input == name);
                    let given = place.and_then(|place| input(node, place));
                    given.map_or(Ending::Unknown, |given| self.ending(*outer, given))
                }
                None => Ending::Unknown,
            };
        };
        if let Some(found) = self.of_function(scope, node, place) {
            return found;
        }
        let mut follow =
            |place: usize| input(node, place).map_or(Ending::Unknown, |name| self.ending(scope, name));
        match op(node) {
            b"Softmax" | b"QLinearSoftmax" => Ending::Softmax,
            b"LogSoftmax" => Ending::LogSoftmax,
            b"Sigmoid" | b"HardSigmoid" | b"QLinearSigmoid" => Ending::Sigmoid,
            b"Gemm" | b"MatMul" | b"Conv" | b"MatMulInteger" | b"ConvInteger" | b"QLinearMatMul"
            | b"QLinearConv" | b"QGemm" | b"FusedMatMul" | b"FusedGemm" | b"MatMulNBits" => Ending::Linear,
            // Values are moved, picked, rounded, bounded or averaged.
            b"Identity" | b"Cast" | b"CastLike" | b"Reshape" | b"Transpose" | b"Squeeze" | b"Unsqueeze"
            | b"Flatten" | b"Dropout" | b"QuantizeLinear" | b"DequantizeLinear" | b"Clip" | b"Slice"
            | b"Split" | b"Gather" | b"Expand" | b"ReduceMean" | b"ReduceMax" | b"AveragePool"
            | b"MaxPool" | b"GlobalAveragePool" | b"GlobalMaxPool" => follow(0),
            b"Exp" => match follow(0) {
                Ending::LogSoftmax => Ending::Softmax,
                _ => Ending::Unknown,
            },
            b"Concat" | b"Min" | b"Max" => {
                let found = (0..fields(node, 1).count().min(8)).map(&mut follow);
                found.reduce(|a, b| if a.is_activation() { a } else { b }).unwrap_or_default()
            }
            // A bias; 1 - score.
            b"Add" | b"Sub" => {
                let (a, b) = (follow(0), follow(1));
                match (op(node), a, b) {
                    (b"Sub", Ending::Unknown, Ending::Sigmoid | Ending::Softmax) => b,
                    (_, Ending::Linear, _) | (b"Add", _, Ending::Linear) => Ending::Linear,
                    _ => Ending::Unknown,
                }
            }
            b"Div" | b"Reciprocal" => written_out(scope, node),
            b"If" => {
                let branches = ["then_branch", "else_branch"].map(|branch| {
                    let graph = attribute(node, branch.as_bytes())?;
                    let inner =
                        Scope { message: graph, nodes: NODES_OF_GRAPH, outer: Some((&scope, Outer::Branch)) };
                    Some(self.ending(inner, last(fields(graph, 12).nth(place)?, 1)?))
                });
                let [then, other] = branches.map(Option::unwrap_or_default);
                if then.is_activation() || other == Ending::Unknown { then } else { other }
            }
            _ => Ending::Unknown,
        }
    }

    /// The ending within the model's own function that `node` calls, if it calls one.
    fn of_function(&mut self, scope: Scope<'a, '_>, node: &'a [u8], place: usize) -> Option<Ending> {
        let called = (last(node, 7).unwrap_or_default(), op(node));
        let is_it = |function: &&[u8]| {
            (last(function, 10).unwrap_or_default(), last(function, 1).unwrap_or_default()) == called
        };
        let function = fields(self.onnx, FUNCTIONS).find(is_it)?;
        let inner =
            Scope { message: function, nodes: NODES_OF_FUNCTION, outer: Some((&scope, Outer::Call(node))) };
        let name = fields(function, FUNCTION_OUTPUT).nth(place);
        Some(name.map_or(Ending::Unknown, |name| self.ending(inner, name)))
    }
}

/// exp(x) / Σ exp(x), and 1 / (1 + exp(−x)), as converters write them.
fn written_out(scope: Scope<'_, '_>, node: &[u8]) -> Ending {
    let made_by = |name: Option<&[u8]>, wanted: &[u8]| {
        let (node, _) = maker(scope, name?)?;
        (op(node) == wanted).then_some(node)
    };
    let (over, under) = match op(node) {
        b"Reciprocal" => (None, input(node, 0)),
        _ => (input(node, 0), input(node, 1)),
    };
    let sum = |name| made_by(name, b"ReduceSum").or_else(|| made_by(name, b"ReduceL1"));
    if made_by(over, b"Exp").is_some() && sum(under).is_some_and(|sum| input(sum, 0) == over) {
        return Ending::Softmax;
    }
    let one = over.is_none_or(|name| maker(scope, name).is_none_or(|(node, _)| op(node) == b"Constant"));
    let exp = |add| (0..2).any(|place| made_by(input(add, place), b"Exp").is_some());
    match one && made_by(under, b"Add").is_some_and(exp) {
        true => Ending::Sigmoid,
        false => Ending::Unknown,
    }
}

/// The node that makes `name`, and which of its outputs that is.
fn maker<'a>(scope: Scope<'a, '_>, name: &[u8]) -> Option<(&'a [u8], usize)> {
    fields(scope.message, scope.nodes)
        .find_map(|node| fields(node, 2).position(|output| output == name).map(|place| (node, place)))
}

fn op(node: &[u8]) -> &[u8] {
    last(node, 4).unwrap_or_default()
}

fn input(node: &[u8], place: usize) -> Option<&[u8]> {
    fields(node, 1).nth(place)
}

/// The graph in an attribute.
fn attribute<'a>(node: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    fields(node, 5).find(|attribute| last(attribute, 1) == Some(name)).and_then(|found| last(found, 6))
}

/// The bytes of each field `number` of a message, as far as it is whole.
fn fields(mut message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        loop {
            match field(&mut message)? {
                (at, Value::Bytes(bytes)) if at == number => return Some(bytes),
                _ => {}
            }
        }
    })
}
