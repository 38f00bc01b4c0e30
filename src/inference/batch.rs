//! How many windows go into one run of a network.

use std::time::Instant;

use serde::Serialize;

use crate::error::Result;

/// The most that can be asked for.
pub(crate) const MAX: u32 = 1024;

/// A run after one of another size takes this much longer: the provider prepares every size anew. (CUDA's convolutions
/// do: cuDNN's plan is kept for the last shape only. On an H200 the plans of YAMNet took half a second.)
const DEAR: f64 = 3.0;

/// Numbers of windows that a run may have, the largest first; each costs less a window than those behind it.
#[derive(Debug, Serialize)]
pub(crate) struct Sizes {
    sizes: Vec<Size>,
    /// Every run has the largest of them, with as many windows in it as there are, because a change is dear.
    always_largest: bool,
}

#[derive(Debug, Serialize)]
struct Size {
    windows: usize,
    milliseconds: f64,
}

impl Sizes {
    /// The powers of two up to `max` that pay: `run` takes so many windows through the network, and the time of one window
    /// must be the least so far. `prepares`: the provider may prepare each size; the CPU does not, and on a busy machine
    /// its times would look as if.
    pub fn measure(max: usize, prepares: bool, mut run: impl FnMut(usize) -> Result<()>) -> Result<Self> {
        let mut sizes: Vec<Size> = Vec::new();
        let (mut least, mut always_largest) = (f64::INFINITY, false);
        for windows in std::iter::successors(Some(1), |size| Some(size * 2)).take_while(|&size| size <= max) {
            run(windows)?; // what is prepared in a first run does not count
            let milliseconds = quickest(windows, None, &mut run)?;
            if milliseconds / (windows as f64) < least {
                least = milliseconds / windows as f64;
                sizes.push(Size { windows, milliseconds });
            }
            always_largest |= prepares
                && windows > 1
                && quickest(windows, Some(windows / 2), &mut run)? > DEAR * milliseconds.max(0.1);
        }
        sizes.reverse();
        sizes.truncate(if always_largest { 1 } else { sizes.len() });
        if always_largest {
            run(sizes[0].windows)?; // so that the next one finds it prepared
        }
        Ok(Self { sizes, always_largest })
    }

    /// Of `waiting` windows, which are not 0: how many go into the next run, and how many that has room for.
    pub fn next(&self, waiting: usize) -> (usize, usize) {
        let fits =
            self.sizes.iter().map(|size| size.windows).find(|&size| size <= waiting || self.always_largest);
        let size = fits.unwrap_or(1);
        (size.min(waiting), size)
    }

    /// How many windows a run for one has room for.
    pub fn single(&self) -> usize {
        self.next(1).1
    }
}

/// The quickest of a few runs, ms, each behind one of size `other`: other work of the machine only ever adds.
fn quickest(size: usize, other: Option<usize>, run: &mut impl FnMut(usize) -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        other.map_or(Ok(()), &mut *run)?;
        let started = Instant::now();
        run(size)?;
        best = best.min(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn wait(milliseconds: u64) -> Result<()> {
        std::thread::sleep(Duration::from_millis(milliseconds));
        Ok(())
    }

    #[test]
    fn sizes_that_do_not_pay_are_left_out_and_the_rest_is_dealt_from_the_largest() {
        // A window costs 8, 4, 7.5, 2 ms in runs of 1, 2, 4, 8.
        let sizes = Sizes::measure(8, true, |size| wait([8, 8, 0, 30, 0, 0, 0, 16][size - 1])).expect("runs");
        let dealt: Vec<_> = [1, 2, 7, 8, 100].map(|waiting| sizes.next(waiting)).into();
        assert_eq!(dealt, [(1, 1), (2, 2), (2, 2), (8, 8), (8, 8)], "{sizes:?}");
        assert_eq!(sizes.single(), 1);
    }

    #[test]
    fn where_a_change_of_size_is_dear_every_run_has_the_largest() {
        let mut last = 0;
        let run = |size| {
            let changed = std::mem::replace(&mut last, size) != size;
            wait(if changed { 30 } else { 2 })
        };
        let sizes = Sizes::measure(8, true, run).expect("runs");
        assert_eq!([1, 7, 8, 100].map(|waiting| sizes.next(waiting)), [(1, 8), (7, 8), (8, 8), (8, 8)]);
        assert_eq!(sizes.single(), 8);
    }
}
