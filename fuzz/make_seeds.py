"""Makes the seeds of the fuzz targets from tests/data: `python3 fuzz/make_seeds.py`."""

import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "tests" / "data"
MANIFEST = {
    "auricle": 1,
    "labels": ["first", "last", "mean", "max"],
    "input": {
        "sample_rate": 16000, "window_seconds": 0.1,
        "features": {"kind": "waveform"}, "layout": ["batch", "sample"],
    },
    "output": {"activation": "none"},
}


def model(name, onnx, manifest=None):
    if manifest is None:
        data = b"\0" + onnx
    else:
        text = json.dumps(manifest).encode()
        data = b"\1" + struct.pack("<H", len(text)) + text + onnx
    (HERE / "seeds" / "model" / name).write_bytes(data)


tiny = (DATA / "tiny.onnx").read_bytes()
probe = (DATA / "probe.onnx").read_bytes()
model("embedded", tiny)
model("given", probe, MANIFEST)
model("given-mel", tiny, {
    "auricle": 1, "name": "t", "version": "1", "licence": "MIT", "labels": ["a", "b", "c"],
    "input": {
        "tensor": "input", "sample_rate": 16000, "window_seconds": 1.0, "padding": "repeat", "dtype": "f32",
        "features": {
            "kind": "mel", "fft": 1024, "window": "hann", "frame_length": 1024, "frame_hop": 512, "center": True,
            "pad": "reflect", "power": 2.0,
            "mel": {"bins": 64, "scale": "slaney", "norm": "slaney", "triangles": "hz", "low_hz": 0, "high_hz": 8000},
            "log": {"kind": "ln", "offset": 1e-6},
        },
        "layout": ["batch", "channel", "bin", "row"],
    },
    "output": {"tensor": "output", "activation": "sigmoid"},
    "stream": {"hop_seconds": 0.5},
})
model("wrong-manifest", tiny, {"auricle": 2})
model("text", b"This is not a model.")


def session(name, *calls):
    data = bytes([0 if name == "frees" else 1]) + b"".join(bytes(call) for call in calls)
    (HERE / "seeds" / "session" / name).write_bytes(data)


def push(frames, kind, form=3, pattern=(0, 64, 128, 192)):
    return [0, frames & 255, frames >> 8, form, kind, len(pattern) - 1, *pattern]


READ, GAP, FINISH, RESET, REFUSE, CLASSIFY, EVENTS, ANY, OTHER = 4, 7, 8, 9, 10, 11, 12, 14, 15
session("mono-16k", [0, 2, 1, 0], push(3200, 0), [READ, 0], [READ, 0], [FINISH], [READ, 0], [READ, 0], [READ, 0])
session("stereo-44k-all", [0, 4, 2, 2], *(push(800, kind, form) for kind in range(5) for form in range(2, 8)), [READ, 0])
session("gap-reset", [0, 5, 8, 1], push(9000, 2, 3), [GAP, 255, 1, 4], [READ, 0], [RESET], push(60000, 1), [READ, 3])
session("frees", [0, 2, 1, 0], push(2000, 0), [OTHER, 0], [READ, 0], [FINISH], [READ, 0], [READ, 0])
session("again", [0, 2, 1, 0], [OTHER, 1, 0, 3, 2, 9], push(2000, 3), [READ, 0], [CLASSIFY, 2, 1, 200, 20, 3, 1, 2, 3, 4])
session("refused", [0, 8, 9, 5], *([REFUSE, k, 9] for k in range(12)))
loud, quiet = push(1600, 2, 6, (0, 0, 128, 62)), push(1600, 2, 6, (0, 0, 0, 0))  # 0.25 and 0
for name, choice in ("events", 1), ("events-rules", 2), ("oldest", 2 + 8 * 2 + 32 * 2):
    session(name, [choice, 2, 1, 0], loud, [READ, 0], quiet, [READ, 4], [READ, 0], [EVENTS], quiet, loud, loud, [ANY, 2],
            [READ, 0], [READ, 0], [GAP, 0, 20, 1], loud, [ANY, 1, 1], [READ, 0], [READ, 0], [READ, 0], [FINISH], [READ, 0],
            [READ, 0], [READ, 0], [EVENTS], [ANY, 0], [READ, 0], [RESET], loud, [READ, 0])
