"""Providers and progress of loading, many sessions in one read."""

import auricle
import numpy as np
import numpy.typing as npt
import pytest
from conftest import MODEL


def test_providers_are_named_and_never_fall_back_in_silence() -> None:
    with auricle.load(MODEL, providers=[auricle.Provider("cpu")]) as model:
        assert model.class_count == 10
    with auricle.load(MODEL, providers=[auricle.Provider("cuda", "preferred", {"device": 0})]) as model:
        assert "cuda" in str(model.describe()), "what became of it"
    with pytest.raises(auricle.ProviderError, match="(?i)cuda"):
        auricle.load(MODEL, providers=[auricle.Provider("cuda")])
    with pytest.raises(auricle.Error, match="nowhere"):
        auricle.load_memory(MODEL.read_bytes(), providers=[auricle.Provider("nowhere")])


def test_what_is_no_provider_is_refused() -> None:
    with pytest.raises(TypeError, match=r"auricle\.Provider"):
        auricle.load(MODEL, providers=["cpu"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="need"):
        auricle.load(MODEL, providers=[auricle.Provider("cpu", "maybe")])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="NUL"):
        auricle.load(MODEL, providers=[auricle.Provider("cpu\0")])
    with pytest.raises(TypeError, match="progress"):
        auricle.load(MODEL, progress="print")  # type: ignore[arg-type]


def test_progress_is_told_and_can_stop_the_load() -> None:
    told: list[tuple[str, float]] = []
    auricle.load(MODEL, self_check=True, progress=lambda stage, done: told.append((stage, done)))
    stages = [stage for stage, _ in told]
    assert list(dict.fromkeys(stages)) == ["read", "prepare", "warm", "self_check"]
    assert all(0 <= done <= 1 for _, done in told)

    def stop(stage: str, done: float) -> None:
        if stage == "prepare":
            raise KeyError(stage)

    with pytest.raises(KeyError, match="prepare"):
        auricle.load(MODEL, progress=stop)


def test_many_sessions_are_read_at_once(noise: npt.NDArray[np.float32]) -> None:
    with auricle.load(MODEL, max_batch=4) as model:
        sessions = [auricle.Session(model, sample_rate=48_000, channels=2, ring_seconds=6) for _ in range(3)]
        for index, session in enumerate(sessions):
            session.push(noise[index * 4_800 :])
        sessions[1].finish()
        first = auricle.read_many(sessions)
        for index, result in enumerate(first):
            assert isinstance(result, auricle.Result) and result.scores is not None
            alone = auricle.Session(model, sample_rate=48_000, channels=2, ring_seconds=6)
            alone.push(noise[index * 4_800 :])
            expected = alone.read()
            assert expected is not None and expected.scores is not None and result.first_frame == expected.first_frame
            assert np.abs(result.scores - expected.scores).max() < 1e-5
        sessions[2].cancel()
        for _ in range(100):
            results = auricle.read_many(sessions)
            if sessions[1].ended:
                break
        assert sessions[1].ended and not sessions[0].ended and results[1] is None
        assert isinstance(results[2], auricle.Cancelled)
        assert auricle.read_many([]) == []
        with pytest.raises(TypeError):
            auricle.read_many([model])  # type: ignore[list-item]
        with auricle.load(MODEL) as other, auricle.Session(other) as stranger:
            with pytest.raises(auricle.InvalidArgumentError):
                auricle.read_many([sessions[0], stranger])
        sessions[0].close()
        with pytest.raises(ValueError, match="closed"):
            auricle.read_many(sessions)
