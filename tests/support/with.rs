//! Structs that may grow cannot be written out outside the library, only changed.

/// `value`, changed.
pub fn with<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}
