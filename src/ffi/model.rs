//! MODELS
//!
//! A model is a network in an ONNX file and a manifest, JSON that says what the network expects and what its
//! scores mean (docs/manifest.md). It never changes, so one model serves any number of sessions and threads.

use std::ffi::{c_char, c_void};

use bytemuck::Zeroable;

use super::cancel::{self, auricle_cancel};
use super::guard::{guard, guard_value};
use super::pointer::{self, Out};
use super::provider::{self, auricle_progress_fn, auricle_provider};
use super::status::{AURICLE_OK, auricle_status};
use super::structs::{self, HasStructSize};
use crate::error::{Error, Result, Status};
use crate::memory::reserved;
use crate::model::{Model, ModelOptions};

/// How a model is loaded. Call auricle_model_options_init, then set what should differ from the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_model_options {
    /// Size of this struct; set by auricle_model_options_init.
    pub struct_size: u32,
    /// Threads that ONNX Runtime uses inside one inference, 1 to 256, the calling one among them; 0: 1.
    pub threads: u32,
    /// 1: the manifest's golden cases are run, and a model that does not reproduce them, or has none, is refused
    /// (AURICLE_MISMATCH, AURICLE_MANIFEST); 0: they are not.
    pub self_check: u32,
    /// Windows of several sessions that auricle_read_many may put into one run, 1 to 1024; 0: 1. Loading then tries the
    /// powers of two up to it, and those are used that cost less time a window than smaller ones. More than 1 needs a
    /// network whose first axis is the batch, of any size (else AURICLE_MISMATCH).
    pub max_batch: u32,
    /// Stops loading, and the self-check in it, from another thread; NULL: nothing does. It may be freed at once.
    pub cancel: *const auricle_cancel,
    /// Providers of ONNX Runtime that are to run the network, the first before the others; NULL: the CPU.
    pub providers: *const auricle_provider,
    /// How many they are.
    pub provider_count: usize,
    /// Is told how far the load has come, and may stop it; NULL: nobody is.
    pub progress: auricle_progress_fn,
    /// Passed to `progress`.
    pub user: *mut c_void,
    /// 1: the network runs on the pool of threads that auricle_runtime_options.shared_threads has made, beside other models
    /// (AURICLE_INVALID_STATE if there is none), and `threads` must be 0; 0: on threads of its own.
    pub shared_pool: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: integers, pointers and a function that may be missing, all valid as zeros.
unsafe impl Zeroable for auricle_model_options {}
// SAFETY: as above; `repr(C)`.
unsafe impl HasStructSize for auricle_model_options {
    const NAME: &'static str = "auricle_model_options";
    const FIRST: usize = 8;
}

/// A loaded model. Every function that takes it as `const` may run on any number of threads at once.
///
/// Made by auricle_model_load and auricle_model_load_memory, ended by auricle_model_free.
pub struct auricle_model {
    pub(super) core: Model,
    /// Names and labels one after the other, each with a NUL behind it.
    text: Vec<u8>,
    /// Where in `text` the name of each output and each of its labels begin.
    outputs: Vec<(usize, Vec<usize>)>,
}

impl auricle_model {
    pub(super) fn new(core: Model) -> Result<Self> {
        let outputs = || (0..core.output_count()).filter_map(|index| core.output(index));
        let size = |texts: &[String]| texts.iter().map(|text| text.len() + 1).sum::<usize>();
        let all = outputs().map(|output| output.name.len() + 1 + size(output.labels)).sum();
        let mut text = reserved(all, "the labels")?;
        let mut put = |part: &str| {
            let start = text.len();
            text.extend_from_slice(part.as_bytes()); // neither a manifest nor a network has a NUL in them
            text.push(0);
            start
        };
        let places = outputs().map(|output| {
            let name = put(output.name);
            let mut labels = reserved(output.labels.len(), "the labels")?;
            labels.extend(output.labels.iter().map(|label| put(label)));
            Ok((name, labels))
        });
        let outputs = places.collect::<Result<_>>()?;
        Ok(Self { core, text, outputs })
    }

    /// The name of output `index`, which there is.
    pub(super) fn output_name(&self, index: usize) -> *const c_char {
        self.text[self.outputs[index].0..].as_ptr().cast()
    }

