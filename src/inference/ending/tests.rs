use super::super::hostile as onnx;
use super::Ending;

/// A model whose graph has these nodes and gives `y`.
fn model(nodes: &[Vec<u8>]) -> Vec<u8> {
    let mut graph = nodes.to_vec();
    graph.push(onnx::value_info(12, "y", &[1, 3]));
    onnx::message(7, &graph)
}

fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    onnx::node(op, inputs, outputs, &[])
}

/// The ending of a chain of operators of one input each.
fn chain(ops: &[&str]) -> Ending {
    let name = |k: usize| if k == ops.len() { "y".to_owned() } else { format!("t{k}") };
    let nodes: Vec<Vec<u8>> =
        ops.iter().enumerate().map(|(k, op)| node(op, &[&name(k)], &[&name(k + 1)])).collect();
    Ending::of(&model(&nodes), "y")
}

#[test]
fn what_moves_values_is_looked_through() {
    assert_eq!(chain(&["Gemm", "Softmax"]), Ending::Softmax);
    assert_eq!(chain(&["Gemm", "Sigmoid", "Cast", "Reshape", "Identity"]), Ending::Sigmoid);
    assert_eq!(chain(&["HardSigmoid", "ReduceMean", "Clip", "Squeeze"]), Ending::Sigmoid);
    assert_eq!(chain(&["LogSoftmax"]), Ending::LogSoftmax);
    assert_eq!(chain(&["LogSoftmax", "Exp", "Transpose"]), Ending::Softmax);
    assert_eq!(chain(&["Softmax", "Gemm", "Flatten"]), Ending::Linear);
    for other in
        [&["Softmax", "Mul"][..], &["Softmax", "Log"], &["Sigmoid", "Exp"], &["Relu"], &["ArgMax"], &[]]
    {
        assert_eq!(chain(other), Ending::Unknown, "{other:?}");
    }
    assert_eq!(chain(&["Identity"; 100]), Ending::Unknown);
    assert_eq!(Ending::of(b"\x3a\x7f damaged", "y"), Ending::Unknown);
}

#[test]
fn what_converters_write_out_is_recognised() {
    let of = |nodes: &[Vec<u8>]| Ending::of(&model(nodes), "y");
    let exp = node("Exp", &["x"], &["e"]);
    let sum = node("ReduceSum", &["e"], &["s"]);
    assert_eq!(of(&[exp.clone(), sum.clone(), node("Div", &["e", "s"], &["y"])]), Ending::Softmax);
    assert_eq!(of(&[exp.clone(), sum, node("Div", &["s", "e"], &["y"])]), Ending::Unknown);
    let add = node("Add", &["one", "e"], &["a"]);
    assert_eq!(of(&[exp.clone(), add.clone(), node("Div", &["one", "a"], &["y"])]), Ending::Sigmoid);
    assert_eq!(of(&[exp.clone(), add.clone(), node("Reciprocal", &["a"], &["y"])]), Ending::Sigmoid);
    assert_eq!(of(&[exp, add, node("Div", &["e", "a"], &["y"])]), Ending::Unknown);
    let both = [node("Sigmoid", &["x"], &["s"]), node("Sub", &["one", "s"], &["r"])];
    assert_eq!(of(&[&both[..], &[node("Concat", &["r", "s"], &["y"])]].concat()), Ending::Sigmoid);
    let bias = [node("MatMul", &["x", "w"], &["m"]), node("Add", &["b", "m"], &["y"])];
    assert_eq!(of(&bias), Ending::Linear);
    assert_eq!(of(&[node("Add", &["b", "x"], &["y"])]), Ending::Unknown);
    assert_eq!(of(&[node("Split", &["x"], &["z", "y"])]), Ending::Unknown);
}

#[test]
fn branches_and_functions_are_looked_into() {
    let branch = |name: &str, op: &str| {
        let graph = [node(op, &["x"], &["inner"]), onnx::value_info(12, "inner", &[1])].concat();
        onnx::attribute(name, onnx::GRAPH, onnx::bytes(6, graph))
    };
    let choice = |ops: [&str; 2]| {
        let attributes = [branch("then_branch", ops[0]), branch("else_branch", ops[1])];
        Ending::of(&model(&[onnx::node("If", &["c"], &["y"], &attributes)]), "y")
    };
    assert_eq!(choice(["Sigmoid", "Relu"]), Ending::Sigmoid);
    assert_eq!(choice(["Gemm", "Softmax"]), Ending::Softmax);
    assert_eq!(choice(["Relu", "Tanh"]), Ending::Unknown);

    // A function of the model's own, with the name of one that is known, or one that hands through what it is given.
    let function = |name: &str, nodes: &[Vec<u8>]| {
        let fields =
            [onnx::bytes(1, name), onnx::bytes(4, "in"), onnx::bytes(5, "out"), onnx::bytes(10, "own")];
        let nodes = nodes.iter().map(|node| onnx::bytes(7, &node[2..]));
        onnx::message(25, &fields.into_iter().chain(nodes).collect::<Vec<_>>())
    };
    let call = |name: &str| {
        let fields = [onnx::node_fields(name, &["x2"], &["y"], &[]), onnx::bytes(7, "own")].concat();
        model(&[node("Softmax", &["x"], &["x2"]), onnx::bytes(1, fields)])
    };
    let with = |name: &str, nodes: &[Vec<u8>]| Ending::of(&[call(name), function(name, nodes)].concat(), "y");
    assert_eq!(with("Last", &[node("Sigmoid", &["in"], &["out"])]), Ending::Sigmoid);
    assert_eq!(with("Through", &[node("Identity", &["in"], &["out"])]), Ending::Softmax);
    assert_eq!(with("Softmax", &[node("Relu", &["in"], &["out"])]), Ending::Unknown);
    // One that calls itself.
    let itself = [onnx::node_fields("Again", &["in"], &["out"], &[]), onnx::bytes(7, "own")].concat();
    assert_eq!(with("Again", &[onnx::bytes(1, itself)]), Ending::Unknown);
}
