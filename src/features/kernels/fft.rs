//! The Fourier transform of eight or sixteen real rows at once, and the power in its bins.
//!
//! A row of N real values is N/2 complex ones (even and odd samples); their transform is taken in place, by
//! decimation in frequency, and comes out in another order, which a table undoes where the bins are made.
//! Radix 4, then the odd primes, then what is left of the twos. The last pass makes the bins, and with 32 registers the
//! first one reads the samples, so that values go through memory once less at either end.

use std::f64::consts::TAU;

use super::{Block, Complex, Lanes};
use crate::error::Result;
use crate::memory::collected;

/// What memory is taken for.
const TABLES: &str = "the tables of the FFT";

/// A planned transform: tables only.
#[derive(Debug)]
pub(in crate::features) struct Fft {
    /// N/2
    half: usize,
    /// Done while the samples are read; radix 1 only reads them.
    first: Pass,
    passes: Vec<Pass>,
    /// Done while the bins are made; radix 1 only makes them.
    last: Pass,
    /// Blocks of the last pass that have their conjugate partners in each other.
    pairs: Vec<[u32; 2]>,
    /// e^(-2πi k/N) for the bins of each pair.
    factors: Vec<[f32; 2]>,
    /// Blocks that have them in themselves, and what becomes of their values.
    own_blocks: Vec<usize>,
    own_bins: Vec<Bins>,
}

/// Two frequencies of the half-length transform that make two bins of the real one.
#[derive(Clone, Copy, Debug)]
struct Bins {
    k: usize,
    /// Where the transform leaves frequency k.
    low: usize,
    /// Where it leaves frequency N/2 - k.
    high: usize,
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

pub(in crate::features) type Pair<L> = (L, L);

/// What is transformed: half the even samples as real, half the odd ones as imaginary parts.
pub(in crate::features) trait Source<const N: usize, L: Lanes<N>> {
    /// Values `2 * at` and `2 * at + 1`; zeros beyond the end.
    fn two(&self, at: usize) -> [Pair<L>; 2];
}

/// Room for a leg of the first pass. A few values lie between two legs, so that they do not compete for the same
/// lines of the cache where their length is a power of two.
fn leg_room(step: usize) -> usize {
    step.next_multiple_of(8) + 8
}

impl Fft {
    /// Whether [`Fft::new`] takes this size.
    pub fn takes(size: usize) -> bool {
        let mut rest = size;
        for factor in [2, 3, 5, 7] {
            while rest.is_multiple_of(factor) {
                rest /= factor;
            }
        }
        rest == 1 && size >= 8 && size.is_multiple_of(2)
    }

    /// For rows of `size` values: even, at least 8, with no prime factor above 7. With fewer than 32 `registers` the first
    /// pass only reads, and with fewer than 16 a last one of radix 4 only makes bins: they would spill what they save.
    pub fn new(size: usize, registers: usize) -> Result<Self> {
        let half = size / 2;
        let (first, middle, last) = radices(half, registers);
        let mut length = half;
        let mut pass = |radix| {
            let pass = Pass::new(radix, length);
            length /= radix;
            pass
        };
        let first = pass(first)?;
        let passes = middle.into_iter().map(&mut pass).collect::<Result<Vec<_>>>()?;
        let last = pass(last)?;
        let place = |mut k: usize| {
            let mut place = k % first.radix * leg_room(half / first.radix);
            k /= first.radix;
            for pass in passes.iter().chain([&last]) {
                place += k % pass.radix * (pass.length / pass.radix);
                k /= pass.radix;
            }
            place
        };
        let radix = last.radix;
        let step = half / radix;
        let block = |bin: usize| (place(bin) / radix) as u32;
        let factors = |bin: usize| (0..radix).map(move |m| root(bin + m * step, size));
        let bins =
            |k: usize| Bins { k, low: place(k), high: place((half - k) % half), factor: root(k, size) };
        let middle = step.is_multiple_of(2).then_some(step / 2);
        let paired = 1..step.div_ceil(2);
        let own = |k: &usize| k.is_multiple_of(step) || Some(k % step) == middle;
        Ok(Self {
            half,
            pairs: collected(
                paired.len(),
                TABLES,
                paired.clone().map(|bin| [block(bin), block(step - bin)]),
            )?,
            factors: collected(paired.len() * radix, TABLES, paired.flat_map(factors))?,
            own_blocks: [Some(0), middle].into_iter().flatten().map(|bin| place(bin) / radix).collect(),
            own_bins: collected(
                (0..=half / 2).filter(own).count(),
                TABLES,
                (0..=half / 2).filter(own).map(bins),
            )?,
            first,
            passes,
            last,
        })
    }

    /// Complex values that [`Fft::power`] needs room for.
    pub fn room(&self) -> usize {
        self.first.radix * leg_room(self.half / self.first.radix)
    }

