//! The processor's floating-point state while Auricle computes, whatever the host has set: numbers below the normal
//! range (denormals) count as 0, no exception traps, results are rounded to nearest.
//!
//! Denormals, which a tail that fades out is full of, are computed by microcode: some 25 times slower on x86. Unmasked
//! exceptions would make digital silence, whose level is log10(0), end the program.
//!
//! Rust takes for granted that exceptions are masked and results rounded to nearest: this makes it so for C hosts. It
//! also takes for granted that denormals are kept: what the compiler computes itself, or moves over the change, may be
//! one instead of 0, which nothing here depends on.
#![allow(unsafe_code)]

use std::marker::PhantomData;

/// Sets the state. When it is dropped, on the same thread, everything is as it was, the exception flags included. Costs
/// a few nanoseconds; calls nothing.
#[must_use = "dropping it restores the host's state"]
pub(crate) struct FloatEnv {
    before: imp::State,
    /// The state belongs to a thread.
    _thread: PhantomData<*const ()>,
}

impl FloatEnv {
    #[inline]
    pub fn enter() -> Self {
        Self { before: imp::enter(), _thread: PhantomData }
    }
}

impl Drop for FloatEnv {
    #[inline]
    fn drop(&mut self) {
        imp::restore(&self.before);
    }
}

/// Intel's manual, volume 1: MXCSR (10.2.3) rules SSE and AVX, which everything here computes with; the x87 control word
/// (8.1.5) rules `long double`.
#[cfg(target_arch = "x86_64")]
mod imp {
    use std::arch::asm;
    use std::arch::x86_64::_mm256_zeroupper;

    /// All exceptions masked, none seen, to nearest; results and operands below the normal range are 0.
    pub const MXCSR: u32 = 0x1f80 | 0x8000 | 0x0040;
    /// Of the x87 control word: exceptions masked, and the two bits of the rounding, 0 for nearest.
    pub const X87_MASKED: u16 = 0x003f;
    pub const X87_ROUNDING: u16 = 0x0c00;

    pub struct State {
        mxcsr: u32,
        /// The x87 environment, if it was not the usual one.
        x87: Option<X87>,
    }

    /// What `fnstenv` writes; the control word comes first.
    type X87 = [u16; 14];

    #[inline]
    pub fn enter() -> State {
        if is_x86_feature_detected!("avx") {
            // SAFETY: the processor has AVX.
            unsafe { clear_upper_halves() }
        }
        let (mut mxcsr, mut control) = (0_u32, 0_u16);
        // SAFETY: both instructions write the variable that they are given, and nothing else.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr, options(nostack, preserves_flags));
            asm!("fnstcw [{}]", in(reg) &raw mut control, options(nostack, preserves_flags));
        }
        set_mxcsr(MXCSR);
        let usual = control & (X87_MASKED | X87_ROUNDING) == X87_MASKED;
        State { mxcsr, x87: (!usual).then(enter_x87) }
    }

    /// What a host leaves in the upper halves of the vector registers makes every SSE instruction wait for the one before it
    /// that wrote the same register. Compilers clear them before calls; .NET 8 does not (measured: a read took 1.5 times as
    /// long). No calling convention keeps them.
    #[target_feature(enable = "avx")]
    fn clear_upper_halves() {
        _mm256_zeroupper();
    }

    #[inline]
    pub fn restore(before: &State) {
        set_mxcsr(before.mxcsr);
        if let Some(x87) = &before.x87 {
            // SAFETY: what `fnstenv` wrote in this thread; the register stack is as deep as then, namely empty, as the
            // ABI has it between calls.
            unsafe { asm!("fldenv [{}]", in(reg) x87, options(nostack, preserves_flags)) }
        }
    }

    #[inline]
    fn set_mxcsr(value: u32) {
        // SAFETY: reads the variable. Of MXCSR only bits are set that every x86-64 processor has; see the module's head
        // for what the change means to Rust.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, preserves_flags)) }
    }

    #[cold]
    fn enter_x87() -> X87 {
        let mut before: X87 = [0; 14];
        // SAFETY: 28 bytes are written, and read back with another control word.
        unsafe {
            asm!("fnstenv [{}]", in(reg) &raw mut before, options(nostack, preserves_flags));
            let control = (before[0] & !X87_ROUNDING) | X87_MASKED;
            asm!("fldcw [{}]", in(reg) &raw const control, options(nostack, preserves_flags));
        }
        before
    }
}

/// Arm's manual: FPCR is the control, FPSR has the exception flags.
#[cfg(target_arch = "aarch64")]
mod imp {
    use std::arch::asm;

    /// FZ alone: results and operands below the normal range are 0; to nearest; nothing traps.
    const FPCR: u64 = 1 << 24;

    pub struct State {
        control: u64,
        flags: u64,
    }

    #[inline]
    pub fn enter() -> State {
        let (control, flags);
        // SAFETY: reads two registers. Every AArch64 processor has FZ; see the module's head for what it means to Rust.
        // No `nomem`: loads and stores stay on their side of it.
        unsafe {
            asm!("mrs {}, fpcr", "mrs {}, fpsr", out(reg) control, out(reg) flags, options(nostack));
            asm!("msr fpcr, {}", in(reg) FPCR, options(nostack));
        }
        State { control, flags }
    }

