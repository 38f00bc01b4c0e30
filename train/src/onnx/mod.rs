//! Writing ONNX: opset 17, IR version 8, 32-bit floats. A network calls one method an operator, in order, and gets
//! back the name of that operator's output.

pub mod edit;
mod proto;
pub mod prune;
pub mod quantise;
pub mod stamp;

use auricle::model::manifest::METADATA_KEY;
use prost::Message;
use proto::{
    Attribute, Dimension, GraphProto, Model, Node, OperatorSet, Shape, StringEntry, TensorProto, TensorType,
    Type, ValueInfo, attribute_type, data_type,
};

/// Operator set of the files written here.
pub const OPSET: i64 = 17;
/// Version of the file format.
pub const IR_VERSION: i64 = 8;

/// The graph under construction.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
    initializers: Vec<TensorProto>,
}

impl Graph {
    /// A 3×3, 5×5, … convolution, stride 1, padded so that height and width stay. `weight` is `[out, in, k, k]`.
    pub fn conv_same(&mut self, x: &str, weight: &[f32], shape: [usize; 4], bias: &[f32]) -> String {
        let [out, _, kh, kw] = shape;
        let w = self.initializer(weight, &shape);
        let b = self.initializer(bias, &[out]);
        let (h, w_) = ((kh / 2) as i64, (kw / 2) as i64);
        let attributes = vec![
            ints("kernel_shape", &[kh as i64, kw as i64]),
            ints("pads", &[h, w_, h, w_]),
            ints("strides", &[1, 1]),
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

    /// Maximum over height and width: `[batch, channels, h, w]` -> `[batch, channels]`.
    pub fn global_max_pool(&mut self, x: &str) -> String {
        let pooled = self.node("GlobalMaxPool", &[x], vec![]);
        self.node("Flatten", &[&pooled], vec![int("axis", 1)])
    }

    /// `x * scale + offset`, both of the shape `shape`, which broadcasts over `x`.
    pub fn scale(&mut self, x: &str, scale: &[f32], offset: &[f32], shape: &[usize]) -> String {
        let s = self.initializer(scale, shape);
        let o = self.initializer(offset, shape);
        let scaled = self.node("Mul", &[x, &s], vec![]);
        self.node("Add", &[&scaled, &o], vec![])
    }

    /// `x · weight + bias`; `weight` is `[inputs, outputs]`.
    pub fn linear(&mut self, x: &str, weight: &[f32], shape: [usize; 2], bias: &[f32]) -> String {
        let w = self.initializer(weight, &shape);
        let b = self.initializer(bias, &[shape[1]]);
        self.node("Gemm", &[x, &w, &b], vec![])
    }

    /// The file: one input of `[batch, input.1…]`, one output of `[batch, output.1…]`, and the manifest.
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
        let graph = GraphProto {
            node: self.nodes,
            name: "auricle".into(),
            initializer: self.initializers,
            input: vec![batch_of(input.0, input.1)],
            output: vec![batch_of(output.0, output.1)],
            ..GraphProto::default()
        };
        Model {
            ir_version: Some(IR_VERSION),
            producer_name: "auricle-train".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            graph: Some(graph),
            opset_import: vec![OperatorSet { domain: String::new(), version: Some(OPSET) }],
            metadata_props: vec![StringEntry { key: METADATA_KEY.into(), value: manifest.into() }],
            ..Model::default()
        }
        .encode_to_vec()
    }

    fn initializer(&mut self, values: &[f32], dims: &[usize]) -> String {
        assert_eq!(
            values.len(),
            dims.iter().product::<usize>(),
            "values of an initializer of shape {dims:?}"
        );
        let name = format!("w{}", self.initializers.len());
        self.initializers.push(TensorProto {
            dims: dims.iter().map(|&d| d as i64).collect(),
            data_type: Some(data_type::FLOAT),
            name: name.clone(),
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ..TensorProto::default()
        });
        name
    }

    fn node(&mut self, op: &str, inputs: &[&str], attribute: Vec<Attribute>) -> String {
        let name = format!("{}{}", op.to_lowercase(), self.nodes.len());
        self.nodes.push(Node {
            input: inputs.iter().map(|&i| i.to_owned()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.into(),
            attribute,
            ..Node::default()
        });
        name
    }
}

fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.into(), i: Some(value), r#type: Some(attribute_type::INT), ..Attribute::default() }
}

fn ints(name: &str, values: &[i64]) -> Attribute {
    Attribute {
        name: name.into(),
        ints: values.to_vec(),
        r#type: Some(attribute_type::INTS),
        ..Attribute::default()
    }
}

fn batch_of(name: &str, dims: &[usize]) -> ValueInfo {
    let batch = Dimension { dim_value: None, dim_param: Some("batch".into()), denotation: None };
    let fixed =
        dims.iter().map(|&d| Dimension { dim_value: Some(d as i64), dim_param: None, denotation: None });
    let shape = Shape { dim: std::iter::once(batch).chain(fixed).collect() };
    let tensor = TensorType { elem_type: Some(data_type::FLOAT), shape: Some(shape) };
    ValueInfo {
        name: name.into(),
        r#type: Some(Type { tensor_type: Some(tensor), ..Type::default() }),
        ..ValueInfo::default()
    }
}
