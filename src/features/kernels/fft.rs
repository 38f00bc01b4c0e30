//! The Fourier transform of eight real rows at once.
//!
//! A row of N real values is N/2 complex ones (even and odd samples); their transform is taken in place, by
//! decimation in frequency, and comes out in another order, which a table undoes where the values are read.
//! Radix 8, 4 and 2, then the odd primes.

use std::f64::consts::TAU;

use super::{Block, Complex, Lanes};
use crate::error::Result;
use crate::memory::collected;

/// What memory is taken for.
const TABLES: &str = "the tables of the FFT";

/// A planned transform: tables only.
#[derive(Debug)]
pub(in crate::features) struct Fft {
    passes: Vec<Pass>,
    /// For k in 1..N/4, which give bins k and N/2 - k.
    pairs: Vec<Bins>,
    /// Where the transform leaves frequency N/4.
    middle: usize,
}

/// Two frequencies of the half-length transform that make two bins of the real one.
#[derive(Clone, Copy, Debug)]
struct Bins {
    /// Where the transform leaves frequency k.
    low: u32,
    /// Where it leaves frequency N/2 - k.
    high: u32,
    /// e^(-2πi k/N)
    factor: [f32; 2],
}

/// One pass over the whole array, in blocks that are independent of each other from then on.
#[derive(Debug)]
struct Pass {
    radix: usize,
    /// Length of a block before this pass.
    length: usize,
    /// e^(-2πi jm/length) for j in 0..length/radix, m in 1..radix.
    twiddles: Vec<[f32; 2]>,
    /// cos and sin of 2πm/radix for m in 0..radix.
    roots: Vec<[f32; 2]>,
}

type Pair<L> = (L, L);

impl Fft {
    /// For rows of `size` values: even, with no prime factor above 7.
    pub fn new(size: usize) -> Result<Self> {
        let half = size / 2;
        let mut length = half;
        let mut passes = Vec::new();
        for radix in radices(half) {
            passes.push(Pass::new(radix, length)?);
            length /= radix;
        }
        let place = |mut k: usize| {
            let mut place = 0;
            for pass in &passes {
                place += k % pass.radix * (pass.length / pass.radix);
                k /= pass.radix;
            }
            place
        };
        let pair =
            |k: usize| Bins { low: place(k) as u32, high: place(half - k) as u32, factor: root(k, size) };
        let pairs = collected(half.div_ceil(2) - 1, TABLES, (1..half.div_ceil(2)).map(pair))?;
        let middle = place(half / 2);
        Ok(Self { passes, pairs, middle })
    }

    /// Transforms half the even samples in `re` and half the odd ones in `im` of `data`, N/2 values, in place.
    #[inline(always)]
    pub fn transform<L: Lanes>(&self, data: &mut [Complex]) {
        for pass in &self.passes {
            pass.run_any::<L>(data);
        }
    }

    /// What [`Fft::transform`] left in `data` -> the power in each of the N/2 + 1 bins, or with `ROOT` its root.
    #[inline(always)]
    pub fn power<L: Lanes, const ROOT: bool>(&self, data: &[Complex], power: &mut [Block]) {
        let half = data.len();
        let zero = L::splat(0.0);
        let (re, im) = twice::<L>(get(&data[0]));
        size::<L, ROOT>((re.add(im), zero)).store(&mut power[0]);
        size::<L, ROOT>((re.sub(im), zero)).store(&mut power[half]);
        size::<L, ROOT>(twice::<L>(get(&data[self.middle]))).store(&mut power[half / 2]);
        let (low, high) = power[1..half].split_at_mut((half - 1) / 2);
        for ((pair, low), high) in self.pairs.iter().zip(low).zip(high.iter_mut().rev()) {
            let (ar, ai) = get::<L>(&data[pair.low as usize]);
            let (br, bi) = get::<L>(&data[pair.high as usize]);
            let (er, ei) = (ar.add(br), ai.sub(bi));
            let (tr, ti) = times((ai.add(bi), br.sub(ar)), &pair.factor);
            size::<L, ROOT>((er.add(tr), ei.add(ti))).store(low);
            size::<L, ROOT>((er.sub(tr), ei.sub(ti))).store(high);
        }
    }
}

