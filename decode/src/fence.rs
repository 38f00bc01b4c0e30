//! A fence around code that may panic on the bytes of a stranger.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static FENCED: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work`; a panic in it is an error with the panic's message, and nothing is printed. Panics elsewhere,
/// on this thread and on others, are reported as before.
pub(crate) fn fenced<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !FENCED.try_with(Cell::get).unwrap_or(false) {
                before(info);
            }
        }));
    });
    let outer = FENCED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    FENCED.set(outer);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".into())
    })
}

/// The same for our own code, which has no excuse: the fuzz target sees its panics.
pub(crate) fn fenced_own<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    if cfg!(fuzzing) { Ok(work()) } else { fenced(work) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_the_next_one_too() {
        assert_eq!(fenced(|| 7), Ok(7));
        assert_eq!(fenced(|| panic!("index {} of {}", 3, 2)), Err::<(), _>("index 3 of 2".into()));
        assert_eq!(fenced(|| fenced(|| panic!("inside")).is_err()), Ok(true));
        assert!(!FENCED.get());
    }
}
