"""Streams: losses told, threads, closing, the end."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Literal

import auricle
import numpy as np
import numpy.typing as npt
import pytest
from conftest import EVENTS, MODEL

OVERFLOW: tuple[Literal["drop_newest"], Literal["drop_oldest"]] = ("drop_newest", "drop_oldest")


def test_a_slow_reader_is_told_of_every_frame_that_was_lost(model: auricle.Model) -> None:
    second = np.full(16_000, 0.1, np.float32)
    lost: dict[str, list[int]] = {}
    for overflow in OVERFLOW:
        # A window of 0.975 s each second; half a second finds no room, 0.475 s of it in the last window.
        with auricle.Session(model, ring_seconds=2.5, hop_seconds=1, overflow=overflow) as session:
            assert [session.push(second) for _ in range(3)] == [True, True, False]
            lost[overflow] = [result.dropped_frames for result in session.results()]
            session.push(second)
            later = session.read()
            assert later is not None and (later.first_frame, later.dropped_frames) == (48_000, 0)
    assert lost == {"drop_newest": [0, 0, 7_600], "drop_oldest": [8_000, 0, 0]}


def test_a_gap_is_counted_where_it_lies(session: auricle.Session) -> None:
    session.push(np.full(8_000, 0.1, np.float32))
    session.gap(4_000)
    session.push(np.full(4_000, 0.1, np.float32))
    result = session.read()
    assert result is not None and (result.gap_frames, result.dropped_frames) == (4_000, 0)
    with pytest.raises(ValueError, match="lost_frames"):
        session.gap(-1)
    with pytest.raises(TypeError):
        session.gap(1.5)  # type: ignore[arg-type]


def test_health_is_told(session: auricle.Session) -> None:
    samples = np.zeros(16_000, np.float32)
    samples[100], samples[5_000] = np.nan, 1.0
    session.push(samples)
    result = session.read()
    assert result is not None and result.non_finite_frames == 1 and result.clipped_frames == 1
    session.reset()
    session.push(np.zeros(16_000, np.float32))
    silent = session.read(scores=False)
    assert silent is not None and silent.silent and silent.scores is None and silent.peak_dbfs == float("-inf")


def test_after_finish_come_the_rest_the_end_and_a_reset(session: auricle.Session) -> None:
    session.push(np.zeros(20_000, np.float32))
    session.finish()
    session.finish()
    with pytest.raises(auricle.InvalidStateError):
        session.push(np.zeros(10, np.float32))
    assert not session.ended
    assert len(list(session.results())) >= 2
    assert session.ended and session.read() is None
    session.reset()
    assert not session.ended and session.push(np.zeros(10, np.float32)) and session.pending() == 10


def test_a_stream_too_short_says_so_once(session: auricle.Session) -> None:
    session.push(np.zeros(1, np.float32))
    session.finish()
    with pytest.raises(auricle.ClipTooShortError):
        session.read()
    assert session.read() is None and session.ended


def test_events_need_rules(model: auricle.Model) -> None:
    with auricle.Session(model, stream_json={}) as session, pytest.raises(auricle.InvalidStateError):
        session.read_event()
    with pytest.raises(auricle.Error, match="on"):
        auricle.Session(model, stream_json={"events": {"on": 7}})


def test_reads_of_one_loop_can_be_limited(model: auricle.Model) -> None:
    with auricle.Session(model, max_windows_per_read=2, ring_seconds=10) as session:
        session.push(np.zeros(5 * 16_000, np.float32))
        assert [len(list(session.results())) for _ in range(2)] == [2, 2]


def test_one_thread_pushes_while_another_one_reads(model: auricle.Model, noise: npt.NDArray[np.float32]) -> None:
    def read(session: auricle.Session, into: list[tuple[int, bytes]]) -> None:
        for result in session.results(wait=True):
            assert result.scores is not None
            into.append((result.first_frame, result.scores.tobytes()))

    with auricle.Session(model, sample_rate=48_000, channels=2, ring_seconds=10, stream_json=EVENTS) as session:
        found: list[tuple[int, bytes]] = []
        thread = threading.Thread(target=read, args=(session, found))
        thread.start()
        for at in range(0, len(noise), 480):
            assert session.push(noise[at : at + 480])
        session.finish()
        thread.join()
        assert session.ended
        session.reset()
        session.push(noise)
        session.finish()
        alone: list[tuple[int, bytes]] = []
        read(session, alone)
    assert found == alone and len(found) > 5


def in_a_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, caught


@pytest.mark.parametrize("how", ["close", "cancel"])
def test_a_session_that_ends_wakes_who_waits(model: auricle.Model, how: str) -> None:
    for _ in range(20):
        session = auricle.Session(model)
        thread, caught = in_a_thread(session.wait)
        time.sleep(0.01)
        getattr(session, how)()
        thread.join(10)
        assert not thread.is_alive()
        assert isinstance(caught[0], auricle.Cancelled) or (how == "close" and "closed" in str(caught[0]))
        session.close()


def test_closing_at_any_moment_crashes_nothing(model: auricle.Model, noise: npt.NDArray[np.float32]) -> None:
    for round in range(30):
        session = auricle.Session(model, sample_rate=48_000, channels=2)

        def push(session: auricle.Session = session) -> None:
            while True:
                session.push(noise[:480])

        def read(session: auricle.Session = session) -> None:
            for _ in session.results(wait=True):
                pass

        threads = [in_a_thread(push), in_a_thread(read)]
        time.sleep(0.002 * (round % 7))
        session.close()
        for thread, caught in threads:
            thread.join(10)
            assert not thread.is_alive()
            assert isinstance(caught[0], auricle.Cancelled) or "the session is closed" in str(caught[0]), caught


def test_a_closed_session_is_an_error(model: auricle.Model) -> None:
    with auricle.Session(model) as session:
        pass
    session.close()
    uses: list[Callable[[], object]] = [
        lambda: session.push(np.zeros(1, np.float32)),
        lambda: session.push_planar(np.zeros((1, 1), np.float32)),
        lambda: session.gap(1),
        session.finish,
        session.read,
        session.read_event,
        lambda: session.wait(0),
        session.cancel,
        session.reset,
        session.pending,
        lambda: next(session.results()),
        lambda: next(session.events()),
        session.__enter__,
    ]
    for use in uses:
        with pytest.raises(ValueError, match="the session is closed"):
            use()
    assert "closed" in repr(session)


def test_a_wait_ends_in_time(session: auricle.Session) -> None:
    start = time.monotonic()
    assert not session.wait(0) and not session.wait(0.25)
    assert 0.25 <= time.monotonic() - start < 20
    session.push(np.zeros(16_000, np.float32))
    assert session.wait(10)


def test_ctrl_c_ends_a_wait() -> None:
    program = f"""
import auricle, os, signal, threading
session = auricle.Session(auricle.load({str(MODEL)!r}))
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    session.wait()
except KeyboardInterrupt:
    print("interrupted")
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True).stdout
    assert said == "interrupted\n"


def test_a_second_thread_in_a_half_is_an_error(model: auricle.Model) -> None:
    with auricle.Session(model) as session:
        thread, _ = in_a_thread(lambda: session.wait(2))
        time.sleep(0.25)  # within one of the slices of 0.1 s that it waits in
        with pytest.raises(auricle.InvalidStateError):
            session.read()
        with pytest.raises(auricle.InvalidStateError):
            session.reset()
        session.cancel()
        thread.join()
