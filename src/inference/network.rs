//! One ONNX Runtime session with its input and output tensors: samples or rows in, raw outputs out.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ort::memory::Allocator;
use ort::session::{HasSelectedOutputs, OutputSelector, RunOptions, Session};
use ort::value::{DynValue, Outlet, Tensor, ValueType};
use parking_lot::Mutex;

use super::{onnx_file, runtime};
use crate::error::{Error, Result, Status};
use crate::platform::SETTINGS_FROM_MODEL;

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

/// A network that is ready to run. `&mut` because ONNX Runtime's `Run` is used by one thread at a time.
pub(crate) struct Network {
    session: Session,
    bound: Option<Bound>,
}

/// Stops runs from another thread.
#[derive(Default)]
pub(crate) struct Cancel {
    requested: AtomicBool,
    running: Mutex<Option<Options>>,
}

/// The options of a run. Who has them without the network can only stop a run with them.
#[derive(Clone)]
struct Options(Arc<RunOptions<HasSelectedOutputs>>);

#[allow(unsafe_code, reason = "ort keeps back a call that ONNX Runtime allows")]
const _: () = {
    // SAFETY: options with preallocated outputs are not Sync, because two threads could run with them at once. Only a
    // network runs with these, which takes `&mut`; another thread has them through a `Cancel`, which only calls
    // RunOptionsSetTerminate, made to be called while a thread runs.
    unsafe impl Send for Options {}
    // SAFETY: as above.
    unsafe impl Sync for Options {}
};

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("requested", &self.is_requested()).finish_non_exhaustive()
    }
}

impl Cancel {
    /// Every run ends as soon as its running kernel does, and later ones do not start, until [`clear`](Self::clear).
    pub fn request(&self) {
        let running = self.running.lock();
        self.requested.store(true, Ordering::Release);
        if let Some(options) = &*running {
            // It fails only for a null pointer.
            let _ = options.0.terminate();
        }
    }

    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    pub fn clear(&self) {
        self.requested.store(false, Ordering::Release);
    }

    /// From now on until it is dropped, runs with `options` can be stopped. An error if they are to be already.
    fn watch(&self, options: &Options) -> ort::Result<Running<'_>> {
        let mut running = self.running.lock();
        if self.is_requested() {
            return Err(ort::Error::new("cancelled"));
        }
        *running = Some(options.clone());
        Ok(Running(self))
    }
}

/// A run that can be stopped.
struct Running<'a>(&'a Cancel);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(options) = self.0.running.lock().take() {
            // The network may be another session's next. It fails only for a null pointer.
            let _ = options.0.unterminate();
        }
    }
}

/// The tensors of the last shape that was run; they are kept, so that a run makes none.
struct Bound {
    input: Tensor<f32>,
    output: String,
    options: Options,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("inputs", &self.inputs()).field("outputs", &self.outputs()).finish()
    }
}

impl Network {
    /// Loads the bytes of an ONNX file. `threads` counts the calling thread; none of them spins while it waits.
    pub fn load(onnx: &[u8], threads: usize) -> Result<Self> {
        onnx_file::check(onnx)?;
        Self::load_checked(onnx, threads)
    }

    fn load_checked(onnx: &[u8], threads: usize) -> Result<Self> {
        let environment = runtime::environment()?;
        // Removed when ONNX Runtime was opened; the program can have set it since.
        if std::env::var_os(SETTINGS_FROM_MODEL).is_some() {
            let message = format!(
                "the environment variable {SETTINGS_FROM_MODEL} is set again, with which ONNX Runtime ignores the \
                 settings of its sessions: remove it before a model is loaded"
            );
            return Err(Error::new(Status::Runtime, message));
        }
        let session = (|| -> ort::Result<Session> {
            Session::builder(environment)?
                .with_intra_threads(threads)?
                .with_inter_threads(1)?
                .with_intra_op_spinning(false)?
                .with_inter_op_spinning(false)?
                .with_config_entry("session.load_model_format", "ONNX")?
                .with_config_entry("session.model_external_initializers_file_folder_path", NO_FOLDER)?
                .commit_from_memory(onnx)
        })()
        .map_err(|error| {
            Error::new(
                Status::Model,
                format!("ONNX Runtime refused the model: {}", one_line(error.message())),
            )
        })?;
        Ok(Self { session, bound: None })
    }

    pub fn inputs(&self) -> Vec<Port> {
        self.session.inputs().iter().map(port).collect()
    }

    pub fn outputs(&self) -> Vec<Port> {
        self.session.outputs().iter().map(port).collect()
    }

    /// The value of `key` in the file's metadata.
    pub fn metadata(&self, key: &str) -> Option<String> {
        self.session.metadata().ok()?.custom(key)
    }

    /// Runs the network on one input tensor of `shape`, which `fill` writes; `scores` takes the whole of `output`,
    /// which must have `output_shape`.
    pub fn run(
        &mut self,
        shape: &[i64],
        fill: impl FnOnce(&mut [f32]),
        output: &str,
        output_shape: &[i64],
        scores: &mut [f32],
        cancel: Option<&Cancel>,
    ) -> Result<()> {
        let failed = |error: ort::Error| {
            Error::new(
                Status::Inference,
                format!("ONNX Runtime failed to run the model: {}", one_line(error.message())),
            )
        };
        let fits = |bound: &Bound| bound.output == output && **bound.input.shape() == *shape;
        if !self.bound.as_ref().is_some_and(fits) {
            self.bound = Some(bind(shape, output, output_shape).map_err(failed)?);
        }
        let Bound { input, options, .. } = self.bound.as_mut().expect("bound above");
        fill(input.extract_tensor_mut().1);
        let _running = cancel.map(|cancel| cancel.watch(options)).transpose().map_err(failed)?;
        let outputs = self.session.run_with_options(ort::inputs![&*input], &options.0).map_err(failed)?;
        let values: &DynValue = &outputs[0];
        let (_, values) = values.try_extract_tensor::<f32>().map_err(failed)?;
        if values.len() != scores.len() {
            return Err(Error::new(
                Status::Inference,
                format!(
                    "output {output:?} has {} values for one window, expected {}",
                    values.len(),
                    scores.len()
                ),
            ));
        }
        scores.copy_from_slice(values);
        Ok(())
    }
}

#[expect(clippy::arc_with_non_send_sync, reason = "`Options` makes it so")]
fn bind(shape: &[i64], output: &str, output_shape: &[i64]) -> ort::Result<Bound> {
    let allocator = Allocator::default();
    let input = Tensor::<f32>::new(&allocator, shape)?;
    let result = Tensor::<f32>::new(&allocator, output_shape)?;
    let selected = OutputSelector::no_default().with(output).preallocate(output, result);
    Ok(Bound {
        input,
        output: output.into(),
        options: Options(Arc::new(RunOptions::new()?.with_outputs(selected))),
    })
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
