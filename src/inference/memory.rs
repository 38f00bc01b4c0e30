//! What a network holds of the memory, as far as it can be known.
#![allow(unsafe_code, reason = "ort has no call for an allocator's statistics")]

use std::ffi::CStr;
use std::ptr;

use ort::AsPointer;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use serde::Serialize;

/// Bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Memory {
    /// Values of all tensors in the file, in the element types that they have there.
    pub weights_bytes: u64,
    /// What ONNX Runtime's allocator for the CPU has claimed for this network and keeps: tensors between its nodes, and weights
    /// that its kernels take as they are in the file or put in another order.
    pub arena_bytes: Option<u64>,
    /// The most of it that was in use at once so far: about what of it the system had to give.
    pub arena_peak_bytes: Option<u64>,
    /// The part of it that is in use at this moment.
    pub arena_in_use_bytes: Option<u64>,
}

pub(super) fn of(session: &Session, weights_bytes: u64) -> Memory {
    let [arena_bytes, arena_peak_bytes, arena_in_use_bytes] =
        statistics(session, [c"TotalAllocated", c"MaxInUse", c"InUse"]).unwrap_or([None; 3]);
    Memory { weights_bytes, arena_bytes, arena_peak_bytes, arena_in_use_bytes }
}

/// Of the session's allocator for the CPU; nothing where it counts nothing, as where ONNX Runtime was built without arenas.
fn statistics(session: &Session, names: [&CStr; 3]) -> Option<[Option<u64>; 3]> {
    let cpu = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Arena, MemoryType::Default).ok()?;
    let allocator = Allocator::new(session, cpu).ok()?;
    let api = ort::api();
    let mut pairs = ptr::null_mut();
    // SAFETY: the allocator is alive during the call; the pairs are written with success only, and belong to us then.
    unsafe { ort::Error::result_from_status((api.AllocatorGetStats)(allocator.ptr(), &mut pairs)) }.ok()?;
    let number = |name: &CStr| {
        // SAFETY: the pairs are alive; a value is null or a string that lives as long as they.
        let value =
            unsafe { (api.GetKeyValue)(pairs, name.as_ptr()).as_ref().map(|text| CStr::from_ptr(text)) };
        value?.to_str().ok()?.parse().ok()
    };
    let numbers = names.map(number);
    // SAFETY: they are ours, and nothing looks at them any more.
    unsafe { (api.ReleaseKeyValuePairs)(pairs) };
    Some(numbers)
}
