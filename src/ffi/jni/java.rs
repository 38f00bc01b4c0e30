//! As much of the Java Native Interface as is needed: arrays, buffers, one callback. The functions stand in the table at the
//! numbers that its specification ("JNI Functions") gives them.

use std::ffi::{CStr, c_char, c_void};

/// Any object of Java; null is null.
pub type Object = *mut c_void;
type Method = *mut c_void;

const EXCEPTION_CHECK: usize = 228;
const GET_OBJECT_CLASS: usize = 31;
const GET_METHOD_ID: usize = 33;
const CALL_VOID_METHOD_A: usize = 63;
const GET_PRIMITIVE_ARRAY_CRITICAL: usize = 222;
const RELEASE_PRIMITIVE_ARRAY_CRITICAL: usize = 223;
const NEW_DIRECT_BYTE_BUFFER: usize = 229;
const GET_DIRECT_BUFFER_ADDRESS: usize = 230;

/// For ReleasePrimitiveArrayCritical: what was only read need not be copied back, should it be a copy.
const ABORT: i32 = 2;

/// An argument of a method that is called.
#[repr(C)]
union Value {
    object: Object,
    float: f32,
    widest: u64,
}

/// The interface of one thread, as every native method gets it. It is valid until that method returns.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Env(*mut *const [*const c_void; 232]);

impl Env {
    /// # Safety
    /// `F` is the type of the function that the specification has at `index`.
    unsafe fn function<F: Copy>(self, index: usize) -> F {
        const { assert!(size_of::<F>() == size_of::<*const c_void>()) }
        // SAFETY: the virtual machine's table, which is there while a native method runs; `F` is a function pointer by
        // contract.
        unsafe { std::mem::transmute_copy(&(&**self.0)[index]) }
    }

    /// Where the bytes of a direct buffer lie; null for null, and for a buffer that is not direct.
    pub fn address(self, buffer: Object) -> *mut c_void {
        if buffer.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: the specification's signature, and a buffer by the Kotlin declarations.
        unsafe {
            let address: extern "system" fn(Env, Object) -> *mut c_void =
                self.function(GET_DIRECT_BUFFER_ADDRESS);
            address(self, buffer)
        }
    }

    /// A buffer over a text that the library lends, without its NUL; null for null.
    pub fn text(self, text: *const c_char) -> Object {
        if text.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: the header's strings end in NUL; the specification's signature.
        unsafe {
            let length = CStr::from_ptr(text).count_bytes();
            let new: extern "system" fn(Env, *mut c_void, i64) -> Object =
                self.function(NEW_DIRECT_BYTE_BUFFER);
            new(self, text.cast_mut().cast(), length as i64)
        }
    }

    /// Runs `body` on the elements of an array of numbers, where they lie: the collector waits meanwhile, so `body` is short
    /// and calls nothing of Java. Without an array, or where it cannot be had, it gets null.
    pub fn elements<T>(self, array: Object, written: bool, body: impl FnOnce(*mut c_void) -> T) -> T {
        if array.is_null() {
            return body(std::ptr::null_mut());
        }
        // SAFETY: the specification's signatures, and an array by the Kotlin declarations.
        unsafe {
            let get: extern "system" fn(Env, Object, *mut u8) -> *mut c_void =
                self.function(GET_PRIMITIVE_ARRAY_CRITICAL);
            let release: extern "system" fn(Env, Object, *mut c_void, i32) =
                self.function(RELEASE_PRIMITIVE_ARRAY_CRITICAL);
            let elements = get(self, array, std::ptr::null_mut());
            let result = body(elements);
            if !elements.is_null() {
                release(self, array, elements, if written { 0 } else { ABORT });
            }
            result
        }
    }

    /// Calls `method` (String, float) of an object's class, the String as a buffer. False: it has thrown.
    pub fn tell(self, object: Object, method: &CStr, text: *const c_char, number: f32) -> bool {
        // SAFETY: the specification's signatures; the method takes what its signature here says.
        unsafe {
            let class_of: extern "system" fn(Env, Object) -> Object = self.function(GET_OBJECT_CLASS);
            let method_of: extern "system" fn(Env, Object, *const c_char, *const c_char) -> Method =
                self.function(GET_METHOD_ID);
            let call: extern "system" fn(Env, Object, Method, *const Value) =
                self.function(CALL_VOID_METHOD_A);
            let thrown: extern "system" fn(Env) -> u8 = self.function(EXCEPTION_CHECK);
            let signature = c"(Ljava/nio/ByteBuffer;F)V";
            let method = method_of(self, class_of(self, object), method.as_ptr(), signature.as_ptr());
            if method.is_null() {
                return false; // with an exception of Java's own
            }
            let mut arguments = [Value { object: self.text(text) }, Value { widest: 0 }];
            arguments[1].float = number;
            call(self, object, method, arguments.as_ptr());
            thrown(self) == 0
        }
    }
}
