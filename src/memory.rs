//! Memory whose size a caller, a file or a manifest decides: where it cannot be had, the call fails and the host lives.

use std::collections::HashSet;
use std::hash::Hash;

use bytemuck::Zeroable;

use crate::error::{Error, Result, Status};

/// An empty vector with room for `count` values. `what`, a noun in the plural, is named in the message.
pub(crate) fn reserved<T>(count: usize, what: &str) -> Result<Vec<T>> {
    let mut values = Vec::new();
    match values.try_reserve_exact(count) {
        Ok(()) => Ok(values),
        Err(_) => Err(short_of::<T>(count, what)),
    }
}

/// `count` times `value`.
pub(crate) fn filled<T: Clone>(count: usize, value: T, what: &str) -> Result<Vec<T>> {
    let mut values = reserved(count, what)?;
    values.resize(count, value);
    Ok(values)
}

/// The values of `values`, which are `count`.
pub(crate) fn collected<T>(count: usize, what: &str, values: impl IntoIterator<Item = T>) -> Result<Vec<T>> {
    let mut all = reserved(count, what)?;
    all.extend(values.into_iter().take(count));
    Ok(all)
}

/// Makes room in `values` for `more` of them.
pub(crate) fn grow<T>(values: &mut Vec<T>, more: usize, what: &str) -> Result<()> {
    let count = values.len().saturating_add(more);
    values.try_reserve(more).map_err(|_| short_of::<T>(count, what))
}

/// An empty set with room for `count` values.
pub(crate) fn set<T: Eq + Hash>(count: usize, what: &str) -> Result<HashSet<T>> {
    let mut set = HashSet::new();
    set.try_reserve(count).map_err(|_| short_of::<T>(count, what))?;
    Ok(set)
}

/// `count` zeros, in pages that the system finds when they are touched first.
pub(crate) fn zeroed<T: Zeroable>(count: usize, what: &str) -> Result<Box<[T]>> {
    bytemuck::allocation::try_zeroed_slice_box(count).map_err(|()| short_of::<T>(count, what))
}

#[cold]
fn short_of<T>(count: usize, what: &str) -> Error {
    let bytes = count as u128 * size_of::<T>() as u128;
    Error::new(Status::Memory, format!("{what} need {bytes} bytes of memory, which could not be had"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_cannot_be_had_is_an_error_with_its_size() {
        for count in [1 << 59, usize::MAX] {
            let error = filled(count, 0_u64, "the samples of a window").expect_err("no machine has so much");
            assert_eq!(error.status(), Status::Memory);
            let message = format!(
                "the samples of a window need {} bytes of memory, which could not be had",
                8 * count as u128
            );
            assert_eq!(error.message(), message);
        }
        let values = filled(3, 7_u8, "three").expect("three bytes");
        assert_eq!((values.capacity(), &values[..]), (3, &[7, 7, 7][..]));
    }
}
