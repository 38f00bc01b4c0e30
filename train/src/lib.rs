//! From a folder of labelled clips to the `.onnx` file that `libauricle` loads, through the library's own feature code.
//!
//! ```text
//! labels ─────▶ dataset ─▶ crops ─▶ front_end ─▶ fit ─▶ network ─▶ onnx ─▶ model.onnx
//!                          augment               ├──▶ checkpoint
//!                          stretch               └──▶ evaluate ─▶ report.json
//! ```

pub mod augment;
pub mod baseline;
pub mod calibrate;
pub mod checkpoint;
pub mod compress;
pub mod crops;
pub mod dataset;
pub mod difference;
pub mod distill;
pub mod evaluate;
pub mod export;
pub mod fit;
pub mod front_end;
pub mod golden;
pub mod head;
pub mod inspect;
pub mod judge;
pub mod log;
pub mod loss;
pub mod mix;
pub mod network;
pub mod normal;
pub mod onnx;
pub mod parallel;
pub mod plan;
pub mod pretrain;
pub mod report;
pub mod search;
pub mod sources;
pub mod streaming;
pub mod stretch;
pub mod weights;
