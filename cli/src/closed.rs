//! Whether standard output was there when the program started. Rust's run time opens /dev/null in the place of a
//! missing one before `main`, and looks like a success from then on; so this looks before it.
#![allow(unsafe_code)]

#[cfg(unix)]
mod unix {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;

    pub static CLOSED: AtomicBool = AtomicBool::new(false);

    #[used]
    // SAFETY: the system's loader calls the functions of this section, of this type, once each and before `main`.
    #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
    #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
    static LOOK: extern "C" fn() = look;

    extern "C" fn look() {
        // SAFETY: asks for the flags of a descriptor, which fails for one that is not open.
        CLOSED.store(unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) } == -1, Relaxed);
    }
}

/// Whether there was none.
pub fn standard_output() -> bool {
    #[cfg(unix)]
    return unix::CLOSED.load(std::sync::atomic::Ordering::Relaxed);
    #[cfg(not(unix))]
    return false;
}
