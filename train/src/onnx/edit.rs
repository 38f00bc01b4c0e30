//! An ONNX file, anyone's, opened for changes.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use prost::Message;

use super::proto::{
    AttributeProto, EXTERNAL, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_type, data_type, tensor_shape_proto, type_proto,
};

/// Protobuf, and so an ONNX file in one piece, ends here.
pub const MAX_BYTES: usize = (1 << 31) - 1;

/// A constant of 32-bit floats.
#[derive(Clone, Debug)]
pub struct Floats {
    /// Sizes of its axes.
    pub dims: Vec<usize>,
    /// In the order of the axes, the last one running fastest.
    pub values: Vec<f32>,
}

/// Whether a network computes with integers somewhere: rounding then differs between releases of ONNX Runtime.
pub fn has_integers(onnx: &[u8]) -> Result<bool> {
    let graph = Editor::decode(onnx)?.graph.unwrap_or_default();
    Ok(graph.node.iter().any(|node| {
        let op = node.op_type.as_str();
        op.contains("QuantizeLinear") || op.contains("Integer") || op.starts_with("QLinear")
    }))
}

/// The file's graph, with what every change to it needs.
#[derive(Clone)]
pub struct Editor {
    model: ModelProto,
    graph: GraphProto,
    names: HashSet<String>,
}

impl Editor {
    /// Reads a file. Refused, because a change could break them unseen: constants that lie in another file, and graphs
    /// within graphs (`If`, `Loop`, `Scan`).
    pub fn read(onnx: &[u8]) -> Result<Self> {
        let mut model = Self::decode(onnx)?;
        let mut graph = model.graph.take().unwrap_or_default();
        let nested = |a: &AttributeProto| a.g.is_some() || !a.graphs.is_empty();
        if let Some(node) = graph.node.iter().find(|node| node.attribute.iter().any(nested)) {
            bail!(
                "node {:?} ({}) holds a graph of its own, which is not supported here",
                node.name,
                node.op_type
            );
        }
        hoist_constants(&mut graph);
        let mut names: HashSet<String> = graph.initializer.iter().map(|t| t.name.clone()).collect();
        names.extend(graph.input.iter().map(|v| v.name.clone()));
        names.extend(graph.node.iter().flat_map(|n| n.output.iter().chain([&n.name]).cloned()));
        Ok(Self { model, graph, names })
    }

    /// Whether the bytes are an ONNX model in one piece.
    pub fn check(onnx: &[u8]) -> Result<()> {
        Self::decode(onnx).map(|_| ())
    }

    fn decode(onnx: &[u8]) -> Result<ModelProto> {
        let model = ModelProto::decode(onnx).context("is damaged, or not an ONNX file")?;
        let graph = model.graph.as_ref().context("holds no graph: it is not an ONNX model")?;
        for tensor in &graph.initializer {
            ensure!(
                tensor.data_location != Some(EXTERNAL),
                "the constant {:?} lies in another file; `auricle-train stamp` makes one file of both",
                tensor.name
            );
        }
        Ok(model)
    }

    /// The file's bytes, without constants that nothing uses any more.
    pub fn write(&self) -> Vec<u8> {
        let mut graph = self.graph.clone();
        let used: HashSet<&str> = graph
            .node
            .iter()
            .flat_map(|node| node.input.iter().map(String::as_str))
            .chain(graph.output.iter().map(|output| output.name.as_str()))
            .collect();
        graph.initializer.retain(|tensor| used.contains(tensor.name.as_str()));
        graph.value_info.clear(); // sizes that no longer hold would be refused; ONNX Runtime infers them
        ModelProto { graph: Some(graph), ..self.model.clone() }.encode_to_vec()
    }

    pub(crate) fn nodes(&self) -> &[NodeProto] {
        &self.graph.node
    }

    pub(crate) fn nodes_mut(&mut self) -> &mut Vec<NodeProto> {
        &mut self.graph.node
    }

    /// Version of the standard operators.
    pub fn opset(&self) -> i64 {
        let standard = |set: &&OperatorSetIdProto| set.domain.is_empty() || set.domain == "ai.onnx";
        self.model.opset_import.iter().find(standard).and_then(|set| set.version).unwrap_or(1)
    }

    /// Declares that operators of `domain` are used.
    pub(crate) fn import(&mut self, domain: &str) {
        if !self.model.opset_import.iter().any(|set| set.domain == domain) {
            self.model.opset_import.push(OperatorSetIdProto { domain: domain.into(), version: Some(1) });
        }
    }

    /// Every tensor that a node makes.
    pub fn tensors(&self) -> impl Iterator<Item = &str> {
        self.graph
            .node
            .iter()
            .flat_map(|node| node.output.iter().map(String::as_str))
            .filter(|name| !name.is_empty())
    }

