"""Arrays that nobody should give are refused with Python's own errors, or taken as they are; nothing crashes."""

from typing import Any

import auricle
import numpy as np
import pytest

STEREO = np.zeros((480, 2), np.float32)
MONO = np.zeros(480, np.float32)

REFUSED: list[tuple[str, Any, type[Exception]]] = [
    ("a list", [0.0] * 480, TypeError),
    ("None", None, TypeError),
    ("a number", 3, TypeError),
    ("a string", "audio", TypeError),
    ("bytes without a format", bytes(960), TypeError),
    ("a scalar", np.float32(1), TypeError),
    ("rank 0", np.array(1, np.float32), ValueError),
    ("rank 3", np.zeros((4, 1, 1), np.float32), ValueError),
    ("two channels", STEREO, ValueError),
    ("no channel", np.zeros((480, 0), np.float32), ValueError),
    ("channels first", np.zeros((1, 480), np.float32), ValueError),
    ("every other sample", MONO[::2], ValueError),
    ("backwards", MONO[::-1], ValueError),
    ("one sample again and again", np.broadcast_to(np.float32(0.5), 480), ValueError),
    ("a column of two", STEREO[:, 0], ValueError),
    ("a slice of a column", STEREO[:, :1], ValueError),
    ("f16", MONO.astype(np.float16), TypeError),
    ("long double", MONO.astype(np.longdouble), TypeError),
    ("int8", MONO.astype(np.int8), TypeError),
    ("uint16", MONO.astype(np.uint16), TypeError),
    ("int64", MONO.astype(np.int64), TypeError),
    ("bool", MONO.astype(np.bool_), TypeError),
    ("complex", MONO.astype(np.complex64), TypeError),
    ("object", MONO.astype(object), TypeError),
    ("another byte order", MONO.astype(">f4" if np.little_endian else "<f4"), TypeError),
    ("a record", np.zeros(480, [("left", "f4")]), TypeError),
    ("text", np.array(["a"]), TypeError),
    ("dates", np.zeros(4, "M8[s]"), TypeError),
    ("masked", np.ma.masked_array(MONO, MONO == 0), TypeError),
]

#: What a session of one channel refuses and a clip takes: how many channels there can be is the library's to say.
ANY_CHANNELS = ("two channels", "no channel", "channels first")


@pytest.mark.parametrize(("name", "samples", "error"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_what_is_no_audio_is_refused_and_nothing_is_taken(
    session: auricle.Session, name: str, samples: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        session.push(samples)
    if name in ANY_CHANNELS:
        clip = auricle.Clip(samples, 16_000)
        assert clip.channels == samples.shape[1]
    else:
        with pytest.raises(error):
            auricle.Clip(samples, 16_000)
    assert session.pending() == 0


READABLE: list[tuple[str, Any]] = [
    ("read-only", np.frombuffer(MONO.tobytes(), np.float32)),
    ("one column", MONO.reshape(-1, 1)),
    ("a part", np.zeros(1000, np.float32)[100:580]),
    ("misaligned", np.frombuffer(b"\0" + MONO.tobytes(), np.float32, offset=1)),
    ("a subclass", MONO.view(np.recarray)),
    ("Fortran's order, one channel", np.asfortranarray(MONO.reshape(-1, 1))),
]


@pytest.mark.parametrize(("name", "samples"), READABLE, ids=[name for name, _ in READABLE])
def test_what_can_be_read_where_it_lies_is_taken(session: auricle.Session, name: str, samples: Any) -> None:
    assert session.push(samples)
    assert session.pending() == 480, name


def test_nothing_at_all_is_taken_too(session: auricle.Session) -> None:
    assert session.push(MONO[:0])
    assert session.push(b"", format="i16")
    assert session.push(bytearray(), format="i24")
    assert session.push_planar(np.zeros((1, 0), np.float32))
    assert session.pending() == 0


@pytest.mark.parametrize(
    ("data", "form", "error"),
    [
        (bytes(3), "i16", ValueError),
        (bytes(4), "i24", ValueError),
        (bytes(4), "f16", ValueError),
        (bytes(4), "I16", ValueError),
        ("text", "i16", TypeError),
        (7, "i16", TypeError),
        (MONO, "f32", TypeError),
        (memoryview(bytes(8))[::2], "i16", ValueError),
    ],
)
def test_bytes_that_fit_no_format_are_refused(
    session: auricle.Session, data: Any, form: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        session.push(data, format=form)
    assert session.pending() == 0


@pytest.mark.parametrize(
    ("samples", "error"),
    [
        (MONO, ValueError),
        (STEREO, ValueError),  # 480 channels
        (np.zeros((2, 480), np.float32)[:, ::2], ValueError),
        (np.zeros((3, 480), np.float32), ValueError),
        (np.zeros((2, 480), np.float16), TypeError),
        ([MONO], ValueError),
        ([MONO, MONO[:100]], ValueError),
        ([MONO, MONO.astype(np.float64)], ValueError),
        ([MONO, None], TypeError),
        ([STEREO, STEREO], ValueError),
        ("ab", TypeError),
        (b"ab", TypeError),
        (None, TypeError),
        (np.ma.zeros((2, 480), np.float32), TypeError),
    ],
)
def test_planes_that_do_not_fit_are_refused(model: auricle.Model, samples: Any, error: type[Exception]) -> None:
    with auricle.Session(model, channels=2) as session:
        with pytest.raises(error):
            session.push_planar(samples)
        assert session.pending() == 0


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.zeros(9, np.float32), auricle.BufferTooSmallError),
        (np.zeros(10, np.float64), TypeError),
        (np.zeros(10, ">f4"), TypeError),
        (np.zeros(20, np.float32)[::2], ValueError),
        (np.zeros((1, 10), np.float32), ValueError),
        (np.frombuffer(bytes(40), np.float32), ValueError),
        ([0.0] * 10, TypeError),
    ],
)
def test_a_place_that_cannot_take_the_scores_is_refused(
    model: auricle.Model, session: auricle.Session, out: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        model.classify(auricle.Clip(np.zeros(16_000, np.float32), 16_000), out=out)
    session.push(np.zeros(16_000, np.float32))
    with pytest.raises(error):
        session.read(out=out)
    assert session.read() is not None, "nothing was consumed"


def test_memory_that_python_lets_go_stays_while_the_clip_lives(model: auricle.Model) -> None:
    data = bytearray(np.random.default_rng(1).standard_normal(32_000).astype(np.float32).tobytes())
    clip = auricle.Clip(data, 16_000, format="f32")
    with pytest.raises(BufferError):
        data.clear()
    expected = model.classify(auricle.Clip(bytes(data), 16_000, format="f32"))
    del data
    assert model.classify(clip).tobytes() == expected.tobytes()
