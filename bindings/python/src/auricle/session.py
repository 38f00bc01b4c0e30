"""SESSIONS, PUSHING, READING: one audio stream. Push into it as audio arrives, read windows with their scores, and events.

How the audio is cut into pieces never changes a score.
"""

import ctypes
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from . import _library, pcm
from ._handle import Handle, text, u32, u64
from ._library import QUICK, WORK
from .model import Model
from .status import Error, Status, checked, error_of

#: AURICLE_DROP_NEWEST, AURICLE_DROP_OLDEST.
OVERFLOW: dict[str, int] = {"drop_newest": 1, "drop_oldest": 2}

# How long a wait stays in the library before Python may look for signals, such as Ctrl-C; milliseconds.
_WAIT_SLICE_MS = 100

_CANCELLED = int(Status.CANCELLED)
_push: Any = QUICK.auricle_session_push_bytes


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One window: its scores, where it lies in the stream, and what state its audio is in. See auricle_result.

    Frames are the program's, as it pushed them, counted from 0; the delays of conversion and features are taken out. Levels,
    and the counts of clipped and non-finite frames, are taken in stretches of 10 ms: those that end in the window.
    """

    #: One score for each class; None if they were not asked for.
    scores: npt.NDArray[np.float32] | None
    #: Whether the RMS is below -80 dBFS.
    silent: bool
    #: First frame of the window.
    first_frame: int
    #: One past its last frame.
    end_frame: int
    #: Number of the window on the grid of hops. A window that lies wholly in a gap is left out, its number too.
    sequence: int
    #: Highest absolute sample over all channels, dBFS; minus infinity for digital silence.
    peak_dbfs: float
    #: Root mean square of the mono signal, dBFS; minus infinity for digital silence.
    rms_dbfs: float
    #: Mean of the mono signal, full scale 1.0. Far from 0 means a faulty source.
    dc_offset: float
    #: Whether the inference took longer than a hop: the machine cannot keep up with the stream.
    late: bool
    #: Frames with a sample at full scale: the source was too loud.
    clipped_frames: int
    #: Frames with a sample that was NaN, infinite or absurd, and was taken as 0.
    non_finite_frames: int
    #: Frames of the window lost because the ring was full. They were taken as silence.
    dropped_frames: int
    #: Frames of the window that lie in gaps. They were taken as silence.
    gap_frames: int
    #: How long ONNX Runtime took, nanoseconds.
    inference_nanoseconds: int
    #: Estimate of the steady noise of the last 5 seconds, dBFS; minus infinity for digital silence.
    noise_floor_dbfs: float
    #: Power of the window above the noise floor, to the noise floor, dB; minus infinity if nothing is above it.
    snr_db: float


@dataclass(frozen=True, slots=True)
class Event:
    """A sound from its onset to its offset. Frames are the program's. See auricle_event.

    It is reported twice with the same id: provisional as soon as its class is on for long enough, final once it is over.
    """

    #: Whether the event is over and will not change any more.
    is_final: bool
    #: Number of the event in its stream, from 1.
    id: int
    #: Index of the class: Model.labels.
    class_index: int
    #: First frame of the sound, to about a hop.
    onset_frame: int
    #: One past its last frame, to about a hop; of a provisional event, how far it has been heard.
    offset_frame: int
    #: End of the window that decided it.
    decided_frame: int
    #: Highest score of its windows.
    peak_score: float
    #: Mean score of its windows.
    mean_score: float
    #: Events that were given up just before this one, because 256 of them waited.
    lost_before: int


class Session:
    """One audio stream. For each piece of audio push and read; at the end finish and read until `ended`.

    `sample_rate` is that of the audio, Hz, 1000 to 384000; 0: the model's. `channels` is 1 to 8. `max_windows_per_read`:
    after so many windows in a row a read gives None although more is waiting, so that a loop does a bounded work; 0: no
    limit. `hop_seconds` is the distance between windows, one sample of the model to 3600; 0: the one in stream_json, else
    the manifest's. `ring_seconds` is how much audio can wait between push and read, one frame to 600; 0: 2. `overflow`
    says what is lost when the ring is full. `channel` is the one that is heard, counted from 1; 0: the mean of all.
    `stream_json` is smoothing and events of this stream, in place of the `stream` object of the manifest, as JSON or as
    what becomes it: {"smoothing_seconds": 0.5, "events": {"on": 0.6}}.

    One thread may push (and call gap and finish) while another one reads (and calls read_event and wait); cancel, pending
    and close are for any thread. A second thread in the same half gets an InvalidStateError. `with` closes it at the end of
    the block. See auricle_session_create.
    """

    def __init__(
        self,
        model: Model,
        *,
        sample_rate: int = 0,
        channels: int = 1,
        max_windows_per_read: int = 0,
        hop_seconds: float = 0.0,
        ring_seconds: float = 0.0,
        overflow: Literal["drop_newest", "drop_oldest"] = "drop_newest",
        channel: int = 0,
        stream_json: str | Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(model, Model):
            raise TypeError(f"model is {type(model).__name__}: give what auricle.load returns")
        if overflow not in OVERFLOW:
            raise ValueError(f"overflow is {overflow!r}; valid {', '.join(OVERFLOW)}")
        if u32("channels", channels) == 0:
            raise ValueError("channels is 0; valid 1 to 8")
        if isinstance(stream_json, Mapping):
            stream_json = json.dumps(stream_json)
        options = _library.SessionOptions(
            ctypes.sizeof(_library.SessionOptions),
            u32("sample_rate", sample_rate),
            channels,
            u32("max_windows_per_read", max_windows_per_read),
            hop_seconds,
            ring_seconds,
            OVERFLOW[overflow],
            u32("channel", channel),
            None if stream_json is None else text("stream_json", stream_json.encode()),
        )
        model_handle = model._open()
        self._handle: Handle | None = Handle(
            lambda place: checked(WORK.auricle_session_create(model_handle.pointer, ctypes.byref(options), place)),
            WORK.auricle_session_free,
        )
        self._sizes = [output.size for output in model.outputs]
        #: Channels of the audio that is pushed.
        self.channels = int(channels)
        #: Whether the stream was finished and everything has been read. AURICLE_END.
        self.ended = False

    # Pushing: never blocks, and keeps the interpreter, because it is over sooner than another thread could be woken.

    def push(self, samples: pcm.Samples, *, format: pcm.Format | None = None) -> bool:
        """Pushes a C-contiguous array (frames, channels), or (frames,) for one channel, of uint8, int16, int32, float32 or
        float64; or a bytes-like object of interleaved samples, with its `format`.

        Samples that are NaN or infinite are taken as 0 and counted in the result. True: all of it is in. False: the ring was
        full, and frames were lost (AURICLE_DROPPED): read more often, or ask for a longer ring; the stream goes on, its
        clock counts the lost frames, and dropped_frames of the results that they touch does too.

        The pushing thread. Raises InvalidStateError after finish; TypeError or ValueError, and nothing was taken, for samples
        of another kind or form. See auricle_session_push_bytes.
        """
        handle = self._open()
        audio = pcm.interleaved(samples, format, self.channels)
        return checked(_push(handle.pointer, audio.format, audio.pointer, audio.frames)) == 0

    def push_planar(self, samples: npt.NDArray[Any] | Sequence[npt.NDArray[Any]]) -> bool:
        """Pushes samples that lie channel by channel: an array (channels, frames) whose rows are contiguous, or one array
        for each channel. Otherwise as push. See auricle_session_push_planar_bytes.
        """
        handle = self._open()
        audio = pcm.planar(samples, self.channels)
        status = QUICK.auricle_session_push_planar_bytes(handle.pointer, audio.format, audio.pointers, audio.frames)
        return checked(status) == 0

    def gap(self, lost_frames: int) -> None:
        """Says that the source lost `lost_frames` frames here (an overrun of the device, a lost packet).

        The clock of the stream goes on by as many, silence stands in for them, and gap_frames of the results that they touch
        counts them. The pushing thread. See auricle_session_gap.
        """
        handle = self._open()
        checked(QUICK.auricle_session_gap(handle.pointer, u64("lost_frames", lost_frames)))

    def finish(self) -> None:
        """Says that no more input comes. Reads go on to the end of the audio; then `ended` is True. Twice is fine.

        The pushing thread. See auricle_session_finish.
        """
        handle = self._open()
        checked(QUICK.auricle_session_finish(handle.pointer))

    # Reading: does the work, and lets other Python threads run meanwhile.

    def read(self, out: npt.NDArray[np.float32] | None = None, *, scores: bool = True) -> Result | None:
        """Does the work that is due (conversion, features, inference) and gives the next window. None: there is not enough
        audio for it yet, max_windows_per_read was reached, or (see `ended`) the stream is over.

        The scores are written into `out`, float32, at least as long as there are classes; without it they come in a new
        array. With `scores` False there are none: for programs that want events alone.

        The reading thread. Raises ClipTooShortError (the stream was finished before the model could see even one row of
        features), InferenceError, ModelError or OutOfMemoryError (this window is lost; the next read goes on behind it),
        BufferTooSmallError (nothing was consumed), Cancelled, InvalidStateError. See auricle_session_read.
        """
        handle = self._open()
        if out is not None:
            pointer, capacity = pcm.output(out, "out")
            values: npt.NDArray[np.float32] | None = out[: self._sizes[0]]
        elif scores:
            values = np.empty(self._sizes[0], np.float32)
            pointer, capacity = pcm.output(values, "scores")
        else:
            values, pointer, capacity = None, 0, 0
        found = _library.Result(ctypes.sizeof(_library.Result))
        status = checked(WORK.auricle_session_read(handle.pointer, pointer, capacity, ctypes.byref(found)))
        if status != Status.OK:
            self.ended = status == Status.END
            return None
        return _result(values, found)

    def read_event(self) -> Event | None:
        """Gives the next event that the windows read so far have made; None: none is waiting.

        The reading thread. Raises InvalidStateError where neither the manifest nor stream_json has `events`. See
        auricle_session_read_event.
        """
        handle = self._open()
        found = _library.Event(ctypes.sizeof(_library.Event))
        if checked(WORK.auricle_session_read_event(handle.pointer, ctypes.byref(found))) != Status.OK:
            return None
        return Event(
            found.is_final != 0,
            found.id,
            found.class_index,
            found.onset_frame,
            found.offset_frame,
            found.decided_frame,
            found.peak_score,
            found.mean_score,
            found.lost_before,
        )

    def output(self, index: int, out: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.float32]:
        """Values of output `index` for the result that the last read gave: of the first output what that read gave, smoothed
        if the stream is; of others as the network gives them. They are written into `out`, float32, or come in a new array.

        The reading thread, before it reads or waits again (else InvalidStateError). See auricle_session_output.
        """
        handle, count = self._open(), ctypes.c_size_t()
        if out is None:
            out = np.empty(self._sizes[index] if u64("index", index) < len(self._sizes) else 0, np.float32)
        pointer, capacity = pcm.output(out, "out")
        checked(WORK.auricle_session_output(handle.pointer, index, pointer, capacity, ctypes.byref(count)))
        return out[: count.value]

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Waits until a read has something to give: True; or until the time is over: False. None waits for ever.

        Pushing wakes nobody; the waiting thread sleeps until the next window can be due, and looks again: it may answer a few
        milliseconds late, and up to 50 ms after finish. Ctrl-C is seen within 0.1 s.

        The reading thread. Raises Cancelled. See auricle_session_wait.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            handle = self._open()
            left = _WAIT_SLICE_MS if deadline is None else max(0, (deadline - time.monotonic()) * 1000)
            status = checked(WORK.auricle_session_wait(handle.pointer, int(min(left, _WAIT_SLICE_MS))))
            if status == Status.OK:
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False

    def results(self, *, wait: bool = False, scores: bool = True) -> Iterator[Result]:
        """The windows that are ready, one after another; with `wait` those to come too, until the stream has ended.

        For a thread of its own that reads: `for result in session.results(wait=True)`. See read and wait.
        """
        while True:
            result = self.read(scores=scores)
            if result is not None:
                yield result
            elif self.ended or not wait:
                return
            else:
                self.wait()

    def events(self) -> Iterator[Event]:
        """The events that are waiting, one after another. See read_event."""
        while (event := self.read_event()) is not None:
            yield event

    # Any thread.

    def pending(self) -> int:
        """How many frames were pushed and have not been read yet. Any thread. See auricle_session_pending."""
        handle, frames = self._open(), ctypes.c_uint64()
        checked(QUICK.auricle_session_pending(handle.pointer, ctypes.byref(frames)))
        return frames.value

    def cancel(self) -> None:
        """Wakes a thread that waits, and ends a running inference soon: waits and reads raise Cancelled until reset.

        Any thread but one that plays audio: it locks. See auricle_session_cancel.
        """
        handle = self._open()
        checked(WORK.auricle_session_cancel(handle.pointer))

    def reset(self) -> None:
        """Forgets the stream, finished or not: the next frame pushed is frame 0. Faster than a new session.

        When neither half is running. See auricle_session_reset.
        """
        handle = self._open()
        checked(WORK.auricle_session_reset(handle.pointer))
        self.ended = False

    def close(self) -> None:
        """Ends the session. A thread that is reading or waiting gets Cancelled; later calls get ValueError. Twice is fine.

        Any thread. See auricle_session_free.
        """
        handle, self._handle = self._handle, None
        if handle is not None:
            checked(WORK.auricle_session_cancel(handle.pointer))

    def _open(self) -> Handle:
        handle = self._handle
        if handle is None:
            raise ValueError("the session is closed")
        return handle

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._handle is None else f"{self.channels} channels"
        return f"<auricle.Session: {state}>"


def read_many(sessions: Sequence[Session], timeout_seconds: float = 0.0) -> list[Result | Error | None]:
    """Gives the next window of each session, all of one model: what as many reads would give, but windows that are ready go
    through the network together, up to `max_batch` of load in a run. On a GPU that is what makes hundreds of streams cheap. The
    scores are those of single reads but for their last digits.

    Waits until every session has a window or its end, for at most `timeout_seconds` (at most 49 days). For each session there is
    its Result; None, if it has no window yet or (see Session.ended) its stream is over; or its Error, such as Cancelled, not
    raised.

    The reading thread of all these sessions. Raises InvalidArgumentError where they have different models, OutOfMemoryError. See
    auricle_read_many.
    """
    for session in sessions:
        if not isinstance(session, Session):
            raise TypeError(f"a session is {type(session).__name__}: give auricle.Sessions")
    handles, count = [session._open() for session in sessions], len(sessions)
    classes = sessions[0]._sizes[0] if count else 0
    scores = np.empty((count, classes), np.float32)
    pointers = (ctypes.c_void_p * count)(*(handle.pointer for handle in handles))
    found = (_library.Result * count)()
    for result in found:
        result.struct_size = ctypes.sizeof(_library.Result)
    statuses = (ctypes.c_int32 * count)()
    milliseconds = u32("timeout_seconds * 1000", int(timeout_seconds * 1000))
    checked(WORK.auricle_read_many(pointers, count, milliseconds, scores.ctypes.data, scores.size, found, statuses))
    given: list[Result | Error | None] = []
    for index, (session, status) in enumerate(zip(sessions, statuses, strict=True)):
        session.ended = status == Status.END
        if status == Status.OK:
            given.append(_result(scores[index], found[index]))
        elif status in (Status.AGAIN, Status.END):
            given.append(None)
        else:
            given.append(error_of(status))
    return given


def _result(scores: npt.NDArray[np.float32] | None, found: _library.Result) -> Result:
    return Result(
        scores,
        found.silent != 0,
        found.first_frame,
        found.end_frame,
        found.sequence,
        found.peak_dbfs,
        found.rms_dbfs,
        found.dc_offset,
        found.late != 0,
        found.clipped_frames,
        found.non_finite_frames,
        found.dropped_frames,
        found.gap_frames,
        found.inference_nanoseconds,
        found.noise_floor_dbfs,
        found.snr_db,
    )
