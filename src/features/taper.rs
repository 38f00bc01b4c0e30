//! Window functions: what a frame is multiplied by before its Fourier transform.

use std::f64::consts::TAU;

use super::spec::Taper;

impl Taper {
    /// The `length` values of the window function, computed in f64.
    pub(super) fn values(self, length: usize) -> impl Iterator<Item = f64> {
        let period = match self {
            Taper::Hann | Taper::Hamming | Taper::Blackman => length,
            _ => length - 1,
        } as f64;
        let value = move |i: usize| {
            let angle = TAU * i as f64 / period;
            match self {
                Taper::Hann | Taper::HannSymmetric => 0.5 - 0.5 * angle.cos(),
                Taper::Hamming | Taper::HammingSymmetric => 0.54 - 0.46 * angle.cos(),
                Taper::Blackman | Taper::BlackmanSymmetric => {
                    0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos()
                }
                Taper::Povey => (0.5 - 0.5 * angle.cos()).powf(0.85),
                Taper::Rectangular => 1.0,
            }
        };
        (0..length).map(value)
    }
}
