"""MODELS: a network in an ONNX file and a manifest, JSON that says what it expects and what its scores mean."""

import ctypes
import json
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from . import pcm
from ._handle import Handle, text, u32
from ._library import QUICK, WORK, ClipOptions, ModelOptions
from .cancel import Cancel, handle_of
from .clip import Clip
from .output import Output, outputs_of
from .provider import Progress, Provider, array_of
from .status import checked


class Model:
    """A loaded model, made by load and load_memory. It never changes: any number of threads may use it at once.

    `with` closes it at the end of the block. Sessions keep their own reference to it: close them in any order.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle: Handle | None = handle
        pointer = handle.pointer
        #: What it gives; the first is what Session.read gives. See auricle_model_output.
        self.outputs: tuple[Output, ...] = outputs_of(pointer)
        #: Labels of the classes of the first output, in the order of the scores; none if it has no scores.
        self.labels: tuple[str, ...] = self.outputs[0].labels
        #: Rate that the model works at, Hz. Audio of this rate saves the conversion. See auricle_model_sample_rate.
        self.sample_rate: int = QUICK.auricle_model_sample_rate(pointer)

    @property
    def class_count(self) -> int:
        """Number of classes, which is the number of scores of every window; if the first output has no labels, the number of
        its values. See auricle_model_class_count.
        """
        return self.outputs[0].size

    def classify(
        self,
        clip: Clip,
        *,
        channel: int = 0,
        hop_seconds: float = 0.0,
        cancel: Cancel | None = None,
        output: int = 0,
        out: npt.NDArray[np.float32] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Scores of one whole clip: the mean of the scores of its windows, one for each class.

        A clip shorter than a window is padded as the manifest says. `channel` is the one that is heard, counted from 1;
        0: the mean of all. `hop_seconds` is the distance between windows, one sample of the model to 3600; 0: the
        manifest's. `cancel` stops the call from another thread. `output` is the number of another output whose values are
        wanted: Model.outputs. `out` is where the values are written, float32, at least as long as the output; without it they
        come in a new array.

        Any thread, any number at once; other Python threads run meanwhile. Raises ClipTooShortError (0 frames, for example),
        InvalidArgumentError, BufferTooSmallError, InferenceError, OutOfMemoryError, Cancelled. See auricle_classify.
        """
        if not isinstance(clip, Clip):
            raise TypeError(f"clip is {type(clip).__name__}: give auricle.Clip(samples, sample_rate)")
        handle, cancel_handle = self._open(), handle_of(cancel)
        if out is None:
            size = self.outputs[output].size if u32("output", output) < len(self.outputs) else 0
            out = np.empty(size, np.float32)
        pointer, capacity = pcm.output(out, "out")
        options = ClipOptions(ctypes.sizeof(ClipOptions), u32("channel", channel), hop_seconds)
        options.cancel = cancel_handle.pointer if cancel_handle else None
        options.output = u32("output", output)
        audio, rate = clip.audio, u32("sample_rate", clip.sample_rate)
        checked(
            WORK.auricle_classify(
                handle.pointer,
                audio.format,
                audio.pointer,
                audio.frames,
                audio.channels,
                rate,
                ctypes.byref(options),
                pointer,
                capacity,
            )
        )
        return out

    def describe(self) -> dict[str, Any]:
        """The record for traceability: versions of Auricle and ONNX Runtime, files, SHA-256 sums, options, and the manifest
        with every default filled in. Any thread. See auricle_model_describe.
        """
        handle, needed = self._open(), ctypes.c_size_t()
        checked(WORK.auricle_model_describe(handle.pointer, None, 0, ctypes.byref(needed)))
        record = ctypes.create_string_buffer(needed.value)
        checked(WORK.auricle_model_describe(handle.pointer, record, needed.value, ctypes.byref(needed)))
        described: dict[str, Any] = json.loads(record.value)
        return described

    def close(self) -> None:
        """Gives this reference to the model back; calls that are running go on. Twice is fine. See auricle_model_free."""
        self._handle = None

    def _open(self) -> Handle:
        handle = self._handle
        if handle is None:
            raise ValueError("the model is closed")
        return handle

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._handle is None else f"{self.class_count} classes, {self.sample_rate} Hz"
        return f"<auricle.Model: {state}>"


