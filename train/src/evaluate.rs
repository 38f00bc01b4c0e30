//! Accuracy on whole clips, scored as the library's `classify` scores them.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

use crate::dataset::Clip;
use crate::front_end::FrontEnd;
use crate::network::AudioCnn;

/// Windows in one forward pass.
const BATCH: usize = 32;

/// Scores of one clip: the mean of the softmax over its windows.
pub fn clip_scores(network: &AudioCnn, front_end: &mut FrontEnd, clip: &Clip, classes: usize) -> Vec<f32> {
    let mut mean = vec![0.0; classes];
    let windows = front_end.windows(&clip.samples);
    for windows in windows.chunks(BATCH) {
        let logits = forward(network, front_end, windows);
        let scores: Vec<f32> =
            softmax(logits, 1).into_data().try_to_vec().expect("the network computes in f32");
        for window in scores.chunks_exact(classes) {
            mean.iter_mut().zip(window).for_each(|(m, s)| *m += s);
        }
    }
    mean.iter_mut().for_each(|m| *m /= windows.len() as f32);
    mean
}

/// Logits `[windows, classes]` of a network that is out of training.
pub fn forward(network: &AudioCnn, front_end: &mut FrontEnd, windows: &[Vec<f32>]) -> Tensor<2> {
    let [bins, rows] = front_end.shape();
    let mut input = Vec::with_capacity(windows.len() * bins * rows);
    for window in windows {
        front_end.append(window, &mut input);
    }
    network.forward(Tensor::<4>::from_data(
        TensorData::new(input, [windows.len(), 1, bins, rows]),
        &Device::flex(),
    ))
}

/// The outputs for each window of a clip, before any activation.
pub fn window_outputs(network: &AudioCnn, front_end: &mut FrontEnd, samples: &[f32]) -> Vec<Vec<f32>> {
    let mut outputs = Vec::new();
    for windows in front_end.windows(samples).chunks(BATCH) {
        let logits = forward(network, front_end, windows);
        let classes = logits.dims()[1];
        let values: Vec<f32> = logits.into_data().try_to_vec().expect("the network computes in f32");
        outputs.extend(values.chunks_exact(classes).map(<[f32]>::to_vec));
    }
    outputs
}

/// Index of the highest score.
pub fn arg_max(scores: &[f32]) -> usize {
    scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i)
}