    /// The power in each of the N/2 + 1 bins of `source`. `data` is scratch space, and `REGISTERS` what was planned for.
    #[inline(always)]
    pub fn power<const N: usize, L: Lanes<N>, const REGISTERS: usize>(
        &self,
        source: &impl Source<N, L>,
        data: &mut [Complex<N>],
        power: &mut [Block<N>],
    ) {
        match self.first.radix {
            4 if REGISTERS >= 32 => self.first.read::<N, L, 4>(source, data),
            _ => self.first.read::<N, L, 1>(source, data),
        }
        let step = self.half / self.first.radix;
        // Leg by leg, so that sixteen lanes stay in the first-level cache.
        for leg in data.chunks_exact_mut(leg_room(step)).take(self.first.radix) {
            for pass in &self.passes {
                pass.run_any::<N, L>(&mut leg[..step]);
            }
        }
        match self.last.radix {
            4 if REGISTERS >= 16 => self.bins::<N, L, 4>(data, power),
            2 => self.bins::<N, L, 2>(data, power),
            _ => self.bins::<N, L, 1>(data, power),
        }
    }

    /// The last pass, and the bins that its output makes.
    #[inline(always)]
    fn bins<const N: usize, L: Lanes<N>, const R: usize>(
        &self,
        data: &mut [Complex<N>],
        power: &mut [Block<N>],
    ) {
        let step = self.half / R;
        let (blocks, _) = data.as_chunks_mut::<R>();
        for &block in &self.own_blocks {
            let mut x = values(&blocks[block]);
            self.last.butterfly::<N, L, R>(&mut x);
            for m in 0..R {
                put(x[m], &mut blocks[block][m]);
            }
        }
        for bins in &self.own_bins {
            let at = |place: usize| get(&blocks[place / R][place % R]);
            let [low, high] = two_bins::<N, L>(at(bins.low), at(bins.high), &bins.factor);
            low.store(&mut power[bins.k]);
            high.store(&mut power[self.half - bins.k]);
        }
        // Bins m * step + j are in leg m; slices whose length is plainly `step`, as in `Pass::run`.
        let mut rest = power;
        let legs: [&mut [Block<N>]; R] = std::array::from_fn(|_| {
            let (leg, others) = std::mem::take(&mut rest).split_at_mut(step);
            rest = others;
            leg
        });
        let (factors, _) = self.factors.as_chunks::<R>();
        for (j, (pair, factors)) in (1..).zip(self.pairs.iter().zip(factors)) {
            let mut low = values(&blocks[pair[0] as usize]);
            let mut high = values(&blocks[pair[1] as usize]);
            self.last.butterfly::<N, L, R>(&mut low);
            self.last.butterfly::<N, L, R>(&mut high);
            let i = step.wrapping_sub(j);
            if j >= step || i >= step {
                return;
            }
            for m in 0..R {
                let [a, b] = two_bins::<N, L>(low[m], high[R - 1 - m], &factors[m]);
                a.store(&mut legs[m][j]);
                b.store(&mut legs[R - 1 - m][i]);
            }
        }
    }
}

/// The radices whose product is `n`: that of the pass that reads, those between, that of the pass that makes bins.
/// The values of radix 4 just fit into sixteen registers; radix 8 was no faster with 32 of them.
fn radices(mut n: usize, registers: usize) -> (usize, Vec<usize>, usize) {
    let twos = n.trailing_zeros() as usize;
    let (mut fours, mut last) = match twos {
        0 => (0, 1),
        _ if twos % 2 == 1 => (twos / 2, 2),
        _ => (twos / 2 - 1, 4),
    };
    // The pass that reads takes two values of each leg at a time.
    let mut first = 1;
    if registers >= 32 && fours > 0 && n.is_multiple_of(8) {
        first = 4;
        fours -= 1;
    }
    let mut middle = vec![4; fours];
    n >>= twos;
    for prime in [3, 5, 7] {
        while n.is_multiple_of(prime) {
            middle.push(prime);
            n /= prime;
        }
    }
    if registers < 16 && last == 4 {
        middle.push(std::mem::replace(&mut last, 1));
    }
    (first, middle, last)
}

/// e^(-2πi k/n)
fn root(k: usize, n: usize) -> [f32; 2] {
    let angle = TAU * (k % n) as f64 / n as f64;
    [angle.cos() as f32, -angle.sin() as f32]
}

#[inline(always)]
fn get<const N: usize, L: Lanes<N>>(value: &Complex<N>) -> Pair<L> {
    (L::load(&value[0]), L::load(&value[1]))
}

#[inline(always)]
pub(super) fn put<const N: usize, L: Lanes<N>>((re, im): Pair<L>, value: &mut Complex<N>) {
    re.store(&mut value[0]);
    im.store(&mut value[1]);
}

#[inline(always)]
fn times<const N: usize, L: Lanes<N>>((re, im): Pair<L>, &[c, s]: &[f32; 2]) -> Pair<L> {
    let (c, s) = (L::splat(c), L::splat(s));
    (im.neg_mul_add(s, re.mul(c)), im.mul_add(c, re.mul(s)))
}

#[inline(always)]
fn size<const N: usize, L: Lanes<N>>((re, im): Pair<L>) -> L {
    re.mul_add(re, im.mul(im))
}

#[inline(always)]
fn values<const N: usize, L: Lanes<N>, const R: usize>(block: &[Complex<N>; R]) -> [Pair<L>; R] {
    let mut x = [(L::splat(0.0), L::splat(0.0)); R];
    for m in 0..R {
        x[m] = get(&block[m]);
    }
    x
}

/// The power in bins k and N/2 - k, of what the half-length transform has there.
#[inline(always)]
fn two_bins<const N: usize, L: Lanes<N>>(a: Pair<L>, b: Pair<L>, factor: &[f32; 2]) -> [L; 2] {
    let (er, ei) = (a.0.add(b.0), a.1.sub(b.1));
    let (tr, ti) = times((a.1.add(b.1), b.0.sub(a.0)), factor);
    [size((er.add(tr), ei.add(ti))), size((er.sub(tr), ei.sub(ti)))]
}

#[inline(always)]
fn plus<const N: usize, L: Lanes<N>>(a: Pair<L>, b: Pair<L>) -> Pair<L> {
    (a.0.add(b.0), a.1.add(b.1))
}

#[inline(always)]
fn minus<const N: usize, L: Lanes<N>>(a: Pair<L>, b: Pair<L>) -> Pair<L> {
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

    /// The first pass, two butterflies at a time, on what `source` has.
    #[inline(always)]
    fn read<const N: usize, L: Lanes<N>, const R: usize>(
        &self,
        source: &impl Source<N, L>,
        data: &mut [Complex<N>],
    ) {
        let step = self.length / R;
        let twos = step.div_ceil(2);
        let mut rest = data;
        let legs: [&mut [[Complex<N>; 2]]; R] = std::array::from_fn(|_| {
            let (leg, others) = std::mem::take(&mut rest).split_at_mut(leg_room(step));
            rest = others;
            &mut leg.as_chunks_mut().0[..twos]
        });
        let mut factors = self.twiddles.chunks_exact(2 * (R - 1).max(1));
        #[allow(clippy::needless_range_loop)] // `at` indexes inside every leg, not `legs`
        for at in 0..twos {
            let mut x = [[(L::splat(0.0), L::splat(0.0)); R]; 2];
            for m in 0..R {
                [x[0][m], x[1][m]] = source.two(m * twos + at);
            }
            self.butterfly(&mut x[0]);
            self.butterfly(&mut x[1]);
            if R > 1
                && let Some(factors) = factors.next()
            {
                for m in 1..R {
                    x[0][m] = times(x[0][m], &factors[m - 1]);
                    x[1][m] = times(x[1][m], &factors[R + m - 2]);
                }
            }
            for m in 0..R {
                put(x[0][m], &mut legs[m][at][0]);
                put(x[1][m], &mut legs[m][at][1]);
            }
        }
    }

    #[inline(always)]
    fn run_any<const N: usize, L: Lanes<N>>(&self, data: &mut [Complex<N>]) {
        match self.radix {
            3 => self.run::<N, L, 3>(data),
            4 => self.run::<N, L, 4>(data),
            5 => self.run::<N, L, 5>(data),
            _ => self.run::<N, L, 7>(data),
        }
    }

    #[inline(always)]
    fn run<const N: usize, L: Lanes<N>, const R: usize>(&self, data: &mut [Complex<N>]) {
        let step = self.length / R;
        for block in data.chunks_exact_mut(self.length) {
            // Slices whose length is plainly `step`, so that no index is checked in the loop.
            let mut rest = block;
            let legs: [&mut [Complex<N>]; R] = std::array::from_fn(|_| {
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
                // Where blocks of one value are left, their factors are all 1.
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
    fn butterfly<const N: usize, L: Lanes<N>, const R: usize>(&self, x: &mut [Pair<L>; R]) {
        match R {
            1 => {}
            2 => (x[0], x[1]) = (plus(x[0], x[1]), minus(x[0], x[1])),
            4 => {
                let y = four([x[0], x[1], x[2], x[3]]);
                x.copy_from_slice(&y);
            }
            _ => self.odd_butterfly(x),
        }
    }

    /// For an odd `R`: values m and R - m differ in the sign of their sines only.
    #[inline(always)]
    fn odd_butterfly<const N: usize, L: Lanes<N>, const R: usize>(&self, x: &mut [Pair<L>; R]) {
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
fn four<const N: usize, L: Lanes<N>>(x: [Pair<L>; 4]) -> [Pair<L>; 4] {
    let (a, b) = (plus(x[0], x[2]), minus(x[0], x[2]));
    let (c, d) = (plus(x[1], x[3]), minus(x[1], x[3]));
    // b ± d · (-i)
    [plus(a, c), (b.0.add(d.1), b.1.sub(d.0)), minus(a, c), (b.0.sub(d.1), b.1.add(d.0))]
}
