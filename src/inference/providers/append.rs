//! Telling ONNX Runtime of a provider, each by the way that it has into ONNX Runtime.
#![allow(
    unsafe_code,
    reason = "ONNX Runtime's C API: the ort crate has each provider behind a switch at build time"
)]

use std::ffi::{CStr, CString, c_char};
use std::path::{Path, PathBuf};
use std::ptr;

use ort::AsPointer;
use ort::session::builder::SessionBuilder;
use parking_lot::Mutex;

use super::options::Settings;
use super::{Asked, beside_runtime};
use crate::error::{Error, Result, Status};
use crate::inference::runtime;
use crate::{file, platform};

/// The way that a provider has into ONNX Runtime.
#[derive(Clone, Debug)]
pub(super) enum Route {
    /// It is always there.
    Cpu,
    /// Functions of its own in ONNX Runtime's table.
    Cuda,
    TensorRt,
    /// A function of its own beside the table.
    Nnapi,
    /// By this name, where ONNX Runtime was built with it.
    Named(&'static CStr),
    /// By devices, after its library was loaded.
    Plugin(PathBuf),
}

/// Pairs of strings as C takes them.
struct Pairs {
    strings: Vec<(CString, CString)>,
    keys: Vec<*const c_char>,
    values: Vec<*const c_char>,
}

impl Pairs {
    fn new(settings: &Settings) -> Result<Self> {
        let string = |text: &str| {
            CString::new(text).map_err(|_| Error::argument(format!("an option holds NUL: {text:?}")))
        };
        let strings = settings
            .pairs
            .iter()
            .map(|(key, value)| Ok((string(key)?, string(value)?)))
            .collect::<Result<Vec<_>>>()?;
        let keys = strings.iter().map(|(key, _)| key.as_ptr()).collect();
        let values = strings.iter().map(|(_, value)| value.as_ptr()).collect();
        Ok(Self { strings, keys, values })
    }

