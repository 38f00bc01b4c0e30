//! The trainer on data that these tests synthesise. One program, because linking burn takes longer than any of them.

#![allow(clippy::unwrap_used)]

mod augment;
mod baseline;
mod commands;
mod common;
mod compress;
mod dataset;
mod distill;
mod events;
mod fit;
mod float_io;
mod front_end;
mod head;
mod inspect;
mod join;
mod kernels;
mod merge;
mod networks;
mod normal;
#[path = "../../../tests/support/onnx.rs"]
mod onnx;
mod own_model;
mod pretrain;
#[path = "../../../tests/support/random.rs"]
mod random;
mod report;
mod stamp;
