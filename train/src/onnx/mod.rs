//! Writing ONNX: opset 17, IR version 8, 32-bit floats. A network calls one method an operator, in order, and gets
//! back the name of that operator's output.

pub mod edit;
mod fields;
pub mod float_io;
pub mod join;
pub mod merge;
pub mod pool;
pub(crate) mod proto;
pub mod stamp;

use auricle::manifest::METADATA_KEY;
use prost::Message;
use proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, attribute_type, data_type, tensor_shape_proto,
    type_proto,
};

/// Operator set of the files written here.
pub const OPSET: i64 = 17;
/// Version of the file format.
pub const IR_VERSION: i64 = 8;

/// Weights of a bidirectional LSTM as ONNX wants them: first the forward direction, then the backward one; the gates
/// in the order input, output, forget, cell.
pub struct Lstm {
    /// Values of one row.
    pub inputs: usize,
    /// Values of one direction's state.
    pub hidden: usize,
    /// `[2, 4 * hidden, inputs]`
    pub input: Vec<f32>,
    /// `[2, 4 * hidden, hidden]`
    pub recurrent: Vec<f32>,
    /// `[2, 8 * hidden]`: one for the input, one for the state.
    pub bias: Vec<f32>,
}

/// What a run leaves for the next one.
#[derive(Clone, Debug)]
pub struct State {
    /// The input that has it.
    pub input: String,
    /// The output that it becomes.
    pub output: String,
    /// Its sizes after the batch.
    pub sizes: Vec<usize>,
}

/// The graph under construction.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
    states: Vec<State>,
}

impl Graph {
    /// A k×k convolution with k odd, padded by k / 2 on every side. `weight` is `[out, in, k, k]`.
    pub fn conv(
        &mut self,
        x: &str,
        weight: &[f32],
        shape: [usize; 4],
        bias: &[f32],
        stride: [usize; 2],
    ) -> String {
        self.conv_grouped(x, weight, shape, bias, stride, [shape[2] / 2; 4], 1)
    }

    /// A convolution padded by half of its kernel over the bins, and not along the rows.
    pub fn conv_over_bins(
        &mut self,
        x: &str,
        weight: &[f32],
        shape: [usize; 4],
        bias: &[f32],
        stride: [usize; 2],
    ) -> String {
        self.conv_grouped(x, weight, shape, bias, stride, [shape[2] / 2, 0, shape[2] / 2, 0], 1)
    }

    /// A convolution over patches of k×k that do not overlap, without padding: what is left over is not seen.
    pub fn patches(&mut self, x: &str, weight: &[f32], shape: [usize; 4], bias: &[f32]) -> String {
        self.conv_grouped(x, weight, shape, bias, [shape[2]; 2], [0; 4], 1)
    }

    /// Any convolution, padded by so many bins and rows before, and so many after. `weight` is `[out, in / groups, k, k]`.
    #[allow(clippy::too_many_arguments)] // they are the operator's
    pub fn conv_grouped(
        &mut self,
        x: &str,
        weight: &[f32],
        shape: [usize; 4],
        bias: &[f32],
        stride: [usize; 2],
        pads: [usize; 4],
        groups: usize,
    ) -> String {
        let [out, _, kh, kw] = shape;
        let w = self.initializer(weight, &shape);
        let b = self.initializer(bias, &[out]);
        let attributes = vec![
            ints("kernel_shape", &[kh as i64, kw as i64]),
            ints("pads", &pads.map(|pad| pad as i64)),
            ints("strides", &stride.map(|s| s as i64)),
            int("group", groups as i64),
        ];
        self.node("Conv", &[x, &w, &b], attributes)
    }

    /// max(x, 0).
    pub fn relu(&mut self, x: &str) -> String {
        self.node("Relu", &[x], vec![])
    }

