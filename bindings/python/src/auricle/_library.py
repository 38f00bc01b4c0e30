"""The shared library: its structs and functions, as include/auricle.h declares them. tests/test_header.py compares the two.

Two ways to call. `WORK` lets other Python threads run meanwhile. `QUICK` does not: it is for what the header promises never
to block, where letting go of the interpreter and asking for it again would cost more than the call, up to a switch interval.
"""

import ctypes
import pathlib
import sys
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any

#: AURICLE_ABI_VERSION of the header that this package was written for.
ABI_VERSION = 1


#: auricle_progress_fn.
PROGRESS_FUNCTION = ctypes.CFUNCTYPE(c_int32, c_void_p, c_char_p, c_float)


class Provider(ctypes.Structure):
    """auricle_provider."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("need", c_int32),
        ("name", c_char_p),
        ("options_json", c_char_p),
    ]


class ModelOptions(ctypes.Structure):
    """auricle_model_options."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("threads", c_uint32),
        ("self_check", c_uint32),
        ("max_batch", c_uint32),
        ("cancel", c_void_p),
        ("providers", POINTER(Provider)),
        ("provider_count", c_size_t),
        ("progress", PROGRESS_FUNCTION),
        ("user", c_void_p),
        ("shared_pool", c_uint32),
        ("reserved", c_uint32),
    ]


class ClipOptions(ctypes.Structure):
    """auricle_clip_options."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("channel", c_uint32),
        ("hop_seconds", c_double),
        ("cancel", c_void_p),
        ("output", c_uint32),
        ("reserved", c_uint32),
    ]


class SessionOptions(ctypes.Structure):
    """auricle_session_options."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("sample_rate", c_uint32),
        ("channels", c_uint32),
        ("max_windows_per_read", c_uint32),
        ("hop_seconds", c_double),
        ("ring_seconds", c_double),
        ("overflow", c_int32),
        ("channel", c_uint32),
        ("stream_json", c_char_p),
    ]


class Output(ctypes.Structure):
    """auricle_output."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("size", c_uint64),
        ("hop_seconds", c_double),
    ]


class Result(ctypes.Structure):
    """auricle_result."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("silent", c_uint32),
        ("first_frame", c_uint64),
        ("end_frame", c_uint64),
        ("sequence", c_uint64),
        ("peak_dbfs", c_float),
        ("rms_dbfs", c_float),
        ("dc_offset", c_float),
        ("late", c_uint32),
        ("clipped_frames", c_uint64),
        ("non_finite_frames", c_uint64),
        ("dropped_frames", c_uint64),
        ("gap_frames", c_uint64),
        ("inference_nanoseconds", c_uint64),
        ("noise_floor_dbfs", c_float),
        ("snr_db", c_float),
    ]


class Event(ctypes.Structure):
    """auricle_event."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("is_final", c_uint32),
        ("id", c_uint64),
        ("class_index", c_uint64),
        ("onset_frame", c_uint64),
        ("offset_frame", c_uint64),
        ("decided_frame", c_uint64),
        ("peak_score", c_float),
        ("mean_score", c_float),
        ("lost_before", c_uint64),
    ]


class RuntimeOptions(ctypes.Structure):
    """auricle_runtime_options."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("shared_threads", c_uint32),
        ("known_only", c_uint32),
        ("reserved", c_uint32),
        ("thread_start", c_void_p),
        ("user", c_void_p),
    ]


#: The structs by their names in the header.
STRUCTS: dict[str, type[ctypes.Structure]] = {
    "auricle_provider": Provider,
    "auricle_model_options": ModelOptions,
    "auricle_clip_options": ClipOptions,
    "auricle_session_options": SessionOptions,
    "auricle_output": Output,
    "auricle_result": Result,
    "auricle_event": Event,
    "auricle_runtime_options": RuntimeOptions,
}

#: auricle_log_fn.
LOG_FUNCTION = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)

_HANDLE_OUT = POINTER(c_void_p)

