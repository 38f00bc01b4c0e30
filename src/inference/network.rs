//! One ONNX Runtime session, run by any number of threads at once: tensors in, tensors out.

#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString};
use std::fmt;
use std::ptr::{self, NonNull};
use std::time::Instant;

use once_cell::sync::OnceCell;
use ort::AsPointer;
use ort::memory::Allocator;
use ort::session::Session;
use ort::value::{DynTensor, Outlet, ValueType};

use super::cancel::Cancel;
use super::dtype::Dtype;
use super::memory::{self, Memory};
use super::providers::{Precision, Provider, Providers, REMEMBER, Record};
use super::state::State;
use super::tensors::{MAX_TENSORS, Names, Tensors};
use super::{onnx_file, runtime};
use crate::error::{Error, Result, Status};
use crate::log::Level;
use crate::memory::collected;
use crate::platform::{self, SETTINGS_FROM_MODEL};

/// A folder that cannot exist, where ONNX Runtime is to look for weights outside the file: its name is longer than the
/// 255 bytes (on Windows characters) that a file system allows. A second lock: `onnx_file` refuses such models first.
const NO_FOLDER: &str = {
    const NAME: [u8; 300] = [b'-'; 300];
    match str::from_utf8(&NAME) {
        Ok(name) => name,
        Err(_) => unreachable!(),
    }
};

/// An input or output of a network as the ONNX file declares it.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub name: String,
    /// Element type as ONNX Runtime names it, for example `f32`.
    pub element: String,
    /// The same, if Auricle can read and write it.
    pub dtype: Option<Dtype>,
    /// Sizes; -1 is dynamic.
    pub sizes: Vec<i64>,
}

/// How a network is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loading<'a> {
    /// Threads inside one run, the calling one included. None of them spins while it waits. `None`: those of the pool for
    /// all models, which there is.
    pub threads: Option<usize>,
    /// None: the CPU.
    pub providers: &'a [Provider],
    pub cancel: Option<&'a Cancel>,
}

/// A network that is ready to run.
pub(crate) struct Network {
    session: Session,
    providers: Providers,
    /// Bytes of the values of all tensors in the file.
    weights: u64,
    /// Why no run is possible any more: a provider has failed.
    lost: OnceCell<String>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("inputs", &self.inputs()).field("outputs", &self.outputs()).finish()
    }
}

impl Network {
    /// Loads the bytes of an ONNX file, which can go afterwards.
    pub fn load(onnx: &[u8], loading: Loading<'_>) -> Result<Self> {
        let weights = onnx_file::check(onnx)?;
        Self::load_checked(onnx, weights, loading)
    }

    fn load_checked(onnx: &[u8], weights: u64, loading: Loading<'_>) -> Result<Self> {
        let mut providers = Providers::new(loading.providers)?;
        loop {
            let started = Instant::now();
            match Self::commit(onnx, loading, &mut providers) {
                Ok(session) => {
                    providers.judge(&session, started.elapsed().as_secs_f64())?;
                    // What the file was parsed into is free now: 2.4 times the size of the file, which the C library
                    // would keep.
                    platform::return_free_memory();
                    return Ok(Self { session, providers, weights, lost: OnceCell::new() });
                }
                Err(error) => {
                    loading.cancel.map_or(Ok(()), Cancel::check)?;
                    providers.give_up_one(error)?;
                }
            }
        }
    }

    fn commit(onnx: &[u8], loading: Loading<'_>, providers: &mut Providers) -> Result<Session> {
        let environment = runtime::environment()?;
        // Removed when ONNX Runtime was opened; the program can have set it since.
        if std::env::var_os(SETTINGS_FROM_MODEL).is_some() {
            let message = format!(
                "the environment variable {SETTINGS_FROM_MODEL} is set again, with which ONNX Runtime ignores the \
                 settings of its sessions: remove it before a model is loaded"
            );
            return Err(Error::new(Status::Runtime, message));
        }
        let builder = (|| -> ort::Result<_> {
            let builder = Session::builder(environment)?;
            let builder = match (loading.threads, runtime::starter()) {
                (None, _) => builder, // ort takes the environment's pool
                (Some(threads), starter) => {
                    let builder = builder.with_independent_thread_pool()?.with_intra_threads(threads)?;
                    match starter {
                        Some(starter) => builder.with_thread_manager(starter)?,
                        None => builder,
                    }
                }
            };
            Ok(builder
                .with_inter_threads(1)?
                .with_intra_op_spinning(false)?
                .with_inter_op_spinning(false)?
                .with_flush_to_zero()? // on the threads that it starts too: see `float_env`
                .with_logger(runtime::logger(Level::Debug))?
                // A plan of all activations in one block costs each thread 0.7 MB more (YAMNet) and brings no speed.
                .with_memory_pattern(false)?
                .with_config_entry(REMEMBER.0, REMEMBER.1)?
                .with_config_entry("session.load_model_format", "ONNX")?
                .with_config_entry("session.model_external_initializers_file_folder_path", NO_FOLDER)?)
        })()
        .map_err(refused)?;
        let mut builder = providers.add_to(builder)?;
        let _loading = loading.cancel.map(|cancel| cancel.watch_load(builder.canceler())).transpose()?;
        let session = builder.commit_from_memory(onnx).map_err(refused);
        loading.cancel.map_or(Ok(()), Cancel::check)?;
        session
    }

