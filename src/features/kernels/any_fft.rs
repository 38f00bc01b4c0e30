//! The transform of sizes that the lanes' own has no radices for: odd ones and those with large prime factors. Row by row,
//! by rustfft.

use std::fmt;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex as Value};

use super::fft::{Source, put};
use super::{Block, Complex, Lanes};
use crate::error::Result;
use crate::memory::{filled, reserved};

/// No less than a plan takes for each value of a row (tests/memory.rs measures it).
const PLAN_BYTES: usize = 128;

/// A planned transform.
#[derive(Clone)]
pub(in crate::features) struct AnyFft {
    size: usize,
    plan: Arc<dyn RealToComplex<f32>>,
}

/// What one thread needs to run it.
pub(in crate::features) struct AnyBuffers {
    row: Vec<f32>,
    spectrum: Vec<Value<f32>>,
    scratch: Vec<Value<f32>>,
}

impl AnyFft {
    /// For rows of `size` values.
    ///
    /// The tables of `realfft` cannot be refused: where there is no memory for them, the process ends. So as much as they
    /// take is claimed first, and given back: what is short of it fails here.
    pub fn new(size: usize) -> Result<Self> {
        drop(reserved::<u8>(size * PLAN_BYTES, "the tables of the FFT")?);
        Ok(Self { size, plan: RealFftPlanner::new().plan_fft_forward(size) })
    }

    pub fn buffers(&self) -> Result<AnyBuffers> {
        let what = "the buffers of the FFT";
        Ok(AnyBuffers {
            row: filled(self.size, 0.0, what)?,
            spectrum: filled(self.size / 2 + 1, Value::default(), what)?,
            scratch: filled(self.plan.get_scratch_len(), Value::default(), what)?,
        })
    }

    /// Complex values that [`AnyFft::power`] needs room for.
    pub fn room(&self) -> usize {
        self.size.next_multiple_of(4) / 2
    }

    /// The power in each of the bins of `source`. `data` is scratch space.
    #[inline(always)]
    pub fn power<const N: usize, L: Lanes<N>>(
        &self,
        source: &impl Source<N, L>,
        data: &mut [Complex<N>],
        buffers: &mut AnyBuffers,
        power: &mut [Block<N>],
    ) {
        for (at, four) in data.as_chunks_mut::<2>().0.iter_mut().take(self.room() / 2).enumerate() {
            let [a, b] = source.two(at);
            put(a, &mut four[0]);
            put(b, &mut four[1]);
        }
        for lane in 0..N {
            self.row(lane, data, buffers, power);
        }
    }

    /// Not inlined: it is the same for all lanes.
    fn row<const N: usize>(
        &self,
        lane: usize,
        data: &[Complex<N>],
        buffers: &mut AnyBuffers,
        power: &mut [Block<N>],
    ) {
        let AnyBuffers { row, spectrum, scratch } = buffers;
        for (value, block) in row.iter_mut().zip(data.as_flattened()) {
            *value = block[lane];
        }
        self.plan.process_with_scratch(row, spectrum, scratch).expect("the buffers were made for this plan");
        for (power, value) in power.iter_mut().zip(spectrum) {
            // Of halves, as the sources give them.
            power[lane] = 4.0 * value.norm_sqr();
        }
    }
}

impl fmt::Debug for AnyFft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyFft {{ size: {} }}", self.size)
    }
}
