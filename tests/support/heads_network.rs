//! Networks with several outputs, and with tensors of any element type, whose right answers are known without them.
#![allow(dead_code, reason = "each test program uses its own part")]

use crate::looping::{file, value};
use crate::onnx::{attribute, bytes, int, integers, node, number};

/// `TensorProto.DataType`.
pub const F32: u64 = 1;
pub const U8: u64 = 2;
pub const I8: u64 = 3;
pub const I16: u64 = 5;
pub const F16: u64 = 10;
pub const F64: u64 = 11;

/// Samples of a window, and of one row of `frames`.
pub const WINDOW: usize = 800;
pub const ROW: usize = 100;

/// Three outputs: `two`, mean and maximum of the window; `vector`, its first and last sample and the mean; `frames`, mean
/// and maximum of each of its eight parts, [1, 8, 2].
pub fn heads() -> Vec<u8> {
    let rows = (WINDOW / ROW) as u64;
    let parts = [
        bytes(2, "g"),
        value(11, "audio", F32, &[1, WINDOW as u64]),
        value(12, "two", F32, &[1, 2]),
        value(12, "vector", F32, &[1, 3]),
        value(12, "frames", F32, &[1, rows, 2]),
        bytes(5, integers("first", &[1], &[0])),
        bytes(5, integers("last", &[1], &[WINDOW as i64 - 1])),
        bytes(5, integers("shape", &[3], &[1, rows as i64, ROW as i64])),
        node("ReduceMean", &["audio"], &["mean"], &[axes(1)]),
        node("ReduceMax", &["audio"], &["max"], &[axes(1)]),
        node("Concat", &["mean", "max"], &["two"], &[int("axis", 1)]),
        node("Gather", &["audio", "first"], &["begin"], &[int("axis", 1)]),
        node("Gather", &["audio", "last"], &["end"], &[int("axis", 1)]),
        node("Concat", &["begin", "end", "mean"], &["vector"], &[int("axis", 1)]),
        node("Reshape", &["audio", "shape"], &["parts"], &[]),
        node("ReduceMean", &["parts"], &["means"], &[axes(2)]),
        node("ReduceMax", &["parts"], &["maxima"], &[axes(2)]),
        node("Concat", &["means", "maxima"], &["frames"], &[int("axis", 2)]),
    ];
    file("", &parts)
}

/// `axes` of a reduction, which keeps them.
fn axes(axis: u64) -> Vec<u8> {
    const INTS: u64 = 7;
    attribute("axes", INTS, number(8, axis))
}

/// Gives the first two elements of its input, in the same type.
pub fn first_two(element: u64) -> Vec<u8> {
    let parts = [
        bytes(2, "g"),
        value(11, "audio", element, &[1, WINDOW as u64]),
        value(12, "two", element, &[1, 2]),
        bytes(5, integers("places", &[2], &[0, 1])),
        node("Gather", &["audio", "places"], &["two"], &[int("axis", 1)]),
    ];
    file("", &parts)
}
