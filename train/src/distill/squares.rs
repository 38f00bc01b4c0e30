//! Least squares, and which columns stand best for all of them.

use burn::tensor::{Device, Tensor};

use crate::network::layers::values;

/// Added to the variances of what is solved, as a part of their mean: the products are sums of 32-bit floats.
const RIDGE: f64 = 1e-4;

/// Σ of outer products of rows, `[inputs, outputs]`. The last value of every input row is 1 ([`with_ones`]), which makes of
/// them the products of what is left without the means.
#[derive(Clone)]
pub struct Products {
    sums: Vec<f64>,
    shape: [usize; 2],
}

impl Products {
    pub fn new(inputs: usize, outputs: usize) -> Self {
        Self { sums: vec![0.0; inputs * outputs], shape: [inputs, outputs] }
    }

    /// Adds those of every row of `x`, `[rows, inputs]`, and `y`, `[rows, outputs]`.
    pub fn add(&mut self, x: &Tensor<2>, y: &Tensor<2>) {
        let product = values(x.clone().transpose().matmul(y.clone()));
        self.sums.iter_mut().zip(product).for_each(|(sum, more)| *sum += f64::from(more));
    }

    /// The `count` columns of which all others can be made best, up to a constant: at every step the one of which most is left
    /// when those that were chosen before have explained what they can (Cholesky with pivots). Sorted. `self` are the products
    /// of rows with themselves.
    pub fn pivots(&self, count: usize) -> Vec<usize> {
        let size = self.shape[0] - 1;
        let sums = self.centred(&self.column(size), size);
        let mut left: Vec<f64> = (0..size).map(|i| sums[i * size + i]).collect();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut chosen: Vec<usize> = Vec::new();
        for _ in 0..count.min(size) {
            let best = (0..size).filter(|i| !chosen.contains(i)).max_by(|&a, &b| left[a].total_cmp(&left[b]));
            let best = best.expect("fewer are chosen than there are");
            // What is left of a column that says nothing new is rounding: it must not be divided by.
            let scale = if left[best] > 0.0 { 1.0 / left[best].sqrt() } else { 0.0 };
            let column: Vec<f64> = (0..size)
                .map(|i| {
                    let known: f64 = columns.iter().map(|column| column[i] * column[best]).sum();
                    (sums[i * size + best] - known) * scale
                })
                .collect();
            left.iter_mut().zip(&column).for_each(|(left, value)| *left -= value * value);
            columns.push(column);
            chosen.push(best);
        }
        chosen.sort_unstable();
        chosen
    }

    /// `[inputs, outputs]` with which x · result is nearest to y, by squares; the last row, which belongs to the ones, is the
    /// constant. `self` are the products of x with itself, `targets` those of x with y.
    pub fn solve(&self, targets: &Products) -> Vec<f64> {
        let (size, outputs) = (self.shape[0] - 1, targets.shape[1]);
        let ones = self.column(size);
        let mut lower = self.centred(&ones, size);
        let mean = (0..size).map(|i| lower[i * size + i]).sum::<f64>() / size as f64;
        (0..size).for_each(|i| lower[i * size + i] += (RIDGE * mean).max(f64::MIN_POSITIVE));
        for i in 0..size {
            for j in 0..=i {
                let (before, row) = lower.split_at(i * size);
                let other = if j < i { &before[j * size..j * size + j] } else { &row[..j] };
                let known: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
                let value = row[j] - known;
                lower[i * size + j] =
                    if i == j { value.max(f64::MIN_POSITIVE).sqrt() } else { value / lower[j * size + j] };
            }
        }
        let mut result = targets.centred(&ones, outputs);
        let subtract = |result: &mut [f64], into: usize, from: usize, factor: f64| {
            for k in 0..outputs {
                result[into * outputs + k] -= factor * result[from * outputs + k];
            }
        };
        for i in 0..size {
            (0..i).for_each(|j| subtract(&mut result, i, j, lower[i * size + j]));
            (0..outputs).for_each(|k| result[i * outputs + k] /= lower[i * size + i]);
        }
        for i in (0..size).rev() {
            (i + 1..size).for_each(|j| subtract(&mut result, i, j, lower[j * size + i]));
            (0..outputs).for_each(|k| result[i * outputs + k] /= lower[i * size + i]);
        }
        let constant = |k: usize| {
            let said: f64 = (0..size).map(|i| ones[i] * result[i * outputs + k]).sum();
            (targets.sums[size * outputs + k] - said) / ones[size]
        };
        let constants: Vec<f64> = (0..outputs).map(constant).collect();
        result.extend(constants);
        result
    }

    /// One column.
    fn column(&self, index: usize) -> Vec<f64> {
        self.sums.iter().skip(index).step_by(self.shape[1]).copied().collect()
    }

    /// The products without the means, without the row of the ones, of the first `outputs` columns. `ones` are the sums of the
    /// inputs, and last their number.
    fn centred(&self, ones: &[f64], outputs: usize) -> Vec<f64> {
        let inputs = self.shape[0] - 1;
        let totals = &self.sums[inputs * self.shape[1]..];
        let value =
            |i: usize, k: usize| self.sums[i * self.shape[1] + k] - ones[i] * totals[k] / ones[inputs];
        (0..inputs).flat_map(|i| (0..outputs).map(move |k| value(i, k))).collect()
    }
}

/// `[batch, channels, h, w]` -> `[batch · h · w, channels]`.
pub fn rows_of(map: Tensor<4>) -> Tensor<2> {
    let [batch, channels, h, w] = map.dims();
    map.permute([0, 2, 3, 1]).reshape([batch * h * w, channels])
}

/// With a column of ones behind.
pub fn with_ones(rows: Tensor<2>) -> Tensor<2> {
    let ones = Tensor::ones([rows.dims()[0], 1], &Device::flex());
    Tensor::cat(vec![rows, ones], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    fn rows(values: &[f32], columns: usize) -> Tensor<2> {
        let shape = [values.len() / columns, columns];
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
    }

    #[test]
    fn a_linear_map_is_found_again_and_a_copy_is_never_chosen() {
        let numbers = |n: usize| ((n * 7919 + 13) % 101) as f32 / 101.0 - 0.5;
        let mut x = Vec::new();
        let mut y = Vec::new();
        for n in 0..40 {
            let [a, b] = [numbers(2 * n), 2.0 * numbers(2 * n + 1)];
            x.extend([a, b, 3.0 * a + 50.0]); // the third column says what the first does
            y.extend([2.0 * a - b + 0.25]);
        }
        let (x, y) = (rows(&x, 3), rows(&y, 1));
        let (all, mut products) = (with_ones(x.clone()), Products::new(4, 4));
        products.add(&all, &all);
        assert_eq!(products.pivots(2), [1, 2]);
        let x = with_ones(x.slice([0..40, 0..2]));
        let (mut own, mut with) = (Products::new(3, 3), Products::new(3, 1));
        own.add(&x, &x);
        with.add(&x, &y);
        let found = own.solve(&with);
        for (found, expected) in found.iter().zip([2.0, -1.0, 0.25]) {
            assert!((found - expected).abs() < 1e-3, "{found} for {expected}");
        }
    }
}
