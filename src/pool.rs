//! Values that are dear to make, kept for the next thread that needs one. Nobody waits for another.

use parking_lot::Mutex;

use crate::error::Result;
use crate::memory::reserved;

/// As many values come to be as threads use one at the same time; up to `max` are kept.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    max: usize,
}

impl<T> Pool<T> {
    pub fn new(max: usize) -> Result<Self> {
        Ok(Self { idle: Mutex::new(reserved(max, "the idle buffers")?), max })
    }

    /// An idle value that `fits`.
    pub fn take(&self, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut idle = self.idle.lock();
        let index = idle.iter().rposition(fits)?;
        Some(idle.remove(index))
    }

    /// Gives a value back. If too many are idle, the one that has been so for longest goes.
    pub fn put(&self, value: T) {
        let mut idle = self.idle.lock();
        let oldest = (idle.len() >= self.max).then(|| idle.remove(0));
        idle.push(value);
        drop(idle);
        drop(oldest); // outside the lock: it may be large
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_fits_is_taken_and_the_oldest_goes_first() {
        let pool = Pool::new(3).expect("small");
        (1..=5).for_each(|n| pool.put(n));
        assert_eq!(pool.take(|n| n % 2 == 0), Some(4));
        assert_eq!(pool.take(|&n| n < 3), None, "1 and 2 have gone");
        assert_eq!((pool.take(|_| true), pool.take(|_| true), pool.take(|_| true)), (Some(5), Some(3), None));
    }
}
