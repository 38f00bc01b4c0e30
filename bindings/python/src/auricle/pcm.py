"""SAMPLE FORMATS: which arrays and bytes are taken as audio. Nothing is copied; what would have to be is refused."""

import ctypes
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

#: How the samples of a bytes-like object are stored: AURICLE_U8 to AURICLE_F64. i24 is packed into 3 bytes, little-endian.
Format = Literal["u8", "i16", "i24", "i32", "f32", "f64"]

#: The number of a format, and its bytes.
FORMATS: dict[str, tuple[int, int]] = {
    "u8": (1, 1),
    "i16": (2, 2),
    "i24": (3, 3),
    "i32": (4, 4),
    "f32": (5, 4),
    "f64": (6, 8),
}

#: The same by the type of an array, as its interface writes it: of this machine's byte order.
_BY_TYPE: dict[str, tuple[int, int]] = {
    np.dtype(name).str: FORMATS[form]
    for name, form in [("u1", "u8"), ("i2", "i16"), ("i4", "i32"), ("f4", "f32"), ("f8", "f64")]
}

# Type, shape, strides and place of an array in one look; and a TypeError for what is none.
_interface: Any = np.ndarray.__dict__["__array_interface__"].__get__


class Audio(NamedTuple):
    """Interleaved samples, where they lie."""

    format: int
    pointer: int
    frames: int
    channels: int
    #: Keeps the memory where it is.
    owner: object


def interleaved(samples: object, format: str | None, channels: int | None) -> Audio:
    """`channels` is what the samples must have; None: what they have, and 1 for bytes."""
    if format is not None:
        return _of_bytes(samples, format, channels or 1)
    found = _look(samples)
    number, _ = _format_of(found["typestr"])
    shape: tuple[int, ...] = found["shape"]
    if len(shape) == 1:
        has = 1
    elif len(shape) == 2:
        has = shape[1]
    else:
        raise ValueError(f"samples have the shape {shape}: give (frames,) or (frames, channels)")
    if channels is not None and has != channels:
        raise ValueError(
            f"samples have the shape {shape}, which is {has} channels, and the session has {channels}: give (frames, {channels})"
        )
    if found["strides"] is not None:
        raise ValueError(
            f"samples have the shape {shape} and the strides {found['strides']}, which are not C-contiguous: give "
            "numpy.ascontiguousarray(samples), or push_planar what is stored channel by channel"
        )
    return Audio(number, found["data"][0], shape[0], has, samples)


def _of_bytes(data: object, format: str, channels: int) -> Audio:
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}; valid {', '.join(FORMATS)}")
    if isinstance(data, np.ndarray):
        raise TypeError("format is for bytes-like objects; the dtype of an array says it already")
    number, size = FORMATS[format]
    view = memoryview(data)  # type: ignore[arg-type]  # a TypeError of its own says what is wrong
    if not view.c_contiguous:
        raise ValueError("samples are not C-contiguous: give bytes(samples)")
    frames, rest = divmod(view.nbytes, size * channels)
    if rest:
        raise ValueError(f"samples have {view.nbytes} bytes, no multiple of {size * channels} (one frame of {format})")
    if frames == 0:
        return Audio(number, 0, 0, channels, view)
    array = np.frombuffer(view.cast("B"), np.uint8)
    return Audio(number, _look(array)["data"][0], frames, channels, array)


class Planar(NamedTuple):
    """Samples that lie in one array for each channel."""

    format: int
    #: `const void *const *`
    pointers: Any
    frames: int
    owner: object


def planar(samples: object, channels: int) -> Planar:
    """One array (channels, frames) whose rows are contiguous, or a sequence of one array a channel."""
    if isinstance(samples, np.ndarray):
        if samples.ndim != 2:
            raise ValueError(f"samples have the shape {samples.shape}: give (channels, frames)")
        rows: Sequence[object] = list(samples)
    elif isinstance(samples, Sequence) and not isinstance(samples, str | bytes):
        rows = samples
    else:
        raise TypeError(f"samples are {type(samples).__name__}: give an array (channels, frames), or one array a channel")
    if len(rows) != channels:
        raise ValueError(f"samples have {len(rows)} channels, and the session has {channels}: give (channels, frames)")
    looks = [_look(row) for row in rows]
    kinds = {look["typestr"] for look in looks}
    shapes = {look["shape"] for look in looks}
    if len(kinds) > 1 or len(shapes) > 1:
        raise ValueError(f"the channels differ: types {sorted(kinds)}, shapes {sorted(shapes)}")
    shape = shapes.pop()
    if len(shape) != 1:
        raise ValueError(f"a channel has the shape {shape}: give (frames,)")
    for look in looks:
        if look["strides"] is not None:
            raise ValueError(
                f"the samples of a channel lie {look['strides'][0]} bytes apart: give numpy.ascontiguousarray(samples), or "
                "push what is interleaved"
            )
    number, _ = _format_of(kinds.pop())
    pointers = (ctypes.c_void_p * channels)(*(look["data"][0] for look in looks))
    return Planar(number, pointers, shape[0], rows)


def output(out: object, name: str) -> tuple[int, int]:
    """Where values can be written, and how many."""
    found = _look(out)
    if found["typestr"] != np.dtype(np.float32).str:
        raise TypeError(f"{name} has the type {found['typestr']}: give float32 of this machine's byte order")
    if len(found["shape"]) != 1 or found["strides"] is not None:
        raise ValueError(f"{name} has the shape {found['shape']} and the strides {found['strides']}: give one contiguous axis")
    pointer, read_only = found["data"]
    if read_only:
        raise ValueError(f"{name} is read-only")
    return pointer, found["shape"][0]


def _look(array: object) -> dict[str, Any]:
    try:
        found: dict[str, Any] = _interface(array)
    except TypeError:
        raise TypeError(
            f"samples are {type(array).__name__}: give a NumPy array, or bytes with their format"
        ) from None
    if type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray):
        raise TypeError("a masked array is not taken: say with numpy.ma.filled what stands in for what is masked")
    return found


def _format_of(type_string: str) -> tuple[int, int]:
    try:
        return _BY_TYPE[type_string]
    except KeyError:
        raise TypeError(
            f"samples have the type {type_string}: give uint8, int16, int32, float32 or float64 of this machine's byte order"
        ) from None


#: What push and Clip take.
Samples = npt.NDArray[Any] | bytes | bytearray | memoryview