def load(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    *,
    threads: int = 0,
    self_check: bool = False,
    max_batch: int = 0,
    cancel: Cancel | None = None,
    providers: Sequence[Provider] = (),
    progress: Callable[[str, float], object] | None = None,
    shared_pool: bool = False,
) -> Model:
    """Loads an ONNX file. Opens ONNX Runtime if that has not happened.

    The manifest is the one embedded in it (metadata "auricle.manifest"), else the file beside it whose name ends in
    .auricle.json instead of .onnx. `threads` is how many ONNX Runtime uses inside one inference, 1 to 256, the calling one
    among them; 0: 1. With `self_check` the manifest's golden cases are run, and a model that does not reproduce them, or has
    none, is refused. `max_batch` is how many windows of several sessions read_many may put into one run, 1 to 1024; 0: 1.
    `cancel` stops loading from another thread. `providers` of ONNX Runtime are to run the network, the first before the
    others; none: the CPU. `progress` is called with "read", "prepare", "warm" or "self_check" and how much of that is done,
    0 to 1; what it raises stops the load and comes out of it. With `shared_pool` the network runs on the pool of threads that
    runtime_open has made, beside other models, and `threads` is 0. The files can go afterwards.

    Any thread; takes from milliseconds to seconds, minutes where a provider builds an engine; other Python threads run
    meanwhile. Raises FileError, ModelError, ManifestError, MismatchError, RuntimeOpenError, ProviderError,
    InvalidArgumentError, InvalidStateError, OutOfMemoryError, Cancelled. See auricle_model_load.
    """
    name = text("path", os.fsencode(path))

    def call(options: Any, place: Any) -> int:
        status: int = WORK.auricle_model_load(name, options, place)
        return status

    return _load(call, threads, self_check, max_batch, cancel, providers, progress, shared_pool)


def load_memory(
    onnx: bytes | bytearray | memoryview,
    manifest: str | None = None,
    *,
    threads: int = 0,
    self_check: bool = False,
    max_batch: int = 0,
    cancel: Cancel | None = None,
    providers: Sequence[Provider] = (),
    progress: Callable[[str, float], object] | None = None,
    shared_pool: bool = False,
) -> Model:
    """Loads a model from the bytes of an ONNX file. `manifest` is JSON that replaces the embedded one; None: the embedded one.

    Otherwise as load. See auricle_model_load_memory.
    """
    file = pcm.interleaved(onnx, "u8", 1)
    json_text = None if manifest is None else text("manifest", manifest.encode())

    def call(options: Any, place: Any) -> int:
        status: int = WORK.auricle_model_load_memory(file.pointer, file.frames, json_text, options, place)
        return status

    return _load(call, threads, self_check, max_batch, cancel, providers, progress, shared_pool)


def _load(
    call: Callable[[Any, Any], int],
    threads: int,
    self_check: bool,
    max_batch: int,
    cancel: Cancel | None,
    providers: Sequence[Provider],
    progress: Callable[[str, float], object] | None,
    shared_pool: bool,
) -> Model:
    cancel_handle, array = handle_of(cancel), array_of(providers)
    told = None if progress is None else Progress(progress)
    options = ModelOptions(
        ctypes.sizeof(ModelOptions),
        u32("threads", threads),
        u32("self_check", bool(self_check)),
        u32("max_batch", max_batch),
        cancel_handle.pointer if cancel_handle else None,
        array,
        len(array),
        shared_pool=u32("shared_pool", bool(shared_pool)),
    )
    if told is not None:
        options.progress = told.c

    def make(place: Any) -> None:
        status = call(ctypes.byref(options), place)
        if told is not None and told.raised is not None:
            raise told.raised
        checked(status)

    return Model(Handle(make, WORK.auricle_model_free))
