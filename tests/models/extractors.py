"""Every member of a preprocessor_config.json, changed: `auricle init` follows it, or refuses the folder.

    extractors.py [--random N] [--seed N] [KIND…]

Writes folders of Transformers whose extractor has one member changed (and with `--random` several), runs `auricle init` on
each, and then compares what the network hears (`auricle classify` of a network that gives back its input) with what
Transformers' own extractor gives, for clips shorter than the window and as long. Ends with 1 if a manifest was written and
what is heard differs by more than 1e-4 of its range. Needs requirements-all.txt.
"""

import argparse
import json
import shutil
import subprocess
import sys
import wave

import numpy as np
import onnx
from onnx import TensorProto, helper

from common import PROGRAMS, ROOT, WORK

RUNTIME = ROOT / "target" / "onnxruntime" / "onnxruntime"
LONGEST = 40_000  # values of a network of any length that are looked at
CONFIG = {"id2label": {"0": "a", "1": "b"}, "conv_kernel": [10, 3], "conv_stride": [5, 2]}
# Members of every extractor.
COMMON = {
    "padding_value": [-1.5], "padding_side": ["left"], "return_attention_mask": [True], "feature_size": [2, 40],
    "sampling_rate": [8000, 22050], "not_known_to_anybody": [3], "auto_map": [{"AutoFeatureExtractor": "own.Own"}],
}
# Kind -> members that all its folders have, the changes, the network's input.
KINDS = {
    "AST": (
        {"max_length": 60},
        {"num_mel_bins": [40, 128], "max_length": [31, 100], "mean": [-3.5, 0], "std": [1, 2.25], "do_normalize": [False]},
        "input_values",
    ),
    "Wav2Vec2": ({}, {"do_normalize": [False, True]}, "input_values"),
    "Whisper": (
        {"chunk_length": 1},
        {
            "feature_size": [64, 128], "hop_length": [80, 130], "chunk_length": [2, 1.5], "n_fft": [512, 320, 401],
            "dither": [0.01], "do_normalize": [True], "n_samples": [1234], "nb_max_frames": [77], "mel_filters": [[[1.0]]],
        },
        "input_features",
    ),
    "Clap": (
        {"truncation": "rand_trunc", "max_length_s": 1, "sampling_rate": 16000, "frequency_max": 7000},
        {
            "hop_length": [160, 333], "max_length_s": [2], "fft_window_size": [512, 1000, 1023], "frequency_min": [50, 300],
            "frequency_max": [4000, 8000, 9000], "top_db": [80], "truncation": ["fusion", "other"],
            "padding": ["repeat", "pad", "repeatpad", "other"], "sampling_rate": [32000, 22050, 16001], "n_fft": [64],
        },
        "input_features",
    ),
    "SeamlessM4T": (
        {}, {"num_mel_bins": [40, 128], "stride": [1, 3, 4], "do_normalize_per_mel_bins": [False]}, "input_features",
    ),
}


