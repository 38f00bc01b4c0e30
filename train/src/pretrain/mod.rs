//! What can be learned from recordings alone: BYOL-A (Niizumi et al., arXiv:2103.06695). Of every window two views are made,
//! and a network learns to say of the one what a slowly moving average of itself says of the other.
//!
//! ```text
//! clips ─▶ crops ─▶ window ─┬▶ change ─▶ mix, resize ─▶ network ─▶ projector ─▶ predictor ─┐
//!                           └▶ change ─▶ mix, resize ─▶ average ─▶ projector ──────────────┴▶ 2 − 2 cos
//! ```

mod learner;
mod mixing;
mod resize;
mod study;
mod views;

pub use mixing::Mixing;
pub use resize::resize_crop;
pub use study::study;
pub use views::Views;

/// The one class of a network that knows none: its last layer is new, for `finetune` to replace.
pub const CLASS: &str = "sound";

/// How much of what embeddings hold tells them apart: the variance of their values as a share of the mean square, 0 to 1. 0 is
/// a network that says the same of everything.
pub fn spread(embeddings: &[Vec<f32>]) -> f64 {
    let mut sums = vec![0.0; embeddings.first().map_or(0, Vec::len)];
    let mut squares = 0.0;
    for embedding in embeddings {
        for (sum, &value) in sums.iter_mut().zip(embedding) {
            *sum += f64::from(value);
            squares += f64::from(value).powi(2);
        }
    }
    let of_means: f64 = sums.iter().map(|sum| sum * sum / embeddings.len() as f64).sum();
    if squares > 0.0 { 1.0 - of_means / squares } else { 0.0 }
}
