//! One network teaches another: what a teacher, anyone's ONNX file, says of windows of any sounds is what the student learns
//! to say of them. No labels are needed.
//!
//! ```text
//! clips ─▶ crops, augment ─▶ windows ─▶ teacher ─▶ lessons ─▶ study ─▶ network
//!                                                     └─▶ shrink ──┘ (a MobileNet begins as a part of the teacher)
//! ```

mod begin;
mod import;
mod lessons;
mod shrink;
mod squares;
mod study;
mod teacher;

pub use begin::begin;
pub use import::import;
pub use lessons::Lessons;
pub use shrink::shrink;
pub use study::study;
pub use teacher::Teacher;