/// The radices whose product is `n`, in the order of the passes: fours, whose values just fit into sixteen
/// registers; odd primes; and an eight for what the fours leave, last, where it has no factors to multiply by.
fn radices(mut n: usize) -> Vec<usize> {
    let twos = n.trailing_zeros() as usize;
    n >>= twos;
    let last = match twos {
        1 => Some(2),
        _ if twos % 2 == 1 => Some(8),
        _ => None,
    };
    let fours = if twos % 2 == 1 && twos > 1 { (twos - 3) / 2 } else { twos / 2 };
    let mut radices = vec![4; fours];
    for prime in [3, 5, 7] {
        while n.is_multiple_of(prime) {
            radices.push(prime);
            n /= prime;
        }
    }
    radices.extend(last);
    radices
}

/// e^(-2πi k/n)
fn root(k: usize, n: usize) -> [f32; 2] {
    let angle = TAU * (k % n) as f64 / n as f64;
    [angle.cos() as f32, -angle.sin() as f32]
}

#[inline(always)]
fn get<L: Lanes>(value: &Complex) -> Pair<L> {
    (L::load(&value.re), L::load(&value.im))
}

#[inline(always)]
fn put<L: Lanes>((re, im): Pair<L>, value: &mut Complex) {
    re.store(&mut value.re);
    im.store(&mut value.im);
}

#[inline(always)]
fn times<L: Lanes>((re, im): Pair<L>, &[c, s]: &[f32; 2]) -> Pair<L> {
    let (c, s) = (L::splat(c), L::splat(s));
    (im.neg_mul_add(s, re.mul(c)), im.mul_add(c, re.mul(s)))
}

/// Power, or its root.
#[inline(always)]
fn size<L: Lanes, const ROOT: bool>((re, im): Pair<L>) -> L {
    let power = re.mul_add(re, im.mul(im));
    if ROOT { power.sqrt() } else { power }
}

#[inline(always)]
fn twice<L: Lanes>(a: Pair<L>) -> Pair<L> {
    plus(a, a)
}

#[inline(always)]
fn plus<L: Lanes>(a: Pair<L>, b: Pair<L>) -> Pair<L> {
    (a.0.add(b.0), a.1.add(b.1))
}

#[inline(always)]
fn minus<L: Lanes>(a: Pair<L>, b: Pair<L>) -> Pair<L> {
    (a.0.sub(b.0), a.1.sub(b.1))
}

impl Pass {
    fn new(radix: usize, length: usize) -> Result<Self> {
        let steps = length / radix;
        let twiddles = (0..steps).flat_map(|j| (1..radix).map(move |m| root(j * m, length)));
        let twiddles = collected(steps * (radix - 1), TABLES, twiddles)?;
        let roots = (0..radix).map(|m| root(m, radix)).map(|[c, s]| [c, -s]).collect();
        Ok(Self { radix, length, twiddles, roots })
    }

    #[inline(always)]
    fn run_any<L: Lanes>(&self, data: &mut [Complex]) {
        match self.radix {
            2 => self.run::<L, 2>(data),
            3 => self.run::<L, 3>(data),
            4 => self.run::<L, 4>(data),
            5 => self.run::<L, 5>(data),
            7 => self.run::<L, 7>(data),
            _ => self.run::<L, 8>(data),
        }
    }

