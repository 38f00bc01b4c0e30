//! Which provider took which nodes of a network, as ONNX Runtime says, and what devices a provider has.
#![allow(unsafe_code, reason = "ONNX Runtime's C API, which the ort crate does not wrap here")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};
use std::{ptr, slice};

use ort::AsPointer;
use ort::session::Session;
use serde::Serialize;

use crate::error::{Error, Result, Status};
use crate::inference::runtime;

/// Makes ONNX Runtime remember where it put each node.
pub(crate) const REMEMBER: (&str, &str) = ("session.record_ep_graph_assignment_info", "1");

/// Nodes by provider, each as its operator and its name.
#[derive(Debug, Default)]
pub(super) struct Placement(BTreeMap<String, Vec<String>>);

impl Placement {
    pub fn of(session: &Session) -> Result<Self> {
        let api = ort::api();
        let mut nodes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (mut parts, mut count) = (ptr::null(), 0);
        // SAFETY: the session is alive; ONNX Runtime keeps the lists and strings as long as it is, and every pointer that a
        // call writes is read after its success only.
        unsafe {
            checked((api.Session_GetEpGraphAssignmentInfo)(session.ptr(), &mut parts, &mut count))?;
            for &part in list(parts, count) {
                let (mut provider, mut members, mut member_count) = (ptr::null(), ptr::null(), 0);
                checked((api.EpAssignedSubgraph_GetEpName)(part, &mut provider))?;
                checked((api.EpAssignedSubgraph_GetNodes)(part, &mut members, &mut member_count))?;
                let of_provider = nodes.entry(text(provider)).or_default();
                for &node in list(members, member_count) {
                    let (mut operator, mut name) = (ptr::null(), ptr::null());
                    checked((api.EpAssignedNode_GetOperatorType)(node, &mut operator))?;
                    checked((api.EpAssignedNode_GetName)(node, &mut name))?;
                    of_provider.push(format!("{} {}", text(operator), text(name)).trim_end().to_owned());
                }
            }
        }
        Ok(Self(nodes))
    }

    pub fn nodes(&self, provider: &str) -> &[String] {
        self.0.get(provider).map_or(&[], Vec::as_slice)
    }

    pub fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

/// A device as ONNX Runtime and the provider describe it.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    kind: String,
    vendor: String,
    #[serde(flatten)]
    details: BTreeMap<String, String>,
}

/// The devices of a provider, as far as ONNX Runtime knows them.
pub(super) fn devices(provider: &str) -> Vec<Device> {
    let Ok(environment) = runtime::environment() else { return Vec::new() };
    let of_provider = environment.devices().filter(|device| device.ep().is_ok_and(|name| name == provider));
    of_provider
        .map(|device| {
            let hardware = device.hardware_device();
            let api = ort::api();
            // SAFETY: the devices are the environment's, which is kept for ever, and so are their pairs of strings.
            let details = unsafe {
                let mut details = pairs((api.HardwareDevice_Metadata)(hardware.ptr()));
                details.extend(pairs((api.EpDevice_EpMetadata)(device.ptr())));
                details
            };
            Device {
                kind: format!("{:?}", hardware.ty()),
                vendor: hardware.vendor().unwrap_or_default().to_owned(),
                details,
            }
        })
        .collect()
}

/// # Safety
/// `pairs` is null or alive.
unsafe fn pairs(pairs: *const ort::sys::OrtKeyValuePairs) -> BTreeMap<String, String> {
    let (mut keys, mut values, mut count) = (ptr::null(), ptr::null(), 0);
    if pairs.is_null() {
        return BTreeMap::new();
    }
    // SAFETY: alive by contract; both lists have as many strings as the call says.
    unsafe {
        (ort::api().GetKeyValuePairs)(pairs, &mut keys, &mut values, &mut count);
        let (keys, values) = (list(keys, count), list(values, count));
        keys.iter().zip(values).map(|(&key, &value)| (text(key), text(value))).collect()
    }
}

/// # Safety
/// `first` is null, or `count` values can be read there for as long as the result is used.
unsafe fn list<'a, T>(first: *const T, count: usize) -> &'a [T] {
    match first.is_null() {
        true => &[],
        // SAFETY: by contract.
        false => unsafe { slice::from_raw_parts(first, count) },
    }
}

/// # Safety
/// `text` is null or ends with NUL.
unsafe fn text(text: *const c_char) -> String {
    match text.is_null() {
        true => String::new(),
        // SAFETY: by contract.
        false => unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned(),
    }
}

fn checked(status: ort::sys::OrtStatusPtr) -> Result<()> {
    // SAFETY: a status that ONNX Runtime has just given.
    unsafe { ort::Error::result_from_status(status) }.map_err(|error| {
        Error::new(Status::Runtime, format!("ONNX Runtime does not say where nodes run: {}", error.message()))
    })
}
