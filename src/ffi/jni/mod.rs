//! The C API for Java's virtual machines, Android's among them: the native methods of the Kotlin object `auricle.Native`
//! (bindings/kotlin). Each is one call of the C API: handles are numbers, structs and texts lie in direct buffers that
//! Kotlin fills as `auricle.h` says, and a status goes back as it is.
//!
//! Kotlin keeps a handle alive while a call with it runs, hands over buffers as long as the structs that they hold, and
//! counts the elements of arrays before. `keep` is what the buffers point at, so that it stays while the call runs.
//!
//! Nothing else of the library knows this room; it is there with the feature `jni`.

#![allow(non_snake_case, clippy::too_many_arguments)]

mod java;

use std::ffi::{c_char, c_void};

use java::{Env, Object};

use super::cancel::{auricle_cancel, auricle_cancel_create, auricle_cancel_free, auricle_cancel_request};
use super::clip::auricle_classify;
use super::model::{
    auricle_model, auricle_model_class_count, auricle_model_describe, auricle_model_free, auricle_model_load,
    auricle_model_load_memory, auricle_model_options, auricle_model_sample_rate,
};
use super::output::{
    auricle_model_output, auricle_model_output_count, auricle_model_output_label, auricle_model_output_name,
    auricle_session_output,
};
use super::push::{auricle_session_finish, auricle_session_gap, auricle_session_push_bytes};
use super::read::{
    auricle_session_cancel, auricle_session_pending, auricle_session_read, auricle_session_read_event,
    auricle_session_wait,
};
use super::runtime::auricle_runtime_open_with;
use super::session::{auricle_session, auricle_session_create, auricle_session_free, auricle_session_reset};
use super::status::{auricle_last_error, auricle_status_text};
use super::version::{auricle_abi_version, auricle_version};

/// What the virtual machine passes for the object that the native methods belong to.
type Class = Object;

// Versions, statuses.

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_abiVersion(_: Env, _: Class) -> i32 {
    auricle_abi_version() as i32
}

/// Size of a pointer, bytes: structs with pointers are laid out by it.
#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_pointerSize(_: Env, _: Class) -> i32 {
    size_of::<usize>() as i32
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_version(env: Env, _: Class) -> Object {
    env.text(auricle_version())
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_statusText(env: Env, _: Class, status: i32) -> Object {
    env.text(auricle_status_text(status))
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_lastError(env: Env, _: Class) -> Object {
    env.text(auricle_last_error())
}

/// Where a direct buffer lies, for structs that point at others.
#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_address(env: Env, _: Class, buffer: Object) -> i64 {
    env.address(buffer) as i64
}

/// `options` is a direct buffer with an `auricle_runtime_options`.
#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_runtimeOpenWith(
    env: Env,
    _: Class,
    library: Object,
    options: Object,
) -> i32 {
    // SAFETY: a text that ends in NUL, or null; a struct as Kotlin laid it out, or null.
    unsafe { auricle_runtime_open_with(env.address(library).cast(), env.address(options).cast()) }
}

