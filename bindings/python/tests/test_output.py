"""Models with several outputs. heads.onnx gives mean and maximum of 800 samples as scores, and its first sample, its last one
and the mean as a vector.
"""

from collections.abc import Iterator

import auricle
import numpy as np
import pytest
from conftest import ROOT

RAMP = (np.arange(800) % 64 / 128).astype(np.float32)


@pytest.fixture
def heads() -> Iterator[auricle.Model]:
    with auricle.load(ROOT / "tests" / "data" / "heads.onnx") as model:
        yield model


def test_a_model_says_what_it_gives(heads: auricle.Model, model: auricle.Model) -> None:
    levels, vector = heads.outputs
    assert (levels.name, levels.kind, levels.size) == ("levels", auricle.OutputKind.SCORES, 2)
    assert (vector.name, vector.kind, vector.size) == ("vector", auricle.OutputKind.EMBEDDING, 3)
    assert levels.labels == heads.labels == ("mean", "max") and vector.labels == ()
    assert heads.class_count == 2 and len(model.outputs) == 1


def test_every_output_of_a_result_can_be_had(heads: auricle.Model) -> None:
    with auricle.Session(heads) as session:
        with pytest.raises(auricle.InvalidStateError):
            session.output(1)
        session.push(RAMP)
        result = session.read()
        assert result is not None and result.scores is not None
        assert session.output(0).tobytes() == result.scores.tobytes()
        vector = session.output(1)
        assert vector[0] == RAMP[0] and vector[1] == RAMP[-1] and len(vector) == 3
        place = np.full(5, 7, np.float32)
        assert np.shares_memory(session.output(1, place), place)
        assert place[:3].tobytes() == vector.tobytes() and list(place[3:]) == [7, 7]
        with pytest.raises(auricle.BufferTooSmallError):
            session.output(1, np.zeros(2, np.float32))
        for index in (2, 2**40):
            with pytest.raises(auricle.InvalidArgumentError, match="the model has 2"):
                session.output(index)
        with pytest.raises(ValueError, match="index"):
            session.output(-1)


def test_a_clip_has_the_mean_of_any_output(heads: auricle.Model) -> None:
    clip = auricle.Clip(RAMP, heads.sample_rate)
    vector = heads.classify(clip, output=1)
    assert len(vector) == 3 and vector[0] == RAMP[0] and vector[1] == RAMP[-1]
    assert heads.classify(clip).tobytes() == heads.classify(clip, output=0).tobytes()
    with pytest.raises(auricle.InvalidArgumentError, match="output"):
        heads.classify(clip, output=2)
