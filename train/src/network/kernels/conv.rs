//! A convolution as matrix products: the pictures of some examples become columns, one a place of the kernel.

use burn::backend::flex::FlexTensor;
use gemm::{Parallelism, gemm};
use rayon::prelude::*;

use super::Steps;
use super::norm::tensor;

/// Columns from which on a product pays for the packing of its other side.
const COLUMNS: usize = 256;
/// Groups of examples that a batch is at least cut into: what threads share.
const GROUPS: usize = 4;

/// Sizes of one convolution.
#[derive(Clone, Copy)]
struct Shape {
    batch: usize,
    inputs: usize,
    outputs: usize,
    picture: [usize; 2],
    kernel: [usize; 2],
    result: [usize; 2],
    steps: Steps,
}

impl Shape {
    fn new(x: &FlexTensor, weight: &FlexTensor, steps: Steps) -> Self {
        let sizes = |tensor: &FlexTensor| -> [usize; 4] { tensor.layout().shape().dims() };
        let ([batch, inputs, h, w], [outputs, of, kh, kw]) = (sizes(x), sizes(weight));
        assert_eq!(inputs, of, "channels of the picture and of the kernel");
        let result = steps.result([h, w], [kh, kw]);
        Self { batch, inputs, outputs, picture: [h, w], kernel: [kh, kw], result, steps }
    }

    fn places(&self) -> usize {
        self.result[0] * self.result[1]
    }

    /// Rows of the matrix of columns.
    fn taps(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }

    fn pixels(&self) -> usize {
        self.inputs * self.picture[0] * self.picture[1]
    }

    /// Examples that are computed together. The threads have no say in it.
    fn group(&self) -> usize {
        let most = (self.batch / GROUPS).max(1);
        COLUMNS.div_ceil(self.places().max(1)).clamp(1, most)
    }

    /// Calls `row` for every stretch of places that reads one line of the picture: index of the first column in a group, of
    /// the line's first pixel in the group, and for each row of the matrix its number and the first column of the kernel.
    fn stretches(&self, examples: usize, mut visit: impl FnMut(usize, usize, Option<usize>, usize)) {
        let ([kh, kw], [h, w], [rows, columns]) = (self.kernel, self.picture, self.result);
        let width = examples * self.places();
        for channel in 0..self.inputs {
            for ky in 0..kh {
                for kx in 0..kw {
                    let tap = (channel * kh + ky) * kw + kx;
                    for example in 0..examples {
                        for row in 0..rows {
                            let to = tap * width + example * self.places() + row * columns;
                            let y = (row * self.steps.stride[0] + ky).checked_sub(self.steps.before[0]);
                            let line =
                                y.filter(|y| *y < h).map(|y| ((example * self.inputs + channel) * h + y) * w);
                            visit(to, kx, line, columns);
                        }
                    }
                }
            }
        }
    }

    /// Places of a stretch whose tap `kx` lies in the picture: the first, the end, and the pixel of the first.
    fn inside(&self, kx: usize) -> (usize, usize, usize) {
        let (stride, before, w) = (self.steps.stride[1], self.steps.before[1], self.picture[1]);
        let first = before.saturating_sub(kx).div_ceil(stride);
        let end = (w + before).saturating_sub(kx).div_ceil(stride).min(self.result[1]);
        (first.min(end), end, (first * stride + kx).saturating_sub(before))
    }

    fn columns(&self, pictures: &[f32], columns: &mut [f32]) {
        let stride = self.steps.stride[1];
        self.stretches(pictures.len() / self.pixels(), |to, kx, line, count| {
            let stretch = &mut columns[to..to + count];
            let Some(line) = line else { return stretch.fill(0.0) };
            let (first, end, pixel) = self.inside(kx);
            stretch[..first].fill(0.0);
            stretch[end..].fill(0.0);
            let (stretch, from) = (&mut stretch[first..end], &pictures[line + pixel..]);
            if stride == 1 {
                stretch.copy_from_slice(&from[..end - first]);
            } else {
                stretch.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, from)| *to = *from);
            }
        });
    }

    /// Adds the columns to the pixels that they came from.
    fn pictures(&self, columns: &[f32], pictures: &mut [f32]) {
        let stride = self.steps.stride[1];
        self.stretches(pictures.len() / self.pixels(), |from, kx, line, _| {
            let Some(line) = line else { return };
            let (first, end, pixel) = self.inside(kx);
            let (from, to) = (&columns[from + first..from + end], &mut pictures[line + pixel..]);
            if stride == 1 {
                to.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
            } else {
                to.iter_mut().step_by(stride).zip(from).for_each(|(to, from)| *to += *from);
            }
        });
    }

    /// Between `[example][channel][place]` and `[channel][example][place]`.
    fn turn(&self, from: &[f32], to: &mut [f32], by_example: bool) {
        let places = self.places();
        let examples = from.len() / (places * self.outputs);
        for example in 0..examples {
            for channel in 0..self.outputs {
                let apart = (example * self.outputs + channel) * places;
                let together = (channel * examples + example) * places;
                let (a, b) = if by_example { (apart, together) } else { (together, apart) };
                to[b..b + places].copy_from_slice(&from[a..a + places]);
            }
        }
    }
}

