"""Auricle: sound classification for native software. Push PCM, read scores.

A complete program. It classifies raw 16-bit stereo at 48 kHz from its standard input, as it arrives:

    import sys
    import auricle

    with auricle.load(sys.argv[1]) as model, auricle.Session(model, sample_rate=48000, channels=2) as session:
        while not session.ended:
            block = sys.stdin.buffer.read(480 * 2 * 2)          # 10 ms
            if block:
                session.push(block, format="i16")
            else:
                session.finish()
            for result in session.results():
                best = result.scores.argmax()
                print(f"{result.first_frame / 48000:7.2f} s  {model.labels[best]} {result.scores[best]:.2f}")

CONTENTS

- Statuses: Status, status_text, Error and one exception for each kind of error
- Cancelling: Cancel
- Models: load, load_memory, Model
- Whole clips: Clip, for Model.classify
- Sessions: Session, Result, Event; read_many for many of one model
- Providers: Provider, for load
- Outputs: Output, OutputKind, for models that give more than one thing
- ONNX Runtime, log, versions: runtime_open, set_log, LogLevel, version, abi_version

CONVENTIONS are those of include/auricle.h, of which this is one call after another.

Words. A frame is one sample for each channel at one instant. A window is the stretch of audio that one inference sees; the
hop is the distance between the starts of two windows. A score is what the model says of one class for one window.

Units. Rates are in Hz, lengths and positions of audio in frames, times in seconds where the name ends in _seconds, levels
in dBFS. Floating-point audio has its full scale at -1.0 to 1.0.

Arrays. NumPy arrays are taken where they lie and never copied; what would have to be copied is refused: TypeError for a type,
ValueError for a shape, strides or an array that may not be written to. So is the use of what is closed (ValueError).

Errors. A call that fails raises an Error with the library's own sentence and its `status`; most are a ValueError, OSError,
MemoryError or RuntimeError too.

Threads. Models are shared freely; a session has a half that pushes and one that reads. load, classify, read and wait let other
Python threads run. Before the interpreter ends, end the threads that are inside a call (Session.close, Cancel.request).

fork. A child made by fork may call nothing here unless its parent had one thread: with multiprocessing, use "spawn".
"""

from .cancel import Cancel
from .clip import Clip
from .log import LogLevel, set_log
from .model import Model, load, load_memory
from .output import Output, OutputKind
from .provider import Provider
from .runtime import abi_version, runtime_open, version
from .session import Event, Result, Session, read_many
from .status import (
    BufferTooSmallError,
    Cancelled,
    ClipTooShortError,
    Error,
    FileError,
    InferenceError,
    InternalError,
    InvalidArgumentError,
    InvalidStateError,
    ManifestError,
    MismatchError,
    ModelError,
    OutOfMemoryError,
    ProviderError,
    RuntimeOpenError,
    Status,
    status_text,
)

__version__ = version()

__all__ = [
    "BufferTooSmallError",
    "Cancel",
    "Cancelled",
    "Clip",
    "ClipTooShortError",
    "Error",
    "Event",
    "FileError",
    "InferenceError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidStateError",
    "LogLevel",
    "ManifestError",
    "MismatchError",
    "Model",
    "ModelError",
    "OutOfMemoryError",
    "Output",
    "OutputKind",
    "Provider",
    "ProviderError",
    "Result",
    "RuntimeOpenError",
    "Session",
    "Status",
    "abi_version",
    "load",
    "load_memory",
    "read_many",
    "runtime_open",
    "set_log",
    "status_text",
    "version",
]