    #[inline]
    pub fn restore(before: &State) {
        // SAFETY: what `enter` read in this thread.
        unsafe {
            asm!("msr fpcr, {}", "msr fpsr, {}", in(reg) before.control, in(reg) before.flags, options(nostack));
        }
    }
}

/// Other processors compute in the host's state.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod imp {
    pub struct State;

    pub fn enter() -> State {
        State
    }

    pub fn restore(_before: &State) {}
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use std::arch::asm;

    fn mxcsr() -> u32 {
        let mut value = 0_u32;
        // SAFETY: writes the variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags)) };
        value
    }

    fn x87() -> (u16, u16) {
        let (mut control, mut status) = (0_u16, 0_u16);
        // SAFETY: each writes a variable.
        unsafe {
            asm!("fnstcw [{}]", in(reg) &raw mut control, options(nostack, preserves_flags));
            asm!("fnstsw [{}]", in(reg) &raw mut status, options(nostack, preserves_flags));
        }
        (control, status)
    }

    /// Both units rounded and masked so; only integers are computed with before the old state is back.
    fn with(mxcsr: u32, control: u16, body: impl FnOnce()) {
        let mut before = (0_u32, 0_u16);
        // SAFETY: reads and writes variables; the state is put back below, and the closures compute no floats.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut before.0, options(nostack, preserves_flags));
            asm!("fnstcw [{}]", in(reg) &raw mut before.1, options(nostack, preserves_flags));
            asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack, preserves_flags));
            asm!("fnclex", "fldcw [{}]", in(reg) &raw const control, options(nostack, preserves_flags));
        }
        body();
        // SAFETY: as above.
        unsafe {
            asm!("ldmxcsr [{}]", in(reg) &raw const before.0, options(nostack, preserves_flags));
            asm!("fldcw [{}]", in(reg) &raw const before.1, options(nostack, preserves_flags));
        }
    }

    #[test]
    fn any_state_of_the_host_is_replaced_and_put_back_with_its_flags() {
        // Usual; upwards with all traps on; towards zero with flags seen and one trap; what a host with FTZ and DAZ has.
        for (host, control) in [(0x1f80, 0x037f), (0x4000, 0x0840), (0x7d2d, 0x0f7b), (0x9fc0, 0x027f)] {
            with(host, control, || {
                let before = (mxcsr(), x87());
                {
                    let _env = FloatEnv::enter();
                    let (inside, control) = (mxcsr(), x87().0);
                    assert_eq!(inside, imp::MXCSR);
                    assert_eq!(control & (imp::X87_MASKED | imp::X87_ROUNDING), imp::X87_MASKED);
                    let _nested = FloatEnv::enter();
                    // SAFETY: 0 / 0 in either unit raises a flag; the x87 stack is left as it was.
                    unsafe {
                        asm!("fldz", "fldz", "fdivp", "fstp st(0)", out("st(0)") _, out("st(1)") _);
                        asm!("xorps {0}, {0}", "divss {0}, {0}", out(xmm_reg) _);
                    }
                }
                // The flags of x87 are only put back together with an unusual control word.
                let (after, mask) = (x87(), if control & 0x0c3f == 0x003f { !0x003f } else { !0 });
                assert_eq!((mxcsr(), after.0, after.1 & mask), (before.0, before.1.0, before.1.1 & mask));
            });
        }
    }

    #[test]
    fn numbers_below_the_normal_range_are_0_inside_and_only_there() {
        use std::hint::black_box;
        let (denormal, smallest) = (black_box(1e-40_f32), black_box(f32::MIN_POSITIVE));
        let sums = || (black_box(denormal) + black_box(0.0), black_box(smallest) / black_box(2.0_f32));
        assert_eq!(sums(), (denormal, smallest / 2.0));
        {
            let _env = FloatEnv::enter();
            let (operand, result) = sums();
            assert_eq!((operand.to_bits(), result.to_bits()), (0, 0));
        }
        assert_eq!(sums(), (denormal, smallest / 2.0));
    }
}

#[cfg(all(test, target_arch = "aarch64"))]
mod tests {
    use super::*;
    use std::arch::asm;

    fn state() -> (u64, u64) {
        let (control, flags);
        // SAFETY: reads two registers.
        unsafe { asm!("mrs {}, fpcr", "mrs {}, fpsr", out(reg) control, out(reg) flags, options(nostack)) };
        (control, flags)
    }

    fn set((control, flags): (u64, u64)) {
        // SAFETY: sets both registers, in values that every AArch64 processor has.
        unsafe { asm!("msr fpcr, {}", "msr fpsr, {}", in(reg) control, in(reg) flags, options(nostack)) };
    }

    #[test]
    fn any_state_of_the_host_is_replaced_and_put_back_with_its_flags() {
        // Usual; upwards with all flags seen; towards zero, NaNs by default, with one flag.
        for host in [(0, 0), (1 << 22, 0x9f), (3 << 22 | 1 << 25, 0x02)] {
            let usual = state();
            set(host);
            let env = FloatEnv::enter();
            let inside = state();
            // SAFETY: 0 / 0 raises a flag, and nothing else.
            unsafe { asm!("fmov {0:s}, wzr", "fdiv {0:s}, {0:s}, {0:s}", out(vreg) _) };
            drop(env);
            let after = state();
            set(usual);
            assert_eq!(inside.0, 1 << 24, "FZ alone");
            assert_eq!(after, host);
        }
    }
}
