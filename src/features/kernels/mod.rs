//! Eight rows at a time: lane l of every vector belongs to row l, so that the transform, the filter bank and the
//! logarithm need no shuffles. The loops are written once, over [`Lanes`]; each instruction set has its own type.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod fft;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

pub(super) use fft::Fft;

/// Rows that are computed side by side.
pub(super) const LANES: usize = 8;

/// One value for each lane, as it lies in memory.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(32))]
pub(super) struct Block(pub [f32; LANES]);

/// One complex value for each lane; just one cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Complex {
    pub re: Block,
    pub im: Block,
}

/// A vector register (or two) of eight lanes.
pub(super) trait Lanes: Copy {
    fn load(block: &Block) -> Self;
    fn store(self, block: &mut Block);
    fn splat(x: f32) -> Self;
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    /// `self * b + c`
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `c - self * b`
    fn neg_mul_add(self, b: Self, c: Self) -> Self;
    /// The larger one; `b` if `self` is not a number.
    fn max(self, b: Self) -> Self;
    fn sqrt(self) -> Self;
    /// Mantissa in √½..√2 and exponent of normal positive numbers.
    fn split(self) -> (Self, Self);
    /// Four values of each row -> four vectors.
    fn gather(rows: [&[f32; 4]; LANES]) -> [Self; 4];
    /// Four vectors -> four values of each row.
    fn scatter(columns: [Self; 4]) -> [[f32; 4]; LANES];
}

/// Natural logarithm of normal positive numbers, to about one unit in the last place.
/// The polynomial is that of Cephes' `logf` (S. Moshier, 1992).
#[inline(always)]
pub(super) fn ln<L: Lanes>(x: L) -> L {
    const SERIES: [f32; 8] = [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    // ln 2 in two parts, the first with few enough bits for its product with an exponent to be exact.
    const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
    let (mantissa, exponent) = x.split();
    let f = mantissa.sub(L::splat(1.0));
    let square = f.mul(f);
    let mut sum = L::splat(7.037_683_6e-2);
    for c in SERIES {
        sum = sum.mul_add(f, L::splat(c));
    }
    let small = exponent.mul_add(L::splat(LN_2.1), sum.mul(f).mul(square));
    let small = square.neg_mul_add(L::splat(0.5), small);
    exponent.mul_add(L::splat(LN_2.0), small.add(f))
}

/// Something that can be done with any kind of lanes.
pub(super) trait Task {
    fn run<L: Lanes>(self);
}

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Engine {
    /// All that this machine has, the fastest first.
    pub fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let fast =
            (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Engine::Avx2);
        #[cfg(target_arch = "aarch64")]
        let fast = Some(Engine::Neon);
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let fast = None;
        fast.into_iter().chain([Engine::Portable])
    }

    /// The fastest that this machine has.
    pub fn best() -> Self {
        Self::all().next().unwrap_or(Engine::Portable)
    }

    pub fn run(self, task: impl Task) {
        match self {
            Engine::Portable => task.run::<portable::Portable>(),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => avx2::run(task),
            #[cfg(target_arch = "aarch64")]
            Engine::Neon => task.run::<neon::Neon>(),
        }
    }
}
