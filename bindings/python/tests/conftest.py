"""The tests run against the installed wheel, as a user has it; `.ci/run python` builds and installs it."""

import pathlib
import subprocess
from collections.abc import Iterator

import auricle
import numpy as np
import numpy.typing as npt
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODEL = ROOT / "models" / "esc10.onnx"
EVENTS = {"events": {"on": 0.3}}


@pytest.fixture(scope="session")
def model() -> auricle.Model:
    return auricle.load(MODEL)


@pytest.fixture
def session(model: auricle.Model) -> Iterator[auricle.Session]:
    """16 kHz, mono, with events."""
    with auricle.Session(model, stream_json=EVENTS) as made:
        yield made


@pytest.fixture(scope="session")
def noise() -> npt.NDArray[np.float32]:
    """5 s at 48 kHz, stereo: noise whose level goes up and down, so that scores and health differ from window to window."""
    frames = 5 * 48_000
    level = 0.3 * np.abs(np.sin(np.arange(frames) / 30_000))[:, None]
    return (np.random.default_rng(7).standard_normal((frames, 2)) * level).astype(np.float32)


def compiled(source: str, folder: pathlib.Path) -> pathlib.Path:
    """A C program of bindings/, linked to the library of the installed package, as a file of `folder`."""
    package = pathlib.Path(auricle.__file__).parent
    program = folder / source.removesuffix(".c")
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"]
    command += [str(ROOT / "bindings" / source), str(next(package.glob("libauricle*")))]
    subprocess.run([*command, f"-Wl,-rpath,{package}", "-o", str(program)], check=True)
    return program