    /// How exactly the providers that run it compute.
    pub fn precision(&self) -> Precision {
        self.providers.precision()
    }

    /// Whether anything but the CPU runs a part of it.
    pub fn leaves_cpu(&self) -> bool {
        self.providers.leaves_cpu()
    }

    /// What each provider does for it.
    pub fn providers(&self) -> Vec<Record<'_>> {
        self.providers.records()
    }

    /// How long ONNX Runtime and its providers took to make it ready, seconds.
    pub fn seconds_to_prepare(&self) -> f64 {
        self.providers.seconds()
    }

    /// What it holds.
    pub fn memory(&self) -> Memory {
        memory::of(&self.session, self.weights)
    }

    pub fn inputs(&self) -> Vec<Port> {
        self.session.inputs().iter().map(port).collect()
    }

    pub fn outputs(&self) -> Vec<Port> {
        self.session.outputs().iter().map(port).collect()
    }

    /// The value of `key` in the file's metadata, of at most `max` bytes.
    #[allow(
        unsafe_code,
        reason = "ort makes a copy of any size, which ends the process where there is no memory for it"
    )]
    pub fn metadata(&self, key: &str, max: usize) -> Result<Option<String>> {
        let key = CString::new(key).expect("keys are constants without NUL");
        let metadata = self.session.metadata().map_err(refused)?;
        let allocator = Allocator::default();
        let mut value = ptr::null_mut();
        // SAFETY: every pointer is alive during the call; the value is written with success only.
        let status = unsafe {
            let (metadata, allocator) = (metadata.ptr(), allocator.ptr().cast_mut());
            let look_up = ort::api().ModelMetadataLookupCustomMetadataMap;
            ort::Error::result_from_status(look_up(metadata, allocator, key.as_ptr(), &mut value))
        };
        status.map_err(refused)?;
        if value.is_null() {
            return Ok(None);
        }
        // SAFETY: ONNX Runtime gives a string that ends with NUL and belongs to us until it is freed.
        let copy = copied(unsafe { CStr::from_ptr(value) }, &key, max);
        // SAFETY: it came from this allocator, and nothing looks at it any more.
        unsafe { allocator.free(value) };
        copy.map(Some)
    }

    /// Runs the network on the inputs of `tensors` and on `state`, which then is what it has become; if the run fails, it
    /// stays as it was.
    pub fn run(
        &self,
        names: &Names,
        tensors: &mut Tensors,
        state: &mut State,
        cancel: Option<&Cancel>,
    ) -> Result<()> {
        self.check_alive()?;
        let _running = cancel.map(|cancel| cancel.watch_run(&tensors.options)).transpose()?;
        self.call(names, tensors, state).map_err(|error| match cancel.map_or(Ok(()), Cancel::check) {
            Ok(()) => self.give_up_after(failed(error)),
            Err(cancelled) => cancelled,
        })?;
        state.turn();
        Ok(())
    }

    /// An error once a provider has failed.
    fn check_alive(&self) -> Result<()> {
        let lost = |reason: &String| {
            let message =
                format!("a provider has failed, so this model runs no more; load it anew: {reason}");
            Err(Error::new(Status::Provider, message))
        };
        self.lost.get().map_or(Ok(()), lost)
    }

    /// A run that fails on a device leaves it in a state that nobody knows: every run that follows fails too, and none
    /// goes to the CPU instead. The CPU, and a lack of memory, are another matter.
    fn give_up_after(&self, error: Error) -> Error {
        if !self.providers.leaves_cpu() || error.status() == Status::Memory {
            return error;
        }
        let reason = self.lost.get_or_init(|| error.message().to_owned());
        Error::new(Status::Provider, format!("a provider has failed; load the model anew: {reason}"))
    }

    /// ONNX Runtime's `Run`, which is made to be called by several threads at once ("multiple threads can call
    /// Run() on the same session", its C API says of OrtSession); the `ort` crate asks for `&mut`.
    #[allow(unsafe_code, reason = "ort keeps back a call that ONNX Runtime allows")]
    fn call(&self, names: &Names, tensors: &mut Tensors, state: &mut State) -> ort::Result<()> {
        let (mut input_names, mut output_names) = ([ptr::null(); MAX_TENSORS], [ptr::null(); MAX_TENSORS]);
        let (mut inputs, mut outputs) = ([ptr::null(); MAX_TENSORS], [ptr::null_mut(); MAX_TENSORS]);
        let Tensors { known, options, .. } = tensors;
        let given = tensors.inputs.iter().chain(&state.current).map(|tensor| tensor.ptr());
        let taken = tensors.outputs.iter_mut().map(|tensor| match tensor {
            Some(tensor) if *known => tensor.ptr_mut(),
            _ => ptr::null_mut(),
        });
        let taken = taken.chain(state.next.iter_mut().map(|tensor| tensor.ptr_mut()));
        let count_in =
            put(&mut inputs, given).min(put(&mut input_names, names.inputs.iter().map(|n| n.as_ptr())));
        let count_out =
            put(&mut outputs, taken).min(put(&mut output_names, names.outputs.iter().map(|n| n.as_ptr())));
        // SAFETY: every pointer is alive during the call, and each list is as long as is said. The session is only read.
        // Inputs and outputs belong to `tensors` and `state`, which are ours alone, and no tensor is both; ONNX Runtime
        // writes into the outputs that it is given, and makes those for which it finds null.
        unsafe {
            let status = (ort::api().Run)(
                self.session.ptr().cast_mut(),
                options.ptr(),
                input_names.as_ptr(),
                inputs.as_ptr(),
                count_in,
                output_names.as_ptr(),
                count_out,
                outputs.as_mut_ptr(),
            );
            ort::Error::result_from_status(status)?;
        }
        if !tensors.known {
            for (tensor, made) in tensors.outputs.iter_mut().zip(outputs) {
                let allocator = Allocator::default();
                // SAFETY: what ONNX Runtime made belongs to whoever ran the network, and is released once.
                *tensor =
                    NonNull::new(made).map(|made| unsafe { DynTensor::from_ptr(made, Some(&allocator)) });
            }
        }
        Ok(())
    }
}

