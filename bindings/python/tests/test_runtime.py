"""The wheel's ONNX Runtime and that of the `onnxruntime` package, in one process, in either order."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import auricle
import pytest
from conftest import MODEL

OURS = f"""
import numpy as np, auricle
samples = (np.sin(np.arange(32_000) / 7) / 3).astype(np.float32)
model = auricle.load({str(MODEL)!r})
bits = model.classify(auricle.Clip(samples, 16_000)).tobytes().hex()
"""
THEIRS = f"""
import numpy as np, onnxruntime
theirs = onnxruntime.InferenceSession({str(MODEL)!r}, providers=["CPUExecutionProvider"])
logits = theirs.run(None, {{"input": np.ones((1, 1, 64, 96), np.float32)}})[0].tobytes().hex()
"""
SAY = """
import json
print(json.dumps({"bits": bits, "logits": logits, "file": model.describe()["onnxruntime"]["file"]}))
"""


def run(*parts: str, **variables: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DYLIB_PATH"} | variables
    command = [sys.executable, "-c", "\n".join(parts)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    return said


def package_file() -> pathlib.Path:
    """The library of the `onnxruntime` package."""
    found = importlib.util.find_spec("onnxruntime")
    assert found and found.origin, "bindings/python/requirements.txt has it"
    return next(pathlib.Path(found.origin).parent.glob("capi/libonnxruntime.so.1*"))


@pytest.fixture(scope="module")
def alone() -> dict[str, str]:
    ours = run("logits = ''", OURS, SAY)
    theirs = run("bits = ''", THEIRS, "import auricle", f"model = auricle.load({str(MODEL)!r})", SAY)
    return {"bits": ours["bits"], "logits": theirs["logits"]}


@pytest.mark.parametrize("order", [(OURS, THEIRS), (THEIRS, OURS)], ids=["ours first", "theirs first"])
def test_both_can_be_in_one_process_and_neither_changes_the_other(
    alone: dict[str, str], order: tuple[str, str]
) -> None:
    said = run(*order, SAY)
    assert {name: said[name] for name in alone} == alone
    assert pathlib.Path(said["file"]).parent == pathlib.Path(auricle.__file__).parent


@pytest.mark.parametrize("order", [(OURS, THEIRS), (THEIRS, OURS)], ids=["ours first", "theirs first"])
def test_the_packages_file_can_be_used_instead(alone: dict[str, str], order: tuple[str, str]) -> None:
    file = str(package_file())
    open_it = f"import auricle; auricle.runtime_open({file!r})"
    for said in (run(open_it, *order, SAY), run(*order, SAY, ORT_DYLIB_PATH=file)):
        assert said["file"] == file and said["logits"] == alone["logits"]