// Cancelling.

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_cancelCreate(env: Env, _: Class, out: Object) -> i32 {
    // SAFETY: eight bytes for the handle.
    unsafe { auricle_cancel_create(env.address(out).cast()) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_cancelRequest(_: Env, _: Class, cancel: i64) -> i32 {
    // SAFETY: a live handle.
    unsafe { auricle_cancel_request(cancel as *const auricle_cancel) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_cancelFree(_: Env, _: Class, cancel: i64) {
    // SAFETY: a live handle, which nothing uses any more.
    unsafe { auricle_cancel_free(cancel as *mut auricle_cancel) }
}

// Models.

/// Who is told of a load, on the thread that loads.
struct Listener {
    env: Env,
    object: Object,
}

unsafe extern "C" fn told(user: *mut c_void, stage: *const c_char, done: f32) -> i32 {
    // SAFETY: the listener of the load that calls this.
    let listener = unsafe { &*user.cast::<Listener>() };
    i32::from(!listener.env.tell(listener.object, c"told", stage, done))
}

/// Sets what no buffer of Kotlin can hold, then loads.
///
/// # Safety
/// `options` is a direct buffer with an `auricle_model_options`.
unsafe fn load(
    env: Env,
    options: Object,
    progress: Object,
    load: impl FnOnce(*const auricle_model_options) -> i32,
) -> i32 {
    let options = env.address(options).cast::<auricle_model_options>();
    let mut listener = Listener { env, object: progress };
    if !progress.is_null() {
        // SAFETY: by contract; the listener lives as long as the load.
        unsafe {
            (*options).progress = Some(told);
            (*options).user = std::ptr::from_mut(&mut listener).cast();
        }
    }
    load(options)
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelLoad(
    env: Env,
    _: Class,
    path: Object,
    options: Object,
    _keep: Object,
    progress: Object,
    out: Object,
) -> i32 {
    let (path, out) = (env.address(path).cast(), env.address(out).cast());
    // SAFETY: a text that ends in NUL, options, and eight bytes for the handle.
    unsafe { load(env, options, progress, |options| auricle_model_load(path, options, out)) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelLoadMemory(
    env: Env,
    _: Class,
    onnx: Object,
    size: i64,
    manifest: Object,
    options: Object,
    _keep: Object,
    progress: Object,
    out: Object,
) -> i32 {
    let (onnx, manifest, out) = (env.address(onnx), env.address(manifest).cast(), env.address(out).cast());
    // SAFETY: `size` bytes, a text that ends in NUL or null, options, and eight bytes for the handle.
    unsafe {
        load(env, options, progress, |options| {
            auricle_model_load_memory(onnx, size as usize, manifest, options, out)
        })
    }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelFree(_: Env, _: Class, model: i64) {
    // SAFETY: a live handle, which nothing uses any more.
    unsafe { auricle_model_free(model as *mut auricle_model) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelClassCount(_: Env, _: Class, model: i64) -> i64 {
    // SAFETY: a live handle.
    unsafe { auricle_model_class_count(model as *const auricle_model) as i64 }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelSampleRate(_: Env, _: Class, model: i64) -> i32 {
    // SAFETY: a live handle.
    unsafe { auricle_model_sample_rate(model as *const auricle_model) as i32 }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelDescribe(
    env: Env,
    _: Class,
    model: i64,
    json: Object,
    capacity: i64,
    needed: Object,
) -> i32 {
    let (json, needed) = (env.address(json).cast(), env.address(needed).cast());
    // SAFETY: a live handle, `capacity` bytes or null, and eight bytes for the size.
    unsafe { auricle_model_describe(model as *const auricle_model, json, capacity as usize, needed) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelOutputCount(_: Env, _: Class, model: i64) -> i64 {
    // SAFETY: a live handle.
    unsafe { auricle_model_output_count(model as *const auricle_model) as i64 }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelOutput(
    env: Env,
    _: Class,
    model: i64,
    index: i64,
    output: Object,
) -> i32 {
    let output = env.address(output).cast();
    // SAFETY: a live handle and an `auricle_output`.
    unsafe { auricle_model_output(model as *const auricle_model, index as usize, output) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelOutputName(env: Env, _: Class, model: i64, index: i64) -> Object {
    // SAFETY: a live handle; Kotlin copies the text before the model goes.
    env.text(unsafe { auricle_model_output_name(model as *const auricle_model, index as usize) })
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_modelOutputLabel(
    env: Env,
    _: Class,
    model: i64,
    index: i64,
    k: i64,
) -> Object {
    // SAFETY: a live handle; Kotlin copies the text before the model goes.
    env.text(unsafe { auricle_model_output_label(model as *const auricle_model, index as usize, k as usize) })
}

// Whole clips. The audio lies in a direct buffer: an array would stop the collector for as long as this takes.

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_classify(
    env: Env,
    _: Class,
    model: i64,
    format: i32,
    samples: Object,
    offset: i64,
    frames: i64,
    channels: i32,
    sample_rate: i32,
    options: Object,
    values: Object,
    capacity: i64,
) -> i32 {
    let samples = env.address(samples).wrapping_byte_add(offset as usize);
    let (options, values) = (env.address(options).cast(), env.address(values).cast());
    // SAFETY: a live handle, samples from `offset` on, options, and `capacity` values.
    unsafe {
        auricle_classify(
            model as *const auricle_model,
            format,
            samples,
            frames as usize,
            channels as u32,
            sample_rate as u32,
            options,
            values,
            capacity as usize,
        )
    }
}

// Sessions.

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionCreate(
    env: Env,
    _: Class,
    model: i64,
    options: Object,
    _keep: Object,
    out: Object,
) -> i32 {
    let (options, out) = (env.address(options).cast(), env.address(out).cast());
    // SAFETY: a live handle, options, and eight bytes for the handle.
    unsafe { auricle_session_create(model as *const auricle_model, options, out) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionReset(_: Env, _: Class, session: i64) -> i32 {
    // SAFETY: a live handle.
    unsafe { auricle_session_reset(session as *mut auricle_session) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionFree(_: Env, _: Class, session: i64) {
    // SAFETY: a live handle, which nothing uses any more.
    unsafe { auricle_session_free(session as *mut auricle_session) }
}

/// `array` is an array of numbers; `offset` is in bytes.
#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionPushArray(
    env: Env,
    _: Class,
    session: i64,
    format: i32,
    array: Object,
    offset: i64,
    frames: i64,
) -> i32 {
    env.elements(array, false, |data| {
        // SAFETY: a live handle, and `frames` frames from `offset` on. (Null is an error of the C API's own.)
        unsafe {
            let data = if data.is_null() { data } else { data.byte_add(offset as usize) };
            auricle_session_push_bytes(session as *mut auricle_session, format, data, frames as usize)
        }
    })
}

/// `offset` is in bytes.
#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionPushBuffer(
    env: Env,
    _: Class,
    session: i64,
    format: i32,
    buffer: Object,
    offset: i64,
    frames: i64,
) -> i32 {
    let data = env.address(buffer).wrapping_byte_add(offset as usize);
    // SAFETY: a live handle, and `frames` frames from `offset` on.
    unsafe { auricle_session_push_bytes(session as *mut auricle_session, format, data, frames as usize) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionGap(_: Env, _: Class, session: i64, lost_frames: i64) -> i32 {
    // SAFETY: a live handle.
    unsafe { auricle_session_gap(session as *mut auricle_session, lost_frames as u64) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionFinish(_: Env, _: Class, session: i64) -> i32 {
    // SAFETY: a live handle.
    unsafe { auricle_session_finish(session as *mut auricle_session) }
}

/// The scores are asked for afterwards (`sessionOutput`), so that no array is held while the network runs.
#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionRead(env: Env, _: Class, session: i64, result: Object) -> i32 {
    let result = env.address(result).cast();
    // SAFETY: a live handle and an `auricle_result`.
    unsafe { auricle_session_read(session as *mut auricle_session, std::ptr::null_mut(), 0, result) }
}

/// `values` is an array of `capacity` floats.
#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionOutput(
    env: Env,
    _: Class,
    session: i64,
    index: i64,
    values: Object,
    capacity: i64,
) -> i32 {
    let mut count = 0;
    env.elements(values, true, |values| {
        let (session, values) = (session as *mut auricle_session, values.cast());
        // SAFETY: a live handle and `capacity` values.
        unsafe { auricle_session_output(session, index as usize, values, capacity as usize, &raw mut count) }
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionReadEvent(
    env: Env,
    _: Class,
    session: i64,
    event: Object,
) -> i32 {
    let event = env.address(event).cast();
    // SAFETY: a live handle and an `auricle_event`.
    unsafe { auricle_session_read_event(session as *mut auricle_session, event) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionWait(_: Env, _: Class, session: i64, timeout_ms: i32) -> i32 {
    // SAFETY: a live handle.
    unsafe { auricle_session_wait(session as *mut auricle_session, timeout_ms as u32) }
}

#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionCancel(_: Env, _: Class, session: i64) -> i32 {
    // SAFETY: a live handle.
    unsafe { auricle_session_cancel(session as *mut auricle_session) }
}

/// The frames, or a status below 0.
#[unsafe(no_mangle)]
extern "system" fn Java_auricle_Native_sessionPending(_: Env, _: Class, session: i64) -> i64 {
    let mut frames = 0;
    // SAFETY: a live handle.
    match unsafe { auricle_session_pending(session as *mut auricle_session, &raw mut frames) } {
        status if status < 0 => status.into(),
        _ => frames as i64,
    }
}
