"""WHOLE CLIPS: a recording in memory."""

from . import pcm


class Clip:
    """A recording in memory, for Model.classify: a view, which copies no samples.

    `samples` is a C-contiguous array (frames,) or (frames, channels) of uint8, int16, int32, float32 or float64; or a
    bytes-like object of interleaved samples, with `format` ("u8", "i16", "i24", "i32", "f32", "f64") and `channels`.
    Floats have their full scale at -1.0 to 1.0. 1 to 8 channels, `sample_rate` 1000 to 384000 Hz, which classify checks. What is stored
    channel by channel, as torchaudio does, has to be turned: numpy.ascontiguousarray(samples.T).

    The samples are read while classify runs: another thread may not write to them then.
    """

    __slots__ = ("audio", "sample_rate")

    def __init__(
        self, samples: pcm.Samples, sample_rate: int, *, format: pcm.Format | None = None, channels: int | None = None
    ) -> None:
        if channels is not None and format is None:
            raise TypeError("channels is for bytes-like objects; the shape of an array says it already")
        if channels is not None and channels < 1:
            raise ValueError(f"channels is {channels}; valid 1 to 8")
        self.audio = pcm.interleaved(samples, format, channels)
        self.sample_rate = sample_rate

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return self.audio.frames

    @property
    def channels(self) -> int:
        """How many channels it has."""
        return self.audio.channels

    def __repr__(self) -> str:
        return f"<auricle.Clip: {self.frames} frames, {self.channels} channels, {self.sample_rate} Hz>"
