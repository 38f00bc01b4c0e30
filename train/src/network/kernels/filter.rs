//! A convolution with one filter a channel. It is computed at every place of a padded picture as one long list, a tap after
//! the other, so that narrow pictures fill a processor's vectors too; what lies between lines or strides is then passed over.

use burn::backend::flex::FlexTensor;
use pulp::Arch;
use rayon::prelude::*;

use super::Steps;
use super::norm::{sums, tensor};

#[derive(Clone, Copy)]
struct Shape {
    channels: usize,
    picture: [usize; 2],
    kernel: [usize; 2],
    result: [usize; 2],
    steps: Steps,
}

/// Memory of one thread: a padded picture, and a list as long.
#[derive(Default)]
struct Room {
    padded: Vec<f32>,
    list: Vec<f32>,
    gradient: Vec<f32>,
}

impl Shape {
    fn new(x: &FlexTensor, weight: &FlexTensor, steps: Steps) -> Self {
        let ([_, channels, h, w], [filters, one, kh, kw]) =
            (x.layout().shape().dims(), weight.layout().shape().dims());
        assert!(filters == channels && one == 1, "one filter of one input a channel");
        Self { channels, picture: [h, w], kernel: [kh, kw], result: steps.result([h, w], [kh, kw]), steps }
    }

    fn padded(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.picture[axis] + self.steps.before[axis] + self.steps.after[axis])
    }

    fn room(&self) -> Room {
        let [h, w] = self.padded();
        let zeros = || vec![0.0; h * w];
        Room { padded: zeros(), list: zeros(), gradient: zeros() }
    }

    /// Places of the list: from the first of the first line to the last of the last.
    fn count(&self) -> usize {
        let [h, w] = self.padded();
        (h - self.kernel[0]) * w + w - self.kernel[1] + 1
    }

    /// How much further on each tap looks.
    fn taps(&self) -> impl Iterator<Item = usize> {
        let ([kh, kw], w) = (self.kernel, self.padded()[1]);
        (0..kh).flat_map(move |y| (0..kw).map(move |x| y * w + x))
    }

    /// Of every line of the picture where it begins in the padded one.
    fn lines(&self) -> impl Iterator<Item = usize> {
        let (w, [above, left]) = (self.padded()[1], self.steps.before);
        (0..self.picture[0]).map(move |y| (y + above) * w + left)
    }

    /// Where in the list the results are, in their order.
    fn results(&self) -> impl Iterator<Item = usize> {
        let (w, [down, right], [rows, columns]) = (self.padded()[1], self.steps.stride, self.result);
        (0..rows).flat_map(move |y| (0..columns).map(move |x| y * down * w + x * right))
    }

    /// The padding of `padded` is 0 already.
    #[inline(always)]
    fn pad(&self, plane: &[f32], padded: &mut [f32]) {
        let width = self.picture[1];
        for (line, at) in plane.chunks_exact(width).zip(self.lines()) {
            padded[at..at + width].copy_from_slice(line);
        }
    }

    #[inline(always)]
    fn forward(&self, room: &mut Room, x: &[f32], weight: &[f32], result: &mut [f32]) {
        let [pixels, taps, places] = self.sizes();
        let list = &mut room.list[..self.count()];
        for channel in 0..self.channels {
            self.pad(&x[channel * pixels..][..pixels], &mut room.padded);
            list.fill(0.0);
            for (at, &factor) in self.taps().zip(&weight[channel * taps..][..taps]) {
                add(list, &room.padded[at..], factor);
            }
            let result = &mut result[channel * places..][..places];
            result.iter_mut().zip(self.results()).for_each(|(result, at)| *result = list[at]);
        }
    }

    #[inline(always)]
    fn backward(&self, room: &mut Room, given: [&[f32]; 3], of_x: &mut [f32], of_weight: &mut [f32]) {
        let [pixels, taps, places] = self.sizes();
        let ([x, weight, gradient], count) = (given, self.count());
        let width = self.picture[1];
        room.list.fill(0.0);
        for channel in 0..self.channels {
            self.pad(&x[channel * pixels..][..pixels], &mut room.padded);
            let gradient = &gradient[channel * places..][..places];
            self.results().zip(gradient).for_each(|(at, gradient)| room.list[at] = *gradient);
            room.gradient.fill(0.0);
            let list = &room.list[..count];
            let own = channel * taps..(channel + 1) * taps;
            for ((at, &factor), of_weight) in self.taps().zip(&weight[own.clone()]).zip(&mut of_weight[own]) {
                *of_weight = sums(list, &room.padded[at..at + count], |g, x| [g * x])[0] as f32;
                add(&mut room.gradient[at..at + count], list, factor);
            }
            let of_x = of_x[channel * pixels..][..pixels].chunks_exact_mut(width);
            for (line, at) in of_x.zip(self.lines()) {
                line.copy_from_slice(&room.gradient[at..at + width]);
            }
        }
    }

    /// Of one channel: pixels of the picture, taps of the filter, places of the result.
    fn sizes(&self) -> [usize; 3] {
        [self.picture, self.kernel, self.result].map(|[h, w]| h * w)
    }
}

#[inline(always)]
fn add(to: &mut [f32], from: &[f32], factor: f32) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from * factor);
}

/// `[batch, channels, h, w]` with a weight `[channels, 1, kh, kw]`.
pub fn forward(x: &FlexTensor, weight: &FlexTensor, steps: Steps) -> FlexTensor {
    let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
    let (shape, batch) = (Shape::new(&x, &weight, steps), x.layout().shape().dims::<4>()[0]);
    let [pixels, _, places] = shape.sizes();
    let (pixels, places) = (shape.channels * pixels, shape.channels * places);
    let mut result = vec![0.0_f32; batch * places];
    let weight = weight.storage::<f32>();
    result.par_chunks_mut(places).zip(x.storage::<f32>().par_chunks(pixels)).for_each_init(
        || shape.room(),
        |room, (result, x)| Arch::new().dispatch(|| shape.forward(room, x, weight, result)),
    );
    tensor(result, [batch, shape.channels, shape.result[0], shape.result[1]])
}

/// Of the input and of the weight.
pub fn backward(x: &FlexTensor, weight: &FlexTensor, gradient: &FlexTensor, steps: Steps) -> [FlexTensor; 2] {
    let (x, weight, gradient) = (x.to_contiguous(), weight.to_contiguous(), gradient.to_contiguous());
    let shape = Shape::new(&x, &weight, steps);
    let ([pixels, taps, places], channels) = (shape.sizes(), shape.channels);
    let sizes = x.layout().shape().dims::<4>();
    let weight = weight.storage::<f32>();
    let mut of_x = vec![0.0_f32; sizes[0] * channels * pixels];
    let examples = of_x
        .par_chunks_mut(channels * pixels)
        .zip(x.storage::<f32>().par_chunks(channels * pixels))
        .zip(gradient.storage::<f32>().par_chunks(channels * places));
    let of_example = |room: &mut Room, ((of_x, x), gradient): ((&mut [f32], &[f32]), &[f32])| {
        let mut of_weight = vec![0.0_f32; channels * taps];
        Arch::new().dispatch(|| shape.backward(room, [x, weight, gradient], of_x, &mut of_weight));
        of_weight
    };
    let parts: Vec<Vec<f32>> = examples.map_init(|| shape.room(), of_example).collect();
    let mut of_weight = vec![0.0_f32; channels * taps];
    for part in &parts {
        add(&mut of_weight, part, 1.0);
    }
    [tensor(of_x, sizes), tensor(of_weight, [channels, 1, shape.kernel[0], shape.kernel[1]])]
}