    /// Maximum over 2×2, stride 2.
    pub fn max_pool_2x2(&mut self, x: &str) -> String {
        self.node("MaxPool", &[x], vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])])
    }

    /// Mean over 2×2, stride 2; at an odd edge over what is there.
    pub fn mean_pool_2x2(&mut self, x: &str) -> String {
        let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2]), int("ceil_mode", 1)];
        self.node("AveragePool", &[x], attributes)
    }

    /// Maximum over height and width: `[batch, channels, h, w]` -> `[batch, channels]`.
    pub fn global_max_pool(&mut self, x: &str) -> String {
        let pooled = self.node("GlobalMaxPool", &[x], vec![]);
        self.node("Flatten", &[&pooled], vec![int("axis", 1)])
    }

    /// Mean over `axes`, which disappear.
    pub fn mean(&mut self, x: &str, axes: &[i64]) -> String {
        self.node("ReduceMean", &[x], vec![ints("axes", axes), int("keepdims", 0)])
    }

    /// Maximum over `axes`, which disappear.
    pub fn max(&mut self, x: &str, axes: &[i64]) -> String {
        self.node("ReduceMax", &[x], vec![ints("axes", axes), int("keepdims", 0)])
    }

    /// `x * scale + offset`, both of the shape `shape`, which broadcasts over `x`.
    pub fn scale(&mut self, x: &str, scale: &[f32], offset: &[f32], shape: &[usize]) -> String {
        let s = self.initializer(scale, shape);
        let scaled = self.node("Mul", &[x, &s], vec![]);
        self.add_constant(&scaled, offset, shape)
    }

    /// `a + b`
    pub fn add(&mut self, a: &str, b: &str) -> String {
        self.node("Add", &[a, b], vec![])
    }

    /// `x + constant`, which broadcasts over `x`.
    pub fn add_constant(&mut self, x: &str, constant: &[f32], shape: &[usize]) -> String {
        let c = self.initializer(constant, shape);
        self.add(x, &c)
    }

    /// `x / divisor`
    pub fn divide(&mut self, x: &str, divisor: f32) -> String {
        let d = self.initializer(&[divisor], &[]);
        self.node("Div", &[x, &d], vec![])
    }

    /// `x · weight + bias`; `weight` is `[inputs, outputs]`, `x` is `[batch, inputs]`.
    pub fn linear(&mut self, x: &str, weight: &[f32], shape: [usize; 2], bias: &[f32]) -> String {
        let w = self.initializer(weight, &shape);
        let b = self.initializer(bias, &[shape[1]]);
        self.node("Gemm", &[x, &w, &b], vec![])
    }

    /// The same over the last axis of any shape.
    pub fn linear_nd(&mut self, x: &str, weight: &[f32], shape: [usize; 2], bias: &[f32]) -> String {
        let w = self.initializer(weight, &shape);
        let product = self.mat_mul(x, &w);
        self.add_constant(&product, bias, &[shape[1]])
    }

    /// Matrix product over the last two axes.
    pub fn mat_mul(&mut self, a: &str, b: &str) -> String {
        self.node("MatMul", &[a, b], vec![])
    }

    /// Softmax over the last axis.
    pub fn softmax(&mut self, x: &str) -> String {
        self.node("Softmax", &[x], vec![int("axis", -1)])
    }

    /// Normalisation over the last axis, then `* gamma + beta`.
    pub fn layer_norm(&mut self, x: &str, gamma: &[f32], beta: &[f32], epsilon: f32) -> String {
        let g = self.initializer(gamma, &[gamma.len()]);
        let b = self.initializer(beta, &[beta.len()]);
        let attributes = vec![int("axis", -1), float("epsilon", epsilon)];
        self.node("LayerNormalization", &[x, &g, &b], attributes)
    }

    /// x · (1 + erf(x / √2)) / 2. The operator `Gelu` exists from opset 20 only.
    pub fn gelu(&mut self, x: &str) -> String {
        let inner = self.divide(x, std::f32::consts::SQRT_2);
        let erf = self.node("Erf", &[&inner], vec![]);
        let scaled = self.scale(&erf, &[0.5], &[0.5], &[]);
        self.node("Mul", &[x, &scaled], vec![])
    }

    /// Axes in another order.
    pub fn transpose(&mut self, x: &str, order: &[i64]) -> String {
        self.node("Transpose", &[x], vec![ints("perm", order)])
    }

    /// The past of `sizes` (channels, bins, rows) before the rows of `x`; its last rows are the past of the next run.
    pub fn with_past(&mut self, x: &str, sizes: &[usize; 3]) -> String {
        let number = self.states.len();
        let state = State {
            input: format!("past{number}"),
            output: format!("next_past{number}"),
            sizes: sizes.to_vec(),
        };
        let all = self.node("Concat", &[&state.input, x], vec![int("axis", 3)]);
        let [first, end, axis] = [-(sizes[2] as i64), i64::MAX, 3]
            .map(|v| self.push(v.to_le_bytes().into(), data_type::INT64, &[1]));
        self.node("Slice", &[&all, &first, &end, &axis], vec![]);
        if let Some(node) = self.nodes.last_mut() {
            node.output = vec![state.output.clone()];
        }
        self.states.push(state);
        all
    }

    /// What runs leave for each other, in the order of [`Graph::with_past`].
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// Another shape; 0 keeps a size, -1 is what is left.
    pub fn reshape(&mut self, x: &str, shape: &[i64]) -> String {
        let data = shape.iter().flat_map(|v| v.to_le_bytes()).collect();
        let shape = self.push(data, data_type::INT64, &[shape.len()]);
        self.node("Reshape", &[x, &shape], vec![])
    }

    /// A bidirectional LSTM over `[rows, batch, inputs]`: the states `[rows, 2, batch, hidden]`, and the last one of
    /// each direction, `[2, batch, hidden]`.
    pub fn lstm(&mut self, x: &str, lstm: &Lstm) -> (String, String) {
        let gates = 4 * lstm.hidden;
        let w = self.initializer(&lstm.input, &[2, gates, lstm.inputs]);
        let r = self.initializer(&lstm.recurrent, &[2, gates, lstm.hidden]);
        let b = self.initializer(&lstm.bias, &[2, 2 * gates]);
        let attributes = vec![text("direction", "bidirectional"), int("hidden_size", lstm.hidden as i64)];
        let states = self.node("LSTM", &[x, &w, &r, &b], attributes);
        let last = format!("{states}_last");
        if let Some(node) = self.nodes.last_mut() {
            node.output.push(last.clone());
        }
        (states, last)
    }

    /// The file: one input of `[batch, input.1…]`, one output of `[batch, output.1…]`, the states, and the manifest.
    /// `last` is the name of the value that becomes the output.
    pub fn finish(
        mut self,
        input: (&str, &[usize]),
        last: &str,
        output: (&str, &[usize]),
        manifest: &str,
    ) -> Vec<u8> {
        for node in &mut self.nodes {
            for name in node.output.iter_mut().chain(&mut node.input).filter(|name| *name == last) {
                *name = output.0.to_owned();
            }
        }
        let with = |first: ValueInfoProto, name: &dyn Fn(&State) -> &String| {
            let states = self.states.iter().map(|state| batch_of(name(state), &state.sizes));
            std::iter::once(first).chain(states).collect()
        };
        let graph = GraphProto {
            node: self.nodes,
            name: "auricle".into(),
            initializer: self.initializers,
            input: with(batch_of(input.0, input.1), &|state| &state.input),
            output: with(batch_of(output.0, output.1), &|state| &state.output),
            ..GraphProto::default()
        };
        ModelProto {
            ir_version: Some(IR_VERSION),
            producer_name: "auricle-train".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            graph: Some(graph),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: Some(OPSET) }],
            metadata_props: vec![StringStringEntryProto { key: METADATA_KEY.into(), value: manifest.into() }],
            ..ModelProto::default()
        }
        .encode_to_vec()
    }

    fn initializer(&mut self, values: &[f32], dims: &[usize]) -> String {
        assert_eq!(
            values.len(),
            dims.iter().product::<usize>(),
            "values of an initializer of shape {dims:?}"
        );
        self.push(values.iter().flat_map(|v| v.to_le_bytes()).collect(), data_type::FLOAT, dims)
    }

    fn push(&mut self, raw_data: Vec<u8>, data_type: i32, dims: &[usize]) -> String {
        let name = format!("w{}", self.initializers.len());
        let dims = dims.iter().map(|&d| d as i64).collect();
        self.initializers.push(TensorProto {
            dims,
            data_type: Some(data_type),
            name: name.clone(),
            raw_data,
            ..TensorProto::default()
        });
        name
    }

    fn node(&mut self, op: &str, inputs: &[&str], attribute: Vec<AttributeProto>) -> String {
        let name = format!("{}{}", op.to_lowercase(), self.nodes.len());
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&i| i.to_owned()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.into(),
            attribute,
            ..NodeProto::default()
        });
        name
    }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        i: Some(value),
        r#type: Some(attribute_type::INT),
        ..AttributeProto::default()
    }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        ints: values.to_vec(),
        r#type: Some(attribute_type::INTS),
        ..AttributeProto::default()
    }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        f: Some(value),
        r#type: Some(attribute_type::FLOAT),
        ..AttributeProto::default()
    }
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        s: Some(value.into()),
        r#type: Some(attribute_type::STRING),
        ..AttributeProto::default()
    }
}

fn batch_of(name: &str, dims: &[usize]) -> ValueInfoProto {
    let batch =
        tensor_shape_proto::Dimension { dim_value: None, dim_param: Some("batch".into()), denotation: None };
    let fixed = dims.iter().map(|&d| tensor_shape_proto::Dimension {
        dim_value: Some(d as i64),
        ..tensor_shape_proto::Dimension::default()
    });
    let shape = TensorShapeProto { dim: std::iter::once(batch).chain(fixed).collect() };
    let tensor = type_proto::Tensor { elem_type: Some(data_type::FLOAT), shape: Some(shape) };
    let r#type = Some(TypeProto { tensor_type: Some(tensor), ..TypeProto::default() });
    ValueInfoProto { name: name.into(), r#type, ..ValueInfoProto::default() }
}