def network(path, name, shape, mask):
    """Gives back what it hears: `shape` has its sizes, None where any will do; first how much of the mask is 1."""
    nodes, inits = [], [helper.make_tensor("flat", TensorProto.INT64, [2], [1, -1])]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *[size or "any" for size in shape[1:]]])]
    nodes.append(helper.make_node("Reshape", [name, "flat"], ["values"]))
    count = int(np.prod(shape[1:])) if None not in shape else LONGEST
    if None in shape:
        inits += [
            helper.make_tensor("zeros", TensorProto.FLOAT, [1, LONGEST], [0.0] * LONGEST),
            helper.make_tensor("from", TensorProto.INT64, [1], [0]),
            helper.make_tensor("to", TensorProto.INT64, [1], [LONGEST]),
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        ]
        nodes += [
            helper.make_node("Concat", ["values", "zeros"], ["longer"], axis=1),
            helper.make_node("Slice", ["longer", "from", "to", "axis"], ["cut"]),
        ]
    parts = ["cut" if None in shape else "values"]
    if mask:
        inputs.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", mask]))
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["float_mask"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["float_mask"], ["ones"], keepdims=1),
        ]
        parts.insert(0, "ones")
    nodes.append(helper.make_node("Concat", parts, ["audio_embeds"], axis=1))
    output = helper.make_tensor_value_info("audio_embeds", TensorProto.FLOAT, [1, count + (mask is not None)])
    graph = helper.make_graph(nodes, "heard", inputs, [output], inits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def heard(model, clip, rate):
    path = model.with_name("clip.wav")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(clip.tobytes())
    done = run(PROGRAMS / "auricle", "classify", "--runtime", RUNTIME, "--json", "--model", model, path)
    if done.returncode:
        return None, done.stderr.strip()
    window = json.loads(done.stdout)["windows"][0]
    values = window.get("outputs") or window["scores"]
    while isinstance(values, dict):
        (values,) = values.values()
    return np.array(values, np.float64).ravel(), ""


def seconds_of(kind, config):
    """The window's length, s."""
    rate = config.get("sampling_rate", 16000)
    if kind == "AST":
        return ((config["max_length"] - 1) * 160 + 400) / rate
    return config.get({"Whisper": "chunk_length", "Clap": "max_length_s"}.get(kind, ""), 1)


def case(kind, config, fixed):
    """What is to be said of it, and whether it is good."""
    from transformers import AutoFeatureExtractor

    name = KINDS[kind][2]
    folder = WORK / "extractors"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    file = dict(config, feature_extractor_type=f"{kind}FeatureExtractor")
    (folder / "preprocessor_config.json").write_text(json.dumps(file))
    rate = config.get("sampling_rate", 16000)
    rng = np.random.default_rng(1)
    window = int(seconds_of(kind, config) * rate)
    clips = [(rng.normal(0, 3000, count) + 900 * np.sin(np.arange(count) * 0.2)).astype(np.int16)
             for count in (window, window * 37 // 100, window * 4 // 5 + 1)]
    theirs = []
    try:
        extractor = AutoFeatureExtractor.from_pretrained(folder)
        for clip in clips:
            samples = clip.astype(np.float32) / np.float32(32768)
            given = extractor(samples, sampling_rate=extractor.sampling_rate, return_tensors="np")
            theirs.append((np.asarray(given[name]), given.get("attention_mask")))
        reason = ""
    except Exception as error:  # noqa: BLE001, whatever they refuse it with
        reason = str(error).split("\n")[0] or type(error).__name__
    shape = list(theirs[0][0].shape) if theirs else [1, 16000] if name == "input_values" else [1, 80, 100]
    mask = None
    if kind == "Wav2Vec2" and not fixed:
        shape, mask = [1, None], "any" if config.get("return_attention_mask") else None
    if kind == "SeamlessM4T":
        shape, mask = [1, None, shape[2]], "any"
    network(folder / "model.onnx", name, shape, mask)
    done = run(PROGRAMS / "auricle", "init", folder, "-o", folder / "model.auricle.json")
    if done.returncode:
        return f"refused: {done.stderr.strip()[:160]}", True
    if "unknown: " in (folder / "model.auricle.json").read_text():
        return "unknown: " + done.stderr[done.stderr.index("still unknown") :][:160].strip(), True
    if reason:
        return f"followed, but Transformers refuses: {reason[:120]}", True
    worst = 0.0
    for clip, (wanted, ones) in zip(clips, theirs):
        found, refusal = heard(folder / "model.onnx", clip, rate)
        if found is None:
            return f"not loaded: {refusal[:300]}", True
        if mask and ones is not None and name == "input_features":
            # A row that is there for an even number only is masked out in Transformers; here it is left out.
            wanted = wanted[:, np.asarray(ones)[0] == 1]
            if config.get("do_normalize_per_mel_bins", True):
                # A bin whose filter is empty never changes: what its mean leaves of it is rounding, divided by sqrt(1e-7).
                still = np.ptp(wanted, axis=1, keepdims=True) == 0
                wanted = np.where(still & (np.abs(wanted) < 0.01), 0.0, wanted)
        wanted = wanted.astype(np.float64).ravel()
        if mask:
            wanted = np.concatenate([[np.sum(ones)], wanted]) if ones is not None else wanted
        if None in shape:
            found, rest = found[: len(wanted)], found[len(wanted) :]
            if np.any(rest):
                return f"{len(clip)} samples: {np.count_nonzero(rest)} values more than {len(wanted)}", False
        if found.shape != wanted.shape:
            return f"{len(clip)} samples: {found.shape} values, {wanted.shape} wanted", False
        worst = max(worst, np.abs(found - wanted).max() / max(np.ptp(wanted[1:]), 1e-3))
    return f"followed, {worst:.1e} of the range apart", bool(worst <= 1e-4)


def cases(kinds, count, seed):
    rng = np.random.default_rng(seed)
    for kind in kinds:
        base, own, _ = KINDS[kind]
        changes = [(name, value) for name, values in {**COMMON, **own}.items() for value in values]
        yield kind, base, False
        for name, value in changes:
            yield kind, {**base, name: value}, False
        if kind == "Wav2Vec2":
            yield kind, base, True
        # Those alone that init follows when they are alone are worth mixing, but nothing needs to know which they are.
        for _ in range(count):
            chosen = rng.choice(len(changes), size=rng.integers(2, 5), replace=False)
            yield kind, {**base, **dict(changes[k] for k in chosen)}, False


def other_kinds():
    """Extractors that init does not know: each is refused by its name."""
    from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING_NAMES as names

    folder = WORK / "extractors"
    for name in sorted({str(name) for name in names.values()} - {f"{kind}FeatureExtractor" for kind in KINDS}):
        (folder / "preprocessor_config.json").write_text(json.dumps({"feature_extractor_type": name}))
        done = run(PROGRAMS / "auricle", "init", folder)
        yield name, done.returncode != 0 and name in done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="of " + ", ".join(KINDS))
    parser.add_argument("--random", type=int, default=0, metavar="N", help="folders of each kind with several members changed")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    failed = done = 0
    for kind, config, fixed in cases(given.kinds or KINDS, given.random, given.seed):
        said, good = case(kind, config, fixed)
        done, failed = done + 1, failed + (not good)
        changed = {name: value for name, value in config.items() if KINDS[kind][0].get(name) != value}
        print(f"{'' if good else 'FAILED '}{kind} {json.dumps(changed)}{' fixed' if fixed else ''}: {said}", flush=True)
    if not given.kinds:
        known = list(other_kinds())
        wrong = [name for name, good in known if not good]
        done, failed = done + len(known), failed + len(wrong)
        print(f"{len(known)} other extractors are refused by name" + (f", but not {wrong}" if wrong else ""))
    print(f"{done - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
