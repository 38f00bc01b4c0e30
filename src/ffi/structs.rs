//! Structs that know their own size, so that programs and libraries of different age understand each other.

use bytemuck::{Pod, Zeroable};

use super::pointer;
use crate::error::{Error, Result};
use crate::memory::reserved;

/// A `struct_size` above this is a mistake (memory that was never initialised), not a newer program.
const MAX: usize = 4096;

/// A struct that a C program and the library share. Its first member is `struct_size: u32`.
///
/// # Safety
/// It is `repr(C)`, and every member takes any bits: integers, floats, pointers of the program.
pub unsafe trait HasStructSize: Zeroable + Copy {
    /// Name in C.
    const NAME: &'static str;
    /// Size in the first version that had it. Smaller ones are refused.
    const FIRST: usize;
}

/// # Safety
/// `pointer` is null, or points at a struct as long as its `struct_size` says.
unsafe fn size<T: HasStructSize>(name: &str, pointer: *const T) -> Result<usize> {
    // SAFETY: by contract; u32 has the alignment that is checked, or less than T's.
    let size = *unsafe { pointer::reference(name, pointer.cast::<u32>()) }? as usize;
    if !(T::FIRST..=MAX).contains(&size) {
        let (kind, first) = (T::NAME, T::FIRST);
        return Err(Error::argument(format!(
            "{name}->struct_size is {size}; valid {first}..={MAX}: call {kind}_init first"
        )));
    }
    Ok(size)
}

/// Reads options. What the program's struct lacks is 0; what only the program knows must be 0.
///
/// # Safety
/// `pointer` is null, or points at a struct as long as its `struct_size` says.
pub unsafe fn read<T: HasStructSize>(name: &str, pointer: *const T) -> Result<T> {
    // SAFETY: by contract.
    let given = unsafe { size(name, pointer) }?;
    // SAFETY: as many bytes are there by contract; bytes need no alignment.
    let (known, unknown) = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), given) }
        .split_at(given.min(size_of::<T>()));
    if let Some(place) = unknown.iter().position(|&byte| byte != 0) {
        return Err(Error::argument(format!(
            "{name}: the option at byte {} is not known to Auricle {}, which reads {} of the {given} bytes of {}; \
             leave it 0 or use a newer library",
            known.len() + place,
            crate::VERSION,
            known.len(),
            T::NAME,
        )));
    }
    let mut value = T::zeroed();
    // SAFETY: no longer than `T`, whose members take any bits by the contract of the trait.
    unsafe {
        std::ptr::copy_nonoverlapping(known.as_ptr(), std::ptr::from_mut(&mut value).cast(), known.len());
    }
    Ok(value)
}

/// An option that is 1 or 0.
pub fn flag(name: &str, value: u32) -> Result<bool> {
    match value {
        0 | 1 => Ok(value == 1),
        _ => Err(Error::argument(format!("{name} is {value}; valid 0 and 1"))),
    }
}

/// A member of `options` that has no meaning yet.
pub fn unused(value: u32) -> Result<()> {
    match value {
        0 => Ok(()),
        _ => Err(Error::argument(format!("options->reserved is {value}; it must be 0"))),
    }
}

/// Where a result goes: as much of it as the program knows.
pub struct ResultOut<T> {
    to: *mut T,
    size: usize,
}

impl<T: HasStructSize + Pod> ResultOut<T> {
    /// # Safety
    /// `pointer` is null, or points at a struct as long as its `struct_size` says, for as long as the result is used.
    pub unsafe fn new(name: &str, pointer: *mut T) -> Result<Self> {
        // SAFETY: by contract.
        let size = unsafe { size(name, pointer) }?.min(size_of::<T>());
        Ok(Self { to: pointer, size })
    }

    /// `count` results, one behind the other, each as long as the first.
    ///
    /// # Safety
    /// `pointer` is null, or points at `count` structs as long as the `struct_size` of the first says, for as long as the
    /// results are used.
    pub unsafe fn list(name: &str, pointer: *mut T, count: usize) -> Result<Vec<Self>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        // SAFETY: by contract.
        let stride = unsafe { self::size(&format!("{name}[0]"), pointer) }?;
        let mut list = reserved(count, "the results")?;
        for index in 0..count {
            // SAFETY: by contract, every struct is as long as the first.
            list.push(unsafe { Self::new(&format!("{name}[{index}]"), pointer.byte_add(index * stride)) }?);
        }
        Ok(list)
    }

    /// Writes everything but `struct_size`, which is the program's.
    pub fn set(self, value: &T) {
        const OWN: usize = size_of::<u32>();
        let from = &bytemuck::bytes_of(value)[OWN..self.size];
        // SAFETY: `size` bytes are valid by the contract of `new`; `value` is ours, so the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.to.cast::<u8>().add(OWN), from.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct whose first version ended after `old`, and whose second one added `new`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Grown {
        struct_size: u32,
        old: u32,
        new: u64,
    }
    // SAFETY: integers without padding.
    unsafe impl Zeroable for Grown {}
    // SAFETY: as above.
    unsafe impl Pod for Grown {}
    // SAFETY: as above.
    unsafe impl HasStructSize for Grown {
        const NAME: &'static str = "grown";
        const FIRST: usize = 8;
    }

    /// Memory of a program: `Grown` and 8 bytes that only a still newer program knows.
    #[repr(C, align(8))]
    struct Memory([u32; 6]);

    impl Memory {
        fn read(&self) -> std::result::Result<Grown, String> {
            // SAFETY: every size that a test uses and that is not refused fits.
            unsafe { read::<Grown>("options", self.0.as_ptr().cast()) }.map_err(|e| e.message().to_string())
        }
    }

    #[test]
    fn an_older_program_gets_the_default_of_a_newer_option() {
        let options = Memory([8, 5, 77, 77, 77, 77]).read();
        assert_eq!(options, Ok(Grown { struct_size: 8, old: 5, new: 0 }));
    }

    #[test]
    fn a_newer_program_may_leave_unknown_options_at_0_only() {
        assert_eq!(Memory([24, 5, 6, 0, 0, 0]).read(), Ok(Grown { struct_size: 24, old: 5, new: 6 }));
        let error = Memory([24, 5, 6, 0, 0, 1]).read().expect_err("an unknown option is set");
        assert!(error.contains("byte 20") && error.contains("16 of the 24"), "{error}");
    }

    #[test]
    fn sizes_before_the_first_version_and_absurd_ones_are_refused() {
        for size in [0, 4, 7, 4097, u32::MAX] {
            let error = Memory([size, 5, 6, 0, 0, 0]).read().expect_err("refused");
            assert!(error.contains(&format!("is {size}; valid 8..=4096")), "{error}");
        }
    }

    #[test]
    fn a_result_is_written_as_far_as_the_program_knows() {
        let value = Grown { struct_size: 0, old: 1, new: 2 };
        for (size, expected) in [
            (8, [8, 1, 9, 9, 9, 9]),
            (12, [12, 1, 2, 9, 9, 9]),
            (16, [16, 1, 2, 0, 9, 9]),
            (24, [24, 1, 2, 0, 9, 9]),
        ] {
            let mut memory = Memory([size, 9, 9, 9, 9, 9]);
            // SAFETY: every size fits into the memory.
            let out = unsafe { ResultOut::<Grown>::new("result", memory.0.as_mut_ptr().cast()) };
            out.expect("a valid size").set(&value);
            assert_eq!(memory.0, expected);
        }
    }
}