/// Writes `values`, of which there are at most as many as there is room for, and says how many.
fn put<T>(room: &mut [T], values: impl Iterator<Item = T>) -> usize {
    room.iter_mut().zip(values).map(|(place, value)| *place = value).count()
}

fn copied(text: &CStr, key: &CStr, max: usize) -> Result<String> {
    let bytes = text.to_bytes();
    let fail = |message: String| Error::new(Status::Model, format!("the model's metadata {key:?} {message}"));
    if bytes.len() > max {
        return Err(fail(format!("has {} bytes; valid up to {max}", bytes.len())));
    }
    let copy = collected(bytes.len(), "the bytes of the model's metadata", bytes.iter().copied())?;
    String::from_utf8(copy).map_err(|_| fail("is not UTF-8".into()))
}

fn refused(error: ort::Error) -> Error {
    failure(Status::Model, "ONNX Runtime refused the model", &error)
}

pub(super) fn failed(error: ort::Error) -> Error {
    failure(Status::Inference, "ONNX Runtime failed to run the model", &error)
}

/// What ONNX Runtime 1.24 to 1.28 says where memory cannot be had: what C++'s `std::bad_alloc` says of itself, and its
/// own allocator, which names the size.
const OUT_OF_MEMORY: [&str; 3] = ["bad_alloc", "bad allocation", "Failed to allocate memory"];

fn failure(status: Status, what: &str, error: &ort::Error) -> Error {
    let reason = one_line(error.message());
    let lacking = OUT_OF_MEMORY.iter().any(|text| reason.contains(text));
    Error::new(if lacking { Status::Memory } else { status }, format!("{what}: {reason}"))
}

fn port(outlet: &Outlet) -> Port {
    let (element, dtype, sizes) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => (ty.to_string(), Dtype::of(*ty), shape.to_vec()),
        other => (other.to_string(), None, Vec::new()),
    };
    Port { name: outlet.name().into(), element, dtype, sizes }
}

/// ONNX Runtime's messages can span lines and end in blanks.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