    /// Whether the graph hands it out.
    pub fn is_output(&self, tensor: &str) -> bool {
        self.graph.output.iter().any(|output| output.name == tensor)
    }

    /// What the graph hands out.
    pub fn outputs(&self) -> Vec<String> {
        self.graph.output.iter().map(|output| output.name.clone()).collect()
    }

    /// What a run must be given.
    pub fn inputs(&self) -> Vec<String> {
        self.given().map(|input| input.name.clone()).collect()
    }

    /// Inputs without a value in the file.
    fn given(&self) -> impl Iterator<Item = &ValueInfoProto> {
        let constant = |name: &str| self.graph.initializer.iter().any(|tensor| tensor.name == name);
        self.graph.input.iter().filter(move |input| !constant(&input.name))
    }

    /// The inputs, and the outputs, with their element types (`TensorProto.DataType`).
    pub(crate) fn input_elements(&self) -> Vec<(String, i32)> {
        self.given().map(element).collect()
    }

    /// See `input_elements`.
    pub(crate) fn output_elements(&self) -> Vec<(String, i32)> {
        self.graph.output.iter().map(element).collect()
    }

    /// Declares another element type of an input or output.
    pub(crate) fn set_element(&mut self, name: &str, element: i32) {
        let GraphProto { input, output, .. } = &mut self.graph;
        for value in input.iter_mut().chain(output).filter(|value| value.name == name) {
            if let Some(TypeProto { tensor_type: Some(tensor), .. }) = &mut value.r#type {
                tensor.elem_type = Some(element);
            }
        }
    }

    /// Nodes that read `name` read `other` in its place.
    pub(crate) fn read_instead(&mut self, name: &str, other: &str) {
        let inputs = self.graph.node.iter_mut().flat_map(|node| &mut node.input);
        inputs.filter(|input| *input == name).for_each(|input| *input = other.into());
    }

    /// The node that makes `name` makes `other` in its place.
    pub(crate) fn make_instead(&mut self, name: &str, other: &str) {
        let outputs = self.graph.node.iter_mut().flat_map(|node| &mut node.output);
        outputs.filter(|output| *output == name).for_each(|output| *output = other.into());
    }

    /// Puts `other`, which has one input and one output, behind `tensor`, with `prefix` before all of its names; gives its
    /// output's name.
    pub(crate) fn append(&mut self, mut other: Self, tensor: &str, prefix: &str) -> Result<String> {
        ensure!(
            other.model.functions.is_empty() && other.graph.sparse_initializer.is_empty(),
            "has functions or sparse constants, which are not joined"
        );
        for node in &other.graph.node {
            let domain = node.domain.as_str();
            let standard = domain.is_empty() || domain == "ai.onnx";
            let version = |editor: &Self| match standard {
                true => Some(editor.opset()),
                false => editor
                    .model
                    .opset_import
                    .iter()
                    .find(|set| set.domain == domain)
                    .and_then(|set| set.version),
            };
            let (ours, theirs) = (version(self), version(&other));
            if ours.is_none() && !standard {
                self.model.opset_import.push(OperatorSetIdProto { domain: domain.into(), version: theirs });
                continue;
            }
            ensure!(
                ours == theirs,
                "has operators {domain:?} of version {}, the ones before it of version {}; bring both to one version with \
                 onnx.version_converter (Python)",
                theirs.unwrap_or(0),
                ours.unwrap_or(0)
            );
        }
        let given = other.inputs();
        let output = format!("{prefix}{}", other.graph.output.first().map_or("", |output| &output.name));
        let rename = |name: &mut String| match () {
            () if name.is_empty() => {}
            () if given.contains(name) => *name = tensor.into(),
            () => *name = format!("{prefix}{name}"),
        };
        for node in &mut other.graph.node {
            node.input.iter_mut().chain(&mut node.output).chain([&mut node.name]).for_each(rename);
        }
        other.graph.initializer.iter_mut().for_each(|tensor| rename(&mut tensor.name));
        self.names.extend(other.graph.node.iter().flat_map(|node| node.output.iter().cloned()));
        self.names.extend(other.graph.initializer.iter().map(|tensor| tensor.name.clone()));
        self.model.ir_version = self.model.ir_version.max(other.model.ir_version);
        self.graph.node.append(&mut other.graph.node);
        self.graph.initializer.append(&mut other.graph.initializer);
        Ok(output)
    }

    /// Makes `tensor`, of 32-bit floats, the only output.
    pub fn end_with(&mut self, tensor: &str) {
        self.graph.output.clear();
        self.add_output(tensor);
    }

    /// Adds an input of 32-bit floats.
    pub(crate) fn add_input(&mut self, name: &str, sizes: &[i64]) {
        let dim = sizes.iter().map(|&size| tensor_shape_proto::Dimension {
            dim_value: Some(size),
            ..tensor_shape_proto::Dimension::default()
        });
        let shape = Some(TensorShapeProto { dim: dim.collect() });
        let float = type_proto::Tensor { elem_type: Some(data_type::FLOAT), shape };
        self.graph.input.push(ValueInfoProto {
            name: name.into(),
            r#type: Some(TypeProto { tensor_type: Some(float), ..TypeProto::default() }),
            ..ValueInfoProto::default()
        });
    }

    /// Makes a tensor of 32-bit floats an output of the graph, after those that there are.
    pub fn add_output(&mut self, tensor: &str) {
        if !self.is_output(tensor) {
            let float = type_proto::Tensor { elem_type: Some(data_type::FLOAT), shape: None };
            let float = TypeProto { tensor_type: Some(float), ..TypeProto::default() };
            self.graph.output.push(ValueInfoProto {
                name: tensor.into(),
                r#type: Some(float),
                ..ValueInfoProto::default()
            });
        }
    }

    /// Cuts the graph off behind `tensor`, `[batch, values…]`, and ends it with `values · weight + bias`; gives the name
    /// of that, which is now its only output beside those to `keep`. `weight` is `[values, outputs]`.
    pub fn end_with_linear(
        &mut self,
        tensor: &str,
        weight: &[f32],
        bias: &[f32],
        keep: &[&str],
    ) -> Result<String> {
        ensure!(self.tensors().any(|name| name == tensor), "the network makes no tensor {tensor:?}");
        let outputs = bias.len();
        let weight = self.constant("head_weight", weight, &[weight.len() / outputs, outputs]);
        let bias = self.constant("head_bias", bias, &[outputs]);
        let [flat, output] = ["head_input", "head"].map(|hint| self.fresh(hint));
        self.graph.node.push(NodeProto::new("Flatten", &[tensor], &[&flat]).with_int("axis", 1));
        self.graph.node.push(NodeProto::new("Gemm", &[&flat, &weight, &bias], &[&output]));
        self.graph.output.retain(|kept| keep.contains(&kept.name.as_str()));
        self.add_output(&output);
        let added = self.graph.output.last_mut().and_then(|output| output.r#type.as_mut());
        if let Some(TypeProto { tensor_type: Some(float), .. }) = added {
            let size = |size: Option<i64>| tensor_shape_proto::Dimension {
                dim_value: size,
                ..tensor_shape_proto::Dimension::default()
            };
            float.shape = Some(TensorShapeProto { dim: vec![size(None), size(Some(outputs as i64))] });
        }
        self.drop_unneeded();
        Ok(output)
    }

    /// Takes out the nodes that no output needs.
    pub fn drop_unneeded(&mut self) {
        let mut needed: HashSet<String> = self.graph.output.iter().map(|kept| kept.name.clone()).collect();
        for node in self.graph.node.iter().rev() {
            if node.output.iter().any(|name| needed.contains(name)) {
                needed.extend(node.input.iter().cloned());
            }
        }
        self.graph.node.retain(|node| node.output.iter().any(|name| needed.contains(name)));
    }

    /// Ends the graph with the length of the vector `tensor`, `[batch, size]`, times `scale` and plus `offset`; gives the name of
    /// that, `[batch, 1]`, an output in the place of `tensor`.
    pub fn end_with_length(&mut self, tensor: &str, size: usize, scale: f32, offset: f32) -> String {
        let ones = self.constant("ones", &vec![1.0_f32; size], &[size, 1]);
        let scale = self.constant("length_scale", &[scale], &[1]);
        let offset = self.constant("length_offset", &[offset], &[1]);
        let [squares, sum, length, scaled, output] =
            ["squares", "sum", "length", "scaled", "head"].map(|hint| self.fresh(hint));
        for (op, inputs, output) in [
            ("Mul", vec![tensor, tensor], &squares),
            ("MatMul", vec![&squares, &ones], &sum),
            ("Sqrt", vec![&sum], &length),
            ("Mul", vec![&length, &scale], &scaled),
            ("Add", vec![&scaled, &offset], &output),
        ] {
            self.graph.node.push(NodeProto::new(op, &inputs, &[output]));
        }
        self.graph.output.retain(|kept| kept.name != tensor);
        self.add_output(&output);
        output
    }

    /// Indices of the nodes that read each tensor.
    pub(crate) fn readers(&self) -> HashMap<String, Vec<usize>> {
        let mut readers: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, node) in self.graph.node.iter().enumerate() {
            for input in &node.input {
                readers.entry(input.clone()).or_default().push(index);
            }
        }
        readers
    }

    /// A constant that nobody can override.
    fn own_constant(&self, name: &str) -> Option<&TensorProto> {
        let given = self.graph.input.iter().any(|input| input.name == name);
        self.graph.initializer.iter().find(|tensor| !given && tensor.name == name)
    }

    /// The sizes and values of a constant, if `name` is one of 8-bit integers.
    pub(crate) fn integers(&self, name: &str) -> Option<(Vec<usize>, Vec<i8>)> {
        let tensor = self.own_constant(name)?;
        let dims: Vec<usize> = tensor.dims.iter().map(|&d| d as usize).collect();
        let values: Vec<i8> = tensor.raw_data.iter().map(|&byte| byte.cast_signed()).collect();
        let whole =
            tensor.data_type == Some(data_type::INT8) && dims.iter().product::<usize>() == values.len();
        whole.then_some((dims, values))
    }

    /// The values of a constant, if `name` is one of 32-bit floats.
    pub fn floats(&self, name: &str) -> Option<Floats> {
        let tensor = self.own_constant(name)?;
        let dims: Vec<usize> = tensor.dims.iter().map(|&d| d as usize).collect();
        let values = match &tensor.raw_data {
            raw if raw.is_empty() => tensor.float_data.clone(),
            raw => raw.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        };
        let whole =
            tensor.data_type == Some(data_type::FLOAT) && dims.iter().product::<usize>() == values.len();
        whole.then_some(Floats { dims, values })
    }

    /// A name that nothing has.
    pub(crate) fn fresh(&mut self, hint: &str) -> String {
        let name = (0..).map(|n| format!("{hint}_{n}")).find(|name| !self.names.contains(name));
        let name = name.expect("numbers do not end");
        self.names.insert(name.clone());
        name
    }

    /// A new constant; gives its name.
    pub(crate) fn constant<T: Element>(&mut self, hint: &str, values: &[T], dims: &[usize]) -> String {
        assert_eq!(values.len(), dims.iter().product::<usize>(), "values of {hint} of shape {dims:?}");
        let name = self.fresh(hint);
        self.graph.initializer.push(TensorProto {
            dims: dims.iter().map(|&d| d as i64).collect(),
            data_type: Some(T::TYPE),
            name: name.clone(),
            raw_data: values.iter().flat_map(|value| value.bytes()).collect(),
            ..TensorProto::default()
        });
        name
    }
}

