//! What NVIDIA's libraries say of themselves, those that a provider has opened in this process.
#![allow(unsafe_code, reason = "functions of NVIDIA's libraries")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int};

use crate::platform;

/// The device's name, and the versions of the driver (by the newest CUDA that it can run), of CUDA and of cuDNN.
pub(super) fn versions(device: usize) -> BTreeMap<&'static str, String> {
    let mut said = BTreeMap::new();
    let dotted = |version: c_int| format!("{}.{}", version / 1000, version % 1000 / 10);
    if let Some(driver) = platform::already_open(["libcuda.so.1", "nvcuda.dll"]) {
        // SAFETY: the signatures are those of CUDA's cuda.h; ONNX Runtime's provider has initialised the driver.
        unsafe {
            if let Ok(name_of) = driver
                .get::<unsafe extern "system" fn(*mut c_char, c_int, c_int) -> c_int>(b"cuDeviceGetName")
            {
                let mut name: [c_char; 256] = [0; 256];
                if name_of(name.as_mut_ptr(), 255, device as c_int) == 0 {
                    said.insert("device", CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned());
                }
            }
            let mut version = 0;
            if let Ok(ask) =
                driver.get::<unsafe extern "system" fn(*mut c_int) -> c_int>(b"cuDriverGetVersion")
                && ask(&mut version) == 0
            {
                said.insert("driver_cuda", dotted(version));
            }
        }
    }
    let cudart = ["libcudart.so.13", "libcudart.so.12", "cudart64_13.dll", "cudart64_12.dll"];
    if let Some(cuda) = platform::already_open(cudart) {
        let mut version = 0;
        // SAFETY: the signature is that of CUDA's cuda_runtime_api.h.
        unsafe {
            if let Ok(ask) =
                cuda.get::<unsafe extern "system" fn(*mut c_int) -> c_int>(b"cudaRuntimeGetVersion")
                && ask(&mut version) == 0
            {
                said.insert("cuda", dotted(version));
            }
        }
    }
    if let Some(cudnn) = platform::already_open(["libcudnn.so.9", "cudnn64_9.dll"]) {
        // SAFETY: the signature is that of cuDNN 9's cudnn_graph.h.
        unsafe {
            if let Ok(ask) = cudnn.get::<unsafe extern "system" fn() -> usize>(b"cudnnGetVersion") {
                let version = ask();
                let (major, minor, patch) = (version / 10_000, version / 100 % 100, version % 100);
                said.insert("cudnn", format!("{major}.{minor}.{patch}"));
            }
        }
    }
    said
}
