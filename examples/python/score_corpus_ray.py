#!/usr/bin/env python3
"""Scores a corpus of any size with Ray Data: a list of objects in, Parquet out.

    pip install auricle-….whl -r examples/python/requirements.txt
    python examples/python/score_corpus_ray.py LIST OUT --model models/esc10.onnx --workers 2

LIST has one object a line: a path, or what PyArrow opens (s3://…, gs://…). Audio is streamed, never held whole: WAV, FLAC, Ogg, MP3.
OUT, a folder or such an address, gets one Parquet file for each `--part` lines of the list, put in place in one step
when it is complete. A job that was killed is started again with the same command: parts that are there are left out, a part that
is made twice is the same file, so every line of the list ends up in it exactly once. A list, model or part size that
differs from those of the first run is refused. Objects that cannot be read have the reason in the column `error`.
"""

import argparse
import hashlib
import json
import math
import os
import time
import uuid
from typing import Any

import auricle
import numpy as np
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
import ray
import soundfile

EVENT = pa.struct(
    [
        ("label", pa.string()),
        ("onset_seconds", pa.float64()),
        ("offset_seconds", pa.float64()),
        ("peak", pa.float32()),
        ("mean", pa.float32()),
    ]
)
SCHEMA = pa.schema(
    [
        ("object", pa.string()),
        ("error", pa.string()),  # null: it was scored
        ("seconds", pa.float64()),
        ("mean_scores", pa.list_(pa.float32())),  # over all windows, in the order of the metadata's labels
        ("max_scores", pa.list_(pa.float32())),
        ("events", pa.list_(EVENT)),
        ("windows", pa.int32()),
        ("silent_windows", pa.int32()),
        ("clipped_windows", pa.int32()),
        ("non_finite_windows", pa.int32()),
        ("peak_dbfs", pa.float32()),
        ("noise_floor_dbfs", pa.float32()),  # the highest of all windows
    ]
)


def place(address: str) -> tuple[pa.fs.FileSystem, str]:
    return pa.fs.FileSystem.from_uri(address) if "://" in address else (pa.fs.LocalFileSystem(), address)


def content(address: str) -> bytes:
    fs, path = place(address)
    with fs.open_input_file(path) as file:
        return bytes(file.read())


