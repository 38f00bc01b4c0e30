//! A trained network as an ONNX file, and the proof that the library computes the same with it.

use anyhow::{Context, Result, ensure};
use auricle::stages::scores::Activation;
use auricle::{Manifest, Model, ModelOptions};

use crate::dataset::Clip;
use crate::difference::{Difference, largest, sample};
use crate::front_end::{About, FrontEnd, FrontEndSpec};
use crate::judge::{arg_max, clip_scores, forward};
use crate::network::{Architecture, Network};
use crate::onnx::Graph;
use crate::onnx::edit::Editor;
use crate::parallel;
use crate::plan::Plan;
use crate::streaming;

/// Largest difference of a window's logits, as a share of the largest logit where that is above 1.
const LOGIT_TOLERANCE: f32 = 1e-5;
/// Largest difference of a clip's scores.
const SCORE_TOLERANCE: f32 = 1e-5;

/// What the file says of itself.
pub fn manifest(plan: &Plan, about: &About) -> Result<Manifest> {
    let activation = plan.recipe.loss.activation();
    let mut manifest = seen(plan)?.manifest(about, &plan.classes, activation)?;
    if plan.architecture == Architecture::Stream {
        manifest.input.others = streaming::states(&plan.front_end)?;
        manifest = Manifest::parse(&manifest.to_json())?;
    }
    Ok(manifest)
}

/// What the file sees at once: a window, or a hop of a stream.
fn seen(plan: &Plan) -> Result<FrontEndSpec> {
    match plan.architecture {
        Architecture::Stream => streaming::front_end(&plan.front_end),
        _ => Ok(plan.front_end.clone()),
    }
}

/// The file's bytes, with the manifest inside.
pub fn onnx(network: &Network, plan: &Plan, about: &About) -> Result<Vec<u8>> {
    let manifest = manifest(plan, about)?;
    let [bins, rows] = seen(plan)?.plan()?.shape();
    let mut graph = Graph::default();
    let logits = network.write(&mut graph, &manifest.input.tensor, [bins, rows]);
    let (input, output) = (&manifest.input.tensor, &manifest.outputs[0].tensor);
    Ok(graph.finish((input, &[1, bins, rows]), &logits, (output, &[plan.classes.len()]), &manifest.to_json()))
}

/// What the last layer of such a file looks at: the network's embedding.
pub fn embedding(onnx: &[u8], manifest: &Manifest) -> Result<String> {
    let editor = Editor::read(onnx)?;
    let last = editor.nodes().iter().find(|node| node.output.contains(&manifest.outputs[0].tensor));
    let last = last.filter(|node| node.is("Gemm")).context("the network does not end with a linear layer")?;
    Ok(last.input(0).to_owned())
}

/// Loads the file with the library, as its users do, and compares on the beginnings of up to [`VERIFIED`](crate::difference::VERIFIED) clips, spread over
/// all: the logits of the first window (read through a manifest without activation), and the scores of three windows and a
/// piece. An error if either is beyond tolerance, or if one gets another answer. `done` is called after each.
pub fn verify(
    onnx: &[u8],
    network: &Network,
    plan: &Plan,
    clips: &[&Clip],
    done: &(dyn Fn() + Sync),
) -> Result<Difference> {
    ensure!(!clips.is_empty(), "no clips to compare by");
    if let Network::Stream(network) = network {
        return streaming::verify(onnx, network, &plan.front_end, clips, done);
    }
    let options = ModelOptions::default();
    let model = Model::load_memory(onnx, None, &options).context("the library refuses the file")?;
    let mut raw = model.manifest().clone();
    raw.outputs[0].activation = Activation::None;
    let raw = Model::load_memory(onnx, Some(&raw.to_json()), &options)?;

    let classes = plan.classes.len();
    let sample = sample(clips);
    let compare = |front_end: &mut FrontEnd, clip: &&Clip| {
        let window = front_end.windows(&clip.samples).swap_remove(0);
        let logits = classify(&raw, &window, classes)?;
        let expected: Vec<f32> = forward(network, front_end, &[window])
            .into_data()
            .try_to_vec()
            .expect("the network computes in f32");
        let scale = expected.iter().fold(1f32, |m, v| m.max(v.abs()));
        let logit = largest(&logits, &expected);
        ensure!(
            logit <= LOGIT_TOLERANCE * scale,
            "{}: the file's logits differ from the network's by {logit:e}; at most {:e} is allowed",
            clip.name(),
            LOGIT_TOLERANCE * scale
        );
        let beginning = &clip.samples[..clip.samples.len().min(front_end.window() + 5 * front_end.hop() / 2)];
        let scores = classify(&model, beginning, classes)?;
        let expected = clip_scores(network, front_end, beginning, classes, plan.recipe.loss);
        let score = largest(&scores, &expected);
        ensure!(
            score <= SCORE_TOLERANCE && arg_max(&scores) == arg_max(&expected),
            "{}: the library's scores differ from the trainer's by {score:e}; at most {SCORE_TOLERANCE:e} is allowed",
            clip.name()
        );
        Ok(Difference { clips: 1, logits: logit, scores: score })
    };
    let found = parallel::map(parallel::cores(), &sample, || plan.front_end.plan(), compare, done)?;
    Ok(found.into_iter().fold(Difference::default(), Difference::worse))
}

fn classify(model: &Model, samples: &[f32], classes: usize) -> Result<Vec<f32>> {
    let mut scores = vec![0.0; classes];
    let clip = auricle::Clip { interleaved: samples, channels: 1, sample_rate: model.sample_rate() };
    model.classify(clip, &mut scores)?;
    Ok(scores)
}
