#!/usr/bin/env python3
"""How long a new user takes to the first score: an empty virtual environment, the wheel from its index of packages or file, and the
first program of docs/python.md as it stands. Wall time and, where other programs use the machine too, processor time.

    python3 benches/python/first_score.py [WHEEL]        without WHEEL, the one in target/wheels
"""

import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import wave

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    wheel = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else next((ROOT / "target" / "wheels").glob("auricle-*.whl"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
        (folder / "program.py").write_text(re.search(r"^```python\n(.*?)^```", page, re.M | re.S)[1])
        shutil.copy(ROOT / "models" / "esc10.onnx", folder / "model.onnx")
        with wave.open(str(folder / "clip.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(b"\0\1" * 48_000)
        python = folder / "venv" / "bin" / "python"
        steps = {
            "an empty virtual environment": [sys.executable, "-m", "venv", "venv"],
            "pip install": [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-cache-dir", wheel.resolve()],
            "the first program": [python, "program.py"],
        }

        def used():
            children = resource.getrusage(resource.RUSAGE_CHILDREN)
            return children.ru_utime + children.ru_stime

        begin = time.monotonic()
        for what, command in steps.items():
            start, before = time.monotonic(), used()
            said = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
            print(f"{what}: {time.monotonic() - start:.1f} s, {used() - before:.1f} s of the processor")
        print(f"the first score after {time.monotonic() - begin:.1f} s, {used():.1f} s of the processor:\n{said}", end="")


if __name__ == "__main__":
    main()