class Scorer:
    """One worker: one model, for the life of its process."""

    def __init__(self, model: str, sha256: str, rules: dict[str, Any], out: str) -> None:
        data = content(model)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"{model} is another file on this machine than where the job was started")
        self.model, self.rules = auricle.load_memory(data), rules
        self.fs, self.folder = place(out)
        self.metadata = {"labels": json.dumps(self.model.labels), "model_sha256": sha256}

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One part of the list. Ray may run it twice, after a worker has died; the file is the same."""
        start, cpu, self.library = time.perf_counter(), time.process_time(), 0.0
        objects = json.loads(batch["objects"][0])
        rows = [self.row(address) for address in objects]
        table = pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata(self.metadata))
        name = f"{self.folder}/{part_name(int(batch['part'][0]))}"
        unfinished = f"{self.folder}/_unfinished-{uuid.uuid4()}"
        with self.fs.open_output_stream(unfinished) as file:
            pa.parquet.write_table(table, file, compression="zstd")
        self.fs.move(unfinished, name)
        seconds = time.perf_counter() - start
        errors = sum(row["error"] is not None for row in rows)
        audio = sum(row["seconds"] or 0.0 for row in rows)
        counts = {"files": len(rows), "errors": errors, "audio": audio}
        times = {"seconds": seconds, "cpu": time.process_time() - cpu, "library": self.library}
        return {name: np.array([value]) for name, value in {**counts, **times}.items()}

    def row(self, address: str) -> dict[str, Any]:
        try:
            fs, path = place(address)
            with fs.open_input_file(path) as object_, soundfile.SoundFile(object_) as file:
                return {"object": address, "error": None, **self.scores(file)}
        except (auricle.Error, OSError, RuntimeError, ValueError) as error:  # soundfile's are RuntimeErrors
            return {"object": address, "seconds": None, "error": f"{type(error).__name__}: {error}"}

    def scores(self, file: soundfile.SoundFile) -> dict[str, Any]:
        rate, frames = file.samplerate, 0
        seen = Summary(self.model, rate)
        with auricle.Session(self.model, sample_rate=rate, channels=file.channels, stream_json=self.rules) as session:
            for block in file.blocks(rate, dtype="float32"):  # a second
                frames += len(block)
                self.take(session, block, seen)
            self.take(session, None, seen)
        return {"seconds": frames / rate, **seen.columns()}

    def take(self, session: auricle.Session, block: np.ndarray | None, seen: "Summary") -> None:
        start = time.process_time()
        if block is None:
            session.finish()
        elif not session.push(block):
            raise RuntimeError("frames were lost: the ring is shorter than a block")  # it has 2 s
        for result in session.results():
            seen.add(result)
            for event in session.events():
                seen.add_event(event)
        if block is None:
            for event in session.events():
                seen.add_event(event)
        self.library += time.process_time() - start


class Summary:
    """What the row of a file says of its windows; of the same size however long the file is, but for the events."""

    def __init__(self, model: auricle.Model, rate: int) -> None:
        self.labels, self.rate = model.labels, rate
        self.sum, self.max = np.zeros(model.class_count), np.full(model.class_count, -np.inf, np.float32)
        self.events: list[dict[str, Any]] = []
        self.windows = self.silent = self.clipped = self.non_finite = 0
        self.peak = self.floor = -math.inf

    def add(self, result: auricle.Result) -> None:
        self.sum += result.scores
        np.maximum(self.max, result.scores, out=self.max)
        self.windows += 1
        self.silent += result.silent
        self.clipped += result.clipped_frames > 0
        self.non_finite += result.non_finite_frames > 0
        self.peak = max(self.peak, result.peak_dbfs)
        self.floor = max(self.floor, result.noise_floor_dbfs)

    def add_event(self, event: auricle.Event) -> None:
        if event.is_final:
            self.events.append(
                {
                    "label": self.labels[event.class_index],
                    "onset_seconds": event.onset_frame / self.rate,
                    "offset_seconds": event.offset_frame / self.rate,
                    "peak": event.peak_score,
                    "mean": event.mean_score,
                }
            )

    def columns(self) -> dict[str, Any]:
        return {
            "mean_scores": (self.sum / self.windows).astype(np.float32),
            "max_scores": self.max,
            "events": self.events,
            "windows": self.windows,
            "silent_windows": self.silent,
            "clipped_windows": self.clipped,
            "non_finite_windows": self.non_finite,
            "peak_dbfs": self.peak,
            "noise_floor_dbfs": self.floor,
        }


def part_name(number: int) -> str:
    return f"part-{number:08}.parquet"


def same_job(fs: pa.fs.FileSystem, folder: str, job: dict[str, Any]) -> None:
    """Refuses to mix two jobs in one folder."""
    fs.create_dir(folder, recursive=True)
    name = f"{folder}/_job.json"
    if fs.get_file_info(name).type == pa.fs.FileType.NotFound:
        with fs.open_output_stream(name) as file:
            file.write(json.dumps(job).encode())
    with fs.open_input_file(name) as file:
        first = json.loads(file.read())
    if first != job:
        differ = ", ".join(f"{key}: {first.get(key)} there, {job[key]} now" for key in job if first.get(key) != job[key])
        raise SystemExit(f"{name} is of another job ({differ}); give another folder")


def main() -> None:
    parser = argparse.ArgumentParser(description="Scores a list of audio objects into Parquet files.")
    parser.add_argument("list")
    parser.add_argument("out")
    parser.add_argument("--model", required=True)
    parser.add_argument("--workers", type=int, default=2, help="processes with a model each, one core each")
    parser.add_argument("--part", type=int, default=1000, help="lines of the list in one Parquet file")
    parser.add_argument("--on", type=float, default=0.6, help="score at which an event begins")
    given = parser.parse_args()

    objects = content(given.list).decode().splitlines()
    sha256 = {name: hashlib.sha256(content(getattr(given, name))).hexdigest() for name in ("list", "model")}
    fs, folder = place(given.out)
    same_job(fs, folder, {**sha256, "part": given.part, "on": given.on})

    infos = fs.get_file_info(pa.fs.FileSelector(folder))
    for info in infos:
        if info.base_name.startswith("_unfinished-"):
            fs.delete_file(info.path)
    there = {info.base_name for info in infos}
    count = math.ceil(len(objects) / given.part)
    missing = [number for number in range(count) if part_name(number) not in there]
    print(f"{len(objects)} objects in {count} parts, {len(missing)} to do", flush=True)
    if not missing:
        return

    # A cluster that RAY_ADDRESS names, else one of this machine.
    own = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": given.workers + 1, "include_dashboard": False}
    ray.init(log_to_driver=False, **own)
    work = [
        {"part": number, "objects": json.dumps(objects[number * given.part : (number + 1) * given.part])}
        for number in missing
    ]
    parts = ray.data.from_items(work, override_num_blocks=len(work)).map_batches(
        Scorer,
        fn_constructor_args=(given.model, sha256["model"], {"events": {"on": given.on}}, given.out),
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=given.workers),
    )
    start = None
    totals = {"files": 0, "errors": 0, "audio": 0.0, "cpu": 0.0, "library": 0.0}
    for row in parts.iter_rows():
        start = start or time.perf_counter() - row["seconds"]
        for name in totals:
            totals[name] += row[name]
        print(f"{totals['files']} files, {totals['errors']} with errors", flush=True)
    wall = time.perf_counter() - (start or 0)
    print(
        f"{totals['files']} files ({totals['audio'] / 3600:.2f} h) in {wall:.1f} s: {totals['files'] / wall:.1f} files/s, "
        f"{totals['audio'] / wall:.0f} times real time; {totals['files'] / totals['cpu']:.1f} files a second and "
        f"{totals['audio'] / totals['cpu']:.0f} hours an hour for each core; "
        f"{100 * (1 - totals['library'] / totals['cpu']):.0f} % of the workers' processor time outside Auricle"
    )


if __name__ == "__main__":
    main()