    /// A label of an output, if there are so many.
    pub(super) fn output_label(&self, index: usize, k: usize) -> Option<*const c_char> {
        let &start = self.outputs.get(index)?.1.get(k)?;
        Some(self.text[start..].as_ptr().cast())
    }

    /// # Safety
    /// `options` is null or a struct as long as its `struct_size` says.
    unsafe fn options(options: *const auricle_model_options) -> Result<ModelOptions> {
        if options.is_null() {
            return Ok(ModelOptions::default());
        }
        // SAFETY: the header's conventions.
        let options = unsafe { structs::read("options", options) }?;
        structs::unused(options.reserved)?;
        // SAFETY: the header's conventions.
        let cancel = unsafe { cancel::optional("options->cancel", options.cancel) }?;
        // SAFETY: the header's conventions.
        let providers = unsafe { provider::list(options.providers, options.provider_count) }?;
        Ok(ModelOptions {
            threads: options.threads,
            shared_pool: structs::flag("shared_pool", options.shared_pool)?,
            self_check: structs::flag("self_check", options.self_check)?,
            cancel,
            providers,
            progress: provider::progress(options.progress, options.user),
            max_batch: options.max_batch,
        })
    }
}

/// Loads an ONNX file. The manifest is the one embedded in it (metadata "auricle.manifest"), else the file
/// beside it whose name ends in .auricle.json instead of .onnx. Opens ONNX Runtime if that has not happened.
///
/// `path` is UTF-8 (on Unix any bytes) and may be relative. `options` may be NULL: all defaults.
/// `*model` then belongs to the caller: auricle_model_free. The files can go afterwards.
///
/// Any thread. Takes from milliseconds to seconds; minutes, where a provider builds an engine.
/// - AURICLE_OK
/// - AURICLE_CANCELLED: `options->cancel` was requested, or `options->progress` said stop. There is no model.
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or an option is out of its range.
/// - AURICLE_FILE: the file cannot be read, is no file (a pipe, a device, a folder), or is longer than an ONNX file
///   (2147483647 bytes) or a manifest (16777216 bytes) can be; the last error has the reason.
/// - AURICLE_MODEL: it is damaged, not ONNX, or made for a newer version; or it has weights in other files, or
///   settings of ONNX Runtime, which no model may bring (`auricle-train stamp` mends both).
/// - AURICLE_MANIFEST: no manifest, or a mistake in it; the last error has the path of the member.
/// - AURICLE_MISMATCH: the manifest does not fit the network (names, sizes, number of labels, or with `self_check`
///   the scores of a golden case); the last error has both numbers.
/// - AURICLE_MEMORY: what the file or the manifest asks for cannot be had; the last error has its size, if ONNX Runtime
///   says it.
/// - AURICLE_RUNTIME: ONNX Runtime is missing. See auricle_runtime_open.
/// - AURICLE_INVALID_STATE: `shared_pool` is 1, and ONNX Runtime was not opened with a pool. See
///   auricle_runtime_open_with.
/// - AURICLE_PROVIDER: a required provider cannot be had, or would leave a part of the network to the CPU; the last error
///   has ONNX Runtime's reason and what to install.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_load(
    path: *const c_char,
    options: *const auricle_model_options,
    model: *mut *mut auricle_model,
) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let (path, options, out) = unsafe {
            (pointer::string("path", path)?, auricle_model::options(options)?, Out::new("model", model)?)
        };
        let core = Model::load(pointer::path("path", path)?, &options)?;
        out.set(Box::into_raw(Box::new(auricle_model::new(core)?)));
        Ok(AURICLE_OK)
    })
}

/// Loads a model from memory, for programs that keep it as a resource.
///
/// `onnx` points at the `size` bytes of an ONNX file. `manifest` is the manifest's JSON, UTF-8, which replaces
/// an embedded one; NULL uses the embedded one. `options` may be NULL: all defaults. The library copies what
/// it needs: all three can go afterwards. `*model` then belongs to the caller: auricle_model_free.
///
/// Any thread. Takes from milliseconds to seconds.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: a pointer is NULL, `size` is absurd, the manifest is not UTF-8, or an option is
///   out of its range.
/// - AURICLE_CANCELLED, AURICLE_MODEL, AURICLE_MANIFEST, AURICLE_MISMATCH, AURICLE_MEMORY, AURICLE_RUNTIME,
///   AURICLE_INVALID_STATE, AURICLE_PROVIDER: as for auricle_model_load.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_load_memory(
    onnx: *const c_void,
    size: usize,
    manifest: *const c_char,
    options: *const auricle_model_options,
    model: *mut *mut auricle_model,
) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let (onnx, manifest, options, out) = unsafe {
            (
                pointer::slice("onnx", onnx.cast::<u8>(), "size", size)?,
                pointer::optional_string("manifest", manifest)?,
                auricle_model::options(options)?,
                Out::new("model", model)?,
            )
        };
        let manifest = manifest.map(|text| pointer::utf8("manifest", text)).transpose()?;
        let core = Model::load_memory(onnx, manifest, &options)?;
        out.set(Box::into_raw(Box::new(auricle_model::new(core)?)));
        Ok(AURICLE_OK)
    })
}