fn element(value: &ValueInfoProto) -> (String, i32) {
    let tensor = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    (value.name.clone(), tensor.and_then(|tensor| tensor.elem_type).unwrap_or(0))
}

/// `Constant` nodes become initializers, which everything else then finds in one place.
fn hoist_constants(graph: &mut GraphProto) {
    let mut hoisted = Vec::new();
    graph.node.retain_mut(|node| match (node.op_type.as_str(), node.attribute.as_mut_slice()) {
        ("Constant", [AttributeProto { name, t: Some(tensor), .. }]) if name == "value" => {
            hoisted.push(TensorProto { name: node.output[0].clone(), ..std::mem::take(tensor) });
            false
        }
        _ => true,
    });
    graph.initializer.append(&mut hoisted);
}

/// Element of a constant.
pub(crate) trait Element {
    const TYPE: i32;
    fn bytes(&self) -> Vec<u8>;
}

macro_rules! elements {
    ($($type:ty: $code:expr),*) => { $(impl Element for $type {
        const TYPE: i32 = $code;
        fn bytes(&self) -> Vec<u8> { self.to_le_bytes().into() }
    })* };
}
elements!(f32: data_type::FLOAT, u8: data_type::UINT8, i8: data_type::INT8, i32: data_type::INT32,
    i64: data_type::INT64);

