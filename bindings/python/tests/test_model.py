"""Loading, describing, closing; the errors of the library become exceptions with its own sentences."""

import copy
import pathlib
import pickle
import threading
import time

import auricle
import numpy as np
import pytest
from conftest import MODEL


def test_a_model_says_what_it_is(model: auricle.Model) -> None:
    assert model.class_count == 10 and "rain" in model.labels and model.sample_rate == 16_000
    record = model.describe()
    assert record["manifest"]["value"]["outputs"][0]["labels"] == list(model.labels)
    assert "10 classes" in repr(model)


def test_paths_may_be_of_any_kind(model: auricle.Model, tmp_path: pathlib.Path) -> None:
    odd = tmp_path / "Modèle €.onnx"
    odd.write_bytes(MODEL.read_bytes())
    for path in (str(odd), odd, str(odd).encode()):
        assert auricle.load(path).labels == model.labels


def test_a_model_can_come_from_memory_with_a_manifest_of_its_own(model: auricle.Model) -> None:
    data = MODEL.read_bytes()
    assert auricle.load_memory(data).labels == model.labels
    assert auricle.load_memory(memoryview(bytearray(data))).labels == model.labels
    with pytest.raises(auricle.ManifestError, match="input"):
        auricle.load_memory(data, '{"auricle": 1}')


@pytest.mark.parametrize(
    ("error", "builtin", "status", "words"),
    [
        (auricle.FileError, OSError, -100, "missing.onnx"),
        (auricle.ModelError, ValueError, -101, ""),
        (auricle.InvalidArgumentError, ValueError, -1, "threads is 257; valid"),
    ],
)
def test_errors_are_typed_and_speak_with_the_librarys_words(
    tmp_path: pathlib.Path, error: type[auricle.Error], builtin: type[Exception], status: int, words: str
) -> None:
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no network")
    with pytest.raises(error) as caught:
        match error.__name__:
            case "FileError":
                auricle.load(tmp_path / "missing.onnx")
            case "ModelError":
                auricle.load(damaged)
            case _:
                auricle.load(MODEL, threads=257)
    assert isinstance(caught.value, builtin) and isinstance(caught.value, auricle.Error)
    assert caught.value.status == status == auricle.Status(status)
    assert words in str(caught.value) and len(str(caught.value)) > 10
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is error and str(again) == str(caught.value) and again.status == status


def test_a_clip_too_short_and_rates_out_of_range_are_errors(model: auricle.Model) -> None:
    with pytest.raises(auricle.ClipTooShortError):
        model.classify(auricle.Clip(np.zeros(0, np.float32), 16_000))
    with pytest.raises(auricle.InvalidArgumentError, match="384000"):
        model.classify(auricle.Clip(np.zeros(100, np.float32), 400_000))
    with pytest.raises(auricle.InvalidArgumentError, match="8"):
        model.classify(auricle.Clip(np.zeros((2, 44_100), np.float32), 44_100))
    with pytest.raises(auricle.InvalidArgumentError, match="hop_seconds"):
        model.classify(auricle.Clip(np.zeros(16_000, np.float32), 16_000), hop_seconds=-1)


@pytest.mark.parametrize("rate", [2**32 + 16_000, -1])
def test_numbers_are_never_cut_off(model: auricle.Model, rate: int) -> None:
    with pytest.raises(ValueError, match="4294967295"):
        model.classify(auricle.Clip(np.zeros(16_000, np.float32), rate))
    with pytest.raises(ValueError, match="4294967295"):
        auricle.Session(model, sample_rate=rate)
    with pytest.raises(ValueError, match="4294967295"):
        auricle.load(MODEL, threads=rate)


