"""Programs in the documentation run as they stand; the help has no holes."""

import inspect
import pathlib
import re
import subprocess
import sys
import wave

import auricle
import numpy as np
import pytest
from conftest import MODEL, ROOT


@pytest.fixture
def recording(tmp_path: pathlib.Path) -> pathlib.Path:
    """3 s, stereo, 16 bit, as clip.wav beside model.onnx."""
    samples = (np.random.default_rng(3).standard_normal((3 * 44_100, 2)) * 3_000).astype(np.int16)
    with wave.open(str(tmp_path / "clip.wav"), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    (tmp_path / "model.onnx").write_bytes(MODEL.read_bytes())
    return tmp_path / "clip.wav"


def programs() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.M | re.S)


def test_the_page_starts_with_a_program_of_at_most_30_lines() -> None:
    first = programs()[0]
    assert len(first.splitlines()) <= 30 and "import auricle" in first


@pytest.mark.parametrize("index", range(len(programs())))
def test_programs_of_the_page_run_as_they_stand(recording: pathlib.Path, index: int) -> None:
    program = recording.with_name("program.py")
    program.write_text(programs()[index])
    command = [sys.executable, str(program)]
    run = subprocess.run(command, cwd=recording.parent, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert any(label in run.stdout for label in auricle.load(MODEL).labels), run.stdout


def test_the_program_of_the_help_runs_as_it_stands(recording: pathlib.Path) -> None:
    assert auricle.__doc__ is not None
    body = auricle.__doc__.split("as it arrives:\n\n")[1].split("\nCONTENTS")[0]
    program = recording.with_name("program.py")
    program.write_text(inspect.cleandoc(body))
    audio = np.random.default_rng(3).integers(-3000, 3000, (3 * 48_000, 2)).astype(np.int16).tobytes()
    run = subprocess.run([sys.executable, str(program), str(MODEL)], input=audio, capture_output=True, check=True)
    lines = run.stdout.decode().splitlines()
    assert len(lines) > 5 and all(re.fullmatch(r" *\d+\.\d\d s  \w+ \d\.\d\d", line) for line in lines), lines


def test_everything_public_has_help() -> None:
    for name in auricle.__all__:
        thing = getattr(auricle, name)
        assert inspect.getdoc(thing), name
        if inspect.isclass(thing) and issubclass(thing, (auricle.Model, auricle.Session, auricle.Clip, auricle.Cancel)):
            for member, value in vars(thing).items():
                if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    assert inspect.getdoc(value), f"{name}.{member}"
