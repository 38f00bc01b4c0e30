"""Who owns what C hands out."""

import ctypes
import operator
from typing import Any, NoReturn


class Handle:
    """A pointer that the library gave, and the function that ends it.

    Every call keeps its own reference while it runs, so what is closed during a call is freed when that call has returned,
    by whoever lets go last.
    """

    __slots__ = ("_free", "pointer")

    def __init__(self, make: Any, free: Any) -> None:
        """`make` gets the place for the pointer, and raises where the call fails."""
        self.pointer: int | None = None
        self._free = free
        place = ctypes.c_void_p()
        make(ctypes.byref(place))
        self.pointer = place.value

    def __del__(self) -> None:
        if self.pointer is not None:
            self._free(self.pointer)

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a model, session or cancel of auricle cannot be copied, pickled or sent to another process")


def u32(name: str, value: int) -> int:
    """A number as C takes it; ctypes would cut off what does not fit."""
    return _unsigned(name, value, 32)


def u64(name: str, value: int) -> int:
    """The same with 64 bits."""
    return _unsigned(name, value, 64)


def _unsigned(name: str, value: int, bits: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}: give an int") from None
    if not 0 <= number < 1 << bits:
        raise ValueError(f"{name} is {number}; valid 0 to {(1 << bits) - 1}")
    return number


def text(name: str, value: bytes) -> bytes:
    """A string for C, which ends at the first NUL."""
    if b"\0" in value:
        raise ValueError(f"{name} has a NUL character at byte {value.index(0)}")
    return value