/// A matrix in memory: first element, and distance of rows and columns.
#[derive(Clone, Copy)]
struct Matrix<'a>(&'a [f32], usize, usize);

/// `to = a · b`, of `[rows, columns]`, over `inner`.
#[expect(unsafe_code, reason = "gemm takes pointers")]
fn product(to: &mut [f32], [rows, columns, inner]: [usize; 3], a: Matrix, b: Matrix) {
    let holds = |matrix: Matrix, rows: usize, columns: usize| {
        matrix.0.len() > (rows - 1) * matrix.1 + (columns - 1) * matrix.2
    };
    assert!(rows > 0 && columns > 0 && inner > 0 && to.len() == rows * columns);
    assert!(holds(a, rows, inner) && holds(b, inner, columns));
    // SAFETY: the three matrices lie within their slices, which was just asserted; `to` is borrowed alone.
    unsafe {
        gemm(
            rows,
            columns,
            inner,
            to.as_mut_ptr(),
            1,
            columns as isize,
            false,
            a.0.as_ptr(),
            a.2 as isize,
            a.1 as isize,
            b.0.as_ptr(),
            b.2 as isize,
            b.1 as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Memory of one thread.
#[derive(Default)]
struct Room {
    columns: Vec<f32>,
    turned: Vec<f32>,
    gradients: Vec<f32>,
}

fn sized(room: &mut Vec<f32>, count: usize) -> &mut [f32] {
    room.resize(count, 0.0);
    room
}

/// A convolution without bias.
pub fn forward(x: &FlexTensor, weight: &FlexTensor, steps: Steps) -> FlexTensor {
    let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
    let shape = Shape::new(&x, &weight, steps);
    let (group, places, outputs) = (shape.group(), shape.places(), shape.outputs);
    let mut result = vec![0.0_f32; shape.batch * outputs * places];
    let weight = weight.storage::<f32>();
    let groups = x.storage::<f32>().par_chunks(group * shape.pixels());
    result.par_chunks_mut(group * outputs * places).zip(groups).for_each_init(
        Room::default,
        |room, (result, pictures)| {
            let width = pictures.len() / shape.pixels() * places;
            let columns = sized(&mut room.columns, shape.taps() * width);
            shape.columns(pictures, columns);
            let (a, b) = (Matrix(weight, shape.taps(), 1), Matrix(columns, width, 1));
            let sizes = [outputs, width, shape.taps()];
            if width == places {
                product(result, sizes, a, b);
            } else {
                let turned = sized(&mut room.turned, outputs * width);
                product(turned, sizes, a, b);
                shape.turn(turned, result, false);
            }
        },
    );
    tensor(result, [shape.batch, outputs, shape.result[0], shape.result[1]])
}

/// Of the input and of the weight.
pub fn backward(x: &FlexTensor, weight: &FlexTensor, gradient: &FlexTensor, steps: Steps) -> [FlexTensor; 2] {
    let (x, weight, gradient) = (x.to_contiguous(), weight.to_contiguous(), gradient.to_contiguous());
    let shape = Shape::new(&x, &weight, steps);
    let (group, places, outputs, taps) = (shape.group(), shape.places(), shape.outputs, shape.taps());
    let [kh, kw] = shape.kernel;
    let mut of_x = vec![0.0_f32; shape.batch * shape.pixels()];
    let weight = weight.storage::<f32>();
    let groups = of_x
        .par_chunks_mut(group * shape.pixels())
        .zip(x.storage::<f32>().par_chunks(group * shape.pixels()))
        .zip(gradient.storage::<f32>().par_chunks(group * outputs * places));
    let of_group = |room: &mut Room, ((of_x, pictures), gradient): ((&mut [f32], &[f32]), &[f32])| {
        let width = pictures.len() / shape.pixels() * places;
        let gradient = if width == places {
            gradient
        } else {
            let turned = sized(&mut room.turned, outputs * width);
            shape.turn(gradient, turned, true);
            turned
        };
        let columns = sized(&mut room.columns, taps * width);
        shape.columns(pictures, columns);
        let mut of_weight = vec![0.0_f32; outputs * taps];
        let turned = Matrix(columns, 1, width);
        product(&mut of_weight, [outputs, taps, width], Matrix(gradient, width, 1), turned);
        let gradients = sized(&mut room.gradients, taps * width);
        let turned = Matrix(weight, 1, taps);
        product(gradients, [taps, width, outputs], turned, Matrix(gradient, width, 1));
        shape.pictures(gradients, of_x);
        of_weight
    };
    let parts: Vec<Vec<f32>> = groups.map_init(Room::default, of_group).collect();
    let mut of_weight = vec![0.0_f32; outputs * taps];
    of_weight.par_chunks_mut(4096).enumerate().for_each(|(chunk, sums)| {
        for part in &parts {
            let part = &part[chunk * 4096..][..sums.len()];
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += *part);
        }
    });
    [
        tensor(of_x, [shape.batch, shape.inputs, shape.picture[0], shape.picture[1]]),
        tensor(of_weight, [outputs, shape.inputs, kh, kw]),
    ]
}