def test_what_has_the_wrong_type_is_a_type_error(model: auricle.Model) -> None:
    clip = auricle.Clip(np.zeros(16_000, np.float32), 16_000)
    with pytest.raises(TypeError):
        model.classify(np.zeros(16_000, np.float32))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        model.classify(clip, cancel=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        model.classify(clip, hop_seconds="1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sample_rate"):
        model.classify(auricle.Clip(np.zeros(16_000, np.float32), 16_000.0))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        auricle.load(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        auricle.Session(None)  # type: ignore[arg-type]


def test_a_string_that_c_would_cut_off_is_refused(model: auricle.Model) -> None:
    with pytest.raises(ValueError, match="NUL"):
        auricle.load(str(MODEL) + "\0.txt")
    with pytest.raises(ValueError, match="NUL"):
        auricle.load_memory(MODEL.read_bytes(), "{}\0")
    with pytest.raises(ValueError, match="NUL"):
        auricle.Session(model, stream_json="{}\0")


def test_a_closed_model_is_an_error_and_its_sessions_are_not_touched() -> None:
    with auricle.load(MODEL) as model:
        session = auricle.Session(model)
    model.close()
    for use in (model.describe, lambda: auricle.Session(model), model.__enter__):
        with pytest.raises(ValueError, match="the model is closed"):
            use()
    with pytest.raises(ValueError, match="the model is closed"):
        model.classify(auricle.Clip(np.zeros(16_000, np.float32), 16_000))
    assert model.labels[0] == "baby_cry"
    session.push(np.zeros(16_000, np.float32))
    assert session.read() is not None
    assert "closed" in repr(model)


def test_handles_cannot_be_copied(model: auricle.Model, session: auricle.Session) -> None:
    for handle in (model, session, auricle.Cancel()):
        for copier in (copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="cannot be copied"):
                copier(handle)


def test_a_switch_stops_loading_and_classifying(model: auricle.Model) -> None:
    cancel = auricle.Cancel()
    hour = auricle.Clip(np.zeros(3600 * 16_000, np.float32), 16_000)
    timer = threading.Timer(0.3, cancel.request)
    timer.start()
    start = time.monotonic()
    with pytest.raises(auricle.Cancelled):
        model.classify(hour, cancel=cancel, hop_seconds=0.01)
    assert time.monotonic() - start < 30
    timer.join()
    with pytest.raises(auricle.Cancelled) as caught:
        auricle.load(MODEL, cancel=cancel)
    assert caught.value.status == auricle.Status.CANCELLED
    assert auricle.load(MODEL, cancel=auricle.Cancel(), self_check=True, threads=2).class_count == 10


def test_a_model_closed_while_it_classifies_goes_when_the_call_ends() -> None:
    model = auricle.load(MODEL)
    clip = auricle.Clip(np.zeros(60 * 16_000, np.float32), 16_000)
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(model.classify(clip)))
    thread.start()
    time.sleep(0.01)
    model.close()
    thread.join()
    assert len(found) == 1


def test_the_log_is_heard_and_can_be_silenced(model: auricle.Model) -> None:
    heard: list[tuple[auricle.LogLevel, str]] = []
    auricle.set_log(lambda level, message: heard.append((level, message)), auricle.LogLevel.INFO)
    auricle.load(MODEL)
    assert any(level is auricle.LogLevel.INFO and "esc10" in message for level, message in heard), heard
    auricle.set_log(None)
    count = len(heard)
    auricle.load(MODEL)
    assert len(heard) == count
    with pytest.raises(TypeError):
        auricle.set_log("print")  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        auricle.set_log(print, 9)  # type: ignore[arg-type]


def test_versions_and_texts() -> None:
    assert auricle.version() == auricle.__version__ == "0.1.0"
    assert auricle.status_text(-101) and auricle.status_text(12345) == "unknown status"


def test_onnx_runtime_is_that_of_the_wheel_and_stays(model: auricle.Model, tmp_path: pathlib.Path) -> None:
    auricle.runtime_open()
    assert model.describe()["onnxruntime"]
    with pytest.raises(auricle.InvalidStateError, match="open already"):
        auricle.runtime_open(tmp_path / "other.so")