    fn len(&self) -> usize {
        self.strings.len()
    }
}

fn checked(status: ort::sys::OrtStatusPtr) -> Result<()> {
    // SAFETY: a status that ONNX Runtime has just given.
    unsafe { ort::Error::result_from_status(status) }
        .map_err(|error| Error::new(Status::Provider, reason(&error)))
}

/// What ONNX Runtime says, without the place in its source that it can begin with.
fn reason(error: &ort::Error) -> String {
    let said = error.message();
    let behind = said.rsplit_once("[ONNXRuntimeError] : ").and_then(|(_, rest)| rest.splitn(3, " : ").nth(2));
    behind.unwrap_or(said).split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

/// An error has ONNX Runtime's own reason.
pub(super) fn append(builder: &mut SessionBuilder, one: &mut Asked) -> Result<()> {
    let options = builder.ptr().cast_mut();
    let pairs = Pairs::new(&one.settings)?;
    let (keys, values, count) = (pairs.keys.as_ptr(), pairs.values.as_ptr(), pairs.len());
    match &one.route {
        Route::Cpu => {
            let set = match one.settings.arena {
                true => ort::api().EnableCpuMemArena,
                false => ort::api().DisableCpuMemArena,
            };
            // SAFETY: the builder's options are alive.
            checked(unsafe { set(options) })
        }
        Route::Named(name) => {
            let append = ort::api().SessionOptionsAppendExecutionProvider;
            // SAFETY: the builder's options, the name and `count` strings in each list are alive during the call.
            checked(unsafe { append(options, name.as_ptr(), keys, values, count) })
        }
        Route::Cuda => {
            find_libraries(&one.settings)?;
            let api = ort::api();
            let mut cuda = ptr::null_mut();
            // SAFETY: `cuda` is written with success only, given back once, and used in between; the lists are alive.
            unsafe {
                checked((api.CreateCUDAProviderOptions)(&mut cuda))?;
                let done =
                    checked((api.UpdateCUDAProviderOptions)(cuda, keys, values, count)).and_then(|()| {
                        checked((api.SessionOptionsAppendExecutionProvider_CUDA_V2)(options, cuda))
                    });
                (api.ReleaseCUDAProviderOptions)(cuda);
                done
            }
        }
        Route::TensorRt => {
            find_libraries(&one.settings)?;
            let api = ort::api();
            let mut tensorrt = ptr::null_mut();
            // SAFETY: as for CUDA.
            unsafe {
                checked((api.CreateTensorRTProviderOptions)(&mut tensorrt))?;
                let done = checked((api.UpdateTensorRTProviderOptions)(tensorrt, keys, values, count))
                    .and_then(|()| {
                        checked((api.SessionOptionsAppendExecutionProvider_TensorRT_V2)(options, tensorrt))
                    });
                (api.ReleaseTensorRTProviderOptions)(tensorrt);
                done
            }
        }
        Route::Nnapi => {
            let append = runtime::file().and_then(|file| platform::nnapi(&file)).ok_or_else(|| {
                Error::new(Status::Provider, "this ONNX Runtime does not export NNAPI's function")
            })?;
            // SAFETY: the signature is that of nnapi_provider_factory.h; the builder's options are alive.
            checked(unsafe { append(options, one.settings.flags) })
        }
        Route::Plugin(path) => {
            let devices = plugin_devices(path)?;
            let index = one.settings.device;
            let Some((device, name)) = devices.get(index) else {
                let message = match devices.len() {
                    0 => format!("{} was loaded, but offers no device", path.display()),
                    count => {
                        format!("\"device\" is {index}; {} offers {count}, counted from 0", path.display())
                    }
                };
                return Err(Error::new(Status::Provider, message));
            };
            let environment = runtime::environment()?.ptr().cast_mut();
            let append = ort::api().SessionOptionsAppendExecutionProvider_V2;
            // SAFETY: the device is the environment's, which is kept for ever; the rest is alive during the call.
            checked(unsafe { append(options, environment, &device.0, 1, keys, values, count) })?;
            one.official = name.clone();
            Ok(())
        }
    }
}

/// A device of a plug-in, which ONNX Runtime keeps for as long as the library stays registered: for ever.
#[derive(Clone, Copy)]
struct PluginDevice(*const ort::sys::OrtEpDevice);
// SAFETY: ONNX Runtime only reads what it points at.
unsafe impl Send for PluginDevice {}

/// A plug-in's library and its devices, with the name of the provider that each belongs to.
type Registered = (PathBuf, Vec<(PluginDevice, String)>);

/// Libraries stay registered, because sessions of any model may use them.
static REGISTERED: Mutex<Vec<Registered>> = Mutex::new(Vec::new());

fn plugin_devices(path: &Path) -> Result<Vec<(PluginDevice, String)>> {
    let mut registered = REGISTERED.lock();
    if let Some((_, devices)) = registered.iter().find(|(known, _)| known == path) {
        return Ok(devices.clone());
    }
    let unusable = |reason: String| Error::new(Status::Provider, format!("{}: {reason}", path.display()));
    let metadata = path.metadata().map_err(|error| unusable(error.to_string()))?;
    if let Some(kind) = file::kind(metadata.file_type()) {
        return Err(unusable(format!("it is {kind}, not a file")));
    }
    let environment = runtime::environment()?;
    let before: Vec<_> = environment.devices().map(|device| device.ptr()).collect();
    // A name of its own in ONNX Runtime, whatever else the process has registered.
    environment
        .register_ep_library(format!("auricle:{}", path.display()), path)
        .map_err(|error| unusable(reason(&error)))?;
    let devices: Vec<_> = environment
        .devices()
        .filter(|device| !before.contains(&device.ptr()))
        .map(|device| (PluginDevice(device.ptr()), device.ep().unwrap_or("unnamed").to_owned()))
        .collect();
    registered.push((path.to_path_buf(), devices.clone()));
    Ok(devices)
}

/// Libraries of CUDA, cuDNN and TensorRT in the folder that the caller named, else beside ONNX Runtime's, are opened
/// before ONNX Runtime asks the system for them by name. What is not there is left to the system.
fn find_libraries(settings: &Settings) -> Result<()> {
    let named = settings.libraries.as_deref();
    if let Some(folder) = named.filter(|folder| !folder.is_dir()) {
        return Err(Error::argument(format!("\"libraries\" is {:?}, which is no folder", folder.display())));
    }
    let Some(folder) = named.map(Path::to_path_buf).or_else(beside_runtime) else { return Ok(()) };
    platform::open_all(&folder, &NVIDIA).map_err(|error| Error::new(Status::Provider, error))
}

/// Beginnings of the names of the files, each after what it needs.
const NVIDIA: [&str; 13] = [
    "libcudart.so.",
    "libcublasLt.so.",
    "libcublas.so.",
    "libnvJitLink.so.",
    "libnvrtc.so.",
    "libcurand.so.",
    "libcufft.so.",
    "libcudnn_graph.so.",
    "libcudnn_ops.so.",
    "libcudnn_cnn.so.",
    "libcudnn.so.",
    "libnvinfer.so.",
    "libnvonnxparser.so.",
];
