"""ONNX RUNTIME and VERSIONS: what the library computes with, and which library it is."""

import ctypes
import os

from ._handle import text, u32
from ._library import QUICK, WORK, RuntimeOptions
from .status import checked


def runtime_open(
    library: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
    *,
    shared_threads: int = 0,
    known_only: bool = False,
) -> None:
    """Opens ONNX Runtime. Optional: loading the first model does it with None.

    `library` is the path of another library file, of version 1.24 or newer. None looks at the environment variable
    ORT_DYLIB_PATH, then takes the one of this package, 1.28.0. It is opened once, for the life of the process: a later call
    with None or with the same file does nothing, with another one it raises InvalidStateError. What `import onnxruntime` has
    opened is another copy and plays no part.

    `shared_threads` makes one pool of threads for all models that are loaded with shared_pool, 1 to 256, the calling one
    among them; 0: none. With `known_only` a file is refused that is not one of the official releases that Auricle knows. Both
    are for before the first model: where ONNX Runtime is open already, and not like that, InvalidStateError is raised.

    Any thread. Raises RuntimeOpenError, with the file that was tried and the reason. See auricle_runtime_open_with.
    """
    path = None if library is None else text("library", os.fsencode(library))
    options = RuntimeOptions(
        ctypes.sizeof(RuntimeOptions), u32("shared_threads", shared_threads), u32("known_only", bool(known_only))
    )
    checked(WORK.auricle_runtime_open_with(path, ctypes.byref(options)))


def version() -> str:
    """Version of the library, "MAJOR.MINOR.PATCH". See auricle_version."""
    found: bytes = QUICK.auricle_version()
    return found.decode()


def abi_version() -> int:
    """Version of the library's binary interface. See auricle_abi_version."""
    found: int = QUICK.auricle_abi_version()
    return found
