"""Python says what C says, bit for bit."""

import json
import pathlib
import subprocess

import auricle
import numpy as np
import numpy.typing as npt
import pytest
from conftest import EVENTS, MODEL, compiled


def bits(value: float) -> int:
    return int(np.float32(value).view(np.uint32))


def said_of(session: auricle.Session) -> list[str]:
    lines = []
    for r in session.results():
        assert r.scores is not None
        levels = [bits(level) for level in (r.peak_dbfs, r.rms_dbfs, r.dc_offset)]
        counts = [r.clipped_frames, r.non_finite_frames, r.dropped_frames, r.gap_frames]
        ends = [bits(r.noise_floor_dbfs), bits(r.snr_db)]
        place = [int(r.silent), r.first_frame, r.end_frame, r.sequence]
        lines.append(" ".join(map(str, ["window", *place, *levels, *counts, *ends, *r.scores.view(np.uint32)])))
        lines += map(event_line, session.events())
    if session.ended:
        lines += map(event_line, session.events())
    return lines


def event_line(e: auricle.Event) -> str:
    numbers = [int(e.is_final), e.id, e.class_index, e.onset_frame, e.offset_frame, e.decided_frame]
    return " ".join(map(str, ["event", *numbers, bits(e.peak_score), bits(e.mean_score), e.lost_before]))


@pytest.fixture(scope="module")
def from_c(noise: npt.NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    program = compiled("reference.c", tmp_path_factory.mktemp("c"))
    command = [str(program), str(MODEL), "480", json.dumps(EVENTS)]
    output = subprocess.run(command, input=noise.tobytes(), capture_output=True, check=True).stdout
    lines = output.decode().splitlines()
    kinds = [line.split()[0] for line in lines]
    assert kinds.count("clip") == 1 and kinds.count("window") >= 8 and kinds.count("event") >= 2, "too little to compare"
    return lines


@pytest.mark.parametrize("block", [1, 7, 441, 480, 4096, 10**6])
def test_any_block_size_gives_the_bits_of_c(
    model: auricle.Model, noise: npt.NDArray[np.float32], from_c: list[str], block: int
) -> None:
    if block == 1:
        block = 1 + len(noise) // 100_000  # 100 000 pushes are enough of the smallest
    lines = []
    with auricle.Session(model, sample_rate=48_000, channels=2, ring_seconds=6, stream_json=EVENTS) as session:
        for at in range(0, len(noise), block):
            assert session.push(noise[at : at + block])
            lines += said_of(session)
        session.finish()
        lines += said_of(session)
        assert session.ended
    windows = [line for line in lines if line.startswith("window")]
    events = [line for line in lines if line.startswith("event")]
    assert windows == [line for line in from_c if line.startswith("window")]
    assert events == [line for line in from_c if line.startswith("event")]


def test_a_clip_has_the_bits_of_c(model: auricle.Model, noise: npt.NDArray[np.float32], from_c: list[str]) -> None:
    scores = model.classify(auricle.Clip(noise, 48_000))
    assert " ".join(["clip", *map(str, scores.view(np.uint32))]) == from_c[0]


def test_every_way_to_hand_samples_over_gives_the_same_bits(model: auricle.Model, noise: npt.NDArray[np.float32]) -> None:
    pcm16 = np.ascontiguousarray((noise * 32767).astype(np.int16))
    as_float = pcm16.astype(np.float32) / 32768
    wide = np.zeros((len(pcm16), 2, 4), np.uint8)
    wide.view("<i4")[:, :, 0] = pcm16.astype(np.int32) << 8
    packed24 = np.ascontiguousarray(wide[:, :, :3])
    planes = np.ascontiguousarray(pcm16.T)
    padded = np.zeros((2, len(pcm16) + 5), np.int16)
    padded[:, :-5] = planes
    expected = model.classify(auricle.Clip(as_float, 48_000)).tobytes()
    clips = [
        auricle.Clip(pcm16, 48_000),
        auricle.Clip(pcm16.astype(np.int32) << 16, 48_000),
        auricle.Clip(as_float.astype(np.float64), 48_000),
        auricle.Clip(pcm16.tobytes(), 48_000, format="i16", channels=2),
        auricle.Clip(packed24.data, 48_000, format="i24", channels=2),
    ]
    for clip in clips:
        assert model.classify(clip).tobytes() == expected, clip

    def stream(push: str, samples: object, **how: str) -> list[str]:
        with auricle.Session(model, sample_rate=48_000, channels=2, ring_seconds=6, stream_json=EVENTS) as session:
            assert getattr(session, push)(samples, **how)
            session.finish()
            return said_of(session)

    wanted = stream("push", as_float)
    assert stream("push", bytearray(pcm16.tobytes()), format="i16") == wanted
    assert stream("push_planar", planes) == wanted
    assert stream("push_planar", padded[:, :-5]) == wanted, "rows with something behind them"
    assert stream("push_planar", [planes[0], planes[1]]) == wanted


def test_results_are_written_into_the_array_that_was_given(model: auricle.Model, noise: npt.NDArray[np.float32]) -> None:
    clip = auricle.Clip(noise, 48_000)
    place = np.full(12, 7, np.float32)
    assert model.classify(clip, out=place) is place
    assert place[:10].tobytes() == model.classify(clip).tobytes() and list(place[10:]) == [7, 7]
    with auricle.Session(model, sample_rate=48_000, channels=2, ring_seconds=6) as session:
        session.push(noise)
        result = session.read(out=place)
        assert result is not None and result.scores is not None
        assert np.shares_memory(result.scores, place) and len(result.scores) == 10


def test_a_memory_map_is_taken_where_it_lies(
    model: auricle.Model, noise: npt.NDArray[np.float32], tmp_path: pathlib.Path
) -> None:
    noise.tofile(tmp_path / "audio")
    mapped = np.memmap(tmp_path / "audio", np.float32, "r", shape=noise.shape)
    assert model.classify(auricle.Clip(mapped, 48_000)).tobytes() == model.classify(auricle.Clip(noise, 48_000)).tobytes()
