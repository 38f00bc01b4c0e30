"""STATUSES AND THE LAST ERROR: what calls return, and the exceptions that errors become."""

import enum

from ._library import QUICK


class Status(enum.IntEnum):
    """What became of a call: 0 success, positive success of another kind, negative an error. AURICLE_OK and so on."""

    #: Done.
    OK = 0
    #: Read: not enough audio for the next window yet. Push more, then read again.
    AGAIN = 1
    #: Read: the stream was finished and everything has been read.
    END = 2
    #: Push: the ring was full, and frames were lost.
    DROPPED = 3
    #: Cancelled from another thread.
    CANCELLED = 4
    #: An argument is missing, out of its range, or does not fit another argument.
    INVALID_ARGUMENT = -1
    #: The call is not allowed now.
    INVALID_STATE = -2
    #: The array is too small.
    BUFFER_TOO_SMALL = -3
    #: The clip is too short for the model to see even one row of features.
    CLIP_TOO_SHORT = -4
    #: The memory that the call needs could not be had.
    MEMORY = -5
    #: A file could not be read.
    FILE = -100
    #: The model is refused: it is damaged, is not ONNX, reads other files, or needs a newer ONNX Runtime.
    MODEL = -101
    #: The model has no manifest, or the manifest is not valid.
    MANIFEST = -102
    #: The manifest and the network contradict each other.
    MISMATCH = -103
    #: ONNX Runtime was not found, could not be opened, or is too old.
    RUNTIME = -200
    #: ONNX Runtime failed while running the network, or the network gave a score that is not finite.
    INFERENCE = -201
    #: A provider of ONNX Runtime that was required cannot be had, or has failed while it ran.
    PROVIDER = -202
    #: A defect of Auricle, caught: please report it.
    INTERNAL = -300


class Error(Exception):
    """A call failed. Its text is the library's own sentence, with the numbers that fix it. See auricle_last_error."""

    #: The status of the call: one of Status, or a number that a newer library has added.
    status: int

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[type["Error"], tuple[str, int]]:
        return type(self), (str(self), self.status)


class Cancelled(Error):
    """The call was cancelled from another thread: Cancel.request, Session.cancel or Session.close. AURICLE_CANCELLED."""


class InvalidArgumentError(Error, ValueError):
    """An argument is out of its range, or does not fit another argument. AURICLE_INVALID_ARGUMENT."""


class InvalidStateError(Error, RuntimeError):
    """The call is not allowed now: push after finish, two threads in one half of a session. AURICLE_INVALID_STATE."""


class BufferTooSmallError(Error, ValueError):
    """`out` is smaller than the number of classes. AURICLE_BUFFER_TOO_SMALL."""


class ClipTooShortError(Error, ValueError):
    """The audio is too short for the model to see even one row of features. AURICLE_CLIP_TOO_SHORT."""


class OutOfMemoryError(Error, MemoryError):
    """The memory that the call needs could not be had. AURICLE_MEMORY."""


class FileError(Error, OSError):
    """A file could not be read. AURICLE_FILE."""

    def __str__(self) -> str:
        return str(self.args[0])  # OSError has a form of its own for two arguments


class ModelError(Error, ValueError):
    """The model is refused: damaged, not ONNX, reads other files, needs a newer ONNX Runtime. AURICLE_MODEL."""


class ManifestError(Error, ValueError):
    """The model has no manifest, or the manifest is not valid. AURICLE_MANIFEST."""


class MismatchError(Error, ValueError):
    """The manifest and the network contradict each other. AURICLE_MISMATCH."""


class RuntimeOpenError(Error, RuntimeError):
    """ONNX Runtime was not found, could not be opened, or is too old. AURICLE_RUNTIME."""


class InferenceError(Error, RuntimeError):
    """ONNX Runtime failed while running the network, or a score is not finite. AURICLE_INFERENCE."""


class ProviderError(Error, RuntimeError):
    """A provider that was required cannot be had or does not run the network; or one has failed while it ran, and the model
    has to be loaded anew. AURICLE_PROVIDER.
    """


class InternalError(Error, RuntimeError):
    """A defect of Auricle, caught: please report it. A session in which it happened can only be closed. AURICLE_INTERNAL."""


_EXCEPTIONS: dict[int, type[Error]] = {
    Status.CANCELLED: Cancelled,
    Status.INVALID_ARGUMENT: InvalidArgumentError,
    Status.INVALID_STATE: InvalidStateError,
    Status.BUFFER_TOO_SMALL: BufferTooSmallError,
    Status.CLIP_TOO_SHORT: ClipTooShortError,
    Status.MEMORY: OutOfMemoryError,
    Status.FILE: FileError,
    Status.MODEL: ModelError,
    Status.MANIFEST: ManifestError,
    Status.MISMATCH: MismatchError,
    Status.RUNTIME: RuntimeOpenError,
    Status.INFERENCE: InferenceError,
    Status.PROVIDER: ProviderError,
    Status.INTERNAL: InternalError,
}


def status_text(status: int) -> str:
    """What kind of outcome a status is, in a few words, for any number. See auricle_status_text."""
    text: bytes = QUICK.auricle_status_text(status)
    return text.decode()


def error_of(status: int) -> Error:
    """The error of a call that this thread has just made."""
    if status == Status.CANCELLED:
        return Cancelled(status_text(status), status)
    message: bytes = QUICK.auricle_last_error()
    return _EXCEPTIONS.get(status, Error)(message.decode("utf-8", "replace"), status)


def checked(status: int) -> int:
    """The status of a call that this thread has just made, unless it failed or was cancelled: that is raised."""
    if status < 0 or status == Status.CANCELLED:
        raise error_of(status)
    return status
