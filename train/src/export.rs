//! A trained network as an ONNX file, and the proof that the file computes the same.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};
use burn::tensor::Tensor;
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

use crate::evaluate::forward;
use crate::front_end::{About, FrontEnd};
use crate::network::AudioCnn;
use crate::onnx::Graph;

/// Largest difference between the file's logits and the network's, relative to the largest logit where that is above 1.
pub const TOLERANCE: f32 = 1e-5;

/// The file's bytes, with the manifest inside.
pub fn onnx(network: &AudioCnn, front_end: &FrontEnd, about: &About, labels: &[String]) -> Result<Vec<u8>> {
    let manifest = serde_json::to_string(&front_end.manifest(about, labels))?;
    let [bins, rows] = front_end.shape();
    let mut graph = Graph::default();
    let logits = network.write(&mut graph, "input");
    Ok(graph.finish(("input", &[1, bins, rows]), &logits, ("output", &[labels.len()]), &manifest))
}

/// Where ONNX Runtime is, if nothing else is said: `ORT_DYLIB_PATH`, which cargo sets to the copy that
/// `cargo xtask setup` makes.
pub fn default_runtime() -> Option<PathBuf> {
    std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from).filter(|path| path.is_file())
}

/// Runs the file in ONNX Runtime on `windows`, one by one and as one batch, and compares with the network's own
/// logits. Returns the largest difference; an error if it is beyond [`TOLERANCE`].
pub fn verify(
    onnx: &[u8],
    network: &AudioCnn,
    front_end: &mut FrontEnd,
    windows: &[Vec<f32>],
    runtime: &Path,
) -> Result<f32> {
    let expected = floats(forward(network, front_end, windows));
    let mut session = open(onnx, runtime)?;
    let mut input = Vec::new();
    windows.iter().for_each(|window| front_end.append(window, &mut input));
    let [bins, rows] = front_end.shape();

    let mut singles = Vec::new();
    for one in input.chunks_exact(bins * rows) {
        singles.extend(run(&mut session, one, [1, 1, bins, rows])?);
    }
    let batch = run(&mut session, &input, [windows.len(), 1, bins, rows])?;
    ensure!(
        singles.len() == expected.len() && batch.len() == expected.len(),
        "the file's output has another size"
    );

    let largest = expected.iter().fold(1f32, |m, v| m.max(v.abs()));
    let difference =
        singles.iter().chain(&batch).zip(expected.iter().chain(&expected)).fold(0f32, |m, (a, b)| {
            // A NaN must not pass: `max` would drop it.
            let d = (a - b).abs();
            if d.is_nan() { f32::INFINITY } else { m.max(d) }
        });
    ensure!(
        difference <= TOLERANCE * largest,
        "the ONNX file's logits differ from the network's by {difference:e}; at most {:e} is allowed",
        TOLERANCE * largest
    );
    Ok(difference)
}

fn floats(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().to_vec().expect("the network computes in f32")
}

fn run(session: &mut Session, input: &[f32], shape: [usize; 4]) -> Result<Vec<f32>> {
    let outputs = session.run(ort::inputs!["input" => TensorRef::from_array_view((shape, input))?])?;
    Ok(outputs["output"].try_extract_tensor::<f32>()?.1.to_vec())
}

fn open(onnx: &[u8], runtime: &Path) -> Result<Session> {
    // One environment for the process: a second one is refused.
    static ENVIRONMENT: OnceLock<std::result::Result<Environment, String>> = OnceLock::new();
    let environment = ENVIRONMENT
        .get_or_init(|| {
            let path = runtime.canonicalize().map_err(|e| format!("{}: {e}", runtime.display()))?;
            let builder = ort::init_from(&path).map_err(|e| e.to_string())?;
            builder.with_telemetry(false).build().map_err(|e| e.to_string())
        })
        .as_ref()
        .map_err(|e| anyhow!("ONNX Runtime: {e}"))?;
    let builder = Session::builder(environment)?.with_intra_threads(1).map_err(ort::Error::from)?;
    let mut builder = builder.with_intra_op_spinning(false).map_err(ort::Error::from)?;
    builder.commit_from_memory(onnx).context("ONNX Runtime refuses the file")
}
