//! The Fourier transform of eight real rows at once.
//!
//! A row of N real values is N/2 complex ones (even and odd samples); their transform is taken in place, by
//! decimation in frequency, and comes out in another order, which a table undoes where the values are read.
//! Radix 8, 4 and 2, then the odd primes.

use std::f64::consts::TAU;

use super::{Block, Complex, Lanes};

/// A planned transform: tables only.
#[derive(Clone, Debug)]
pub(in crate::features) struct Fft {
    passes: Vec<Pass>,
    /// Where the transform leaves frequency k, for k in 0..N/2.
    place: Vec<u32>,
    /// cos and -sin of 2πk/N, for k in 0..=N/4.
    untangle: Vec<[f32; 2]>,
}

/// One pass over the whole array, in blocks that are independent of each other from then on.
#[derive(Clone, Debug)]
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
    pub fn new(size: usize) -> Self {
        let half = size / 2;
        let mut length = half;
        let mut passes = Vec::new();
        for radix in radices(half) {
            passes.push(Pass::new(radix, length));
            length /= radix;
        }
        let place = (0..half)
            .map(|k| {
                let (mut k, mut place) = (k, 0);
                for pass in &passes {
                    place += k % pass.radix * (pass.length / pass.radix);
                    k /= pass.radix;
                }
                place as u32
            })
            .collect();
        let untangle = (0..=half / 2).map(|k| root(k, size)).collect();
        Self { passes, place, untangle }
    }

    /// Takes half the even samples in `re` and half the odd ones in `im` of `data` (N/2 values, which it
    /// overwrites) to the power in each of the N/2 + 1 bins, or with `magnitude` to its root.
    #[inline(always)]
    pub fn power<L: Lanes>(&self, data: &mut [Complex], power: &mut [Block], magnitude: bool) {
        for pass in &self.passes {
            match pass.radix {
                2 => pass.run::<L, 2>(data),
                3 => pass.run::<L, 3>(data),
                4 => pass.run::<L, 4>(data),
                5 => pass.run::<L, 5>(data),
                7 => pass.run::<L, 7>(data),
                _ => pass.run::<L, 8>(data),
            }
        }
        let half = data.len();
        let squared = |re: L, im: L| {
            let square = re.mul_add(re, im.mul(im));
            if magnitude { square.sqrt() } else { square }
        };
        let (re, im) = get::<L>(data, 0);
        let zero = L::splat(0.0);
        let (sum, difference) = (re.add(im), re.sub(im));
        squared(sum.add(sum), zero).store(&mut power[0]);
        squared(difference.add(difference), zero).store(&mut power[half]);
        for (k, &[c, s]) in self.untangle.iter().enumerate().skip(1) {
            let (ar, ai) = get::<L>(data, self.place[k] as usize);
            let (br, bi) = get::<L>(data, self.place[half - k] as usize);
            let (er, ei) = (ar.add(br), ai.sub(bi));
            let (tr, ti) = times((ai.add(bi), br.sub(ar)), c, s);
            squared(er.add(tr), ei.add(ti)).store(&mut power[k]);
            squared(er.sub(tr), ei.sub(ti)).store(&mut power[half - k]);
        }
    }
}

/// The radices whose product is `n`, in the order of the passes.
fn radices(mut n: usize) -> Vec<usize> {
    let mut radices = Vec::new();
    let twos = n.trailing_zeros() as usize;
    n >>= twos;
    // Eights as far as they go, but rather two fours than an eight and a two.
    let fours = match twos % 3 {
        1 if twos > 1 => 2,
        2 => 1,
        _ => 0,
    };
    radices.extend(std::iter::repeat_n(8, (twos - 2 * fours) / 3));
    radices.extend(std::iter::repeat_n(4, fours));
    radices.extend((twos == 1).then_some(2));
    for prime in [3, 5, 7] {
        while n.is_multiple_of(prime) {
            radices.push(prime);
            n /= prime;
        }
    }
    radices
}

/// e^(-2πi k/n)
fn root(k: usize, n: usize) -> [f32; 2] {
    let angle = TAU * (k % n) as f64 / n as f64;
    [angle.cos() as f32, -angle.sin() as f32]
}

#[inline(always)]
fn get<L: Lanes>(data: &[Complex], at: usize) -> Pair<L> {
    let value = &data[at];
    (L::load(&value.re), L::load(&value.im))
}

#[inline(always)]
fn times<L: Lanes>((re, im): Pair<L>, c: f32, s: f32) -> Pair<L> {
    let (c, s) = (L::splat(c), L::splat(s));
    (im.neg_mul_add(s, re.mul(c)), im.mul_add(c, re.mul(s)))
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
    fn new(radix: usize, length: usize) -> Self {
        let twiddles =
            (0..length / radix).flat_map(|j| (1..radix).map(move |m| root(j * m, length))).collect();
        let roots = (0..radix).map(|m| root(m, radix)).map(|[c, s]| [c, -s]).collect();
        Self { radix, length, twiddles, roots }
    }

    #[inline(always)]
    fn run<L: Lanes, const R: usize>(&self, data: &mut [Complex]) {
        let step = self.length / R;
        for block in data.chunks_exact_mut(self.length) {
            for j in 0..step {
                let mut x = [(L::splat(0.0), L::splat(0.0)); R];
                for m in 0..R {
                    x[m] = get(block, m * step + j);
                }
                self.butterfly(&mut x);
                for m in 0..R {
                    // The last pass has blocks of one value, whose factors are all 1.
                    if m > 0 && step > 1 {
                        let [c, s] = self.twiddles[j * (R - 1) + m - 1];
                        x[m] = times(x[m], c, s);
                    }
                    let value = &mut block[m * step + j];
                    x[m].0.store(&mut value.re);
                    x[m].1.store(&mut value.im);
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