#: Every function of the header: what it returns, what it takes.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "auricle_status_text": (c_char_p, [c_int32]),
    "auricle_last_error": (c_char_p, []),
    "auricle_cancel_create": (c_int32, [_HANDLE_OUT]),
    "auricle_cancel_request": (c_int32, [c_void_p]),
    "auricle_cancel_free": (None, [c_void_p]),
    "auricle_model_load": (c_int32, [c_char_p, POINTER(ModelOptions), _HANDLE_OUT]),
    "auricle_model_load_memory": (c_int32, [c_void_p, c_size_t, c_char_p, POINTER(ModelOptions), _HANDLE_OUT]),
    "auricle_model_class_count": (c_size_t, [c_void_p]),
    "auricle_model_label": (c_char_p, [c_void_p, c_size_t]),
    "auricle_model_sample_rate": (c_uint32, [c_void_p]),
    "auricle_model_describe": (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    "auricle_model_free": (None, [c_void_p]),
    "auricle_classify_f32": (c_int32, [c_void_p, c_void_p, c_size_t, c_uint32, c_uint32, c_void_p, c_size_t]),
    "auricle_classify": (
        c_int32,
        [c_void_p, c_int32, c_void_p, c_size_t, c_uint32, c_uint32, POINTER(ClipOptions), c_void_p, c_size_t],
    ),
    "auricle_session_create": (c_int32, [c_void_p, POINTER(SessionOptions), _HANDLE_OUT]),
    "auricle_session_reset": (c_int32, [c_void_p]),
    "auricle_session_free": (None, [c_void_p]),
    "auricle_session_push_f32": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "auricle_session_push_i16": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "auricle_session_push_bytes": (c_int32, [c_void_p, c_int32, c_void_p, c_size_t]),
    "auricle_session_push_planar_f32": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "auricle_session_push_planar_bytes": (c_int32, [c_void_p, c_int32, c_void_p, c_size_t]),
    "auricle_session_gap": (c_int32, [c_void_p, c_uint64]),
    "auricle_session_finish": (c_int32, [c_void_p]),
    "auricle_session_read": (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(Result)]),
    "auricle_read_many": (
        c_int32,
        [c_void_p, c_size_t, c_uint32, c_void_p, c_size_t, POINTER(Result), POINTER(c_int32)],
    ),
    "auricle_session_read_event": (c_int32, [c_void_p, POINTER(Event)]),
    "auricle_session_wait": (c_int32, [c_void_p, c_uint32]),
    "auricle_session_cancel": (c_int32, [c_void_p]),
    "auricle_session_pending": (c_int32, [c_void_p, POINTER(c_uint64)]),
    "auricle_model_output_count": (c_size_t, [c_void_p]),
    "auricle_model_output": (c_int32, [c_void_p, c_size_t, POINTER(Output)]),
    "auricle_model_output_name": (c_char_p, [c_void_p, c_size_t]),
    "auricle_model_output_label": (c_char_p, [c_void_p, c_size_t, c_size_t]),
    "auricle_session_output": (c_int32, [c_void_p, c_size_t, c_void_p, c_size_t, POINTER(c_size_t)]),
    "auricle_runtime_open": (c_int32, [c_char_p]),
    "auricle_runtime_open_with": (c_int32, [c_char_p, POINTER(RuntimeOptions)]),
    "auricle_set_log": (c_int32, [LOG_FUNCTION, c_void_p, c_int32]),
    "auricle_version": (c_char_p, []),
    "auricle_abi_version": (c_uint32, []),
}


def _file() -> pathlib.Path:
    """The library of this package. Another one, of the system say, may have another binary interface."""
    name = {"darwin": "libauricle.0.1.dylib", "win32": "auricle.dll"}.get(sys.platform, "libauricle.so.0.1")
    file = pathlib.Path(__file__).with_name(name)
    if not file.is_file():
        raise ImportError(f"{file} is missing: install the wheel (bindings/python/README.md says how it is made)")
    return file


def _declare(library: Any) -> Any:
    for name, (returns, takes) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = returns, takes
    return library


_path = str(_file())
WORK: Any = _declare(ctypes.CDLL(_path))
QUICK: Any = _declare(ctypes.PyDLL(_path))

_found = QUICK.auricle_abi_version()
if _found != ABI_VERSION:
    raise ImportError(f"{_path} has version {_found} of the binary interface; this package is for {ABI_VERSION}")