    #[inline(always)]
    fn run<L: Lanes, const R: usize>(&self, data: &mut [Complex]) {
        let step = self.length / R;
        for block in data.chunks_exact_mut(self.length) {
            // Slices whose length is plainly `step`, so that no index is checked in the loop.
            let mut rest = block;
            let legs: [&mut [Complex]; R] = std::array::from_fn(|_| {
                let (leg, others) = std::mem::take(&mut rest).split_at_mut(step);
                rest = others;
                leg
            });
            let mut factors = self.twiddles.chunks_exact(R - 1);
            #[allow(clippy::needless_range_loop)] // `j` indexes inside every leg, not `legs`
            for j in 0..step {
                let mut x = [(L::splat(0.0), L::splat(0.0)); R];
                for m in 0..R {
                    x[m] = get(&legs[m][j]);
                }
                self.butterfly(&mut x);
                // The last pass has blocks of one value, whose factors are all 1.
                if step > 1
                    && let Some(factors) = factors.next()
                {
                    for m in 1..R {
                        x[m] = times(x[m], &factors[m - 1]);
                    }
                }
                for m in 0..R {
                    put(x[m], &mut legs[m][j]);
                }
            }
        }
    }

    /// The transform of `R` values, in order.
    #[inline(always)]
    fn butterfly<L: Lanes, const R: usize>(&self, x: &mut [Pair<L>; R]) {
        match R {
            2 => (x[0], x[1]) = (plus(x[0], x[1]), minus(x[0], x[1])),
            4 => {
                let y = four([x[0], x[1], x[2], x[3]]);
                x.copy_from_slice(&y);
            }
            8 => {
                let even = four([plus(x[0], x[4]), plus(x[1], x[5]), plus(x[2], x[6]), plus(x[3], x[7])]);
                let half = L::splat(std::f32::consts::FRAC_1_SQRT_2);
                let (a, b, c) = (minus(x[1], x[5]), minus(x[2], x[6]), minus(x[3], x[7]));
                let a = (a.0.add(a.1).mul(half), a.1.sub(a.0).mul(half));
                let b = (b.1, L::splat(0.0).sub(b.0));
                let c = (c.1.sub(c.0).mul(half), L::splat(0.0).sub(c.0.add(c.1)).mul(half));
                let odd = four([minus(x[0], x[4]), a, b, c]);
                for m in 0..4 {
                    (x[2 * m], x[2 * m + 1]) = (even[m], odd[m]);
                }
            }
            _ => self.odd_butterfly(x),
        }
    }

    /// For an odd `R`: values m and R - m differ in the sign of their sines only.
    #[inline(always)]
    fn odd_butterfly<L: Lanes, const R: usize>(&self, x: &mut [Pair<L>; R]) {
        let input = *x;
        for k in 1..=R / 2 {
            x[0] = plus(x[0], plus(input[k], input[R - k]));
        }
        for m in 1..=R / 2 {
            let mut cosines = input[0];
            let mut sines = (L::splat(0.0), L::splat(0.0));
            for k in 1..=R / 2 {
                let [c, s] = self.roots[m * k % R];
                let (c, s) = (L::splat(c), L::splat(s));
                let (t, d) = (plus(input[k], input[R - k]), minus(input[k], input[R - k]));
                cosines = (t.0.mul_add(c, cosines.0), t.1.mul_add(c, cosines.1));
                sines = (d.0.mul_add(s, sines.0), d.1.mul_add(s, sines.1));
            }
            x[m] = (cosines.0.add(sines.1), cosines.1.sub(sines.0));
            x[R - m] = (cosines.0.sub(sines.1), cosines.1.add(sines.0));
        }
    }
}

/// The transform of four values.
#[inline(always)]
fn four<L: Lanes>(x: [Pair<L>; 4]) -> [Pair<L>; 4] {
    let (a, b) = (plus(x[0], x[2]), minus(x[0], x[2]));
    let (c, d) = (plus(x[1], x[3]), minus(x[1], x[3]));
    // b ± d · (-i)
    [plus(a, c), (b.0.add(d.1), b.1.sub(d.0)), minus(a, c), (b.0.sub(d.1), b.1.add(d.0))]
}