/// Number of classes, which is the number of scores of every window; if the first output has no labels, the number of its
/// values. 0 if `model` is NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_class_count(model: *const auricle_model) -> usize {
    // SAFETY: the header's conventions.
    guard_value(0, || Ok(unsafe { pointer::reference("model", model) }?.core.class_count()))
}

/// Label of class `index`, in the order of the scores. UTF-8, borrowed: valid until auricle_model_free.
/// NULL if `model` is NULL, or `index` is not below the number of labels; the last error says which. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_label(model: *const auricle_model, index: usize) -> *const c_char {
    guard_value(std::ptr::null(), || {
        // SAFETY: the header's conventions.
        let model = unsafe { pointer::reference("model", model) }?;
        let classes = model.core.labels().len();
        model
            .output_label(0, index)
            .ok_or_else(|| Error::argument(format!("index is {index}; the model has {classes} classes")))
    })
}

/// Rate that the model works at, Hz; 0 if `model` is NULL. Sessions and auricle_classify_f32 take audio of any
/// rate and convert; audio of this rate saves the conversion. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_sample_rate(model: *const auricle_model) -> u32 {
    // SAFETY: the header's conventions.
    guard_value(0, || Ok(unsafe { pointer::reference("model", model) }?.core.sample_rate()))
}

/// Writes the record for traceability: JSON, UTF-8, with a NUL at its end, that names the versions of Auricle and
/// of ONNX Runtime, the files, their SHA-256 sums, the options, the providers (which of them runs which nodes of the
/// network, on which device, with which libraries; why one is not used), what is known of the memory that the network
/// holds at this moment (docs/providers.md), and the manifest with every default filled in.
///
/// `*needed` becomes the size of the record in bytes, the NUL among them, also when the record did not fit (the
/// one output that is written with an error). To ask for the size alone give `capacity` 0; `json` may then be
/// NULL. `json` is written only if all of it fits.
///
/// Any thread.
/// - AURICLE_OK
/// - AURICLE_INVALID_ARGUMENT: `model`, `needed`, or `json` with a `capacity` that is not 0, is NULL.
/// - AURICLE_BUFFER_TOO_SMALL: `capacity` is not 0, but below `*needed`. Call again with a buffer of `*needed` bytes.
/// - AURICLE_MEMORY: the record cannot be written out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_describe(
    model: *const auricle_model,
    json: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> auricle_status {
    guard(|| {
        // SAFETY: the header's conventions.
        let (model, json, out) = unsafe {
            (
                pointer::reference("model", model)?,
                pointer::slice_mut("json", json.cast::<u8>(), "capacity", capacity)?,
                Out::new("needed", needed)?,
            )
        };
        let record = model.core.describe()?; // JSON holds no NUL
        let size = record.len() + 1;
        out.set(size);
        match json.get_mut(..size).and_then(<[u8]>::split_last_mut) {
            Some((nul, text)) => {
                text.copy_from_slice(record.as_bytes());
                *nul = 0;
            }
            None if capacity == 0 => {}
            None => {
                let message = format!("capacity is {capacity} bytes; the record needs {size}");
                return Err(Error::new(Status::BufferTooSmall, message));
            }
        }
        Ok(AURICLE_OK)
    })
}

/// Gives the caller's reference to a model back. Its labels are no longer valid; its sessions are not touched.
/// NULL does nothing. No other call with this handle may be running or follow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn auricle_model_free(model: *mut auricle_model) {
    guard_value((), || {
        if !model.is_null() {
            // SAFETY: made by Box::into_raw in a load function; by contract it is freed once.
            drop(unsafe { Box::from_raw(model) });
        }
        Ok(())
    })
}
