#!/usr/bin/env python3
"""The Audio Spectrogram Transformer on clips of 10 s: transformers' audio pipeline, as its page has it, and Auricle, in one run and
with the same network: files per second of processor time, peak memory, how far the scores are apart.

    pip install -r benches/python/requirements.txt, the wheel, and torch torchaudio transformers onnx onnxscript; then
    PYTHON benches/python/ast_pipeline.py FOLDER [COUNT] [MODEL]        FOLDER has .ogg, .wav or .flac files, in folders too

MODEL is a folder or a name that transformers knows; without it the network has the published one's size (87 million weights, 527
classes) and random weights, which take the same time. It is exported to ONNX by torch first. Each side is a process of its own with
one thread, and takes the files in turns of one.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

MANIFEST = {
    "auricle": 1,
    "input": {
        "tensor": "input_values",
        "sample_rate": 16000,
        "window_rows": 1024,
        "features": {"preset": "ast", "mel": {"bins": 128}},
        "padding": {"of": "rows", "with": 0},
        "normalize": {"kind": "mean_std", "mean": -4.2677393, "std": 9.1379948},
        "layout": ["batch", "row", "bin"],
    },
    "output": {"tensor": "logits", "activation": "softmax"},
}


def prepare(folder, name):
    """transformers' folder, and the same network as model.onnx with its manifest."""
    import torch
    import transformers

    torch.manual_seed(0)
    if name:
        network = transformers.ASTForAudioClassification.from_pretrained(name)
        extractor = transformers.AutoFeatureExtractor.from_pretrained(name)
    else:
        network = transformers.ASTForAudioClassification(transformers.ASTConfig(num_labels=527))
        extractor = transformers.ASTFeatureExtractor()
    network.eval().save_pretrained(folder)
    extractor.save_pretrained(folder)

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, rows):
            return self.network(rows).logits

    torch.onnx.export(
        Logits().eval(), (torch.zeros(1, 1024, 128),), folder / "model.onnx", input_names=["input_values"], output_names=["logits"], external_data=False
    )
    labels = [network.config.id2label[index] for index in range(network.config.num_labels)]
    (folder / "model.auricle.json").write_text(json.dumps(MANIFEST | {"labels": labels}))


def by_auricle(folder):
    import auricle
    import numpy as np
    import soundfile

    model = auricle.load(folder / "model.onnx")

    def classify(path):
        samples, rate = soundfile.read(path, dtype="float32")
        samples = np.resize(samples if samples.ndim == 1 else samples.mean(1), 10 * rate)
        start = time.process_time()
        return [float(score) for score in model.classify(auricle.Clip(samples, rate))], time.process_time() - start

    return classify


def by_transformers(folder):
    import numpy as np
    import soundfile
    import torch
    import transformers

    torch.set_num_threads(1)
    pipe = transformers.pipeline("audio-classification", model=str(folder), device="cpu")

    def classify(path):
        samples, rate = soundfile.read(path, dtype="float32")
        samples = np.resize(samples if samples.ndim == 1 else samples.mean(1), 10 * rate)
        start = time.process_time()
        found = pipe({"raw": samples, "sampling_rate": rate}, top_k=None, function_to_apply="softmax")
        seconds = time.process_time() - start
        scores = {entry["label"]: entry["score"] for entry in found}
        return [scores[pipe.model.config.id2label[index]] for index in range(len(scores))], seconds

    return classify


def serve(side, folder):
    classify = {"transformers": by_transformers, "auricle": by_auricle}[side](pathlib.Path(folder))
    for line in sys.stdin:
        scores, seconds = classify(json.loads(line))
        peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024
        print(json.dumps([seconds, scores, peak]), flush=True)


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    found = sorted(str(path) for path in pathlib.Path(sys.argv[1]).rglob("*") if path.suffix in (".ogg", ".wav", ".flac"))
    paths = [found[index % len(found)] for index in range(count)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        prepared = [sys.executable, __file__, "prepare", folder, *sys.argv[3:]]
        subprocess.run(prepared, check=True, stdout=subprocess.DEVNULL)
        children = {
            side: subprocess.Popen(
                [sys.executable, __file__, "serve", side, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
            for side in ("transformers", "auricle")
        }

        def ask(side, path):
            children[side].stdin.write(json.dumps(path) + "\n")
            children[side].stdin.flush()
            return json.loads(children[side].stdout.readline())

        for side in children:
            ask(side, paths[0])
        turns = [{side: ask(side, path) for side in children} for path in paths]
        for child in children.values():
            child.stdin.close()
            child.wait()
    seconds = {side: statistics.median(turn[side][0] for turn in turns) for side in children}
    ratio = statistics.median(turn["transformers"][0] / turn["auricle"][0] for turn in turns)
    apart = max(abs(a - b) for turn in turns for a, b in zip(turn["transformers"][1], turn["auricle"][1]))
    for side in children:
        print(f"{side}: {1 / seconds[side]:.3f} files/s ({seconds[side]:.2f} s each), peak memory {turns[-1][side][2]:.0f} MB")
    print(f"Auricle has {ratio:.2f} times as many; scores apart by {apart:.6f} (most), with {1 / len(turns[0]['auricle'][1]):.4f} the mean score")


if __name__ == "__main__":
    match sys.argv[1:2]:
        case ["serve"]:
            serve(*sys.argv[2:4])
        case ["prepare"]:
            prepare(pathlib.Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
        case _:
            main()
