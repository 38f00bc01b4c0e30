//! PROVIDERS
//!
//! What runs a network inside ONNX Runtime: the CPU, unless auricle_model_options names others. docs/providers.md has them
//! with their options. Nothing falls back in silence: a provider that is required runs the network, or there is no model.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;

use bytemuck::Zeroable;

use super::pointer;
use super::structs::{self, HasStructSize};
use crate::error::{Error, Result};
use crate::inference::{Progress, Provider, Stage};

/// The load fails, with ONNX Runtime's reason, where this provider cannot run the network; also where a part of it would
/// run on the CPU instead, unless "cpu" is in the list too.
pub const AURICLE_REQUIRED: i32 = 0;
/// Where this provider cannot run the network, the others in the list do, in the end the CPU. auricle_model_describe says
/// what became of it.
pub const AURICLE_PREFERRED: i32 = 1;

/// A provider that a model is to run on. Call auricle_provider_init, then set `name` and what should differ from the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct auricle_provider {
    /// Size of this struct; set by auricle_provider_init.
    pub struct_size: u32,
    /// AURICLE_REQUIRED or AURICLE_PREFERRED.
    pub need: i32,
    /// "cpu", "cuda", "tensorrt", "tensorrt_rtx", "coreml", "xnnpack", "nnapi", "directml", "qnn", "openvino" or "webgpu";
    /// or the path of a plug-in provider's library, which is code that this process will run. UTF-8.
    pub name: *const c_char,
    /// Options of the provider, a JSON object; NULL: the defaults.
    pub options_json: *const c_char,
}

// SAFETY: integers and pointers, all valid as zeros.
unsafe impl Zeroable for auricle_provider {}
// SAFETY: as above; `repr(C)`.
unsafe impl HasStructSize for auricle_provider {
    const NAME: &'static str = "auricle_provider";
    const FIRST: usize = size_of::<Self>();
}

/// Is told how far a load has come: `stage` is "read", "prepare" (ONNX Runtime and its providers make the network ready:
/// minutes, where engines are built, of which only the beginning and the end are told), "warm" (it runs on silence) or
/// "self_check"; `done` is how much of the stage is done, 0 to 1. `user` is that of auricle_model_options. Called on the
/// thread that loads, while the load runs only. Anything but 0 stops the load, which returns AURICLE_CANCELLED. Neither an
/// exception nor longjmp may leave it.
pub type auricle_progress_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, stage: *const c_char, done: f32) -> i32>;

/// # Safety
/// `providers` is null, or `count` structs as long as the `struct_size` of the first says.
pub(super) unsafe fn list(providers: *const auricle_provider, count: usize) -> Result<Vec<Provider>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: by contract.
    let stride = unsafe { pointer::reference("providers", providers) }?.struct_size as usize;
    let one = |index: usize| {
        let name = format!("providers[{index}]");
        // SAFETY: by contract, every struct is as long as the first.
        let given = unsafe { structs::read(&name, providers.byte_add(index * stride)) }?;
        // SAFETY: the header's conventions.
        let (text, options) = unsafe {
            (
                pointer::string(&format!("{name}.name"), given.name)?,
                pointer::optional_string(&format!("{name}.options_json"), given.options_json)?,
            )
        };
        let text = pointer::utf8(&format!("{name}.name"), text)?;
        let provider = match given.need {
            AURICLE_REQUIRED => Provider::required(text),
            AURICLE_PREFERRED => Provider::preferred(text),
            need => {
                return Err(Error::argument(format!(
                    "{name}.need is {need}; valid 0 and 1 (AURICLE_REQUIRED, AURICLE_PREFERRED)"
                )));
            }
        };
        let options = options.map(|text| pointer::utf8(&format!("{name}.options_json"), text)).transpose()?;
        Ok(provider.with_options(options.unwrap_or_default()))
    };
    (0..count).map(one).collect()
}

struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *const c_char, f32) -> i32,
    user: *mut c_void,
}
// SAFETY: it is called by the thread that loads only, during the call that it was given to.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

impl Callback {
    fn call(&self, stage: Stage, done: f32) -> ControlFlow<()> {
        let stage = match stage {
            Stage::Read => c"read",
            Stage::Prepare => c"prepare",
            Stage::Warm => c"warm",
            Stage::SelfCheck => c"self_check",
        };
        // SAFETY: the program gave this function for this purpose.
        match unsafe { (self.function)(self.user, stage.as_ptr(), done) } {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }
}

pub(super) fn progress(function: auricle_progress_fn, user: *mut c_void) -> Option<Progress> {
    let callback = Callback { function: function?, user };
    Some(Progress::new(move |stage, done| callback.call(stage, done)))
}
