//! How many windows go into one run of a network.

use std::time::{Duration, Instant};

use crate::error::Result;

/// The most that can be asked for.
pub(crate) const MAX: u32 = 1024;

/// Numbers of windows that a run may have, the largest first; each costs less a window than those behind it. The last is 1.
#[derive(Debug, PartialEq)]
pub(crate) struct Sizes(Vec<usize>);

impl Sizes {
    /// The powers of two up to `max` that pay: `run` takes so many windows through the network, and the time of one window
    /// must be the least so far. The first run of a size is the provider's preparation for it and does not count.
    pub fn measure(max: usize, mut run: impl FnMut(usize) -> Result<()>) -> Result<Self> {
        let mut sizes = Vec::new();
        let mut least = f64::INFINITY;
        for size in std::iter::successors(Some(1), |size| Some(size * 2)).take_while(|&size| size <= max) {
            run(size)?;
            let time = quickest(size, &mut run)?.as_secs_f64() / size as f64;
            if time < least {
                least = time;
                sizes.push(size);
            }
        }
        sizes.reverse();
        Ok(Self(sizes))
    }

    /// The largest that is not above `waiting`, which is not 0.
    pub fn for_waiting(&self, waiting: usize) -> usize {
        *self.0.iter().find(|&&size| size <= waiting).unwrap_or(&1)
    }
}

/// The quickest of a few runs: other work of the machine only ever adds.
fn quickest(size: usize, run: &mut impl FnMut(usize) -> Result<()>) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let started = Instant::now();
        run(size)?;
        best = best.min(started.elapsed());
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_do_not_pay_are_left_out_and_the_rest_is_dealt_from_the_largest() {
        // A window costs 4, 2, 3, 1 ms in runs of 1, 2, 4, 8.
        let milliseconds = |size| match size {
            1 => 4,
            2 => 4,
            4 => 12,
            _ => 8,
        };
        let run = |size| {
            std::thread::sleep(Duration::from_millis(milliseconds(size)));
            Ok(())
        };
        let sizes = Sizes::measure(8, run).expect("runs");
        assert_eq!(sizes, Sizes(vec![8, 2, 1]));
        let dealt: Vec<_> = [1, 2, 7, 8, 100].map(|waiting| sizes.for_waiting(waiting)).into();
        assert_eq!(dealt, [1, 2, 2, 8, 8]);
        assert_eq!(Sizes::measure(1, |_| Ok(())).expect("runs"), Sizes(vec![1]));
    }
}