impl NodeProto {
    pub(crate) fn new(op: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        Self {
            op_type: op.into(),
            name: outputs[0].into(),
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: outputs.iter().map(|&name| name.to_owned()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn with_int(mut self, name: &str, value: i64) -> Self {
        let r#type = Some(attribute_type::INT);
        self.attribute.push(AttributeProto {
            name: name.into(),
            i: Some(value),
            r#type,
            ..AttributeProto::default()
        });
        self
    }

    pub(crate) fn with_ints(mut self, name: &str, values: &[i64]) -> Self {
        let r#type = Some(attribute_type::INTS);
        self.attribute.push(AttributeProto {
            name: name.into(),
            ints: values.to_vec(),
            r#type,
            ..AttributeProto::default()
        });
        self
    }

    /// Of the standard operators.
    pub(crate) fn is(&self, op: &str) -> bool {
        self.op_type == op && (self.domain.is_empty() || self.domain == "ai.onnx")
    }

    pub(crate) fn find(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.find(name).and_then(|attribute| attribute.i).unwrap_or(default)
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> f32 {
        self.find(name).and_then(|attribute| attribute.f).unwrap_or(default)
    }

    /// Input `index`; empty if it is left out.
    pub(crate) fn input(&self, index: usize) -> &str {
        self.input.get(index).map_or("", String::as_str)
    }
}
