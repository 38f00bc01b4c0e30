//! Pointers and counts that come from C, checked.

use std::ffi::{CStr, c_char};

use crate::error::{Error, Result};

fn check<T>(name: &str, pointer: *const T) -> Result<()> {
    if pointer.is_null() {
        return Err(Error::argument(format!("{name} is NULL")));
    }
    if !pointer.is_aligned() {
        let align = align_of::<T>();
        return Err(Error::argument(format!("{name} is {pointer:p}; it must be a multiple of {align}")));
    }
    Ok(())
}

/// # Safety
/// `pointer` is null, or valid for reads for as long as the result is used.
pub unsafe fn reference<'a, T>(name: &str, pointer: *const T) -> Result<&'a T> {
    check(name, pointer)?;
    // SAFETY: not null, aligned; valid by contract.
    Ok(unsafe { &*pointer })
}

/// A place that the result of a call is written to, once the call has succeeded.
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    /// `pointer` is null, or valid for writes for as long as the result is used.
    pub unsafe fn new(name: &str, pointer: *mut T) -> Result<Self> {
        check(name, pointer)?;
        Ok(Self(pointer))
    }

    /// Writes the result, without reading what was there.
    pub fn set(self, value: T) {
        // SAFETY: not null, aligned (checked by `new`); valid by the contract of `new`.
        unsafe { self.0.write(value) }
    }
}

/// `count` values of `T` as they lie in memory, refused if no memory could hold them.
fn bytes<T>(name: &str, count: usize) -> Result<usize> {
    let max = isize::MAX as usize / size_of::<T>();
    if count > max {
        return Err(Error::argument(format!("{name} is {count}; at most {max}")));
    }
    Ok(count * size_of::<T>())
}

/// # Safety
/// `pointer` is null, or `count` values can be read there for as long as the result is used.
pub unsafe fn slice<'a, T>(name: &str, pointer: *const T, count_name: &str, count: usize) -> Result<&'a [T]> {
    bytes::<T>(count_name, count)?;
    if count == 0 {
        return Ok(&[]);
    }
    check(name, pointer)?;
    // SAFETY: not null, aligned, no longer than an allocation can be; valid by contract.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// # Safety
/// `pointer` is null, or `count` values can be written there, by nobody else, for as long as the result is used.
pub unsafe fn slice_mut<'a, T>(
    name: &str,
    pointer: *mut T,
    count_name: &str,
    count: usize,
) -> Result<&'a mut [T]> {
    bytes::<T>(count_name, count)?;
    if count == 0 {
        return Ok(&mut []);
    }
    check(name, pointer)?;
    // SAFETY: not null, aligned, no longer than an allocation can be; valid and exclusive by contract.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, count) })
}

/// # Safety
/// `pointer` is null, or a string that ends with NUL and stays as it is for as long as the result is used.
pub unsafe fn string<'a>(name: &str, pointer: *const c_char) -> Result<&'a CStr> {
    check(name, pointer)?;
    // SAFETY: not null; a string by contract.
    Ok(unsafe { CStr::from_ptr(pointer) })
}

/// [`string`], but NULL is allowed.
///
/// # Safety
/// That of [`string`].
pub unsafe fn optional_string<'a>(name: &str, pointer: *const c_char) -> Result<Option<&'a CStr>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: by contract.
    unsafe { string(name, pointer) }.map(Some)
}

/// A file's name: any bytes on Unix, UTF-8 elsewhere.
pub fn path<'a>(name: &str, text: &'a CStr) -> Result<&'a std::path::Path> {
    #[cfg(unix)]
    {
        let _ = name;
        use std::os::unix::ffi::OsStrExt;
        Ok(std::ffi::OsStr::from_bytes(text.to_bytes()).as_ref())
    }
    #[cfg(not(unix))]
    utf8(name, text).map(|text| text.as_ref())
}

/// Text that must be UTF-8.
pub fn utf8<'a>(name: &str, text: &'a CStr) -> Result<&'a str> {
    text.to_str().map_err(|error| Error::argument(format!("{name} is not UTF-8: {error}")))
}
