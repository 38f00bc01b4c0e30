//! One ONNX Runtime session, run by any number of threads at once: samples or rows in, raw outputs out.

#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::time::Instant;
use std::{fmt, ptr};

use once_cell::sync::OnceCell;
use ort::AsPointer;
use ort::memory::Allocator;
use ort::session::{RunOptions, Session};
use ort::value::{Outlet, Tensor, ValueType};

use super::cancel::Cancel;
use super::providers::{Precision, Provider, Providers, REMEMBER, Record};
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
    /// Sizes; -1 is dynamic.
    pub sizes: Vec<i64>,
}

/// How a network is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loading<'a> {
    /// Threads inside one run, the calling one included. None of them spins while it waits.
    pub threads: usize,
    /// None: the CPU.
    pub providers: &'a [Provider],
    pub cancel: Option<&'a Cancel>,
}

/// A network that is ready to run.
pub(crate) struct Network {
    session: Session,
    providers: Providers,
    /// Why no run is possible any more: a provider has failed.
    lost: OnceCell<String>,
}

/// The tensors of a run. They belong to the thread that runs, so that a run makes none.
pub(crate) struct Tensors {
    input: Tensor<f32>,
    output: Tensor<f32>,
    input_name: CString,
    output_name: CString,
    options: Arc<RunOptions>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("inputs", &self.inputs()).field("outputs", &self.outputs()).finish()
    }
}

impl fmt::Debug for Tensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensors").field("input", &self.input_name).field("shape", &self.shape()).finish()
    }
}

impl Network {
    /// Loads the bytes of an ONNX file, which can go afterwards.
    pub fn load(onnx: &[u8], loading: Loading<'_>) -> Result<Self> {
        onnx_file::check(onnx)?;
        Self::load_checked(onnx, loading)
    }

    fn load_checked(onnx: &[u8], loading: Loading<'_>) -> Result<Self> {
        let mut providers = Providers::new(loading.providers)?;
        loop {
            let started = Instant::now();
            match Self::commit(onnx, loading, &mut providers) {
                Ok(session) => {
                    providers.judge(&session, started.elapsed().as_secs_f64())?;
                    // What the file was parsed into is free now: 2.4 times the size of the file, which the C library
                    // would keep.
                    platform::return_free_memory();
                    return Ok(Self { session, providers, lost: OnceCell::new() });
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
            Ok(Session::builder(environment)?
                .with_intra_threads(loading.threads)?
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

    /// What each provider does for it.
    pub fn providers(&self) -> Vec<Record<'_>> {
        self.providers.records()
    }

    /// How long ONNX Runtime and its providers took to make it ready, seconds.
    pub fn seconds_to_prepare(&self) -> f64 {
        self.providers.seconds()
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

    /// Runs the network on the input of `tensors`; their output holds the result.
    pub fn run(&self, tensors: &mut Tensors, cancel: Option<&Cancel>) -> Result<()> {
        self.check_alive()?;
        let _running = cancel.map(|cancel| cancel.watch_run(&tensors.options)).transpose()?;
        self.call(tensors).map_err(|error| match cancel.map_or(Ok(()), Cancel::check) {
            Ok(()) => self.give_up_after(failed(error)),
            Err(cancelled) => cancelled,
        })
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
    fn call(&self, tensors: &mut Tensors) -> ort::Result<()> {
        let (input_name, output_name) = (tensors.input_name.as_ptr(), tensors.output_name.as_ptr());
        let input = tensors.input.ptr();
        let mut output = tensors.output.ptr_mut();
        // SAFETY: every pointer is alive during the call, and each list has one element. The session is only read. Input
        // and output belong to `tensors`, which is ours alone; ONNX Runtime writes into the output that it is given and
        // makes no other.
        unsafe {
            let status = (ort::api().Run)(
                self.session.ptr().cast_mut(),
                tensors.options.ptr(),
                &input_name,
                &input,
                1,
                &output_name,
                1,
                &mut output,
            );
            ort::Error::result_from_status(status)
        }
    }
}

impl Tensors {
    /// For runs that read `input` and write `output`, of these shapes.
    pub fn new(input: &str, shape: &[i64], output: &str, output_shape: &[i64]) -> Result<Self> {
        let name = |name: &str| {
            CString::new(name).map_err(|_| {
                Error::new(Status::Model, format!("the network has a tensor whose name holds NUL: {name:?}"))
            })
        };
        let (input_name, output_name) = (name(input)?, name(output)?);
        (|| {
            let allocator = Allocator::default();
            let input = Tensor::<f32>::new(&allocator, shape)?;
            let output = Tensor::<f32>::new(&allocator, output_shape)?;
            Ok(Self { input, output, input_name, output_name, options: Arc::new(RunOptions::new()?) })
        })()
        .map_err(failed)
    }

    /// Shape of the input.
    pub fn shape(&self) -> &[i64] {
        self.input.shape()
    }

    pub fn input(&mut self) -> &mut [f32] {
        self.input.extract_tensor_mut().1
    }

    pub fn output(&self) -> &[f32] {
        self.output.extract_tensor().1
    }
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

fn failed(error: ort::Error) -> Error {
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
    let (element, sizes) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => (ty.to_string(), shape.to_vec()),
        other => (other.to_string(), Vec::new()),
    };
    Port { name: outlet.name().into(), element, sizes }
}

/// ONNX Runtime's messages can span lines and end in blanks.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
