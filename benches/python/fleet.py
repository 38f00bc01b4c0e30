#!/usr/bin/env python3
"""Runs examples/python/score_corpus_ray.py on a corpus with bad files, kills a worker, then the driver, starts it again, and
counts: every line of the list is there once, with the scores that Model.classify gives.

    pip install -r examples/python/requirements.txt and the wheel, then
    PYTHON benches/python/fleet.py FOLDER [COUNT]        FOLDER has .ogg, .wav or .flac files, in folders too
"""

import collections
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import auricle
import numpy as np
import pyarrow.dataset
import soundfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "esc10.onnx"
PART = 10


def start(list_: pathlib.Path, out: pathlib.Path, log: pathlib.Path) -> subprocess.Popen[bytes]:
    program = str(ROOT / "examples" / "python" / "score_corpus_ray.py")
    command = [sys.executable, program, str(list_), str(out), "--model", str(MODEL), "--part", str(PART), "--workers", "2"]
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)


def parts(out: pathlib.Path) -> int:
    return len(list(out.glob("part-*")))


def until(job: subprocess.Popen[bytes], out: pathlib.Path, count: int) -> None:
    while parts(out) < count:
        if job.poll() is not None:
            sys.exit(f"the job ended with {job.returncode} after {parts(out)} parts: too few to kill it in the middle")
        time.sleep(0.05)


def workers_of(job: subprocess.Popen[bytes]) -> list[int]:
    """Processes of this job that have a model: actors call themselves by their class."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(entry.name)) == job.pid and b"MapWorker" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def main() -> None:
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    found = sorted(path for path in pathlib.Path(sys.argv[1]).rglob("*") if path.suffix in (".ogg", ".wav", ".flac"))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="auricle-fleet-"))
    objects = []
    for index in range(count):
        link = folder / f"{index:06}{found[index % len(found)].suffix}"
        link.symlink_to(found[index % len(found)].resolve())
        objects.append(link)
    (folder / "empty.wav").touch()
    (folder / "noise.ogg").write_bytes(os.urandom(5000))
    bad = [folder / name for name in ("empty.wav", "noise.ogg", "missing.flac")]
    for index, path in enumerate(bad):
        objects.insert(index * len(objects) // 3, path)
    list_, out, log = folder / "list", folder / "out", folder / "log"
    list_.write_text("".join(f"{path}\n" for path in objects))
    total = -(-len(objects) // PART)

    job = start(list_, out, log)
    until(job, out, total // 4)
    victims = workers_of(job)
    os.kill(victims[0], signal.SIGKILL)
    print(f"killed a worker ({len(victims)} there) after {parts(out)} of {total} parts", flush=True)
    until(job, out, total // 2)
    os.killpg(job.pid, signal.SIGKILL)  # the driver, and what it started
    job.wait()
    time.sleep(1)
    print(f"killed the driver after {parts(out)} parts; starting again", flush=True)
    again = start(list_, out, log)
    if again.wait() != 0:
        sys.exit(f"the second run ended with {again.returncode}: {log}")

    table = pyarrow.dataset.dataset(out, format="parquet").to_table().to_pylist()
    times = collections.Counter(row["object"] for row in table)
    assert times == collections.Counter(map(str, objects)), "lost or doubled"
    errors = {row["object"]: row["error"] for row in table if row["error"] is not None}
    assert set(errors) == set(map(str, bad)), errors
    with auricle.load(MODEL) as model:
        for row in [row for row in table if row["error"] is None][:: max(1, count // 20)]:
            samples, rate = soundfile.read(row["object"], dtype="float32")
            scores = model.classify(auricle.Clip(samples, rate))
            assert np.abs(scores - np.array(row["mean_scores"])).max() < 0.02, row["object"]
    print(f"{len(objects)} lines, each there once; {len(errors)} with errors: {sorted(errors.values())}")
    print(log.read_text().splitlines()[-1])


if __name__ == "__main__":
    main()
